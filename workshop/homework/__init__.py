"""Check homework at once: what is right, what is wrong and a hint, and the points.

A check tests what an answer *means*, on random inputs that are new each time, and takes any form
in which it can be read: an array, a list, a table. It works on copies, and changes nothing.
"""

import html
import os
import secrets
from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from workshop.homework import drawings, evaluating, explaining, lessons, searching, training
from workshop.homework.answers import AnswerError, local_answers
from workshop.homework.forms import unfilled
from workshop.homework.practice import REGISTRY, NotDone, Practice, Rejected, Remark

__all__ = ["EXTENDED", "GRADING", "PRACTICES", "Practice", "Remark", "Scoreboard", "Verdict"]
__all__ += ["check", "judge", "scoreboard"]

CHECKS = evaluating, explaining, lessons, searching, training  # importing them enters the tasks
# All tasks by id, in the order of the lessons: those in the text, P, before those of section 6.
PRACTICES = {key: REGISTRY[key] for key in sorted(REGISTRY, key=lambda key: key.replace("P", "0"))}
EXTENDED = {key: practice for key, practice in PRACTICES.items() if practice.points}
GRADING = "WORKSHOP_GRADING"  # in the environment of a grader, who asks for the answers himself
LAST_HINT_AFTER = 3  # checks of a practice in a session that were not passed

_verdicts = {}  # by id, of this session: the latest
_failures = Counter()  # by id, of this session


@dataclass(frozen=True)
class Verdict:
    """What a check found; a notebook shows sentences with the points, and draws what is right."""

    practice_id: str
    remarks: tuple  # of `Remark`, one for each part of the task that was looked at
    out_of: int  # points to be earned: 10, or 0 for a practice in the text
    done: bool  # whether all answers have been filled in, rightly or wrongly
    started: bool = True  # whether at least one has
    note: str = ""  # why it is right, or the last hint
    answers: tuple = field(default=(), repr=False, compare=False)  # as the notebook has them

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

    def _lines(self):
        points = " points" if self.out_of and self.started else ""
        wrong = "✗" if self.started else "·"
        marked = [f"{'✓' if one.right else wrong} {one.text}" for one in self.remarks]
        note = [f"→ {self.note}"] if self.note else []
        return [f"{self.practice_id}: {self.state}{points}.", *marked, *note]

    def __str__(self):
        return "\n  ".join(self._lines())

    __repr__ = __str__

    def _repr_html_(self):
        colour = "#2E7D32" if self.passed else "#B26A00" if self.started else "#757575"
        title, *marked = map(html.escape, self._lines())
        items = "".join(f"<div>{one}</div>" for one in marked)
        return (
            f'<div style="border-left: 4px solid {colour}; padding: 2px 10px; margin: 4px 0">'
            f"<b>{title}</b>{items}</div>"
        )

    def _ipython_display_(self):
        from IPython.display import display

        display({"text/html": self._repr_html_(), "text/plain": str(self)}, raw=True)
        if self.passed:
            drawings.show(self.practice_id, self.answers)


@dataclass(frozen=True, eq=False)
class Scoreboard:
    """The state of a day's tasks; a notebook shows it as a table."""

    table: pd.DataFrame  # columns practice, task and state, a row a task
    points: int  # earned with the extended practices shown
    out_of: int

    def _with_total(self):
        total = ["total", "", f"{self.points} of {self.out_of} points"]
        return pd.concat([self.table, pd.DataFrame([total], columns=self.table.columns)])

    def __str__(self):
        return self._with_total().to_string(index=False)

    __repr__ = __str__

    def _repr_html_(self):
        return self._with_total().to_html(index=False, justify="left")


def check(practice_id, *answers, random_state=None):
    """Check the answer to a practice.

    Parameters
    ----------
    practice_id : str
        ``"1.P1.1"`` to ``"2.P3.3"`` for practices in the text, ``"1.6.1"`` to ``"2.6.5"`` for the
        extended ones, 10 points each.
    *answers
        What the task asks for, in the order that its text gives: functions, arrays, tables,
        models. `PRACTICES` lists the names. For some practices there may follow what a right
        answer is drawn with, such as predictions; no check looks at it.
    random_state : int, optional
        Draws the inputs; new ones each time when left out.

    Returns
    -------
    Verdict

    Examples
    --------
    >>> check(
    ...     "1.P3.1",
    ...     {"conv": (64, 32, 200), "pool": (64, 32, 50), "mean": (64, 32), "output": (64, 1)},
    ... )
    1.P3.1: right.
      ✓ All four shapes are right.
      → Torch has channels before positions: pooling shortens the last axis, the mean removes it.
    """
    if practice_id not in PRACTICES:
        raise ValueError(f"practice_id must be one of {', '.join(PRACTICES)}; got {practice_id!r}.")
    practice = PRACTICES[practice_id]
    needed = len(practice.names)
    if len(answers) not in (needed, max(needed, drawings.n_arguments(practice_id))):
        call = f'homework.check("{practice_id}", {", ".join(practice.names)})'
        raise TypeError(f"{practice_id} takes {needed} answers; got {len(answers)}. Write: {call}")
    if os.environ.get(GRADING):
        return _not_done(practice, "It is graded when the whole notebook has run.")
    asked = local_answers(dict(zip(practice.names, answers, strict=False)))
    values = [asked.get(name) for name in practice.names]
    seed = secrets.randbits(64) if random_state is None else random_state
    verdict = judge(practice_id, values, random_state=seed)
    _failures[practice_id] += verdict.started and not verdict.passed
    note = practice.why if verdict.passed else ""
    if not verdict.passed and _failures[practice_id] >= LAST_HINT_AFTER and practice.last_hint:
        note = f"A last hint: {practice.last_hint}"
    verdict = _verdicts[practice_id] = replace(verdict, note=note, answers=answers)
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
    practice = PRACTICES[practice_id]
    own = dict(zip(practice.own, values, strict=False))
    empty = [name for name, value in own.items() if unfilled(value)]
    if len(empty) == len(own):
        return _not_done(practice, f"Still empty: {', '.join(empty)}.")
    done, remarks = not empty, []
    try:
        for remark in practice.check(np.random.default_rng(random_state), *values):
            remarks.append(remark)
    except Rejected as hint:
        if isinstance(hint, NotDone) and not remarks:
            return _not_done(practice, str(hint))
        remarks.append(Remark(False, str(hint)))
    except AnswerError as raised:
        remarks.append(Remark(False, f"Your code raised {str(raised).rstrip('.?')}."))
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


def _not_done(practice, text):
    return Verdict(practice.id, (Remark(False, text),), practice.points, False, started=False)
