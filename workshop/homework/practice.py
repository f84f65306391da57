"""The tasks of the course: what a task is, and what its check says of an answer.

A check is a generator. It gets a random generator and the answers, and yields a `Remark` for each
part of the task. It may stop early, by returning or by raising `Rejected`; what it did not come to
earns nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature

REGISTRY = {}  # all tasks by id, as the modules of checks enter them


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
    names: tuple  # what `check` takes, by its name in the notebook
    own: tuple  # the first of them: the student's own answers
    points: int  # 10 for an extended practice, 0 for one in the text
    check: Callable  # the generator
    written: str = ""  # name of the answer in words that the instructor reads
    why: str = ""  # why a right answer is right
    last_hint: str = ""  # what is said after three answers that were not right


class Rejected(Exception):
    """The text says what is wrong with an answer, or with its form."""


class NotDone(Rejected):
    """The answer is still that of the stub; the text says which."""


def practice(practice_id, title, *, given="", written=""):
    """Enter a check as that of a practice; its arguments have the names of the answers.

    `given` are those of them that the notebook has, not the student, divided by spaces. The first
    paragraph of the check's docstring says why a right answer is right, the second is the last
    hint.
    """

    def enter(check):
        names, points = tuple(signature(check).parameters)[1:], 10 if ".6." in practice_id else 0
        said = [" ".join(one.split()) for one in (check.__doc__ or "").split("\n\n")]
        own = names[: len(names) - len(given.split())]
        known = practice_id, title, names, own, points, check, written
        REGISTRY[practice_id] = Practice(*known, *said)
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


def require(same, right, otherwise, mistakes=()):
    """Reject an answer unless it is the `same` as what is right; `same` is a function of that.

    `mistakes` are pairs: what a mistake would give, and its hint. All others get `otherwise`.
    """
    if not same(right):
        raise Rejected(next((hint for other, hint in mistakes if same(other)), otherwise))
