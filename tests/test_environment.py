"""`workshop.environment`: seeds, quiet logs, and a report that loads nothing."""

import contextlib
import gc
import glob
import importlib.metadata
import logging
import os
import platform
import random
import subprocess
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import packaging
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from packaging.specifiers import SpecifierSet
from packaging.version import Version

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
from workshop.environment.table import RuntimeTable


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


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_ends_of_the_range(no_frameworks, seed):
    seed_everything(seed)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "1", None])
def test_seeds_out_of_range(seed):
    with pytest.raises(
        ValueError, match=r"seed must be a whole number from 0 to 2\*\*32 - 1; got"
    ) as error:
        seed_everything(seed)
    assert repr(seed) in str(error.value)


# --- quiet ------------------------------------------------------------------------------------


LOGGERS = ("pytorch_lightning", "lightning_fabric")


def test_quiet_logs(monkeypatch):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    try:
        with warnings.catch_warnings():
            quiet_logs()
            warnings.warn("`LeafSpec` is deprecated", FutureWarning, stacklevel=1)
            warnings.warn("IProgress not found. Please update ipywidgets", stacklevel=1)
            with pytest.raises(FutureWarning, match="something else"):
                warnings.warn("something else", FutureWarning, stacklevel=1)
        assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "2"
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


def test_quiet_logs_leaves_the_users_setting(monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    with warnings.catch_warnings():
        quiet_logs()
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == "0"


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


def test_stderr_leaves_no_descriptor_open():
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with quiet_stderr():
            pass
    assert len(os.listdir("/proc/self/fd")) == before


def test_process_without_stderr(monkeypatch):
    def fail(_):
        raise OSError("Bad file descriptor")

    monkeypatch.setattr(os, "dup", fail)
    ran = False
    with quiet_stderr():
        ran = True
    assert ran
    with pytest.raises(RuntimeError, match="passes"), quiet_stderr():
        raise RuntimeError("passes")


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
    """Make a machine up: what is installed, loaded and needed; return its report, index to row."""

    for variable in ("COLAB_RELEASE_TAG", "KAGGLE_KERNEL_RUN_TYPE"):
        monkeypatch.delenv(variable, raising=False)

    def report(installed=INSTALLED, *, loaded=(), colab=False):
        installed = {"packaging": packaging.__version__, **installed}
        monkeypatch.setattr(report_module, "SHOWN", ("numpy", "keras", "amber-automl"))
        monkeypatch.setattr(report_module, "gpu", lambda: "no")
        monkeypatch.setattr(report_module, "_version", installed.get)
        monkeypatch.setattr(importlib.metadata, "requires", lambda _: NEEDS)
        monkeypatch.setattr(importlib.metadata, "metadata", lambda _: {"Requires-Python": ">=3.10"})
        for name in ("numpy", "keras", "amber", "tqdm"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        for name, its_version in dict(loaded).items():
            monkeypatch.setitem(sys.modules, name, SimpleNamespace(__version__=its_version))
        return {row.what: row[1:] for row in report_module.look(colab=colab)}

    return report


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


def test_missing_package_and_the_line_that_mends_it(machine):
    report = machine({"numpy": "2.4.6", "keras": "3.15.1"})
    assert report["tqdm"] == ("missing", ">=4.66", 'pip install "tqdm>=4.66"', True)  # now shown
    assert report["In short"][0] == "1 thing is off"


def test_package_below_its_range(machine):
    report = machine({**INSTALLED, "keras": "3.7.0", "tqdm": "4.66rc1"})
    assert report["keras"] == ("3.7.0", ">=3.8", 'pip install "keras>=3.8"', True)
    assert report["tqdm"] == ("4.66rc1", ">=4.66", 'pip install "tqdm>=4.66"', True)
    assert report["In short"][0] == "2 things are off"


@pytest.mark.parametrize("raises", [True, False])  # as packaging does before 26, and since
def test_version_that_cannot_be_read_is_off(machine, monkeypatch, raises):
    contains = SpecifierSet.contains

    def older(self, item, **options):
        return contains(self, Version(item) if raises else item, **options)

    monkeypatch.setattr(SpecifierSet, "contains", older)
    report = machine({**INSTALLED, "keras": "3.8-from-git"})
    assert report["keras"] == ("3.8-from-git", ">=3.8", 'pip install "keras>=3.8"', True)


@pytest.mark.parametrize("version", ["3.8", "3.8.0+cu130", "3.9.0rc1"])
def test_package_in_its_range(machine, version):
    assert machine({**INSTALLED, "keras": version})["keras"] == (version, ">=3.8", "", False)


def test_what_is_optional_on_a_laptop_is_needed_in_colab(machine):
    report = machine()
    found = "missing: only Day 2's search needs it"
    assert report["amber-automl"] == (found, ">=0.1.5", 'pip install "amber-automl>=0.1.5"', False)
    assert report["seaborn"][0] == found
    assert report["In short"][0] == "all is well"
    report = machine(colab=True)
    assert report["Colab"][0] == "yes"
    install = '%pip install "amber-automl>=0.1.5"'
    assert report["amber-automl"] == ("missing", ">=0.1.5", install, True)
    assert report["In short"][0] == "2 things are off"


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        (["COLAB_RELEASE_TAG"], "yes"),
        (["KAGGLE_KERNEL_RUN_TYPE"], "no, but Kaggle"),
        (["COLAB_RELEASE_TAG", "KAGGLE_KERNEL_RUN_TYPE"], "no, but Kaggle"),
    ],
)
def test_a_command_knows_colab_and_kaggle_by_their_variables(
    machine, monkeypatch, variables, found
):
    for variable in variables:
        monkeypatch.setenv(variable, "set")
    report = machine()
    assert report["Colab"][0] == found
    install = '%pip install "amber-automl>=0.1.5"'
    assert report["amber-automl"] == ("missing", ">=0.1.5", install, True)
    assert not in_colab()  # what else asks for it is not in a command


@pytest.mark.parametrize(
    ("variable", "restart"),
    [
        ("COLAB_RELEASE_TAG", "Runtime → Restart session"),
        ("KAGGLE_KERNEL_RUN_TYPE", "restart the session (menu Run)"),
        ("NEITHER", "restart Python (the notebook's kernel)"),
    ],
)
def test_package_that_was_upgraded_after_its_import(machine, monkeypatch, variable, restart):
    monkeypatch.setenv(variable, "set")
    report = machine(loaded={"keras": "3.8.0"})
    assert report["keras"] == ("3.15.1, but 3.8.0 is loaded", ">=3.8", restart, True)


@pytest.mark.parametrize("loaded", ["3.15.1", "3.15.1+cu130", "v3.15.1"])
def test_loaded_is_what_is_installed(machine, loaded):
    assert machine(loaded={"keras": loaded})["keras"] == ("3.15.1", ">=3.8", "", False)


@WHOLE
@pytest.mark.slow
def test_every_package_calls_itself_by_its_version():
    """Else it would seem to be upgraded as soon as it is imported. (AMBER needs our import.)"""
    code = (
        "import importlib; from workshop import keras_cnn; from workshop.nas import search\n"
        "from workshop.environment import report\n"
        "for name in {*report.SHOWN, *report._needs()[1]}:\n"
        "    importlib.import_module(report.MODULES.get(name, name))\n"
        "print(report.look(colab=False)[-1].found)"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout == "all is well\n"


@pytest.fixture
def site(monkeypatch, tmp_path):
    """A folder of packages that come before all others."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_half_installed_package_is_missing(site):
    (site / "tqdm_half-1.0.dist-info").mkdir()
    assert report_module._version("tqdm-half") is None
    assert report_module._version("nowhere-half") is None
    row = report_module._package("tqdm-half", None, host=None)
    assert row == ("tqdm-half", "missing", "", "pip install tqdm-half", True)


def test_whole_package_counts_beside_the_remains_of_another(site):
    (site / "numpy-1.0.dist-info").mkdir()
    assert report_module._version("numpy") == np.__version__


def test_half_installed_workshop_has_no_ranges(site):
    (site / "workshop-0.dist-info").mkdir()
    assert report_module._needs() == (None, {})


@pytest.mark.parametrize("version", ["3.10.0+", "3.13.0rc1", "3.11.7"])
def test_python_in_the_range(machine, monkeypatch, version):
    monkeypatch.setattr(platform, "python_version", lambda: version)
    assert machine()["Python"] == (version, ">=3.10", "", False)


def test_python_below_the_range(machine, monkeypatch):
    monkeypatch.setattr(platform, "python_version", lambda: "3.9.18")
    mend = "install Python >=3.10, and workshop in it"
    assert machine()["Python"] == ("3.9.18", ">=3.10", mend, True)


def test_real_ranges_are_those_of_the_package():
    python, ranges = report_module._needs()
    assert python == importlib.metadata.metadata("workshop")["Requires-Python"]
    assert str(ranges["tensorflow"]) == ">=2.18"
    assert {"captum", "shap", "seaborn"} <= set(ranges)
    assert set(report_module.SHOWN) | set(report_module.OPTIONAL) <= set(ranges)
    assert not {"pytest", "jupyterlab", "seqpro"} & set(ranges)


def test_table_is_a_frame_of_words():
    report = check_environment()
    assert isinstance(report, pd.DataFrame)
    assert list(report) == ["found", "needed", "to do"]
    assert report.index.is_unique
    assert report.loc["Python", "found"] == platform.python_version()
    assert report.loc["numpy"].tolist() == [np.__version__, ">=2.0", ""]
    assert type(report[["found"]]) is pd.DataFrame


def test_table_shows_whole_lines_left_aligned():
    long = "x" * 80 + "<"
    rows = [report_module.Row("numpy", long, ">=2.0", "pip"), report_module.Row("GPU", "no")]
    table = RuntimeTable.of(rows)
    page = BeautifulSoup(table._repr_html_(), "html.parser")
    cells = page.find_all(["td", "th"])
    assert [cell.text for cell in cells if cell.name == "td"] == [
        long,
        ">=2.0",
        "pip",
        "no",
        "",
        "",
    ]
    assert all(cell["style"] == "text-align: left" for cell in cells)
    assert repr(table).splitlines() == [
        "       " + "found".ljust(81) + "  needed  to do",
        "numpy  " + long + "  >=2.0   pip",
        "GPU    no",
    ]


@WHOLE
def test_all_is_well_where_the_tests_run():
    report = check_environment()
    assert report.loc["In short"].tolist() == ["all is well", "", ""]
    assert not report["to do"].any()


@pytest.mark.parametrize("installed", [INSTALLED, {}])
def test_doctor_prints_the_same(machine, capsys, installed):
    machine(installed)
    report = check_environment()
    assert main(["doctor"]) == (0 if installed else 1)
    assert capsys.readouterr().out == f"{report}\n"


def test_doctor_without_any_package():
    """As in a folder that was downloaded and never installed: not even numpy is there."""
    ran = subprocess.run(
        [sys.executable, "-S", "-m", "workshop", "doctor"],
        cwd=Path(workshop.__file__).parent.parent,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1
    assert ran.stderr == ""
    report = {line.split("  ")[0]: line for line in ran.stdout.splitlines()}
    assert f"{workshop.__version__} (ranges unknown)" in report["workshop"]
    assert report["numpy"].split() == ["numpy", "missing", "pip", "install", "numpy"]
    assert "missing: only Day 2's search needs it" in report["amber-automl"]
    assert "missing" in report["packaging"]
    needed = set(report_module.SHOWN) - set(report_module.OPTIONAL) | {"packaging"}
    assert f"{len(needed)} things are off" in report["In short"]


def test_report_imports_no_framework():
    code = (
        "import sys; from workshop.environment import check_environment; check_environment();"
        "print(*{'tensorflow', 'keras', 'torch', 'sklearn', 'lightning'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == ""


# --- GPU --------------------------------------------------------------------------------------


@pytest.fixture
def driver(monkeypatch, tmp_path):
    """Let the driver say `information`, and nvidia-smi run `script`; neither where left out."""

    def install(*, information=None, script=None):
        path = tmp_path / "information"
        if information is not None:
            path.write_text(information)
        monkeypatch.setattr(glob, "glob", lambda _: [str(path)] if path.exists() else [])
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if script is not None:
            tool = tmp_path / "nvidia-smi"
            tool.write_text(f"#!/bin/sh\n{script}\n")
            tool.chmod(0o755)

    return install


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ({"information": "Model: \t\t Tesla T4\nIRQ:   33\n"}, "yes: Tesla T4"),
        ({"information": ""}, "yes: NVIDIA"),
        ({"script": "echo Tesla T4; echo Tesla T4"}, "yes: Tesla T4"),
        ({"script": "echo 'no driver'; exit 9"}, "no: the CPU is enough for this course"),
        ({"script": "exit 0"}, "no: the CPU is enough for this course"),
        ({}, "no: the CPU is enough for this course"),
    ],
)
def test_gpu_is_what_the_driver_says(driver, says, expected):
    driver(**says)
    assert report_module.gpu() == expected


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_gpu_that_is_hidden(driver, monkeypatch, hidden):
    driver(information="Model: Tesla T4\n")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert report_module.gpu() == "no: CUDA_VISIBLE_DEVICES hides it"


# --- heavy imports ----------------------------------------------------------------------------


@pytest.fixture
def collector():
    """The garbage collector, afterwards as it was."""
    collects, frozen = gc.isenabled(), gc.get_freeze_count()
    yield gc
    (gc.enable if collects else gc.disable)()
    if not frozen:
        gc.unfreeze()


@pytest.mark.parametrize("collects", [True, False])
def test_heavy_imports_are_not_searched_for_garbage_then_or_later(collector, collects):
    (gc.enable if collects else gc.disable)()
    before = gc.get_freeze_count()
    with heavy_imports():
        assert not gc.isenabled()
        brought = [[] for _ in range(1000)]
    assert gc.isenabled() == collects
    assert gc.get_freeze_count() >= before + len(brought)


def test_a_heavy_import_that_fails_leaves_the_collector_as_it_was(collector):
    gc.enable()
    before = gc.get_freeze_count()
    with pytest.raises(ImportError), heavy_imports():
        raise ImportError
    assert gc.isenabled()
    assert gc.get_freeze_count() == before
