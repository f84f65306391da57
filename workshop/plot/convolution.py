"""A convolution worked out with numbers: the course's picture of what a CNN computes.

Everything is drawn in cells on a canvas whose unit is one cell, with y growing downwards.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from workshop.plot.canvas import BASE_COLOURS, DIM, GREY, INK, SIGNED, arrow, box, canvas, write
from workshop.sequences import ALPHABET, one_hot_encode

CELL = 0.365  # inches
WIDE = 1.45  # cells that a result such as −1.25 needs
PAPER = "#F7F7F7"
ACCENT = "#003366"


def convolution_walkthrough(sequence, kernels):
    """Work a convolution out with numbers: every window, product and sum, then the pooling.

    Parameters
    ----------
    sequence : str
        At most 6 bp of A, C, G, T and N.
    kernels : array of shape (F, K, 4)
        One to three kernels, shorter than the sequence: filters x positions x bases.

    Returns
    -------
    matplotlib Figure
        It owns one axes for the input, one for each kernel and one for pooling (windows of 2,
        stride 1) and reductions, so there is no `ax` to pass. All numbers on it are computed from
        the arguments.

    Examples
    --------
    The first kernel is highest where the sequence reads CCG, the second likes G in the middle:

    >>> first = [[-0.5, 1.0, -0.5, -0.5], [-0.5, 1.0, -0.5, -0.5], [-0.5, -0.5, 0.5, -0.5]]
    >>> second = [[-0.5, -0.5, 0.5, -0.5], [-0.5, 0.5, 1.0, -0.5], [-0.5, -0.5, 0.5, -0.5]]
    >>> figure = convolution_walkthrough("CCGAT", [first, second])
    >>> [text.get_text() for text in figure.axes[1].texts if "=" in text.get_text()]
    ['1 + 1 + 0.5 =', '1 − 0.5 − 0.5 =', '−0.5 − 0.5 − 0.5 =']
    """
    x = one_hot_encode([sequence])[0].astype(float)  # (L, 4)
    kernels = np.asarray(kernels, dtype=float)  # (F, K, 4)
    length, width = len(x), kernels.shape[1]
    if kernels.shape[2:] != (4,) or len(kernels) > 3 or not width < length <= 6:
        expected = "kernels must have shape (F, K, 4), F <= 3, and the sequence K < L <= 6 bp"
        raise ValueError(f"{expected}; got {kernels.shape} and {length} bp.")
    windows = np.lib.stride_tricks.sliding_window_view(x, width, axis=0)  # (P, 4, K)
    products = windows.swapaxes(1, 2)[None] * kernels[:, None]  # (F, P, K, 4)
    features = products.sum(axis=(2, 3))  # (F, P)
    pooled = np.maximum(features[:, :-1], features[:, 1:])  # (F, P - 1)

    left, n_windows = width + 4.6, features.shape[1]  # where the first window is drawn
    pooling = WIDE * (2 * n_windows - 1) + 11 + max(1.1 * WIDE * pooled.size, 11.5)
    wide = max(left + n_windows * (length + 1.4), pooling)
    heights = [6.8, *[8.2] * len(kernels), 10.2]
    figure = plt.figure(figsize=(CELL * wide, CELL * sum(heights)))
    stages, below = [], sum(heights)
    for height in heights:
        below -= height
        place = 0, below / sum(heights), 1, height / sum(heights)
        stages.append(canvas(figure.add_axes(place), wide, height))
    _draw_input(stages[0], sequence, x, width)
    step = min(length + 3, (wide - left) / n_windows)
    for i, ax in enumerate(stages[1:-1]):
        number = f"2{'abc'[i]}" if len(kernels) > 1 else "2"
        _heading(ax, number, f"Convolution: kernel {i + 1} slides along the sequence")
        _draw_kernel(ax, i, kernels[i], np.abs(kernels).max())
        for p, product in enumerate(products[i]):
            _draw_window(ax, left + step * p, sequence, x, p, product, np.abs(kernels).max())
            corner = left + step * p + length - WIDE, 6.7
            terms = f"{_sum(product.sum(axis=1))} ="
            write(ax, corner[0] - 0.15, 7.22, terms, ha="right", fontsize=9.5)
            _result(ax, *corner, features[i, p], np.abs(features).max())
    note = "In the frame: input × kernel.  Below it: the sum."
    write(stages[1], wide - 1, 0.65, note, ha="right", color=DIM)
    _draw_pooling(stages[-1], features, pooled)
    return figure


def _draw_input(ax, sequence, x, width):
    _heading(ax, "1", "Input: the sequence as a one-hot matrix")
    pale = [tuple(0.5 + 0.5 * part for part in to_rgb(BASE_COLOURS[base])) for base in ALPHABET]
    faces = [[pale[base] if value else PAPER for value in row] for base, row in enumerate(x.T)]
    _matrix(ax, x.T, faces)
    for position, letter in enumerate(sequence.upper()):
        _letter(ax, 2.1 + position, 1.85, letter)
    n_windows = len(x) - width + 1
    text = (
        f"A column for each position, a row for each base: {len(x)} positions × 4 channels,",
        "with a 1 where the sequence has the base.",
        "",
        f"A convolution lays a kernel over {width} neighbouring positions, multiplies cell by",
        "cell, adds the products up, and moves on by one position.",
        f"{len(x)} − {width} + 1 = {n_windows} windows fit: the output has {n_windows} positions "
        "and one channel for each kernel.",
    )
    write(ax, len(x) + 3.4, 4.3, "\n".join(text), ha="left", fontsize=10, linespacing=1.55)


def _draw_kernel(ax, i, kernel, limit):
    _matrix(ax, kernel.T, [[_shade(weight, limit) for weight in row] for row in kernel.T])
    middle = 1.6 + len(kernel) / 2
    write(ax, middle, 1.8, f"kernel {i + 1}", weight="bold", fontsize=11)
    if ((kernel == kernel.max(axis=1, keepdims=True)).sum(axis=1) == 1).all():  # no ties
        motif = "".join(ALPHABET[base] for base in kernel.argmax(axis=1))
        write(ax, middle, 7.22, f"looks for {motif}", fontsize=10)


def _draw_window(ax, x0, sequence, x, p, product, limit):
    """The input, with the products in the window that starts at position p."""
    for position, letter in enumerate(sequence.upper()):
        inside = p <= position < p + len(product)
        _letter(ax, x0 + position + 0.5, 1.85, letter, faded=not inside)
        for base in range(4):
            value = product[position - p, base] if inside else x[position, base]
            hit = inside and x[position, base] > 0
            face = _shade(value, limit) if hit else "white" if inside else PAPER
            ink = INK if hit else "#9A9A9A" if inside else "#C8C8C8"
            _cell(ax, x0 + position, 2.3 + base, _short(value), face, ink, bold=hit)
    frame = Rectangle((x0 + p, 2.3), len(product), 4, fill=False, edgecolor=INK, linewidth=2.4)
    ax.add_patch(frame).set_zorder(3)


def _draw_pooling(ax, features, pooled):
    _heading(ax, "3", "Pooling, then one of three ways to the numbers that the dense layer reads")
    n_filters, n_windows = features.shape
    limit, middle = np.abs(features).max(), 5.75
    top = middle - n_filters / 2
    x = 3.5
    _table(ax, x, top, features, limit, "feature map")
    for i in range(n_filters):
        write(ax, x - 0.3, top + i + 0.5, f"kernel {i + 1}", ha="right", fontsize=9.5)
    for i in range(n_windows - 1):  # below: which positions each window takes
        y = top + n_filters + 0.6 + 0.85 * (i % 2)
        ends = x + WIDE * i + 0.12, x + WIDE * (i + 2) - 0.12
        ax.plot([ends[0], *ends, ends[1]], [y - 0.2, y, y, y - 0.2], color=INK, linewidth=1.4)
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        write(ax, sum(ends) / 2, y, f"window {i + 1}", fontsize=8.5, bbox=paper)
    x += WIDE * n_windows
    text = "max pool\nwindows of 2\nstride 1"
    write(ax, x + 1.75, middle - 0.25, text, va="bottom", fontsize=9)
    arrow(ax, (x + 0.3, middle), (x + 3.2, middle))
    x += 3.6
    _table(ax, x, top, pooled, limit, "pooled")
    x += WIDE * (n_windows - 1)
    ways = (
        ("Flatten", "every number, position by position", pooled.T.ravel()),
        ("Global average pooling", "mean of each kernel", pooled.mean(axis=1)),
        ("Global max pooling", "maximum of each kernel", pooled.max(axis=1)),
    )
    for i, (name, meaning, values) in enumerate(ways):
        y = middle - 0.5 + 3.0 * (i - 1)
        arrow(ax, (x + 0.3, middle), (x + 2.9, y + 0.5))
        title = ax.text(x + 3.3, y - 0.5, name, va="center", fontsize=9.5, weight="bold")
        ax.annotate(f"  {meaning}", (1, 0.5), xycoords=title, va="center", fontsize=9.5)
        for j, value in enumerate(values):
            x_box = x + 3.3 + j * 1.1 * WIDE
            _result(ax, x_box, y, value, limit)
            whose = f"kernel {j % n_filters + 1}"
            write(ax, x_box + WIDE / 2, y + 1.3, whose, fontsize=7, color=GREY)


def _heading(ax, number, text):
    for x, part in ((0.4, number), (1.6, text)):
        write(ax, x, 0.65, part, ha="left", fontsize=12.5, weight="bold", color=ACCENT)


def _matrix(ax, values, faces):
    """Cells of a (4, columns) matrix with the names of the bases on the left."""
    for (row, column), value in np.ndenumerate(values):
        ink = INK if value else "#9A9A9A"
        face = faces[row][column]
        _cell(ax, 1.6 + column, 2.3 + row, _short(value), face, ink, bold=value > 0)
    for row, base in enumerate(ALPHABET):
        _letter(ax, 1.05, 2.8 + row, base)


def _table(ax, x0, y0, values, limit, name):
    """Results: a row for each kernel, a column for each position."""
    middle, (n_filters, n_positions) = x0 + WIDE * values.shape[1] / 2, values.shape
    write(ax, middle, y0 - 1.95, name, fontsize=9.5, weight="bold")
    shape = f"{n_positions} positions\n× {n_filters} channels"
    write(ax, middle, y0 - 0.95, shape, fontsize=8.5)
    for (row, column), value in np.ndenumerate(values):
        place, face = (x0 + WIDE * column, y0 + row), _shade(value, limit)
        _cell(ax, *place, _number(value), face, INK, bold=True, width=WIDE, size=9.5)


def _cell(ax, x, y, text, face, ink, *, bold, width=1, size=None):
    ax.add_patch(Rectangle((x, y), width, 1, facecolor=face, edgecolor="#D9D9D9", linewidth=0.8))
    style = {"weight": "bold" if bold else "normal", "fontsize": size or 8.5 - len(text) / 4}
    write(ax, x + width / 2, y + 0.52, text, color=ink, **style)


def _result(ax, x, y, value, limit):
    """A number that leaves a step: a round box."""
    style = {"linewidth": 1.2, "rounding": 0.25, "fontsize": 9.5, "weight": "bold"}
    place = (x + 0.08, y + 0.06), (WIDE - 0.16, 0.88)
    box(ax, *place, _number(value), _shade(value, limit), **style)


def _letter(ax, x, y, letter, *, faded=False):
    colour = "#C8C8C8" if faded else BASE_COLOURS.get(letter, GREY)
    write(ax, x, y, letter, color=colour, weight="bold", fontsize=11)


def _shade(value, limit):
    """Pale blue to pale red for -limit to limit, so that black reads well on all."""
    return colormaps[SIGNED](0.5 + 0.27 * value / (limit or 1.0))


def _short(value):
    """At most two decimals, none where none is needed: 1, −0.5."""
    return f"{round(value, 2) + 0.0:g}".replace("-", "−")


def _number(value):
    """At least one decimal, at most two: 2.5, 1.25, 0.0."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−").removesuffix("0")


def _sum(terms):
    """A sum as people write it: 1 − 0.5 − 0.5."""
    text = _short(terms[0])
    for term in terms[1:]:
        text += f" {'−' if term < 0 else '+'} {_short(abs(term))}"
    return text
