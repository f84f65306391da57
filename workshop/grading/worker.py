"""Grade one notebook: let a student's process run it, fetch the answers, judge them here.

``python -m workshop.grading.worker``: a process of its own, so that no answer can reach another
student's. It is trusted. It reads its task from stdin, as JSON, and ends when that is closed; it
writes a plain record to stdout, as JSON.
"""

import contextlib
import hashlib
import json
import os
import re
import signal
import threading
import time
import warnings
from dataclasses import asdict
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from workshop import homework
from workshop._notebook import read_notebook
from workshop.grading.limits import GIGABYTE, limit
from workshop.grading.results import ENDED, MAX_NOTEBOOK, empty_record, no_points, one_line
from workshop.grading.student import Ended, StudentProcess
from workshop.homework.answers import Answers

START_SECONDS = 120
OWN_MEMORY = 4 * GIGABYTE  # no answer may cost the class its grader
MAX_FAILED = 40
MAX_LINE = 80
MAX_WRITTEN = 3000
ROUNDS = 3
SHARES = 3  # a practice may take one of so many parts of the checks' time
ASSIGNED = re.compile(r"^(?:def (?=\w+\()|(?=\w+ *=[^=]))(\w+)", re.MULTILINE)
MARGIN = 30  # seconds beside it, in which no question is under way

_students = []  # the processes of a notebook, for when the grader goes away before it is done


def main():
    """Read a task, grade, write the record."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):  # what libraries say of a student's numbers is not for a terminal
        os.dup2(null, fd)
    warnings.simplefilter("ignore")
    task = json.loads(source.readline())
    limit("RLIMIT_DATA", max(OWN_MEMORY, task["memory"] * GIGABYTE))
    with contextlib.suppress(OSError):  # where the machine's memory ends, the grader goes last
        Path("/proc/self/oom_score_adj").write_text("1000")
    threading.Thread(target=_end_with, args=(source,), daemon=True).start()
    record = grade_notebook(Path(task.pop("path")), **task)
    sink.write(json.dumps(record).encode())
    sink.close()
    os._exit(0)


def _end_with(source):
    """Wait until the grader closes the pipe, or is killed; leave nothing running."""
    source.read()
    for student in _students:
        student.end()
    os._exit(1)


def grade_notebook(path, *, seed, timeout, cell_timeout, memory, isolate=True, core=None):
    """Record of a notebook; seconds for all cells and for one, GB, and the core that it may use."""
    started = time.perf_counter()
    record = empty_record(homework.EXTENDED, isolated=isolate)
    start = partial(StudentProcess, memory=int(memory * GIGABYTE), isolate=isolate, core=core)
    try:
        cells = _read_cells(path, record)
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        sources = ["" if _is_skipped(cell) else cell["source"] for cell in code]
        student = _run_cells(start, sources, record, timeout, cell_timeout)
        _judge(student, record, seed, timeout)
        for practice_id, result in record["practices"].items():
            practice = homework.EXTENDED[practice_id]
            if result["points"] < practice.points:
                result["remarks"] += _places(cells, practice.own)
    except (EOFError, TimeoutError) as problem:
        if str(problem) not in " ".join(record["problems"]):
            record["problems"].append(str(problem))
    except OSError as problem:
        record["problems"].append(f"It could not be read: {problem.strerror}.")
    except Exception as problem:  # a fault of ours; it must not cost the others their grades
        record["problems"].append(f"The grader failed: {one_line(repr(problem))}")
    finally:
        while _students:
            _students.pop().end()
    record["seconds"] = round(time.perf_counter() - started, 1)
    return record


def _read_cells(path, record):
    """All cells; EOFError if it is no notebook. Notes the days that it is about."""
    if path.stat().st_size > MAX_NOTEBOOK:
        raise EOFError(f"It has more than {MAX_NOTEBOOK // 1024**2} MB and was not read.")
    try:
        cells = read_notebook(path)["cells"]
    except ValueError as problem:
        raise EOFError(f"It is {one_line(problem)}.") from None
    text = "\n".join(cell["source"] for cell in cells if cell["cell_type"] == "code")
    for practice in homework.EXTENDED.values():  # its id, or a name that it alone asks for
        names = "|".join(map(re.escape, (practice.id, *practice.own)))
        if practice.id[0] not in record["days"] and re.search(rf"(?<![\w.])({names})(?!\w)", text):
            record["days"].append(practice.id[0])
    return cells


def _is_skipped(cell):
    return "skip-execution" in cell["metadata"].get("tags", ())


def _places(cells, names):
    """Remarks on answers that do not run, are given again, go on elsewhere, or are misspelled."""
    texts = []
    code = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    for name in names:
        assigned = rf"(\w+\s*,\s*)*{name}\s*(,[\w\s,]*|:[^=\n]*)?=(?!=)"
        given = re.compile(rf"^[ \t]*(def {name}\b|{assigned})", re.MULTILINE)
        numbers, runs = {"cell": 0, "text cell": 0}, 0
        for cell in cells:
            kind = "cell" if cell["cell_type"] == "code" else "text cell"
            numbers[kind] += 1
            number = numbers[kind]
            if not given.search(cell["source"]):
                continue
            if kind == "text cell" or _is_skipped(cell):
                texts.append(f"{name} stands in {kind} {number}, which does not run.")
                continue
            runs += 1
            if runs > 1:
                texts.append(f"{name} is defined again in {kind} {number}.")
            if "".join(code[number : number + 1])[:1] in (" ", "\t"):
                texts.append(f"{name} seems to go on in cell {number + 1}: write it in one cell.")
        for number, source in enumerate(code, start=1):
            others = set(ASSIGNED.findall(source)).difference(names)
            near = [one for one in others if get_close_matches(name, [one.casefold()], 1, 0.9)]
            texts += [f"{one} in cell {number} is spelled otherwise than {name}." for one in near]
    return [{"right": False, "text": text, "points": 0, "out_of": 0} for text in texts]


def _run_cells(start, cells, record, timeout, cell_timeout):
    """The process in which the cells have run.

    A cell that ends its process, to restart the kernel or by a crash, is left out, and the others
    run again from the first: what was answered before it is there, and what comes after it.
    """
    deadline, left_out = time.monotonic() + timeout, {}
    record["cells"] = len(cells)
    while True:
        _students[:] = [student := start()]
        student.hello(START_SECONDS)
        errors, waiting = dict(left_out), [i for i in range(len(cells)) if i not in left_out]
        try:
            for _ in range(1 + ROUNDS):
                for cell in waiting:
                    if (left := deadline - time.monotonic()) <= 0:
                        late = f"It ran for more than {timeout:g} s"
                        record["problems"].append(f"{late}; cells from {cell + 1} on were not run.")
                        return student
                    errors[cell] = ENDED
                    errors[cell] = _run_cell(student, cells[cell], min(cell_timeout, left))
                # A cell that has been moved above the one it builds on runs now, after the others.
                again = [cell for cell, error in errors.items() if error.startswith("NameError")]
                if not again or again == waiting:
                    return student
                waiting = again
            return student
        except Ended as gone:
            errors[cell] = left_out[cell] = f"{gone} The others were run again without it."
        except EOFError as gone:
            raise EOFError(f"It ended in cell {cell + 1}. {gone}") from None
        finally:
            record["failed"] = [
                {"cell": cell + 1, "line": one_line(cells[cell])[:MAX_LINE], "error": error}
                for cell, error in sorted(errors.items())
                if error
            ][:MAX_FAILED]


def _run_cell(student, source, seconds):
    """What a cell raised, in a line; an empty text if nothing."""
    try:
        response = student.ask({"op": "run", "source": source}, seconds)
        return one_line(response.get("value") or "")
    except TimeoutError:
        return f"it ran for more than {seconds:.0f} s and was stopped"


def _judge(student, record, seed, timeout):
    """Check all answers; a practice may take a third of the time for all."""
    deadline = time.monotonic() + timeout

    def transport(request, seconds):
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError("The checks took too long.")
        return student.ask(request, min(seconds, left))

    def stop(*_):
        raise TimeoutError("Its check took too long.")

    signal.signal(signal.SIGALRM, stop)  # a network of the student may be large, and is ours to run
    answers = Answers(transport)
    for practice_id, practice in homework.EXTENDED.items():
        left = max(0, min(deadline - time.monotonic(), timeout / SHARES))
        end = time.monotonic() + left
        signal.setitimer(signal.ITIMER_REAL, left + MARGIN, MARGIN)
        try:
            values = [answers.get(name) for name in practice.own]
            started = any(value is not None for value in values)
            others = practice.names[len(practice.own) :]
            values += [answers.get(name) if started else None for name in others]
            verdict = homework.judge(practice_id, values, random_state=_seed(seed, practice_id))
            words = dict(zip(practice.names, values, strict=True)).get(practice.written)
            result = _plain(verdict, words)
        except TimeoutError as slow:
            result = no_points(f"Your answer is too slow. {slow}")
        except EOFError as gone:
            text = f"The notebook's process ended while this was checked. {gone}"
            record["practices"][practice_id] = no_points(text)
            raise
        except (ValueError, MemoryError, RecursionError):
            result = no_points("Your answer has a form that cannot be read.")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        record["practices"][practice_id] = result


def _seed(seed, practice_id):
    """Inputs of a practice are the same for all students, and others than the next practice's."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{practice_id}".encode()).digest()[:8], "big")


def _plain(verdict, words):
    """A verdict as it is kept, with what the student explains in words."""
    said = [{"right": bool(one.right), "text": one_line(one.text)} for one in verdict.remarks]
    remarks = [asdict(one) | own for one, own in zip(verdict.remarks, said, strict=True)]
    done, started = bool(verdict.done), bool(verdict.started)
    result = {"points": verdict.points, "done": done, "started": started, "remarks": remarks}
    return result | ({"written": words[:MAX_WRITTEN]} if isinstance(words, str) else {})


if __name__ == "__main__":
    main()
