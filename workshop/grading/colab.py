"""What a notebook finds in Colab or does once, and what must do nothing while it is graded.

Installing packages, mounting a drive, starting TensorBoard: a submission may hold such cells, and
they run without an effect.
"""

import importlib.abc
import importlib.machinery
import re
import sys
import types

__all__ = ["pretend_colab", "tame"]

INSTALLERS = ("pip", "conda", "mamba", "micromamba", "uv")
EXTENSIONS = {"tensorboard", "google.colab.data_table", "autoreload", "watermark", "nb_black"}
COLAB = "google.colab"


def pretend_colab():
    """Make ``google.colab`` importable; it is not in `sys.modules` before a cell imports it."""
    sys.meta_path.append(_ColabFinder())


class _ColabFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Find ``google.colab`` and all its parts: modules in which every function does nothing."""

    def find_spec(self, name, path=None, target=None):
        if name == "google" or name == COLAB or name.startswith(f"{COLAB}."):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return _Harmless(spec.name)

    def exec_module(self, module):
        module.__path__ = []


class _Harmless(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _NOTHING


class _Nothing:
    """Can be called with anything and asked for any attribute; does nothing."""

    def __call__(self, *arguments, **options):
        return None

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self


_NOTHING = _Nothing()


def _nothing(*arguments, **options):
    """Take anything, do nothing."""


def tame(shell):
    """Turn magics and shell commands that would install or start something into no-ops."""
    magics = shell.magics_manager.magics
    for name in (*INSTALLERS, "tensorboard", "matplotlib", "pylab", "notebook"):
        magics["line"][name] = _nothing
    load, system, output = magics["line"]["load_ext"], shell.system, shell.getoutput

    def load_extension(name):
        if name.strip() not in EXTENSIONS:
            return load(name)
        return None

    magics["line"]["load_ext"] = load_extension
    magics["line"]["autoreload"] = _nothing
    shell.system = shell.system_raw = lambda command: _unless_installing(command, system)
    shell.getoutput = lambda command, *a, **k: _unless_installing(command, output, *a, **k) or []
    for name in ("bash", "sh", "script", "system", "sx", "!"):
        if name in magics["cell"]:
            magics["cell"][name] = _tamed_cell(magics["cell"][name])


def _tamed_cell(magic):
    def run(line, cell):
        return _unless_installing(cell, lambda _: magic(line, cell))

    return run


def _unless_installing(command, run, *arguments, **options):
    names = "|".join(INSTALLERS)
    if re.search(rf"(^|[\s;&|/])({names})\d*(\.\d+)?\s+(\S+\s+)*?(install|uninstall)\b", command):
        return None
    return run(command, *arguments, **options)
