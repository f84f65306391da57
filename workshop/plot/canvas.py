"""What all figures share: the colours, chosen once, and an empty axes to draw on.

Bases have the colours of Okabe and Ito (https://jfly.uni-koeln.de/color/); no series has one of
theirs. Colours that meet in a figure stay apart for people who confuse red and green. `use_style`
sets rcParams, and nothing else does.
"""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

BASE_COLOURS = {"A": "#009E73", "C": "#0072B2", "G": "#E69F00", "T": "#D55E00"}
# Each has one meaning in the whole course.
COLOURS = {"keras": "#A6192E", "torch": "#1FA2A8", "tuned": "#14532D", "winner": "#C2409C"}
COLOURS |= {"day1": "#8A8A2E", "simulated": "#6F93BA", "real": "#2F3E4E", "negative": "#808080"}
COLOURS |= {"positive": "#5B2A9D", "forward": "#2D9CDB", "reverse": "#8C510A"}
COLOURS |= {"amberdefault": "#F2A03D", "amber": "#E0559A", "halving": "#4F7A1C", "tpe": "#1F2A8C"}
COLOURS |= {"train": "#004488", "val": "#B8860B", "test": "#BB5566", "randomsearch": "#4A4A4A"}
SERIES_COLOURS = ["#332288", "#CC6677", "#4DA6E8", "#88752A", "#AA4499", "#59200D", "#9A9A9A"]
LAYER_COLOURS = {"Conv1D": "#A6CEE3", "Dense": "#E5C1D8", "Identity": "#FFFFFF"}
LAYER_COLOURS |= dict.fromkeys(("MaxPool", "AvgPool"), "#C9E4C5")
LAYER_COLOURS |= dict.fromkeys(("Flatten", "GlobalAvgPool", "GlobalMaxPool"), "#F7DFA5")
PALE = "#E8E8E8"  # every other layer, and the input
GREY = "#8A8A8A"
DIM = "#555555"
INK = "#1A1A1A"
SIGNED = "RdBu_r"  # blue below zero, white at zero, red above


def use_style():
    """Draw from now on in the style of the course: call it once, where a notebook imports.

    The style sheet is `workshop.mplstyle`, beside this file.
    """
    plt.style.use(Path(__file__).with_name("workshop.mplstyle"))


def axes_for(ax, figsize):
    """The given axes, or new ones in a figure of `figsize` inches that clips no label."""
    return plt.subplots(figsize=figsize, layout="constrained")[1] if ax is None else ax


def tidy(ax):
    """Leave only the two spines that carry ticks."""
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def colour_of(name, used=()):
    """The colour that a name has in `COLOURS`, or the first series colour that is not used.

    The first words and the last words count: "PyTorch", "Torch, validation", "Day 1, tuned". A name
    of one word may have an ending: "training", "positives".
    """
    words = re.findall(r"\w+", str(name).lower().removeprefix("py"))
    ends = {"".join(part) for n in range(len(words)) for part in (words[: n + 1], words[n:])}
    ends |= {words[0][:n] for n in range(len(words[0]))} if len(words) == 1 else set()
    own = (colour for key, colour in COLOURS.items() if key in ends)
    free = (colour for colour in SERIES_COLOURS if colour not in used)
    return next(own, next(free, SERIES_COLOURS[0]))


def colours_by_name(names):
    """One colour a name, see `colour_of`."""
    colours = []
    for name in names:
        colours.append(colour_of(name, colours))
    return colours


def next_colour(ax, name):
    """The colour of a new line of the axes."""
    return colour_of(name, [line.get_color() for line in ax.lines])


def legend_above(ax, *, columns=1):
    """A legend on top of the axes, where it hides no data."""
    place = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": columns}
    ax.legend(frameon=False, handletextpad=0.5, columnspacing=1.4, borderaxespad=0.8, **place)


def canvas(ax, wide, high, *, unit=1.0):
    """An empty axes for a diagram, of `unit` inches a unit, with y growing downwards."""
    ax = axes_for(ax, (unit * wide, unit * high))
    ax.set(xlim=(0, wide), ylim=(high, 0))
    ax.axis("off")
    return ax


def write(ax, x, y, text, *, ha="center", va="center", **style):
    """Write a text around a point."""
    ax.text(x, y, text, ha=ha, va=va, **style)


def box(ax, corner, size, text, face, *, edge=INK, linewidth=1.0, rounding=0.06, **style):
    """Draw a round box, from its upper left corner on, with a text in its middle."""
    shape = f"round,pad=0,rounding_size={rounding}"
    block = FancyBboxPatch(corner, *size, shape, facecolor=face, edgecolor=edge)
    ax.add_patch(block).set(linewidth=linewidth, zorder=1)
    write(ax, corner[0] + size[0] / 2, corner[1] + size[1] / 2, text, color=INK, **style)


def arrow(ax, start, end, colour=INK):
    """Draw an arrow between two points of the data."""
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 1.3})


def inches_of(ax):
    """Width and height of the axes, before a layout moves them a little."""
    return ax.get_window_extent().size / ax.figure.dpi


def number_positions(axis, last, *, inches):
    """Whole numbers up to `last` along an axis, such as 104,428,300, as many as fit."""
    room = int(np.clip(inches / (0.3 + 0.08 * len(f"{last:,}")), 2, 20))
    steps = [1, 2, 5, 10]
    axis.set_major_locator(MaxNLocator(nbins=room, integer=True, steps=steps, min_n_ticks=1))
    axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def name_bases(axis, letters=tuple(BASE_COLOURS), *, fontsize=11):
    """Name the places of an axis by letters in their colours: A, C, G and T from 0 to 3."""
    axis.set_ticks(range(len(letters)), letters, fontsize=fontsize, fontweight="bold")
    for label, letter in zip(axis.get_ticklabels(), letters, strict=True):
        label.set_color(BASE_COLOURS.get(letter, GREY))
    axis.set_tick_params(length=0)


def signed_image(ax, values, limit, **place):
    """An image, blue below zero and red above, whose colours end at plus and minus `limit`."""
    scale = {"cmap": SIGNED, "vmin": -limit, "vmax": limit, "interpolation": "nearest"}
    return ax.imshow(values, **scale, **place)


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
