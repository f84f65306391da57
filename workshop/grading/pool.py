"""Workers, a few at a time: a plain process a notebook, with a pipe to each and no socket."""

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import cycle
from pathlib import Path

import workshop

MARGIN = 300  # seconds that a worker may take beside the notebook and the checks
LATE = "Its checks took too long, and were stopped."
THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def usable_cores():
    """Numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))  # macOS


def grade_all(paths, jobs, options):
    """Grade notebooks, `jobs` at a time, and yield keys and records as they are done.

    `paths` are the notebooks by key, `options` as `workshop.grading.worker.grade_notebook` takes
    them. The record is None where the worker was lost, and only says `LATE` where that was its end.
    """
    running, cores, own = set(), cycle(usable_cores()), threading.local()

    def take_core():
        own.core = next(cores)

    def grade(path):
        return _run_worker({"path": str(path.resolve()), "core": own.core} | options, running)

    with ThreadPoolExecutor(jobs, initializer=take_core) as pool:
        try:
            keys = {pool.submit(grade, path): key for key, path in paths.items()}
            for done in as_completed(keys):
                yield keys[done], done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(running):
                process.stdin.close()  # it ends its notebook, then itself


def _run_worker(task, running):
    """Record that a worker wrote; None if it ended without one."""
    process = subprocess.Popen(
        [sys.executable, "-m", "workshop.grading.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(workshop.__file__).parents[1],  # Python imports from there, not from a submission
        env=os.environ | THREADS,
        start_new_session=True,  # Ctrl-C: we end it in order
    )
    running.add(process)
    deadline = threading.Timer(2 * task["timeout"] + MARGIN, process.kill)
    deadline.start()
    try:
        process.stdin.write(json.dumps(task).encode() + b"\n")
        process.stdin.flush()
        return json.loads(process.stdout.read())
    except (OSError, ValueError):
        return None if deadline.is_alive() else {"problems": [LATE]}
    finally:
        deadline.cancel()
        running.discard(process)
        with process:
            process.stdin.close()
