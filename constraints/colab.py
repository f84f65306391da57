"""What Colab brings: written to colab.txt from the list that Google publishes, and read from it.

Take ``pip-freeze.txt`` from https://github.com/googlecolab/backend-info, and say of which day:

    python constraints/colab.py pip-freeze.txt 2026-08-19

Then run ``pytest tests/test_colab.py tests/test_packaging.py`` and, once, ``make replica``.
"""

import re
import sys
from pathlib import Path

from packaging.utils import canonicalize_name

MOST_ADDED = 8  # packages that the course may add to Colab's, beside itself
PATH = Path(__file__).with_name("colab.txt")
HEADER = """\
# What Colab's CPU runtime of {day} brings, on Python {python}: googlecolab/backend-info on GitHub.
# Left out: nvidia-*, which only GPU runtimes need, and what comes from an address (Torch's wheels
# are there, by version). Written by constraints/colab.py, which says how to renew it.
"""
TORCH_WHEEL = r"(\w+) @ https://download\.pytorch\.org/\S*/\1-([\d.]+)\S*-cp(\d)(\d+)-\S+\.whl"


def from_freeze(freeze, day):
    """The lines of Colab's ``pip freeze`` that another machine can install, as constraints."""
    lines, python = [], None
    for line in freeze.splitlines():
        wheel = re.fullmatch(TORCH_WHEEL, line)
        if wheel:
            name, version, *python = wheel.groups()
            lines.append(f"{name}=={version}")
        elif re.fullmatch(r"(?!nvidia-)[\w.-]+==[\w.!]+", line):
            lines.append(line)
    if not python:
        raise ValueError("There is no wheel of Torch in the list; its name tells Python's version.")
    return HEADER.format(day=day, python=".".join(python)) + "\n".join(lines) + "\n"


def python_version():
    """Colab's Python, such as ``"3.13"``."""
    return re.search(r"Python (\d+\.\d+)", PATH.read_text(encoding="utf-8"))[1]


def versions():
    """Version of each package that Colab brings, by its canonical name."""
    lines = PATH.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


if __name__ == "__main__":
    published = Path(sys.argv[1]).read_text(encoding="utf-8")
    PATH.write_text(from_freeze(published, day=sys.argv[2]), encoding="utf-8")
