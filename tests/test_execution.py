"""`workshop.execution` and the console commands built on it, on notebooks of a few lines."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from workshop import _files
from workshop.__main__ import main
from workshop._files import shipped_file
from workshop.execution import execute_notebook, html_page


def save(path, *cells):
    """Write a notebook; a string is a code cell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    nbformat.write(new_notebook(cells=cells), path)
    return path


def outputs(path):
    cells = nbformat.read(path, as_version=4).cells
    return [cell.outputs for cell in cells if cell.cell_type == "code"]


def run(path, tmp_path, **options):
    seen = []
    result = execute_notebook(path, output_dir=tmp_path / "out", on_cell=seen.append, **options)
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        result.html_path.name,
        result.executed_path.name,
    ]  # and no temporary file beside them
    return result, seen


def test_runs_every_cell_and_reports_each(tmp_path):
    path = save(
        tmp_path / "lesson.ipynb",
        new_markdown_cell("# Title\n\n## Load the data\n\nA sentence."),
        "x = 20",
        "\nprint(x + 1)",
        "   ",  # an empty cell is not run and not counted
        new_markdown_cell("No heading here."),
        new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]}),
    )
    before = path.read_bytes()
    result, seen = run(path, tmp_path)
    assert result.ok
    assert result.failure is None
    assert result.stderr_cells == ()
    assert [(cell.number, cell.total, cell.label) for cell in seen] == [
        (1, 3, "Load the data"),
        (2, 3, "print(x + 1)"),
        (3, 3, "1 / 0"),
    ]
    assert result.seconds >= sum(cell.seconds for cell in seen)
    assert outputs(result.executed_path)[1][0].text == "21\n"
    executed = nbformat.read(result.executed_path, as_version=4)
    assert all("execution" not in cell.metadata for cell in executed.cells)
    assert "Load the data" in result.html_path.read_text(encoding="utf-8")
    assert path.read_bytes() == before


def test_kernel_is_this_python_in_an_empty_folder_that_is_removed(tmp_path):
    path = save(
        tmp_path / "where.ipynb",
        "import os, sys\nprint(sys.prefix)\nprint(os.listdir())\nprint(os.getcwd())",
        "open('model.bin', 'w').write('x');",
    )
    result, _ = run(path, tmp_path)
    prefix, listing, folder = outputs(result.executed_path)[0][0].text.splitlines()
    assert prefix == sys.prefix
    assert listing == "[]"
    assert not Path(folder).exists()


def test_outputs_of_an_earlier_run_are_dropped(tmp_path):
    old = nbformat.v4.new_output("stream", name="stderr", text="a warning of last year")
    cells = [new_code_cell("1 / 0"), new_code_cell("2", outputs=[old], execution_count=7)]
    result, _ = run(save(tmp_path / "old.ipynb", *cells), tmp_path)
    assert result.stderr_cells == ()
    assert outputs(result.executed_path)[1] == []


def test_failing_cell_ends_the_run_and_the_part_is_kept(tmp_path):
    path = save(tmp_path / "bad.ipynb", "print('before')", "\nx = [1]\nx[2]", "print('after')")
    result, seen = run(path, tmp_path)
    assert not result.ok
    assert result.failure == "code cell 2 (x = [1]): IndexError: list index out of range"
    assert [cell.number for cell in seen] == [1, 2]
    before, failed, after = outputs(result.executed_path)
    assert before[0].text == "before\n"
    assert failed[0].ename == "IndexError"
    assert after == []
    assert "IndexError" in result.html_path.read_text(encoding="utf-8")


def test_stderr_is_reported_and_the_rest_still_runs_in_pieces_that_are_joined(tmp_path):
    pieces = "import time\nfor i in range(3):\n    print(i, flush=True); time.sleep(0.2)"
    path = save(tmp_path / "noisy.ipynb", "1", "import warnings\nwarnings.warn('mind')", pieces)
    result, _ = run(path, tmp_path)
    assert result.failure is None
    assert result.stderr_cells == (2,)
    assert not result.ok
    assert [output.text for output in outputs(result.executed_path)[2]] == ["0\n1\n2\n"]


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("time.sleep(60)", "TimeoutError: the cell ran for"),
        ("os._exit(1)", "The kernel died"),
    ],
)
def test_cell_that_takes_too_long_or_kills_its_kernel(tmp_path, code, failure):
    result, _ = run(save(tmp_path / "bad.ipynb", "import os, time", code), tmp_path, timeout=2)
    assert result.failure.startswith(f"code cell 2 ({code}): {failure}")
    assert result.seconds < 30


def test_page_tells_what_a_figure_shows(tmp_path):
    code = (
        "from IPython.display import display\n"
        "alt = {'image/png': {'alt': 'A \"logo\" of <CTCF>', 'width': 640}}\n"
        "display({'image/png': 'iVBORw0KGgo='}, raw=True, metadata=alt)"
    )
    result, _ = run(save(tmp_path / "figure.ipynb", code), tmp_path)
    page = BeautifulSoup(result.html_path.read_text(encoding="utf-8"), "html.parser")
    (image,) = page.find_all("img")
    assert image["alt"] == 'A "logo" of <CTCF>'
    assert image["width"] == "640"
    assert image["src"].startswith("data:image/png;base64,")
    loaded = [script["src"] for script in page.find_all("script", src=True)]
    assert all("mathjax" in address for address in loaded)
    assert page.find_all("link", rel="stylesheet") == []


def test_page_keeps_an_answer_folded():
    text = "Why?\n\n<details><summary>Answer</summary>\n\nSo *it* is.\n\n</details>"
    cells = [new_markdown_cell(text)]
    page = html_page(new_notebook(cells=cells), title="one")
    (details,) = BeautifulSoup(page, "html.parser").find_all("details")
    assert details.get_text(" ", strip=True) == "Answer So it is."


def test_not_a_notebook(tmp_path):
    (tmp_path / "text.ipynb").write_text("hello")
    with pytest.raises(ValueError, match=r"text\.ipynb is not a Jupyter notebook"):
        execute_notebook(tmp_path / "text.ipynb", output_dir=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_would_overwrite_itself(tmp_path):
    path = save(tmp_path / "lesson.ipynb", "1")
    with pytest.raises(ValueError, match="would overwrite it; pass another output_dir"):
        execute_notebook(path, output_dir=tmp_path)


# --- the console ---


def test_workshop_run_takes_the_folders_notebooks(tmp_path, monkeypatch, capsys):
    save(tmp_path / "notebooks" / "b.ipynb", "2")
    save(tmp_path / "notebooks" / "a.ipynb", "1")
    save(tmp_path / "notebooks" / "solutions" / "a.ipynb", "1 / 0")  # not asked for
    monkeypatch.chdir(tmp_path)
    assert main(["run"]) == 0
    out = capsys.readouterr().out
    assert out.index("a  [1/1]") < out.index("b  [1/1]")
    assert {"a.html", "a.ipynb", "b.html", "b.ipynb"} == {
        file.name for file in (tmp_path / "build").iterdir()
    }


def test_workshop_run_fails_loudly_but_runs_the_rest(tmp_path, capsys):
    bad = save(tmp_path / "bad.ipynb", "x = 1", "boom")
    noisy = save(tmp_path / "noisy.ipynb", "import sys; print('w', file=sys.stderr)")
    good = save(tmp_path / "good.ipynb", "1")
    out = tmp_path / "out"
    assert main(["run", str(bad), str(noisy), str(good), "--output", str(out)]) == 1
    printed = capsys.readouterr().out
    assert "bad: FAILED at code cell 2 (boom): NameError: name 'boom' is not defined" in printed
    assert "noisy: ran, but code cell 1 wrote a warning or a log to stderr" in printed
    assert "good: ran in" in printed


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A checkout that ships what is put into its notebooks/; the current folder is another one."""
    checkout, here = tmp_path / "checkout", tmp_path / "here"
    for folder in (checkout / "data", checkout / "notebooks", here):
        folder.mkdir(parents=True)
    (checkout / "data" / "SHA256SUMS").touch()
    monkeypatch.setattr(_files, "_PACKAGE", checkout / "workshop")
    monkeypatch.chdir(here)
    return checkout / "notebooks"


def test_workshop_run_takes_the_shipped_notebooks_elsewhere(shipped, capsys):
    save(shipped / "day2.ipynb", "2")
    save(shipped / "day1.ipynb", "1")
    save(shipped / "solutions" / "day1.ipynb", "1 / 0")
    assert main(["run"]) == 0
    out = capsys.readouterr().out
    assert out.index("day1: ran") < out.index("day2: ran")
    assert Path("build", "day2.html").is_file()  # in the current folder


def test_workshop_run_without_notebooks(shipped, capsys):
    assert main(["run"]) == 1
    assert "There is no notebook in" in capsys.readouterr().err


def test_workshop_run_checks_all_names_first(tmp_path, capsys):
    first, second = (str(save(tmp_path / folder / "one.ipynb", "1")) for folder in ("a", "b"))
    for other, message in (
        ("nowhere.ipynb", "There is no notebook nowhere.ipynb"),
        (second, "Two notebooks of one name"),
    ):
        assert main(["run", first, other, "--output", str(tmp_path / "out")]) == 1
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_workshop_run_can_be_stopped(tmp_path, number):
    pid_file = tmp_path / "pid"
    path = save(
        tmp_path / "long.ipynb",
        f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(600)",
    )
    command = [sys.executable, "-m", "workshop", "run", path, "--output", tmp_path / "out"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for _ in range(1200):  # a busy machine takes its time to start
        if pid_file.exists() and pid_file.read_text():
            break
        time.sleep(0.1)
    time.sleep(0.3)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "workshop: stopped" in stderr
    assert "Traceback" not in stderr
    assert list((tmp_path / "out").iterdir()) == []
    time.sleep(0.5)
    with pytest.raises(ProcessLookupError):  # the kernel has gone with it
        os.kill(int(pid_file.read_text()), 0)


def test_workshop_data_simulate_reproduces_the_shipped_bytes(tmp_path, capsys):
    out = tmp_path / "again.tsv.gz"
    assert main(["data", "simulate", "--out", str(out)]) == 0
    assert out.read_bytes() == shipped_file("ctcf_simulated.tsv.gz").read_bytes()
    assert "5000 sequences of 200 bp" in capsys.readouterr().out
