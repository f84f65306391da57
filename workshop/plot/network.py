"""A network drawn as blocks, with the shape that leaves each layer."""

from dataclasses import fields

import numpy as np
from matplotlib.patches import FancyBboxPatch, Rectangle

from workshop.architecture import TASKS
from workshop.plot.canvas import DIM, INK, LAYER_COLOURS, PALE, arrow, axes_for


def architecture(architecture, *, ax=None):
    """Draw a network as blocks from input to output, with the shape that leaves each layer.

    Parameters
    ----------
    architecture : Architecture
    ax : matplotlib Axes, optional

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
    ax = axes_for(ax, (8.6, 0.66 * len(names) + 0.85))
    ax.set(xlim=(0, 13), ylim=(len(names) + 0.55, -0.75))
    ax.axis("off")
    heads = (("layer", 2.6, "center"), ("its output", 7.5, "center"), ("shape", 10.1, "center"))
    for text, x, align in (*heads, ("parameters", 12.9, "right")):
        ax.text(x, -0.4, text, ha=align, va="center", fontsize=9.5, color=DIM)
    for row, (name, setting, shape, count) in enumerate(
        zip(names, settings, shapes, counts, strict=True)
    ):
        colour = LAYER_COLOURS.get(name.removeprefix("Output: "), PALE)
        _block(ax, row, name, setting, colour)
        _tensor(ax, 7.5, row + 0.45, shape, architecture.input_length, colour)
        ax.text(10.1, row + 0.45, " × ".join(map(str, shape)), ha="center", va="center")
        ax.text(12.9, row + 0.45, "" if count is None else f"{count:,}", ha="right", va="center")
    ax.plot([10.9, 12.9], [len(names) - 0.02] * 2, color=INK, linewidth=0.8)
    total = f"{sum(counts[1:]):,}"
    ax.text(12.9, len(names) + 0.28, total, ha="right", va="center", weight="bold")
    return ax


def _settings(layer):
    values = {field.name: getattr(layer, field.name) for field in fields(layer)}
    pairs = [f"{name.replace('_', ' ')} {v}" for name, v in values.items() if v != "valid"]
    return ", ".join(pairs)


def _block(ax, row, name, setting, colour):
    style = {"boxstyle": "round,pad=0,rounding_size=0.12", "facecolor": colour, "edgecolor": INK}
    ax.add_patch(FancyBboxPatch((0.1, row + 0.06), 5.2, 0.76, **style))
    y = row + (0.3 if setting else 0.45)
    ax.text(2.7, y, name, ha="center", va="center", weight="bold", fontsize=10)
    ax.text(2.7, row + 0.62, setting, ha="center", va="center", fontsize=8)
    if row:
        arrow(ax, (2.7, row - 0.2), (2.7, row + 0.08))


def _tensor(ax, x, y, shape, input_length, colour):
    """A rectangle: positions to the right (3 for the input), channels downwards, both as logs."""
    width = 0.12 + 2.9 * np.log(shape[0]) / np.log(max(input_length, 2)) if len(shape) > 1 else 0.12
    height = min(0.12 + 0.085 * np.log2(shape[-1]), 0.84)
    corner = x - width / 2, y - height / 2
    ax.add_patch(Rectangle(corner, width, height, facecolor=colour, edgecolor=INK, linewidth=0.9))
