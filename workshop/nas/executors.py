"""Who trains the children of a step: this process, or the workers of an executor.

Whatever the executor and whichever child is ready first, results come in the order of the trials,
so that the search cannot tell the difference.
"""

import math
import uuid
import warnings
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, ThreadPoolExecutor, wait

from workshop.nas.worker import Job, SharedData, Trained, in_words, ready, train_child

__all__ = ["InProcess", "Workers", "check_executor"]

KILLED_BY_DASK = "KilledWorker"  # Dask's error of a task whose workers died


class InProcess:
    """Trains one child after another, each when its result is asked for.

    Parameters
    ----------
    data : tuple of arrays
        X, y, X_val, y_val.
    """

    def __init__(self, data):
        self.data = data

    def train(self, plans):
        """Yield a `Trained` for each plan, in order."""
        for plan in plans:
            yield train_child(plan, self.data) if isinstance(plan, Job) else plan

    def close(self):
        """Nothing to give back."""


class Workers:
    """Trains the children of a step side by side on an executor.

    A child whose worker died is trained once more, alone, so that it is clear whose fault it was:
    a process pool breaks as a whole, and its other children with it. A pool that broke is replaced
    by one of its kind; the caller's own stays as it is.

    Parameters
    ----------
    executor : concurrent.futures.Executor
    data : tuple of arrays
        X, y, X_val, y_val.
    path : Path
        Of the file from which workers read them; there until `close`.
    """

    def __init__(self, executor, data, path):
        self.executor, self._replacement = executor, None
        self.data, self.path = data, path
        self._shared, self._sent = None, False

    def train(self, plans):
        """Yield a `Trained` for each plan, in order; once closed, what is not needed is cancelled.

        Raises
        ------
        RuntimeError
            If the executor, rather than a child, is at fault.
        """
        if isinstance(self.executor, ThreadPoolExecutor):  # they draw from the generators of
            groups = [[plan] for plan in plans]  # this process, so never while it does itself
        else:
            groups = [plans]
        for group in groups:
            yield from self._side_by_side(group)

    def _side_by_side(self, plans):
        running, trained = {}, {}
        try:
            jobs = [plan for plan in plans if isinstance(plan, Job)]
            for job in sorted(jobs, key=_work, reverse=True):
                running[self._submit(job)] = job
            for plan in plans:
                if not isinstance(plan, Job):
                    yield plan
                    continue
                while running and not trained.get(plan.trial):
                    trained |= self._next_trained(running)
                yield trained.pop(plan.trial) or self._alone(plan)
        finally:
            for future in running:
                future.cancel()

    def close(self):
        """End the pool that replaced a broken one; remove the file."""
        self._end_replacement()
        self.path.unlink(missing_ok=True)

    def _end_replacement(self):
        if self._replacement is not None:
            self._replacement.shutdown(wait=False)

    def _next_trained(self, running):
        """Take one that is ready out of `running`: its result, or None where its worker died.

        Nothing holds on to its future: as long as one is held, Dask keeps the result, and trains
        the child anew where the worker that has it dies.
        """
        done = wait(running, return_when=FIRST_COMPLETED).done
        future = min(done, key=lambda future: running[future].trial)
        job = running.pop(future)
        try:
            return {job.trial: self._with_data(job, future)}
        except Exception:
            return {job.trial: None}

    def _alone(self, job):
        """A child whose worker died, once more, when no other is there to be at fault."""
        future = self._submit(job)
        try:
            return self._with_data(job, future)
        except Exception as error:
            if isinstance(error, BrokenExecutor) or type(error).__name__ == KILLED_BY_DASK:
                return Trained("failed", f"its worker died twice ({in_words(error)})")
            raise RuntimeError(
                f"The executor could not train trial {job.trial}: {in_words(error)}. Nothing is "
                "lost: mend it and repeat the call, with any executor or none."
            ) from error

    def _with_data(self, job, future):
        """Result of a future; once more with the arrays where its worker cannot read the file."""
        trained = _result(future)
        if trained is None and self._sent:  # with another child they may have come there meanwhile
            trained = _result(self._submit(job))
        if trained is None:
            self._sent = True
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Sending large graph")  # Dask, of arrays
                future = self._submit(job, arrays=True)
            trained = _result(future)
        return trained

    def _submit(self, job, *, arrays=False):
        if self._shared is None:
            self._shared = SharedData.write(self.path, self.data)
        shared = self._shared._replace(arrays=self.data) if arrays else self._shared
        call = (train_child, job._replace(key=uuid.uuid4().hex), shared)
        try:
            return self.executor.submit(*call)
        except BrokenExecutor as error:  # a worker has died, here or in the call before
            self._replace(error)
        except Exception as error:
            raise RuntimeError(
                f"The executor takes no children: {in_words(error)}. Nothing is lost: repeat the "
                "call with an executor that is open, or without."
            ) from error
        return self.executor.submit(*call)

    def _replace(self, error):
        """Put a new pool in the place of one that broke."""
        renewed = _like(self.executor)
        self._end_replacement()
        if renewed is None:
            raise RuntimeError(
                f"A worker died, and the executor with it: {in_words(error)}. Nothing is lost: "
                "repeat the call with a new executor, or without."
            ) from error
        self.executor = self._replacement = renewed
        try:
            renewed.submit(ready).result()
        except Exception as again:
            raise RuntimeError(
                f"The workers of the executor die before they train anything: {in_words(again)}. "
                "In a script, start the search below `if __name__ == '__main__':`; is workshop "
                "installed where the workers run?"
            ) from again


def _result(future):
    """What a worker returned; one that was told to end must not end this process too."""
    error = future.exception()
    if isinstance(error, SystemExit):
        raise BrokenExecutor(f"the worker ended: {in_words(error)}") from error
    return future.result()


def _work(job):
    """How long a job takes, roughly; those that take longest begin, so that all end together."""
    shapes = job.architecture.output_shapes()
    weights = job.architecture.weight_shapes()
    return job.epochs * sum(
        math.prod(weights.get(f"{i}.kernel", (0,))) * math.prod(shape[:-1])
        for i, shape in enumerate(shapes)
    )


def _like(executor):
    """A pool with the same number of workers, started in the same way; None of another kind."""
    kinds = [kind for kind in type(executor).__mro__ if kind.__name__ == "ProcessPoolExecutor"]
    if not kinds:  # neither the standard library's nor loky's
        return None
    names = ("max_workers", "mp_context", "max_tasks_per_child", "context", "env")
    options = {
        name: getattr(executor, f"_{name}")
        for name in (*names, "initializer", "initargs")
        if hasattr(executor, f"_{name}")
    }
    return kinds[0](**options)


def check_executor(executor):
    """Refuse what is no executor."""
    if not isinstance(executor, Executor):
        kind = executor.__name__ if isinstance(executor, type) else type(executor).__name__
        raise TypeError(
            "executor must be a concurrent.futures.Executor, such as ProcessPoolExecutor(2, "
            "mp_context=multiprocessing.get_context('spawn')) or Dask's Client.get_executor(), or "
            f"None; got {kind}."
        )
    return executor
