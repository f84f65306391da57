"""Figures of plain numbers, each one call: lines, bars, points, distributions; several in a row.

A name that `COLOURS` knows has its colour there; the others get the series colours in order.
"""

from itertools import zip_longest

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from workshop.plot.canvas import (
    DIM,
    GREY,
    INK,
    axes_for,
    colours_by_name,
    inches_of,
    legend_above,
    next_colour,
    tidy,
)

THIN = 12  # repeats that are drawn one by one; of more, two lines around the middle 80 %


def row(*draws, titles=(), size=(5, 3.6), columns=None, sharex=False, sharey=False):
    """Draw several figures side by side, or in rows of `columns`.

    Parameters
    ----------
    *draws : callable
        Each is called as ``draw(ax=ax)``: a `functools.partial` of a function of this package, or
        a ``lambda ax: ...``.
    titles : sequence of str
        One a panel, if any.
    size : (float, float)
        Width and height of a panel, in inches.
    columns : int, optional
        Panels in a row; all of them by default.
    sharex, sharey : bool
        Give all panels one axis.

    Returns
    -------
    array of matplotlib Axes, of shape (panels,)

    Examples
    --------
    >>> from functools import partial
    >>> left = partial(bars, {"train": 0.9, "val": 0.8}, xlabel="accuracy")
    >>> right = partial(points, {"": ([1, 2], [1, 3])})
    >>> [ax.get_title(loc="left") for ax in row(left, right, titles=["overfitted", "two points"])]
    ['overfitted', 'two points']
    """
    columns = columns or len(draws)
    rows = -(-len(draws) // columns)
    options = {"layout": "constrained", "sharex": sharex, "sharey": sharey, "squeeze": False}
    grid = plt.subplots(rows, columns, figsize=(columns * size[0], rows * size[1]), **options)[1]
    axes, unused = np.split(grid.ravel(), [len(draws)])
    for ax, draw, title in zip_longest(axes, draws, titles, fillvalue=""):
        draw(ax=ax)
        if title:
            ax.set_title(title, fontsize=10.5, loc="left", pad=16)
    for ax in unused:
        ax.remove()
    return axes


def lines(
    series,
    *,
    xlabel="",
    ylabel="",
    references=None,
    at=None,
    log_x=False,
    steps=False,
    markers=False,
    average=np.mean,
    ylim=None,
    ax=None,
):
    """Draw lines, each named where it ends.

    Parameters
    ----------
    series : dict of str to (x, y)
        x of shape (n,), and y of shape (n,) or, of repeats such as seeds, (repeats, n): up to 12
        are thin lines below their average; of more, the middle 80 % lie between dashed lines.
    xlabel, ylabel : str
    references : dict of str to float, optional
        Values of y to mark, such as ``{"chance": 0.5}``: dotted lines.
    at : dict of str to float, optional
        Values of x to mark.
    log_x : bool
        On a logarithmic axis, whose ticks are the x of the series.
    steps : bool
        From one x to the next a line keeps its value: for rates, and for a best so far.
    markers : bool
        A dot at each x.
    average : callable
        Of the repeats: `numpy.mean`, or `numpy.median`.
    ylim : (float, float), optional

    Examples
    --------
    >>> ax = lines({"Torch": ([1, 2], [[0.7, 0.8], [0.8, 0.9]])}, references={"chance": 0.5})
    >>> ax.lines[2].get_ydata().round(2).tolist(), [text.get_text() for text in ax.texts]
    ([0.75, 0.85], ['chance', 'Torch'])
    """
    ax = tidy(axes_for(ax, (6.4, 3.6)))
    kind = {"drawstyle": "steps-post"} if steps else {}
    ends = {}
    for i, (name, (x, y)) in enumerate(series.items()):
        x, y = np.asarray(x), np.atleast_2d(np.asarray(y, dtype=float))  # (n,), (repeats, n)
        if x.shape != y.shape[1:]:
            got = f"{x.shape} and {y.shape[1:] if len(y) == 1 else y.shape}"
            raise ValueError(f"series[{name!r}] must be x (n,), y (n,) or (repeats, n); got {got}.")
        colour, middle = next_colour(ax, name), average(y, axis=0)
        if 1 < len(y) <= THIN:
            ax.plot(x, y.T, color=colour, linewidth=0.8, alpha=0.35, **kind)
        elif len(y) > THIN:
            tenths = np.quantile(y, [0.1, 0.9], axis=0)
            ax.plot(x, tenths.T, "--", color=colour, linewidth=1, **kind)
        look = {"color": colour, "label": name, "marker": "." if markers else None}
        ax.plot(x, middle, linewidth=max(2.6 - 0.4 * i, 1.4), **look, **kind)  # none hides another
        ends[name] = middle[np.isfinite(middle)][-1], colour
    ax.margins(x=0.02)
    if log_x:
        ax.set_xscale("log")
        ticks = sorted({value for x, _ in series.values() for value in x})
        ax.set_xticks(ticks, [f"{value:g}" for value in ticks])
        ax.minorticks_off()
    elif all(np.all(np.mod(x, 1) == 0) for x, _ in series.values()):
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if ylim is not None:
        ax.set_ylim(ylim)
    ax.grid(axis="y", alpha=0.25)
    _mark(ax, references, at, ends)
    return ax


def bars(table, *, xlabel="", references=None, intervals=None, number="{:.2f}", xlim=None, ax=None):
    """Draw a bar from the left for each number, which is written at its end.

    Parameters
    ----------
    table : dict of str to float, Series or DataFrame
        A row a name. Each column of a DataFrame, or each series of a dict of dicts, is a colour.
    xlabel : str
        What the numbers are.
    references : dict of str to float, optional
        Values to mark, such as ``{"chance": 0.5}``: dotted lines.
    intervals : dict of str to (float, float), optional
        Of one series, the ends of an interval for each name: then a dot and a line, on an axis
        that need not begin at 0, instead of a bar.
    number : str
        Format of the numbers.
    xlim : (float, float), optional

    Examples
    --------
    >>> ax = bars({"random split": 0.97, "chromosome split": 0.49}, references={"chance": 0.5})
    >>> [text.get_text() for text in ax.texts]
    ['0.97', '0.49', 'chance']
    """
    if isinstance(table, dict):
        several = isinstance(next(iter(table.values())), dict)
        table = pd.DataFrame(table) if several else pd.Series(table)
    one = table.ndim == 1
    table = table.to_frame() if one else table
    count = table.shape[1]
    ax = tidy(axes_for(ax, (6.4, 0.8 + len(table) * (0.22 + 0.24 * count))))
    colours = colours_by_name(table.index if one else table.columns)
    for i, name in enumerate(table):
        colour, values = colours if one else colours[i], table[name]
        y = np.arange(len(table)) + 0.8 * ((i + 0.5) / count - 0.5)
        if intervals:
            lows, ends = np.transpose([intervals[row] for row in table.index])
            ax.scatter(values, y, 60, colour, zorder=3)
            ax.hlines(y, lows, ends, color=colour, linewidth=2.5)
        else:
            ends = values
            ax.barh(y, values, 0.74 / count, color=colour, label=name)
        for value, end, height in zip(values, ends, y, strict=True):
            place = {"xytext": (5, 0), "textcoords": "offset points", "va": "center"}
            ax.annotate(number.format(value), (end, height), fontsize=9, **place)
    ax.set_yticks(range(len(table)), table.index)
    ax.tick_params(axis="y", length=0)
    ax.margins(x=0.12)
    ax.set(xlabel=xlabel, ylim=(len(table) - 0.5, -0.5))
    if xlim is not None:
        ax.set_xlim(xlim)
    _mark(ax, None, references)
    if not one:
        legend_above(ax, columns=count)
    return ax


def points(series, *, xlabel="", ylabel="", diagonal=False, references=None, at=None, ax=None):
    """Draw a cloud of points for each name.

    Parameters
    ----------
    series : dict of str to (x, y)
        Two arrays of shape (n,).
    xlabel, ylabel : str
    diagonal : bool
        Draw y = x, with one scale on both axes.
    references, at : dict of str to float, optional
        Values of y, and of x, to mark: dotted lines.

    Examples
    --------
    >>> ax = points({"negative": ([0.1, 0.2], [0.3, 0.1])}, diagonal=True)
    >>> ax.collections[0].get_offsets().tolist()
    [[0.1, 0.3], [0.2, 0.1]]
    """
    ax = tidy(axes_for(ax, (4.6, 4.4)))
    for (name, (x, y)), colour in zip(series.items(), colours_by_name(series), strict=True):
        size = 26 if np.size(x) <= 100 else 9
        ax.scatter(np.ravel(x), np.ravel(y), size, colour, alpha=0.7, linewidths=0, label=name)
    if diagonal:
        ax.axline((0, 0), slope=1, color=GREY, linewidth=1, zorder=0)
        ax.set_aspect("equal", adjustable="datalim")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    _mark(ax, references, at)
    if len(series) > 1:
        legend_above(ax, columns=len(series))
    return ax


def strips(values_by_name, *, xlabel="", references=None, colours=None, ax=None):
    """Draw all values of each name as dots in a row, and a bar at their median.

    Parameters
    ----------
    values_by_name : dict of str to array of shape (n,)
        The number of values is written behind the name.
    xlabel : str
    references : dict of str to float, optional
        Values to mark: dotted lines.
    colours : sequence of str, optional
        One a name.

    Examples
    --------
    >>> ax = strips({"AMBER": [45, 51, 39], "random search": [40, 22]}, xlabel="epochs")
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['AMBER (3)', 'random search (2)']
    """
    count = len(values_by_name)
    ax = tidy(axes_for(ax, (6.4, 1 + 0.5 * count)))
    colours = colours or colours_by_name(values_by_name)
    for i, (values, colour) in enumerate(zip(values_by_name.values(), colours, strict=True)):
        jitter = (np.arange(len(values)) * 0.618034 + 0.5) % 1 - 0.5  # evenly, never at random
        style = {"color": colour, "markeredgewidth": 0, "markersize": 5, "alpha": 0.5}
        ax.plot(values, i + 0.55 * jitter, "o", **style)
        if len(values):
            ax.plot([np.median(values)] * 2, [i - 0.36, i + 0.36], color=INK, linewidth=2.2)
    ax.set_yticks(range(count), [f"{name} ({len(v)})" for name, v in values_by_name.items()])
    ax.set(ylim=(count - 0.4, -0.6), xlabel=xlabel)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", alpha=0.25)
    _mark(ax, None, references)
    return ax


def histogram(values_by_name, *, xlabel="", bins=30, ax=None):
    """Draw how often values occur, with the same bins for each name.

    Parameters
    ----------
    values_by_name : dict of str to array of shape (n,)
    xlabel : str
    bins : int or sequence of float
        Their number, or their edges.

    Examples
    --------
    >>> ax = histogram({"positive": [1, 1, 2]}, bins=[0.5, 1.5, 2.5])
    >>> ax.patches[0].get_data().values.tolist()
    [2, 1]
    """
    ax = tidy(axes_for(ax, (6.4, 3.2)))
    arrays = [np.ravel(values) for values in values_by_name.values()]
    edges = np.histogram_bin_edges(np.concatenate(arrays), bins)
    colours = colours_by_name(values_by_name)
    for name, values, colour in zip(values_by_name, arrays, colours, strict=True):
        counts = np.histogram(values, edges)[0]
        ax.stairs(counts, edges, fill=True, color=colour, alpha=0.3)
        ax.stairs(counts, edges, color=colour, linewidth=1.5, label=name)
    ax.set(xlabel=xlabel, ylabel="count")
    if len(values_by_name) > 1:
        legend_above(ax, columns=len(values_by_name))
    return ax


def _mark(ax, references, at, ends=None):
    """Dotted lines at values of y and of x, named like the `ends` of lines: (y, colour) a name."""
    ends = dict(ends or {})
    for name, y in (references or {}).items():
        ax.axhline(y, color=GREY, linewidth=1, linestyle=":", zorder=0)
        ends[name] = y, DIM
    for name, x in (at or {}).items():
        ax.axvline(x, color=GREY, linewidth=1, linestyle=":", zorder=0)
        style = {"transform": ax.get_xaxis_transform(), "va": "bottom", "ha": "center"}
        ax.text(x, 1.005, name, fontsize=8.5, color=DIM, **style)
    names = sorted(ends, key=lambda name: ends[name][0])
    for name, height in zip(names, _apart(ax, [ends[name][0] for name in names]), strict=True):
        style = {"transform": ax.get_yaxis_transform(), "va": "center", "fontsize": 9}
        ax.text(1.015, height, name, color=ends[name][1], **style)


def _apart(ax, heights):
    """Rising heights of texts at the right edge, moved apart until none lies on another."""
    bottom, top = ax.get_ylim()
    gap = 0.17 * (top - bottom) / inches_of(ax)[1]  # a line of text is 0.17 inches high
    for i in range(1, len(heights)):
        heights[i] = max(heights[i], heights[i - 1] + gap)
    ceiling = top
    for i in reversed(range(len(heights))):
        heights[i] = min(heights[i], ceiling)
        ceiling = heights[i] - gap
    return heights
