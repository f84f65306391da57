"""Grade a class of thirty, killed half-way: ``python benchmarks/grading.py``

Honest notebooks, among them the course's own, solved, in part and not at all, and hostile ones.
``workshop grade`` is killed with SIGKILL in the midst and started again; every student's points
must be the known ones, no notebook graded twice, none lost. On two cores it takes some 15 minutes;
``--quick`` leaves the course's own notebooks out.
"""

import argparse
import copy
import csv
import json
import subprocess
import sys
import tempfile
import time
from difflib import SequenceMatcher
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from workshop.homework import EXTENDED, PRACTICES

ROOT = Path(__file__).resolve().parent.parent
DAYS = ("day1_build_cnns", "day2_automl_and_interpretation")

# The whole answer to 1.6.2, which needs no model: 10 points within a second.
GOOD = """
import numpy as np


def compare_models(y_true, score_a, score_b):
    y = y_true.ravel() == 1
    a, b = ((score.ravel() >= 0.5) != y for score in (score_a, score_b))
    table = [[int(np.sum((a == i) & (b == j))) for j in (0, 1)] for i in (0, 1)]
    return table, np.flatnonzero(a & b)
"""
TRANSPOSED = GOOD.replace("(a == i) & (b == j)", "(a == j) & (b == i)")
OFF_BY_ONE = GOOD.replace("np.flatnonzero(a & b)", "1 + np.flatnonzero(a & b)")
RANDOM = "import numpy as np\ndef compare_models(*_):\n    return np.random.rand(2, 2), [1, 2, 3]"
ENDLESS = "while True:\n    pass"
FAKER = """
import glob, os
for folder in ["..", "../..", {folder!r}, *glob.glob("/proc/[0-9]*/cwd")]:
    for name in ("grades.csv", "grades.json", "grades.html"):
        try:
            with open(os.path.join(folder, name), "w") as file:
                file.write("student,total\\n23_faker,100\\n")
        except OSError:
            pass
print("total 100 of 100 points")
"""
PATCHER = """
from workshop import homework
from workshop.homework import practice
from workshop.homework.answers import served
class Verdict:
    points, passed, done, out_of, remarks = 10, True, True, 10, ()
homework.check = homework.judge = homework.scoreboard = lambda *_, **__: Verdict()
for practice in homework.PRACTICES.values():
    object.__setattr__(practice, "check", lambda *_: iter(()))
served.AnswerServer.handle = lambda self, request: {"value": {"points": 10, "right": True}}
"""

SMALL = {  # cells, points of 1.6.2
    "07_good": ([GOOD], 10),
    "08_transposed": ([TRANSPOSED], 4),
    "09_off_by_one": ([OFF_BY_ONE], 6),
    "10_random": ([RANDOM], 0),
    "11_later_cell_first": (["print(compare_models)", GOOD], 10),
    "12_empty": ([], 0),
    "13_one_error": (["1 / 0", GOOD], 10),
    "14_exit": (["import os\nos._exit(0)", GOOD], 0),
    "15_segfault": (["import ctypes\nctypes.string_at(0)", GOOD], 0),
    "16_endless": ([ENDLESS, GOOD], 10),
    "17_endless_and_deaf": ([f"import signal\nsignal.signal(2, signal.SIG_IGN)\n{ENDLESS}"], 0),
    "18_fork_bomb": (["import os\nwhile True:\n    os.fork()", GOOD], 0),
    "19_fifty_gigabytes": (["import numpy as np\nx = np.ones(int(50e9) // 8)", GOOD], 10),
    "20_grows": (["x = []\nwhile True:\n    x.append(b'x' * 10**8)", GOOD], 10),
    "21_prints_gigabytes": (["for _ in range(4000):\n    print('x' * 10**6)", GOOD], 10),
    "22_patches_the_checks": ([PATCHER], 0),
    "23_faker": ([FAKER], 0),
    "24_kills_its_grader": (["import os\nos.kill(os.getppid(), 9)\nos.kill(-1, 9)"], 0),
    "25_closes_the_pipes": (["import os\nos.closerange(0, 4096)", GOOD], 0),
    "26_daemon": (["import subprocess\nsubprocess.Popen(['sleep', '3600'])", GOOD], 10),
    "27_endless_answer": (["def compare_models(*_):\n    while True:\n        pass"], 0),
    "28_patches_numpy": (["import numpy as np\nnp.array_equal = lambda *_: True", TRANSPOSED], 4),
    "29_installs": (["%pip install numpy==1.0\n!pip uninstall -y numpy", GOOD], 10),
}
NOT_JSON = "30_prose"


def small_class(folder):
    """Write the notebooks of a few lines; return the right points."""
    expected = {}
    for student, (cells, points) in SMALL.items():
        cells = [cell.replace("{folder!r}", repr(str(folder.parent))) for cell in cells]
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
        write(folder / student / "day1.ipynb", notebook)
        expected[student] = {"1.6.2": points}
    (folder / f"{NOT_JSON}.ipynb").write_text("Dear grader, my dog ate the notebook.")
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


def grade(folder, out, arguments, *, kill_after=None):
    """Run ``workshop grade``; return (student, name) of the notebooks it reported, and its code."""
    words = [sys.executable, "-m", "workshop", "grade", str(folder), "--out", str(out)]
    words += ["--jobs", str(arguments.jobs), "--cell-timeout", str(arguments.cell_timeout)]
    reported = []
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            print(f"  {line}", end="", flush=True)
            if line.startswith("["):
                reported.append(tuple(line.split("] ", 1)[1].split("  ")[:2]))
            if kill_after is not None and len(reported) == kill_after:
                time.sleep(3)  # in the midst of others
                process.kill()
                break
    return reported, process.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--cell-timeout", type=float, default=120)
    parser.add_argument("--quick", action="store_true", help="only notebooks of a few lines")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as parent:
        folder, out = Path(parent) / "class", Path(parent) / "grades.csv"
        expected = small_class(folder) | ({} if arguments.quick else course_class(folder))
        n_notebooks = len(list(folder.rglob("*.ipynb")))
        started = time.perf_counter()
        grade(folder, out, arguments, kill_after=n_notebooks // 2)
        record = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
        first = [(one["student"], Path(one["path"]).name) for one in record["notebooks"]]
        print(f"killed after {time.perf_counter() - started:.0f} s")
        second, code = grade(folder, out, arguments)
        seconds = time.perf_counter() - started
        with open(out, encoding="utf-8", newline="") as file:
            rows = {row["student"]: row for row in csv.DictReader(file)}
    wrong = [student for student in {*expected, *rows} if not agrees(student, rows, expected)]
    for student in sorted(wrong):
        print(f"{student}: expected {expected.get(student)}, found {rows.get(student)}")
    twice = len(first) + len(second) - len({*first, *second})
    lost = n_notebooks - len({*first, *second})
    print(
        f"{len(rows)} rows, {len(rows) - len(wrong)} right; of {n_notebooks} notebooks {twice} "
        f"graded twice, {lost} lost; {seconds:.0f} s, the killed run included"
    )
    return 1 if wrong or twice or lost or code else 0


def agrees(student, rows, expected):
    if student not in rows or student not in expected:
        return False
    points = {practice.id: int(rows[student][practice.id]) for practice in EXTENDED.values()}
    right = {practice.id: expected[student].get(practice.id, 0) for practice in EXTENDED.values()}
    return points == right and int(rows[student]["total"]) == sum(right.values())


if __name__ == "__main__":
    sys.exit(main())
