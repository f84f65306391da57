"""No test, and no notebook that pytest runs, sees the files that its author has downloaded."""

import sys
import tempfile

import pytest


def pytest_configure(config):
    """Let the cache be an empty folder: a fixture would not reach the notebooks' kernels."""
    folder = tempfile.TemporaryDirectory(prefix="workshop-cache-")
    config.add_cleanup(folder.cleanup)
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    patch.setenv("WORKSHOP_CACHE", folder.name)


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    """So that an example in a docstring need not close what it drew."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
