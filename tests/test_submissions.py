"""One student, one row: under the names that course systems, Colab and macOS make of a file."""

import re
import unicodedata
from pathlib import Path

import pytest

from workshop.__main__ import main
from workshop.grading.submissions import find_submissions

DAY1, DAY2 = "day1_build_cnns", "day2_automl_and_interpretation"
NFC, NFD = (lambda text, form=form: unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
MOODLE, TIME = "assignsubmission_file_", "attempt_2026-01-30-20-30-10"
CLASSES = {  # by system: what is downloaded, and whose it is
    "canvas": [
        (f"doejane_12345_678901_{DAY1}.ipynb", "doejane"),
        (f"doejane_12345_678955_{DAY2}-1.ipynb", "doejane"),
        (f"doejohn_LATE_12346_678902_{DAY1}.ipynb", "doejohn"),
        (NFC(f"müllerjörg_12347_678903_{DAY1}.ipynb"), "müllerjörg"),
        (NFD(f"müllerjörg_12347_678956_{DAY2}.ipynb"), "müllerjörg"),
        (f"obriensiobhan_12348_678904_Copy of {DAY1} (1).ipynb", "obriensiobhan"),
        (f"leekim_12349_678905_{DAY1}.ipynb", "leekim (12349)"),
        (f"leekim_12350_678906_{DAY1}.ipynb", "leekim (12350)"),
        (f"leekim_LATE_12350_678990_{DAY2}.ipynb", "leekim (12350)"),
        (f"כהןדנה_12351_678907_{DAY1}.ipynb", "כהןדנה"),
    ],
    "moodle": [
        (f"Roe, Ann_1234567_{MOODLE}/{DAY1}.ipynb", "Roe, Ann"),
        (f"Roe, Ann_1234999_{MOODLE}/{DAY2}.ipynb", "Roe, Ann"),
        (NFC(f"Müller, Jörg_1234568_{MOODLE}/{DAY1}.ipynb"), "Müller, Jörg"),
        (NFD(f"Müller, Jörg_1234998_{MOODLE}/{DAY2}.ipynb"), "Müller, Jörg"),
        (
            f"O'Brien, Siobhán_1234569_assignsubmission_file/{DAY1}.ipynb",
            "O'Brien, Siobhán",
        ),
        (f"Jean-Luc de la Tour_1234570_{MOODLE}Copie de {DAY1}.ipynb", "Jean-Luc de la Tour"),
        (f"Kim Lee_1234571_{MOODLE}/{DAY1}.ipynb", "Kim Lee (1234571)"),
        (f"Kim Lee_1234572_{MOODLE}/{DAY1}.ipynb", "Kim Lee (1234572)"),
        (f"Day 2/محمد علي_1234997_{MOODLE}/homework.ipynb", "محمد علي"),
        (f"\u200fדנה כהן\u200f_1234573_{MOODLE}/{DAY1}.ipynb", "דנה כהן"),
    ],
    "blackboard": [
        (f"Day 2 homework_jdoe_{TIME}_{DAY2}.ipynb", "jdoe"),
        (f"hw_JDoe_{TIME}_day1.ipynb", "jdoe"),
        (f"hw_jdoe2_{TIME}_day1.ipynb", "jdoe2"),
        (f"day1_build_cnns_hacker_{TIME}_{DAY1}.ipynb", "hacker"),
        (f"hw_j.doe-smith_{TIME}_day1.ipynb", "j.doe-smith"),
        (NFC(f"hw_jörg_{TIME}_day1.ipynb"), "jörg"),
        (NFD(f"hw2_jörg_{TIME}_day2.ipynb"), "jörg"),
        (f"hw_o'hara_{TIME}_my answers.ipynb", "o'hara"),
        (f"Practice 6_anna maria_{TIME}_day1.ipynb", "anna maria"),
        (f"hw_דנה_{TIME}_day1.ipynb", "דנה"),
    ],
    "file": [
        (f"Copy of {DAY1} - alice.ipynb", "ALICE"),
        ("ALICE_day2.ipynb", "ALICE"),
        (f"“{DAY1}.ipynb”的副本 王小明.ipynb", "王小明"),
        (f"{DAY1}.ipynb की कॉपी प्रिया.ipynb", "प्रिया"),
        (NFD(f"Copia de {DAY1} José.ipynb"), "José"),
        (NFC(f"{DAY2} José.ipynb"), "José"),
        (f"Copie de {DAY1} d'Arc.ipynb", "d'Arc"),
        (f"نسخة من {DAY1} ليلى.ipynb", "ليلى"),
        (f"{DAY1}.ipynb-এর কপি রহিম.ipynb", "রহিম"),
        (f"Cópia de {DAY1} João.ipynb", "João"),
        (f'Копия блокнота "{DAY1}.ipynb" Иван.ipynb', "Иван"),
        (f"{DAY1}.ipynb کی کاپی علی.ipynb", "علی"),
        (f"Kopie von {DAY1}_eva.ipynb", "eva"),
    ],
}
LATE = {"doejohn_LATE_12346_678902", "leekim_LATE_12350_678990"}


def touch(folder, names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    return folder


@pytest.fixture(scope="module")
def whose(tmp_path_factory):
    """What is found in each class."""
    found = {}
    for system, rows in CLASSES.items():
        folder = touch(tmp_path_factory.mktemp(system), [name for name, _ in rows])
        for one in find_submissions([folder]):
            found[system, one.path.relative_to(folder).as_posix()] = one
    return found


@pytest.mark.parametrize(
    ("system", "name", "student"),
    [(system, *row) for system, rows in CLASSES.items() for row in rows],
)
def test_a_downloaded_notebook_is_its_students(whose, system, name, student):
    found = whose[system, name]
    assert (found.student, found.named_by) == (student, system)
    assert found.late == name.startswith(tuple(LATE))


def test_the_table_of_the_guide_is_true(tmp_path):
    guide = Path(__file__).parents[1].joinpath("GRADING.md").read_text(encoding="utf-8")
    table = guide.split("| from |")[1].split("\n\n")[0]
    promised = dict(re.findall(r"\| `(.+?)`.* \| (.+) \|$", table, flags=re.MULTILINE))
    found = find_submissions([touch(tmp_path, promised)])
    assert {one.name: one.student for one in found} == promised
    assert len(promised) == 6


@pytest.mark.parametrize(
    ("names", "folder"),
    [("moodle", f"Ann_1234567_{MOODLE}"), (r"^(?P<student>\w+)-\d+/", "Ann-17")],
)
def test_how_files_are_named_can_be_said(tmp_path, names, folder):
    touch(tmp_path, [f"{folder}/day1.ipynb"])
    assert [one.student for one in find_submissions([tmp_path], names)] == ["Ann"]
    touch(tmp_path, ["bob_day1.ipynb"])
    with pytest.raises(ValueError, match=r"bob_day1.* no name of the form .*; without --names"):
        find_submissions([tmp_path], names)


def test_one_students_folder_is_the_same_student(tmp_path):
    folder = f"Ann Roe_1234567_{MOODLE}"
    touch(tmp_path, [f"{folder}/{DAY1}.ipynb"])
    for named in (tmp_path / folder, tmp_path / folder / f"{DAY1}.ipynb"):
        assert [one.student for one in find_submissions([named])] == ["Ann Roe"]


@pytest.mark.parametrize("names", ["sakai", "(?P<name>.+)", "(?P<student>"])
def test_what_is_no_way_to_name_files(tmp_path, names):
    touch(tmp_path, ["ann_day1.ipynb"])
    with pytest.raises(ValueError, match=r"--names must be .*; got"):
        find_submissions([tmp_path], names)


def test_a_dry_run_says_whose_each_notebook_is_and_runs_none(tmp_path, capsys):
    late = f"doejohn_LATE_12346_678902_{DAY1}.ipynb"
    touch(tmp_path / "class", [late, "Ann Roe/day1.ipynb", f"Copy of {DAY1}.ipynb"])
    out = tmp_path / "grades.csv"
    assert main(["grade", str(tmp_path / "class"), "--out", str(out), "--dry-run"]) == 0
    rows = [re.split(r" {2,}", line) for line in capsys.readouterr().out.splitlines()]
    assert rows == [
        ["student", "named by", "notebook"],
        ["Ann Roe", "folder", "Ann Roe/day1.ipynb"],
        ["class", "whole folder", f"Copy of {DAY1}.ipynb"],
        ["doejohn", "canvas, late", late],
    ]
    assert not out.exists()
