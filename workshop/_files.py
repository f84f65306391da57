"""Write a file whole or not at all."""

import os
from pathlib import Path


def write_whole(path, content):
    """Write `content` (str as UTF-8, or bytes) under a temporary name, then rename it to `path`.

    Whoever looks at `path` sees the former file or the new one, never a part; missing folders are
    made.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
