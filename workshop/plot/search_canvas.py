"""What the pictures of a search share: panels, colours, and a canvas for diagrams."""

from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from workshop.plot.canvas import GREY, INK, SERIES_COLOURS, axes_for, tidy
from workshop.plot.network import BLOCKS
from workshop.plot.tables import short_type

__all__ = [
    "CELL",
    "DIM",
    "PALE",
    "box",
    "canvas",
    "dash_for",
    "frame",
    "layer_colour",
    "operation_colours",
    "panels",
    "title_layer",
    "write",
]

DASHES = ("-", "--", "-.", ":")
LAYER_COLOURS = {
    "conv": BLOCKS["Conv1D"],
    "max": BLOCKS["MaxPool"],
    "average": BLOCKS["AvgPool"],
    "flatten": BLOCKS["Flatten"],
    "GAP": BLOCKS["GlobalAvgPool"],
    "GMP": BLOCKS["GlobalMaxPool"],
    "dense": BLOCKS["Dense"],
}
PALE, CELL = "#E8E8E8", "#D9E4F2"
DIM = "#555555"


def panels(axes, operations, *, width):
    """One axes for each layer: those given, checked, or new ones, two to a row.

    Parameters
    ----------
    axes : Axes, array of Axes or None
    operations : dict of layer to its operations
        The layer with the most decides how high new panels are.
    width : float
        Of a new panel, in inches.

    Returns
    -------
    array of Axes, of shape (layers,)
    """
    count = len(operations)
    if axes is None:
        columns, height = min(count, 2), max(2.9, 0.9 + 0.2 * max(map(len, operations.values())))
        figsize = width * columns, height * -(-count // columns)
        figure = plt.figure(figsize=figsize, layout="constrained")
        grid = figure.add_gridspec(-(-count // columns), columns)
        axes = [figure.add_subplot(grid[divmod(i, columns)]) for i in range(count)]
    else:
        axes = list(np.ravel(np.asarray(axes, dtype=object)))
        if len(axes) != count or not all(isinstance(ax, Axes) for ax in axes):
            kinds = ", ".join(dict.fromkeys(type(ax).__name__ for ax in axes)) or "nothing"
            raise ValueError(
                f"axes must be {count} matplotlib Axes, one for each layer drawn; got "
                f"{len(axes)} ({kinds})."
            )
    return np.array([tidy(ax) for ax in axes], dtype=object)


def title_layer(ax, layer, common):
    """Write above a panel which layer it is, and what its operations have in common."""
    text = f"layer {layer}: {common}" if common else f"layer {layer}"
    ax.set_title(fill(text, 48), fontsize=10, loc="left")


def operation_colours(operations):
    """One colour an operation: grey for identity, the others the series in order."""
    others = [i for i, text in enumerate(operations) if short_type(text) != "identity"]
    series = {i: SERIES_COLOURS[n % len(SERIES_COLOURS)] for n, i in enumerate(others)}
    return [series.get(i, GREY) for i in range(len(operations))]


def layer_colour(operation):
    """Colour of an operation's block in a diagram, by its type."""
    return LAYER_COLOURS.get(short_type(operation), PALE)


def dash_for(i):
    """Line style of series `i`, so that neighbours differ in grey as well."""
    return DASHES[i % len(DASHES)]


def canvas(ax, wide, high):
    ax = axes_for(ax, (wide, high))
    ax.set(xlim=(0, wide), ylim=(high, 0))
    ax.axis("off")
    return ax


def box(
    ax,
    x,
    y,
    width,
    height,
    text,
    face,
    *,
    ink=INK,
    edge=INK,
    linewidth=1.0,
    fontsize=9,
    weight="normal",
):
    style = "round,pad=0,rounding_size=0.06"
    box = FancyBboxPatch((x, y), width, height, style, facecolor=face, edgecolor=edge)
    ax.add_patch(box).set(linewidth=linewidth, zorder=1)
    if text:
        write(ax, x + width / 2, y + height / 2, text, fontsize=fontsize, color=ink, weight=weight)


def frame(ax, x, y, width, height, name, where, face):
    box(ax, x, y, width, height, "", face, edge=GREY)
    label = ax.text(x + 0.15, y + 0.24, name, va="center", weight="bold", fontsize=11)
    style = {"va": "center", "fontsize": 8, "color": DIM}
    ax.annotate(f"  {where}", (1, 0.5), xycoords=label, **style)


def write(ax, x, y, text, *, ha="center", va="center", **style):
    ax.text(x, y, text, ha=ha, va=va, **style)
