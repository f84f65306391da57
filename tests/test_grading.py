"""`workshop.grading` and ``workshop grade``, on honest notebooks of a few lines.

They run inside bubblewrap where there is one, else without isolation; hostile ones, and the walls
around them, are the subject of test_walls.py.
"""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import filelock
import nbformat
import psutil
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_notebook

from tests.hostile import GOOD, TRANSPOSED
from workshop import grading, homework
from workshop.__main__ import main
from workshop.grading import isolation, pool, worker
from workshop.grading.results import Records, digest_of, rows_of, table_of, to_csv, version
from workshop.grading.submissions import find_submissions, student_of

try:
    isolation.require()
    MISSING = ""
except OSError as problem:
    MISSING = str(problem)
WALLS = not MISSING
IDS = [f"{day}.6.{number}" for day in (1, 2) for number in range(1, 6)]


def save(path, *cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    return path


def table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def run(submissions, out, **options):
    lines = []
    options = {"jobs": 2, "isolate": WALLS} | options
    grades = grading.grade(submissions, out=out, on_line=lines.append, **options)
    return grades, lines


# --- whose notebook ---


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("alice_day1", "alice"),
        ("day2_automl_and_interpretation_alice", "alice"),
        ("Copy of day1_build_cnns - alice", "alice"),
        ("alice smith day 1 (2)", "alice smith"),
        ("DAY_2 Alice", "Alice"),
        ("alice_day1_build_cnns-1", "alice"),
        ("alice_day1_smith", "alice_smith"),
        ("student_07", "student_07"),
        ("day17_student", "day17_student"),
        ("monday1", "monday1"),
        ("day1_build_cnns", ""),
        ("Copy of day2_automl_and_interpretation (1)", ""),
    ],
)
def test_student_of(name, student):
    assert student_of(name) == student


def test_find_submissions(tmp_path):
    files = [
        "class/alice/day1.ipynb",
        "class/alice/later/Day2.IPYNB",
        "class/alice/.ipynb_checkpoints/day1.ipynb",
        "class/alice/notes.txt",
        "class/bob_day1.ipynb",
        "class/.hidden/day1.ipynb",
        "class/day2/carol.ipynb",
        "dave/day1_build_cnns.ipynb",
    ]
    for name in files:
        save(tmp_path / name)
    (tmp_path / "class/aaron").symlink_to(tmp_path / "class/alice")  # a neighbour's work
    (tmp_path / "class/aaron_day1.ipynb").symlink_to(tmp_path / "class/bob_day1.ipynb")
    (tmp_path / "class/bob").mkdir()
    (tmp_path / "class/bob/copied.ipynb").symlink_to(tmp_path / "class/alice/day1.ipynb")
    named = [tmp_path / "class", tmp_path / "dave/day1_build_cnns.ipynb", tmp_path / "class/alice"]
    found = [(one.student, one.path.name) for one in find_submissions(named)]
    assert found == [
        ("alice", "day1.ipynb"),
        ("alice", "Day2.IPYNB"),
        ("bob", "bob_day1.ipynb"),
        ("carol", "carol.ipynb"),
        ("dave", "day1_build_cnns.ipynb"),
    ]


def test_what_is_no_submission_is_said_before_anything_runs(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "answer.py").touch()
    out = tmp_path / "out" / "grades.csv"
    with pytest.raises(FileNotFoundError, match=r"no notebook \(.ipynb\) in .*empty"):
        grading.grade([tmp_path / "empty"], out=out)
    with pytest.raises(FileNotFoundError, match=r"There is no .*nobody"):
        grading.grade([tmp_path / "nobody"], out=out)
    with pytest.raises(ValueError, match=r"must be a notebook \(.ipynb\) or a folder; got"):
        grading.grade([tmp_path / "answer.py"], out=out)
    assert not out.parent.exists()


def test_options_out_of_range(tmp_path):
    for option in ("jobs", "timeout", "cell_timeout", "memory"):
        with pytest.raises(ValueError, match=f"{option} must be .*; got 0"):
            grading.grade([tmp_path], out=tmp_path / "grades.csv", **{option: 0})
    with pytest.raises(ValueError, match=r"out must be the name of a .csv file; got .*.xlsx"):
        grading.grade([tmp_path], out=tmp_path / "grades.xlsx")


def test_windows_is_told_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(OSError, match=r"Linux or macOS\. On Windows run it in WSL"):
        grading.grade([tmp_path], out=tmp_path / "grades.csv")


def test_without_bubblewrap_it_refuses(tmp_path, monkeypatch, capsys):
    notebook = save(tmp_path / "bob.ipynb", GOOD)
    words = ["grade", str(notebook), "--out", str(tmp_path / "out" / "g.csv")]
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert main(words) == 1
    assert "bwrap) is needed" in (said := capsys.readouterr().err)
    assert "apt-get install bubblewrap" in said
    assert "--no-isolation" in said
    broken = tmp_path / "bin" / "bwrap"  # as where user namespaces are forbidden
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied'; exit 1\n")
    broken.chmod(0o755)
    monkeypatch.undo()
    monkeypatch.setenv("PATH", str(broken.parent), prepend=os.pathsep)
    assert main(words) == 1
    assert re.search("forbidden here: bwrap: setting up uid map", capsys.readouterr().err)
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(OSError, match=r"x86_64 or aarch64\), not on linux on riscv64"):
        isolation.require()
    assert not (tmp_path / "out").exists()


# --- rows, table, record ---


def graded(
    student, points, *, path="day1.ipynb", days=("1",), problems=(), failed=(), sha="0", late=False
):
    found = {}
    for key in IDS:
        done = key in points
        found[key] = {"points": points.get(key, 0), "done": done, "started": done, "remarks": []}
    record = {"practices": found, "days": list(days), "cells": 3, "failed": list(failed)}
    record |= {"problems": list(problems), "seconds": 2.0, "isolated": True}
    kept = {"student": student, "path": path, "sha256": sha, "seed": 1, "complete": True}
    kept |= {"late": late}
    return kept | {"version": version(), "record": record}


def test_a_row_has_the_best_of_each_practice():
    late = graded("bob", {"1.6.2": 10, "1.6.1": 3}, path="late/day1.ipynb", sha="1", late=True)
    early = graded("bob", {"1.6.1": 7, "1.6.2": 6})
    other = graded("bob", {"2.6.4": 4}, path="day2.ipynb", days=("2",), sha="2")
    (row,) = rows_of([early, late, other], IDS)
    assert row.points == dict.fromkeys(IDS, 0) | {"1.6.1": 7, "1.6.2": 10, "2.6.4": 4}
    assert row.total == 21
    assert row.seconds == 6.0
    assert row.late == "day1.ipynb"
    assert row.failed == "Day 1 came 2 times, the best of each practice counts"


def test_no_cell_of_the_table_is_a_formula():
    error = {"cell": 2, "line": "x", "error": "ValueError: a\n=b"}
    rows = [
        graded(name, {}, path="=cmd|x.ipynb", failed=[error])
        for name in ("=1+1", "+x", "-y", "@z", "\tq", "ordinary", "Zoë, \ud800", "a;=b", "＝c\x1b")
    ]
    text = to_csv(table_of(rows_of(rows, IDS), IDS))
    lines = list(csv.reader(text.splitlines()))
    assert lines[0] == ["student", *IDS, "total", "seconds", "late", "failed"]
    assert sorted(line[0] for line in lines[1:]) == sorted(
        ["'=1+1", "'+x", "'-y", "'@z", "q", "ordinary", "Zoë, ?", "a;'=b", "'＝c?"]
    )
    assert all(line[-1].startswith("'=cmd|x.ipynb: cell 2:") for line in lines[1:])
    assert "\n=" not in text
    text.encode()


def test_a_damaged_record_is_left_alone(tmp_path):
    save(tmp_path / "class" / "bob.ipynb", GOOD)
    record = tmp_path / "grades.json"
    for content in (
        "{",
        "[]",
        '{"format": "other"}',
        '{"format": "workshop grades 3"}',
        "[" * 9999,
    ):
        record.write_text(content)
        with pytest.raises(ValueError, match="must be the record of an earlier `workshop grade`"):
            grading.grade([tmp_path / "class"], out=tmp_path / "grades.csv")
        assert record.read_text() == content
    assert not (tmp_path / "grades.csv").exists()


def test_a_record_knows_what_must_be_graded_again(tmp_path):
    records = Records(tmp_path / "grades.json")
    one = graded("bob", {"1.6.2": 10})
    records.add(one)
    records.add(one | {"student": "eve", "sha256": "1", "complete": False})  # worker was lost
    records.add(one | {"student": "old", "sha256": "2", "version": "0.0.1"})
    again = Records(tmp_path / "grades.json")
    assert again.find("bob", "0") == one
    assert again.find("bob", "changed") is None
    assert again.find("eve", "1") is None
    assert again.find("old", "2") is None


def test_a_changed_file_of_a_folder_is_another_version(tmp_path):
    package = tmp_path / "package"
    (package / "homework" / "answers").mkdir(parents=True)
    check = package / "homework" / "answers" / "values.py"
    for path in (package / "__init__.py", check):
        path.write_text("points = 10\n")
    before = digest_of(package)
    assert digest_of(package) == before
    check.write_text("points = 9\n")
    assert digest_of(package) != before
    assert version().endswith(digest_of(Path(grading.__file__).parents[1])[:12])


def test_two_runs_never_share_their_files(tmp_path):
    save(tmp_path / "bob.ipynb", GOOD)
    with (
        filelock.FileLock(tmp_path / ".grades.lock"),
        pytest.raises(OSError, match="Another `workshop grade` is writing"),
    ):
        grading.grade([tmp_path / "bob.ipynb"], out=tmp_path / "grades.csv")


# --- honest notebooks ---


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("honest")
    save(folder / "class/alice/day1.ipynb", "# 1.6.2", GOOD)
    save(
        folder / "class/alice/day2.ipynb",
        '# homework.check("2.6.4", my_reward)\nmy_answer_262 = "Nothing <b>breaks</b> there."',
        "1 / 0",
    )
    save(folder / "class/bob_day1.ipynb", TRANSPOSED)
    save(folder / "class/bob_day1 (1).ipynb", GOOD)
    save(folder / "class/moved_day1.ipynb", "compare_models = undecorated", f"{GOOD}", "x = later",
         "undecorated = compare_models", "later = 1")  # fmt: skip
    save(
        folder / "class/raises.ipynb",
        "def compare_models(y, a, b):\n    raise ValueError('<b>\\ud800\\x1b[31m')",
    )
    save(folder / "class/=1+1_day1.ipynb", GOOD)
    (folder / "class/prose.ipynb").write_text("Dear grader,")
    (folder / "class/bomb.ipynb").write_text("[" * 200_000)
    sources = [
        "from google.colab import drive, files, userdata\ndrive.mount('/content/drive')\n"
        "files.download('x'); userdata.get('KEY')\nimport google.colab.output",
        "%pip install -q 'numpy==1.0'\n!pip install -q nothing\n%load_ext tensorboard",
        "%tensorboard --logdir logs\n%matplotlib inline",
        "import sys\nassert 'google.colab' in sys.modules\nimport numpy as np\n"
        "assert np.__version__ >= '2'",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
        GOOD,
    ]
    colab = new_notebook(cells=[new_code_cell(source) for source in sources])
    colab["nbformat_minor"] = 0  # no cell ids, and sources in lines
    colab["metadata"] = {"colab": {"provenance": []}, "accelerator": "GPU", "widgets": {}}
    for cell in colab["cells"]:
        del cell["id"]
        cell["source"] = cell["source"].splitlines(keepends=True)
        cell["metadata"] = {"outputId": "5", "cellView": "form"}
    (folder / "class/Copy of day1_build_cnns - colab.ipynb").write_text(json.dumps(colab))
    options = {"random_state": 5, "feedback": folder / "feedback"}
    grades, lines = run([folder / "class"], folder / "grades.csv", **options)
    return folder, grades, lines


def test_a_row_for_each_student(honest):
    _, grades, lines = honest
    rows = table(grades.csv)
    totals = {name: int(row["total"]) for name, row in rows.items()}
    right = dict.fromkeys(("alice", "bob", "colab", "moved", "'=1+1"), 10)
    assert totals == right | dict.fromkeys(("raises", "prose", "bomb"), 0)
    assert all(int(rows[name]["1.6.2"]) == total for name, total in totals.items())
    assert rows["alice"]["failed"] == "day2.ipynb: cell 2: ZeroDivisionError: division by zero"
    assert "Day 1 came 2 times" in rows["bob"]["failed"]
    assert rows["colab"]["failed"] == rows["moved"]["failed"] == ""
    assert "not a Jupyter notebook" in rows["prose"]["failed"]
    assert "not a Jupyter notebook" in rows["bomb"]["failed"]
    assert float(rows["alice"]["seconds"]) > 0
    assert grades.seed == 5
    assert sum("10 of 50 points" in line for line in lines) == 5
    assert any(line.startswith("Seed 5. Limits of a notebook: 1200 s") for line in lines)


def test_report_is_escaped_and_has_the_hints(honest):
    _, grades, _ = honest
    text = grades.html.read_text(encoding="utf-8")
    page = BeautifulSoup(text, "html.parser")
    assert page.html["lang"] == "en"
    assert not page.find_all(["script", "img", "link"])
    assert not re.search(r"https?://", text)
    assert "ValueError: &lt;b&gt;??[31m" in text
    assert len(page.find_all("article")) == 8
    (by_practice, by_student) = page.find_all("table")
    assert [row.th.text for row in by_practice.tbody.find_all("tr")] == IDS
    second = by_practice.tbody.find_all("tr")[1]
    assert [cell.text for cell in second.find_all("td")[-4:]] == ["5", "0", "3", "6.2"]
    assert "ISOLATION" not in text or not WALLS
    assert len(by_student.tbody.find_all("tr")) == 8
    alice = page.find_all("article")[1]  # after =1+1
    assert alice.h3.text == "alice: 10 of 100"
    assert "The agreement table is right" in alice.text
    assert alice.blockquote.text == "Nothing <b>breaks</b> there."


def test_each_student_gets_a_page_with_nothing_of_anybody_else(honest):
    folder, grades, _ = honest
    pages = {
        path.relative_to(folder / "feedback").as_posix(): path.read_text()
        for path in (folder / "feedback").rglob("*.html")
    }
    notebooks = [path.relative_to(folder / "class") for path in (folder / "class").rglob("*.ipynb")]
    assert sorted(pages) == sorted(path.with_suffix(".html").as_posix() for path in notebooks)
    names = [row.student for row in grades.rows]
    for name, page in pages.items():
        text = BeautifulSoup(page, "html.parser").article.text
        (student,) = [one for one in names if text.startswith(f"{one}: ")]
        assert student in name
        assert not [
            one for one in ("alice", "bob", "moved", "prose") if one in page.replace(student, "")
        ]
    assert "The agreement table is right" in pages["alice/day1.html"] == pages["alice/day2.html"]
    with zipfile.ZipFile(folder / "feedback.zip") as file:
        assert {name: file.read(name).decode() for name in file.namelist()} == pages


def test_two_submissions_of_one_path_get_no_page(tmp_path):
    for group in "ab":
        save(tmp_path / group / "bob.ipynb")
    with pytest.raises(ValueError, match="Two submissions of one path"):
        run([tmp_path / "a", tmp_path / "b"], tmp_path / "g.csv", feedback=tmp_path / "pages")


def test_same_command_again_grades_nothing(honest):
    folder, before, _ = honest
    kept = before.csv.read_bytes()
    grades, lines = run([folder / "class"], folder / "grades.csv")
    assert (grades.n_graded, grades.n_kept) == (0, 10)
    assert lines == [f"10 of 10 notebooks are graded already, in {folder / 'grades.json'}."]
    assert grades.csv.read_bytes() == kept


def test_a_changed_notebook_is_graded_and_again_means_all(tmp_path):
    path = save(tmp_path / "class/bob.ipynb", TRANSPOSED)
    save(tmp_path / "class/eve.ipynb", TRANSPOSED)
    out = tmp_path / "grades.csv"
    first, _ = run([tmp_path / "class"], out)
    assert [row.total for row in first.rows] == [4, 4]
    save(path, GOOD)
    second, _ = run([tmp_path / "class"], out)
    assert (second.n_graded, second.n_kept) == (1, 1)
    assert [row.total for row in second.rows] == [10, 4]
    third, _ = run([tmp_path / "class"], out, again=True)
    assert (third.n_graded, third.n_kept) == (2, 0)
    assert third.seed != second.seed != first.seed


def test_console(tmp_path, capsys):
    save(tmp_path / "bob.ipynb", GOOD)
    words = ["grade", str(tmp_path / "bob.ipynb"), "--out", str(tmp_path / "g.csv"), "--seed", "3"]
    assert main(words if WALLS else [*words, "--no-isolation"]) == 0
    printed = capsys.readouterr().out
    assert "Seed 3." in printed
    assert "[1/1] bob  bob.ipynb  10 of 50 points" in printed
    assert f"1 students: {tmp_path / 'g.csv'}" in printed
    assert main(["grade", str(tmp_path / "none"), "--out", str(tmp_path / "g.csv")]) == 1
    assert "There is no" in capsys.readouterr().err


def test_without_isolation_output_and_report_say_so(tmp_path, capsys):
    save(tmp_path / "class" / "bob.ipynb", GOOD, "import os\nos.close(0)\nos._exit(4)")
    save(tmp_path / "class" / "eve.ipynb", "open('x', 'w').close()\nimport os", GOOD)
    out = tmp_path / "grades.csv"
    words = ["grade", str(tmp_path / "class"), "--out", str(out), "--no-isolation", "--jobs", "2"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert printed.count("WITHOUT ISOLATION") == 2
    assert "read this account's files and the other submissions" in printed
    page = BeautifulSoup(out.with_suffix(".html").read_text(encoding="utf-8"), "html.parser")
    assert "Graded WITHOUT ISOLATION: all notebooks" in page.find("p", class_="trouble").text
    rows = table(out)
    assert [rows[name]["total"] for name in ("bob", "eve")] == ["10", "10"]
    assert "exit code 4" in rows["bob"]["failed"]


def test_a_notebooks_time_is_limited_in_all(tmp_path):
    cells = [GOOD, *["import time\ntime.sleep(1)"] * 15]
    save(tmp_path / "bob_day1.ipynb", *cells)
    grades, _ = run([tmp_path / "bob_day1.ipynb"], tmp_path / "grades.csv", timeout=9)
    assert grades.rows[0].total == 10
    assert re.search(r"for more than 9 s; cells from \d+ on were not run", grades.rows[0].failed)


# --- what notebooks hold in the wild ---


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([("markdown", "def f(x):\n    return 1"), ("code", "# f")], "stands in text cell 1"),
        ([("code", "x = 1"), ("raw", "f: float = 2")], "stands in text cell 1"),
        ([("code", "g, f = 1, 2"), ("markdown", "f"), ("code", "f = 3")], "again in cell 2"),
        (
            [("code", "f = 1"), ("code", "f == 1\nf(x=2)\nf.a = 3\nff = 4"), ("markdown", "f = ")],
            "1",
        ),
        ([("code", "f = 1"), ("code", "h(f, x=1)"), ("markdown", "Write `f = ...`")], ""),
    ],
)
def test_where_an_answer_stands_that_is_not_found(cells, said):
    made = [{"cell_type": kind, "source": source, "metadata": {}} for kind, source in cells]
    assert [said in one["text"] for one in worker._places(made, ["f"])] == ([True] if said else [])


MAGICS = r"""
%%bash
pip install x
mkdir m && echo 7 > m/n.txt
---
%%time
%%bash
echo hi
---
%%capture
!pip install x
!apt-get install x
---
get_ipython().run_cell_magic("bash", "", "echo hi")
get_ipython().system("pip install x")
---
%%shell
echo 1 > m/shell
---
%load_ext storemagic
%load_ext nothing
%reload_ext nothing
%nothing at all
%store -r x
%load_ext autoreload
%autoreload 2
%load_ext google.colab.data_table
---
%%writefile e.py
def load_ipython_extension(ip):
    ip.user_ns["loaded"] = 1
---
%load_ext e
%conda install x
%matplotlib widget
%env A=1
%cd /content
%timeit -n1 -r1 1
listing = %sx ls
assert "m" in listing
---
%%wandb
wrapped = 1
---
exit()
after = 1
---
import IPython
get_ipython().kernel.do_shutdown(True)
IPython.Application.instance().kernel.do_shutdown(True)
kept = 1
---
assert loaded == wrapped == after == kept == 1
assert open("m/shell").read() == "1\n"
---
from tqdm.notebook import tqdm, trange
import tqdm as t
from tqdm.auto import tqdm as auto
assert sum(len(list(one)) for one in (tqdm([1]), trange(1), t.tnrange(1), auto([1]))) == 4
---
import ipywidgets as widgets
from ipywidgets import interact, HBox
slider = widgets.IntSlider(value=5, min=0)
assert slider.value == 5
@interact(x=(0, 9))
def twice(x):
    return 2 * x
interact(twice, x=3)
with widgets.Output():
    HBox([slider])
assert twice(2) == 4
---
from google.colab import files
for name in files.upload():
    pass
---
n = int(open("m/n.txt").read())
""".strip().split("\n---\n")
LINES = ("%%sh", "%%script bash", "%%!", "%%system", "%%sx", "%%bigquery", "%%html", "%%javascript")
MAGICS = [*(f"{line}\necho hi" for line in LINES), "quit", "%debug", *MAGICS, GOOD]
KILL = "import os\nos.kill(os.getpid(), 9)"
WILD = {  # cells, points of 1.6.2, what the row says
    "magics": (MAGICS, 10, "^$"),
    "restarts": (
        ["!pip install x\n" + KILL, "x = 1", GOOD, "x"],
        10,
        "^day1.ipynb: cell 1: .*SIGKILL",
    ),
    "restarts_last": (["# first", GOOD, KILL], 10, "cell 3: Its process ended"),
    "restarts_twice": (
        [KILL, GOOD, "import psutil\npsutil.Process().terminate()"],
        10,
        "cell 1.*cell 3",
    ),
    "exits": (["import os; os._exit(0)", GOOD], 10, "cell 1: .*exit code 0.*run again without it"),
    "in_a_shell": ([GOOD, "!kill -9 $PPID"], 10, "cell 2: "),
    "nothing": ([KILL], 0, "cell 1: "),
}


@pytest.fixture(scope="module")
def wild(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wild")
    for name, (cells, *_) in WILD.items():
        save(folder / "class" / name / "day1.ipynb", *cells)
    (folder / "class" / "r.ipynb").write_text(
        json.dumps({"cells": [], "metadata": {"language_info": {"name": "R"}}})
    )
    grades, _ = run([folder / "class"], folder / "grades.csv", cell_timeout=9)
    return {row.student: row for row in grades.rows}


@pytest.mark.parametrize("name", WILD)
def test_what_needs_colab_or_restarts_costs_nothing(wild, name):
    _, points, failed = WILD[name]
    assert wild[name].total == points, wild[name].failed
    assert re.search(failed, wild[name].failed), wild[name].failed


def test_another_language_is_named(wild):
    assert "It is a notebook for R, not for Python" in wild["r"].failed


def test_checks_that_take_too_long_are_recorded(tmp_path, monkeypatch):
    path = save(tmp_path / "bob_day1.ipynb", GOOD)
    monkeypatch.setattr(pool, "MARGIN", -19)  # a second for the worker
    first, _ = run([path], tmp_path / "grades.csv", timeout=10)
    assert (first.n_graded, first.n_lost) == (1, 0)
    assert "Its checks took too long" in first.rows[0].failed
    again, _ = run([path], tmp_path / "grades.csv", timeout=10)
    assert (again.n_graded, again.n_kept) == (0, 1)


def test_a_slow_check_costs_its_own_practice(tmp_path, monkeypatch):
    judge = homework.judge

    def endless(practice_id, values, **options):
        while practice_id == "1.6.1":
            time.sleep(0.1)
        return judge(practice_id, values, **options)

    monkeypatch.setattr(homework, "judge", endless)
    monkeypatch.setattr(worker, "MARGIN", 1)
    path = save(tmp_path / "bob.ipynb", GOOD)
    limits = {"timeout": 9, "cell_timeout": 9, "memory": 4, "isolate": False}
    record = worker.grade_notebook(path, seed=1, **limits)
    assert "took too long" in record["practices"]["1.6.1"]["remarks"][0]["text"]
    assert record["practices"]["1.6.2"]["points"] == 10


# --- killed, stopped, gone on ---


def start(folder, out):
    words = [sys.executable, "-m", "workshop", "grade", str(folder), "--out", str(out)]
    words += ["--jobs", "1"] if WALLS else ["--jobs", "1", "--no-isolation"]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_killed_half_way_it_grades_none_twice_and_loses_none(tmp_path, number):
    for name in "abcd":
        save(tmp_path / "class" / f"{name}.ipynb", "import time\ntime.sleep(0.5)", GOOD)
    out = tmp_path / "grades.csv"
    first = start(tmp_path / "class", out)
    lines = []
    for line in first.stdout:
        lines.append(line)
        if line.startswith("[2/4]"):
            break
    time.sleep(0.7)  # in the midst of the third
    descendants = psutil.Process(first.pid).children(recursive=True)
    assert descendants
    first.send_signal(number)
    with first:
        lines += first.stdout.readlines()
    assert first.returncode == (-9 if number == signal.SIGKILL else 130)
    _, left = psutil.wait_procs(descendants, timeout=15)
    assert all(one.status() == psutil.STATUS_ZOMBIE for one in left)
    before = json.loads(out.with_suffix(".json").read_text())["notebooks"]
    assert len(before) == 2
    assert not out.exists()
    if number == signal.SIGINT:
        assert "2 of 4 notebooks are graded. The same command goes on there.\n" in lines
    second = start(tmp_path / "class", out)
    printed, _ = second.communicate(timeout=120)
    assert second.returncode == 0
    done = [line[:5] for line in printed.splitlines() if line.startswith("[")]
    assert done == ["[3/4]", "[4/4]"]
    after = json.loads(out.with_suffix(".json").read_text())["notebooks"]
    assert after[:2] == before
    assert [row["total"] for row in table(out).values()] == ["10"] * 4
    assert Path(out.with_suffix(".html")).exists()
