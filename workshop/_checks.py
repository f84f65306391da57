"""Checks of a few lines, written once: arrays, whole numbers, positive ones, seeds."""

import operator

import numpy as np


def plain_array(value, name):
    """An array of what was passed, from NumPy, pandas or a framework; TypeError for a mask."""
    parts = value if isinstance(value, (list, tuple)) else [value]
    if any(map(np.ma.is_masked, parts)):
        raise TypeError(f"{name} must have no masked values, but plain ones: leave them out first.")
    if hasattr(value, "detach"):  # a Torch tensor: one with a gradient would refuse
        value = value.detach().cpu()
    return np.asarray(value)


def is_positive(value):
    """Whether a value is a number above 0 and below infinity; True is not one."""
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    return number and 0 < value < np.inf


def whole_number(value, name, *, least=1):
    """The value as int; ValueError unless it is a whole number, `least` or more."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if isinstance(value, bool) or number < least:
        raise ValueError(f"{name} must be a whole number, {least} or more; got {value!r}.")
    return number


def check_random_state(value):
    if not isinstance(value, (int, np.integer)) or not 0 <= value < 2**32:
        raise ValueError(f"random_state must be a whole number from 0 to 2**32 - 1; got {value!r}.")


def check_distinct_names(values, name):
    """A list of str, none twice, from any sequence of names but one bare string."""
    if isinstance(values, str):
        raise TypeError(f"{name} must be a list; got one string. Pass [{values!r}].")
    values = [str(value) for value in values]
    if len(set(values)) < len(values):
        raise ValueError(f"{name} must name each once; got {', '.join(values)}.")
    return values
