"""No test, and no notebook that pytest runs, sees the files that its author has downloaded."""

import tempfile

import pytest


def pytest_configure(config):
    """Let the cache be an empty folder: a fixture would not reach the notebooks' kernels."""
    folder = tempfile.TemporaryDirectory(prefix="workshop-cache-")
    config.add_cleanup(folder.cleanup)
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    patch.setenv("WORKSHOP_CACHE", folder.name)
