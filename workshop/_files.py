"""Write a file whole or not at all; know its content again."""

import contextlib
import hashlib
import os
from pathlib import Path


@contextlib.contextmanager
def whole_file(path):
    """Give a temporary path beside `path` to write to; rename it to `path` at the end.

    Whoever looks at `path` sees the former file or the new one, never a part; missing folders are
    made. The temporary name has the same suffix, which some writers look at.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_whole(path, content):
    """Write `content` (str as UTF-8, or bytes) to `path`, whole or not at all."""
    with whole_file(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


def sha256(path):
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
