"""Read an answer in whatever form a student may have given it.

A reader returns what the check works with, or raises `Rejected` with a sentence that says what was
expected and what came.
"""

from functools import partial

import numpy as np
import pandas as pd
from scipy import special

from workshop.homework.answers import (
    FunctionAnswer,
    ModelAnswer,
    PredictorAnswer,
    SearchAnswer,
    SpaceAnswer,
    UnreadableAnswer,
)
from workshop.homework.practice import NotDone, Rejected

MAX_ROWS = 5000  # of dicts: each may name a column of its own, and the table is their product
WORDS = {FunctionAnswer: "a function", ModelAnswer: "a model", SpaceAnswer: "a model space"}
WORDS |= {PredictorAnswer: "a model of your own layers", SearchAnswer: "the result of a search"}


def unfilled(value):
    """Whether a value is what a stub left there."""
    if isinstance(value, dict):
        return not value or any(unfilled(one) for one in value.values())
    return value is None or (isinstance(value, str) and not value.strip())


def describe(value):
    """What a value is, in words for a student."""
    if isinstance(value, UnreadableAnswer):
        return f"an object of type {value.type}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    return WORDS.get(type(value), f"a {type(value).__name__}")


def rejected(value, name, expected):
    """The error of an answer that is missing, or is not what was expected."""
    if unfilled(value):
        return Rejected(f"{name} is not there yet.")
    return Rejected(f"{name} must be {expected}; it is {describe(value)}.")


def instance(value, name, kinds, expected):
    """A value of certain classes."""
    if not isinstance(value, kinds):
        raise rejected(value, name, expected)
    return value


def number(value, name):
    """One number, alone or the only one of a list or array."""
    alone = isinstance(value, (list, np.ndarray, pd.Series)) and np.size(value) == 1
    found = np.ravel(value)[0] if alone else value
    numeric = isinstance(found, (int, float, np.number)) and not isinstance(found, bool)
    if not numeric or found != found:
        raise rejected(value, name, "one number")
    return float(found)


def array(value, name, shape=None, *, of=""):
    """Numbers as a float array; `shape` may hold None for any length."""
    expected = "an array of numbers"
    if value is None:  # which NumPy takes for nan
        raise rejected(value, name, expected)
    try:
        found, raw = np.asarray(value, dtype=float), np.asarray(value)
    except (TypeError, ValueError):
        raise rejected(value, name, expected) from None
    if raw.dtype.kind in "USO" and any(isinstance(one, str) for one in raw.ravel()):
        raise Rejected(f"{name} must be {expected}; it holds texts.")
    if not np.isfinite(found).all():
        raise Rejected(f"{name} holds numbers that are not finite.")
    if shape is not None and (
        found.ndim != len(shape)
        or any(n not in (None, m) for n, m in zip(shape, found.shape, strict=True))
    ):
        expected = str(shape).replace("None", "n")
        raise Rejected(f"{name} must have shape {expected}{of}; it has shape {found.shape}.")
    return found


def mapping(value, name):
    """A dict, from a dict, a named tuple, a Series or a table (a row, a column, or all)."""
    if isinstance(value, pd.DataFrame) and min(value.shape) == 1:
        value = value.iloc[0] if len(value) == 1 else value.iloc[:, 0]
    found = instance(value, name, (dict, pd.Series, pd.DataFrame), "a dict or a row of a table")
    return {str(key): one for key, one in found.items()}


def rows_of(runs, name):
    """The rows of a dict of dicts; a task asks for four at least."""
    rows = [mapping(row, f"a row of {name}") for row in mapping(runs, name).values()]
    if len(rows) < 4:
        raise NotDone(f"{name} has {len(rows)} of at least 4 rows.")
    return rows


def require_single_changes(rows):
    """Refuse runs of which one differs in two things or more from each of those before it."""
    table = pd.DataFrame(rows).map(str)
    for n in range(1, len(table)):
        if (table.iloc[:n] != table.iloc[n]).sum(axis=1).min() > 1:
            raise Rejected(f"Row {n} differs in two things or more from each before it.")


def table(value, name, columns, *, expected="a DataFrame", advice=""):
    """A table that has certain columns, from a DataFrame, a dict of lists or a list of dicts."""
    found = value
    if isinstance(value, (dict, list)) and 0 < len(value) <= MAX_ROWS:
        found = pd.DataFrame(value)
    if not isinstance(found, pd.DataFrame) or found.empty:
        raise rejected(value, name, expected)
    if set(found.index.names) & set(columns):
        found = found.reset_index()
    if missing := [column for column in columns if column not in found]:
        raise Rejected(f"{name} has no column {' or '.join(missing)}{advice}.")
    return found


def history(value, name, column):
    """The table of a History, in numbers, with a certain column."""
    expected, advice = "the history that fit returns", ": pass X_val and y_val to fit"
    found = table(value, name, [column], expected=expected, advice=advice)
    return found.apply(pd.to_numeric, errors="coerce")


def function(value, name):
    """A function; one that returns None is still the stub."""
    answer = instance(value, name, FunctionAnswer, "a function")

    def call(*arguments):
        found = answer(*arguments)
        if found is None or (isinstance(found, list) and set(map(type, found)) == {type(None)}):
            raise NotDone(f"{name} returns None.")
        return found

    return call


model = partial(instance, kinds=(ModelAnswer, PredictorAnswer), expected="a model")
search = partial(instance, kinds=SearchAnswer, expected="what nas.search returns")
space = partial(instance, kinds=SpaceAnswer, expected="a nas.ModelSpace")


def predictions(value, X, name):
    """Probabilities (N, 1) of a model; what it predicts beyond 0 and 1 are logits."""
    found = array(model(value, name).predict(X), f"what {name} predicts", (len(X), 1))
    return found if found.min() >= 0 and found.max() <= 1 else special.expit(found)


def differing_scores(found, expected, tolerance, name):
    """Names of the scores in a dict of an answer that are not as expected."""
    values = {key: number(found[key], f"{name}: {key}") for key in expected if key in found}
    return [key for key, value in values.items() if not abs(value - expected[key]) <= tolerance]
