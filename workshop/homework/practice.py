"""The tasks of the course: what a task is, and what its check says of an answer.

A check is a generator. It gets a random generator and the answers, and yields a `Remark` for each
part of the task. It may stop early, by returning or by raising `Rejected`; what it did not come to
earns nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

REGISTRY = {}
"""All tasks by id, as the modules of checks enter them."""


@dataclass(frozen=True)
class Remark:
    """What a check says of one part of a task."""

    right: bool
    text: str  # a sentence: what is right, or what is wrong with a hint
    points: int = 0  # earned
    out_of: int = 0  # to be earned


@dataclass(frozen=True)
class Practice:
    """A task of the course."""

    id: str  # such as "1.6.2"
    title: str
    names: tuple  # what `check` takes, by its name in the notebook: the student's own first
    n_own: int  # how many of them are the student's own
    points: int  # 10 for an extended practice, 0 for one in the text
    check: Callable  # the generator
    written: str = ""  # name of the answer in words that the instructor reads

    @property
    def own(self):
        """Names of the student's own answers."""
        return self.names[: self.n_own]


class Rejected(Exception):
    """The text says what is wrong with an answer, or with its form."""


class NotDone(Rejected):
    """The answer is still that of the stub; the text says which."""


def practice(practice_id, title, own, context="", *, points=0, written=""):
    """Enter a check as that of a practice; `own` and `context` are names, divided by spaces."""

    def enter(check):
        names = (*own.split(), *context.split())
        REGISTRY[practice_id] = Practice(
            practice_id, title, names, len(own.split()), points, check, written
        )
        return check

    return enter


def graded_remark(points, right, yes, no):
    """Remark on a part that is right or not, with all of its points or none."""
    return Remark(bool(right), yes if right else no, points if right else 0, points)


def compared_remark(points, yes, compare, *answers):
    """Remark on a part that is right unless `compare` rejects it; the check goes on."""
    try:
        compare(*answers)
    except Rejected as hint:
        return graded_remark(points, False, "", str(hint))
    return graded_remark(points, True, yes, "")
