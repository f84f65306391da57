"""What a second worker brings to a search: ``python benchmarks/workers.py``

The same search, 24 children in steps of twelve, in this process alone and on two worker processes:
of the standard library, of loky and of a Dask cluster on this machine. Each takes its turn in
every round. Workers are there, and have loaded what trains, before the clock starts; the histories
must be equal.
"""

import argparse
import contextlib
import multiprocessing
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import distributed
import loky

from benchmarks.search import CHILD, course_data
from benchmarks.table import as_markdown, measured, ratio
from workshop import nas

ROUNDS = 3
SEARCH = {"epochs": 3, "max_trials": 24, "controller": nas.ControllerSettings(children_per_step=12)}
SAME = ["tokens", "reward", "val_loss", "epochs", "status"]  # all but the seconds


@contextlib.contextmanager
def dask_executor():
    """Of a cluster of two workers on this machine."""
    two = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with (
        distributed.LocalCluster(host="127.0.0.1", **two) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client.get_executor()


def search(data, executor, *, trials):
    """Seconds and history of a search."""
    settings = SEARCH | {"max_trials": trials, "executor": executor, "progress": False}
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        result = nas.search(nas.cnn_model_space(), working_dir=folder, **data, **CHILD, **settings)
        return time.perf_counter() - start, result.history


def measure(rounds=ROUNDS):
    """Rows for the suite."""
    data = course_data()
    del data["test"]
    spawn = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(2, mp_context=spawn) as pool,
        loky.get_reusable_executor(2, timeout=600) as of_loky,
        dask_executor() as of_dask,
    ):
        executors = {
            "in this process": None,
            "two processes, concurrent.futures": pool,
            "two processes, loky": of_loky,
            "two processes, Dask": of_dask,
        }
        for executor in executors.values():  # each worker loads what trains
            search(data, executor, trials=4)
        rates, histories = {name: [] for name in executors}, []
        for _ in range(rounds):
            for name, executor in executors.items():
                seconds, history = search(data, executor, trials=SEARCH["max_trials"])
                rates[name].append(60 * len(history) / seconds)
                histories.append(history[SAME])
    for history in histories:
        if not history.equals(histories[0]):
            raise ValueError("Two of the searches differ.")
    alone = rates.pop("in this process")
    return [
        measured("search in one process: children", alone, "a minute"),
        *(ratio(f"{name} / one process", r, alone, at_least=1.6) for name, r in rates.items()),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    print(as_markdown(measure(parser.parse_args().rounds)))


if __name__ == "__main__":
    main()
