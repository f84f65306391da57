"""A search on an executor: the same history as without, whoever trains, dies or comes late."""

import contextlib
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from tests.search_cases import LENGTH, TRAIN, VAL, same_history, search, small_space
from workshop import nas, torch_cnn
from workshop.nas import worker

FOUR = nas.ControllerSettings(children_per_step=4, buffering_steps=1, train_pi_iter=1)
CASES = {
    "AMBER": {"controller": FOUR},
    "AMBER with rungs": {"controller": FOUR, "rungs": (1, 2), "epochs": 3},
    "random": {"method": nas.random_search},
    "halving": {"method": nas.successive_halving, "n_children": 6, "rungs": (1, 2)},
}
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks workers")


class Here(Executor):
    """Runs each call when it is submitted, in this process; `sent` keeps the calls, pickled."""

    def __init__(self):
        self.sent = []

    def submit(self, function, *args):
        self.sent.append(pickle.dumps((function, args)))
        future = Future()
        try:
            function, args = pickle.loads(self.sent[-1])
            future.set_result(function(*args))
        except Exception as error:
            future.set_exception(error)
        return future


class Failing(Here):
    """Its `at`-th call ends with `error`."""

    def __init__(self, at, error):
        super().__init__()
        self.at, self.error = at, error

    def submit(self, function, *args):
        future = super().submit(function, *args)
        if len(self.sent) == self.at:
            future = Future()
            future.set_exception(self.error)
        return future


class Backwards(Executor):
    """Runs what was submitted in reverse order, once it is `many` calls or a while has passed."""

    def __init__(self, many):
        self.many, self.calls, self.order = many, [], []

    def submit(self, function, *args):
        future = Future()
        self.calls.append((future, function, args))
        if len(self.calls) == 1:
            threading.Thread(target=self._run, daemon=True).start()
        return future

    def _run(self):
        deadline = time.monotonic() + 0.2
        while len(self.calls) < self.many and time.monotonic() < deadline:
            time.sleep(0.005)
        calls, self.calls = self.calls[::-1], []
        for future, function, args in calls:
            self.order.append(args[0].trial)
            future.set_result(function(*args))


# The same history


@pytest.mark.parametrize("case", CASES)
def test_the_history_is_that_of_one_process(tmp_path, case):
    settings = {"max_trials": 12, "random_state": 3, **CASES[case]}
    whole = search(tmp_path / "a", **settings)
    executor = Backwards(many=4)
    result = search(tmp_path / "b", executor=executor, **settings)
    assert executor.order != sorted(executor.order)
    assert sorted(executor.order) == list(range(1, 13))
    assert same_history(result, whole)
    assert result.token_probabilities.equals(whole.token_probabilities)
    again = nas.load_model(result), nas.load_model(whole)
    assert (torch_cnn.predict(again[0], VAL[0]) == torch_cnn.predict(again[1], VAL[0])).all()


def test_a_reward_stays_in_the_process_that_searches(tmp_path):
    def counted(y_true, y_score):
        calls.append(os.getpid())
        return ((y_score > 0.5) == y_true).mean()

    calls = []
    result = search(tmp_path, executor=Here(), reward=counted, max_trials=8, controller=FOUR)
    assert calls == [os.getpid()] * 8
    np.testing.assert_allclose(result.history["reward"], result.history["val_accuracy"])


@pytest.mark.parametrize("case", CASES)
def test_one_may_go_on_with_another_executor_or_none(tmp_path, case):
    whole = search(tmp_path / "a", max_trials=11, **CASES[case])
    for trials, executor in ((3, None), (6, Here()), (9, Backwards(many=4)), (11, None)):
        result = search(tmp_path / "b", max_trials=trials, executor=executor, **CASES[case])
    assert same_history(result, whole)


def test_what_an_ended_search_still_waits_for_is_cancelled(tmp_path):
    class Slow(Here):
        def submit(self, function, *args):
            if len(self.sent) < 2:
                return super().submit(function, *args)
            self.sent.append(b"")
            futures.append(Future())  # of a worker that is busy elsewhere
            return futures[-1]

    futures, stop = [], [lambda trial: True]
    result = search(tmp_path / "a", executor=Slow(), controller=FOUR, callbacks=stop)
    assert (result.stopped, len(result.history)) == ("callback", 1)
    assert same_history(search(tmp_path / "b", controller=FOUR, callbacks=stop), result)
    assert len(futures) == 2
    assert all(future.cancelled() for future in futures)


# The data travel as a file


def test_jobs_are_small_and_the_file_goes_when_the_search_ends(tmp_path):
    executor, seen = Here(), []

    def look(trial):
        seen.append(len(list(tmp_path.glob(".data-*.npz"))))

    search(tmp_path, executor=executor, controller=FOUR, max_trials=8, callbacks=[look])
    assert seen == [1] * 8
    assert not list(tmp_path.glob(".data-*.npz"))
    assert len(executor.sent) == 8
    assert max(map(len, executor.sent)) < 2_000 < TRAIN[0].nbytes


def test_a_worker_reads_the_data_of_each_search_once(tmp_path):
    worker._read.cache_clear()
    search(tmp_path / "a", executor=Here(), max_trials=5)
    assert worker._read.cache_info().misses == 1
    other = {"val": (VAL[0], 1 - VAL[1])}  # in the folder of before, as if one had emptied it
    (tmp_path / "a" / "trials.json").unlink()
    again = search(tmp_path / "a", executor=Here(), max_trials=5, **other)
    assert same_history(again, search(tmp_path / "b", max_trials=5, **other))
    assert worker._read.cache_info()[1:] == (2, 1, 1)  # misses, size of the cache, held


def test_a_worker_that_cannot_see_the_folder(tmp_path):
    class Elsewhere(Here):
        def submit(self, function, job, path):
            return super().submit(function, job, path.with_name("nowhere.npz"))

    with pytest.raises(RuntimeError, match=r"nowhere\.npz.*the disk with working_dir\?"):
        search(tmp_path, executor=Elsewhere())


# Workers that die


def forked(workers):
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork"))


@linux
def test_a_pool_that_broke_is_named_and_the_same_call_goes_on_with_another(tmp_path, monkeypatch):
    settings = {"max_trials": 12, "controller": FOUR}
    whole = search(tmp_path / "a", **settings)
    fit, log, home = torch_cnn.fit, tmp_path / "calls", os.getpid()

    def fragile(*args, **settings):
        with log.open("a") as stream:
            stream.write("x")
        if os.getpid() != home and log.stat().st_size == 7:
            os._exit(9)
        return fit(*args, **settings)

    monkeypatch.setattr(torch_cnn, "fit", fragile)
    message = r"not train trial \d: BrokenProcessPool.*Nothing is lost: repeat the call with a new"
    with forked(2) as executor:
        for _ in range(2):  # also where it is broken from the start
            with pytest.raises(RuntimeError, match=message):
                search(tmp_path / "b", executor=executor, **settings)
    assert 4 <= len(nas.read_history(tmp_path / "b")) < 8
    with forked(2) as executor:
        assert same_history(search(tmp_path / "b", executor=executor, **settings), whole)


def test_workers_that_die_at_once(tmp_path):
    """As where a script lacks its main guard."""
    start = {"mp_context": multiprocessing.get_context("spawn"), "initializer": os._exit}
    with (
        ProcessPoolExecutor(1, initargs=(3,), **start) as executor,
        pytest.raises(RuntimeError, match=r"trial 1: BrokenProcess.*if __name__ == '__main__':"),
    ):
        search(tmp_path, executor=executor)
    assert not list(tmp_path.glob(".data-*.npz"))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionError("lost\nthe scheduler"), "ConnectionError: lost the scheduler"),
        (SystemExit("told to"), "SystemExit: told to"),  # Lightning makes it of SIGTERM
    ],
)
def test_an_executor_that_fails(tmp_path, error, words):
    settings = {"max_trials": 8, "controller": FOUR}
    with pytest.raises(RuntimeError, match=rf"not train trial \d: {words}\. Nothing is lost"):
        search(tmp_path / "b", executor=Failing(6, error), **settings)
    assert 4 <= len(nas.read_history(tmp_path / "b")) < 8
    whole = search(tmp_path / "a", **settings)
    assert same_history(search(tmp_path / "b", **settings), whole)


@linux
def test_keras_refuses_a_forked_worker(tmp_path):
    with forked(1) as executor, pytest.raises(RuntimeError, match=r"is a fork of .*Keras.*'spawn'"):
        search(tmp_path, framework="keras", executor=executor)


def test_what_is_no_executor_of_processes(tmp_path):
    with ThreadPoolExecutor(1) as threads:
        for executor, got in ((2, "2"), (Executor, "<class"), (threads, "<concurrent.*Thread")):
            with pytest.raises(TypeError, match=f"executor must be a concurrent.*; got {got}"):
                search(tmp_path, executor=executor)
    assert not list(tmp_path.iterdir())


# Real engines


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "framework"), [("spawn", "keras"), ("loky", "torch")])
def test_a_pool_whose_worker_is_killed_in_the_middle(tmp_path, engine, framework):
    settings = {"max_trials": 6, "controller": FOUR, "epochs": 2, "framework": framework}
    whole = search(tmp_path / "a", **settings)

    def pool():
        if engine == "loky":
            return pytest.importorskip("loky").get_reusable_executor(2)
        return ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))

    def kill(trial):
        os.kill(next(iter(executor._processes)), signal.SIGKILL)

    with pool() as executor, pytest.raises(RuntimeError, match="Nothing is lost"):
        search(tmp_path / "b", executor=executor, callbacks=[kill], **settings)
    with pool() if engine == "loky" else contextlib.nullcontext() as executor:  # or without one
        result = search(tmp_path / "b", executor=executor, **settings)
    assert list(result.history["tokens"]) == list(whole.history["tokens"])
    if framework == "torch":
        assert same_history(result, whole)


@contextlib.contextmanager
def dask_client():
    """Of a cluster of two workers on loopback."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.mark.slow
def test_dask_with_a_worker_killed_in_the_middle(tmp_path):
    """Children over 2 workers of a cluster on loopback; one worker is killed half-way."""
    settings = {"max_trials": 12, "controller": FOUR, "epochs": 2}
    whole = search(tmp_path / "a", **settings)
    with dask_client() as client:
        before = client.run(os.getpid)

        def kill(trial):
            if trial.trial == 6:  # two more of the step are under way
                os.kill(next(iter(before.values())), signal.SIGKILL)

        executor = client.get_executor()
        result = search(tmp_path / "b", executor=executor, callbacks=[kill], **settings)
    assert same_history(result, whole)


@pytest.mark.slow
def test_dask_with_a_child_that_kills_its_workers(tmp_path):
    dask, distributed = pytest.importorskip("dask"), pytest.importorskip("distributed")
    settings = {"max_trials": 4, "controller": FOUR}
    whole = search(tmp_path / "a", **settings).history
    doomed = nas.to_architecture(small_space(), whole["tokens"][0], input_length=LENGTH)

    class Lethal(distributed.WorkerPlugin):
        def setup(self, worker):
            from workshop.nas import worker as ours

            train = ours.train_child

            def fragile(job, data):
                if job.architecture == doomed:
                    time.sleep(2)  # a worker that dies as it starts is not replaced
                    os._exit(9)
                return train(job, data)

            ours.train_child = fragile

    with dask.config.set({"distributed.scheduler.allowed-failures": 1}), dask_client() as client:
        client.register_plugin(Lethal())
        result = search(tmp_path / "b", executor=client.get_executor(), **settings).history
    assert result["status"][0] == "failed"
    assert result["reason"][0].startswith("its workers died (KilledWorker: ")


@pytest.mark.parametrize("name", ["nas.worker", "grading.worker", "homework.answers.served"])
def test_a_worker_needs_neither_amber_nor_a_framework_to_start(name):
    code = f"import sys, workshop.{name}\nprint(*sorted(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in found.stdout.split()}
    assert not loaded & {"amber", "torch", "tensorflow", "keras", "pytorch_lightning"}
