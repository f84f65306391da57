"""The working directory of a search: what survives a kill.

======================  =====================================================================
``search.json``         what the search is: space, data, settings; written once
``trials.json``         all trials so far; replaced after each trial
``models/trial-7.ckpt`` the trained model of trial 7 (``.keras`` for Keras)
``.data-....npz``       the arrays, while the workers of an executor read them
``search.lock``         held by the process that searches here; the system drops it at its death
======================  =====================================================================

Each file appears whole or not at all. Nothing is kept of the strategy: it hears the rewards of the
trials again (`workshop.nas.loop`).
"""

import contextlib
import hashlib
import importlib.metadata
import json
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from workshop._files import write_whole
from workshop.nas.trial import Trial
from workshop.nas.worker import SUFFIXES

FORMAT = "workshop.nas 3"


class SearchFolder:
    """A working directory, held for one search; a context manager."""

    def __init__(self, path, framework):
        self.framework = framework
        self.path = Path(path).expanduser().resolve()  # wherever the caller moves to meanwhile
        self.began_with = {}  # versions of packages

    def __enter__(self):
        (self.path / "models").mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self.path / "search.lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise RuntimeError(f"Another search is running in {self.path}.") from None
        for pattern in (".*.part.*", "models/.*.part.*", ".data-*.npz"):
            for left in self.path.glob(pattern):  # by a process that was killed
                left.unlink(missing_ok=True)
        return self

    def __exit__(self, *error):
        self._lock.release()

    def open(self, settings, *, resume):
        """Begin or go on with a search: the trials so far, and the seconds that they took.

        `settings` describe it, in plain data.
        """
        settings, description = json.loads(json.dumps(settings)), self.path / "search.json"
        trials, seconds = read_trials(self.path)
        if not trials:  # a search that ended before its first trial left nothing to keep
            self.began_with = versions()
            content = {"format": FORMAT, "versions": self.began_with, "settings": settings}
            write_whole(description, json.dumps(content, indent=1))
            return trials, seconds
        if not resume:
            raise FileExistsError(f"{self.path} holds a search. Pass resume=True to go on with it.")
        began, self.began_with = _read(description, _to_description)
        for name in began | settings:
            theirs, ours = began.get(name), settings.get(name)
            if theirs != ours:
                raise ValueError(
                    f"{self.path} holds another search: its {name} is {json.dumps(theirs)}, this "
                    f"call says {json.dumps(ours)}. Choose another working_dir."
                )
        return trials, seconds

    def save(self, trials, seconds):
        """Replace the trials on disk."""
        content = {"seconds": seconds, "trials": [trial.to_plain() for trial in trials]}
        write_whole(self.path / "trials.json", json.dumps(content))

    def save_model(self, trial, model):
        """Write the model of a trial, the bytes of its file."""
        write_whole(model_path(self.path, self.framework, trial), model)

    def model(self, trial):
        """File of the model of a trial."""
        return model_path(self.path, self.framework, trial, there=True)


class NoFolder(contextlib.nullcontext):
    """Stands for the folder of a search on the benchmark, which leaves nothing on disk."""

    path = None

    def __init__(self):
        super().__init__(self)

    def open(self, settings, *, resume):
        return [], 0.0

    def _nothing(self, *_):
        """Keep nothing."""

    save = save_model = model = _nothing


def read_trials(path):
    """The trials in the folder of a search, and the seconds that they took."""
    file = Path(path) / "trials.json"
    return _read(file, _to_trials) if file.exists() else ([], 0.0)


def model_path(working_dir, framework, trial, *, there=False):
    """File of the model of a trial; `there`: refuse one that is gone."""
    path = working_dir / "models" / f"trial-{trial.trial}{SUFFIXES[framework]}"
    if there and not path.is_file():
        raise FileNotFoundError(f"No model at {path}, where the search wrote it. Put it back.")
    return path


def versions():
    """Versions of what decides the proposals of a search."""
    packages = ("numpy", "amber-automl", "torch")
    return {package: importlib.metadata.version(package) for package in packages}


def fingerprint(arrays):
    """Shapes of arrays and the beginning of a SHA-256 of their contents, as text."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return f"{[array.shape for array in arrays]} {digest.hexdigest()[:16]}"


def _read(file, convert):
    try:
        return convert(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{file} is damaged, or no search of this version of workshop wrote it "
            f"({type(error).__name__}: {error}). Choose another working_dir; or move search.json "
            "and trials.json away, and the search begins anew."
        ) from error


def _to_description(content):
    if content["format"] != FORMAT:
        raise ValueError(f"format {content['format']!r}, expected {FORMAT!r}")
    return dict(content["settings"]), dict(content["versions"])


def _to_trials(content):
    return [Trial.from_plain(plain) for plain in content["trials"]], float(content["seconds"])
