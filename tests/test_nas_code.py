"""A function is known again by what it does, in any process."""

import functools
import os
import subprocess
import sys

import numpy as np
import pytest

from workshop.nas.code import code_name


def constant(value):
    return lambda y_true, y_score: value


class Power:
    def __init__(self, exponent):
        self.exponent = exponent

    def __call__(self, y_true, y_score):
        return np.mean(y_score**self.exponent)


def first(y_true, y_score, beta=1.0):
    return beta


DIFFERENT = {
    "operator": (lambda a, b: a + b, lambda a, b: a - b),
    "constant": (lambda a, b: 1.0, lambda a, b: 2.0),
    "name looked up": (lambda a, b: np.mean(a), lambda a, b: np.sum(a)),
    "default": (lambda a, b, c=1: c, lambda a, b, c=2: c),
    "enclosed": (constant(1), constant(2)),
    "inner function": (lambda a, b: (lambda: 1)(), lambda a, b: (lambda: 2)()),
    "partial": (functools.partial(first, beta=1), functools.partial(first, beta=2)),
    "attribute": (Power(1), Power(2)),
    "enclosed function": (constant(constant(1)), constant(lambda a, b: a)),
    "ufunc": (np.add, np.subtract),
    "builtin": (min, max),
    "method": (Power(1).__call__, Power(2).__call__),
}


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_functions_that_differ_have_different_names(pair):
    assert code_name(pair[0]) != code_name(pair[1])


@pytest.mark.parametrize(
    "make", [lambda: constant(1), lambda: Power(3), lambda: functools.partial(first, beta=2)]
)
def test_equal_functions_have_equal_names(make):
    assert code_name(make()) == code_name(make())


def test_a_function_that_counts_its_calls_stays_the_same():
    calls, n = [], 0

    def counting(y_true, y_score):
        nonlocal n
        n += 1
        calls.append(n)
        return 0.5

    before = code_name(counting)
    counting(None, None)
    assert calls == [1]
    assert code_name(counting) == before


def test_a_function_that_encloses_itself_has_a_name():
    def again(y_true, y_score):
        return again

    assert code_name(again) == code_name(again)


def test_the_name_says_where_it_is_defined():
    assert code_name(first).startswith(f"{__name__}.first ")
    assert code_name(Power(1)).startswith(f"{__name__}.Power ")


def test_the_name_is_the_same_in_every_process():
    code = """
from workshop.nas.code import code_name
def reward(y_true, y_score, *, kinds=frozenset({"a", "b", "c"})):
    if y_true in {"x", "y", "z"}:
        return [1 for _ in y_score]
    return print
print(code_name(reward))
"""
    names = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(names) == 1
