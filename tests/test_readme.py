"""What README.md and the pages beside it promise is there and runs."""

import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

import workshop
from notebooks import build

ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in (
        *("README.md", "INSTRUCTOR.md", "GRADING.md", "CONTRIBUTING.md", "SURVEY.md"),
        "benchmarks/README.md",
    )
}
README = PAGES["README.md"]


@pytest.mark.slow
def test_the_example_runs_without_a_warning(tmp_path):
    text = README + PAGES["benchmarks/README.md"]
    example = "\n".join(re.findall(r"```python\n(.+?)```", text, flags=re.DOTALL))
    example = example.replace("max_trials=30", "max_trials=3").replace("epochs=10", "epochs=2")
    ran = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    assert "auroc" in ran.stdout.lower()
    assert "Architecture(layers=(Conv1D(32, " in ran.stdout
    (r,) = re.findall(r"Similarity\(correlation=([0-9.]+), offset=0, ", ran.stdout)
    assert float(r) > 0.9


@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_its_length_and_its_links(name):
    most = {"README.md": 130, "INSTRUCTOR.md": 300, "GRADING.md": 200}.get(name, 150)
    assert len(PAGES[name].splitlines()) <= most
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", PAGES[name]):
        path, _, anchor = link.partition("#")
        page = (ROOT / name).parent / path if path else ROOT / name
        assert page.exists(), link
        assert not anchor or anchor in anchors(page), link


def anchors(page):
    """What GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in headings}


@pytest.mark.parametrize("day", [1, 2])
def test_the_run_sheet_has_the_minutes_and_headings_of_the_notebook_and_its_clock_adds_up(day):
    sheet = PAGES["INSTRUCTOR.md"].split(f"**Day {day}, ")[1].split("\n\n")[1]
    rows = re.findall(r"^\| (\d+):(\d\d) \| (.+?) \| (\d*) \| (.*?) \|", sheet, flags=re.MULTILINE)
    section, minutes = "", Counter()
    for (hour, minute, what, spent, _), (next_hour, next_minute, *_) in pairwise(rows):
        assert 60 * int(hour) + int(minute) + int(spent) == 60 * int(next_hour) + int(next_minute)
        if begun := re.match(r"\*\*(\d)\*\* ", what):
            section = begun[1]
        if begun or what.startswith("Practice "):
            minutes[section] += int(spent)
    source = (ROOT / "notebooks" / "src" / f"day{day}.py").read_text(encoding="utf-8")
    promised = re.findall(r"^# \| ([0-5]) \| .+ \| (\d+) \|$", source, flags=re.MULTILINE)
    words = re.sub(r"\s+#? ?", " ", source)
    assert not [
        name for row in rows for name in re.findall(r"\*(.+?)\*", row[-1]) if name not in words
    ]
    assert minutes == {number: int(spent) for number, spent in promised}


def test_its_picture_is_a_figure_of_day_2():
    day2 = nbformat.read(ROOT / build.notebook_path("day2", "student"), as_version=4)
    assert (ROOT / build.PICTURE).read_bytes() == build.picture(day2)
    assert re.search(rf'<img src="{build.PICTURE}" width="\d+" alt="[^"]{{40,}}">', README)


def test_the_table_of_modules_is_the_library():
    listed = set(re.findall(r"`workshop\.(\w+)`", README))
    assert listed == set(workshop.__all__) - {"__version__"}


def test_the_package_docstring_lists_the_library():
    listed = re.findall(r"^`(\w+)`  ", workshop.__doc__, flags=re.MULTILINE)
    assert listed == [name for name in workshop.__all__ if name != "__version__"]


def test_every_make_target_that_a_page_names_exists():
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    text = "\n".join(PAGES.values())
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", text, flags=re.MULTILINE))
    assert named
    assert named <= set(targets)
