"""AMBER 0.1.5, imported on today's Python without leaving a trace.

AMBER was written for Lightning 1 and reads its settings from the user's home when it is imported.
Three modules that it asks for are gone or unwanted: they are lent to it as stand-ins and taken
away again. Nothing of AMBER itself is changed.

AMBER is by Zhang et al. (2021), doi:10.1038/s42256-021-00316-z. Its licence is GPL-3.0: this
course calls it and copies nothing.
"""

import contextlib
import os
import sys
import tempfile
import unittest
import warnings
from types import SimpleNamespace
from unittest import mock

import matplotlib
import numpy as np
import torch

from workshop.environment import loggers_kept


def _stand_ins():
    """The three modules that AMBER asks for, by name."""
    from lightning_fabric.utilities.logger import _add_prefix, _convert_params
    from pytorch_lightning.loggers import logger

    modules = {
        "pytorch_lightning.loggers.base": SimpleNamespace(
            LightningLoggerBase=logger.Logger, rank_zero_experiment=logger.rank_zero_experiment
        ),
        "pytorch_lightning.utilities.logger": SimpleNamespace(
            _add_prefix=_add_prefix, _convert_params=_convert_params
        ),
        # The real one reseeds Torch when it is imported, and AMBER needs a class of it only.
        "torch.testing._internal.common_utils": SimpleNamespace(TestCase=unittest.TestCase),
    }
    if "tensorflow" not in sys.modules:
        modules["tensorflow"] = None  # hidden: AMBER would load it, and never use it
    return modules


@contextlib.contextmanager
def _lent_modules(modules):
    """Put `modules` into `sys.modules`, for a while."""
    before = {name: sys.modules[name] for name in modules if name in sys.modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in modules:
            sys.modules.pop(name, None)
        sys.modules.update(before)


def _load():
    """Import AMBER with its Torch backend; return the module ``amber``."""
    random_state = np.random.get_state()  # noqa: NPY002 - importing must not move the caller's
    with (
        tempfile.TemporaryDirectory() as nowhere,
        mock.patch.dict(os.environ, AMBBACKEND="pytorch", AMBDEFAULTDIR=nowhere),
        matplotlib.rc_context(),  # AMBER sets backend and rcParams for its own plots
        mock.patch.object(matplotlib, "use"),  # the real one would close open figures
        loggers_kept("pytorch_lightning", "lightning"),  # AMBER raises their levels
        torch.random.fork_rng(devices=[]),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # about its own code, written for older libraries
        try:
            with _lent_modules(_stand_ins()):
                import amber
        except ImportError as error:
            raise ImportError(
                "workshop.nas needs AMBER, the package amber-automl, and what it needs itself "
                f"({error}). Install it with: pip install amber-automl seaborn"
            ) from error
        finally:
            np.random.set_state(random_state)  # noqa: NPY002
    if amber.backend.mod_name != "pytorch":
        raise ImportError(
            "workshop.nas needs AMBER with its Torch backend; it was imported before with "
            f"{amber.backend.mod_name!r}. Restart Python and import workshop.nas first."
        )
    return amber


_amber = _load()
ModelSpace = _amber.architect.ModelSpace
Operation = _amber.backend.Operation
GeneralController = _amber.architect.GeneralController


def release(name):
    """Forget the parameters of the controller `name`, which AMBER keeps in a global graph."""
    from amber.backend.pytorch import cache

    graph = cache.GLOBAL_DEFAULT_GRAPH
    for key in [key for key in graph.param_cache if f"/{name}/" in key]:
        del graph.param_cache[key]
        delattr(graph, key)
