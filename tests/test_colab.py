"""Installing the course into Colab changes nothing that Colab brings, and adds little.

`make replica` proves the same by doing it, and runs the notebooks there.
"""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tomllib
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from constraints import colab
from tests.pythons import find_python

ROOT = Path(__file__).resolve().parent.parent
COLAB = colab.versions()
# What Colab's own packages ask for and Colab lacks: pip brings it along with ours.
GAPS = {"ipython": ["jedi>=0.16"]}


def complaints(installed):
    """What is wrong with installing these, a dict of names to versions, into Colab."""
    found = [
        f"{name} {COLAB[name]} would become {version}"
        for name, version in installed.items()
        if name in COLAB and COLAB[name] != version
    ]
    added = sorted(set(installed) - set(COLAB) - {"ucla-automl-workshop"})
    if len(added) > colab.MOST_ADDED:
        found.append(f"{len(added)} packages would be added: {', '.join(added)}")
    return found


def test_list_is_exact_and_says_which_python():
    lines = colab.PATH.read_text(encoding="utf-8").splitlines()
    requirements = [Requirement(line) for line in lines if not line.startswith("#")]
    assert len(requirements) == len(COLAB) > 600
    assert all(
        str(one.specifier) == f"=={COLAB[canonicalize_name(one.name)]}" for one in requirements
    )
    assert colab.python_version() == "3.13"
    assert COLAB["torch"] == "2.11.0"


def test_list_is_renewed_from_what_colab_publishes():
    freeze = """\
# generated
absl-py==1.4.0
google-colab @ file:///colabtools/dist/google_colab-1.0.0.tar.gz
nvidia-nccl-cu13==2.31.2
torch @ https://download.pytorch.org/whl/cpu/torch-2.11.0%2Bcpu-cp313-cp313-linux_x86_64.whl
zipp==4.1.0
"""
    lines = colab.from_freeze(freeze, day="2026-08-19").splitlines()
    assert "2026-08-19" in lines[0]
    assert "Python 3.13" in lines[0]
    assert [line for line in lines if line[0] != "#"] == [
        "absl-py==1.4.0",
        "torch==2.11.0",
        "zipp==4.1.0",
    ]
    with pytest.raises(ValueError, match="no wheel of Torch"):
        colab.from_freeze("absl-py==1.4.0\n", day="2026-08-19")


# --- pip itself, before an environment that looks like Colab's --------------------------------


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Python of an environment in which pip sees all that Colab brings: names without code."""
    folder = tmp_path_factory.mktemp("colab")
    base = find_python(colab.python_version()) or sys.executable
    subprocess.run([base, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for name, version in COLAB.items():
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {one}" for one in GAPS.get(name, [])]
        (info / "METADATA").write_text("\n".join(lines) + "\n")
        (info / "INSTALLER").write_text("pip\n")
        (info / "RECORD").touch()
    return folder / "bin" / "python"


def resolve(python, checkout, folder):
    """Names and versions that pip would install; skips where the index cannot be reached."""
    report = folder / "report.json"
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    command += ["--retries", "1", "--dry-run", "--report", report]
    # A constraint of this machine's pip would be none of Colab's.
    environment = os.environ | {"PIP_CONSTRAINT": os.devnull}
    run = subprocess.run(
        [*command, f"ucla-automl-workshop[colab] @ {checkout.as_uri()}"],
        env=environment,
        capture_output=True,
        text=True,
    )
    if run.returncode and "connection broken by" in run.stderr:
        pytest.skip("the package index cannot be reached")
    assert run.returncode == 0, run.stderr
    found = [one["metadata"] for one in json.loads(report.read_text())["install"]]
    return {canonicalize_name(one["name"]): one["version"] for one in found}


def test_pip_changes_nothing_in_colab(python, tmp_path):
    installed = resolve(python, ROOT, tmp_path)
    assert {"ucla-automl-workshop", "amber-automl", "pytorch-lightning"} <= set(installed)
    assert complaints(installed) == []


def test_a_package_that_asks_for_more_is_found_out(python, tmp_path):
    for name in ("README.md", "LICENSE", "data/LICENSE-gimmemotifs.txt", "workshop/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert '"numpy>=2.0"' in project
    project = project.replace('"numpy>=2.0"', '"numpy>=2.2", "nbmake", "pytest-xdist", "ruff"')
    (tmp_path / "pyproject.toml").write_text(project, encoding="utf-8")
    changed, many = complaints(resolve(python, tmp_path, tmp_path))
    assert changed.startswith("numpy 2.1.3 would become 2.")
    assert "packages would be added: amber-automl, captum, execnet, jedi" in many


# --- the same without an index, from what is installed here -----------------------------------


def closure(lines):
    """What installing these requirements into Colab means, after the metadata installed here.

    A version that Colab brings and that does not fit is what pip would replace.
    """
    python = colab.python_version()
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    environment |= {"os_name": "posix", "platform_system": "Linux", "sys_platform": "linux"}
    found, todo, seen = {}, [(line, ("",)) for line in lines], set()
    while todo:
        line, extras = todo.pop()
        requirement = Requirement(line)
        marker, name = requirement.marker, canonicalize_name(requirement.name)
        if (line, extras) in seen or (
            marker and not any(marker.evaluate(environment | {"extra": one}) for one in extras)
        ):
            continue
        seen.add((line, extras))
        if name in COLAB and requirement.specifier.contains(COLAB[name], prereleases=True):
            todo += [(one, ("",)) for one in GAPS.get(name, [])]
        else:
            found[name] = importlib.metadata.version(name)
            needs = importlib.metadata.requires(name) or []
            todo += [(one, ("", *sorted(requirement.extras))) for one in needs]
    return found


def colab_requirements():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["dependencies"] + project["optional-dependencies"]["colab"]


def test_metadata_say_that_nothing_changes_in_colab():
    installed = closure(colab_requirements())
    assert {"amber-automl", "lightning-utilities", "pytorch-lightning"} <= set(installed)
    assert complaints(installed) == []


def test_metadata_find_out_a_package_that_asks_for_more():
    lines = [*colab_requirements(), "numpy>=2.2", "nbmake", "pytest-xdist", "ruff"]
    changed, many = complaints(closure(lines))
    assert changed.startswith("numpy 2.1.3 would become 2.")
    assert "packages would be added: amber-automl, captum, execnet, jedi" in many
