"""The house: which room may import which, that no private name leaves its room, and short files.

A room is a folder of `workshop/`, or a module beside them. An import within a function counts: it
is only later, not less.
"""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "workshop"
BASE = {"_checks", "_files", "_notebook", "_progress", "_triton", "environment"}  # anyone's
ARROWS = {
    "__init__": set(),
    "_checks": set(),
    "_files": set(),
    "_notebook": set(),
    "_progress": set(),
    "_triton": set(),
    "environment": set(),
    "execution": set(),
    "sequences": set(),
    "chromosomes": set(),
    "splits": {"chromosomes"},
    "evaluation": set(),
    "motifs": {"sequences"},
    "layers": set(),
    "architecture": {"layers"},
    "datasets": {"motifs", "sequences"},
    "training": {"architecture", "evaluation", "sequences"},
    "keras_cnn": {"training", "architecture"},
    "torch_cnn": {"training", "architecture"},
    "plot": {"architecture", "evaluation", "motifs", "chromosomes", "sequences"},
    "interpret": {"training", "architecture", "motifs", "evaluation", "sequences"},
    "nas": {"training", "architecture", "torch_cnn"},
    "homework": {
        *("nas", "interpret", "evaluation", "datasets", "splits"),
        *("architecture", "keras_cnn", "torch_cnn", "plot", "motifs", "training"),
    },
    "grading": {"homework"},
    "__main__": {"datasets", "execution", "grading"},
}


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path):
    """(module, name) of each import from this package, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports from the top, `from workshop.x`"
            yield from ((node.module, alias.name) for alias in node.names)


FILES = sorted(path for path in PACKAGE.rglob("*.py"))
TAKEN = [  # (file, room that it imports from, what it imports)
    (path, f"{module}.{name}".split(".")[1], f"{module}.{name}")
    for path in FILES
    for module, name in imports_of(path)
    if module.split(".")[0] == "workshop"
]
NAMES = {path.relative_to(PACKAGE).as_posix(): path for path in FILES}


@pytest.mark.parametrize("room", sorted({room_of(path) for path in FILES}))
def test_a_room_imports_only_what_the_plan_allows(room):
    allowed = ARROWS[room] | (BASE - {room} if room not in BASE else set()) | {room}
    new = [
        f"{path.relative_to(PACKAGE)} imports {what}"
        for path, other, what in TAKEN
        if room_of(path) == room and other in ARROWS and other not in allowed
    ]
    assert not new, "\n".join([f"{room} may import {sorted(allowed)}", *new])


def test_the_plan_has_no_circle_and_no_arrow_that_nobody_uses():
    TopologicalSorter(ARROWS).prepare()
    used = {(room_of(path), other) for path, other, _ in TAKEN}
    idle = [(room, other) for room, others in ARROWS.items() for other in others]
    assert set(idle) <= used, set(idle) - used


@pytest.mark.parametrize("name", NAMES)
def test_no_private_name_is_imported_from_another_room(name):
    path = NAMES[name]
    taken = [
        what
        for taker, other, what in TAKEN
        if taker == path and other != room_of(path) and other in ARROWS
        if any(part.startswith("_") and part[1:2] != "_" for part in what.split(".")[2:])
    ]
    assert not taken


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_no_longer_than_400_lines(name):
    assert len(NAMES[name].read_text(encoding="utf-8").splitlines()) <= 400
