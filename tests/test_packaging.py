"""pyproject.toml, the lock, environment.yml, the Makefile and the notebooks say the same."""

import importlib.metadata
import os
import platform
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import tomllib
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import workshop
from constraints import colab, install

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
BASE = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
EXTRAS = {
    name: [Requirement(line) for line in lines]
    for name, lines in PROJECT["project"]["optional-dependencies"].items()
}
REPOSITORY = PROJECT["project"]["urls"]["Repository"]
INSTALLED_EXTRAS = ("lab", "test")  # what `make run` installs

COLAB = colab.versions()
LOCK = (ROOT / "constraints" / "lock.txt").read_text(encoding="utf-8").splitlines()
(LOCKED_PYTHON,) = re.findall(r"on Python (3\.\d+)\.\d+\.$", LOCK[0])


def locked():
    lines = [line for line in LOCK if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9A-Za-z.]+", line) for line in lines), lines
    versions = {canonicalize_name(line.split("==")[0]): line.split("==")[1] for line in lines}
    assert len(versions) == len(lines), "a package is locked twice"
    return versions


def requirements(extras):
    """Requirements of the base and of these extras, with those of the extras that they name."""
    found, extras = list(BASE), list(extras)
    while extras:
        for one in EXTRAS[extras.pop()]:
            if one.name == PROJECT["project"]["name"]:
                extras += sorted(one.extras)  # a set: each process would have its own order
            else:
                found.append(one)
    return list(dict.fromkeys(found))


def closure(requirements):
    """Names of all that these bring here, by the metadata of what is installed."""
    seen, left = set(), [(one.name, extra) for one in requirements for extra in ["", *one.extras]]
    while left:
        name, extra = left.pop()
        if (name := canonicalize_name(name), extra) in seen:
            continue
        seen.add((name, extra))
        for one in map(Requirement, importlib.metadata.requires(name) or []):
            if one.marker is None or one.marker.evaluate({"extra": extra}):
                left += [(one.name, extra) for extra in ["", *one.extras]]
    return {name for name, _ in seen}


def test_lock_is_exact_without_builds_or_addresses_and_whole():
    versions = locked()
    assert versions["torch"] == "2.13.0"
    assert PROJECT["project"]["name"] not in versions
    assert {canonicalize_name(one.name) for one in requirements(INSTALLED_EXTRAS)} <= set(versions)


def test_lock_holds_what_is_needed_and_nothing_else():
    versions = locked()
    installed = {
        canonicalize_name(one.metadata["Name"]): one.version.split("+")[0]  # torch's 2.13.0+cpu
        for one in importlib.metadata.distributions()
    }
    others = {name for name in set(versions) & set(installed) if versions[name] != installed[name]}
    if others or sys.platform != "linux" or not platform.python_version().startswith(LOCKED_PYTHON):
        pytest.skip("it is not the locked versions that are installed here")
    needed = closure(requirements(INSTALLED_EXTRAS)) | {"uv"}  # which installs the others
    assert set(versions) <= needed, "stale lines in the lock"
    # `pip freeze` leaves out what installs; and Torch for a CPU needs no CUDA.
    unlocked = r"setuptools|wheel|triton|(nvidia|cuda)-.*"
    assert not [one for one in needed - set(versions) if not re.fullmatch(unlocked, one)]


def test_a_package_has_one_range():
    ranges = {}
    for one in requirements(EXTRAS):
        assert ranges.setdefault(one.name, one.specifier) == one.specifier


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
    assert python == f"python={LOCKED_PYTHON}"
    assert LOCKED_PYTHON in SpecifierSet(PROJECT["project"]["requires-python"])


def test_uv_is_told_what_pip_is_configured_with(tmp_path, monkeypatch):
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://a.example/simple\nfind-links = /x\ncert = /global.pem\n"
        "[install]\nfind-links =\n    /wheels\n    https://b.example/more\n"
    )
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("PIP_CERT", "/ours.pem")
    settings = install.pip_settings()
    assert settings["cert"] == "/ours.pem"
    command = " ".join(install.uv_command(settings))
    assert "--default-index https://a.example/simple" in command
    assert "--find-links /wheels --find-links https://b.example/more" in command
    assert "/x" not in command


@pytest.mark.parametrize("failing", ["uv", "-e"])
def test_pip_installs_where_uv_cannot(monkeypatch, capsys, failing):
    commands = []

    def run(command, **_):
        commands.append(command)
        with_uv = "uv" in command  # pip gets uv, then uv installs
        return SimpleNamespace(returncode=int(with_uv and failing in command))

    monkeypatch.setattr(install, "pip_settings", dict)
    monkeypatch.setattr(install.subprocess, "run", run)
    assert install.install("lab") == 0
    assert commands[-1][1:3] == ("-m", "pip")
    assert commands[-1][-2:] == ("-e", ".[lab]")
    assert len(commands) == (2 if failing == "uv" else 3)
    assert "pip tries" in capsys.readouterr().out


def test_citation_is_in_step():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == workshop.__version__
    assert citation["repository-code"] == REPOSITORY
    assert citation["license"] == PROJECT["project"]["license"]
