"""Grade one notebook: let a student's process run it, fetch the answers, judge them here.

A worker is trusted, and a process of its own, so that nothing that a notebook does can reach
another's. It returns a plain record; `workshop.grading` starts workers and keeps their records.
"""

import contextlib
import hashlib
import json
import os
import signal
import threading
import time
import warnings
from pathlib import Path

# What the checks import while they run: a server of processes that has imported it once forks
# workers in no time.
import matplotlib.font_manager  # noqa: F401
import pandas  # noqa: F401
import sklearn.metrics  # noqa: F401
import torch  # noqa: F401

import workshop.torch_cnn  # noqa: F401
from workshop import homework
from workshop.grading.limits import GIGABYTE
from workshop.grading.student import StudentProcess
from workshop.homework.answers import Answers

__all__ = ["grade_notebook", "work"]

START_SECONDS = 120
MAX_NOTEBOOK = 50 * 1024**2
OWN_MEMORY = 8 * GIGABYTE  # no answer may cost the class its grader
MAX_CELLS = 2000
MAX_FAILED = 40
MAX_TEXT = 300
MAX_WRITTEN = 3000
ROUNDS = 3
ENDED = "the notebook ended here"


def work(connection, task):
    """Grade a notebook and send its record; what a worker process runs."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (OWN_MEMORY, hard))
    signal.signal(signal.SIGTERM, lambda *_: os._exit(1) if _process is None else _leave())
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    _hush()
    if "probe" in task:
        record = {"active": _probe(isolate=task["isolate"])}
    else:
        record = grade_notebook(Path(task["path"]), **task["options"])
    connection.send_bytes(json.dumps(record).encode())
    connection.close()


_process = None  # the student's, of this worker


def _leave():
    with contextlib.suppress(Exception):
        _process.end()
    os._exit(1)


def _hush():
    """Keep what libraries say of a student's numbers out of the instructor's terminal."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    warnings.simplefilter("ignore")


def _probe(*, isolate):
    """Start a student's process for nothing; return what protects us from it."""
    global _process
    with open(os.devnull, "rb") as nothing:
        _process = StudentProcess(nothing.fileno(), memory=4 * GIGABYTE, isolate=isolate)
    try:
        return _process.hello(START_SECONDS)
    except (EOFError, TimeoutError):
        return []
    finally:
        _process.end()


def _leave_with_parent():
    import multiprocessing
    from multiprocessing.connection import wait

    wait([multiprocessing.parent_process().sentinel])
    _leave() if _process else os._exit(1)


def grade_notebook(path, *, seed, timeout, cell_timeout, memory, hidden=(), isolate=True):
    """Grade a notebook.

    Parameters
    ----------
    path : Path
    seed : int
        Each practice draws its inputs from this and its id: the same for all students.
    timeout, cell_timeout : float
        Seconds for all cells, and for one.
    memory : float
        GB.
    hidden : sequence of str
        Files and folders that the notebook shall not read.
    isolate : bool

    Returns
    -------
    dict
        Plain: practices, days, cells, failed, problems, seconds, peak (GB).
    """
    global _process
    started = time.perf_counter()
    record = {"practices": {}, "days": [], "cells": 0, "failed": [], "problems": [], "peak": 0.0}
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size > MAX_NOTEBOOK:
                raise EOFError(f"It has more than {MAX_NOTEBOOK // 1024**2} MB and was not read.")
            _process = StudentProcess(
                file.fileno(), memory=int(memory * GIGABYTE), hidden=hidden, isolate=isolate
            )
        try:
            _process.hello(START_SECONDS)
            _run_cells(_process, record, timeout, cell_timeout)
            _judge(_process, record, seed, timeout)
        finally:
            _process.end()
            record["peak"] = round(_process.watchdog.peak / GIGABYTE, 2)
    except (EOFError, TimeoutError) as problem:
        if str(problem) not in " ".join(record["problems"]):
            record["problems"].append(str(problem))
    except OSError as problem:
        record["problems"].append(f"It could not be read: {problem.strerror}.")
    except Exception as problem:  # a fault of ours; it must not cost the others their grades
        record["problems"].append(f"The grader failed: {type(problem).__name__}: {problem}"[:300])
    for practice_id in homework.EXTENDED:
        record["practices"].setdefault(practice_id, _nothing("It could not be graded."))
    record["seconds"] = round(time.perf_counter() - started, 1)
    return record


def _run_cells(process, record, timeout, cell_timeout):
    try:
        response = process.ask({"op": "load", "ids": list(_names())}, START_SECONDS)
    except TimeoutError:
        raise EOFError(f"It could not be read within {START_SECONDS} s.") from None
    if "error" in response:
        raise EOFError(_text(response["error"]))
    lines, record["days"] = _loaded(response["value"])
    deadline = time.monotonic() + timeout
    record["cells"] = len(lines)
    errors = {}
    waiting = range(len(lines))
    for _ in range(1 + ROUNDS):
        for cell in waiting:
            if (left := deadline - time.monotonic()) <= 0:
                late = f"It ran for more than {timeout:g} s; cells from {cell + 1} on were not run."
                record["problems"].append(late)
                break
            errors[cell] = _run_cell(process, cell, min(cell_timeout, left), record, lines, errors)
        _note(record, lines, errors)
        # A cell that has been moved above the one it builds on runs now, after the others.
        again = [cell for cell, error in errors.items() if error.startswith("NameError")]
        if not again or again == list(waiting) or record["problems"]:
            return
        waiting = again


def _run_cell(process, cell, seconds, record, lines, errors):
    """Run a cell; return its error, or an empty text."""
    try:
        response = process.ask({"op": "run", "cell": cell}, seconds)
    except TimeoutError:
        return f"it ran for more than {seconds:.0f} s and was stopped"
    except EOFError as gone:
        errors[cell] = ENDED
        _note(record, lines, errors)
        raise EOFError(f"It ended in cell {cell + 1}. {gone}") from None
    return _text(response["value"]) if isinstance(response.get("value"), str) else ""


def _note(record, lines, errors):
    record["failed"] = [
        {"cell": cell + 1, "line": lines[cell], "error": errors[cell]}
        for cell in sorted(errors)
        if errors[cell]
    ][:MAX_FAILED]


def _loaded(value):
    """First lines of the cells, and the days; strings of a bounded size, whatever was sent."""
    lines = value.get("lines") if isinstance(value, dict) else None
    named = value.get("named") if isinstance(value, dict) else None
    if not isinstance(lines, list) or not isinstance(named, list):
        raise EOFError("It sent something that is no answer.")
    if len(lines) > MAX_CELLS:
        raise EOFError(f"It has more than {MAX_CELLS} cells and was not run.")
    days = {day for name, day in _names().items() if name in named}
    return [_text(line) for line in lines], sorted(days)


def _names():
    """Names that tell which day a notebook is about: the practices' ids and own answers."""
    return {name: key[0] for key, one in homework.EXTENDED.items() for name in (key, *one.own)}


def _judge(process, record, seed, timeout):
    deadline = time.monotonic() + timeout

    def transport(request, seconds):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("The checks took too long.")
        return process.ask(request, min(seconds, left))

    answers = Answers(transport)
    for practice_id, practice in homework.EXTENDED.items():
        try:
            values = [answers.get(name) for name in practice.own]
            if any(value is not None for value in values):
                values += [answers.get(name) for name in practice.names[practice.n_own :]]
            else:
                values += [None] * (len(practice.names) - practice.n_own)
            verdict = homework.judge(practice_id, values, random_state=_seed(seed, practice_id))
            record["practices"][practice_id] = _plain(verdict) | _written(practice, values)
        except TimeoutError as slow:
            record["practices"][practice_id] = _nothing(f"Your answer is too slow. {slow}")
        except EOFError as gone:
            text = f"The notebook's process ended while this was checked. {gone}"
            record["practices"][practice_id] = _nothing(text)
            raise
        except (ValueError, MemoryError, RecursionError):
            text = "Your answer has a form that cannot be read."
            record["practices"][practice_id] = _nothing(text)


def _seed(seed, practice_id):
    return int.from_bytes(hashlib.sha256(f"{seed}:{practice_id}".encode()).digest()[:8], "big")


def _plain(verdict):
    remarks = [
        {"right": bool(r.right), "text": _text(r.text), "points": r.points, "out_of": r.out_of}
        for r in verdict.remarks
    ]
    return {
        "points": verdict.points,
        "done": bool(verdict.done),
        "started": bool(verdict.started),
        "remarks": remarks,
    }


def _written(practice, values):
    """What the student explains in words, for the instructor to read."""
    words = dict(zip(practice.names, values, strict=True)).get(practice.written)
    return {"written": words[:MAX_WRITTEN]} if isinstance(words, str) and words.strip() else {}


def _nothing(text):
    remark = {"right": False, "text": _text(text), "points": 0, "out_of": 0}
    return {"points": 0, "done": False, "started": False, "remarks": [remark]}


def _text(value):
    """One line that can be printed: no half of a letter, nothing that steers a terminal."""
    line = " ".join(str(value).split())[:MAX_TEXT]
    return "".join(letter if letter.isprintable() else "?" for letter in line)
