"""pyproject.toml, the lock, environment.yml, the Makefile and the notebooks say the same."""

import re
from pathlib import Path

import nbformat
import pytest
import tomllib
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import workshop

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
BASE = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
EXTRAS = {
    name: [Requirement(line) for line in lines]
    for name, lines in PROJECT["project"]["optional-dependencies"].items()
}
REPOSITORY = PROJECT["project"]["urls"]["Repository"]
REF = PROJECT["tool"]["workshop"]["ref"]
INSTALLED_EXTRAS = ("lab", "test")  # what `make run` installs

# Colab's published runtime of August 2026.
COLAB = {
    "ipykernel": "6.17.1",
    "ipython": "7.34.0",
    "keras": "3.13.2",
    "matplotlib": "3.10.0",
    "nbclient": "0.10.4",
    "nbconvert": "7.17.1",
    "numpy": "2.1.3",
    "pandas": "2.2.3",
    "scikit-learn": "1.6.1",
    "scipy": "1.16.3",
    "shap": "0.52.0",
    "tensorboard": "2.20.0",
    "tensorflow": "2.20.0",
    "torch": "2.11.0",
}


def locked():
    lines = (ROOT / "constraints" / "lock.txt").read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9A-Za-z.]+", line) for line in lines), lines
    return {canonicalize_name(line.split("==")[0]): line.split("==")[1] for line in lines}


def requirements(names):
    own = [one for name in names for one in EXTRAS[name] if one.name != "workshop"]
    return BASE + own


def test_lock_is_exact_and_without_builds_or_addresses():
    versions = locked()
    assert versions["torch"] == "2.13.0"
    assert "workshop" not in versions


@pytest.mark.parametrize("requirement", requirements(INSTALLED_EXTRAS), ids=str)
def test_lock_is_in_range(requirement):
    version = locked()[canonicalize_name(requirement.name)]
    assert version in requirement.specifier


@pytest.mark.parametrize("requirement", requirements(EXTRAS), ids=str)
def test_range_admits_the_lock_and_colab_and_has_no_upper_end(requirement):
    name = canonicalize_name(requirement.name)
    for versions in (locked(), COLAB):
        assert name not in versions or versions[name] in requirement.specifier
    assert all(one.operator == ">=" for one in requirement.specifier)


def test_colab_extra_brings_only_what_colab_lacks():
    assert not {requirement.name for requirement in EXTRAS["colab"]} & set(COLAB)


def test_environment_yml_installs_what_make_run_installs():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (pip,) = [one["pip"] for one in environment["dependencies"] if isinstance(one, dict)]
    extras = ",".join(INSTALLED_EXTRAS)
    assert pip == ["-c constraints/lock.txt", f"-e .[{extras}]"]
    assert re.search(rf"^EXTRAS := {extras}$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    (python,) = [one for one in environment["dependencies"] if str(one).startswith("python=")]
    header = (ROOT / "constraints" / "lock.txt").read_text().splitlines()[0]
    assert f"Python {python.removeprefix('python=')}." in header


def test_citation_is_in_step():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == workshop.__version__
    assert citation["repository-code"] == REPOSITORY
    assert citation["license"] == PROJECT["project"]["license"]


PAGES = [ROOT / "README.md", *sorted((ROOT / "notebooks").rglob("*.ipynb"))]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_addresses_are_pyprojects(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "\n".join(cell.source for cell in nbformat.reads(text, as_version=4).cells)
    slug = REPOSITORY.removeprefix("https://github.com/")
    colab = re.findall(r"https://colab\.research\.google\.com/github/([^)\s\"]+)", text)
    assert colab, "no Open in Colab badge"
    for address in colab:
        assert address.startswith(f"{slug}/blob/{REF}/")
        target = ROOT / address.removeprefix(f"{slug}/blob/{REF}/")
        assert target.is_file()
        assert path.suffix != ".ipynb" or target == path
    installs = re.findall(r"git\+(\S+?)@([^\s\"']+)", text)
    assert path.suffix != ".ipynb" or installs, "no setup cell"
    assert all(install == (REPOSITORY, REF) for install in installs)
