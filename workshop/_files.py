"""Text files line by line; files whole or not at all; those that the course ships, known again.

A checkout keeps ``data/`` and ``notebooks/`` beside the package; a wheel carries them inside (see
pyproject.toml).
"""

import contextlib
import gzip
import hashlib
import io
import os
import zlib
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def read_lines(path):
    r"""Yield number and text of each line, ended by \n, \r\n or \r; gzipped files are unzipped."""
    number = 0
    try:
        with open(path, "rb") as file:
            opened = gzip.open if file.read(2) == b"\x1f\x8b" else open
        with opened(path, "rt", encoding="utf-8-sig", errors="surrogateescape") as file:
            for number, line in enumerate(file, start=1):
                if not line.isascii():  # so that what is no UTF-8 has the number of its line
                    line.encode(errors="surrogateescape").decode()
                yield number, line.rstrip("\n")
    except (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path} must be a text file, gzipped or not, and whole; reading failed at line "
            f"{number}: {error}. Fetch it again, or save it as UTF-8."
        ) from error


@contextlib.contextmanager
def whole_file(path):
    """Give a temporary path beside `path` to write to; rename it to `path` at the end.

    Whoever looks at `path` sees the former file or the new one, never a part; missing folders are
    made. The temporary name has the same suffix, which some writers look at. A full disk
    is an OSError that names the file, whatever the writer calls it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield part
        part.replace(path)
    except (OSError, RuntimeError) as error:  # Torch calls a full disk a RuntimeError
        raise OSError(f"{path} could not be written ({error}). Is the disk full?") from error
    finally:
        part.unlink(missing_ok=True)


def write_whole(path, content):
    """Write `content` (str as UTF-8, or bytes) to `path`, whole or not at all."""
    content = content.encode() if isinstance(content, str) else content
    with whole_file(path) as part:
        part.write_bytes(content)


def gzipped(content):
    """Bytes that depend on neither clock nor system: `gzip.compress` may name the system."""
    zipped = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=zipped, mode="wb", compresslevel=9, mtime=0) as file:
        file.write(content)
    return zipped.getvalue()


def sha256(path):
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def data_directory():
    """Directory of the shipped data: ``workshop/data`` in a wheel, ``data`` in a checkout."""
    for directory in (_PACKAGE / "data", _PACKAGE.parent / "data"):
        if (directory / "SHA256SUMS").is_file():
            return directory
    raise FileNotFoundError(
        f"The shipped data is missing: no data/SHA256SUMS in {_PACKAGE} or beside it. "
        "Install workshop again, or restore data/ with: git checkout -- data"
    )


def _shipped_sums():
    """SHA-256 of each shipped file, by name."""
    lines = (data_directory() / "SHA256SUMS").read_text().splitlines()
    return {name: digest for digest, name in map(str.split, lines)}


def shipped_file(name):
    """Path of the shipped file `name`, after its SHA-256 was compared with ``SHA256SUMS``."""
    sums = _shipped_sums()
    if name not in sums:
        raise ValueError(f"{name} is not shipped; data/ holds {', '.join(sorted(sums))}.")
    path = data_directory() / name
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing. Restore it with: git checkout -- data/{name}")
    digest = sha256(path)
    if digest != sums[name]:
        raise ValueError(
            f"{path} is not the file that was shipped: expected SHA-256 {sums[name][:12]}..., "
            f"got {digest[:12]}.... It was not read; restore it with: git checkout -- data/{name}"
        )
    return path


def check_shipped():
    """Names of all shipped files, each compared with its SHA-256; ValueError names a bad one."""
    return [shipped_file(name).name for name in _shipped_sums()]


def shipped_notebooks():
    """Paths of the course's notebooks, beside the shipped data; none where they were left out."""
    return sorted((data_directory().parent / "notebooks").glob("*.ipynb"))
