"""What a notebook finds in Colab or does once, and what must do nothing while it is graded.

Installing packages, mounting a drive, starting TensorBoard, moving sliders: a submission may hold
such cells, and they run without an effect.
"""

import ast
import contextlib
import importlib.abc
import importlib.machinery
import re
import sys
import types

INSTALLS = re.compile(r"(^|[\s;&|/])(pip|(micro)?mamba|conda|uv|apt(-get)?)\d?\s.*\b(un)?install\b")
NO_MAGICS = ["pip", "conda", "mamba", "micromamba", "uv"]
NO_MAGICS += ["tensorboard", "matplotlib", "pylab", "notebook", "autoreload"]
EXTENSIONS = {"tensorboard", "autoreload", "nb_black"}
SHELLS = {"bash", "sh", "zsh", "shell", "script", "system", "sx", "!"}


def pretend_colab():
    """Make ``google.colab`` and ``ipywidgets`` importable, where they are not; plain ``tqdm`` bars.

    ``google.colab`` is not in `sys.modules` before a cell imports it.
    """
    import tqdm.notebook

    tqdm.notebook.tqdm = tqdm.notebook.tqdm_notebook = tqdm.tqdm  # its own bars are widgets
    tqdm.notebook.trange = tqdm.notebook.tnrange = tqdm.trange
    sys.meta_path.append(_Finder())


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Find these packages and all their parts: modules in which every function does nothing."""

    def find_spec(self, name, path=None, target=None):
        if name == "google" or f"{name}.".startswith(("google.colab.", "ipywidgets.")):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return _Harmless(spec.name)

    def exec_module(self, module):
        module.__path__ = []


class _Harmless(types.ModuleType):
    """Has any attribute; can be called, entered and looped over; a decorator keeps the function."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Harmless(name)

    def __call__(self, *arguments, **options):
        if arguments and isinstance(arguments[0], types.FunctionType):
            return arguments[0]
        made = _Harmless(self.__name__)
        vars(made).update(options)  # the value of a slider is the one that it starts with
        return made

    def __iter__(self):
        return iter(())

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        return None


def tame(shell):
    """Make magics, shell commands and restarts do nothing where they need Colab or the network.

    A magic or an extension that is not here is passed over, with what a cell magic holds if that is
    no Python; else it runs without the magic.
    """
    import IPython
    from traitlets.config import Application

    extensions, system, output = shell.extension_manager, shell.system_raw, shell.getoutput
    load, run_line, run_cell = extensions.load_extension, shell.run_line_magic, shell.run_cell_magic

    def load_extension(name):
        with contextlib.suppress(ImportError):
            return None if name in EXTENSIONS else load(name)

    def run_line_magic(name, line, _stack_depth=1):
        if name in NO_MAGICS or shell.find_line_magic(name) is None:
            return None
        return run_line(name, line, _stack_depth + 1)

    def run_cell_magic(name, line, cell):
        if name in SHELLS:
            cell = "\n".join(one for one in cell.splitlines() if not INSTALLS.search(one))
        if name == "shell":  # Colab's own
            return shell.system(cell)
        if shell.find_cell_magic(name) is not None:
            return run_cell(name, line, cell or "\n")
        try:
            ast.parse(shell.transform_cell(cell))
        except SyntaxError:
            return None
        return shell.run_cell(cell).raise_error()

    # Colab's IPython is an older one, which has what was removed since.
    shell.magic = lambda text: shell.run_line_magic(*text.lstrip("%").partition(" ")[::2])
    IPython.core.display.display = IPython.display.display
    IPython.display.set_matplotlib_formats = lambda *formats: None
    extensions.load_extension = load_extension
    shell.run_line_magic, shell.run_cell_magic = run_line_magic, run_cell_magic
    # Raw: by a pipe, for inside the walls there is no terminal.
    shell.system = shell.system_raw = lambda c: None if INSTALLS.search(c) else system(c)
    shell.getoutput = lambda c, *a, **k: [] if INSTALLS.search(c) else output(c, *a, **k)
    # A restart at the end of an installation: nothing was installed.
    Application.kernel = shell.kernel = _Harmless("kernel")
    shell.ask_exit = lambda: None
