"""Installing the course into Colab changes nothing that Colab brings, and adds little.

`make replica` proves the same by doing it, and runs the notebooks there.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
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


def test_pip_changes_nothing_in_colab(python, tmp_path):
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    command += ["--retries", "1", "--dry-run", "--report", report]
    # A constraint of this machine's pip would be none of Colab's.
    environment = os.environ | {"PIP_CONSTRAINT": os.devnull}
    run = subprocess.run(
        [*command, f"ucla-automl-workshop[colab] @ {ROOT.as_uri()}"],
        env=environment,
        capture_output=True,
        text=True,
    )
    if run.returncode and "connection broken by" in run.stderr:
        pytest.skip("the package index cannot be reached")
    assert run.returncode == 0, run.stderr
    found = [one["metadata"] for one in json.loads(report.read_text())["install"]]
    installed = {canonicalize_name(one["name"]): one["version"] for one in found}
    assert {"ucla-automl-workshop", "amber-automl", "pytorch-lightning"} <= set(installed)
    assert complaints(installed) == []


def test_what_is_replaced_and_what_is_too_much_is_found_out():
    new = dict.fromkeys(["captum", *(f"new-{n}" for n in range(colab.MOST_ADDED))], "1.0")
    changed, many = complaints({"numpy": "2.2.0", "torch": COLAB["torch"], **new})
    assert changed == "numpy 2.1.3 would become 2.2.0"
    assert many.startswith("9 packages would be added: captum, new-0, ")
