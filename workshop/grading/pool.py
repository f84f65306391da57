"""Workers, a few at a time: processes that are trusted and import the heavy libraries once."""

import json
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from multiprocessing.connection import wait

__all__ = ["Pool", "practice_ids", "probe"]

MAX_RECORD = 4 * 1024**2
MARGIN = 300  # seconds that a worker may take beside the notebook and the checks
THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def practice_ids():
    """The practices that give points."""
    from workshop.homework import EXTENDED

    return list(EXTENDED)


class Pool:
    """Run workers, a few at a time, and survive whatever becomes of them.

    Parameters
    ----------
    jobs : int
    options : dict
        As `workshop.grading.worker.grade_notebook` takes them.
    """

    def __init__(self, jobs, options):
        self.jobs, self.options, self.running = jobs, options, {}

    def run(self, todo, paths):
        """Grade notebooks.

        Parameters
        ----------
        todo : list
            Keys of `paths`, in the order in which to begin.
        paths : dict of key to Path

        Yields
        ------
        key, record, complete
            As notebooks are done; `complete` is False where the worker was lost.
        """
        waiting = deque(todo)
        seconds = 2 * self.options["timeout"] + MARGIN
        try:
            while waiting or self.running:
                while waiting and len(self.running) < self.jobs:
                    key = waiting.popleft()
                    task = {"path": str(paths[key].resolve()), "options": self.options}
                    connection, process = _start(task)
                    self.running[connection] = (process, key, time.monotonic() + seconds)
                ready = wait(list(self.running), timeout=1)
                late = [c for c, (_, _, end) in self.running.items() if time.monotonic() > end]
                for connection in {*ready, *late}:
                    process, key, _ = self.running[connection]
                    record = _receive(connection) if connection in ready else None
                    _end(process, politely=record is not None)
                    del self.running[connection]
                    yield key, record or _lost(), record is not None
        finally:
            for process, _, _ in self.running.values():
                process.terminate()
            for process, _, _ in self.running.values():
                _end(process, politely=True)


def _work(connection, task):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C: our parent ends us in order
    from workshop.grading.worker import work  # Torch with it: not in the parent

    work(connection, task)


def _start(task):
    # Torch does not survive a fork on macOS.
    way = "forkserver" if sys.platform == "linux" else "spawn"
    context = multiprocessing.get_context(way)
    if way == "forkserver":
        context.set_forkserver_preload(["workshop.grading.worker"])
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(sending, task), daemon=True)
    kept = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(THREADS)  # read when the server of processes starts
    try:
        process.start()
    finally:
        for name, value in kept.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    sending.close()
    return receiving, process


def _receive(connection):
    """Record of a worker; None if it ended without one."""
    try:
        return json.loads(connection.recv_bytes(MAX_RECORD))
    except (EOFError, OSError, ValueError):
        return None
    finally:
        connection.close()


def _end(process, *, politely):
    if politely:
        process.join(15)
    if process.is_alive():
        process.kill()
    process.join(15)


def _lost():
    remark = {"right": False, "text": "It could not be graded.", "points": 0, "out_of": 0}
    nothing = {"points": 0, "done": False, "started": False, "remarks": [remark]}
    return {
        "practices": dict.fromkeys(practice_ids(), nothing),
        "days": [],
        "cells": 0,
        "failed": [],
        "problems": ["The process that graded it was killed. Run the same command again."],
        "peak": 0.0,
        "seconds": 0.0,
    }


def probe(isolate):
    """What protects us from a notebook here: names as `workshop.grading.sandbox` gives them."""
    connection, process = _start({"probe": True, "isolate": isolate})
    record = _receive(connection) if connection.poll(MARGIN) else None
    _end(process, politely=record is not None)
    return record["active"] if record else []
