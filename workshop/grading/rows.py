"""A student's row from the results of the notebooks: the best of each practice, and the CSV."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Row", "rows_of", "to_csv"]

MAX_FAILED = 8  # cells named in a row of the table; the report has all


@dataclass(frozen=True)
class Row:
    """A student's grades.

    Parameters
    ----------
    student : str
    points : dict of str to int
        By practice.
    total : int
        Of 100.
    seconds : float
    failed : str
        Which cells failed, which limits were hit; empty if nothing.
    best : dict of str to dict
        By practice, what the check said of the best answer.
    notebooks : tuple of Graded
    """

    student: str
    points: dict
    total: int
    seconds: float
    failed: str
    best: dict
    notebooks: tuple


def rows_of(graded, ids):
    """Rows, by student.

    Parameters
    ----------
    graded : sequence of Graded
    ids : sequence of str
        The practices.
    """
    by_student = {}
    for one in graded:
        by_student.setdefault(one.student, []).append(one)
    return [
        _row(student, tuple(by_student[student]), ids)
        for student in sorted(by_student, key=lambda name: (name.casefold(), name))
    ]


def _row(student, notebooks, ids):
    best = {}
    for practice_id in ids:
        found = [one.record["practices"][practice_id] for one in notebooks]
        # Of equal points the one that was worked on, so that its hints are shown.
        best[practice_id] = max(found, key=lambda one: (one["points"], one["done"], one["started"]))
    points = {practice_id: practice["points"] for practice_id, practice in best.items()}
    return Row(
        student,
        points,
        sum(points.values()),
        round(sum(one.record["seconds"] for one in notebooks), 1),
        "; ".join(_failures(notebooks)),
        best,
        notebooks,
    )


def _failures(notebooks):
    if len(notebooks) > 1:
        for day in "12":
            names = [Path(one.path).name for one in notebooks if day in one.record["days"]]
            if len(names) > 1:
                yield f"Day {day} came {len(names)} times, the best of each practice counts"
    for one in notebooks:
        name, record = Path(one.path).name, one.record
        for problem in record["problems"]:
            yield f"{name}: {problem.rstrip('.')}"
        # That a cell ended the notebook is a problem, which has been named.
        failed = [cell for cell in record["failed"] if cell["error"] != "the notebook ended here"]
        for cell in failed[:MAX_FAILED]:
            yield f"{name}: cell {cell['cell']}: {cell['error'].rstrip('.')}"
        if len(failed) > MAX_FAILED:
            yield f"{name}: and {len(failed) - MAX_FAILED} more cells"


def to_csv(rows, ids):
    """Text of a CSV table: student, a column a practice, total, seconds, failed."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["student", *ids, "total", "seconds", "failed"])
    for row in rows:
        points = [row.points[practice_id] for practice_id in ids]
        words = [_safe(row.student), *points, row.total, row.seconds, _safe(row.failed)]
        writer.writerow(words)
    return text.getvalue()


def _safe(text):
    """Text that no spreadsheet takes for a formula, on one line."""
    text = " ".join(text.encode("utf-8", "replace").decode().split())
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
