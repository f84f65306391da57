"""Check homework at once: what is right, what is wrong and a hint, and the points.

A check tests what an answer *means*, on random inputs that are new each time, and takes any form
in which it can be read: an array, a list, a table. It works on copies, and changes nothing.
"""

import html
import os
import secrets
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workshop.homework import (  # noqa: F401  (importing them enters their checks)
    evaluating,
    explaining,
    searching,
    text_day1,
    text_day2,
    training,
)
from workshop.homework.answers import AnswerError, local_answers
from workshop.homework.practice import (
    ENTERED,
    NotDone,
    Practice,
    Remark,
    Unreadable,
    unfilled,
)

__all__ = [
    "EXTENDED",
    "GRADING_VARIABLE",
    "PRACTICES",
    "Practice",
    "Remark",
    "Scoreboard",
    "Verdict",
    "check",
    "judge",
    "scoreboard",
]

GRADING_VARIABLE = "WORKSHOP_GRADING"
"""Set in the environment of a notebook that is graded: the grader asks for the answers himself."""

PRACTICES = {key: ENTERED[key] for key in sorted(ENTERED, key=lambda i: (i[0], i[2] == "6", i))}
"""All tasks by id, in the order of the lessons."""

EXTENDED = {key: practice for key, practice in PRACTICES.items() if practice.points}
"""The extended practices: those with points."""

_verdicts = {}  # by id, of this session: the latest


@dataclass(frozen=True)
class Verdict:
    """What a check found; shown by a notebook as sentences with the points.

    Parameters
    ----------
    practice_id : str
    remarks : tuple of Remark
        One for each part of the task that was looked at.
    out_of : int
        Points to be earned: 10, or 0 for a practice in the text.
    done : bool
        Whether all answers have been filled in, rightly or wrongly.
    started : bool
        Whether at least one has.
    """

    practice_id: str
    remarks: tuple
    out_of: int
    done: bool
    started: bool = True

    @property
    def points(self):
        """Points earned."""
        return sum(remark.points for remark in self.remarks)

    @property
    def passed(self):
        """Whether everything is right."""
        return self.done and all(remark.right for remark in self.remarks)

    @property
    def state(self):
        """A few words for a table: ``"7 of 10"``, ``"right"``, ``"not yet right"``."""
        if not self.started:
            return "not done yet"
        if self.out_of:
            return f"{self.points} of {self.out_of}"
        return "right" if self.passed else "not yet right"

    def _mark(self, remark):
        if remark.right:
            return "✓"
        return "✗" if self.started else "·"

    def __str__(self):
        points = " points" if self.out_of and self.started else ""
        lines = [f"{self.practice_id}: {self.state}{points}."]
        return "\n".join([*lines, *(f"  {self._mark(one)} {one.text}" for one in self.remarks)])

    __repr__ = __str__

    def _repr_html_(self):
        colour = "#2E7D32" if self.passed else "#B26A00" if self.started else "#757575"
        points = " points" if self.out_of and self.started else ""
        items = "".join(
            f"<div>{self._mark(one)} {html.escape(one.text)}</div>" for one in self.remarks
        )
        return (
            f'<div style="border-left: 4px solid {colour}; padding: 2px 10px; margin: 4px 0">'
            f"<b>{self.practice_id}: {self.state}{points}</b>{items}</div>"
        )


@dataclass(frozen=True, eq=False)
class Scoreboard:
    """The state of a day's tasks; a notebook shows it as a table.

    Parameters
    ----------
    table : DataFrame
        Columns practice, task and state, a row a task.
    points, out_of : int
        Sum over the extended practices shown.
    """

    table: pd.DataFrame
    points: int
    out_of: int

    def __str__(self):
        width = max(map(len, self.table["task"]))
        rows = [
            f"{row.practice:7} {row.task:{width}}  {row.state}" for row in self.table.itertuples()
        ]
        return "\n".join(
            [*rows, f"{'total':7} {'':{width}}  {self.points} of {self.out_of} points"]
        )

    __repr__ = __str__

    def _repr_html_(self):
        cell = '<td style="text-align: left">'
        rows = "".join(
            f"<tr>{cell}{row.practice}</td>{cell}{html.escape(row.task)}</td>"
            f"{cell}{row.state}</td></tr>"
            for row in self.table.itertuples()
        )
        head = "".join(
            f'<th scope="col" style="text-align: left">{name}</th>' for name in self.table.columns
        )
        total = f"{self.points} of {self.out_of} points"
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>"
            f"<tfoot><tr>{cell}<b>total</b></td>{cell}</td>{cell}<b>{total}</b></td></tr></tfoot>"
            "</table>"
        )


def check(practice_id, *answers, random_state=None):
    """Check the answer to a practice.

    Parameters
    ----------
    practice_id : str
        ``"1.P1.1"`` to ``"2.P3.3"`` for practices in the text, ``"1.6.1"`` to ``"2.6.5"`` for the
        extended ones, 10 points each.
    *answers
        What the task asks for, in the order that its text gives: functions, arrays, tables,
        models. `PRACTICES` lists the names.
    random_state : int, optional
        Draws the inputs; new ones each time when left out.

    Returns
    -------
    Verdict

    Raises
    ------
    ValueError
        If there is no such practice.
    TypeError
        If there are more or fewer answers than the practice has.

    Examples
    --------
    >>> check(
    ...     "1.P3.1",
    ...     {"conv": (64, 32, 200), "pool": (64, 32, 50), "mean": (64, 32), "output": (64, 1)},
    ... )
    1.P3.1: right.
      ✓ All four shapes are right.
    """
    practice = _practice(practice_id)
    if len(answers) != len(practice.names):
        raise TypeError(
            f"{practice_id} takes {len(practice.names)} answers; got {len(answers)}. Write: "
            f'homework.check("{practice_id}", {", ".join(practice.names)})'
        )
    if os.environ.get(GRADING_VARIABLE):
        return _not_done(practice, "It is graded when the whole notebook has run.")
    asked = local_answers(dict(zip(practice.names, answers, strict=True)))
    values = [asked.get(name) for name in practice.names]
    seed = secrets.randbits(64) if random_state is None else random_state
    verdict = judge(practice_id, values, random_state=seed)
    _verdicts[practice_id] = verdict
    return verdict


def judge(practice_id, values, *, random_state):
    """Judge answers that have come as plain data; what `check` and the grader have in common.

    Parameters
    ----------
    practice_id : str
    values : list
        As `workshop.homework.answers.Answers.get` returns them, one for each name of the practice.
    random_state : int

    Returns
    -------
    Verdict

    Raises
    ------
    EOFError, TimeoutError
        If a function's process has ended, or does not answer.
    """
    practice = _practice(practice_id)
    own = dict(zip(practice.own, values, strict=False))
    empty = [name for name, value in own.items() if unfilled(value)]
    if len(empty) == len(own):
        return _not_done(practice, f"Still empty: {', '.join(empty)}.")
    done, remarks = not empty, []
    try:
        for remark in practice.check(np.random.default_rng(random_state), *values):
            remarks.append(remark)
    except NotDone as stub:
        return _not_done(practice, str(stub))
    except Unreadable as form:
        remarks.append(Remark(False, str(form)))
    except AnswerError as raised:
        remarks.append(Remark(False, f"Your code raised {str(raised).rstrip('.')}."))
    except (EOFError, TimeoutError):
        raise
    except Exception as problem:  # an answer in a form that nobody thought of costs its points only
        text = f"The answer has a form that cannot be read ({type(problem).__name__}: {problem})."
        remarks.append(Remark(False, text[:300]))
    return Verdict(practice_id, tuple(remarks), practice.points, done)


def scoreboard():
    """Show how far the homework is.

    Returns
    -------
    Scoreboard
        Of the days of which something was checked in this session; of both before.
    """
    days = {practice_id[0] for practice_id in _verdicts} or {"1", "2"}
    shown = [practice for practice in PRACTICES.values() if practice.id[0] in days]
    states = [_verdicts[p.id].state if p.id in _verdicts else "not done yet" for p in shown]
    table = pd.DataFrame(
        {"practice": [p.id for p in shown], "task": [p.title for p in shown], "state": states}
    )
    points = sum(verdict.points for verdict in _verdicts.values())
    return Scoreboard(table, points, sum(practice.points for practice in shown))


def _practice(practice_id):
    if practice_id not in PRACTICES:
        raise ValueError(f"practice_id must be one of {', '.join(PRACTICES)}; got {practice_id!r}.")
    return PRACTICES[practice_id]


def _not_done(practice, text):
    return Verdict(practice.id, (Remark(False, text),), practice.points, False, started=False)
