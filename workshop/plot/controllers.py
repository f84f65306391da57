"""Pictures of a search's controller: how it works, and what it came to prefer, step by step.

The unit of the diagram is an inch, with y growing downwards.
"""

import math

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from workshop.plot.canvas import INK, SERIES_COLOURS, arrow, axes_for, tidy
from workshop.plot.search_canvas import (
    CELL,
    DIM,
    PALE,
    box,
    canvas,
    dash_for,
    operation_colours,
    panels,
    title_layer,
    write,
)
from workshop.plot.tables import (
    check_tokens,
    layer_names,
    layers_of,
    operations_by_layer,
    table_of,
)

__all__ = ["controller_unrolled", "entropy", "token_probabilities"]

CHOSEN = SERIES_COLOURS[1]
BAR, PITCH = 0.62, 0.22  # length of a bar for probability 1; from one bar to the next
INPUT, LSTM, SOFTMAX = 0.5, 1.3, 2.3  # upper edges


def controller_unrolled(table, tokens, probabilities=None, *, ax=None):
    """Draw the controller unrolled in time: one recurrent cell that chooses layer after layer.

    Parameters
    ----------
    table : DataFrame
        A row an operation: `nas.space_table(space)`.
    tokens : sequence of int
        What was sampled, one a layer.
    probabilities : list of array, optional
        For each layer, of each operation, given the tokens before: `Proposal.probabilities`.
        Without them all operations of a layer are equally probable, as before any training.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
        From left to right the layers, from top to bottom what happens in each. Below, the
        probability of the tokens: the product of those of the sampled operations.

    Raises
    ------
    ValueError
        If the table is empty or lacks a column, or the tokens or probabilities do not belong to it.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> table = pd.DataFrame({"layer": [0, 0, 1, 1], "token": [0, 1, 0, 1]})
    >>> table["operation"] = ["maxpool1d", "identity", "flatten", "globalmaxpool1d"]
    >>> ax = controller_unrolled(table, [0, 1], [[0.5, 0.5], [0.2, 0.8]])
    >>> ax.texts[-1].get_text()
    'P(tokens) = 0.500 × 0.800 = 0.40'
    >>> plt.close(ax.figure)
    """
    layers = layers_of(table)
    tokens = check_tokens(tokens, layers)
    shares = _check_probabilities(probabilities, layers)
    named = {layer: layer_names(texts)[0] for layer, texts in layers.items()}
    drawn = [
        f"{token}: {names[token]}" for token, names in zip(tokens, named.values(), strict=True)
    ]
    inputs = ["start vector", *(f"embedding of\n{text}" for text in drawn)]
    name_width = max(0.5, 0.078 * max(len(name) for names in named.values() for name in names))
    width, gap, rows = name_width + BAR + 0.56, 0.46, max(map(len, layers.values()))
    sampled = SOFTMAX + rows * PITCH + 0.42
    left, wide = 1.05, 1.1 + len(layers) * (width + gap) - gap
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
        box(ax, x + 0.1, INPUT, inner, 0.42, inputs[i], PALE, fontsize=8.5)
        box(ax, x + 0.1, LSTM, inner, 0.5, "LSTM", CELL, fontsize=10, weight="bold")
        first, last = _softmax(ax, x, rows, names, shares[i], tokens[i], name_width)
        style = {"edge": CHOSEN, "linewidth": 2, "weight": "bold", "fontsize": 9}
        box(ax, x + 0.1, sampled, inner, 0.4, drawn[i], "white", **style)
        for start, end in ((INPUT + 0.42, LSTM), (LSTM + 0.5, first), (last, sampled)):
            arrow(ax, (centre, start), (centre, end + 0.02))
        if i + 1 < len(layers):
            ends = x + width - 0.1, x + width + gap + 0.1
            arrow(ax, (ends[0], LSTM + 0.25), (ends[1] + 0.02, LSTM + 0.25))
            _feed_back(ax, *ends, sampled + 0.2)
            if not i:
                write(ax, ends[0] + 0.24, LSTM + 0.12, "state", fontsize=8, color=DIM)
    picked = [float(share[token]) for share, token in zip(shares, tokens, strict=True)]
    total = "P(tokens) = " + " × ".join(f"{share:.3f}" for share in picked)
    total += f" = {math.prod(picked):#.2g}" if len(picked) > 1 else ""
    write(ax, (left + wide) / 2, sampled + 0.75, total, fontsize=10)
    return ax


def token_probabilities(result, *, layer=None, axes=None):
    """Draw how probable the controller found each operation, step by step: a panel a layer.

    Parameters
    ----------
    result : SearchResult
        With `token_probabilities`: a table with the columns step, layer, token, operation and
        probability.
    layer : int, optional
        Draw only this layer.
    axes : Axes or array of Axes, optional
        One for each panel.

    Returns
    -------
    array of matplotlib Axes, of shape (panels,)
        The dotted line is where all operations are equally probable.

    Raises
    ------
    TypeError
        If `result` has no such table.
    ValueError
        If it is empty, has no such layer, or `axes` are too few or too many.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> from types import SimpleNamespace
    >>> table = pd.DataFrame(
    ...     {
    ...         "step": [1, 1, 2, 2],
    ...         "layer": 0,
    ...         "token": [0, 1] * 2,
    ...         "probability": [0.5, 0.5, 0.2, 0.8],
    ...     }
    ... )
    >>> table["operation"] = ["maxpool1d(pool_size=4)", "identity"] * 2
    >>> (ax,) = token_probabilities(SimpleNamespace(token_probabilities=table))
    >>> [text.get_text() for text in ax.texts]
    ['max 4', 'identity']
    >>> plt.close(ax.figure)
    """
    table = table_of(result, "token_probabilities", ["step", "layer", "token", "probability"])
    operations = operations_by_layer(table)
    if layer is not None:
        if layer not in operations:
            present = ", ".join(map(str, operations))
            raise ValueError(f"layer must be one of {present}; got {layer!r}.")
        operations = {layer: operations[layer]}
    axes = panels(axes, operations, width=5.0)
    for ax, (number, texts) in zip(axes, operations.items(), strict=True):
        names, common = layer_names(texts)
        shares = table[table["layer"] == number].pivot(
            index="step", columns="token", values="probability"
        )
        colours = operation_colours(texts)
        for i, token in enumerate(shares):
            marker = "o" if len(shares) == 1 else None
            style = {"color": colours[i], "linestyle": dash_for(colours[:i].count(colours[i]))}
            ax.plot(shares.index, shares[token], marker=marker, linewidth=1.7, **style)
        ax.axhline(1 / len(names), color=INK, linewidth=1, linestyle=":", zorder=1)
        ax.set_ylim(-0.02, 1.02)  # the same for all layers, so that they compare
        _labels_beside(ax, shares.iloc[-1].to_numpy(), names, colours)
        title_layer(ax, number, common)
        ax.set_ylabel("probability")
        _steps(ax, shares.index)
    return axes


def entropy(result, *, ax=None):
    """Draw how undecided the controller is about each layer, and about all together, in bits.

    Parameters
    ----------
    result : SearchResult
        With the tables `entropy` (columns step, layer, entropy) and `token_probabilities`.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
        A line a layer and one for their sum. Each dotted line is the most that is possible: log2
        of the number of operations, where all are equally probable.

    Raises
    ------
    TypeError
        If `result` lacks a table.
    ValueError
        If one is empty.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> from types import SimpleNamespace
    >>> choices = pd.DataFrame({"step": 1, "layer": 0, "token": [0, 1], "operation": ["a", "b"]})
    >>> bits = pd.DataFrame({"step": [1, 2], "layer": 0, "entropy": [1.0, 0.7]})
    >>> ax = entropy(SimpleNamespace(entropy=bits, token_probabilities=choices))
    >>> ax.texts[0].get_text()
    'layer 0 (at most 1)'
    >>> plt.close(ax.figure)
    """
    table = table_of(result, "entropy", ["step", "layer", "entropy"])
    choices = table_of(result, "token_probabilities", ["layer", "token", "operation"])
    operations = operations_by_layer(choices)
    bits = table.pivot(index="step", columns="layer", values="entropy")
    lines = {f"layer {layer}": (bits[layer], np.log2(len(operations[layer]))) for layer in bits}
    if len(lines) > 1:
        lines["sum"] = bits.sum(axis=1), sum(most for _, most in lines.values())
    ax = tidy(axes_for(ax, (7.2, 4.4)))
    colours = [SERIES_COLOURS[i % len(SERIES_COLOURS)] for i in range(len(bits.columns))] + [INK]
    marker = "o" if len(bits) == 1 else None
    for i, (name, (values, most)) in enumerate(lines.items()):
        style = {"color": colours[i], "linestyle": "-" if name == "sum" else dash_for(i)}
        width = 2.4 if name == "sum" else 1.7
        ax.plot(bits.index, values, linewidth=width, marker=marker, label=name, **style)
        ax.axhline(most, color=colours[i], linewidth=1, linestyle=":", zorder=1)
    ax.set_ylim(0, 1.06 * max(most for _, most in lines.values()) or 1)
    texts = [f"{name} (at most {most:.3g})" for name, (_, most) in lines.items()]
    _labels_beside(ax, [values.iloc[-1] for values, _ in lines.values()], texts, colours)
    ax.set_ylabel("entropy (bits)")
    _steps(ax, bits.index)
    return ax


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


def _labels_beside(ax, heights, names, colours, *, fontsize=8.5):
    """Name lines at their right ends, moved apart where they would overlap."""
    from scipy.optimize import isotonic_regression

    low, high = ax.get_ylim()
    points = ax.bbox.height / ax.figure.dpi * 72  # height of the axes
    gap = min(1.25 * fontsize / points, 1 / max(len(names) - 1, 1)) * (high - low)
    heights = np.asarray(heights, dtype=float)
    level = ((heights - low) / (high - low)).round(2)  # of equals the first above the second
    order = np.argsort(-level, kind="stable")[::-1]  # lowest first
    offsets = gap * np.arange(len(names))
    apart = isotonic_regression(heights[order] - offsets).x
    places = np.clip(apart, low, max(high - offsets[-1], low)) + offsets
    beside = ax.get_yaxis_transform()
    for i, place in zip(order, places, strict=True):
        colour = colours[i]
        ends = [heights[i], place]
        ax.plot([1.0, 1.03], ends, color=colour, linewidth=0.8, transform=beside, clip_on=False)
        style = {"color": colour, "fontsize": fontsize, "va": "center"}
        ax.text(1.04, place, names[i], transform=beside, **style)


def _steps(ax, steps):
    ax.set_xlabel("step")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    margin = 0.5 if len(steps) == 1 else 0
    ax.set_xlim(min(steps) - margin, max(steps) + margin)


def _check_probabilities(probabilities, layers):
    """An array a layer that sums to 1; uniform for None."""
    if probabilities is None:
        return [np.full(len(texts), 1 / len(texts)) for texts in layers.values()]
    if len(probabilities) != len(layers):
        raise ValueError(
            f"probabilities must be {len(layers)} arrays, one a layer; got {len(probabilities)}."
        )
    shares = [np.asarray(share, dtype=float) for share in probabilities]
    for share, (layer, texts) in zip(shares, layers.items(), strict=True):
        if share.shape != (len(texts),) or not (share >= 0).all() or abs(share.sum() - 1) > 1e-3:
            raise ValueError(
                f"The probabilities of layer {layer} must be {len(texts)} numbers that sum to 1; "
                f"got shape {share.shape} with sum {share.sum():.4g}."
            )
    return shares
