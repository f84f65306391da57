"""Find the shipped notebooks and data; refuse a data file whose bytes are not the shipped ones.

A checkout keeps ``data/`` and ``notebooks/`` beside the package; a wheel carries them inside (see
pyproject.toml).
"""

from pathlib import Path

from workshop._files import sha256

_PACKAGE = Path(__file__).resolve().parent


def data_directory():
    """Directory of the shipped data: ``workshop/data`` in a wheel, ``data`` in a checkout."""
    for directory in (_PACKAGE / "data", _PACKAGE.parent / "data"):
        if (directory / "SHA256SUMS").is_file():
            return directory
    raise FileNotFoundError(
        f"The shipped data is missing: no data/SHA256SUMS in {_PACKAGE} or beside it. "
        "Install workshop again, or restore data/ with: git checkout -- data"
    )


def shipped_file(name, *, directory=None):
    """Path of the shipped file `name`, after its SHA-256 was compared with ``SHA256SUMS``."""
    directory = Path(directory) if directory is not None else data_directory()
    lines = (directory / "SHA256SUMS").read_text().splitlines()
    sums = {file: digest for digest, file in (line.split() for line in lines)}
    if name not in sums:
        raise ValueError(f"{name} is not shipped; data/ holds {', '.join(sorted(sums))}.")
    path = directory / name
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
    lines = (data_directory() / "SHA256SUMS").read_text().splitlines()
    return [shipped_file(line.split()[1]).name for line in lines]


def shipped_notebooks():
    """Paths of the course's notebooks, beside the shipped data; none where they were left out."""
    return sorted((data_directory().parent / "notebooks").glob("*.ipynb"))
