"""`workshop.environment`: seeds, quiet logs, and a report that loads nothing."""

import contextlib
import gc
import importlib.metadata
import logging
import os
import platform
import random
import subprocess
import sys
import warnings
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

import workshop
from workshop.__main__ import main
from workshop.environment import (
    check_environment,
    heavy_imports,
    in_colab,
    quiet_logs,
    quiet_stderr,
    seed_everything,
)
from workshop.environment import report as report_module


@pytest.fixture(autouse=True)
def restore_generators():
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    yield
    random.setstate(states[0])
    np.random.set_state(states[1])  # noqa: NPY002


@pytest.fixture
def no_frameworks(monkeypatch):
    for name in ("keras", "torch"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_colab_is_known_by_its_module(monkeypatch):
    assert not in_colab()
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace())
    assert in_colab()
    assert check_environment().loc["Colab", "found"] == "yes"


# --- seeds ------------------------------------------------------------------------------------


def test_seeds_python_and_numpy(no_frameworks):
    seed_everything(7)
    assert random.random() == random.Random(7).random()
    assert np.random.random() == np.random.RandomState(7).random()  # noqa: NPY002
    assert not {"keras", "torch"} & set(sys.modules)  # and imports no framework


def test_seeds_the_frameworks_that_are_there(monkeypatch):
    seen = []
    utils = SimpleNamespace(set_random_seed=lambda seed: seen.append(("keras", seed)))
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(utils=utils))
    cudnn = SimpleNamespace(deterministic=False)
    torch = SimpleNamespace(
        manual_seed=lambda seed: seen.append(("torch", seed)),
        backends=SimpleNamespace(cudnn=cudnn),
    )
    monkeypatch.setitem(sys.modules, "torch", torch)
    seed_everything(np.int64(5))
    assert cudnn.deterministic
    assert seen == [("keras", 5), ("torch", 5)]
    assert {type(seed) for _, seed in seen} == {int}


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, None])
def test_seeds_out_of_range(no_frameworks, seed):
    seed_everything(2**32 - 1)
    with pytest.raises(ValueError, match=r"seed must be .* from 0 to 2\*\*32 - 1; got"):
        seed_everything(seed)


# --- quiet ------------------------------------------------------------------------------------


LOGGERS = ("pytorch_lightning", "lightning_fabric")


@pytest.mark.parametrize(("before", "after"), [({}, "2"), ({"TF_CPP_MIN_LOG_LEVEL": "0"}, "0")])
def test_quiet_logs(monkeypatch, before, after):
    monkeypatch.setattr(os, "environ", before)
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    try:
        with warnings.catch_warnings():
            quiet_logs()
            warnings.warn("`LeafSpec` is deprecated", FutureWarning, stacklevel=1)
            warnings.warn("IProgress not found. Please update ipywidgets", stacklevel=1)
            with pytest.raises(FutureWarning, match="something else"):
                warnings.warn("something else", FutureWarning, stacklevel=1)
        assert os.environ == {"TF_CPP_MIN_LOG_LEVEL": after}
        for name in LOGGERS:
            assert not logging.getLogger(name).isEnabledFor(logging.INFO)
            assert logging.getLogger(name).isEnabledFor(logging.WARNING)
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize("there", [False, True])
def test_quiet_logs_of_a_gpu_that_is_not_used_only_where_there_is_none(monkeypatch, there):
    monkeypatch.setattr(
        report_module, "gpu", lambda: "yes: Tesla T4" if there else "no: the CPU is"
    )
    expected = pytest.raises(UserWarning, match="302") if there else contextlib.nullcontext()
    message = "CUDA initialization: Unexpected error. Error 302: Error loading CUDA libraries."
    with warnings.catch_warnings(), expected:
        quiet_logs()
        warnings.warn(message, stacklevel=1)


def test_stderr_of_a_child_is_held_back(capfd):
    with quiet_stderr():
        os.write(2, b"hidden ")
        subprocess.run([sys.executable, "-c", "import os; os.write(2, b'too')"], check=True)
    os.write(2, b"shown")
    assert capfd.readouterr().err == "shown"


def test_stderr_is_shown_when_something_fails(capfd):
    def start():
        os.write(2, b"why it failed")
        raise RuntimeError("start failed")

    with pytest.raises(RuntimeError, match="start failed"), quiet_stderr():
        start()
    os.write(2, b", and after")
    assert capfd.readouterr().err == "why it failed, and after"


# --- report -----------------------------------------------------------------------------------


# The modules without a framework are tested on Pythons that have none, too.
WHOLE = pytest.mark.skipif(find_spec("torch") is None, reason="the frameworks are not installed")

NEEDS = [
    "numpy>=2.0",
    "keras>=3.8",
    "tqdm>=4.66",
    'amber-automl>=0.1.5; extra == "colab"',
    'seaborn>=0.13; extra == "search"',
    'pytest>=8.2; extra == "test"',
]
INSTALLED = {"numpy": "2.4.6", "keras": "3.15.1", "tqdm": "4.70.1"}


@pytest.fixture
def machine(monkeypatch):
    """Make a machine up: what is installed and loaded; return its report, index to row."""

    def inspect(installed=INSTALLED, *, loaded=(), colab=False):
        def version(name):
            if name not in installed:
                raise importlib.metadata.PackageNotFoundError(name)
            return installed[name]

        monkeypatch.setattr(report_module, "SHOWN", ["numpy", "keras", "amber-automl"])
        monkeypatch.setattr(report_module, "gpu", lambda: "no")
        monkeypatch.setattr(importlib.metadata, "version", version)
        monkeypatch.setattr(importlib.metadata, "requires", lambda _: NEEDS)
        monkeypatch.setattr(importlib.metadata, "metadata", lambda _: {"Requires-Python": ">=3.10"})
        for name in ("numpy", "keras", "amber", "tqdm"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        for name, its_version in dict(loaded).items():
            monkeypatch.setitem(sys.modules, name, SimpleNamespace(__version__=its_version))
        return {row.what: row[1:] for row in report_module.inspect_environment(colab=colab)}

    return inspect


def test_all_is_well(machine):
    report = machine({**INSTALLED, "amber-automl": "0.1.5", "seaborn": "0.13.2"})
    assert report == {
        "Python": (platform.python_version(), ">=3.10", "", False),
        "Colab": ("no", "", "", False),
        "workshop": (workshop.__version__, "", "", False),
        "numpy": ("2.4.6", ">=2.0", "", False),
        "keras": ("3.15.1", ">=3.8", "", False),
        "amber-automl": ("0.1.5", ">=0.1.5", "", False),
        "GPU": ("no", "", "", False),
        "In short": ("all is well", "", "", False),
    }


def test_package_that_is_missing_and_one_below_its_range(machine):
    report = machine({"numpy": "2.4.6", "keras": "3.8rc1"})
    assert report["keras"] == ("3.8rc1", ">=3.8", 'pip install "keras>=3.8"', True)
    assert report["tqdm"] == ("missing", ">=4.66", 'pip install "tqdm>=4.66"', True)  # now shown
    assert report["In short"][0] == "off: keras, tqdm"
    assert machine({}, colab=True)["keras"][2] == '%pip install "keras>=3.8"'


@pytest.mark.parametrize(
    ("version", "loaded"),
    [("3.8", "3.8"), ("3.8.0+cu130", "3.8.0"), ("3.9.0rc1", "v3.9.0rc1"), ("4.0", "4.0+cu130")],
)
def test_package_in_its_range(machine, version, loaded):
    report = machine({**INSTALLED, "keras": version}, loaded={"keras": loaded})
    assert report["keras"] == (version, ">=3.8", "", False)


def test_what_only_day_2_needs_may_be_missing(machine):
    report = machine()
    found = "missing: Day 2 or the homework needs it"
    assert report["amber-automl"] == (found, ">=0.1.5", 'pip install "amber-automl>=0.1.5"', False)
    assert report["seaborn"][0] == found
    assert report["In short"][0] == "all is well"


@pytest.mark.parametrize(
    ("colab", "restart"),
    [(True, "Runtime → Restart session"), (False, "restart Python (the notebook's kernel)")],
)
def test_package_that_was_upgraded_after_its_import(machine, colab, restart):
    report = machine(loaded={"keras": "3.8.0"}, colab=colab)
    assert report["keras"] == ("3.15.1, but 3.8.0 is loaded", ">=3.8", restart, True)


@WHOLE
@pytest.mark.slow
def test_every_package_calls_itself_by_its_version():
    """Else it would seem to be upgraded as soon as it is imported. (AMBER needs our import.)"""
    code = (
        "import importlib; from workshop import keras_cnn; from workshop.nas import search\n"
        "from workshop.environment import report\n"
        "for name in set(report._needs()) - {'Python'}:\n"
        "    importlib.import_module(report.MODULES.get(name, name.replace('-', '_')))\n"
        "print(report.inspect_environment(colab=False)[-1].found)"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout == "all is well\n"


@pytest.mark.parametrize(
    ("version", "off"), [("3.10.0+", False), ("3.13.0rc1", False), ("3.9.18", True)]
)
def test_python_in_the_range_and_below_it(machine, monkeypatch, version, off):
    monkeypatch.setattr(platform, "python_version", lambda: version)
    to_do = "install Python >=3.10, and workshop in it" if off else ""
    assert machine()["Python"] == (version, ">=3.10", to_do, off)


def test_real_ranges_are_those_of_the_package():
    needs = report_module._needs()
    assert str(needs["Python"]) == ">=3.10"
    assert str(needs["tensorflow"]) == ">=2.18"
    assert {"captum", "shap", "seaborn", *report_module.SHOWN, *report_module.OPTIONAL} <= set(
        needs
    )
    assert not {"pytest", "jupyterlab", "seqpro"} & set(needs)


def test_table_is_a_frame_of_words(monkeypatch):
    report = check_environment()
    assert isinstance(report, pd.DataFrame)
    assert list(report) == ["found", "needed", "to do"]
    assert report.index.is_unique
    assert report.loc["Python", "found"] == platform.python_version()
    assert report.loc["numpy"].tolist() == [np.__version__, ">=2.0", ""]
    line = f"✓ All is well. Python {platform.python_version()}, workshop {workshop.__version__}; a "
    assert repr(report).startswith(line)
    assert report._repr_html_() == f"<p>{report!r}</p>"
    monkeypatch.setattr(platform, "python_version", lambda: "3.9.0")
    report = check_environment()
    page = BeautifulSoup(report._repr_html_(), "html.parser")
    cells = page.find_all(["td", "th"])
    assert [cell.text for cell in cells if cell.name == "td"] == report.to_numpy().ravel().tolist()
    assert all(cell["style"] == "text-align: left" for cell in cells[4:])
    assert "install Python" in repr(report)


@pytest.mark.parametrize(("keras", "code"), [("3.15.1", 0), ("3.7.0", 1)])
def test_doctor_prints_the_rows_below_each_other(machine, capsys, keras, code):
    machine({**INSTALLED, "keras": keras})
    assert main(["doctor"]) == code
    lines = capsys.readouterr().out.splitlines()
    (line,) = [line for line in lines if line.startswith("keras ")]
    assert line.split()[1:3] == [keras, ">=3.8"]
    assert lines[0].index("needed") == line.index(">=3.8")


def test_report_imports_no_framework():
    code = (
        "import sys; from workshop.environment import check_environment; check_environment();"
        "print(*{'tensorflow', 'keras', 'torch', 'sklearn', 'lightning'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == ""


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo Tesla T4; echo Tesla T4", "yes: Tesla T4"),
        ("echo 'no driver'; exit 9", "no: the CPU is enough for this course"),
        ("exit 0", "no: the CPU is enough for this course"),
        (None, "no: the CPU is enough for this course"),
    ],
)
def test_gpu_is_what_the_driver_says(monkeypatch, tmp_path, script, expected):
    monkeypatch.setenv("PATH", str(tmp_path))
    if script is not None:
        tool = tmp_path / "nvidia-smi"
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)
    assert report_module.gpu() == expected


# --- heavy imports ----------------------------------------------------------------------------


@pytest.fixture
def collector():
    """The garbage collector, afterwards as it was."""
    frozen = gc.get_freeze_count()
    yield
    if not frozen:
        gc.unfreeze()


def test_heavy_imports_are_not_searched_for_garbage_then_or_later(collector):
    before = gc.get_freeze_count()
    with heavy_imports():
        assert not gc.isenabled()
        brought = [[] for _ in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + len(brought)


def test_a_heavy_import_that_fails_leaves_the_collector_as_it_was(collector):
    before = gc.get_freeze_count()
    with pytest.raises(ImportError), heavy_imports():
        raise ImportError
    assert gc.isenabled()
    assert gc.get_freeze_count() == before
