"""`workshop.environment`: seeds, quiet logs, and a report that loads nothing."""

import builtins
import importlib.metadata
import io
import logging
import os
import platform
import random
import subprocess
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from workshop import environment
from workshop.environment import (
    check_environment,
    in_colab,
    quiet_logs,
    quiet_stderr,
    seed_everything,
)


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
    torch = SimpleNamespace(manual_seed=lambda seed: seen.append(("torch", seed)))
    monkeypatch.setitem(sys.modules, "torch", torch)
    seed_everything(np.int64(5))
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


def test_report_names_versions_and_what_is_missing(monkeypatch):
    monkeypatch.setattr(environment, "PACKAGES", ("numpy", "no-such-package"))
    report = check_environment()
    assert list(report.index) == ["Python", "Colab", "numpy", "no-such-package", "GPU"]
    assert list(report) == ["found"]
    assert report["found"].tolist()[:4] == [
        platform.python_version(),
        "no",
        np.__version__,
        "missing: pip install no-such-package",
    ]


def test_report_covers_what_the_package_needs():
    required = importlib.metadata.requires("workshop")
    base = {line.split(">")[0].split(";")[0].strip() for line in required if "extra ==" not in line}
    # Brought by Jupyter, scikit-learn (two), Torch, and what a download needs.
    invisible = {"ipython", "scipy", "threadpoolctl", "filelock"}
    invisible |= {"packaging", "pooch", "requests", "tqdm"}
    assert base - invisible <= set(check_environment().index)
    assert not check_environment()["found"].str.startswith("missing").any()


def test_report_imports_no_framework():
    code = (
        "import sys; from workshop.environment import check_environment; check_environment();"
        "print(*{'tensorflow', 'keras', 'torch', 'sklearn', 'lightning'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == ""


@pytest.mark.parametrize(
    ("information", "device", "expected"),
    [
        ("Model: \t\t Tesla T4\nIRQ: 33\n", True, "Tesla T4"),
        ("", True, "yes"),
        (None, True, "yes"),
        (None, False, "none: the CPU is enough for this course"),
    ],
)
def test_gpu_is_what_the_driver_says(monkeypatch, information, device, expected):
    def open_information(path, *args, **kwargs):
        assert path == "/proc/driver/nvidia/gpus/0/information"
        if information is None:
            raise FileNotFoundError(path)
        return io.StringIO(information)

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "open", open_information)
        patch.setattr(os.path, "exists", lambda path: device and path == "/dev/nvidia0")
        found = environment._gpu_name()
    assert found == expected
