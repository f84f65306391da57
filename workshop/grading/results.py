"""What has been graded, on disk after each notebook; and a student's row made from it.

A run that was killed goes on from the file.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd

import workshop
from workshop._files import write_whole

FORMAT = "workshop grades 3"
MAX_FAILED = 8  # cells named in a row of the table; the report has all
MAX_TEXT = 300
MAX_NOTEBOOK = 50 * 1024**2
ENDED = "the notebook ended here"


def empty_record(practice_ids, *, isolated, problems=()):
    """Record of a notebook of which nothing is known yet; plain, as it is kept in JSON."""
    return {
        "practices": {key: no_points("It could not be graded.") for key in practice_ids},
        "days": [],
        "cells": 0,
        "failed": [],  # of each cell: cell (its number), line (its first), error
        "problems": list(problems),
        "seconds": 0.0,
        "isolated": isolated,
    }


def no_points(text):
    """Result of a practice that could not be judged, and why."""
    remark = {"right": False, "text": one_line(text), "points": 0, "out_of": 0}
    return {"points": 0, "done": False, "started": False, "remarks": [remark]}


def one_line(value):
    """One line that can be printed: no half of a letter, nothing that steers a terminal."""
    return _printable(" ".join(str(value).split())[:MAX_TEXT])


def _printable(text):
    return "".join(letter if letter.isprintable() else "?" for letter in text)


class Records:
    """All results, kept whole in one file; ValueError if the file is something else.

    A result has the record of a notebook, student, path, sha256 (of the notebook's bytes), version
    (of this package), seed, and complete: False when the grader itself failed.
    """

    def __init__(self, path):
        self.path, self.results = path, {}
        if not path.exists():
            return
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise ValueError(f"format {content['format']!r}")
            self.results = {(one["student"], one["sha256"]): one for one in content["notebooks"]}
        except (ValueError, TypeError, KeyError, RecursionError) as problem:
            raise ValueError(
                f"{path} must be the record of an earlier `workshop grade`, of this version; got "
                f"{str(problem)[:80]}. Move it away, or pass another --out; nothing is changed."
            ) from problem

    def find(self, student, sha256):
        """The result of a student's notebook under this version; None where there is none."""
        found = self.results.get((student, sha256))
        return found if found and found["complete"] and found["version"] == version() else None

    def add(self, result):
        """Keep a result, on disk as well."""
        self.results[result["student"], result["sha256"]] = result
        content = {"format": FORMAT, "notebooks": list(self.results.values())}
        write_whole(self.path, json.dumps(content, indent=1) + "\n")


@lru_cache(maxsize=1)
def version():
    """Version of the package with a digest of its code: a check that changed is another one."""
    return f"{workshop.__version__}+{digest_of(Path(workshop.__file__).parent)[:12]}"


def digest_of(package):
    """SHA-256 of all Python files of a package, those in its folders too."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(str(path.relative_to(package)).encode() + path.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Row:
    """A student's grades."""

    student: str
    points: dict  # by practice
    total: int  # of 100
    seconds: float
    late: str  # which notebooks came late, where their names say so
    failed: str  # which cells failed, which limits were hit; empty if nothing
    best: dict  # by practice, what the check said of the best answer
    notebooks: tuple  # their results

    @property
    def days(self):
        """Days that the notebooks or a correction are about, "1" and "2"; none if unreadable."""
        about = {key[0] for key, found in self.best.items() if "by_hand" in found}
        return about.union(*(one["record"]["days"] for one in self.notebooks))


def rows_of(results, practice_ids):
    """Rows, by student."""
    by_student = {}
    for one in results:
        by_student.setdefault(one["student"], []).append(one)
    names = sorted(by_student, key=lambda name: (name.casefold(), name))
    return [_row(name, tuple(by_student[name]), practice_ids) for name in names]


def _row(student, notebooks, practice_ids):
    best = {}
    for key in practice_ids:
        found = [one["record"]["practices"][key] for one in notebooks]
        # Of equal points the one that was worked on, so that its hints are shown.
        best[key] = max(found, key=lambda one: (one["points"], one["done"], one["started"]))
    points = {key: practice["points"] for key, practice in best.items()}
    seconds = round(sum(one["record"]["seconds"] for one in notebooks), 1)
    late = "; ".join(Path(one["path"]).name for one in notebooks if one["late"])
    failed = "; ".join(_failures(notebooks))
    return Row(student, points, sum(points.values()), seconds, late, failed, best, notebooks)


def _failures(notebooks):
    for day in "12":
        times = sum(day in one["record"]["days"] for one in notebooks)
        if times > 1:
            yield f"Day {day} came {times} times, the best of each practice counts"
    for one in notebooks:
        name, record = Path(one["path"]).name, one["record"]
        for problem in record["problems"]:
            yield f"{name}: {problem.rstrip('.')}"
        failed = [cell for cell in record["failed"] if cell["error"] != ENDED]  # a problem, above
        for cell in failed[:MAX_FAILED]:
            yield f"{name}: cell {cell['cell']}: {cell['error'].rstrip('.')}"
        if len(failed) > MAX_FAILED:
            yield f"{name}: and {len(failed) - MAX_FAILED} more cells"


def table_of(rows, practice_ids):
    """Rows as a table: student, a column a practice, total, seconds, late, failed."""
    columns = ["student", *practice_ids, "total", "seconds", "late", "failed"]
    lines = [[r.student, *r.points.values(), r.total, r.seconds, r.late, r.failed] for r in rows]
    return pd.DataFrame(lines, columns=columns, dtype=object)  # Arrow's text refuses some names


def to_csv(table):
    """Text of a CSV table, in which no spreadsheet finds a formula."""
    safe = {name: table[name].map(_safe) for name in ("student", "late", "failed")}
    return table.assign(**safe).to_csv(index=False, lineterminator="\n")


def _safe(text):
    """Text that no spreadsheet takes for a formula, on one line."""
    text = _printable(" ".join(text.split()))
    return re.sub("(^|; ?)(?=[=+@＝＋＠－-])", r"\1'", text)  # some divide at a semicolon
