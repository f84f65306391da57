"""What all checks are made of: parts with points, the answers' forms, the course's data.

A check is a generator. It gets a random generator and the answers, and yields a `Remark` for each
part of the task. It may stop early; what it did not come to earns nothing.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace

import numpy as np
import pandas as pd

from workshop.architecture import Architecture, Conv1D, GlobalMaxPool, MaxPool, initial_weights
from workshop.homework.answers import FunctionAnswer, ModelAnswer, Opaque, PredictorAnswer, Record
from workshop.training import History

__all__ = [
    "ENTERED",
    "NotDone",
    "Practice",
    "Remark",
    "Unreadable",
    "array",
    "course",
    "function",
    "history",
    "kind",
    "mapping",
    "number",
    "part",
    "practice",
    "predictions",
    "random_model",
    "random_sequences",
    "same_number",
    "unfilled",
]


@dataclass(frozen=True)
class Remark:
    """What a check says of one part of a task.

    Parameters
    ----------
    right : bool
    text : str
        A sentence: what is right, or what is wrong with a hint.
    points, out_of : int
        Earned, and to be earned.
    """

    right: bool
    text: str
    points: int = 0
    out_of: int = 0


@dataclass(frozen=True)
class Practice:
    """A task of the course.

    Parameters
    ----------
    id : str
        Such as ``"1.6.2"``.
    title : str
    names : tuple of str
        What `check` takes, by its name in the notebook: the student's own answers first.
    n_own : int
        How many of them are the student's own.
    points : int
        10 for an extended practice, 0 for one in the text.
    check : callable
        The generator.
    written : str
        Name of the answer in words that the instructor reads; empty where there is none.
    """

    id: str
    title: str
    names: tuple
    n_own: int
    points: int
    check: object
    written: str = ""

    @property
    def own(self):
        """Names of the student's own answers."""
        return self.names[: self.n_own]


ENTERED = {}
"""All tasks by id, as the modules of checks enter them."""


class NotDone(Exception):
    """The answer is still that of the stub; the text says which."""


class Unreadable(Exception):
    """The answer has another form than the task asks for; the text says what was expected."""


def practice(practice_id, title, own, context="", *, points=0, written=""):
    """Enter a check as that of a practice; `own` and `context` are names, divided by spaces."""

    def enter(check):
        names = (*own.split(), *context.split())
        ENTERED[practice_id] = Practice(
            practice_id, title, names, len(own.split()), points, check, written
        )
        return check

    return enter


def part(points, right, yes, no):
    """Remark on a part that is right or not."""
    return Remark(bool(right), yes if right else no, points if right else 0, points)


def unfilled(value):
    """Whether a value is what a stub left there."""
    if isinstance(value, dict):
        return not value or any(unfilled(one) for one in value.values())
    return value is None or (isinstance(value, str) and not value.strip())


def number(value, name):
    """One number, however it is wrapped."""
    found = value
    while isinstance(found, (list, tuple, np.ndarray, pd.Series)) and np.size(found) == 1:
        found = found[0] if isinstance(found, (list, tuple)) else np.ravel(found)[0]
    if isinstance(found, (bool, np.bool_)) or not isinstance(found, (int, float, np.number)):
        raise Unreadable(f"{name} must be one number; it is {kind(value)}.")
    return float(found)


def array(value, name, shape=None, *, of=""):
    """Numbers as a float array; `shape` may hold None for any length."""
    if isinstance(value, (pd.DataFrame, pd.Series)):
        value = value.to_numpy()
    try:
        found = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise Unreadable(f"{name} must be an array of numbers; it is {kind(value)}.") from None
    if shape is not None and (
        found.ndim != len(shape)
        or any(n not in (None, m) for n, m in zip(shape, found.shape, strict=True))
    ):
        expected = ", ".join("n" if n is None else str(n) for n in shape)
        comma = "," if len(shape) == 1 else ""
        raise Unreadable(
            f"{name} must have shape ({expected}{comma}){of}; it has shape {found.shape}."
        )
    return found


def mapping(value, name):
    """A dict of str to values, from a dict, a Series, a one-row table or a named tuple."""
    if isinstance(value, Record):
        value = value.fields
    if isinstance(value, pd.DataFrame) and len(value) == 1:
        value = value.iloc[0]
    if isinstance(value, pd.Series):
        value = value.to_dict()
    if not isinstance(value, dict):
        raise Unreadable(f"{name} must be a dict or a row of a table; it is {kind(value)}.")
    return {str(key): one for key, one in value.items()}


def function(value, name):
    """A function that can be called."""
    if not isinstance(value, FunctionAnswer):
        raise Unreadable(f"{name} must be a function; it is {kind(value)}.")
    return value


def predictions(model, X, name):
    """Probabilities (N, 1) of a model of either twin or of the student's own layers."""
    if not isinstance(model, (ModelAnswer, PredictorAnswer)):
        raise Unreadable(f"{name} must be a model; it is {kind(model)}.")
    found = array(model.predict(X), f"what {name} predicts", (len(X), 1))
    if not np.isfinite(found).all():
        raise Unreadable(f"{name} predicts numbers that are not finite: its training has diverged.")
    return found


def kind(value):
    """What a value is, in words for a student."""
    if value is None:
        return "not there"
    if isinstance(value, Opaque):
        return f"of type {value.type}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    if isinstance(value, (int, float)):
        return f"the number {value!r}"
    names = {
        "FunctionAnswer": "a function",
        "ModelAnswer": "a model",
        "PredictorAnswer": "a model of your own layers",
    }
    return names.get(type(value).__name__, f"a {type(value).__name__}")


def history(value, name, *columns):
    """Table of a History, or a DataFrame or dict like it, with these columns."""
    table = value.table if isinstance(value, History) else value
    if isinstance(table, (dict, list)):
        table = pd.DataFrame(table)
    if not isinstance(table, pd.DataFrame) or len(table) == 0:
        raise Unreadable(f"{name} must be the history that fit returns; it is {kind(value)}.")
    missing = [column for column in columns if column not in table]
    if missing:
        raise Unreadable(f"{name} lacks the column {missing[0]}: pass X_val and y_val to fit.")
    return table.apply(pd.to_numeric, errors="coerce")


def same_number(found, expected, tolerance):
    """Whether two numbers agree; nan agrees with nan only."""
    return math.isclose(found, expected, rel_tol=0, abs_tol=tolerance) or (
        math.isnan(found) and math.isnan(expected)
    )


@lru_cache(maxsize=1)
def course():
    """The course's data, split as in the notebooks: X_train, y_train, ... X_test, y_test."""
    from workshop import datasets, splits

    data = datasets.load_ctcf()
    split = splits.split_by_chromosome(
        data.table["chrom"], val_chroms=["chr8", "chr20"], test_chroms=["chr1", "chr3", "chr6"]
    )
    parts = {}
    for name, rows in split._asdict().items():
        parts |= {f"X_{name}": data.X[rows], f"y_{name}": data.y[rows]}
    starts = data.table["motif_starts"].iloc[split.test].tolist()
    return SimpleNamespace(**parts, starts_test=starts)


def random_model(rng):
    """A small network with random weights, as a check passes it to a student's function."""
    architecture = Architecture(
        (Conv1D(8, int(rng.integers(5, 12)), "relu", padding="same"), MaxPool(4), GlobalMaxPool())
    )
    weights = initial_weights(architecture, random_state=rng)
    # Larger than at the start of training, so that a change of one letter shows.
    return ModelAnswer("torch", architecture, {name: 3 * w for name, w in weights.items()})


def random_sequences(rng, n):
    """One-hot sequences (n, 200, 4)."""
    return np.eye(4, dtype=np.float32)[rng.integers(4, size=(n, 200))]
