"""`workshop._files`: a file appears whole or not at all."""

import pytest

from workshop._files import write_whole


@pytest.mark.parametrize(
    ("content", "stored"), [("é\n", b"\xc3\xa9\n"), (b"\x00\xff", b"\x00\xff")]
)
def test_writes_text_as_utf8_and_bytes_as_they_are(tmp_path, content, stored):
    path = tmp_path / "new" / "folder" / "file"
    write_whole(path, content)
    assert path.read_bytes() == stored
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_the_former_file(tmp_path):
    path = tmp_path / "file"
    write_whole(path, "former")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "half \ud800")
    (path.with_name("taken")).mkdir()
    with pytest.raises(OSError, match=r"taken could not be written .* Is the disk full\?"):
        write_whole(path.with_name("taken"), "x")
    assert path.read_text() == "former"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "taken"]
