"""Checks of one line, written once: whole numbers and positive ones."""

import operator

import numpy as np


def is_positive(value):
    """Whether a value is a number above 0 and below infinity; True is not one."""
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    return number and 0 < value < np.inf


def positive_int(value, name):
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if isinstance(value, bool) or number < 1:
        raise ValueError(f"{name} must be a positive whole number; got {value!r}.")
    return number
