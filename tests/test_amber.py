"""AMBER is imported on today's stack, and nothing else notices."""

import os
import subprocess
import sys

import pytest


def run(code, *, home, **environment):
    """Run code in a fresh Python whose home is `home`; return what it printed."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "HOME": str(home), "USERPROFILE": str(home), **environment},
        capture_output=True,
        text=True,
        cwd=home,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split()


TRACES = """
import logging, os, random, sys
import matplotlib
matplotlib.use("svg")
import matplotlib.pyplot as plt
import numpy as np
import torch
import pytorch_lightning

figure = plt.figure()
matplotlib.rcParams["axes.titlesize"] = 7.0

def state():
    return {
        "rcParams": dict(matplotlib.rcParams),
        "backend": matplotlib.get_backend(),
        "figures": plt.get_fignums(),
        "use": matplotlib.use,
        "numpy": str(np.random.get_state()),
        "torch": torch.get_rng_state().tolist(),
        "python": random.getstate(),
        "environment": {k: v for k, v in os.environ.items() if k.startswith("AMB")},
        "threads": torch.get_num_threads(),
        "loggers": [logging.getLogger(name).level for name in ("lightning", "pytorch_lightning")],
        "lent": {k: sys.modules.get(k) for k in (
            "pytorch_lightning.loggers.base",
            "pytorch_lightning.utilities.logger",
            "torch.testing._internal.common_utils",
            "tensorflow",
        )},
        "lightning": sorted(vars(pytorch_lightning.loggers)),
        "home": sorted(os.listdir(os.path.expanduser("~"))),
    }

before = state()
from workshop.nas import search
after = state()
print(*[name for name in before if before[name] != after[name]] or ["none"])
"""


def test_importing_it_leaves_no_trace(tmp_path):
    assert run(TRACES, home=tmp_path) == ["none"]


def test_settings_of_another_amber_in_the_home_are_not_read(tmp_path):
    config = tmp_path / ".amber" / "config.json"
    config.parent.mkdir()
    config.write_text('{"backend": "tensorflow_1"}')
    code = "from workshop.nas import search; import amber; print(amber.backend.mod_name)"
    assert run(code, home=tmp_path, AMBBACKEND="tensorflow_2") == ["pytorch"]
    assert config.read_text() == '{"backend": "tensorflow_1"}'
    assert os.listdir(config.parent) == ["config.json"]


def test_tensorflow_is_loaded_by_nobody_and_works_afterwards(tmp_path):
    code = """
import sys
from workshop.nas import search
loaded = "tensorflow" in sys.modules
from workshop import keras_cnn
from workshop.architecture import DAY1_CNN
print(loaded, keras_cnn.build_cnn(DAY1_CNN).count_params())
"""
    assert run(code, home=tmp_path) == ["False", "961"]


@pytest.mark.parametrize("missing", ["amber", "seaborn"])
def test_without_it_the_install_line_is_shown_and_the_rest_works(tmp_path, missing):
    code = f"""
import sys
sys.modules[{missing!r}] = None
import workshop
try:
    from workshop.nas import search
except ImportError as error:
    message = str(error)
assert "pip install amber-automl seaborn" in message, message
assert {missing!r} in message
assert "pytorch_lightning.loggers.base" not in sys.modules
from workshop import datasets, evaluation, motifs, plot, splits, torch_cnn
from workshop.architecture import DAY1_CNN
print(sum(p.numel() for p in torch_cnn.build_cnn(DAY1_CNN).parameters()))
"""
    assert run(code, home=tmp_path) == ["961"]


def test_an_amber_that_is_loaded_with_another_backend_is_refused(tmp_path):
    code = """
import sys, types
amber = types.ModuleType("amber")
amber.backend = types.SimpleNamespace(mod_name="tensorflow_2")
sys.modules["amber"] = amber
try:
    from workshop.nas import search
except ImportError as error:
    print("tensorflow_2" in str(error) and "Restart Python" in str(error))
"""
    assert run(code, home=tmp_path) == ["True"]
