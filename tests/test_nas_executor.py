"""A search on an executor: the same history as without, whoever trains, dies or comes late."""

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)

import pytest
import torch

from tests.search_cases import (
    LENGTH,
    TRAIN,
    VAL,
    Op,
    make_space,
    same_history,
    search,
    small_space,
)
from workshop import nas, torch_cnn
from workshop.nas import executors, worker
from workshop.nas.worker import SharedData, train_child

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


@pytest.fixture(autouse=True)
def _fresh_worker():
    """As in a new worker: no data are held."""
    worker._HELD.clear()


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


def test_keras_children_as_well(tmp_path):
    settings = {"framework": "keras", "max_trials": 3}
    whole = search(tmp_path / "a", **settings).history
    found = search(tmp_path / "b", executor=Here(), **settings).history
    assert list(found["tokens"]) == list(whole["tokens"])
    assert found["val_loss"].to_numpy() == pytest.approx(whole["val_loss"].to_numpy(), abs=1e-5)


def test_a_reward_stays_in_the_process_that_searches(tmp_path):
    """It may be a closure, keep count and fail: nothing of it travels."""

    def settings(calls):
        def moody(y_true, y_score):
            calls.append(os.getpid())
            if len(calls) % 3 == 0:
                raise RuntimeError("not today")
            return ((y_score > 0.5) == y_true).mean()

        return {"reward": moody, "max_trials": 8, "controller": FOUR}

    whole, calls = search(tmp_path / "a", **settings([])), []
    result = search(tmp_path / "b", executor=Here(), **settings(calls))
    assert same_history(result, whole)
    assert set(calls) == {os.getpid()}
    assert set(result.history["status"]) == {"ok", "failed"}


def test_impossible_children_need_no_worker(tmp_path):
    bad = nas.Operation("conv1d", filters=4, kernel_size=250)
    good = nas.Operation("conv1d", filters=4, kernel_size=5)
    space = nas.ModelSpace()
    space.add_layer(0, [bad, good])
    space.add_layer(1, [nas.Operation("globalmaxpool1d")])
    whole = search(tmp_path / "a", space=space, max_trials=9)
    executor = Here()
    assert same_history(search(tmp_path / "b", space=space, max_trials=9, executor=executor), whole)
    assert len(executor.sent) == (whole.history["status"] == "ok").sum() < 9


@pytest.mark.parametrize("case", CASES)
def test_one_may_go_on_with_another_executor_or_none(tmp_path, case):
    whole = search(tmp_path / "a", max_trials=11, **CASES[case])
    for trials, executor in ((3, None), (6, Here()), (9, Backwards(many=4)), (11, None)):
        result = search(tmp_path / "b", max_trials=trials, executor=executor, **CASES[case])
    assert same_history(result, whole)


@pytest.mark.parametrize(
    "end",
    [{"patience": 3}, {"callbacks": [lambda trial: trial.trial == 6]}, {"max_trials": 6}],
    ids=lambda end: next(iter(end)),
)
def test_an_end_within_a_step_is_the_same_end(tmp_path, end):
    settings = {"controller": FOUR, "max_trials": 40, **end}
    whole = search(tmp_path / "a", **settings)
    result = search(tmp_path / "b", executor=Backwards(many=4), **settings)
    assert same_history(result, whole)
    assert result.stopped == whole.stopped
    assert len(whole.history) % 4  # within a step, that is


def test_a_time_budget_ends_it_and_the_rest_of_the_step_is_cancelled(tmp_path):
    class Slow(Here):
        def submit(self, function, *args):
            if len(self.sent) < 2:
                return super().submit(function, *args)
            self.sent.append(b"")
            futures.append(Future())  # of a worker that is busy elsewhere
            return futures[-1]

    futures = []
    result = search(
        tmp_path / "a",
        executor=Slow(),
        controller=FOUR,
        time_budget=1,
        callbacks=[lambda trial: time.sleep(1.1)],
    )
    assert result.stopped == "time_budget"
    assert 1 <= len(result.history) <= 2
    assert len(futures) == 2
    assert all(future.cancelled() for future in futures)


def test_ctrl_c_cancels_and_returns_what_is_there(tmp_path):
    class Interrupted(Here):
        def submit(self, function, *args):
            if len(self.sent) == 2:
                future = Future()
                future.set_exception(KeyboardInterrupt())
                return future
            return super().submit(function, *args)

    result = search(tmp_path, executor=Interrupted(), controller=FOUR)
    assert result.stopped == "interrupted"
    assert len(result.history) == 2
    assert len(search(tmp_path, controller=FOUR, max_trials=4).history) == 4


def test_what_takes_longest_begins(tmp_path):
    executor = Here()
    search(tmp_path, executor=executor, controller=FOUR, max_trials=4)
    jobs = [pickle.loads(call)[1][0] for call in executor.sent]
    widths = [job.architecture.layers[0].kernel_size for job in jobs]
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == 2


DROPOUT = make_space(
    [Op("conv1d", filters=16, kernel_size=4, activation="relu")],
    [Op("dropout", rate=rate) for rate in (0.1, 0.2, 0.3, 0.4)],
    [Op("flatten"), Op("globalmaxpool1d")],
)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_draw_from_generators_that_nobody_else_uses(tmp_path, threads):
    """Neither a callback, nor a search that was given up, nor the controller."""
    settings = {"space": DROPOUT, "controller": FOUR, "max_trials": 8}
    whole = search(tmp_path / "a", **settings)
    with ThreadPoolExecutor(threads) as executor:
        settings["executor"] = executor
        for name in "bc":
            first = search(tmp_path / name, callbacks=[lambda trial: True], **settings)
            assert len(first.history) == 1
        result = search(tmp_path / "c", callbacks=[lambda trial: torch.manual_seed(1)], **settings)
    assert same_history(result, whole)


# The data travel once


def test_jobs_are_small_and_the_file_goes_when_the_search_ends(tmp_path):
    executor, seen = Here(), []

    def look(trial):
        seen.append((tmp_path / "data.npz").exists())

    search(tmp_path, executor=executor, controller=FOUR, max_trials=8, callbacks=[look])
    assert all(seen)
    assert not (tmp_path / "data.npz").exists()
    assert len(executor.sent) == 8
    assert max(map(len, executor.sent)) < 2_000 < TRAIN[0].nbytes


def test_data_are_written_for_a_worker_that_is_there(tmp_path, monkeypatch):
    search(tmp_path, max_trials=4)
    monkeypatch.setattr(SharedData, "write", None)
    search(tmp_path, max_trials=4, executor=Here())  # is finished


@linux
def test_each_worker_reads_the_data_once(tmp_path, monkeypatch):
    read, log = SharedData._read, tmp_path / "reads"

    def logged(self):
        with log.open("a") as stream:
            stream.write(f"{os.getpid()}\n")
        return read(self)

    monkeypatch.setattr(SharedData, "_read", logged)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as executor:
        search(tmp_path / "a", executor=executor, controller=FOUR, max_trials=12)
    pids = log.read_text().split()
    assert 1 <= len(pids) == len(set(pids)) <= 2
    assert str(os.getpid()) not in pids


class Elsewhere(Here):
    """A worker on another machine: it cannot read the file, or finds another in its place."""

    def __init__(self, path):
        super().__init__()
        self.path, self.arrays = str(path), 0

    def submit(self, function, job, data):
        self.arrays += data.arrays is not None
        return super().submit(function, job, data._replace(path=self.path))


@pytest.mark.parametrize("there", ["nothing", "other data", "no archive"])
def test_a_worker_that_cannot_read_the_file_is_sent_the_data_once(tmp_path, there):
    path = tmp_path / "elsewhere.npz"
    if there == "other data":
        SharedData.write(path, (*TRAIN, VAL[0], 1 - VAL[1]))
    elif there == "no archive":
        path.write_bytes(b"PK\x03\x04")
    executor = Elsewhere(path)
    settings = {"max_trials": 9, "controller": FOUR}
    whole = search(tmp_path / "a", **settings)
    assert same_history(search(tmp_path / "b", executor=executor, **settings), whole)
    assert executor.arrays == 1


def test_a_worker_holds_the_data_of_one_search(tmp_path):
    for name, data in (("a", VAL), ("b", (VAL[0], 1 - VAL[1]))):
        search(tmp_path / name, executor=Here(), val=data)
        assert len(worker._HELD) == 1


# Workers that die


def lethal(monkeypatch, log, kills):
    """Let `torch_cnn.fit` end its process where `kills` says so of (calls so far, model)."""
    fit = torch_cnn.fit

    def fragile(model, *args, **settings):
        with log.open("a") as stream:
            stream.write("x")
        if os.getpid() != home and kills(log.stat().st_size, model):
            os._exit(9)
        return fit(model, *args, **settings)

    home = os.getpid()
    monkeypatch.setattr(torch_cnn, "fit", fragile)


def call_on(executor):
    """Call until the pool has noticed that its worker is dead."""
    while True:
        executor.submit(abs, 1).result()


def forked(workers):
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork"))


@linux
def test_a_child_whose_worker_dies_once_is_trained_again(tmp_path, monkeypatch):
    settings = {"max_trials": 12, "controller": FOUR}
    whole = search(tmp_path / "a", **settings)
    lethal(monkeypatch, tmp_path / "calls", lambda calls, model: calls == 6)
    with forked(2) as executor:
        result = search(tmp_path / "b", executor=executor, **settings)
    assert same_history(result, whole)
    with pytest.raises(BrokenExecutor):
        executor.submit(print)  # the caller's pool is as the death left it


@linux
def test_a_child_that_kills_its_worker_twice_is_recorded_and_the_others_are_not(
    tmp_path, monkeypatch
):
    settings = {"max_trials": 12, "controller": FOUR}
    whole = search(tmp_path / "a", **settings).history
    flat = whole["operations"].str[-1] == "flatten"
    assert 0 < flat.sum() < 12

    def kills(calls, model):
        return type(model.architecture.layers[-1]).__name__ == "Flatten"

    lethal(monkeypatch, tmp_path / "calls", kills)
    with forked(2) as executor:
        result = search(tmp_path / "b", executor=executor, **settings).history
    assert len(result) == 12
    for row in result.itertuples():
        if row.operations[-1] == "flatten":
            assert row.status == "failed"
            assert row.reason.startswith("its worker died twice (BrokenProcessPool: A process")
            assert row.epochs == 0
        else:
            assert row.status == "ok"
    first = result.iloc[:4]  # what the controller proposes later depends on the rewards
    good = first["status"] == "ok"
    assert first[good].drop(columns="seconds").equals(whole.iloc[:4][good].drop(columns="seconds"))


@pytest.mark.parametrize("times", [1, 2])
def test_a_worker_that_is_told_to_end(tmp_path, times):
    """Lightning makes of SIGTERM a SystemExit, which is not meant for the process that searches."""

    class Ends(Here):
        def submit(self, function, *args):
            future = super().submit(function, *args)
            if 4 <= len(self.sent) < 4 + times:
                future = Future()
                future.set_exception(SystemExit("told to"))
            return future

    whole = search(tmp_path / "a", controller=FOUR).history
    result = search(tmp_path / "b", controller=FOUR, executor=Ends()).history
    if times == 1:
        assert result.drop(columns="seconds").equals(whole.drop(columns="seconds"))
    else:
        (reason,) = result["reason"][result["status"] == "failed"]
        assert reason.startswith("its worker died twice (BrokenExecutor: the worker ended: System")


def test_a_pool_is_replaced_by_one_of_its_kind():
    start = {"mp_context": multiprocessing.get_context("spawn"), "initializer": print}
    if sys.version_info >= (3, 11):
        start["max_tasks_per_child"] = 3
    with ProcessPoolExecutor(2, initargs=(1,), **start) as pool, executors._like(pool) as other:
        for name in ("max_workers", *start, "initargs"):
            assert getattr(other, f"_{name}") == getattr(pool, f"_{name}")


@linux
def test_workers_that_die_between_children_are_replaced(tmp_path):
    settings = {"max_trials": 12, "controller": FOUR}
    whole = search(tmp_path / "a", **settings)
    with forked(1) as executor:

        def kill(trial):
            if trial.trial == 4:  # all of the step are finished
                (process,) = executor._processes.values()
                process.kill()
                process.join()
                with pytest.raises(BrokenExecutor):
                    call_on(executor)

        result = search(tmp_path / "b", executor=executor, callbacks=[kill], **settings)
    assert same_history(result, whole)


def test_workers_that_die_at_once_are_no_fault_of_the_children(tmp_path):
    """As where a script lacks its main guard."""
    start = {"mp_context": multiprocessing.get_context("spawn"), "initializer": os._exit}
    with (
        ProcessPoolExecutor(1, initargs=(3,), **start) as executor,
        pytest.raises(RuntimeError, match=r"die before they train.*__name__ == '__main__'"),
    ):
        search(tmp_path, executor=executor)
    assert not (tmp_path / "checkpoint.npz").exists()
    assert not (tmp_path / "data.npz").exists()


def test_an_executor_that_breaks_and_cannot_be_replaced(tmp_path):
    class Breaks(Here):
        def submit(self, function, *args):
            if len(self.sent) == 6:
                raise BrokenExecutor("gone")
            return super().submit(function, *args)

    with pytest.raises(RuntimeError, match=r"the executor with it: BrokenExecutor: gone.*a new ex"):
        search(tmp_path, executor=Breaks(), controller=FOUR, max_trials=12)
    assert len(nas.read_history(tmp_path)) == 4
    whole = search(tmp_path / "whole", controller=FOUR, max_trials=12)
    assert same_history(search(tmp_path, controller=FOUR, max_trials=12), whole)


@pytest.mark.parametrize("times", [1, 2])
def test_an_executor_that_fails_is_asked_once_more(tmp_path, times):
    class Fails(Here):
        def submit(self, function, *args):
            future = super().submit(function, *args)
            if 6 <= len(self.sent) < 6 + times:
                future = Future()
                future.set_exception(ConnectionError("lost\nthe scheduler"))
            return future

    settings = {"max_trials": 6, "controller": FOUR}
    if times == 1:
        whole = search(tmp_path / "whole", **settings)
        assert same_history(search(tmp_path / "a", executor=Fails(), **settings), whole)
        return
    with pytest.raises(
        RuntimeError, match=r"not train trial 6: ConnectionError: lost the scheduler\. Nothing is"
    ):
        search(tmp_path / "a", executor=Fails(), **settings)
    assert len(nas.read_history(tmp_path / "a")) == 5


@linux
def test_keras_refuses_a_forked_worker(tmp_path):
    with forked(1) as executor, pytest.raises(RuntimeError, match=r"is a fork of .*keras.*'spawn'"):
        search(tmp_path, framework="keras", executor=executor)


# What is refused


@pytest.mark.parametrize(
    ("executor", "got"), [(2, "int"), ("dask", "str"), (ProcessPoolExecutor, "ProcessPoolExecutor")]
)
def test_what_is_no_executor(tmp_path, executor, got):
    with pytest.raises(TypeError, match=f"executor must be a concurrent.*; got {got}"):
        search(tmp_path, executor=executor)
    assert not list(tmp_path.iterdir())


def test_an_executor_that_was_shut_down(tmp_path):
    executor = ProcessPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(
        RuntimeError, match=r"takes no children: .* after shutdown\. Nothing is lost"
    ):
        search(tmp_path, executor=executor)


# Real engines


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["spawn", "loky"])
def test_a_pool_whose_worker_is_killed_in_the_middle(tmp_path, engine):
    settings = {"max_trials": 12, "controller": FOUR, "epochs": 3}
    whole = search(tmp_path / "a", **settings)
    if engine == "loky":
        executor = pytest.importorskip("loky").get_reusable_executor(2)
    else:
        executor = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))

    def kill(trial):
        if trial.trial == 5:  # while the others of the step train
            os.kill(next(iter(executor._processes)), signal.SIGKILL)

    result = search(tmp_path / "b", executor=executor, callbacks=[kill], **settings)
    executor.shutdown()
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
@pytest.mark.parametrize(("framework", "trials"), [("torch", 24), ("keras", 8)])
def test_dask_with_a_worker_killed_in_the_middle(tmp_path, framework, trials):
    """Children over 2 workers of a cluster on loopback; one worker is killed half-way."""
    settings = {"max_trials": trials, "controller": FOUR, "epochs": 2, "framework": framework}
    whole = search(tmp_path / "a", **settings)
    with dask_client() as client:
        before = client.run(os.getpid)
        assert len(before) == 2

        def kill(trial):
            if trial.trial == trials // 2 - 2:  # two more of the step are under way
                os.kill(next(iter(before.values())), signal.SIGKILL)

        result = search(
            tmp_path / "b", executor=client.get_executor(), callbacks=[kill], **settings
        )
    assert len(result.history) == trials
    if framework == "torch":
        assert same_history(result, whole)
    assert list(result.history["tokens"]) == list(whole.history["tokens"])
    assert set(result.history["status"]) == {"ok"}


@pytest.mark.slow
def test_dask_with_a_child_that_kills_its_workers(tmp_path):
    """Told to leave the second try to the search, Dask blames nobody for their neighbour."""
    dask, distributed = pytest.importorskip("dask"), pytest.importorskip("distributed")
    settings = {"max_trials": 4, "controller": FOUR}
    whole = search(tmp_path / "a", **settings).history
    assert whole["tokens"].nunique() == 4
    doomed = nas.to_architecture(small_space(), whole["tokens"][0], input_length=LENGTH)

    class Lethal(distributed.WorkerPlugin):
        def setup(self, worker):
            from workshop import torch_cnn

            fit = torch_cnn.fit

            def fragile(model, *args, **settings):
                if model.architecture == doomed:
                    time.sleep(2)  # a worker that dies as it starts is not replaced
                    os._exit(9)
                return fit(model, *args, **settings)

            torch_cnn.fit = fragile

    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), dask_client() as client:
        client.register_plugin(Lethal())
        result = search(tmp_path / "b", executor=client.get_executor(), **settings).history
    assert list(result["status"]) == ["failed", "ok", "ok", "ok"]
    assert result["reason"][0].startswith("its worker died twice (KilledWorker: ")
    assert result[1:].drop(columns="seconds").equals(whole[1:].drop(columns="seconds"))


def test_a_worker_needs_neither_amber_nor_the_folder():
    """A worker loads what trains, so that it starts fast."""
    import subprocess

    code = "import sys, workshop.nas.worker\nprint(*sorted(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in found.stdout.split()}
    assert not loaded & {"amber", "torch", "tensorflow", "keras", "pytorch_lightning"}
    assert train_child.__module__ == "workshop.nas.worker"
