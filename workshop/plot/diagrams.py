"""Diagrams: a network, how an error goes back in it, what a unit sees; a space, its controller.

Everything is drawn on a canvas with y growing downwards, whose unit is mostly an inch.
"""

import itertools
import math
from dataclasses import fields
from textwrap import fill

import numpy as np
from matplotlib.patches import Rectangle

from workshop.architecture import TASKS
from workshop.plot.canvas import (
    DIM,
    INK,
    LAYER_COLOURS,
    PALE,
    SERIES_COLOURS,
    arrow,
    box,
    canvas,
    in_common,
    write,
)

CELL, CHOSEN = "#D9E4F2", SERIES_COLOURS[1]
FADED = "#6B6B6B"  # of text that one need not read but can: 5.3 to 1 on white
ERROR = "#B2182B"
GOES_BACK = {  # what becomes of the error in a layer, and what it changes there
    "Conv1D": ("where the activation lets it through,", "kernels change by error × input"),
    "MaxPool": ("to the largest value of each window alone", ""),
    "AvgPool": ("in equal shares to each window", ""),
    "GlobalMaxPool": ("to the best position alone", ""),
    "GlobalAvgPool": ("in equal shares to all positions", ""),
    "Flatten": ("as it is, to every position", ""),
    "Dense": ("through the weights,", "weights change by error × input"),
}
ROW = 0.44  # from one operation of the space to the next
BAR, PITCH = 0.62, 0.22  # length of a bar for probability 1; from one bar to the next
INPUT, LSTM, SOFTMAX = 0.5, 1.3, 2.3  # upper edges


def architecture(architecture, *, ax=None):
    """Draw a network as blocks from input to output, with the shape that leaves each layer.

    Parameters
    ----------
    architecture : Architecture

    Returns
    -------
    matplotlib Axes
        A row a layer: name and settings, a picture of its output (positions to the right,
        channels downwards, on a log scale), shape and number of parameters.

    Examples
    --------
    >>> from workshop.architecture import DAY1_CNN
    >>> ax = architecture(DAY1_CNN)
    >>> [text.get_text() for text in ax.texts if "×" in text.get_text()]
    ['200 × 4', '200 × 32', '50 × 32']
    """
    names = ["Input", *(type(layer).__name__ for layer in architecture.layers), "Output: Dense"]
    settings = [
        "one-hot sequence",
        *map(_settings, architecture.layers),
        f"units {architecture.n_outputs}, activation {TASKS[architecture.task]}",
    ]
    shapes = [(architecture.input_length, 4), *architecture.output_shapes()]
    counts = [None, *architecture.n_parameters_by_layer()]
    ax = canvas(ax, 13, len(names) + 1.3, unit=0.66)
    for text, x in (("layer", 2.7), ("its output", 7.5), ("shape", 10.1)):
        write(ax, x, 0.35, text, fontsize=9.5, color=DIM)
    write(ax, 12.9, 0.35, "parameters", ha="right", fontsize=9.5, color=DIM)
    for row, (name, setting, shape, count) in enumerate(
        zip(names, settings, shapes, counts, strict=True)
    ):
        y, middle = row + 0.81, row + 1.2
        colour = LAYER_COLOURS.get(name.removeprefix("Output: "), PALE)
        box(ax, (0.1, y), (5.2, 0.76), "", colour, rounding=0.12)
        write(ax, 2.7, y + 0.24 if setting else middle, name, weight="bold", fontsize=10)
        write(ax, 2.7, y + 0.56, setting, fontsize=8)
        if row:
            arrow(ax, (2.7, y - 0.26), (2.7, y + 0.02))
        _tensor(ax, 7.5, middle, shape, architecture.input_length, colour)
        write(ax, 10.1, middle, " × ".join(map(str, shape)))
        write(ax, 12.9, middle, "" if count is None else f"{count:,}", ha="right")
    y = len(names) + 0.73
    ax.plot([10.9, 12.9], [y, y], color=INK, linewidth=0.8)
    write(ax, 12.9, y + 0.3, f"{sum(counts[1:]):,}", ha="right", weight="bold")
    return ax


def model_space(table, tokens, *, ax=None):
    """Draw a model space: a column of operations for each layer, and all paths through them.

    Parameters
    ----------
    table : DataFrame
        A row an operation, with the columns layer, token, operation, short and shared:
        `nas.space_table(space)`.
    tokens : sequence of int
        One a layer: the operations to join, which make one architecture.

    Returns
    -------
    matplotlib Axes
        The small numbers are the tokens. Below, how many architectures there are.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"layer": [0, 0, 1, 1, 1], "token": [0, 1, 0, 1, 2], "shared": ""})
    >>> table["operation"] = ["dense(units=8)", "dense(units=16)", "flatten", "gap", "gmp"]
    >>> table["short"] = ["dense 8", "dense 16", "flatten", "GAP", "GMP"]
    >>> ax = model_space(table, tokens=[1, 0])
    >>> ax.texts[-1].get_text()
    'tokens [1, 0]: one of 2 × 3 = 6 architectures'
    """
    layers = _layers(table, tokens)
    sizes = [len(rows) for rows in layers.values()]
    width, gap, end = max(1.0, 0.42 + 0.085 * table["short"].str.len().max()), 0.6, 0.95
    letters = max(14, int((width + gap) / 0.075))
    under = [fill(in_common(rows), letters) for rows in layers.values()]
    top = 0.5 + 0.14 * max(text.count("\n") + 1 for text in under)
    high = ROW * max(sizes)
    wide, middle = 2 * (end + gap) + len(layers) * (width + gap) - gap + 0.2, top + high / 2
    ax = canvas(ax, wide, top + high + 0.55)

    columns = [[(0.1, 0.1 + end, middle)]]  # of each box: left, right, middle
    for layer, text, size in zip(layers, under, sizes, strict=True):
        x, y = columns[-1][0][1] + gap, middle - ROW * (size - 1) / 2
        columns.append([(x, x + width, y + ROW * token) for token in range(size)])
        write(ax, x + width / 2, 0.14, f"layer {layer}", weight="bold", fontsize=10)
        write(ax, x + width / 2, 0.3, text, va="top", fontsize=8, color=DIM)
    columns.append([(wide - 0.1 - end, wide - 0.1, middle)])
    for before, after in itertools.pairwise(columns):
        for (_, right, y), (left, _, y_next) in itertools.product(before, after):
            ax.plot([right, left], [y, y_next], color="#D0D0D0", linewidth=0.8, zorder=0.5)

    for (x, _, y), text, colour in (
        (columns[0][0], "input\none-hot\nsequence", PALE),
        (columns[-1][0], "output\ndense", LAYER_COLOURS["Dense"]),
    ):
        box(ax, (x, y - 0.36), (end, 0.72), text, colour, fontsize=8.5)
    for i, rows in enumerate(layers.values()):
        for row, place in zip(rows.itertuples(), columns[i + 1], strict=True):
            _operation(ax, place, row, tokens[i] == row.token)
    path = [column[t] for column, t in zip(columns, [0, *tokens, 0], strict=True)]
    for (_, right, y), (left, _, y_next) in itertools.pairwise(path):
        arrow(ax, (right - 0.02, y), (left + 0.03, y_next))
    count = f"{' × '.join(map(str, sizes))} = {math.prod(sizes):,}"
    text = f"tokens {[int(token) for token in tokens]}: one of {count} architectures"
    write(ax, wide / 2, top + high + 0.35, text, fontsize=10)
    return ax


def controller_unrolled(table, tokens, probabilities, *, ax=None):
    """Draw the controller unrolled in time: one recurrent cell that chooses layer after layer.

    Parameters
    ----------
    table : DataFrame
        A row an operation: `nas.space_table(space)`.
    tokens : sequence of int
        What was sampled, one a layer.
    probabilities : list of array
        For each layer, of each operation, given the tokens before: `Proposal.probabilities`.

    Returns
    -------
    matplotlib Axes
        From left to right the layers, from top to bottom what happens in each. Below, the
        probability of the tokens: the product of those of the sampled operations.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"layer": [0, 0, 1, 1], "token": [0, 1, 0, 1]})
    >>> table["short"] = ["max 2", "identity", "flatten", "GMP"]
    >>> ax = controller_unrolled(table, [0, 1], [[0.5, 0.5], [0.2, 0.8]])
    >>> ax.texts[-1].get_text()
    'P(tokens) = 0.500 × 0.800 = 0.40'
    """
    named = {layer: list(rows["short"]) for layer, rows in _layers(table, tokens).items()}
    drawn = [
        f"{token}: {names[token]}" for token, names in zip(tokens, named.values(), strict=True)
    ]
    inputs = ["start vector", *(f"embedding of\n{text}" for text in drawn)]
    name_width = max(0.5, 0.078 * table["short"].str.len().max())
    width, gap, rows = name_width + BAR + 0.56, 0.46, max(map(len, named.values()))
    sampled = SOFTMAX + rows * PITCH + 0.42
    left, wide = 1.05, 1.1 + len(named) * (width + gap) - gap
    ax = canvas(ax, wide, sampled + 0.95)
    for y, name in (
        (INPUT + 0.21, "input"),
        (LSTM + 0.25, "recurrent\ncell"),
        (SOFTMAX + rows * PITCH / 2, "softmax"),
        (sampled + 0.2, "sampled\ntoken"),
    ):
        write(ax, left - 0.2, y, name, ha="right", fontsize=9, color=DIM)

    for i, (layer, names) in enumerate(named.items()):
        x = left + i * (width + gap)
        centre, inner = x + width / 2, width - 0.2
        write(ax, centre, 0.2, f"layer {layer}", weight="bold", fontsize=10)
        box(ax, (x + 0.1, INPUT), (inner, 0.42), inputs[i], PALE, fontsize=8.5)
        box(ax, (x + 0.1, LSTM), (inner, 0.5), "LSTM", CELL, fontsize=10, weight="bold")
        first, last = _softmax(ax, x, rows, names, probabilities[i], tokens[i], name_width)
        style = {"edge": CHOSEN, "linewidth": 2, "weight": "bold", "fontsize": 9}
        box(ax, (x + 0.1, sampled), (inner, 0.4), drawn[i], "white", **style)
        for start, end in ((INPUT + 0.42, LSTM), (LSTM + 0.5, first), (last, sampled)):
            arrow(ax, (centre, start), (centre, end + 0.02))
        if i + 1 < len(named):
            ends = x + width - 0.1, x + width + gap + 0.1
            arrow(ax, (ends[0], LSTM + 0.25), (ends[1] + 0.02, LSTM + 0.25))
            _feed_back(ax, *ends, sampled + 0.2)
            if not i:
                write(ax, ends[0] + 0.24, LSTM + 0.12, "state", fontsize=8, color=DIM)
    picked = [float(share[token]) for share, token in zip(probabilities, tokens, strict=True)]
    total = "P(tokens) = " + " × ".join(f"{share:.3f}" for share in picked)
    total += f" = {math.prod(picked):#.2g}" if len(picked) > 1 else ""
    write(ax, (left + wide) / 2, sampled + 0.75, total, fontsize=10)
    return ax


def backpropagation(architecture, *, ax=None):
    """Draw how a prediction goes down the layers, and its error back up.

    Parameters
    ----------
    architecture : Architecture

    Returns
    -------
    matplotlib Axes
        A row a layer. On the right, what becomes of the error there: the chain rule in words.

    Examples
    --------
    >>> from workshop.architecture import DAY1_CNN
    >>> ax = backpropagation(DAY1_CNN)
    >>> [text.get_text() for text in ax.texts if "alone" in text.get_text()]
    ['to the largest value of each window alone']
    """
    kinds = [type(layer).__name__ for layer in architecture.layers]
    rows = [
        ("sequence X", PALE, "", ""),
        *((kind, LAYER_COLOURS.get(kind, PALE), *GOES_BACK.get(kind, ("", ""))) for kind in kinds),
        ("Dense (output)", LAYER_COLOURS["Dense"], *GOES_BACK["Dense"]),
        ("loss", "white", "error = y − ŷ", ""),
    ]
    ax = canvas(ax, 6.2, 0.35 + 0.78 * len(rows))
    write(ax, 0.65, 0.16, "forward", fontsize=9.5, color=INK, weight="bold")
    write(ax, 1.75, 0.16, "back", fontsize=9.5, color=ERROR, weight="bold")
    for i, (name, face, passes, changes) in enumerate(rows):
        y = 0.38 + 0.78 * i
        box(ax, (0.1, y), (2.2, 0.4), name, face, fontsize=10, weight="bold")
        for text, below, weight in ((passes, 0.1, "normal"), (changes, 0.3, "bold")):
            y_text = y + (below if changes else 0.2)
            write(ax, 2.5, y_text, text, ha="left", fontsize=9, color=ERROR, weight=weight)
        if i:
            arrow(ax, (0.65, y - 0.36), (0.65, y + 0.02))
            arrow(ax, (1.75, y - 0.02), (1.75, y - 0.4), colour=ERROR)
    return ax


def receptive_field(architecture, *, ax=None):
    """Draw which letters one number of each layer depends on: its receptive field.

    Parameters
    ----------
    architecture : Architecture
        Its convolutions and pools are drawn, up to where the positions become one.

    Returns
    -------
    matplotlib Axes
        A row a layer, the sequence at the bottom, all in the scale of its positions. Coloured is
        what the one number on top depends on.

    Examples
    --------
    >>> from workshop.architecture import Architecture, Conv1D, GlobalMaxPool, MaxPool
    >>> layers = Conv1D(8, 3), MaxPool(2), Conv1D(8, 3), GlobalMaxPool()
    >>> ax = receptive_field(Architecture(layers, 40))
    >>> [text.get_text() for text in ax.texts if "sees" in text.get_text()]
    ['sees 3 letters', 'sees 4 letters', 'sees 8 letters']
    """
    names, steps = ["sequence"], []  # of each layer: positions in a window, and to the next one
    for layer in architecture.layers:
        size, pool = getattr(layer, "kernel_size", None), getattr(layer, "pool_size", None)
        if size or pool:
            steps.append((size or pool, pool or 1))
            names.append(f"{type(layer).__name__} {size or pool}")
    ranges = [(0, 0)]  # of the units that the one on top reads, from the top down
    for size, stride in reversed(steps):
        first, last = ranges[0]
        ranges.insert(0, (stride * first, stride * last + size - 1))
    first, last = -3, ranges[0][1] + 3  # letters to draw
    wide, high = last - first + 1, len(names)
    ax = canvas(ax, np.clip(0.2 * wide + 2.4, 6, 11), 0.75 * high + 0.2)
    ax.set(xlim=(first - 0.5, last + 0.5), ylim=(high + 0.5, 0.8))
    middle, pitch = 0.0, 1  # of unit 0 of a layer, and from a unit to the next, in letters
    below = ()
    for row, (name, (start, end)) in enumerate(zip(names, ranges, strict=True)):
        if row:
            size, stride = steps[row - 1]
            middle, pitch = middle + pitch * (size - 1) / 2, pitch * stride
        y, face = high - row, LAYER_COLOURS.get(name.split()[0], "#C7C7C7")
        for unit in range(-wide, end + wide):
            x = middle + pitch * unit
            if first <= x <= last:
                colour = face if start <= unit <= end else "white"
                box(ax, (x - 0.4, y), (0.8, 0.34), "", colour, edge="#BBBBBB")
        edges = middle + pitch * start - 0.4, middle + pitch * end + 0.4
        write(ax, first - 1, y + 0.17, name, ha="right", fontsize=9.5)
        if row:
            corners = [y + 0.34, y + 0.34, y + 1, y + 1]
            ax.fill([*edges, *below[::-1]], corners, facecolor=face, alpha=0.35, zorder=0.4)
            text = f"sees {1 + round(2 * middle)} letters"  # as unit 0 begins with letter 0
            write(ax, last + 1, y + 0.17, text, ha="left", fontsize=9.5, color=DIM)
        below = edges
    return ax


def _layers(table, tokens):
    """The rows of each layer; an error if the tokens are not one of each."""
    layers = dict(iter(table.groupby("layer")))
    sizes = [len(rows) for rows in layers.values()]
    known = [token in range(size) for token, size in zip(tokens, sizes, strict=False)]
    if len(tokens) != len(sizes) or not all(known):
        raise ValueError(f"tokens must choose one of {sizes} operations; got {list(tokens)}.")
    return layers


def _operation(ax, place, row, chosen):
    """A block with its token; pale unless it is chosen."""
    left, right, y = place
    ink = dim = FADED
    edge, face, linewidth, weight = "#BBBBBB", "white", 1, "normal"
    if chosen:
        kinds = (kind for kind in LAYER_COLOURS if row.operation.startswith(kind.lower()))
        face = LAYER_COLOURS.get(next(kinds, ""), PALE)
        ink, dim, edge, linewidth, weight = INK, DIM, INK, 2, "bold"
    box(ax, (left, y - 0.17), (right - left, 0.34), "", face, edge=edge, linewidth=linewidth)
    write(ax, left + 0.13, y, str(row.token), fontsize=7.5, color=dim)
    write(ax, (left + right) / 2 + 0.07, y, row.short, fontsize=9, color=ink, weight=weight)


def _softmax(ax, x, rows, names, shares, token, name_width):
    """Bars of the probabilities in a frame; return its upper and lower edge."""
    top = SOFTMAX + (rows - len(names)) * PITCH / 2
    first, last = top - 0.08, top + len(names) * PITCH + 0.08
    size = name_width + BAR + 0.56, last - first
    ax.add_patch(Rectangle((x, first), *size, fill=False, edgecolor="#BBBBBB", linewidth=0.9))
    start = x + 0.15 + name_width
    for row, (name, share) in enumerate(zip(names, shares, strict=True)):
        y, length = top + (row + 0.5) * PITCH, max(BAR * share, 0.01)
        colour, weight = (CHOSEN, "bold") if row == token else ("#9DB7D5", "normal")
        ax.add_patch(Rectangle((start, y - 0.075), length, 0.15, facecolor=colour))
        write(ax, start - 0.07, y, name, ha="right", fontsize=8, weight=weight)
        write(ax, start + length + 0.05, y, f"{share:.2f}", ha="left", fontsize=7.5, weight=weight)
    return first, last


def _feed_back(ax, start, end, y):
    """A line from a sampled token, at height y, up to the input of the next cell."""
    turn, style = end - 0.17, {"color": CHOSEN, "linewidth": 1.5}
    ax.plot([start, turn, turn], [y, y, INPUT + 0.21], linestyle="--", zorder=0.5, **style)
    style["arrowstyle"] = "-|>"
    ax.annotate("", (end + 0.02, INPUT + 0.21), (turn - 0.02, INPUT + 0.21), arrowprops=style)


def _settings(layer):
    values = {field.name: getattr(layer, field.name) for field in fields(layer)}
    pairs = [f"{name.replace('_', ' ')} {v}" for name, v in values.items() if v != "valid"]
    return ", ".join(pairs)


def _tensor(ax, x, y, shape, input_length, colour):
    """A rectangle: positions to the right (3 for the input), channels downwards, both as logs."""
    width = 0.12 + 2.9 * np.log(shape[0]) / np.log(max(input_length, 2)) if len(shape) > 1 else 0.12
    height = min(0.12 + 0.085 * np.log2(shape[-1]), 0.84)
    corner = x - width / 2, y - height / 2
    ax.add_patch(Rectangle(corner, width, height, facecolor=colour, edgecolor=INK, linewidth=0.9))
