"""Train one child of a search: what runs in a worker, here or in another process or machine.

A job and what comes of it are plain data, so that any executor can carry them: an architecture,
settings and, of a model that is trained on, its file's bytes go there; scores, logits and the
bytes of the trained model come back. A worker needs the twin, not AMBER and not the search's
folder. The arrays stay behind: a job says where they lie, and each worker reads them once.
"""

import gc
import importlib
import os
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from workshop import training
from workshop._files import whole_file
from workshop.architecture import Architecture
from workshop.environment.allocator import keep_freed_memory
from workshop.nas.folder import fingerprint

__all__ = [
    "ONE_AT_A_TIME",
    "SUFFIXES",
    "ChildError",
    "Job",
    "SharedData",
    "Trained",
    "in_words",
    "ready",
    "train_child",
    "twin_of",
    "unsaved",
]

SUFFIXES = {"torch": ".ckpt", "keras": ".keras"}


def twin_of(framework):
    """The module that builds and trains with `framework`; loaded when it is first needed."""
    if framework not in SUFFIXES:
        raise ValueError(f"framework must be 'torch' or 'keras'; got {framework!r}.")
    return importlib.import_module(f"workshop.{framework}_cnn")


class ChildError(Exception):
    """A child that did not finish: its status and the reason."""

    def __init__(self, status, reason):
        super().__init__(reason)
        self.status = status


class SharedData(NamedTuple):
    """The arrays of a search as a job names them: a file, and what must be in it."""

    digest: str
    """`fingerprint` of the arrays."""
    path: str
    """Of the file; on another machine there may be none."""
    arrays: tuple | None = None
    """The arrays themselves, for a worker that cannot read the file."""

    @classmethod
    def write(cls, path, arrays):
        """Write arrays to a file that workers read; return how a job names them."""
        with whole_file(path) as part:
            np.savez(part, *arrays)
        return cls(fingerprint(arrays), str(path))

    def held(self):
        """The arrays, read once in the life of a worker; None where it cannot get at them."""
        if self.digest not in _HELD:
            arrays = self._read() if self.arrays is None else self.arrays
            if arrays is None:
                return None
            _HELD.clear()  # of the search before
            _HELD[self.digest] = arrays
        return _HELD[self.digest]

    def _read(self):
        try:
            with open(self.path, "rb") as stream, np.load(stream, allow_pickle=False) as stored:
                arrays = tuple(stored.values())
        except (OSError, ValueError, zipfile.BadZipFile):
            return None
        return arrays if fingerprint(arrays) == self.digest else None


_HELD = {}
ONE_AT_A_TIME = threading.RLock()  # threads of a process share the frameworks' generators
_HOME = os.getpid()  # of the process that loaded this module: a fork has another number


class Job(NamedTuple):
    """A child to train."""

    trial: int
    architecture: Architecture
    framework: str
    epochs: int
    batch_size: int
    learning_rate: float
    random_state: int
    """Of this child alone."""
    parent: bytes | None
    """File of the model to train on; None = new weights."""
    wants_predictions: bool
    """Whether the reward looks at probabilities rather than at scores."""
    key: str = ""
    """Differs between jobs: an executor may take equal calls for one."""


class Trained(NamedTuple):
    """What came of a job."""

    status: str = "ok"
    reason: str = ""
    epochs: int = 0
    scores: dict | None = None
    """Loss and metrics of the last epoch of training."""
    logits: np.ndarray | None = None
    """Of the validation data, (N, T)."""
    predictions: np.ndarray | None = None
    """Of the validation data, (N, T), where the job wants them."""
    model: bytes | None = None
    seconds: float = 0.0


def train_child(job, data):
    """Build and train a child; whatever goes wrong with it becomes a status and a reason.

    Parameters
    ----------
    job : Job
    data : SharedData, or the tuple (X, y, X_val, y_val)

    Returns
    -------
    Trained or None
        None where this worker cannot get at the data.

    Raises
    ------
    ImportError, OSError, RuntimeError
        If it is the fault of the place, not of the child: no framework, no room on the disk, a
        process in which the framework cannot run.
    """
    with ONE_AT_A_TIME:
        arrays = data.held() if isinstance(data, SharedData) else data
        if arrays is None:
            return None
        twin = _usable_twin(job.framework)
        keep_freed_memory()
        started = time.perf_counter()
        trained, model = _train(twin, job, *arrays)
        if model is not None:
            trained = trained._replace(model=_to_bytes(twin, model, job))
        del model
        if job.framework == "keras":
            gc.collect()  # Keras's models refer to themselves and would pile up
        return trained._replace(seconds=time.perf_counter() - started)


def _train(twin, job, X, y, X_val, y_val):
    """Train and predict; return what came of it, and the model or None."""
    epochs = 0
    try:
        if job.parent is None:
            model = twin.build_cnn(job.architecture, random_state=job.random_state)
        else:
            model = _from_bytes(twin, job)
        history = twin.fit(
            model,
            X,
            y,
            epochs=job.epochs,
            batch_size=job.batch_size,
            learning_rate=job.learning_rate,
            random_state=job.random_state,
            progress=False,
        )
        epochs = job.epochs
        logits = twin.predict_logits(model, X_val)
        if not np.isfinite(logits).all():
            raise ChildError(
                "diverged", "training diverged: the logits of the validation data are not finite"
            )
        predictions = twin.predict(model, X_val) if job.wants_predictions else None
    except ChildError as error:
        return Trained(error.status, str(error), epochs), None
    except Exception as error:  # whatever a framework raises: a shape, memory, a bug
        return Trained("failed", in_words(error), epochs), None
    names = ("loss", *training.METRICS[job.architecture.task])
    scores = {name: float(history.last[name]) for name in names}
    return Trained(epochs=epochs, scores=scores, logits=logits, predictions=predictions), model


def _usable_twin(framework):
    """The twin, unless this process is a fork of one in which the framework has begun to work."""
    twin = twin_of(framework)
    if os.getpid() != _HOME and (framework == "keras" or twin.torch.cuda.is_available()):
        raise RuntimeError(
            f"this worker is a fork of a process that had loaded {framework}, which would hang or "
            "fail here. Start workers afresh: ProcessPoolExecutor(2, "
            "mp_context=multiprocessing.get_context('spawn')), or loky.get_reusable_executor(2)"
        )
    return twin


def _to_bytes(twin, model, job):
    """The file of a trained model."""
    with tempfile.TemporaryDirectory(prefix="workshop-") as folder:
        path = Path(folder) / f"model{SUFFIXES[job.framework]}"
        try:
            twin.save(model, path)
            return path.read_bytes()
        except Exception as error:  # the disk, whatever a framework calls that
            raise unsaved(job.trial, path, error) from error


def _from_bytes(twin, job):
    """The model whose file a job brings."""
    with tempfile.TemporaryDirectory(prefix="workshop-") as folder:
        path = Path(folder) / f"parent{SUFFIXES[job.framework]}"
        path.write_bytes(job.parent)
        return twin.load(path, architecture=job.architecture)


def unsaved(trial, path, error):
    """The error of a model that could not be written: no fault of the child."""
    return OSError(
        f"The model of trial {trial} could not be written to {path} ({error}). Is the disk full? "
        "Make room and repeat the call: it goes on from the trial before."
    )


def ready():
    """Nothing: a worker that returns from here lives and has loaded this module."""


def in_words(error):
    """Type and message of an error, in one line of moderate length."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:300]
