"""The instructor's evening: corrections that last, and the tables that course systems take.

Only the worked example runs notebooks. Elsewhere what was graded is in the record already, as after
a run that was stopped.
"""

import hashlib
import re
import shlex
import unicodedata
from doctest import ELLIPSIS, OutputChecker
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.hostile import GOOD, TRANSPOSED
from workshop import grading
from workshop.__main__ import main
from workshop.grading import worker
from workshop.grading.gradebook import Roster
from workshop.grading.results import Records, empty_record, version
from workshop.grading.submissions import find_submissions
from workshop.homework import EXTENDED

CLASS = [  # as Canvas sorts them; number, login; points of 1.6.2 and 2.6.1, None: not handed in
    ("Doe, Jane", "12345", "jdoe", 10, 7),
    ("Doe, John", "12346", "jdoe2", 0, None),
    ("Iñárritu, Álvaro", "12347", "ainar", 4, 3),
    ("Lee, Kim", "12348", "klee", 6, 5),
    ("Lee, Kim", "12349", "klee2", 9, 8),
    ("Müller-Lüdenscheidt, Jörg", "12350", "jmuel", 10, 10),
    ("Nobody, Norma", "12351", "nnobo", None, None),
    ("O'Brien, Siobhán", "12352", "sobri", None, 6),
    ("Sørensen, Bjørn", "12353", "bsore", 7, 7),
    ("van der Berg, Anna", "12354", "avand", 1, 1),
    ("Иванова, Мария", "12355", "mivan", 2, 9),
    ("כהן, דנה", "12356", "dcohe", 3, 10),
]
CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Essay (4710),Day 1 (4711),AutoML (4712),Current Score
,,,,,,Manual Posting,,
    Points Possible,,,,,10.00,50.00,50.00,(read only)
"""
MOODLE = "Identifier,Full name,Email address,Status,Grade,Maximum grade,Grade can be changed,"
MOODLE += "Last modified (submission),Last modified (grade),Feedback comments\n"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    return path


def notebook(path, *cells):
    return write(path, nbformat.writes(new_notebook(cells=[new_code_cell(one) for one in cells])))


def canvas_name(name, number, day):
    """As Canvas's ``content_zipper.rb`` names a download, and macOS spells it."""
    plain = "".join(one for one in name.lower() if one.isalnum())
    return unicodedata.normalize("NFD", f"{plain}_{number}_67890{day}_day{day}.ipynb")


def moodle_name(name, number, day):
    """As Moodle names a folder: another number in each assignment, no apostrophe."""
    name = " ".join(reversed(name.replace("'", "").split(", ")))
    return f"{name}_{int(number) + 1000 * day}_assignsubmission_file_/day{day}.ipynb"


def enter(folder, name, student, practice, points):
    """A notebook, and what a run has found in it."""
    path = write(folder / "class" / name, f"{name} {points}")
    record = empty_record(EXTENDED, isolated=True) | {"days": [practice[0]]}
    record["practices"][practice] |= {"points": points, "done": True, "started": True}
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    one = {"student": student, "sha256": sha, "path": str(path), "seed": 1, "complete": True}
    Records(folder / "grades.json").add(one | {"version": version(), "record": record})


def hand_in(folder, named):
    """The class's notebooks, graded; return how its students are called in the table."""
    called = {}
    for name, number, _, *points in CLASS:
        for day, practice, n in zip((1, 2), ("1.6.2", "2.6.1"), points, strict=True):
            if n is not None:
                path = named(name, number, day)
                student, of_system, _ = unicodedata.normalize("NFC", path).split("_", 2)
                called[number] = student + f" ({of_system})" * (name == "Lee, Kim")
                enter(folder, path, called[number], practice, n)
    return called


def canvas_roster(folder, people=CLASS):
    rows = [f'"{name}",{n},S{n},{login},BIO 1,8.00,,,80\n' for name, n, login, *_ in people]
    return Roster(write(folder / "roster.csv", CANVAS + "".join(rows)), "canvas")


def run(folder, roster=None, **options):
    lines = []
    options |= {"roster": roster, "isolate": False, "on_line": lines.append}
    grades = grading.grade([folder / "class"], out=folder / "grades.csv", **options)
    assert grades.n_graded == 0
    return grades, lines[1:]


@pytest.fixture(scope="module")
def canvas(tmp_path_factory):
    folder = tmp_path_factory.mktemp("canvas")
    called = hand_in(folder, canvas_name)
    enter(folder, "guest_77777_678999_day1.ipynb", "guest", "1.6.2", 5)
    return folder, called, run(folder, canvas_roster(folder), feedback=folder / "pages")[1]


def test_canvas_gets_its_own_table_with_the_points(canvas):
    folder, _, lines = canvas
    header, posting, possible, *rows = (folder / "grades.canvas.csv").read_text().splitlines()
    assert header == "Student,ID,SIS User ID,SIS Login ID,Section,Day 1 (4711),AutoML (4712)"
    assert posting == ",,,,,Manual Posting,"
    assert possible == "    Points Possible,,,,,50.00,50.00"
    texts = [["" if n is None else str(n) for n in row[3:]] for row in CLASS]
    assert rows == [
        f'"{name}",{n},S{n},{login},BIO 1,{",".join(points)}'
        for (name, n, login, *_), points in zip(CLASS, texts, strict=True)
    ]
    assert lines == [
        f"To import into Canvas: {folder / 'grades.canvas.csv'}",
        "On the roster, without a submission: Nobody, Norma.",
        "Submitted, but not on the roster: guest.",
        "Not entered, since another could be meant: nobody.",
        "Day 1 goes into 'Day 1 (4711)'; left as it was for: obriensiobhán.",
        "Day 2 goes into 'AutoML (4712)'; left as it was for: doejohn.",
    ]
    report = (folder / "grades.html").read_text()
    assert all(f"<li>{line.replace(chr(39), '&#x27;')}</li>" in report for line in lines)


def test_moodle_gets_its_own_sheet_with_the_points(tmp_path):
    hand_in(tmp_path, moodle_name)
    before = right = MOODLE.replace("\n", "\r\n")
    for name, number, login, _, points in CLASS:
        full = " ".join(reversed(name.split(", ")))
        row = f"Participant {int(number) + 2000},{full},{login}@uni.edu,,%s,50.00,Yes,-,-,kept\r\n"
        before += row % ""
        right += row % ("" if points is None else points)
    path = write(tmp_path / "Grades-BIO1-Day 2 AutoML-1234.csv", "\ufeff" + before)
    _, lines = run(tmp_path, Roster(path, "moodle"))
    assert (tmp_path / "grades.moodle.csv").read_bytes().decode() == right
    assert lines[1:] == [
        "On the roster, without a submission: Norma Nobody.",
        # Of one name, with another number each day: nothing tells whose Day 1 is.
        "Submitted, but not on the roster: Kim Lee (13348); Kim Lee (13349).",
        "Not entered, since another could be meant: nobody.",
        "Day 2 goes into 'Grade'; left as it was for: John Doe.",
    ]


def test_a_page_has_no_classmate_in_it(canvas):
    folder, called, _ = canvas
    names = {}
    for name, number, *_ in CLASS:
        spelled = {name, canvas_name(name, number, 1), called.get(number, name), number}
        names[number] = spelled | {unicodedata.normalize("NFC", one) for one in spelled}
    pages = [path for path in (folder / "pages").glob("*.html") if "guest" not in path.name]
    assert len(pages) == 20
    for path in pages:
        (own,) = (number for number in names if f"_{number}_" in path.name)
        page = path.read_text(encoding="utf-8")
        assert f"<h3>{called[own]}: " in page
        others = set().union(*names.values()) - names[own]
        assert len(others) > 40
        assert not [one for one in others if one in page]


def test_corrections_by_hand_outlast_every_run(tmp_path):
    called = hand_in(tmp_path, canvas_name)
    roster = canvas_roster(tmp_path)
    text = "Student;practice;points;why\r\nDOEJANE;1.6.1;8;Right: <b>, as said in the lesson\r\n"
    text += f'{called["12352"]};1.6.2;10;"oral; good"\r\ndoejane;2.6.1;0;copied\r\n'
    corrections = write(tmp_path / "overrides.csv", f"\ufeff{text}")
    for was, total in ((0, 18), (0, 18), (3, 8)):
        if was:  # the third time with a notebook that was handed in anew
            enter(tmp_path, canvas_name("Doe, Jane", "12345", 1), "doejane", "1.6.1", was)
        record = (tmp_path / "grades.json").read_bytes()
        grades, _ = run(tmp_path, roster, feedback=tmp_path / "pages")
        assert corrections.read_bytes().decode() == f"\ufeff{text}"
        assert (tmp_path / "grades.json").read_bytes() == record
        jane = grades.rows[0]
        assert (jane.student, jane.points["1.6.1"], jane.total) == ("doejane", 8, total)
        said = f"8 points by hand, in place of {was}: Right: &lt;b&gt;, as said"
        for page in ("grades.html", "pages/doejane_12345_678901_day1.html"):
            assert said in (tmp_path / page).read_text(encoding="utf-8")
        table = (tmp_path / "grades.canvas.csv").read_text(encoding="utf-8")
        assert f'"Doe, Jane",12345,S12345,jdoe,BIO 1,{total},0\n' in table
        assert "12352,S12352,sobri,BIO 1,10,6\n" in table  # no notebook of Day 1
        assert f"doejane,8,{total - 8},0," in (tmp_path / "grades.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("doejim,1.6.1,8,oral", "student must be one of bob, doejane"),
        ("doejane,1.6.9,8,oral", "practice must be one of 1.6.1, 1.6.2, .*2.6.5"),
        ("doejane,1.6.1,11,oral", r"points must be 0, 1, \.\.\. 10"),
        ("doejane,1.6.1,-1,oral", r"points must be 0, 1, \.\.\. 10"),
        ("doejane,1.6.1,7.5,oral", r"points must be 0, 1, \.\.\. 10"),
        ("doejane,1.6.1,,oral", r"points must be 0, 1, \.\.\. 10"),
        ("doejane,1.6.1,8, ", "say why"),
        ("doejane,1.6.1", "points must be"),
        ("doejane,1.6.1,8,well, yes", "needs quotes"),
        ("doejane,1.6.2,8,oral\nDOEJANE,1.6.2,9,oral", "corrected above"),
    ],
)
def test_a_correction_that_cannot_be_meant_stops_before_anything_runs(tmp_path, row, problem):
    for name in ("bob", "doejane"):
        write(tmp_path / "class" / f"{name}.ipynb", "{}")
    write(tmp_path / "overrides.csv", f"student,practice,points,why\n{row}\n")
    wrong = row.splitlines()[-1]
    with pytest.raises(ValueError, match=rf"overrides.csv, '{wrong},*': .*{problem}"):
        run(tmp_path)
    assert not (tmp_path / "grades.json").exists()


def test_the_file_of_corrections_is_no_other_file(tmp_path):
    write(tmp_path / "class/bob.ipynb", "{}")
    write(tmp_path / "overrides.csv", "student,points\n")
    with pytest.raises(ValueError, match=r"columns student,practice,points,why; got student,poi"):
        run(tmp_path)
    with pytest.raises(ValueError, match=r"the name of a .csv file; got .*overrides.csv"):
        grading.grade([tmp_path / "class"], out=tmp_path / "overrides.csv")
    assert (tmp_path / "overrides.csv").read_text() == "student,points\n"


ONE = MOODLE + "Participant 1,Ann,,,,{},,,\n"


@pytest.mark.parametrize(
    ("system", "text", "columns", "problem"),
    [
        ("moodle", CANVAS, [], r"as Moodle exports it \(worksheet: Identifier.* got 'Student,ID"),
        ("canvas", ONE, [], r"as Canvas exports it \(gradebook: Student, ID"),
        ("canvas", CANVAS.split("\n")[0], [], "as Canvas exports it"),
        ("canvas", CANVAS.replace("Essay", "Build CNNs"), [], "--column '1=TITLE' for Day 1"),
        ("canvas", re.sub("Day 1|AutoML", "X", CANVAS), [], r"another one of: .*, X \(4711\)"),
        ("canvas", CANVAS.replace("Day 1", "X").replace("AutoML", "Day 1 and Day 2"), [], "Say"),
        ("canvas", CANVAS, ["1=Nothing"], "Say which columns"),
        ("canvas", CANVAS, ["3=Day 1"], "Say which columns"),
        ("canvas", CANVAS, ["1=Day 1", "2=Day 1 (4711)"], "each another one"),
        ("canvas", CANVAS, ["1=Essay"], r"'Essay \(4710\)' must be out of 50 .*'10.00': change"),
        ("canvas", CANVAS, ["total=Day 1"], "out of 100 points, as what it takes"),
        ("canvas", CANVAS.replace("50.00,50", "500,50"), [], "out of 50 points, .* has '500'"),
        ("moodle", ONE.format(50), [], "Say which columns"),
        ("moodle", ONE.format("A"), ["1=Grade"], "out of 50 .* has 'A'"),
        ("canvas", "", [], "must be a CSV table"),
    ],
)
def test_a_roster_that_is_not_clear(tmp_path, system, text, columns, problem):
    with pytest.raises(ValueError, match=problem):
        Roster(write(tmp_path / "roster.csv", text), system, columns)


def test_a_roster_in_another_encoding(tmp_path):
    (tmp_path / "roster.csv").write_text(CANVAS, encoding="utf-16")
    with pytest.raises(ValueError, match="must be a CSV table, in UTF-8"):
        Roster(tmp_path / "roster.csv", "canvas")


def matched(folder, names, roster):
    for name in names:
        write(folder / "class" / name / "day1.ipynb", "{}")
    return roster.match(find_submissions([folder / "class"]))


@pytest.mark.parametrize(
    ("name", "number", "unclear"),
    [
        ("Jane Doe", "11", ""),
        ("doe jane", "11", ""),
        ("Ann Roë", "14", ""),
        ("login15", "15", ""),
        ("Kim Lee", None, "Kim Lee (Lee, Kim 12 or Kim, Lee 13)"),
        ("doejane_99_678901_day1", None, ""),  # Canvas says that it is somebody else
        ("Jane D", None, ""),
    ],
)
def test_who_is_on_the_roster_by_name(tmp_path, name, number, unclear):
    names = zip(
        ("Doe, Jane", "Lee, Kim", "Kim, Lee", "Roe\u0308, Ann", "Poe, E."), "12345", strict=True
    )
    people = [(one, f"1{n}", f"login1{n}") for one, n in names]
    sure, lines = matched(tmp_path, [name], canvas_roster(tmp_path, people))
    student = name.split("_")[0]
    row = [2 + i for i, one in enumerate(people, start=1) if one[1] == number]
    assert sure == dict(zip([student], row, strict=False))
    assert (lines[1].endswith(f"roster: {student}.")) == (not number and not unclear)
    assert lines[2].endswith(f"meant: {unclear or 'nobody'}.")


def test_two_who_could_be_one_are_not_entered(tmp_path):
    path = write(tmp_path / "r.csv", MOODLE + "Participant 7,Jane Doe,,,,50,,,\n")
    roster = Roster(path, "moodle", ["1=Grade"])
    sure, lines = matched(tmp_path, ["Jane Doe", "Doe, Jane"], roster)
    assert sure == {}
    assert "Doe, Jane (Jane Doe 7); Jane Doe (Jane Doe 7)" in lines[2]
    # A number decides, also where names are hidden from who marks.
    sure, lines = matched(tmp_path, ["Participant_7_assignsubmission_file_"], roster)
    assert sure == {"Participant": 1}
    assert lines[1].endswith("roster: Doe, Jane; Jane Doe.")


def test_two_of_one_name_with_numbers_of_another_day_are_not_entered(tmp_path):
    path = write(tmp_path / "r.csv", MOODLE + "Participant 7,Jane Doe,,,,50,,,\n")
    folders = [f"Jane Doe_{n}_assignsubmission_file_" for n in (5, 6)]
    sure, lines = matched(tmp_path, folders, Roster(path, "moodle", ["1=Grade"]))
    assert sure == {}
    assert lines[2].endswith("meant: Jane Doe (5) (Jane Doe 7); Jane Doe (6) (Jane Doe 7).")


def test_a_sheet_in_another_language_and_a_title_that_is_said(tmp_path):
    enter(tmp_path, "Ana López/day1.ipynb", "Ana López", "1.6.2", 7)
    sheet = "Identificador;Nom complet;Estat;Qualificació;Qualificació màxima\r\n"
    sheet += 'Participant 1;Ana López;Tramés;1,50;100,00\r\nParticipant 2;"Bea; C";-;;100,00\r\n'
    path = write(tmp_path / "r.csv", sheet)
    _, lines = run(tmp_path, Roster(path, "moodle", ["total=Qualificació"]))
    filled = (tmp_path / "grades.moodle.csv").read_bytes().decode()
    assert filled == sheet.replace("1,50", "7")
    assert lines[-1] == "Both days go into 'Qualificació'; left as it was for: nobody."


def test_who_is_excused_in_canvas_stays_so(tmp_path):
    enter(tmp_path, canvas_name("Doe, Jane", "12345", 1), "doejane", "1.6.2", 7)
    path = write(tmp_path / "r.csv", CANVAS + '"Doe, Jane",12345,,jdoe,BIO 1,,EX,,\n')
    _, lines = run(tmp_path, Roster(path, "canvas", ["1=Day 1"]))
    assert '"Doe, Jane",12345,,jdoe,BIO 1,EX\n' in (tmp_path / "grades.canvas.csv").read_text()
    assert lines[-1].endswith("left as it was for: doejane.")


def test_what_only_colabs_older_ipython_has_costs_nothing(tmp_path):
    cells = ["get_ipython().magic('pip install x')\nget_ipython().magic('%env A=1')"]
    cells += ["from IPython.core.display import display, HTML\ndisplay(HTML('x'))"]
    cells += ["from IPython import display\ndisplay.set_matplotlib_formats('svg')", GOOD]
    path = notebook(tmp_path / "day1.ipynb", *cells, "import os\nassert os.environ['A'] == '1'")
    limits = {"timeout": 99, "cell_timeout": 99, "memory": 4, "isolate": False}
    record = worker.grade_notebook(path, seed=1, **limits)
    assert (record["failed"], record["practices"]["1.6.2"]["points"]) == ([], 10)


STUB = "best_setting = None"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ([STUB, "best_settings = 1"], "best_settings in cell 2 is spelled otherwise than best"),
        (["x = 1", "def Best_Setting():\n    return 1"], "Best_Setting in cell 2 is spelled"),
        (["def best_setting(y):\n    y = 1\n", "    return y"], "seems to go on in cell 2: write"),
        (["x = 1", "best_setting = {", "1: 2}", "  y = 1"], ""),
        ([STUB, "by_setting = 1", "best_settings == 1\nbest_settings(2)"], ""),
    ],
)
def test_an_answer_that_is_split_or_named_otherwise_is_found(code, said):
    cells = [{"cell_type": "code", "source": source, "metadata": {}} for source in code]
    texts = [one["text"] for one in worker._places(cells, ["best_setting", "optimisation_table"])]
    assert [said in text for text in texts] == ([True] if said else [])


def test_the_worked_example_of_the_guide(tmp_path, monkeypatch, capsys):
    guide = Path(__file__).parents[1].joinpath("GRADING.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for name, source in (("doejane_LATE_12345_678901", TRANSPOSED), ("roerob_12346_678902", GOOD)):
        notebook(tmp_path / f"submissions/{name}_day1.ipynb", source)
    blocks = "".join(re.findall(r"```console\n(\$ .+?)```", guide, flags=re.DOTALL))
    steps = [step.partition("\n")[::2] for step in blocks.split("$ ")[1:]]
    table = re.sub("(?m)[0-9]*$", "", steps[-1][1]).replace("50.", "50.00")  # as it was exported
    write(tmp_path / "canvas.csv", table.replace("Day 1 (4711)", "Day 1 (4711),Current Score"))
    for command, said in steps:
        words = shlex.split(command)
        if words == ["cat", "grades/overrides.csv"]:
            write(tmp_path / words[1], said)
        elif words[0] == "cat":
            assert Path(words[1]).read_text() == said
        else:
            assert main([*words[1:], "--no-isolation"]) == 0
            printed = capsys.readouterr().out.split(grading.NOT_ISOLATED + "\n")[0]
            assert OutputChecker().check_output(said, printed, ELLIPSIS), printed
    assert len(list(Path("feedback").glob("*.html"))) == len(steps) - 3 == 2


def test_roster_and_format_go_together(tmp_path, capsys):
    words = ["grade", str(tmp_path), "--out", "g.csv"]
    for option in (["--roster", "r.csv"], ["--format", "canvas"], ["--column", "1=Day 1"]):
        assert main([*words, *option]) == 1
        assert "--roster FILE.csv and --format canvas or moodle go together" in (
            capsys.readouterr().err
        )
