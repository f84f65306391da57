"""A network drawn as blocks, with the shape that leaves each layer."""

from dataclasses import fields

import numpy as np
from matplotlib.patches import Rectangle

from workshop.architecture import TASKS
from workshop.plot.canvas import DIM, INK, LAYER_COLOURS, PALE, arrow, box, canvas, write


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
