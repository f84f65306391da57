"""Train the children of a step side by side, on the workers of an executor.

Whichever child is ready first, results come in the order of the trials, so that the search cannot
tell the difference.
"""

import contextlib
import functools
import math
import uuid
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np

from workshop._files import whole_file
from workshop.nas.worker import Trained, summarize_error, train_child

KILLED_BY_DASK = "KilledWorker"  # Dask's error of a child that several workers died of


def check_executor(executor):
    """Refuse what is no executor of processes."""
    if not isinstance(executor, Executor) or isinstance(executor, ThreadPoolExecutor):
        raise TypeError(
            "executor must be a concurrent.futures.Executor of processes, ProcessPoolExecutor(2, "
            f"mp_context=multiprocessing.get_context('spawn')) say, or None; got {executor!r}."
        )


@contextlib.contextmanager
def on_workers(executor, data, folder):
    """Give a function that trains jobs; meanwhile `data` lie in a file for the workers."""
    path = folder / f".data-{uuid.uuid4().hex}.npz"  # a worker may still hold those of before
    with whole_file(path) as part:
        np.savez(part, *data)
    try:
        yield functools.partial(_train_side_by_side, executor, path)
    finally:
        path.unlink(missing_ok=True)


def _train_side_by_side(executor, path, jobs):
    """Yield a `Trained` for each job, in order; once closed, what is not needed is cancelled."""
    futures = {}
    try:
        for job in sorted(jobs, key=_cost, reverse=True):  # the longest begin: all end together
            futures[job.trial] = executor.submit(train_child, job, path)
        for job in jobs:
            yield _result(futures.pop(job.trial))
    except (Exception, SystemExit) as error:  # Lightning makes of SIGTERM a SystemExit
        raise RuntimeError(
            f"The executor could not train trial {job.trial}: {summarize_error(error)}. Nothing is "
            "lost: repeat the call with a new executor, or without one. Where workers fail: do "
            "they lack memory, or the disk with working_dir? Does a script start the search below "
            "`if __name__ == '__main__':`?"
        ) from error
    finally:
        for future in futures.values():
            future.cancel()


def _result(future):
    try:
        return future.result()
    except Exception as error:
        if type(error).__name__ != KILLED_BY_DASK:
            raise
        return Trained("failed", f"its workers died ({summarize_error(error)})")


def _cost(job):
    """How long a job takes, roughly: multiplications."""
    if job.architecture is None:
        return 0
    layers = job.architecture.n_parameters_by_layer(), job.architecture.output_shapes()
    each = (n * math.prod(shape[:-1]) for n, shape in zip(*layers, strict=True))
    return job.settings["epochs"] * sum(each)
