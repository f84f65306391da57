"""The ideas of a search as diagrams: the space of models, and the loop that searches it.

Everything is drawn on a canvas whose unit is an inch, with y growing downwards.
"""

import itertools
import math
from textwrap import fill

from workshop.plot.canvas import GREY, INK, arrow
from workshop.plot.network import BLOCKS
from workshop.plot.search_canvas import CELL, DIM, PALE, box, canvas, frame, layer_colour, write
from workshop.plot.tables import check_tokens, layer_names, layers_of

__all__ = ["model_space", "search_loop"]

PITCH = 0.44  # from one operation to the next


def model_space(table, *, tokens=None, ax=None):
    """Draw a model space: a column of operations for each layer, and all paths through them.

    Parameters
    ----------
    table : DataFrame
        A row an operation, with the columns layer, token and operation: `nas.space_table(space)`.
    tokens : sequence of int, optional
        One a layer: the operations to join, which make one architecture.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
        The small numbers are the tokens. Below, how many architectures there are.

    Raises
    ------
    ValueError
        If the table is empty or lacks a column, or the tokens do not belong to it.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> table = pd.DataFrame({"layer": [0, 0, 1, 1, 1], "token": [0, 1, 0, 1, 2]})
    >>> table["operation"] = ["dense(units=8)", "dense(units=16)", "flatten", "gap", "gmp"]
    >>> ax = model_space(table, tokens=[1, 0])
    >>> ax.texts[-1].get_text()
    'tokens [1, 0]: one of 2 × 3 = 6 architectures'
    >>> plt.close(ax.figure)
    """
    layers = layers_of(table)
    tokens = None if tokens is None else check_tokens(tokens, layers)
    names, shared = zip(*map(layer_names, layers.values()), strict=True)
    width, gap, end = max(1.0, 0.42 + 0.085 * max(len(n) for row in names for n in row)), 0.6, 0.95
    under = [fill(text, max(14, int((width + gap) / 0.075))) for text in shared]
    top = 0.5 + 0.14 * max(text.count("\n") + 1 for text in under)
    high = PITCH * max(map(len, names))
    wide, middle = 2 * (end + gap) + len(layers) * (width + gap) - gap + 0.2, top + high / 2
    ax = canvas(ax, wide, top + high + 0.55)

    columns = [[(0.1, 0.1 + end, middle)]]  # of each box: left, right, middle
    for i, row in enumerate(names):
        x, y = columns[-1][0][1] + gap, middle - PITCH * (len(row) - 1) / 2
        columns.append([(x, x + width, y + PITCH * token) for token in range(len(row))])
        write(ax, x + width / 2, 0.14, f"layer {list(layers)[i]}", weight="bold", fontsize=10)
        write(ax, x + width / 2, 0.3, under[i], va="top", fontsize=8, color=DIM)
    columns.append([(wide - 0.1 - end, wide - 0.1, middle)])
    for before, after in itertools.pairwise(columns):
        for (_, right, y), (left, _, y_next) in itertools.product(before, after):
            ax.plot([right, left], [y, y_next], color="#D0D0D0", linewidth=0.8, zorder=0.5)

    for (x, _, y), text, colour in (
        (columns[0][0], "input\none-hot\nsequence", PALE),
        (columns[-1][0], "output\ndense", BLOCKS["Dense"]),
    ):
        box(ax, x, y - 0.36, end, 0.72, text, colour, fontsize=8.5)
    for i, texts in enumerate(layers.values()):
        for token, text in enumerate(texts):
            chosen = None if tokens is None else tokens[i] == token
            _operation(ax, columns[i + 1][token], token, names[i][token], text, chosen)
    if tokens is not None:
        path = [column[t] for column, t in zip(columns, [0, *tokens, 0], strict=True)]
        for (_, right, y), (left, _, y_next) in itertools.pairwise(path):
            arrow(ax, (right - 0.02, y), (left + 0.03, y_next))
    count = f"{math.prod(map(len, names)):,}"
    if len(layers) > 1:
        count = f"{' × '.join(str(len(row)) for row in names)} = {count}"
    which = "" if tokens is None else f"tokens {tokens}: one of "
    write(ax, wide / 2, top + high + 0.35, f"{which}{count} architectures", fontsize=10)
    return ax


def search_loop(*, ax=None):
    """Draw the parts of a search and what passes between them, with the words of AMBER.

    Parameters
    ----------
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> ax = search_loop()
    >>> {"controller", "manager", "reward"} <= {text.get_text() for text in ax.texts}
    True
    >>> plt.close(ax.figure)
    """
    ax = canvas(ax, 10.0, 4.5)
    frame(
        ax, 0.1, 0.1, 9.8, 4.3, "search environment", "runs the loop, keeps the records", "#F7F7F7"
    )
    box(ax, 0.4, 0.95, 2.1, 1.5, "", CELL)
    write(ax, 1.45, 1.2, "controller", weight="bold", fontsize=11)
    write(ax, 1.45, 1.46, "amber.architect", fontsize=8, color=DIM)
    write(ax, 1.45, 1.98, "a recurrent network\nproposes an operation\nfor each layer", fontsize=9)

    frame(ax, 4.1, 0.65, 5.55, 1.95, "manager", "amber.architect", "white")
    parts = (
        ("builder", "amber.modeler", "makes a network\nof the tokens", BLOCKS["Conv1D"]),
        (
            "child",
            "Keras or PyTorch",
            "trains a few epochs\non the training set",
            BLOCKS["MaxPool"],
        ),
        ("reward", "amber.architect", "R: AUROC on the\nvalidation set", BLOCKS["Flatten"]),
    )
    for i, (name, where, text, colour) in enumerate(parts):
        x = 4.25 + 1.84 * i
        box(ax, x, 1.15, 1.57, 1.3, "", colour)
        write(ax, x + 0.785, 1.37, name, weight="bold", fontsize=11)
        write(ax, x + 0.785, 1.61, where, fontsize=8, color=DIM)
        write(ax, x + 0.785, 2.04, text, fontsize=9)
        if i:
            arrow(ax, (x - 0.29, 1.8), (x + 0.03, 1.8))
    arrow(ax, (2.5, 1.8), (4.28, 1.8))
    write(ax, 3.3, 1.42, "tokens", weight="bold", fontsize=10)
    write(ax, 3.3, 1.63, "[0, 0, 6, 1]", fontsize=9)

    box(ax, 4.25, 3.2, 3.41, 0.95, "", PALE)
    write(ax, 5.955, 3.42, "buffer", weight="bold", fontsize=11)
    write(ax, 5.955, 3.83, "tokens, probabilities and rewards\nof the last steps", fontsize=9)
    ax.plot([8.715, 8.715], [2.45, 3.675], color=INK, linewidth=1.3)
    arrow(ax, (8.725, 3.675), (7.63, 3.675))
    write(ax, 8.82, 3.1, "reward R", weight="bold", fontsize=10, ha="left")
    ax.plot([4.25, 1.45], [3.675, 3.675], color=INK, linewidth=1.3)
    arrow(ax, (1.45, 3.685), (1.45, 2.42))
    write(ax, 2.85, 3.5, "REINFORCE", weight="bold", fontsize=10)
    write(ax, 2.85, 3.98, "mean of (R − b) ∇ log P(tokens)\nb: moving average of R", fontsize=8.5)
    return ax


def _operation(ax, place, token, name, text, chosen):
    """A block with its token; pale unless it is chosen or nothing is (None)."""
    (left, right, y), pale = place, chosen is False
    style = {"ink": GREY, "edge": "#BBBBBB"} if pale else {"linewidth": 2 if chosen else 1}
    face = "white" if pale else layer_colour(text)
    box(ax, left, y - 0.17, right - left, 0.34, "", face, **style)
    write(ax, left + 0.13, y, str(token), fontsize=7.5, color=GREY if pale else DIM)
    style = {"fontsize": 9, "color": GREY if pale else INK, "weight": "bold" if chosen else None}
    write(ax, (left + right) / 2 + 0.07, y, name, **style)
