"""The steps of a network on the change that one mutation makes: what each computes, and where.

A step knows the whole layer, ``forward`` on a reference ``(L, n, C)``, and the same on a *touched
window* only. Arrays have the position first: a slice of positions is one block of memory, and a
window of a reference is a view of it.

=====================  ===========================================================================
``(L, n, C)``          a layer's values for n sequences
``(w, A, J, n, C)``    w touched positions of it, for A letters at each of J mutated places
``(A, J, n, F)``       features, once all positions have become one
=====================  ===========================================================================

Linear steps map a *change* (mutant minus reference), the others map the mutant's *values*.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg.blas import get_blas_funcs
from scipy.special import expit


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
        beyond = left, max(reach - len(values), 0)
        self.padded = np.pad(values, (beyond, (0, 0), (0, 0)), constant_values=fill)
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


class Step:
    """One layer: by default linear, and position by position."""

    linear = True
    stride = 1  # positions from one output to the next

    def touched(self, window):
        """Window of the output that a window of the input touches; None if it has no positions."""
        return window

    def reads(self, window):
        """Window of the input that the touched outputs need, beside the changed values."""
        return window


class Conv(Step):
    """Slide kernels (K, C, F) along the positions."""

    def __init__(self, kernel, bias, padding):
        self.kernel, self.bias = kernel, bias
        total = len(kernel) - 1 if padding == "same" else 0
        self.pad = (total // 2, total - total // 2)
        (self.gemm,) = get_blas_funcs(("gemm",), dtype=kernel.dtype)

    def forward(self, x):
        x = np.pad(x, (self.pad, (0, 0), (0, 0)))
        length = len(x) - len(self.kernel) + 1
        out = np.tile(self.bias, (length, x.shape[1], 1))  # (L', n, F)
        for k, weight in enumerate(self.kernel):
            self._add_product(x[k : k + length], weight, out)
        return out

    def touched(self, window):
        more = len(self.kernel) - 1
        return Window(window.start - more + self.pad[0], window.step, window.width + more)

    def change(self, change, window, reference):
        more = len(self.kernel) - 1
        out = np.zeros((window.width + more, *change.shape[1:-1], len(self.bias)), change.dtype)
        for k, weight in enumerate(self.kernel):
            self._add_product(change, weight, out[more - k : more - k + window.width])
        return out

    def _add_product(self, x, weight, out):
        """``out += x @ weight`` in place; NumPy would need a second array for the product."""
        # BLAS counts rows and columns the other way round, hence the transposes (views).
        self.gemm(1, weight.T, _rows(x).T, 1, _rows(out).T, overwrite_c=True)


class Scale(Step):
    """Scale and shift each channel: a BatchNorm that predicts."""

    def __init__(self, scale, shift):
        self.scale, self.shift = scale, shift

    def forward(self, x):
        return x * self.scale + self.shift

    def change(self, change, window, reference):
        return change * self.scale


class Activation(Step):
    """Apply a function that never decreases to each value."""

    linear = False

    def __init__(self, name):
        self.function = _ACTIVATIONS[name]

    def forward(self, x):
        return self.function(x, np.empty_like(x))

    def values(self, values, window, reference):
        return self.function(values, values)


class Pool(Step):
    """Windows of `stride` positions side by side; what is left over at the end does not count."""

    def __init__(self, pool_size):
        self.stride = pool_size

    def windows(self, x):
        """All windows of a layer (L, n, C): a view (L', stride, n, C)."""
        length = len(x) // self.stride
        return x[: length * self.stride].reshape(length, self.stride, *x.shape[1:])

    def touched(self, window):
        first = window.start // self.stride
        last = (window.start + window.width - 1) // self.stride
        return Window(first, window.step // self.stride, last - first + 1)

    def reads(self, window):
        after = self.touched(window)
        return Window(after.start * self.stride, window.step, after.width * self.stride)

    def rows(self, window):
        """For each pooled position, the rows ``start, stop`` of the touched window under it."""
        reads = self.reads(window)
        for start in range(reads.start, reads.start + reads.width, self.stride):
            yield start - window.start, start - window.start + self.stride


class MaxPool(Pool):
    """Keep the largest value of each window."""

    linear = False

    def forward(self, x):
        return self.windows(x).max(axis=1)

    def values(self, values, window, reference):
        out = np.empty((self.touched(window).width, *values.shape[1:]), dtype=values.dtype)
        for pooled, (start, stop) in zip(out, self.rows(window), strict=True):
            np.maximum.reduce(values[max(start, 0) : stop], axis=0, out=pooled)
            # Of the positions beside the touched ones the reference knows the values.
            for offset, width in ((start, -start), (window.width, stop - window.width)):
                if width > 0:
                    beside = reference.window(window, values.shape[2], offset=offset, width=width)
                    np.maximum(pooled, beside.max(axis=0), out=pooled)
        return out


class AvgPool(Pool):
    """Average each window."""

    def forward(self, x):
        return self.windows(x).mean(axis=1)

    def change(self, change, window, reference):
        out = np.empty((self.touched(window).width, *change.shape[1:]), dtype=change.dtype)
        for pooled, (start, stop) in zip(out, self.rows(window), strict=True):
            np.add.reduce(change[max(start, 0) : stop], axis=0, out=pooled)
        out /= self.stride
        return out


class ToFeatures(Step):
    """All positions become one: nothing after it has positions."""

    def touched(self, window):
        return None


class GlobalAvg(ToFeatures):
    """Average each channel over all positions."""

    def forward(self, x):
        return x.mean(axis=0)

    def change(self, change, window, reference):
        return np.add.reduce(change, axis=0) / reference.length


class GlobalMax(ToFeatures):
    """Keep the largest value of each channel over all positions."""

    linear = False

    def forward(self, x):
        return x.max(axis=0)

    def values(self, values, window, reference):
        largest = np.maximum.reduce(values, axis=0)
        return np.maximum(largest, reference.largest_outside(window, values.shape[2]), out=largest)


class FlattenDense(ToFeatures):
    """Lay all positions side by side and connect them to neurons: a matrix (L, C, U)."""

    def __init__(self, kernel, bias, length):
        self.kernel, self.bias = kernel.reshape(length, -1, len(bias)), bias
        self._padded = None

    def forward(self, x):
        flat = x.swapaxes(0, 1).reshape(x.shape[1], -1)  # (L, n, C) -> (n, L * C)
        return flat @ self.kernel.reshape(flat.shape[1], -1) + self.bias

    def change(self, change, window, reference):
        if self._padded is None:
            self._padded = Reference(self.kernel, reference.margins, 0)
        kernels = self._padded.window(window, change.shape[2])  # (w, 1, J, C, U)
        return sum(row @ kernel for row, kernel in zip(change, kernels, strict=True))


class Dense(Step):
    """Connect every feature to each neuron."""

    def __init__(self, kernel, bias):
        self.kernel, self.bias = kernel, bias

    def forward(self, x):
        return x @ self.kernel + self.bias

    def change(self, change, window, reference):
        return (_rows(change) @ self.kernel).reshape(*change.shape[:-1], -1)


def _rows(x):
    """View of a contiguous array as a matrix with the last axis as columns."""
    return x.reshape(-1, x.shape[-1])


_ACTIVATIONS = {  # functions of (x, out)
    "relu": lambda x, out: np.maximum(x, 0, out=out),
    "tanh": np.tanh,
    "sigmoid": expit,
    "elu": lambda x, out: np.maximum(x, np.expm1(np.minimum(x, 0)), out=out),
    "exponential": np.exp,
}
