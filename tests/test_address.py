"""The course's address is written once, and one command changes it wherever it is repeated."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from notebooks import address, build

ROOT = build.ROOT
HERE = build.read_address(ROOT)
NEW = build.Address("https://github.com/Zoo-lab/cnn.course", "class/2027.1")


def git(root, *words):
    name = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    return subprocess.run(["git", *name, *words], cwd=root, check=True, capture_output=True).stdout


def commit(root):
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "so far")


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A copy of this repository's own files, committed."""
    try:
        listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no checkout of git")
    root = tmp_path_factory.mktemp("clone")
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file() and ROOT / name != Path(__file__):  # it names made-up addresses
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, root / name)
    commit(root)
    return root


@pytest.fixture
def course(clone):
    """The copy; put back after the test."""
    yield clone
    git(clone, "reset", "--quiet", "--hard")
    git(clone, "clean", "--quiet", "--force")


def content(root):
    return {
        path: path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(root).parts
    }


# --- rewriting ---


def test_badges_have_the_shapes_that_the_three_hosts_document():
    assert build.badges(NEW, "notebooks/one.ipynb", text="Open Day 1").splitlines() == [
        "[![Open Day 1 in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
        "(https://colab.research.google.com/github/Zoo-lab/cnn.course/blob/class%2F2027.1/"
        "notebooks/one.ipynb)",
        "[![Open Day 1 in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)]"
        "(https://kaggle.com/kernels/welcome?src="
        "https://github.com/Zoo-lab/cnn.course/blob/class/2027.1/notebooks/one.ipynb)",
        "[![Open Day 1 in Binder](https://mybinder.org/badge_logo.svg)]"
        "(https://mybinder.org/v2/gh/Zoo-lab/cnn.course/class/2027.1"
        "?labpath=notebooks%2Fone.ipynb)",
    ]


def outputs(root):
    paths = (build.notebook_path(name, "student") for name in build.NAMES)
    cells = [cell for path in paths for cell in nbformat.read(root / path, as_version=4).cells]
    return [(cell.execution_count, cell.outputs) for cell in cells if cell.cell_type == "code"]


def test_the_command_rewrites_every_place_and_there_and_back_is_nothing(course, capsys):
    before, ran = content(course), outputs(course)
    slug = HERE.repository.removeprefix("https://github.com/")
    hosts = ("github.com", "github", "gh", "usercontent.com")
    assert address.main([*NEW], root=course) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"The address is {NEW.repository} at {NEW.ref}.\nWritten:\n")
    assert len(printed.splitlines()) == 2 + 3 + 4
    assert build.read_address(course) == NEW
    assert build.out_of_step(course, build.NAMES) == []
    assert outputs(course) == ran
    for data in content(course).values():
        assert not any(f"{host}/{slug}".encode() in data for host in hosts)
    commit(course)
    assert address.main([*HERE], root=course) == 0
    assert content(course) == before
    commit(course)


def test_the_present_address_changes_nothing(course, capsys):
    (course / "README.md").write_text((course / "README.md").read_text() + "\nmine\n")
    before = content(course)
    assert address.main([*HERE], root=course) == 0
    assert "It was so before." in capsys.readouterr().out
    assert content(course) == before


# --- refusing: nothing is written ---


def refused(course, new, capsys):
    before = content(course)
    assert address.main([*new], root=course) == 1
    assert content(course) == before
    return capsys.readouterr().err


GOOD = ["a/b", "Zoo-lab/cnn.course", "a-b_c/b.git2_"]
BAD = ["", "a", "a/b/", "a/b.git", "a/b.", "a/..", "-/b", "a/b\n", 'a/b"']


def test_the_form_of_a_repository():
    for slug in GOOD:
        address.check_address(build.Address(f"https://github.com/{slug}", "v2"))
    for repository in ["a/b", "http://github.com/a/b", *(f"https://github.com/{x}" for x in BAD)]:
        with pytest.raises(ValueError, match=r"REPOSITORY must be https://github.com/OWNER/NAME, "):
            address.check_address(build.Address(repository, "v2"))


def test_the_form_of_a_ref():
    for ref in ("HEADS", "a/HEAD", "main", "v1.2.3", "class/2027.1", "a_b-c", "7"):
        address.check_address(build.Address(NEW.repository, ref))
    bad = 'HEAD|a..b|/a|a/|a//b|.a|a.|a.lock|a.lock/b|a~1|@|$X|{x}|a"b|ä||a b|a\n'
    for ref in bad.split("|"):
        with pytest.raises(ValueError, match="REF must be the name of a branch or tag"):
            address.check_address(build.Address(NEW.repository, ref))


def test_uncommitted_work_is_not_written_over(course, capsys):
    (course / "CITATION.cff").write_text((course / "CITATION.cff").read_text() + "# mine\n")
    assert " M CITATION.cff\n" in refused(course, NEW, capsys)
    git(course, "checkout", "--", "CITATION.cff")
    (course / "mine.txt").write_text("in nobody's way")
    assert address.main([*NEW], root=course) == 0


def test_a_notebook_out_of_step_is_refused(course, capsys):
    path = build.notebook_path("day2", "solution")
    notebook = nbformat.read(course / path, as_version=4)
    notebook.cells[0].source += " changed"
    (course / path).write_text(build.as_text(notebook))
    error = refused(course, NEW, capsys)
    assert error.startswith(f"{path}: cell 1 (markdown) is not the source's")
    assert "Run make notebooks first, then this again." in error


def test_a_file_without_one_place_is_refused(course, capsys):
    text = (course / "CITATION.cff").read_text()
    (course / "CITATION.cff").write_text(f"{text}repository-code: x\n")
    error = refused(course, NEW, capsys)
    assert error.startswith("CITATION.cff must have ^repository-code: .*$ once; it has it 2 times")


# --- this repository ---

PAGES = [ROOT / "README.md", *sorted((ROOT / "notebooks").rglob("*.ipynb"))]


def written(path):
    """What a reader sees of a page: all text, or the cells without their outputs."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)


def test_the_address_has_the_form_that_the_command_asks_for():
    address.check_address(HERE)


def test_the_readme_has_the_badges_that_the_command_writes():
    text = written(ROOT / "README.md")
    assert text.count(address.readme_badges(HERE)) == 1
    assert len(re.findall(r"\[!\[Open ", text)) == 6
    assert all(install == HERE for install in re.findall(r"git\+(\S+?)@([^\s\"']+)", text))


@pytest.mark.parametrize("path", PAGES[1:], ids=lambda path: str(path.relative_to(ROOT)))
def test_badges_and_setup_cell_are_pyprojects(path):
    text = written(path)
    assert text.count("[![") == 3
    assert build.badges(HERE, path.relative_to(ROOT).as_posix()) in text
    assert re.findall(r"git\+(\S+?)@([^\s\"']+)", text) == [HERE]


@pytest.mark.parametrize("path", PAGES[1:], ids=lambda path: str(path.relative_to(ROOT)))
@pytest.mark.parametrize("where", ["elsewhere", "Colab", "Kaggle"])
def test_the_setup_cell_installs_in_colab_and_kaggle_and_does_nothing_elsewhere(
    path, where, monkeypatch, capsys
):
    monkeypatch.delenv("KAGGLE_KERNEL_RUN_TYPE", raising=False)
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    if where == "Colab":
        monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace())
    elif where == "Kaggle":
        monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    magics = []
    shell = SimpleNamespace(run_line_magic=lambda *magic: magics.append(magic))
    cells = nbformat.read(path, as_version=4).cells
    setup = next(cell.source for cell in cells if cell.cell_type == "code")
    exec(TransformerManager().transform_cell(setup), {"get_ipython": lambda: shell})
    install = f'install -q "ucla-automl-workshop[colab] @ git+{HERE.repository}@{HERE.ref}"'
    assert magics == ([] if where == "elsewhere" else [("pip", install)])
    assert len(capsys.readouterr().out.splitlines()) == len(magics)
