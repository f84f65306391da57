"""What holds for all tests: no downloaded file is seen, what takes longest begins first."""

import signal
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
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # begun in the background by a script
        signal.signal(signal.SIGINT, signal.default_int_handler)  # tests send it to processes


def pytest_collection_modifyitems(items):
    """Begin with what takes minutes: else one process ends with it, the others idle."""
    longest = ("notebooks/", "tests/test_site.py", "tests/test_walls.py")
    items.sort(key=lambda item: not item.nodeid.startswith(longest))


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    """So that an example in a docstring need not close what it drew."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
