"""A convolution worked out with numbers: the course's picture of what a CNN computes.

Everything is drawn in cells on a canvas whose unit is one cell, with y growing downwards.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyBboxPatch, Rectangle

from workshop.plot.canvas import BASE_COLOURS, DIM, GREY, INK, SIGNED, arrow, signed_text
from workshop.sequences import ALPHABET, one_hot_encode

CELL = 0.365  # inches
WIDE = 1.45  # cells that a result such as −1.25 needs
PAPER = "#F7F7F7"
ACCENT = "#003366"


def convolution_walkthrough(sequence, kernels, *, pool_size=2, pool_stride=1):
    """Work a convolution out with numbers: every window, product and sum, then the pooling.

    Parameters
    ----------
    sequence : str
        At most 8 bp of A, C, G, T and N.
    kernels : array of shape (F, K, 4)
        One to three kernels: filters x positions x bases.
    pool_size : int
        Positions in a window of the max pooling.
    pool_stride : int
        Positions from one window to the next.

    Returns
    -------
    matplotlib Figure
        It owns one axes for the input, one for each kernel and one for pooling and reductions, so
        there is no `ax` to pass. All numbers on it are computed from the arguments.

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
    if kernels.shape[2:] != (4,) or len(kernels) > 3 or not width <= length <= 8:
        raise ValueError(
            "kernels must have shape (F, K, 4) with at most 3 filters, and the sequence from K to "
            f"8 bp; got {kernels.shape} and {length} bp."
        )
    windows = np.lib.stride_tricks.sliding_window_view(x, width, axis=0)  # (P, 4, K)
    products = windows.swapaxes(1, 2)[None] * kernels[:, None]  # (F, P, K, 4)
    features = products.sum(axis=(2, 3))  # (F, P)
    n_windows = features.shape[1]
    if not 1 <= pool_size <= n_windows:
        raise ValueError(f"pool_size must be from 1 to {n_windows} positions; got {pool_size}.")
    starts = range(0, n_windows - pool_size + 1, pool_stride)
    pooled = np.stack([features[:, s : s + pool_size].max(axis=1) for s in starts], axis=1)

    left = width + 4.6  # where the first window is drawn
    pooling = WIDE * (n_windows + pooled.shape[1]) + 11 + max(1.1 * WIDE * pooled.size, 11.5)
    per_row = min(n_windows, max(1, int((max(28, pooling) - left) // (length + 1.4))))
    levels = min(len(starts), -(-pool_size // pool_stride))  # of brackets, so that none overlap
    last = max(10.2, 6.3 + len(kernels) / 2 + 0.85 * levels)
    heights = [6.8, *[1.2 + 7.0 * -(-n_windows // per_row)] * len(kernels), last]
    wide = max(left + per_row * (length + 1.4), pooling)
    figure = plt.figure(figsize=(CELL * wide, CELL * sum(heights)))
    stages = [
        _stage(figure, wide, sum(heights), sum(heights[:i]), h) for i, h in enumerate(heights)
    ]
    _draw_input(stages[0], sequence, x, width)
    limits = np.abs(features).max(), np.abs(kernels).max()
    step = min(length + 3, (wide - left) / per_row)
    for i, ax in enumerate(stages[1:-1]):
        number = f"2{'abc'[i]}" if len(kernels) > 1 else "2"
        _heading(ax, number, f"Convolution: kernel {i + 1} slides along the sequence")
        _draw_kernel(ax, i, kernels[i], limits[1])
        for p, product in enumerate(products[i]):
            corner = left + step * (p % per_row), 2.3 + 7.0 * (p // per_row)
            _draw_window(ax, *corner, sequence, x, p, product, limits)
    note = "In the frame: input × kernel.  Below it: the sum."
    stages[1].text(wide - 1, 0.65, note, ha="right", va="center", color=DIM)
    _draw_pooling(stages[-1], features, pooled, starts, pool_size, pool_stride)
    return figure


def _draw_input(ax, sequence, x, width):
    _heading(ax, "1", "Input: the sequence as a one-hot matrix")
    faces = [
        [_tint(base) if value else PAPER for value in row]
        for base, row in zip(ALPHABET, x.T, strict=True)
    ]
    _matrix(ax, 1.6, 2.3, x.T, faces)
    for position, letter in enumerate(sequence.upper()):
        _letter(ax, 2.1 + position, 1.85, letter)
    n_windows = len(x) - width + 1
    lines = (
        f"A column for each position, a row for each base: {len(x)} positions × 4 channels,",
        "with a 1 where the sequence has the base.",
        "",
        f"A convolution lays a kernel over {width} neighbouring positions, multiplies cell by",
        "cell, adds the products up, and moves on by one position.",
        f"{len(x)} − {width} + 1 = {n_windows} windows fit: the output has {n_windows} positions "
        "and one channel for each kernel.",
    )
    ax.text(len(x) + 3.4, 4.3, "\n".join(lines), va="center", fontsize=10, linespacing=1.55)


def _draw_kernel(ax, i, kernel, limit):
    faces = [[_shade(weight, limit) for weight in row] for row in kernel.T]
    _matrix(ax, 1.6, 2.3, kernel.T, faces)
    middle = 1.6 + len(kernel) / 2
    ax.text(middle, 1.8, f"kernel {i + 1}", ha="center", va="center", weight="bold", fontsize=11)
    if ((kernel == kernel.max(axis=1, keepdims=True)).sum(axis=1) == 1).all():  # no ties
        motif = "".join(ALPHABET[base] for base in kernel.argmax(axis=1))
        ax.text(middle, 7.22, f"looks for {motif}", ha="center", va="center", fontsize=10)


def _draw_window(ax, x0, y0, sequence, x, p, product, limits):
    """The input, with the products in the window that starts at position p, and their sum."""
    (limit, kernel_limit), width = limits, len(product)
    for position, letter in enumerate(sequence.upper()):
        inside = p <= position < p + width
        _letter(ax, x0 + position + 0.5, y0 - 0.45, letter, faded=not inside)
        for base in range(4):
            value = product[position - p, base] if inside else x[position, base]
            hit = inside and x[position, base] > 0
            face = _shade(value, kernel_limit) if hit else "white" if inside else PAPER
            ink = INK if hit else "#9A9A9A" if inside else "#C8C8C8"
            _cell(ax, x0 + position, y0 + base, _short(value), face, ink, bold=hit)
    frame = Rectangle((x0 + p, y0), width, 4, fill=False, edgecolor=INK, linewidth=2.4)
    ax.add_patch(frame).set_zorder(3)
    terms, right = product.sum(axis=1), x0 + len(x)
    text = f"{_sum(terms)} ="
    ax.text(right - WIDE - 0.15, y0 + 4.92, text, ha="right", va="center", fontsize=9.5)
    _result(ax, right - WIDE, y0 + 4.4, terms.sum(), limit)


def _draw_pooling(ax, features, pooled, starts, pool_size, pool_stride):
    _heading(ax, "3", "Pooling, then one of three ways to the numbers that the dense layer reads")
    n_filters, n_windows = features.shape
    limit, middle = np.abs(features).max(), 5.75
    top = middle - n_filters / 2
    x = 3.5
    _table(ax, x, top, features, limit, "feature map")
    for i in range(n_filters):
        ax.text(x - 0.3, top + i + 0.5, f"kernel {i + 1}", ha="right", va="center", fontsize=9.5)
    for i, start in enumerate(starts):  # below: which positions each window takes
        y = top + n_filters + 0.6 + 0.85 * (i % -(-pool_size // pool_stride))
        ends = x + WIDE * start + 0.12, x + WIDE * (start + pool_size) - 0.12
        ax.plot([ends[0], *ends, ends[1]], [y - 0.2, y, y, y - 0.2], color=INK, linewidth=1.4)
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        name = f"window {i + 1}" if pool_size > 1 else str(i + 1)
        ax.text(sum(ends) / 2, y, name, ha="center", va="center", fontsize=8.5, bbox=box)
    x += WIDE * n_windows
    text = f"max pool\nwindows of {pool_size}\nstride {pool_stride}"
    ax.text(x + 1.75, middle - 0.25, text, ha="center", va="bottom", fontsize=9)
    arrow(ax, (x + 0.3, middle), (x + 3.2, middle))
    x += 3.6
    _table(ax, x, top, pooled, limit, "pooled")
    x += WIDE * pooled.shape[1]
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
            ax.text(
                x_box + WIDE / 2, y + 1.3, whose, ha="center", va="center", fontsize=7, color=GREY
            )


def _stage(figure, wide, high, top, height):
    """Axes over the full width of the figure whose unit is one cell, y downwards."""
    ax = figure.add_axes((0, 1 - (top + height) / high, 1, height / high))
    ax.set(xlim=(0, wide), ylim=(height, 0))
    ax.axis("off")
    return ax


def _heading(ax, number, text):
    ax.text(0.4, 0.65, number, va="center", fontsize=12.5, weight="bold", color=ACCENT)
    ax.text(1.6, 0.65, text, va="center", fontsize=12.5, weight="bold", color=ACCENT)


def _matrix(ax, x0, y0, values, faces):
    """Cells of a (4, columns) matrix with the names of the bases on the left."""
    for (row, column), value in np.ndenumerate(values):
        ink = INK if value else "#9A9A9A"
        _cell(ax, x0 + column, y0 + row, _short(value), faces[row][column], ink, bold=value > 0)
    for row, base in enumerate(ALPHABET):
        _letter(ax, x0 - 0.55, y0 + row + 0.5, base)


def _table(ax, x0, y0, values, limit, name):
    """Results: a row for each kernel, a column for each position."""
    middle, (n_filters, n_positions) = x0 + WIDE * values.shape[1] / 2, values.shape
    ax.text(middle, y0 - 1.95, name, ha="center", va="center", fontsize=9.5, weight="bold")
    shape = f"{n_positions} positions\n× {n_filters} channels"
    ax.text(middle, y0 - 0.95, shape, ha="center", va="center", fontsize=8.5)
    for (row, column), value in np.ndenumerate(values):
        place = x0 + WIDE * column, y0 + row
        _cell(ax, *place, _number(value), _shade(value, limit), INK, bold=True, width=WIDE)


def _cell(ax, x, y, text, face, ink, *, bold=False, width=1):
    ax.add_patch(Rectangle((x, y), width, 1, facecolor=face, edgecolor="#D9D9D9", linewidth=0.8))
    _centred(
        ax,
        x + width / 2,
        y + 0.52,
        text,
        ink,
        bold=bold,
        size=9.5 if width > 1 else 8.5 - len(text) / 4,
    )


def _result(ax, x, y, value, limit):
    """A number that leaves a step: a round box."""
    box = FancyBboxPatch(
        (x + 0.08, y + 0.06),
        WIDE - 0.16,
        0.88,
        "round,pad=0,rounding_size=0.25",
        facecolor=_shade(value, limit),
        edgecolor=INK,
        linewidth=1.2,
    )
    ax.add_patch(box)
    _centred(ax, x + WIDE / 2, y + 0.52, _number(value), INK, bold=True, size=9.5)


def _letter(ax, x, y, letter, *, faded=False):
    colour = "#C8C8C8" if faded else BASE_COLOURS.get(letter, GREY)
    _centred(ax, x, y, letter, colour, bold=True, size=11)


def _centred(ax, x, y, text, colour, *, bold, size):
    weight = "bold" if bold else "normal"
    ax.text(x, y, text, ha="center", va="center", color=colour, weight=weight, fontsize=size)


def _tint(base):
    """A pale version of the base's colour, on which black reads well."""
    return tuple(0.5 + 0.5 * channel for channel in to_rgb(BASE_COLOURS[base]))


def _shade(value, limit):
    """Pale blue to pale red for -limit to limit, so that black reads well on all."""
    return colormaps[SIGNED](0.5 + 0.27 * value / (limit or 1.0))


def _short(value):
    """At most two decimals, none where none is needed: 1, −0.5."""
    return f"{round(value, 2) + 0.0:g}".replace("-", "−")


def _number(value):
    """At least one decimal, at most two: 2.5, 1.25, 0.0."""
    return signed_text(value).removesuffix("0")


def _sum(terms):
    """A sum as people write it: 1 − 0.5 − 0.5."""
    text = _short(terms[0])
    for term in terms[1:]:
        text += f" {'−' if term < 0 else '+'} {_short(abs(term))}"
    return text
