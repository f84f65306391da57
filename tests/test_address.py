"""The course's address is written once, and one command changes it wherever it is repeated."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, unquote, urlsplit

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from notebooks import address, build

ROOT = build.ROOT
HERE = build.read_address(ROOT)
OLD = build.Address("https://github.com/a/b", "v1")
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


NO_REPOSITORIES = "a/b http://github.com/a/b https://gitlab.com/a/b " + " ".join(
    f"https://github.com/{slug}" for slug in ("a", "a/b/", "a/b.git", "a/b.", "a/..", "-/b", 'a/b"')
)
NO_REFS = 'HEAD a..b /a a/ a//b .a a/.b a. a.lock a~1 a:b @ $HOME {x} a"b ä'


@pytest.mark.parametrize("repository", ["", "https://github.com/a/b\n", *NO_REPOSITORIES.split()])
def test_what_is_no_repository_is_refused(repository):
    with pytest.raises(ValueError, match=r"REPOSITORY must be https://github.com/OWNER/NAME, wi"):
        address.check_address(build.Address(repository, "v2"))


@pytest.mark.parametrize("ref", ["", "a b", "a\n", *NO_REFS.split()])
def test_what_is_no_ref_is_refused(ref):
    with pytest.raises(ValueError, match="REF must be the name of a branch or tag"):
        address.check_address(build.Address(OLD.repository, ref))


@pytest.mark.parametrize("ref", ["HEADS", "a/HEAD", "main", "v1.2.3", "spring-1", "a_b/c", "7"])
@pytest.mark.parametrize("slug", ["a/b", "7/7", "Zoo-lab/cnn.course", "a-b_c/b.git2_"])
def test_usual_names_are_accepted(slug, ref):
    address.check_address(build.Address(f"https://github.com/{slug}", ref))


@settings(max_examples=100)
@given(ref=st.text("ab1._-/@", min_size=1, max_size=6) | st.just("a.lock"))
def test_git_accepts_every_ref_that_we_accept(ref):
    try:
        address.check_address(build.Address(OLD.repository, ref))
    except ValueError:
        return
    subprocess.run(["git", "check-ref-format", "--branch", ref], check=True, capture_output=True)


def test_the_command_says_what_is_wrong_with_the_address(course, capsys):
    assert refused(course, ("a/b", "v2"), capsys).startswith("REPOSITORY must be https://github")


def test_uncommitted_work_is_not_written_over(course, capsys):
    (course / "CITATION.cff").write_text((course / "CITATION.cff").read_text() + "# mine\n")
    assert " M CITATION.cff\n" in refused(course, NEW, capsys)
    git(course, "checkout", "--", "CITATION.cff")
    (course / "mine.txt").write_text("in nobody's way")
    assert address.main([*NEW], root=course) == 0


@pytest.mark.parametrize("audience", build.AUDIENCES)
def test_a_notebook_out_of_step_is_refused(course, audience, capsys):
    path = build.notebook_path("day2", audience)
    notebook = nbformat.read(course / path, as_version=4)
    notebook.cells[0].source += " changed"
    (course / path).write_text(build.as_text(notebook))
    error = refused(course, NEW, capsys)
    assert error.startswith(f"{path}: cell 1 (markdown) is not the source's")
    assert "Run make notebooks first, then this again." in error


@pytest.mark.parametrize(
    ("path", "old", "new", "times"),
    [
        ("README.md", address.BEGIN, "", 0),
        ("CITATION.cff", "license:", "repository-code: x\nlicense:", 2),
    ],
)
def test_a_file_without_one_place_is_refused(course, path, old, new, times, capsys):
    text = (course / path).read_text()
    assert old in text
    (course / path).write_text(text.replace(old, new))
    assert re.search(
        f"{path} must have .* once; it has it {times} times", refused(course, NEW, capsys)
    )


@pytest.mark.parametrize("path", ["README.md", "notebooks/src/day2.py"])
def test_a_missing_file_is_named(course, path, capsys):
    (course / path).unlink()
    assert re.search(f"No such file.*{path}", refused(course, NEW, capsys))


# --- this repository ---

PAGES = [ROOT / "README.md", *sorted((ROOT / "notebooks").rglob("*.ipynb"))]


def written(path):
    """What a reader sees of a page: all text, or the cells without their outputs."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)


def opened(link):
    """Repository and what follows ``/blob/``, or its like, of a badge's link."""
    url = urlsplit(link)
    if url.netloc == "kaggle.com":
        repository, rest = parse_qs(url.query)["src"][0].split("/blob/")
        return repository, rest
    if url.netloc == "mybinder.org":
        owner, name, ref = url.path.removeprefix("/v2/gh/").split("/", 2)
        (path,) = parse_qs(url.query)["labpath"]
        return f"https://github.com/{owner}/{name}", f"{ref}/{path}"
    slug, rest = url.path.removeprefix("/github/").split("/blob/")
    ref, path = rest.split("/", 1)
    return f"https://github.com/{slug}", f"{unquote(ref)}/{path}"


def test_the_address_has_the_form_that_the_command_asks_for():
    address.check_address(HERE)


def test_the_readme_has_the_badges_that_the_command_writes():
    assert written(ROOT / "README.md").count(address.readme_badges(HERE)) == 1


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_badges_and_setup_cell_are_pyprojects(path):
    text = written(path)
    badges = re.findall(r"\[!\[([^]]*)\]\(https://[^)\s]+\.svg\)\]\(([^)\s]+)\)", text)
    hosts = [re.search(r"Open (?:Day \d )?in (\w+)$", alt)[1] for alt, _ in badges]
    days = 1 if path.suffix == ".ipynb" else len(build.NAMES)
    assert hosts == ["Colab", "Kaggle", "Binder"] * days
    targets = set()
    for _, link in badges:
        repository, rest = opened(link)
        assert repository == HERE.repository
        assert rest.startswith(f"{HERE.ref}/")
        targets.add(ROOT / rest.removeprefix(f"{HERE.ref}/"))
    assert all(target.is_file() for target in targets)
    installs = re.findall(r"git\+(\S+?)@([^\s\"']+)", text)
    assert all(install == HERE for install in installs)
    if path.suffix == ".ipynb":
        assert targets == {path}
        assert len(installs) == 1
    else:
        assert len(targets) == len(build.NAMES)


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
    install = f'install -q "workshop[colab] @ git+{HERE.repository}@{HERE.ref}"'
    assert magics == ([] if where == "elsewhere" else [("pip", install)])
    assert len(capsys.readouterr().out.splitlines()) == len(magics)
