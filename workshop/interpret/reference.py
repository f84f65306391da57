"""A layer of the unchanged sequences, and the windows of it that mutations touch."""

from typing import NamedTuple

import numpy as np

__all__ = ["Reference", "Window"]


class Window(NamedTuple):
    """Touched positions: `width` of them from ``start + step * j`` on, for mutated place j."""

    start: int
    step: int
    width: int


class Reference:
    """Values of a layer for unchanged sequences, with margins for windows that hang over an end.

    Beyond the ends there is `fill`: minus infinity where a maximum follows, otherwise 0.
    """

    def __init__(self, values, margins, fill):
        left, reach = margins
        self.length, self.margins, self.left, self.fill = len(values), margins, left, fill
        shape = (left + max(len(values), reach), *values.shape[1:])
        self.padded = np.full(shape, fill, dtype=values.dtype)
        self.values = self.padded[left : left + len(values)]
        self.values[:] = values
        self._before = self._after = None

    def window(self, window, places, *, offset=0, width=None):
        """View (w, 1, J, n, C) of a window, or of `width` positions from its start + `offset`."""
        width = window.width if width is None else width
        start = self.left + window.start + offset
        per_position, *rest = self.padded.strides
        return np.lib.stride_tricks.as_strided(
            self.padded[start:],
            (width, 1, places, *self.padded.shape[1:]),
            (per_position, 0, window.step * per_position, *rest),
            writeable=False,
        )

    def set_beyond(self, values, window, value):
        """Set values (w, A, J, n, C) of positions beyond the ends."""
        for i in range(window.width):
            first = window.start + i
            if first < 0:
                values[i, :, : -(first // window.step)] = value
            if first + window.step * (values.shape[2] - 1) >= self.length:
                values[i, :, max(-((first - self.length) // window.step), 0) :] = value

    def largest_outside(self, window, places):
        """Largest value (J, n, C) of each channel outside of the window."""
        if self._before is None:
            edge = np.full_like(self.padded[:1], -np.inf)
            self._before = np.maximum.accumulate(np.concatenate([edge, self.padded]))
            self._after = np.maximum.accumulate(np.concatenate([edge, self.padded[::-1]]))[::-1]
        first = self.left + window.start + window.step * np.arange(places)
        return np.maximum(self._before[first], self._after[first + window.width])
