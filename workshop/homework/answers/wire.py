"""The form in which answers travel: plain trees, and their bytes.

A tree is made of None, bool, int, float, str, lists, dicts with str as keys, and NumPy arrays of
numbers. Reading its bytes runs nobody's code, which is why a grader can read what an untrusted
process writes; pickle could not promise that.
"""

import json
import math

import numpy as np

MAX_BYTES = 256 * 1024**2
"""Of one message: 500 mutagenesis maps are 1.6 MB, the largest model of the course 1 MB."""

_PREFIX = 8  # bytes that say how many follow
_DTYPES = {
    f"<{kind}{size}"
    for kind, sizes in (("i", "1248"), ("u", "1248"), ("f", "248"))
    for size in sizes
} | {"|b1", "|i1", "|u1"}


def pack(tree):
    """Bytes of a tree: a JSON header, then the buffers of the arrays.

    Examples
    --------
    >>> unpack(pack({"y": [1, None, "A"], "X": np.eye(2, dtype="f4")}))["X"]
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    buffers = []
    header = json.dumps(_without_arrays(tree, buffers)).encode()
    return b"".join([len(header).to_bytes(_PREFIX, "big"), header, *buffers])


def unpack(data):
    """Undo `pack`; ValueError if `data` is anything else."""
    start = _PREFIX + int.from_bytes(data[:_PREFIX], "big")
    if not _PREFIX <= start <= len(data):
        raise ValueError("The message is cut short.")
    try:
        header = json.loads(data[_PREFIX:start])
        tree, end = _with_arrays(header, memoryview(data), start)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as problem:
        raise ValueError(f"The message is malformed: {problem!r}"[:300]) from None
    if end != len(data):
        raise ValueError("The message is longer than it says.")
    return tree


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


def _without_arrays(node, buffers):
    if isinstance(node, np.ndarray):
        array = node.astype(node.dtype.newbyteorder("<"), copy=False)
        buffers.append(np.ascontiguousarray(array).tobytes())
        return {"array": array.dtype.str, "shape": list(node.shape)}
    if isinstance(node, dict):
        # A plain dict is wrapped, so that no key of it can be taken for an array.
        return {"dict": {key: _without_arrays(value, buffers) for key, value in node.items()}}
    if isinstance(node, list):
        return [_without_arrays(item, buffers) for item in node]
    return node


def _with_arrays(node, data, start):
    """Put the arrays back in the order in which `_without_arrays` met them."""
    if isinstance(node, list):
        items = []
        for item in node:
            value, start = _with_arrays(item, data, start)
            items.append(value)
        return items, start
    if not isinstance(node, dict):
        return node, start
    if "array" not in node:
        items = {}
        for key, item in node["dict"].items():
            items[key], start = _with_arrays(item, data, start)
        return items, start
    name, shape = node["array"], node["shape"]
    whole = all(type(n) is int and 0 <= n <= MAX_BYTES for n in shape)
    if name not in _DTYPES or len(shape) > 32 or not whole:  # else the product may take hours
        raise ValueError(f"no array of dtype {name!r} and shape {shape!r}")
    dtype, count = np.dtype(name), math.prod(shape)
    end = start + count * dtype.itemsize
    if end > len(data):
        raise ValueError("an array is cut short")
    array = np.frombuffer(data[start:end], dtype).reshape(shape)
    return array.copy(), end
