"""What README.md promises is there and runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import workshop

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_example_runs_without_a_warning(tmp_path):
    example = "\n".join(re.findall(r"```python\n(.+?)```", README, flags=re.DOTALL))
    example = example.replace("max_trials=30", "max_trials=3")
    ran = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    assert "auroc" in ran.stdout.lower()
    assert "Architecture(layers=(Conv1D(32, " in ran.stdout
    (r,) = re.findall(r"Similarity\(correlation=([0-9.]+), offset=0, ", ran.stdout)
    assert float(r) > 0.9


def test_every_file_it_links_to_exists():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_table_of_modules_is_the_library():
    listed = set(re.findall(r"`workshop\.(\w+)`", README))
    assert listed == set(workshop.__all__) - {"__version__"}


def test_the_package_docstring_lists_the_library():
    listed = re.findall(r"^`(\w+)`  ", workshop.__doc__, flags=re.MULTILINE)
    assert listed == [name for name in workshop.__all__ if name != "__version__"]


def test_every_make_target_it_names_exists():
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", README + contributing, flags=re.MULTILINE))
    assert named
    assert named <= set(targets)
