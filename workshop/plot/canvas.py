"""What all figures share: the colours, chosen once, and an empty axes to draw on.

The colours stay apart for the common forms of colour blindness, and in grey: bases and series
from Okabe and Ito (https://jfly.uni-koeln.de/color/), parts from Paul Tol's high-contrast set.
No function sets an rcParam: the figures that a student draws look the same before and after.
"""

import operator

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from workshop._checks import is_positive
from workshop.sequences import ALPHABET

BASE_COLOURS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00"}
PART_COLOURS = {"train": "#004488", "val": "#DDAA33", "test": "#BB5566"}
SERIES_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#000000")
GREY = "#8A8A8A"
INK = "#1A1A1A"
SIGNED = "RdBu_r"  # blue below zero, white at zero, red above


def axes_for(ax, figsize):
    """The given axes, or new ones in a figure of `figsize` inches that clips no label."""
    return plt.subplots(figsize=figsize, layout="constrained")[1] if ax is None else ax


def tidy(ax):
    """Leave only the two spines that carry ticks."""
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def next_colour(ax):
    """The first series colour that no line of the axes has; the first again once all are used."""
    used = {line.get_color() for line in ax.lines}
    return next((colour for colour in SERIES_COLOURS if colour not in used), SERIES_COLOURS[0])


def colours_by_name(names):
    """One colour a name: a part of a split keeps its own, the others get the series in order."""
    others = [name for name in names if name not in PART_COLOURS]
    series = {name: SERIES_COLOURS[i % len(SERIES_COLOURS)] for i, name in enumerate(others)}
    return [PART_COLOURS.get(name) or series[name] for name in names]


def text_on(colour):
    """Black or white, whichever reads better on `colour`."""
    red, green, blue = to_rgb(colour)
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.55 else "white"


def arrow(ax, start, end):
    """Draw an arrow between two points of the data."""
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.3})


def inches_of(ax):
    """Width and height of the axes, before a layout moves them a little."""
    return ax.get_window_extent().size / ax.figure.dpi


def number_positions(axis, last, *, inches):
    """Whole numbers up to `last` along an axis, such as 104,428,300, as many as fit."""
    room = int(np.clip(inches / (0.3 + 0.08 * len(f"{last:,}")), 2, 20))
    steps = [1, 2, 5, 10]
    axis.set_major_locator(MaxNLocator(nbins=room, integer=True, steps=steps, min_n_ticks=1))
    axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def check_bases_last(values, *, name, hint=""):
    """A finite float array of shape (L, 4) with L >= 1, or an error that names `name`."""
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or values.shape[1] != 4 or len(values) == 0:
        turned = values.ndim == 2 and values.shape[0] == 4
        hint = f"If the rows are {', '.join(ALPHABET)}, pass {name}.T." if turned else hint
        raise ValueError(f"{name} must have shape (L, 4); got {values.shape}. {hint}".rstrip())
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must hold finite numbers; got NaN or infinity.")
    return values


def check_sequence(x, *, hint):
    """A one-hot float array of shape (L, 4), N a row of zeros, or an error."""
    x = check_bases_last(x, name="x", hint=hint)
    good = ((x == 0) | (x == 1)).all(axis=1) & (x.sum(axis=1) <= 1)
    if not good.all():
        p = int(np.flatnonzero(~good)[0])
        raise ValueError(
            f"x must be one-hot, with a 1 where the base is, or none for N; got {x[p].tolist()} at "
            f"position {p}. Scores come first, then x."
        )
    return x


def check_start(start):
    """The position of the first row as an int, or an error."""
    try:
        return operator.index(start)
    except TypeError:
        raise ValueError(
            f"start must be a whole number, the position of the first row; got {start!r}."
        ) from None


def signed_limit(limit, *values):
    """The given upper end of a scale around 0, or the largest absolute value."""
    if limit is not None and not is_positive(limit):
        raise ValueError(f"limit must be a number above 0 and finite, or None; got {limit!r}.")
    return limit or max(float(np.abs(value).max()) for value in values) or 1.0


def check_axes(axes, count, *, each):
    """An array of `count` axes, one for `each`, or an error that says how many came."""
    axes = list(np.ravel(np.asarray(axes, dtype=object)))
    if len(axes) != count or not all(isinstance(ax, Axes) for ax in axes):
        kinds = ", ".join(dict.fromkeys(type(ax).__name__ for ax in axes)) or "nothing"
        raise ValueError(
            f"axes must be {count} matplotlib Axes, one for each {each}; got {len(axes)} ({kinds})."
        )
    return np.array(axes, dtype=object)


def check_labels(y, name):
    """A float array of shape (N,) of 0 and 1, or an error that names `name`."""
    y = np.asarray(y, dtype=float)
    if y.ndim not in (1, 2) or (y.ndim == 2 and y.shape[1] != 1) or len(y) == 0:
        raise ValueError(
            f"{name} must have shape (N,) or (N, 1) with N >= 1; got {y.shape}. Of several tasks "
            "pass one, such as y[:, 0]."
        )
    y = y.reshape(-1)
    if not np.isin(y, (0, 1)).all():
        raise ValueError(f"{name} must hold only 0 and 1; got {y[~np.isin(y, (0, 1))][0]:g}.")
    return y
