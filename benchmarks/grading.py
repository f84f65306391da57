"""Grade a class of thirty, killed half-way: ``python -m benchmarks.grading``

Honest notebooks, among them the course's own, solved, in part and not at all, and hostile ones
(`tests/hostile.py`). ``workshop grade`` is killed with SIGKILL in the midst and started again:
every student's points must be the known ones, no notebook graded twice, none lost. Without
bubblewrap it must refuse, and with ``--no-isolation`` its report must say so. On two cores it
takes some 10 minutes; ``--quick`` leaves the course's own notebooks out.
"""

import argparse
import copy
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from difflib import SequenceMatcher
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from tests.hostile import ATTEMPTS, CASES, GOOD, attack
from workshop.homework import EXTENDED, PRACTICES

ROOT = Path(__file__).resolve().parent.parent
DAYS = ("day1_build_cnns", "day2_automl_and_interpretation")
CHOSEN = ["honest", "segfault", "deaf", "bomb", "busy", "hoarder", "patcher", "faker", "forger"]
CHOSEN += ["pickler", "daemon"]
NOT_JSON = "prose"


def small_class(folder):
    """Write the notebooks of a few lines; return the right points, None where any will do."""
    students = {name: CASES[name][:2] for name in CHOSEN}
    students |= {name: (attack(name), 10) for name in ATTEMPTS}
    for student, (cells, _) in students.items():
        cells = [cell.replace("{folder}", repr(str(folder.parent))) for cell in cells]
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
        write(folder / student / "day1.ipynb", notebook)
    (folder / f"{NOT_JSON}.ipynb").write_text("Dear grader, my dog ate the notebook.")
    expected = {name: {"1.6.2": points} for name, (_, points) in students.items()}
    return expected | {NOT_JSON: {}}


def course_class(folder):
    """Write notebooks made from the course's own; return the right points."""
    solved = [read(ROOT / "notebooks" / "solutions" / f"{day}.ipynb") for day in DAYS]
    unfilled = [read(ROOT / "notebooks" / f"{day}.ipynb") for day in DAYS]
    full = {practice.id: practice.points for practice in EXTENDED.values()}
    of_day = [{key: n for key, n in full.items() if key[0] == day} for day in "12"]
    in_part = ("2.6.1", "2.6.2", "2.6.4")

    for day, notebook in zip(DAYS, solved, strict=True):
        write(folder / "01_solved" / f"{day}.ipynb", notebook)
    for day, notebook in zip(DAYS, unfilled, strict=True):
        write(folder / "02_unfilled" / f"{day}.ipynb", notebook)
    write(folder / f"03_colab_{DAYS[0]}.ipynb", as_colab_saves(solved[0]))
    write(folder / f"04_moved_{DAYS[0]}.ipynb", with_a_moved_cell(solved[0]))
    write(folder / f"05_part_{DAYS[1]}.ipynb", in_part_solved(unfilled[1], solved[1], in_part))
    write(folder / f"06_part_{DAYS[0]}.ipynb", in_part_solved(unfilled[0], solved[0], ["1.6.2"]))
    return {
        "01_solved": full,
        "02_unfilled": {},
        "03_colab": of_day[0],
        "04_moved": of_day[0],
        "05_part": {key: full[key] for key in in_part},
        "06_part": {"1.6.2": 10},
    }


def read(path):
    return nbformat.read(path, as_version=4)


def write(path, notebook):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")


def as_colab_saves(notebook):
    """Other ids, no outputs, widgets' states, and cells that Colab users add."""
    notebook = copy.deepcopy(notebook)
    first = ["from google.colab import drive\ndrive.mount('/content/drive')", "%pip install -q x"]
    notebook.cells = [*map(new_code_cell, first), *notebook.cells]
    for number, cell in enumerate(notebook.cells):
        cell.pop("id", None)
        cell.metadata = {"id": f"xY{number}", "outputId": f"o{number}"}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    widgets = {"application/vnd.jupyter.widget-state+json": {"a1": {"model_name": "HBoxModel"}}}
    notebook.metadata |= {"colab": {"provenance": []}, "accelerator": "GPU", "widgets": widgets}
    notebook.nbformat_minor = 0
    return notebook


def with_a_moved_cell(notebook):
    """The solution of 1.6.1 at the top, before there is a model."""
    notebook = copy.deepcopy(notebook)
    (index,) = [
        i
        for i, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and cell.source.lstrip().startswith("torch_scores =")
    ] or [None]
    if index is None:
        raise LookupError("The solution of 1.6.1 no longer begins with torch_scores.")
    notebook.cells.insert(0, notebook.cells.pop(index))
    return notebook


def in_part_solved(unfilled, solved, ids):
    """The student's notebook with the solutions of some practices."""
    names = [name for key in ids for name in PRACTICES[key].own]
    sources = [[cell.source for cell in notebook.cells] for notebook in (unfilled, solved)]
    cells = []
    matcher = SequenceMatcher(None, *sources, autojunk=False)
    for _, i1, i2, j1, j2 in matcher.get_opcodes():
        text = "\n".join(sources[1][j1:j2])
        chosen = any(f"{name} =" in text or f"def {name}(" in text for name in names)
        cells += solved.cells[j1:j2] if chosen else unfilled.cells[i1:i2]
    return copy.deepcopy(unfilled) | {"cells": cells}


def grade(folder, out, options, *, kill_after=None, **environment):
    """Run ``workshop grade``; return what it reported of each notebook, and its exit code."""
    words = [sys.executable, "-m", "workshop", "grade", str(folder), "--out", str(out), *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    reported = []
    with subprocess.Popen(words, env=os.environ | environment, **pipes) as process:
        for line in process.stdout:
            print(f"  {line}", end="", flush=True)
            if line.startswith("["):
                reported.append(tuple(line.split("] ", 1)[1].split("  ")[:2]))
            if kill_after is not None and len(reported) == kill_after:
                time.sleep(3)  # in the midst of others
                process.kill()
                break
    return reported, process.returncode


def says_what_is_open(parent):
    """Whether it refuses without bubblewrap, and says what is open with ``--no-isolation``."""
    write(parent / "one" / "bob" / "day1.ipynb", new_notebook(cells=[new_code_cell(GOOD)]))
    out = parent / "open.csv"
    _, refused = grade(parent / "one", out, [], PATH=str(parent))
    _, code = grade(parent / "one", out, ["--no-isolation"], PATH=str(parent))
    report = out.with_suffix(".html").read_text(encoding="utf-8")
    return refused == 1 and code == 0 and "WITHOUT ISOLATION" in report


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--cell-timeout", type=float, default=120)
    parser.add_argument("--quick", action="store_true", help="only notebooks of a few lines")
    arguments = parser.parse_args()
    options = ["--jobs", str(arguments.jobs), "--cell-timeout", str(arguments.cell_timeout)]
    with tempfile.TemporaryDirectory() as parent:
        folder, out = Path(parent) / "class", Path(parent) / "grades.csv"
        expected = small_class(folder) | ({} if arguments.quick else course_class(folder))
        n_notebooks = len(list(folder.rglob("*.ipynb")))
        started = time.perf_counter()
        grade(folder, out, options, kill_after=n_notebooks // 2)
        record = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
        first = [(one["student"], Path(one["path"]).name) for one in record["notebooks"]]
        print(f"killed after {time.perf_counter() - started:.0f} s")
        second, code = grade(folder, out, options)
        seconds = time.perf_counter() - started
        with open(out, encoding="utf-8", newline="") as file:
            rows = {row["student"]: row for row in csv.DictReader(file)}
        record = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
        honest = says_what_is_open(Path(parent))
    said = {
        one["student"]: one["record"]["practices"]["2.6.2"].get("written")
        for one in record["notebooks"]
    }
    gained = [name for name in ATTEMPTS if said[name] != "gained: "]
    wrong = [student for student in {*expected, *rows} if not agrees(student, rows, expected)]
    for student in sorted({*wrong, *gained}):
        print(f"{student}: expected {expected.get(student)}, found {rows.get(student)}")
    twice = len(first) + len(second) - len({*first, *second})
    lost = n_notebooks - len({*first, *second})
    print(
        f"{len(rows)} rows, {len(rows) - len(wrong)} right; of {n_notebooks} notebooks {twice} "
        f"graded twice, {lost} lost; {seconds:.0f} s, the killed run included; {len(gained)} of "
        f"{len(ATTEMPTS)} that attack gained something; without bubblewrap "
        f"{'it refuses' if honest else 'IT DOES NOT REFUSE, or its report does not say so'}"
    )
    return 1 if wrong or twice or lost or code or gained or not honest else 0


def agrees(student, rows, expected):
    if student not in rows or student not in expected:
        return False
    points = {practice.id: int(rows[student][practice.id]) for practice in EXTENDED.values()}
    right = {practice.id: expected[student].get(practice.id, 0) for practice in EXTENDED.values()}
    free = {key: points[key] for key, value in right.items() if value is None}
    return points == right | free and int(rows[student]["total"]) == sum(points.values())


if __name__ == "__main__":
    sys.exit(main())
