"""What this Python has and what the course needs: the rows of `check_environment`.

The ranges are those of the package's own metadata, so pyproject.toml stays the one place. What is
missing is what is asked: no framework is imported, and pandas only for the table.
"""

import importlib.metadata
import platform
import subprocess
import sys
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from workshop import __version__

DISTRIBUTION = "ucla-automl-workshop"
COLUMNS = ("found", "needed", "to do")
# Shown whatever their state; others that the course needs only when something is to do.
SHOWN = [
    "numpy", "pandas", "scikit-learn", "matplotlib", "tensorflow", "keras", "torch",
    "pytorch-lightning", "torchmetrics", "tensorboard", "logomaker", "amber-automl", "captum",
]  # fmt: skip
OPTIONAL = {"amber-automl", "captum", "seaborn", "shap"}
MODULES = {"amber-automl": "amber", "ipython": "IPython", "scikit-learn": "sklearn"}


class Row(NamedTuple):
    """One line of the report; `off` says that the course cannot go on without it."""

    what: str
    found: str
    needed: str = ""
    to_do: str = ""
    off: bool = False


def inspect_environment(*, colab):
    """Rows on Python, the packages and the GPU; the last one says in words how it stands."""
    ranges = _needs()
    python = platform.python_version(), ranges.pop("Python")
    names = dict.fromkeys([*SHOWN, *ranges])
    packages = [_package(name, ranges[name], colab=colab) for name in names]
    rows = [
        _row("Python", *python, mend=f"install Python {python[1]}, and workshop in it"),
        Row("Colab", "yes" if colab else "no"),
        Row("workshop", __version__),
        *(row for row in packages if row.what in SHOWN or row.to_do),
        Row("GPU", gpu()),
    ]
    off = [row.what for row in rows if row.off]
    if not off:
        return [*rows, Row("In short", "all is well")]
    todo = "what this column says; then look again"
    return [*rows, Row("In short", f"off: {', '.join(off)}", to_do=todo, off=True)]


def as_text(rows):
    """The rows as text, in columns that begin below each other."""
    lines = [("", *COLUMNS), *(row[:4] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def as_table(rows):
    """The rows as a DataFrame; a notebook shows one line of it where there is nothing to do."""
    import pandas as pd

    of = {row.what: row.found.replace(": ", ", ") for row in rows}
    well = f"✓ All is well. Python {of['Python']}, workshop {of['workshop']}; a GPU: {of['GPU']}."
    line = None if any(row.to_do for row in rows) else well

    class Report(pd.DataFrame):
        def __repr__(self):
            return line or super().__repr__()

        def _repr_html_(self):
            if line:
                return f"<p>{line}</p>"
            table, left = self.to_html(justify="left", border=0), ' style="text-align: left">'
            return table.replace("<td>", f"<td{left}").replace("<th>", f"<th{left}")

    return Report([row[1:4] for row in rows], index=[row.what for row in rows], columns=COLUMNS)


def gpu():
    """Whether there is an NVIDIA GPU, and its name; asks no framework, which takes seconds."""
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:  # it may be there without a GPU, and then fails
        said = subprocess.run(query, capture_output=True, text=True, check=True, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        said = ""
    return f"yes: {said.splitlines()[0]}" if said else "no: the CPU is enough for this course"


def _needs():
    """Range of each package that a lesson needs, and of Python, by name."""
    needs = {"Python": SpecifierSet(importlib.metadata.metadata(DISTRIBUTION)["Requires-Python"])}
    extras = ("", "colab", "search", "homework")
    for line in map(Requirement, importlib.metadata.requires(DISTRIBUTION)):
        if not line.marker or any(line.marker.evaluate({"extra": extra}) for extra in extras):
            needs[line.name] = line.specifier
    return needs


def _package(name, needed, *, colab):
    install = f'{"%pip" if colab else "pip"} install "{name}{needed}"'
    try:
        found = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        if name in OPTIONAL:
            return Row(name, "missing: Day 2 or the homework needs it", str(needed), install)
        return Row(name, "missing", str(needed), install, off=True)

    module = sys.modules.get(MODULES.get(name, name.replace("-", "_")))
    loaded = getattr(module, "__version__", found)
    if _public(loaded) != _public(found):  # upgraded after its import, by %pip in a live kernel
        restart = "Runtime → Restart session" if colab else "restart Python (the notebook's kernel)"
        return Row(name, f"{found}, but {loaded} is loaded", str(needed), restart, off=True)
    return _row(name, found, needed, mend=install)


def _row(what, found, needed, *, mend):
    off = not needed.contains(_public(found), prereleases=True)
    return Row(what, found, str(needed), mend if off else "", off)


def _public(version):
    """Version without the build's label: PyPI's ``2.13.0`` calls itself ``2.13.0+cu130``."""
    return str(version).removeprefix("v").split("+")[0]
