"""What this Python has and what the course needs, as plain rows.

The ranges are those of the package's own metadata: pyproject.toml stays the one place. No framework
is imported, and nothing but the standard library need be there: what is missing is what is asked.
"""

import contextlib
import glob
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from typing import NamedTuple

from workshop import __version__

COLUMNS = ("found", "needed", "to do")

# Shown whatever their state. The others that the course needs are shown when they are off.
SHOWN = (
    "numpy",
    "pandas",
    "scikit-learn",
    "matplotlib",
    "tensorflow",
    "keras",
    "torch",
    "pytorch-lightning",
    "torchmetrics",
    "tensorboard",
    "logomaker",
    "amber-automl",
    "captum",
)

# What a laptop may lack; in Colab the setup cell brings it.
OPTIONAL = {
    "amber-automl": "Day 2's search",
    "seaborn": "Day 2's search",
    "captum": "the homework",
    "shap": "the homework",
}

RESTART = {  # by where this runs
    "Colab": "Runtime → Restart session",
    "Kaggle": "restart the session (menu Run)",
    None: "restart Python (the notebook's kernel)",
}

MODULES = {  # where a package's module has another name
    "amber-automl": "amber",
    "ipython": "IPython",
    "pytorch-lightning": "pytorch_lightning",
    "scikit-learn": "sklearn",
}


class Row(NamedTuple):
    """One line of the report.

    Parameters
    ----------
    what : str
        What was looked at.
    found, needed : str
        The version, or a few words; the range that the course needs.
    to_do : str
        The line that mends it; empty when there is nothing to do.
    off : bool
        Whether the course cannot go on without it.
    """

    what: str
    found: str
    needed: str = ""
    to_do: str = ""
    off: bool = False


def look(*, colab):
    """Look at Python, the packages and the GPU; the last row says in words how it stands.

    In Colab and Kaggle, lines begin with ``%pip`` and nothing is optional. Their environment
    variables tell as well: a command that a cell starts with ``!`` has these, and no more.

    Parameters
    ----------
    colab : bool
        Whether it is known to be Colab.

    Returns
    -------
    list of Row
    """
    host = _host(colab)
    python, ranges = _needs()
    # packaging reads the ranges: without it they are unknown, and it is all the more missing.
    names = dict.fromkeys([*SHOWN, "packaging", *ranges])
    packages = [_package(name, ranges.get(name), host=host) for name in names]
    rows = [
        _python(python),
        Row("Colab", {"Colab": "yes", "Kaggle": "no, but Kaggle"}.get(host, "no")),
        Row("workshop", __version__ + ("" if ranges else " (ranges unknown)")),
        *(row for row in packages if row.what in SHOWN or row.to_do),
        Row("GPU", gpu()),
    ]
    n_off = sum(row.off for row in rows)
    if not n_off:
        return [*rows, Row("In short", "all is well")]
    found = "1 thing is off" if n_off == 1 else f"{n_off} things are off"
    return [*rows, Row("In short", found, to_do="what this column says; then look again", off=True)]


def aligned(rows):
    """Lay out rows of strings as text, in columns that begin below each other."""
    rows = [tuple(map(str, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def gpu():
    """Whether there is an NVIDIA GPU, and its name; asks no framework, which takes seconds."""
    name = _gpu_name()
    if name is None:
        return "no: the CPU is enough for this course"
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return "no: CUDA_VISIBLE_DEVICES hides it"
    return f"yes: {name}"


def _gpu_name():
    for path in sorted(glob.glob("/proc/driver/nvidia/gpus/*/information")):
        with contextlib.suppress(OSError), open(path) as file:
            return file.readline().partition(":")[2].strip() or "NVIDIA"
    if shutil.which("nvidia-smi") is None:
        return None
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:  # it is there without a GPU as well, and then fails
        said = subprocess.run(query, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout.partition("\n")[0].strip() or None


def _host(colab):
    """The service that this runs in: Colab, Kaggle or None."""
    if "KAGGLE_KERNEL_RUN_TYPE" in os.environ:  # first: its image is made from Colab's
        return "Kaggle"
    return "Colab" if colab or "COLAB_RELEASE_TAG" in os.environ else None


def _needs():
    """Ranges of workshop's metadata: of Python, and of each package by its name."""
    try:
        from packaging.requirements import Requirement

        python = importlib.metadata.metadata("workshop").get("Requires-Python")
        lines = importlib.metadata.requires("workshop") or []  # None of a half-installed one
    except ImportError:  # no packaging; or workshop is a folder on the path, not installed
        return None, {}
    needs = {}
    for line in map(Requirement, lines):
        extras = ("", "colab", "search", "homework")
        if line.marker is None or any(line.marker.evaluate({"extra": one}) for one in extras):
            needs[line.name] = line.specifier
    return python, needs


def _python(needed):
    found = platform.python_version()
    if needed is None:
        return Row("Python", found)
    from packaging.specifiers import SpecifierSet

    if _within(found, SpecifierSet(needed)):
        return Row("Python", found, needed)
    return Row("Python", found, needed, f"install Python {needed}, and workshop in it", off=True)


def _package(name, specifier, *, host):
    needed = str(specifier or "")
    install = f"{'%pip' if host else 'pip'} install " + (f'"{name}{needed}"' if needed else name)
    found = _version(name)
    if found is None:
        if name in OPTIONAL and not host:
            return Row(name, f"missing: only {OPTIONAL[name]} needs it", needed, install)
        return Row(name, "missing", needed, install, off=True)
    if needed and not _within(found, specifier):
        return Row(name, found, needed, install, off=True)
    loaded = getattr(sys.modules.get(MODULES.get(name, name)), "__version__", found)
    if _public(loaded) != _public(found):  # upgraded after its import, by %pip in a live kernel
        return Row(name, f"{found}, but {loaded} is loaded", needed, RESTART[host], off=True)
    return Row(name, found, needed)


def _version(name):
    """Version that is installed, or None; the remains of a broken installation have none."""
    found = importlib.metadata.distributions(name=name)  # the whole one may not be the first
    return next(filter(None, (one.metadata.get("Version") for one in found)), None)


def _within(version, specifier):
    try:
        return specifier.contains(_public(version), prereleases=True)
    except ValueError:  # not a version that packaging can read
        return False


def _public(version):
    """Version without the build's label: PyPI's ``2.13.0`` calls itself ``2.13.0+cu130``."""
    return str(version).removeprefix("v").split("+")[0]
