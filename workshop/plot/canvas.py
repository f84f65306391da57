"""What all figures share: the colours, chosen once, and an empty axes to draw on.

The colours stay apart for the common forms of colour blindness, and in grey: bases and series
from Okabe and Ito (https://jfly.uni-koeln.de/color/), parts from Paul Tol's high-contrast set.
No function sets an rcParam: the figures that a student draws look the same before and after.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

BASE_COLOURS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00"}
PART_COLOURS = {"train": "#004488", "val": "#DDAA33", "test": "#BB5566"}
SERIES_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#000000")
LAYER_COLOURS = {
    "Conv1D": "#A6CEE3",
    "MaxPool": "#C9E4C5",
    "AvgPool": "#C9E4C5",
    "Flatten": "#F7DFA5",
    "GlobalAvgPool": "#F7DFA5",
    "GlobalMaxPool": "#F7DFA5",
    "Dense": "#E5C1D8",
    "Identity": "#FFFFFF",
}
PALE = "#E8E8E8"  # every other layer, and the input
GREY = "#8A8A8A"
DIM = "#555555"
INK = "#1A1A1A"
SIGNED = "RdBu_r"  # blue below zero, white at zero, red above


def axes_for(ax, figsize):
    """The given axes, or new ones in a figure of `figsize` inches that clips no label."""
    return plt.subplots(figsize=figsize, layout="constrained")[1] if ax is None else ax


def panels_for(axes, count, *, columns, size, sharex=False):
    """The given axes as an array of `count`, or new ones, `columns` in a row, of `size` inches."""
    if axes is None:
        rows = -(-count // columns)
        figsize = columns * size[0], rows * size[1]
        options = {"layout": "constrained", "sharex": sharex, "squeeze": False}
        grid = plt.subplots(rows, columns, figsize=figsize, **options)[1].ravel()
        for unused in grid[count:]:
            unused.remove()
        axes = grid[:count]
    axes = np.ravel(np.asarray(axes, dtype=object))
    if len(axes) != count:
        raise ValueError(f"axes must be {count} matplotlib Axes; got {len(axes)}.")
    return axes


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


def name_bases(axis, *, fontsize=11):
    """Name the places 0 to 3 of an axis A, C, G and T, each in its colour."""
    axis.set_ticks(range(4), list(BASE_COLOURS), fontsize=fontsize, fontweight="bold")
    for label, colour in zip(axis.get_ticklabels(), BASE_COLOURS.values(), strict=True):
        label.set_color(colour)
    axis.set_tick_params(length=0)


def signed_text(value):
    """Two decimals, with a true minus and no negative zero."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def in_common(rows):
    """What the operations of a layer share, in rows of `nas.space_table`, such as filters 32."""
    return "; ".join(text for text in rows["shared"].unique() if text)


def largest(values):
    """The largest absolute value, the end of a scale around 0; 1 where all are 0."""
    return float(np.abs(values).max()) or 1.0


def bases_last(values, name, *, hint="Of a batch pass one sequence."):
    """A float array of shape (L, 4), or an error that names it."""
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or values.shape[1] != 4:
        raise ValueError(f"{name} must have shape (L, 4); got {values.shape}. {hint}")
    return values
