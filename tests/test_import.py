"""`import workshop` loads no framework, so it is quick."""

import importlib
import subprocess
import sys

import pytest

import workshop

HEAVY = {"tensorflow", "keras", "torch", "pytorch_lightning", "sklearn", "pandas", "matplotlib"}


def test_import_loads_no_framework():
    code = "import sys, workshop; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert "workshop" in loaded.stdout.split()
    assert not HEAVY & set(loaded.stdout.split())


@pytest.mark.parametrize("name", [name for name in workshop.__all__ if name != "__version__"])
def test_each_listed_module_is_there_and_keeps_its_promise(name):
    module = getattr(workshop, name)
    assert module is importlib.import_module(f"workshop.{name}")
    assert module.__doc__.strip()
    for public in module.__all__:
        found = getattr(module, public)
        if callable(found):
            assert (found.__doc__ or "").strip(), f"{name}.{public} has no docstring"


def test_dir_lists_the_modules():
    assert set(workshop.__all__) <= set(dir(workshop))


def test_unknown_attribute_names_what_there_is():
    with pytest.raises(AttributeError, match=r"no attribute 'keras'; it has .*'keras_cnn'"):
        workshop.keras  # noqa: B018
