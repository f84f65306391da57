"""The course's address is written once, and one command changes it wherever it is repeated."""

import os
import re
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, unquote, urlsplit

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager
from nbformat.v4 import new_output

from notebooks import address, build

ROOT = build.ROOT
OLD = build.Address("https://github.com/a/b", "v1")
NEW = build.Address("https://github.com/Zoo-lab/cnn.course", "class/2027.1")

SOURCE = """
# %% [markdown]
# {{badges}}
#
# # A lesson

# %%
# %pip install -q "ucla-automl-workshop[colab] @ git+{{repository}}@{{ref}}"

# %% tags=["solution"]
6 * 7

# %% tags=["stub"]
None
"""


@pytest.fixture
def course(tmp_path):
    """A repository with two lessons, at the address OLD; the students' notebooks have run."""
    (tmp_path / "notebooks" / "src").mkdir(parents=True)
    (tmp_path / "notebooks" / "solutions").mkdir()
    (tmp_path / "pyproject.toml").write_text(
        '[project.urls]\nRepository = "https://github.com/a/b"\n'
        '[tool.workshop]\nref = "v1"\n[tool.other]\nhref = "v1"\n'
    )
    (tmp_path / "CITATION.cff").write_text(
        "version: 0.1.0\nrepository-code: https://github.com/a/b\nlicense: MIT\n"
    )
    (tmp_path / "README.md").write_text(f"# Top\n\n{address.readme_badges(OLD)}\n\n## End\n")
    for name in build.NAMES:
        (tmp_path / "notebooks" / "src" / f"{name}.py").write_text(SOURCE)
        for audience in build.AUDIENCES:
            notebook = build.generate_from(tmp_path, name, audience, OLD)
            if audience == "student":
                for number, cell in enumerate(notebook.cells[1:], start=1):
                    cell.execution_count = number
                    cell.outputs = [new_output("stream", text=f"output {number}")]
            (tmp_path / build.notebook_path(name, audience)).write_text(build.as_text(notebook))
    return tmp_path


def content(root):
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def run(root, new):
    return address.main([*new], root=root)


# --- badges ---


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


# --- rewriting ---


def test_the_command_rewrites_every_place(course, capsys):
    assert run(course, NEW) == 0
    assert build.read_address(course) == NEW
    assert 'href = "v1"' in (course / "pyproject.toml").read_text()
    citation = "version: 0.1.0\nrepository-code: https://github.com/Zoo-lab/cnn.course\n"
    assert (course / "CITATION.cff").read_text().startswith(citation)
    readme = f"# Top\n\n{address.readme_badges(NEW)}\n\n## End\n"
    assert (course / "README.md").read_text() == readme
    assert build.out_of_step(course, build.NAMES) == []
    printed = capsys.readouterr().out
    assert printed.startswith(f"The address is {NEW.repository} at {NEW.ref}.\nWritten:\n")
    assert len(printed.splitlines()) == 2 + 3 + 4


def test_outputs_and_counts_are_kept(course):
    run(course, NEW)
    for name in build.NAMES:
        student, solved = (
            nbformat.read(course / build.notebook_path(name, audience), as_version=4)
            for audience in ("student", "solution")
        )
        setup = 'git+https://github.com/Zoo-lab/cnn.course@class/2027.1"'
        assert setup in student.cells[1].source
        assert [cell.execution_count for cell in student.cells[1:]] == [1, 2]
        assert [cell.outputs[0].text for cell in student.cells[1:]] == ["output 1", "output 2"]
        assert setup in solved.cells[1].source
        assert [cell.outputs for cell in solved.cells[1:]] == [[], []]


def test_the_present_address_changes_nothing(course, capsys):
    before = content(course)
    assert run(course, OLD) == 0
    assert content(course) == before
    assert "It was so before." in capsys.readouterr().out


def test_twice_is_once_and_back_gives_the_same_bytes(course):
    before = content(course)
    run(course, NEW)
    once = content(course)
    run(course, NEW)
    assert content(course) == once != before
    run(course, OLD)
    assert content(course) == before


# --- refusing: nothing is written ---


@pytest.mark.parametrize(
    "repository",
    [
        "",
        "a/b",
        "http://github.com/a/b",
        "https://github.com/a",
        "https://github.com/a/b/",
        "https://github.com/a/b.git",
        "https://github.com/a/B.GIT",
        "https://github.com/a/b.git.",
        "https://github.com/a/b..",
        "https://github.com/_a/b",
        "https://github.com/a-/b",
        "https://github.com/-/b",
        "https://github.com/a/..",
        "https://github.com/a/b/c",
        "https://github.com/a/b c",
        "https://github.com/a/b\n",
        'https://github.com/a/b"',
        "https://gitlab.com/a/b",
    ],
)
def test_what_is_no_repository_is_refused(course, repository, capsys):
    before = content(course)
    assert run(course, (repository, "v2")) == 1
    message = "REPOSITORY must be https://github.com/OWNER/NAME, without .git, a dot or a slash at"
    expected = f"{message} its end; got {repository!r}.\nEvery file is as it was.\n"
    assert capsys.readouterr().err == expected
    assert content(course) == before


NO_REFS = 'HEAD a..b /a a/ a//b .a a/.b a. a.lock a.lock/b a~1 a:b @ a@{1} $HOME {x} a"b a#b ä'


@pytest.mark.parametrize("ref", ["", "a b", "a\n", *NO_REFS.split()])
def test_what_is_no_ref_is_refused(course, ref, capsys):
    before = content(course)
    assert run(course, (OLD.repository, ref)) == 1
    assert re.search(r"REF must be the name of a branch or tag.*got ", capsys.readouterr().err)
    assert content(course) == before


@pytest.mark.parametrize("slug", ["a/b", "7/7", "Zoo-lab/cnn.course", "a-b_c/-b.git2_"])
def test_usual_names_of_repositories_are_accepted(slug):
    address.check_address(build.Address(f"https://github.com/{slug}", "main"))


@pytest.mark.parametrize(
    "ref", ["HEADS", "a/HEAD", "main", "v1.2.3", "spring-1", "class/2027.1", "a_b", "a/b/c", "7"]
)
def test_usual_names_of_branches_and_tags_are_accepted(ref):
    address.check_address(build.Address(OLD.repository, ref))


@settings(max_examples=150, deadline=None)
@given(ref=st.text("ab1._-/@", min_size=1, max_size=6) | st.just("a.lock"))
def test_git_accepts_every_ref_that_we_accept(ref):
    try:
        address.check_address(build.Address(OLD.repository, ref))
    except ValueError:
        return
    subprocess.run(["git", "check-ref-format", "--branch", ref], check=True, capture_output=True)


@pytest.mark.parametrize("audience", build.AUDIENCES)
def test_a_notebook_out_of_step_is_refused(course, audience, capsys):
    path = build.notebook_path("day2", audience)
    text = (course / path).read_text()
    (course / path).write_text(text.replace("# A lesson", "# A changed lesson"))
    before = content(course)
    assert run(course, NEW) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"{path}: cell 1 (markdown) is not the source's")
    assert error.endswith("Run make notebooks first, then this again.\nEvery file is as it was.\n")
    assert content(course) == before


def test_a_deleted_source_is_refused(course):
    (course / "notebooks" / "src" / "day2.py").unlink()
    with pytest.raises(ValueError, match=r"must have a source for each of \['day1', 'day2'\]"):
        address.rewrite(course, NEW)


@pytest.mark.parametrize(
    ("path", "old", "new", "times"),
    [
        ("README.md", address.BEGIN, "", 0),
        ("CITATION.cff", "license: MIT", "repository-code: x", 2),
        ("pyproject.toml", "href", "ref", 2),
    ],
)
def test_a_file_without_one_place_is_refused(course, path, old, new, times):
    text = (course / path).read_text()
    assert old in text
    (course / path).write_text(text.replace(old, new))
    before = content(course)
    with pytest.raises(ValueError, match=f"{path} must have .* once, .* has it {times} times"):
        address.rewrite(course, NEW)
    assert content(course) == before


def test_a_full_disk_leaves_every_file_as_it_was(course, monkeypatch):
    before, write = content(course), Path.write_bytes

    def write_until_full(path, data):
        if "day2" in path.name:
            write(path, data[:100])
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", write_until_full)
    with pytest.raises(OSError, match="No space left"):
        address.rewrite(course, NEW)
    assert content(course) == before


@pytest.fixture
def broken_disk(monkeypatch):
    """Let renames fail, counted from 1; return the names of the files that were replaced."""

    def install(*failing):
        replaced, attempts, replace = [], count(1), os.replace

        def sometimes(self, target):
            if next(attempts) in failing:
                raise PermissionError(13, "Permission denied")
            replace(self, target)
            replaced.append(Path(target).name)

        monkeypatch.setattr(Path, "replace", sometimes)
        return replaced

    return install


@pytest.mark.parametrize("failing", range(1, 8))
def test_a_rename_that_fails_leaves_every_file_as_it_was(course, broken_disk, capsys, failing):
    before = content(course)
    replaced = broken_disk(failing)
    assert run(course, NEW) == 1
    assert content(course) == before
    assert len(replaced) == 2 * (failing - 1)  # there and back
    error = capsys.readouterr().err
    assert error == "[Errno 13] Permission denied\nEvery file is as it was.\n"
    assert run(course, NEW) == 0


def test_ctrl_c_between_the_renames_leaves_every_file_as_it_was(course, monkeypatch):
    before, replace, attempts = content(course), os.replace, count(1)

    def interrupted(self, target):
        replace(self, target)
        if next(attempts) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(course, NEW)
    assert content(course) == before


def test_what_could_not_be_put_back_is_named(course, broken_disk, capsys):
    before = content(course)
    broken_disk(3, 4)  # the third rename, and then the first one that puts back
    assert run(course, NEW) == 1
    (changed,) = (path for path, old in before.items() if path.read_bytes() != old)
    assert capsys.readouterr().err == (
        "[Errno 13] Permission denied\n"
        f"The new address stayed in {changed.relative_to(course).as_posix()}; all other files are "
        "as they were. git diff shows what to put back.\n"
    )


@pytest.mark.parametrize("path", ["README.md", "CITATION.cff", "pyproject.toml"])
def test_a_missing_file_is_named(course, path, capsys):
    (course / path).unlink()
    before = content(course)
    assert run(course, NEW) == 1
    error = capsys.readouterr().err
    assert re.fullmatch(f".*No such file.*{path}'\nEvery file is as it was.\n", error)
    assert content(course) == before


@pytest.mark.parametrize("key", ["Repository", "ref"])
def test_a_pyproject_without_an_address_is_refused(course, key, capsys):
    path = course / "pyproject.toml"
    path.write_text(re.sub(f"^{key} = .*\n", "", path.read_text(), flags=re.MULTILINE))
    before = content(course)
    assert run(course, NEW) == 1
    assert capsys.readouterr().err == (
        "pyproject.toml must have Repository in [project.urls] and ref in [tool.workshop]; it has "
        f"no '{key}'.\nEvery file is as it was.\n"
    )
    assert content(course) == before


# --- this repository ---

HERE = build.read_address(ROOT)
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
    install = f'install -q "ucla-automl-workshop[colab] @ git+{HERE.repository}@{HERE.ref}"'
    assert magics == ([] if where == "elsewhere" else [("pip", install)])
    assert len(capsys.readouterr().out.splitlines()) == len(magics)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of this repository's own files, as `git clone` would give them."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no checkout of git")
    root = tmp_path_factory.mktemp("checkout")
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file() and ROOT / name != Path(__file__):  # it names made-up addresses
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, root / name)
    return root


def test_a_rewritten_copy_of_this_repository_names_the_old_address_nowhere(checkout):
    before = content(checkout)
    slug = HERE.repository.removeprefix("https://github.com/")
    for new, old in (
        (NEW, [f"{host}/{slug}" for host in ("github.com", "github", "gh", "usercontent.com")]),
        (OLD, ["Zoo-lab", "cnn.course", "class/2027.1", "class%2F2027.1"]),
    ):
        address.rewrite(checkout, new)
        found = [
            (str(path.relative_to(checkout)), word)
            for path, data in content(checkout).items()
            for word in old
            if word.encode() in data
        ]
        assert found == []
    assert address.rewrite(checkout, HERE)
    assert content(checkout) == before
