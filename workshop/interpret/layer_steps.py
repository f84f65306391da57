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

from functools import reduce

import numpy as np
from scipy.linalg.blas import get_blas_funcs
from scipy.special import expit

from workshop.interpret.reference import Reference, Window

__all__ = [
    "Activation",
    "AvgPool",
    "Conv",
    "Dense",
    "FlattenDense",
    "GlobalAvg",
    "GlobalMax",
    "MaxPool",
    "Scale",
]


class Conv:
    """Slide kernels (K, C, F) along the positions."""

    linear = True

    def __init__(self, kernel, bias, padding):
        self.kernel, self.bias = kernel, bias
        total = len(kernel) - 1 if padding == "same" else 0
        self.pad = (total // 2, total - total // 2)
        (self.gemm,) = get_blas_funcs(("gemm",), dtype=kernel.dtype)

    def forward(self, x):
        x = np.pad(x, (self.pad, (0, 0), (0, 0)))
        length = len(x) - len(self.kernel) + 1
        out = np.empty((length, x.shape[1], len(self.bias)), dtype=x.dtype)
        out[:] = self.bias
        for k, weight in enumerate(self.kernel):
            self._add_product(x[k : k + length], weight, out)
        return out

    def touched(self, window):
        width = len(self.kernel)
        return Window(window.start - width + 1 + self.pad[0], window.step, window.width + width - 1)

    def change(self, change, window, reference):
        width = len(self.kernel)
        shape = (window.width + width - 1, *change.shape[1:-1], len(self.bias))
        if window.width == 1:  # each position that comes out hears of one kernel row
            out = np.empty(shape, dtype=change.dtype)
            for k, weight in enumerate(self.kernel):
                np.matmul(_rows(change), weight, out=_rows(out[width - 1 - k]))
            return out
        out = np.zeros(shape, dtype=change.dtype)
        for k, weight in enumerate(self.kernel):
            at = width - 1 - k
            self._add_product(change, weight, out[at : at + window.width])
        return out

    def _add_product(self, x, weight, out):
        """``out += x @ weight`` in place; NumPy would need a second array for the product."""
        # BLAS counts rows and columns the other way round, hence the transposes (views).
        self.gemm(1, weight.T, _rows(x).T, 1, _rows(out).T, overwrite_c=True)


class Scale:
    """Scale and shift each channel: a BatchNorm that predicts."""

    linear = True

    def __init__(self, scale, shift):
        self.scale, self.shift = scale, shift

    def forward(self, x):
        return x * self.scale + self.shift

    def touched(self, window):
        return window

    def change(self, change, window, reference):
        return change * self.scale


class Activation:
    """Apply a function that never decreases to each value."""

    linear = False

    def __init__(self, name):
        self.function = _ACTIVATIONS[name]

    def forward(self, x):
        return self.function(x, np.empty_like(x))

    def touched(self, window):
        return window

    def values(self, values, window, reference):
        return self.function(values, values)


class _Pool:
    def __init__(self, layer, length):
        self.size = self.step = layer.pool_size
        self.length_out, _ = layer.output_shape((length, 1))
        overhang = max((self.length_out - 1) * self.step + self.size - length, 0)  # 0 if "valid"
        self.pad = overhang // 2

    def taps(self, x, beyond):
        """All first positions of the windows, all second ones, ...: `size` views (L', n, C)."""
        reach = (self.length_out - 1) * self.step + self.size
        margins = (self.pad, max(reach - self.pad - len(x), 0)), (0, 0), (0, 0)
        x = np.pad(x, margins, constant_values=beyond)
        return [x[k : reach - self.size + k + 1 : self.step] for k in range(self.size)]

    def touched(self, window):
        first = -((self.size - 1 - self.pad - window.start) // self.step)
        last = (window.start + window.width - 1 + self.pad) // self.step
        return Window(first, window.step // self.step, max(last - first + 1, 0))

    def rows(self, window):
        """For each pooled position, the rows ``start, stop`` of the touched window under it."""
        after = self.touched(window)
        for q in range(after.start, after.start + after.width):
            start = q * self.step - self.pad - window.start
            yield start, start + self.size

    def reads(self, window):
        """The window, widened to whole windows of the pool."""
        starts, stops = zip((0, window.width), *self.rows(window), strict=True)
        first = min(starts)
        return Window(window.start + first, window.step, max(stops) - first)


class MaxPool(_Pool):
    """Keep the largest value of each window."""

    linear = False

    def forward(self, x):
        return reduce(np.maximum, self.taps(x, -np.inf))

    def values(self, values, window, reference):
        out = np.empty((self.touched(window).width, *values.shape[1:]), dtype=values.dtype)
        for pooled, (start, stop) in zip(out, self.rows(window), strict=True):
            touched = values[max(start, 0) : stop]
            np.maximum.reduce(touched, axis=0, out=pooled)
            # Of the positions beside the touched ones the reference knows the values.
            for offset, width in ((start, -start), (window.width, stop - window.width)):
                if width > 0:
                    beside = reference.window(window, values.shape[2], offset=offset, width=width)
                    np.maximum(pooled, beside.max(axis=0), out=pooled)
        return out


class AvgPool(_Pool):
    """Average each window; what hangs over an end does not count."""

    linear = True

    def __init__(self, layer, length):
        super().__init__(layer, length)
        inside = sum(self.taps(np.ones((length, 1, 1)), 0))  # (L', 1, 1) positions in each window
        self.share = 1 / inside

    def forward(self, x):
        return sum(self.taps(x, 0)) * self.share.astype(x.dtype)

    def change(self, change, window, reference):
        after = self.touched(window)
        out = np.empty((after.width, *change.shape[1:]), dtype=change.dtype)
        places = np.arange(change.shape[2]) * after.step
        for i, (start, stop) in enumerate(self.rows(window)):
            np.add.reduce(change[max(start, 0) : stop], axis=0, out=out[i])
            share = self.share[np.clip(after.start + i + places, 0, self.length_out - 1)]
            out[i] *= share.astype(out.dtype)
        return out


class GlobalAvg:
    """Average each channel over all positions."""

    linear = True

    def forward(self, x):
        return x.mean(axis=0)

    def touched(self, window):
        return None

    def change(self, change, window, reference):
        total = np.add.reduce(change, axis=0)
        total /= reference.length
        return total


class GlobalMax:
    """Keep the largest value of each channel over all positions."""

    linear = False

    def forward(self, x):
        return x.max(axis=0)

    def touched(self, window):
        return None

    def values(self, values, window, reference):
        largest = np.maximum.reduce(values, axis=0)
        return np.maximum(largest, reference.largest_outside(window, values.shape[2]), out=largest)


class FlattenDense:
    """Lay all positions side by side and connect them to neurons: a matrix (L, C, U)."""

    linear = True

    def __init__(self, kernel, bias, length):
        self.kernel, self.bias = kernel.reshape(length, -1, len(bias)), bias
        self._padded = None

    def forward(self, x):
        flat = x.swapaxes(0, 1).reshape(x.shape[1], -1)  # (L, n, C) -> (n, L * C)
        return flat @ self.kernel.reshape(flat.shape[1], -1) + self.bias

    def touched(self, window):
        return None

    def change(self, change, window, reference):
        if self._padded is None:
            self._padded = Reference(self.kernel, reference.margins, 0)
        kernels = self._padded.window(window, change.shape[2])  # (w, 1, J, C, U)
        return sum(row @ kernel for row, kernel in zip(change, kernels, strict=True))


class Dense:
    """Connect every feature to each neuron."""

    linear = True

    def __init__(self, kernel, bias):
        self.kernel, self.bias = kernel, bias

    def forward(self, x):
        return x @ self.kernel + self.bias

    def touched(self, window):
        return None

    def change(self, change, window, reference):
        return (_rows(change) @ self.kernel).reshape(*change.shape[:-1], -1)


def _rows(x):
    """View of a contiguous array as a matrix with the last axis as columns."""
    return x.reshape(-1, x.shape[-1])


def _elu(x, out):
    return np.maximum(x, np.expm1(np.minimum(x, 0)), out=out)


_ACTIVATIONS = {
    "relu": lambda x, out: np.maximum(x, 0, out=out),
    "tanh": lambda x, out: np.tanh(x, out=out),
    "sigmoid": lambda x, out: expit(x, out=out),
    "elu": _elu,
    "exponential": lambda x, out: np.exp(x, out=out),
}
