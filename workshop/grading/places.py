"""Where a student's process lives: its environment and folders, and what it shall not read."""

import os
import sys
import tempfile
from pathlib import Path

__all__ = ["environment", "hidden", "hideable", "secrets", "settings"]

PASSED_ON = (
    *("PATH", "LANG", "LANGUAGE", "TZ", "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "USER", "LOGNAME", "TERM"),
)
SECRET = (
    *(".ssh", ".aws", ".azure", ".config", ".docker", ".gnupg", ".huggingface"),
    *(".kaggle", ".kube", ".netrc", ".pypirc", ".git-credentials"),
)
SCRATCH = ("/tmp", "/var/tmp", "/dev/shm")


def environment(folder):
    """Environment of a student's process: none of the instructor's secrets, all caches its own."""
    passed = {k: v for k, v in os.environ.items() if k in PASSED_ON or k.startswith("LC_")}
    caches = {
        name: str(folder / "home" / name.lower())
        for name in ("MPLCONFIGDIR", "KERAS_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
    }
    return (
        passed
        | caches
        | {
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "IPYTHONDIR": str(folder / "home" / "ipython"),
            "XDG_DATA_HOME": str(folder / "home" / "data"),
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_TARGET": str(folder / "home" / "pip"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "TF_NUM_INTRAOP_THREADS": "1",
            "TF_NUM_INTEROP_THREADS": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "",
            "WORKSHOP_GRADING": "1",
        }
    )


def hideable(path, *, but=()):
    """Whether Python and this course, and the folders `but`, do without a folder."""
    package = Path(__file__).resolve().parents[2]
    needed = [sys.prefix, sys.base_prefix, sys.executable, package, *but]
    needed += [entry for entry in sys.path if entry.endswith("-packages")]
    needed += [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    path = Path(path).resolve()
    return not any(
        one.is_relative_to(path) for name in needed for one in (Path(name), Path(name).resolve())
    )


def settings(folder, fds):
    """What `workshop.grading.sandbox` is told of a process: its pipes, folders and files."""
    places = environment(folder)
    folders = [folder / "work", *(v for k, v in places.items() if k.endswith(("HOME", "DIR")))]
    fonts = _font_list()
    scratch = [place for place in SCRATCH if Path(place).is_dir() and hideable(place)]
    return {
        "fds": fds,
        "folder": str(folder),
        "work": str(folder / "work"),
        "folders": list(map(str, folders)),
        "scratch": scratch,
        "copies": [(str(f), str(Path(places["MPLCONFIGDIR"]) / f.name)) for f in fonts],
    }


def secrets():
    """Files and folders of the instructor that a notebook has no business with."""
    home = Path.home()
    temporary = tempfile.gettempdir()
    if hideable(home, but=[temporary]):
        return [home]
    return [home / name for name in SECRET if (home / name).exists()]


def _font_list():
    """Matplotlib's list of fonts, which takes seconds to make."""
    import matplotlib

    return sorted(Path(matplotlib.get_cachedir()).glob("fontlist-*.json"))


def hidden(submissions, found, out):
    """Folders, or where they hold what Python needs, files that no notebook shall read."""
    folders = [Path(one) for one in submissions if Path(one).is_dir()]
    folders += [one.path.parent for one in found] + [out.parent]
    checkout = Path(__file__).resolve().parents[2]  # with the solved notebooks
    folders += [checkout / name for name in ("notebooks", "tests", ".git")]
    but = [tempfile.gettempdir()]
    paths = {one.resolve() for one in folders if one.is_dir() and hideable(one, but=but)}
    paths |= {one.path.resolve() for one in found}
    paths |= {out.with_suffix(suffix).resolve() for suffix in (".csv", ".html", ".json")}
    inside = {path for path in paths if paths & set(path.parents)}
    return sorted(map(str, paths - inside))
