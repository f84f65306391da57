"""What a notebook finds in Colab or does once, and what must do nothing while it is graded.

Installing packages, mounting a drive, starting TensorBoard: a submission may hold such cells, and
they run without an effect.
"""

import importlib.abc
import importlib.machinery
import re
import sys
import types

INSTALLS = re.compile(r"(^|[\s;&|/])(pip|conda|mamba|micromamba|uv)\d?\s.*\b(un)?install\b")
NO_MAGICS = ["pip", "conda", "mamba", "micromamba", "uv"]
NO_MAGICS += ["tensorboard", "matplotlib", "pylab", "notebook", "autoreload"]
EXTENSIONS = {"tensorboard", "google.colab.data_table", "autoreload", "watermark", "nb_black"}


def pretend_colab():
    """Make ``google.colab`` importable; it is not in `sys.modules` before a cell imports it."""
    sys.meta_path.append(_ColabFinder())


class _ColabFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Find ``google.colab`` and all its parts: modules in which every function does nothing."""

    def find_spec(self, name, path=None, target=None):
        if name == "google" or f"{name}.".startswith("google.colab."):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return _Harmless(spec.name)

    def exec_module(self, module):
        module.__path__ = []


class _Harmless(types.ModuleType):
    """Has any attribute; all can be called with anything, and have any attribute in turn."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Harmless(name)

    def __call__(self, *arguments, **options):
        return None


def tame(shell):
    """Turn magics and shell commands that would install or start something into no-ops."""
    magics = shell.magics_manager.magics["line"]
    magics.update(dict.fromkeys(NO_MAGICS, lambda line: None))
    # Raw: by a pipe, for inside the walls there is no terminal.
    load, system, output = magics["load_ext"], shell.system_raw, shell.getoutput
    magics["load_ext"] = lambda name: None if name.strip() in EXTENSIONS else load(name)
    shell.system = shell.system_raw = lambda c: None if INSTALLS.search(c) else system(c)
    shell.getoutput = lambda c, *a, **k: [] if INSTALLS.search(c) else output(c, *a, **k)
