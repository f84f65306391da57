"""The form in which answers travel: plain trees, and their bytes.

A tree is made of None, bool, int, float, str, lists, dicts with str as keys, and NumPy arrays of
numbers. Its bytes are JSON, and reading them runs nobody's code, which is why a grader can read
what an untrusted process writes; pickle could not promise that.
"""

import base64
import json

import numpy as np

MAX_BYTES = 256 * 1024**2  # of a message: 500 maps are 2.1 MB, the course's largest model 1 MB
_PREFIX = 8  # bytes that say how many follow
_ARRAY = "\0array"  # no other dict has this key
_DTYPES = {f"<{kind}{size}" for kind in "iuf" for size in "248"} | {"|b1", "|i1", "|u1"}


def pack(tree):
    """Bytes of a tree.

    Examples
    --------
    >>> unpack(pack({"y": [1, None, "A"], "X": np.eye(2, dtype="f4")}))["X"]
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    return json.dumps(tree, default=_plain).encode()


def unpack(data):
    """Undo `pack`; ValueError if `data` is anything else."""
    try:
        return json.loads(bytes(data).decode(), object_hook=_array)
    except (ValueError, TypeError, KeyError, RecursionError) as problem:
        raise ValueError(f"The message is malformed: {problem!r}"[:300]) from None


def _plain(array):
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    data = base64.b64encode(little.tobytes()).decode()
    return {_ARRAY: little.dtype.str, "shape": little.shape, "data": data}


def _array(node):
    if _ARRAY not in node:
        return node
    name, shape = node[_ARRAY], node["shape"]
    whole = all(type(n) is int and 0 <= n <= MAX_BYTES for n in shape)
    if name not in _DTYPES or len(shape) > 32 or not whole:
        raise ValueError(f"no array of dtype {name!r} and shape {shape!r}")
    return np.frombuffer(base64.b64decode(node["data"]), name).reshape(shape).copy()


def write_message(stream, tree):
    """Write a tree to a binary stream, with its length before it."""
    data = pack(tree)
    stream.write(len(data).to_bytes(_PREFIX, "big"))
    stream.write(data)
    stream.flush()


def read_message(stream, *, limit=MAX_BYTES):
    """Read what `write_message` wrote; EOFError at the end, ValueError if malformed or too long."""
    size = int.from_bytes(_read_exactly(stream, _PREFIX), "big")
    if size > limit:
        raise ValueError(f"The message has {size:,} bytes, more than the {limit:,} allowed.")
    return unpack(_read_exactly(stream, size))


def _read_exactly(stream, size):
    pieces, missing = [], size
    while missing:
        piece = stream.read(min(missing, 1 << 20))  # a stream without a buffer gives less
        if not piece:
            raise EOFError("The other side has closed the connection.")
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)
