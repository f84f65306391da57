"""What all tests share: hypothesis draws the same examples each time, however slow the machine."""

import pytest
from hypothesis import settings

settings.register_profile("course", deadline=None, derandomize=True, print_blob=False)
settings.load_profile("course")


def pytest_addoption(parser):
    """By how many draws each answer to the homework is checked."""
    parser.addoption("--seeds", type=int, default=1)


@pytest.fixture
def untouched_settings():
    """No figure function changes matplotlib; each test closes what it drew."""
    import matplotlib as mpl  # only where figures are tested
    import matplotlib.pyplot as plt

    before, backend = dict(mpl.rcParams), mpl.get_backend()
    yield
    after = dict(mpl.rcParams)
    plt.close("all")
    assert after == before
    assert mpl.get_backend() == backend
