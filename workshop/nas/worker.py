"""Train one child of a search: what runs in a worker, here or in another process or machine.

A `Job` and what comes of it, `Trained`, are plain data, so that any executor can carry them. A
worker needs the twin, not AMBER. The arrays stay behind: it reads them once, from a file.
"""

import contextlib
import ctypes
import functools
import gc
import importlib
import os
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from workshop import training
from workshop.architecture import Architecture

SUFFIXES = {"torch": ".ckpt", "keras": ".keras"}

_HOME = os.getpid()  # of the process that loaded this module: a fork has another number


def twin_of(framework):
    """The module that builds and trains with `framework`; loaded when it is first needed."""
    if framework not in SUFFIXES:
        raise ValueError(f"framework must be 'torch' or 'keras'; got {framework!r}.")
    return importlib.import_module(f"workshop.{framework}_cnn")


class Job(NamedTuple):
    """A child to train."""

    trial: int
    architecture: Architecture | None  # None where the tokens describe an impossible network
    problem: str  # what is impossible about it
    framework: str
    settings: dict  # of the twin's `fit`; the `random_state` is of this child alone
    epochs_before: int  # that the model has had; not counted in those of `settings`
    parent: Path | None  # file of the model to go on training; None = new weights
    wants_predictions: bool  # whether the reward looks at probabilities rather than at scores


class Trained(NamedTuple):
    """What came of a job."""

    status: str = "ok"
    reason: str = ""
    epochs: int = 0
    scores: dict | None = None  # loss and metrics of the last epoch, with `val_` on val
    predictions: np.ndarray | None = None  # of val, (N, T), where the job wants them
    model: bytes | None = None  # the file of the trained model
    seconds: float = 0.0


def train_child(job, data):
    """Build and train a child; whatever goes wrong with it becomes a status and a reason.

    `data` is (X, y, X_val, y_val), or the path of the file that holds them. What this raises is
    the fault of the place, not of the child: no framework, a full disk, a forked process.
    """
    if job.architecture is None:
        return Trained("impossible", job.problem)
    arrays = data if isinstance(data, tuple) else _read(data)
    if job.framework == "keras" and os.getpid() != _HOME:
        raise RuntimeError(
            "this worker is a fork of a process that had loaded Keras, which would hang here; "
            "start workers afresh: mp_context=multiprocessing.get_context('spawn')"
        )
    twin = twin_of(job.framework)
    keep_freed_memory()
    started = time.perf_counter()
    trained, model = _train(twin, job, *arrays)
    if model is not None:
        with tempfile.TemporaryDirectory(prefix="workshop-") as folder:
            path = Path(folder) / f"trial-{job.trial}{SUFFIXES[job.framework]}"
            twin.save(model, path)
            trained = trained._replace(model=path.read_bytes())
    del model
    if job.framework == "keras":
        gc.collect()  # Keras's models refer to themselves and would pile up
    return trained._replace(seconds=time.perf_counter() - started)


def _train(twin, job, X, y, X_val, y_val):
    """Train and predict; return what came of it, and the model or None."""
    epochs = 0
    try:
        if job.parent is None:
            seed = job.settings["random_state"]
            model = twin.build_cnn(job.architecture, random_state=seed)
        else:
            model = twin.load(job.parent, architecture=job.architecture)
        history = twin.fit(model, X, y, progress=False, **job.settings)
        epochs = job.settings["epochs"]
        logits = twin.predict_logits(model, X_val)
        if not np.isfinite(logits).all():
            reason = "training diverged: the logits of the validation data are not finite"
            return Trained("diverged", reason, epochs), None
        predictions = twin.predict(model, X_val) if job.wants_predictions else None
    except Exception as error:  # whatever a framework raises: a shape, memory, a bug
        return Trained("failed", summarize_error(error), epochs), None
    on_val = training.score_logits(job.architecture.task, logits, y_val)
    scores = {name: float(history.last[name]) for name in on_val}
    scores |= {f"val_{name}": float(value) for name, value in on_val.items()}
    return Trained(epochs=epochs, scores=scores, predictions=predictions), model


@functools.lru_cache(maxsize=1)
def _read(path):
    """The arrays in a file, read once; each call of a search has a file of its own."""
    with np.load(path, allow_pickle=False) as stored:
        return tuple(stored.values())


def keep_freed_memory():
    """Let glibc keep up to 256 MB that this process has freed; elsewhere nothing happens.

    Dask starts its workers with MALLOC_TRIM_THRESHOLD_=65536. Under that setting a search of 30
    Torch children took 26 s of processor time, and 18 s with this, on one busy machine.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):  # Windows, macOS, musl
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(-3, 32 * 2**20)  # M_MMAP_THRESHOLD of <malloc.h>
        mallopt(-1, 256 * 2**20)  # M_TRIM_THRESHOLD


def summarize_error(error):
    """Type and message of an error, in one line of moderate length."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:300]
