"""Notebooks are what their sources make, and show only what a student should see."""

import copy
import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_output

from notebooks import build
from workshop.homework import PRACTICES

SOURCE = """
# %% [markdown]
# # A lesson
# {{badges}}
#
# From {{repository}}, {{ref}}; {{other}} stays

# %%
import sys

if "google.colab" in sys.modules:
    # %pip install "ucla-automl-workshop @ git+{{repository}}@{{ref}}"
    pass

# %% tags=["solution"]
answer = 6 * 7

# %% tags=["stub"]
answer = None

# %% tags=["hide-input"]
from IPython.display import Markdown, display

alt = {"image/png": {"alt": "one dot"}}
display({"image/png": "iVBORw0KGgo="}, raw=True, metadata=alt)
display(Markdown("**Figure.** A dot."))

# %% [markdown]
# The end
"""
VALUES = {"repository": "https://github.com/a/b", "ref": "v1"}


@pytest.fixture
def course(tmp_path):
    """A repository with one lesson."""
    (tmp_path / "notebooks" / "src").mkdir(parents=True)
    (tmp_path / "notebooks" / "src" / "day1.py").write_text(SOURCE)
    (tmp_path / "pyproject.toml").write_text(
        '[project.urls]\nRepository = "https://github.com/a/b"\n[tool.workshop]\nref = "v1"\n'
    )
    return tmp_path


def replace(root, old, new):
    source = root / "notebooks" / "src" / "day1.py"
    assert old in source.read_text()
    source.write_text(source.read_text().replace(old, new))


def student(root):
    return root / "notebooks" / "day1_build_cnns.ipynb"


def solved(root):
    return root / "notebooks" / "solutions" / "day1_build_cnns.ipynb"


# --- generating ---


@pytest.mark.parametrize(
    ("audience", "own", "others"),
    [
        ("student", "# ✏️ Your turn\nanswer = None", "6 * 7"),
        ("solution", "answer = 6 * 7", "None"),
    ],
)
def test_each_audience_gets_its_own_cells(audience, own, others):
    notebook = build.generate(SOURCE, audience=audience, values=VALUES)
    sources = [cell.source for cell in notebook.cells]
    assert len(sources) == 5
    assert sources[2] == own
    assert not any(others in source for source in sources)
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", *["code"] * 3, "markdown"]
    assert all(cell.outputs == [] for cell in notebook.cells if cell.cell_type == "code")
    tags = [dict(cell.metadata) for cell in notebook.cells]
    assert tags == [{}, {}, {}, {"tags": ["hide-input"]}, {}]
    assert "accelerator" not in notebook.metadata  # a free account gets its CPU at once


def test_a_folded_cell_stays_folded():
    source = '# %% cellView="form"\n# @title Draws\n1'
    notebook = build.generate(source, audience="student", values={})
    build.clean(notebook)
    assert notebook.cells[0].metadata == {"cellView": "form"}
    open_ = build.generate(source.replace(' cellView="form"', ""), audience="student", values={})
    assert "cell 1 (code) is not the source's" in build.difference(open_, notebook)


def test_ids_are_unique_and_a_new_cell_changes_no_other():
    repeated = SOURCE + "\n# %%\n1\n\n# %%\n1\n"
    longer = repeated.replace("# %% [markdown]\n# The", "# %%\nnew\n\n# %% [markdown]\n# The")
    ids, longer_ids = (
        [cell.id for cell in build.generate(text, audience="student", values=VALUES).cells]
        for text in (repeated, longer)
    )
    assert len(set(ids)) == len(ids) == 7
    assert [one for one in longer_ids if one in ids] == ids
    assert len(longer_ids) == 8


def test_placeholders_come_from_pyproject(course):
    address = build.read_address(course)
    cells = build.generate_from(course, "day1", "solution", address).cells
    badges = build.badges(address, "notebooks/solutions/day1_build_cnns.ipynb")
    text = "From https://github.com/a/b, v1; {{other}} stays"
    assert cells[0].source == f"# A lesson\n{badges}\n\n{text}"
    assert '%pip install "ucla-automl-workshop @ git+https://github.com/a/b@v1"' in cells[1].source


# --- building ---


def test_build_writes_an_executed_and_a_plain_notebook(course):
    assert build.build(course, ["day1"]) == []
    executed = nbformat.read(student(course), as_version=4)
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2, 3]
    image, caption = code[2].outputs
    assert image.metadata["image/png"].alt == "one dot"
    assert caption.data["text/markdown"] == "**Figure.** A dot."
    assert executed.metadata.language_info == {"name": "python"}
    plain = nbformat.read(solved(course), as_version=4)
    assert all(not cell.outputs for cell in plain.cells if cell.cell_type == "code")
    assert build.out_of_step(course, ["day1"]) == []
    written = {path.name for path in (course / "notebooks").iterdir()}
    assert written == {"src", "solutions", "day1_build_cnns.ipynb"}


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("1 / 0", r"code cell 2 \(# ✏️ Your turn\): ZeroDivisionError"),
        ("import warnings; warnings.warn('oh')", "writes to stderr: .*UserWarning: oh"),
        ("import os; print(os.getcwd())", "shows a path of a machine: '/"),
        ("object()", "shows an object's address: '<object at 0x"),
        ("print('63/63 0s 5ms/step')", "shows a progress bar's timing: '5ms/step"),
        (
            "from IPython.display import display; "
            "widget = {'application/vnd.jupyter.widget-view+json': {'model_id': 'x'}}; "
            "display(widget | {'text/plain': 'bar'}, raw=True)",
            "a widget needs a live kernel",
        ),
    ],
)
def test_what_a_student_should_not_see_stops_the_build(course, code, problem):
    replace(course, "answer = None", code)
    found = build.build(course, ["day1"])[0]
    assert found.startswith("notebooks/day1_build_cnns.ipynb: code cell 2")
    assert re.search(problem, found)
    assert not student(course).exists()
    assert not solved(course).exists()


def test_a_figure_needs_alternative_text_and_a_caption(course):
    replace(course, '"one dot"', '" "')
    replace(course, 'display(Markdown("**Figure.** A dot."))', "display(3)")
    found = build.build(course, ["day1"])
    assert [line.split("): ")[1].split(";")[0] for line in found] == [
        "a figure has no alternative text",
        "no caption follows a figure",
    ]


# --- what the author has downloaded ---


@pytest.fixture
def downloads(monkeypatch, tmp_path):
    """A cache of downloads that is not empty."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    (folder / "chr22.fa.gz").touch()
    monkeypatch.setenv("WORKSHOP_CACHE", str(folder))
    return folder


LOOK = "import os; seen = os.listdir(os.environ['WORKSHOP_CACHE'])"


def test_the_build_sees_no_download(course, downloads):
    replace(course, "answer = None", f"{LOOK}; print(seen)")
    assert build.build(course, ["day1"]) == []
    executed = nbformat.read(student(course), as_version=4)
    assert executed.cells[2].outputs[0].text == "[]\n"
    assert os.environ["WORKSHOP_CACHE"] == str(downloads)


def test_notebooks_and_tests_that_a_worker_of_pytest_runs_see_no_download(tmp_path, downloads):
    folder = tmp_path / "here"
    (folder / "notebooks").mkdir(parents=True)
    (folder / "pytest.ini").write_text("[pytest]\n")
    shutil.copy(build.ROOT / "conftest.py", folder)
    (folder / "test_it.py").write_text(f"def test_it():\n    {LOOK}\n    assert seen == []\n")
    cell = nbformat.v4.new_code_cell(f"{LOOK}\nassert seen == []")
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata=build.METADATA)
    nbformat.write(notebook, folder / "notebooks" / "it.ipynb")
    command = [sys.executable, "-m", "pytest", "--nbmake", "-n1", folder]
    ran = subprocess.run([*command, "-p", "no:cacheprovider"], capture_output=True, text=True)
    assert "2 passed" in ran.stdout, ran.stdout + ran.stderr


# --- cleaning and judging an executed notebook ---


@pytest.fixture
def executed():
    notebook = build.generate(SOURCE, audience="solution", values=VALUES)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        cell.execution_count = number
    return notebook


def test_clean_drops_timings_widgets_and_versions(executed):
    expected = copy.deepcopy(executed)
    executed.metadata.widgets = {"state": {}}
    executed.metadata.language_info.version = "3.11.7"
    executed.cells[1].metadata.execution = {"iopub.status.idle": "2026-01-01"}
    assert [line.split(":")[0] for line in build.problems(executed)] == [
        "metadata.widgets is there; GitHub and nbconvert refuse such a notebook",
        "code cell 1 (import sys)",
    ]
    build.clean(executed)
    assert executed == expected
    assert build.problems(executed) == []


def test_counts_must_be_in_order_and_outputs_small(executed):
    executed.cells[1].execution_count = 4
    executed.cells[1].outputs = [new_output("stream", text="x" * 2_600_000)]
    assert build.problems(executed) == [
        "execution counts are [4, 2, 3], not 1 to 3: run it from the top",
        "2.6 MB is more than 2.5 MB: smaller figures",
    ]


def test_an_expected_error_may_show(executed):
    executed.cells[1].outputs = [new_output("error", ename="ValueError", evalue="", traceback=[])]
    assert "it ends in an error: ValueError" in build.problems(executed)[0]
    executed.cells[1].metadata["tags"] = ["raises-exception"]
    assert build.problems(executed) == []


PATHS = [
    "/root/.keras", "'/home/jovyan/course'", "/Users/ann/Library", "/private/var/folders/x",
    "/tmp/ipykernel_7/1.py", "/opt/conda/lib", "/usr/local/lib/python3.13", "/content/day1.ipynb",
    "/kaggle/working", "/workspaces/course", "C:\\Users\\ann", "'D:\\\\course'",
    "file:///srv/course", "lib/python3.11/site-packages/keras", "dist-packages/torch",
]  # fmt: skip


@pytest.mark.parametrize("shown", PATHS)
def test_no_output_of_any_kind_shows_a_path_of_a_machine(executed, shown):
    executed.cells[1].metadata["tags"] = ["raises-exception"]
    executed.cells[1].outputs = [
        new_output("stream", text=f"at {shown}"),
        new_output("error", ename="E", evalue="", traceback=["E", f"File {shown}"]),
        new_output("display_data", data={"text/html": f"<p>{shown}</p>"}),
        new_output("display_data", data={"image/svg+xml": f"<p>{shown}</p>"}),
    ]
    found = "\n".join(build.problems(executed))
    assert found.count("its output shows a path of a machine") == 4


def test_addresses_on_the_web_are_no_paths_of_a_machine(executed):
    text = "see https://example.org/home/page and a/tmp/b, A/C/G/T, 1/2, p: x, {'A:B'}"
    executed.cells[1].outputs = [new_output("stream", text=text)]
    assert build.problems(executed) == []


# --- out of step ---


@pytest.fixture
def built(course):
    address = build.read_address(course)
    for audience in build.AUDIENCES:
        path = course / build.notebook_path("day1", audience)
        path.parent.mkdir(exist_ok=True)
        nbformat.write(build.generate_from(course, "day1", audience, address), path)
    return course


def edit(path, change):
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda nb: nb.cells[2].update(source="answer = 1"), "cell 3 (code) is not the source's: "),
        (lambda nb: nb.cells[3].metadata.pop("tags"), "cell 4 (code) is not the source's: "),
        (lambda nb: nb.cells[0].update(id="other"), "cell 1 (markdown) is not the source's: "),
        (lambda nb: nb.cells.pop(), "it has 4 cells, its source makes 5"),
        (lambda nb: nb.metadata.update(widgets={}), "its metadata is "),
    ],
)
def test_a_changed_notebook_is_named(built, change, message):
    assert build.out_of_step(built, ["day1"]) == []
    edit(student(built), change)
    (found,) = build.out_of_step(built, ["day1"])
    assert found.startswith(f"notebooks/day1_build_cnns.ipynb: {message}")


def test_outputs_are_not_compared(built):
    edit(student(built), lambda nb: nb.cells[1].update(execution_count=1))
    edit(student(built), lambda nb: nb.cells[1].outputs.append(new_output("stream", text="hi")))
    assert build.out_of_step(built, ["day1"]) == []


@pytest.mark.parametrize("damage", ["<<<<<<< HEAD", "{}"])
def test_a_damaged_or_missing_notebook_is_named(built, damage):
    student(built).write_text(damage)
    solved(built).unlink()
    damaged, missing = build.out_of_step(built, ["day1"])
    assert damaged.startswith("notebooks/day1_build_cnns.ipynb is not a notebook: ")
    assert missing == "notebooks/solutions/day1_build_cnns.ipynb is missing"


def test_the_command(built, capsys):
    assert build.main(["--check"], root=built) == 0
    edit(student(built), lambda nb: nb.cells.pop())
    assert build.main(["--check", "day1"], root=built) == 1
    assert "run: make notebooks" in capsys.readouterr().err
    assert build.main(["day1"], root=built) == 0
    assert build.main(["--check"], root=built) == 0


# --- the committed notebooks ---

COMMITTED = build.sources(build.ROOT)


def test_committed_notebooks_are_in_step():
    assert build.out_of_step(build.ROOT, COMMITTED) == []


def test_every_committed_notebook_has_a_source():
    expected = {
        build.notebook_path(name, audience) for name in COMMITTED for audience in build.AUDIENCES
    }
    there = {
        path.relative_to(build.ROOT).as_posix()
        for folder in ("notebooks", "notebooks/solutions")
        for path in (build.ROOT / folder).glob("*.ipynb")
    }
    assert there == expected


@pytest.mark.parametrize("name", COMMITTED)
def test_committed_notebooks_show_only_what_they_should(name):
    """The student's has no points yet; the solved one asserts its 50 points when it runs."""
    student, solved = (
        nbformat.read(build.ROOT / build.notebook_path(name, audience), as_version=4)
        for audience in build.AUDIENCES
    )
    assert build.problems(student) == []
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in solved.cells)
    outputs = [output for cell in student.cells for output in cell.get("outputs", [])]
    shown = "\n".join(output.get("data", {}).get("text/plain", "") for output in outputs).strip()
    ids = [key for key in PRACTICES if key[0] == name[-1]]
    found = re.findall(r"^(\S+): not done yet\.$", shown, flags=re.MULTILINE)
    assert sorted(found) == sorted(ids)
    assert shown.endswith(" 0 of 50 points")
    last = [cell for cell in solved.cells if "assert" in cell.source][-1]
    assert "assert homework.scoreboard().points == 50" in last.source
