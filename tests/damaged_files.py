"""Files with a byte too many or too few, as hypothesis draws them; what a reader may do then."""

import re

from hypothesis import strategies as st

DAMAGE = [
    *(b"\n", b"\r", b"\r\n", b"\r\r\n", b"\n\n", b" ", b"\t", b"\x0c", b"\x0b", b"\0", b"\x1c"),
    *(b">", b">x", b"#", b";", b"*", b"-", b"+", b".", b"_", b'"', b"'", b"0", b"1", b"9", b"R"),
    *map(str.encode, ("\ufeff", "\u2212", "\xa0", "\x85", "\u2028", "chr1\t0\t")), b"\xff", b"e",
]  # fmt: skip


@st.composite
def damaged(draw, good):
    """`good` with bytes inserted or overwritten, a piece or a column lost, other line ends."""
    content = good.replace(b"\n", draw(st.sampled_from([b"\n", b"\n", b"\r\n", b"\r"])))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(content)))
        new = draw(st.sampled_from(DAMAGE) | st.just(b"") | st.binary(min_size=1, max_size=2))
        if draw(st.booleans()):  # at a line end or a tab
            at = content.find(draw(st.sampled_from([b"\n", b"\t", b">"])), at) % (len(content) + 1)
        content = content[:at] + new + content[at + draw(st.sampled_from([0, 0, 1, 2, 5])) :]
    return content


def or_refused(read, path):
    """What `read` returns; None where it refuses the file, by name and line."""
    try:
        return read(path)
    except ValueError as error:
        message = str(error)
        assert str(path) in message, message
        assert re.search(r"line \d+|must hold at least one|must hold a line", message), message
        return None
