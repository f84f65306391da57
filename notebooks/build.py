"""Generate the course's notebooks from their sources, run them, and clean what they show.

A source, ``notebooks/src/day1.py``, is the solved lesson in the py:percent format. Its cells go
to two notebooks: those tagged ``solution`` only to ``notebooks/solutions/``, those tagged ``stub``
only to the student's notebook in ``notebooks/``, below a line that says *your turn*, all others to
both. A cell with ``cellView="form"`` is folded in Colab. Filled in from pyproject.toml are
``{{repository}}``, ``{{ref}}`` and ``{{badges}}`` (they open the notebook in Colab, Kaggle and
Binder); ``address.py`` changes them. One figure of Day 2 is kept as ``focus_region.png``, too.

    python notebooks/build.py           write both; run the student's and keep its outputs
    python notebooks/build.py day1      only this source
    python notebooks/build.py --check   exit 1 when a notebook is out of step with its source
"""

import argparse
import base64
import contextlib
import hashlib
import os
import re
import sys
import tempfile
from collections import Counter
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple
from unittest import mock
from urllib.parse import quote

import jupytext
import nbformat
import tomllib

from workshop._files import write_whole
from workshop.execution import execute_notebook

ROOT = Path(__file__).resolve().parent.parent
NAMES = {"day1": "day1_build_cnns", "day2": "day2_automl_and_interpretation"}
AUDIENCES = {"student": "stub", "solution": "solution"}  # audience: the tag of its own cells
MAX_BYTES = 2_500_000
PICTURE, CAPTION = "notebooks/focus_region.png", "The focus region (above)"  # README.md shows it

YOUR_TURN = "# ✏️ Your turn"
KEPT = ("tags", "cellView")  # of a cell's metadata

METADATA = {  # no accelerator: no lesson needs one, and Colab lends a CPU at once
    "colab": {"provenance": [], "toc_visible": True},
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

BADGES = {
    "Colab": "https://colab.research.google.com/assets/colab-badge.svg",
    "Kaggle": "https://kaggle.com/static/images/open-in-kaggle.svg",
    "Binder": "https://mybinder.org/badge_logo.svg",
}

# What an output must not show: it is another on each machine or in each run.
UNWANTED = {
    "a path of a machine": (
        r"(?<![\w.:/])/(?:root|home|Users|Volumes|Library|Applications|private|tmp|var|usr|opt|mnt"
        r"|media|srv|work|workspaces?|content|kaggle)/"
        r"|\b[A-Z]:\\+\w|file:///|\b(?:site|dist)-packages\b"
    ),
    "an object's address": r"<[^<>]* at 0x[0-9a-fA-F]+",
    "a progress bar's timing": r"\d ?m?s/(?:step|epoch|it|batch)|\d ?it/s",
}


class Address(NamedTuple):
    """Where the course lies: the one address that badges and setup cells repeat.

    Parameters
    ----------
    repository : str
        ``https://github.com/OWNER/NAME``.
    ref : str
        A branch or a tag of it.
    """

    repository: str
    ref: str


def read_address(root):
    """The address that pyproject.toml in the folder `root` names."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    try:
        return Address(
            settings["project"]["urls"]["Repository"], settings["tool"]["workshop"]["ref"]
        )
    except KeyError as missing:
        raise ValueError(
            "pyproject.toml must have Repository in [project.urls] and ref in [tool.workshop]; it "
            f"has no {missing}."
        ) from missing


def badges(address, notebook, *, text="Open"):
    """Make the badges that open a notebook in Colab, Kaggle and Binder: Markdown, a line each.

    Parameters
    ----------
    address : Address
    notebook : str
        Path of the notebook from the repository's root, with ``/``.
    text : str
        The alternative text is this and ``in Colab``.
    """
    repository, ref = address
    slug = repository.removeprefix("https://github.com/")
    one_part = quote(ref, safe="")  # Colab's ref ends at a slash; the others find out where it ends
    links = {
        "Colab": f"https://colab.research.google.com/github/{slug}/blob/{one_part}/{notebook}",
        "Kaggle": f"https://kaggle.com/kernels/welcome?src={repository}/blob/{ref}/{notebook}",
        "Binder": f"https://mybinder.org/v2/gh/{slug}/{ref}?labpath={quote(notebook, safe='')}",
    }
    return "\n".join(
        f"[![{text} in {host}]({image})]({links[host]})" for host, image in BADGES.items()
    )


def placeholders(address, notebook):
    """What fills the placeholders of a source; `notebook` as in `badges`."""
    return {**address._asdict(), "badges": badges(address, notebook)}


def notebook_path(name, audience):
    """Path of a source's notebook from the repository's root."""
    folder = "notebooks" if audience == "student" else "notebooks/solutions"
    return f"{folder}/{NAMES[name]}.ipynb"


def generate(source, *, audience, values):
    """Make a notebook without outputs.

    Parameters
    ----------
    source : str
        The lesson in the py:percent format.
    audience : {"student", "solution"}
    values : dict of str to str
        What fills the placeholders.

    Returns
    -------
    nbformat.NotebookNode
        The same source gives the same notebook. A cell's id is made from its content, so that a
        new cell changes no other cell's.
    """
    others = set(AUDIENCES.values()) - {AUDIENCES[audience]}
    notebook = nbformat.v4.new_notebook(metadata=METADATA)
    seen = Counter()
    for cell in jupytext.reads(source, fmt="py:percent").cells:
        tags = cell.metadata.get("tags", [])
        if others & set(tags) or not cell.source.strip():
            continue
        text = re.sub(r"{{(\w+)}}", lambda found: values.get(found[1], found[0]), cell.source)
        if "stub" in tags:
            text = f"{YOUR_TURN}\n{text}"
        kept = [tag for tag in tags if tag not in AUDIENCES.values()]
        metadata = {name: value for name, value in cell.metadata.items() if name == "cellView"}
        key = "\0".join([cell.cell_type, text, *kept])
        seen[key] += 1
        new_cell = getattr(nbformat.v4, f"new_{cell.cell_type}_cell")
        notebook.cells.append(
            new_cell(
                text,
                id=hashlib.sha256(f"{key}\0{seen[key]}".encode()).hexdigest()[:8],
                metadata=metadata | ({"tags": kept} if kept else {}),
            )
        )
    nbformat.validate(notebook)
    return notebook


def clean(notebook):
    """Drop, in place, what running left in the metadata: timings, widgets, Python's version."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = {key: cell.metadata[key] for key in KEPT if key in cell.metadata}


def problems(notebook):
    """What keeps an executed notebook from being committed, one line each; none when it may be."""
    found = []
    if "widgets" in notebook.metadata:
        found.append("metadata.widgets is there; GitHub and nbconvert refuse such a notebook")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in code]
    if counts != list(range(1, len(code) + 1)):
        found.append(f"execution counts are {counts}, not 1 to {len(code)}: run it from the top")
    for number, cell in enumerate(code, start=1):
        where = f"code cell {number} ({cell.source.splitlines()[0] if cell.source else 'empty'})"
        if "execution" in cell.metadata:
            found.append(f"{where}: the times of its execution are in its metadata")
        found += [f"{where}: {problem}" for problem in _output_problems(cell)]
    size = len(nbformat.writes(notebook).encode())
    if size > MAX_BYTES:
        found.append(f"{size / 1e6:.1f} MB is more than {MAX_BYTES / 1e6:.1f} MB: smaller figures")
    return found


def _output_problems(cell):
    for output, following in zip_longest(cell.outputs, cell.outputs[1:], fillvalue={}):
        data = output.get("data", {})
        shown = [output.get("text", ""), output.get("evalue", ""), *output.get("traceback", [])]
        shown += [value for kind, value in data.items() if kind not in ("image/png", "image/jpeg")]
        text = "\n".join(map(str, shown))
        if output.get("name") == "stderr":
            yield f"it writes to stderr: {text.strip()[:80]!r}"
        if output.output_type == "error" and "raises-exception" not in cell.metadata.get(
            "tags", []
        ):
            yield f"it ends in an error: {output.ename}"
        if any("widget" in kind for kind in data):
            yield "a widget needs a live kernel; show text or a figure instead"
        for what, pattern in UNWANTED.items():
            match = re.search(pattern, text)
            if match:
                yield f"its output shows {what}: {text[match.start() :][:60]!r}"
        for kind in ("image/png", "image/jpeg", "image/svg+xml"):
            if kind not in data:
                continue
            if not output.metadata.get(kind, {}).get("alt", "").strip():
                yield "a figure has no alternative text; show it with workshop.plot.show"
            if "text/markdown" not in following.get("data", {}):
                yield "no caption follows a figure; show it with workshop.plot.show"


def difference(committed, generated):
    """Where two notebooks' cells differ, in words, or None; outputs are not compared."""

    def facts(cell):
        kept = [cell.metadata.get(name) for name in KEPT]
        return cell.cell_type, cell.source, kept, cell.get("id")

    pairs = zip(committed.cells, generated.cells, strict=False)
    for number, (old, new) in enumerate(pairs, start=1):
        if facts(old) != facts(new):
            first = next(iter(new.source.splitlines()), "")
            return f"cell {number} ({new.cell_type}) is not the source's: {first!r}"
    if len(committed.cells) != len(generated.cells):
        return f"it has {len(committed.cells)} cells, its source makes {len(generated.cells)}"
    if committed.metadata != generated.metadata:
        return f"its metadata is {dict(committed.metadata)}, not {dict(generated.metadata)}"
    return None


def out_of_step(root, names):
    """Committed notebooks that are not what their source makes, one line each."""
    address = read_address(root)
    found = []
    for name in names:
        for audience in AUDIENCES:
            path = notebook_path(name, audience)
            if not (root / path).is_file():
                found.append(f"{path} is missing")
                continue
            try:
                committed = nbformat.read(root / path, as_version=4)
            except Exception as problem:  # nbformat raises a different type for each kind of damage
                found.append(f"{path} is not a notebook: {problem}")
                continue
            where = difference(committed, generate_from(root, name, audience, address))
            if where:
                found.append(f"{path}: {where}")
    return found


@contextlib.contextmanager
def _empty_cache():
    """Hide what the author has downloaded: the outputs are those of a fresh machine."""
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.dict(os.environ, WORKSHOP_CACHE=folder),
    ):
        yield


def build(root, names):
    """Write the notebooks of these sources; return what is wrong with them, one line each.

    Nothing of a source is written when its student notebook does not run cleanly.
    """
    address = read_address(root)
    found = []
    for name in names:
        student = generate_from(root, name, "student", address)
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder) / f"{NAMES[name]}.ipynb"
            write_whole(plain, nbformat.writes(student))
            with _empty_cache():
                result = execute_notebook(plain, output_dir=Path(folder) / "executed")
            executed = nbformat.read(result.executed_path, as_version=4)
        clean(executed)
        wrong = problems(executed)
        if result.failure:
            wrong.insert(0, result.failure)
        found += [f"{notebook_path(name, 'student')}: {line}" for line in wrong]
        if not wrong:
            solved = generate_from(root, name, "solution", address)
            write_whole(root / notebook_path(name, "student"), as_text(executed))
            write_whole(root / notebook_path(name, "solution"), as_text(solved))
            if name == "day2":
                write_whole(root / PICTURE, picture(executed))
    return found


def picture(notebook):
    """PNG of the figure of the executed Day 2 that README.md shows."""
    (cell,) = [cell for cell in notebook.cells if CAPTION in cell.source]
    (png,) = [one.data["image/png"] for one in cell.outputs if "image/png" in one.get("data", {})]
    return base64.b64decode(png)


def sources(root):
    """Names of the lessons whose source exists."""
    return [name for name in NAMES if (root / "notebooks" / "src" / f"{name}.py").is_file()]


def generate_from(root, name, audience, address):
    """Make the notebook of a source, without outputs, for a course that lies at `address`."""
    source = (root / "notebooks" / "src" / f"{name}.py").read_text(encoding="utf-8")
    values = placeholders(address, notebook_path(name, audience))
    return generate(source, audience=audience, values=values)


def as_text(notebook):
    """A notebook as it is committed."""
    return nbformat.writes(notebook) + "\n"


def main(argv=None, *, root=ROOT):
    """Build or check; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="day1, day2; default: all")
    parser.add_argument("--check", action="store_true", help="compare only; write nothing")
    arguments = parser.parse_args(argv)
    known = sources(root)
    unknown = set(arguments.names) - set(known)
    if unknown or not known:
        parser.error(f"there is no source {', '.join(unknown) or 'at all'}; known: {known}")
    names = arguments.names or known
    found = (out_of_step if arguments.check else build)(root, names)
    for line in found:
        print(line, file=sys.stderr)
    if found and arguments.check:
        print("Edit notebooks/src, then run: make notebooks", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
