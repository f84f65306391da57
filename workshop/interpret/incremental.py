"""The exact, incremental in-silico mutagenesis: recompute only what one mutation touches.

A substitution changes ``kernel_size`` positions of the first convolution, a few windows after a
pool, and so on; everything else is what it was, and is computed once. This is not an
approximation: the result is the one that a prediction for each mutant gives, to rounding.

All mutants of many sequences go through at once. Places that lie a multiple of all pool strides
apart touch windows of the same width and alignment: they form one array, cut into blocks that fit
the processor's cache. NumPy is all it needs: an architecture and its weights come from either
framework.

The idea is that of fastISM (Nair et al., 2022, doi:10.1093/bioinformatics/btac135).
"""

import math
from itertools import zip_longest

import numpy as np
from scipy.special import expit, softmax

from workshop import architecture as arch
from workshop.interpret import layer_steps as steps
from workshop.interpret.reference import Reference, Window

__all__ = ["IncrementalISM", "is_letter"]

BLOCK_SIZE = 1_000_000  # numbers in the largest array of a block: 4 MB, about what a cache holds


class IncrementalISM:
    """Effects of all single substitutions on one output of one network.

    Parameters
    ----------
    architecture : Architecture
    weights : dict of str to ndarray
        As ``get_weights`` of the twins gives them. It computes in float32, or their wider type.
    task : int
        Column of the output.
    scale : str
        ``"logit"``, or ``"probability"``: after the task's activation.
    """

    def __init__(self, architecture, weights, *, task=0, scale="logit"):
        self.length = architecture.input_length
        self.activation = arch.TASKS[architecture.task] if scale == "probability" else "linear"
        self.dtype = np.result_type(np.float32, *weights.values())  # one: BLAS takes no mixture
        weights = {name: np.asarray(weight, self.dtype) for name, weight in weights.items()}
        self.task = task
        if self.activation != "softmax":  # which needs all outputs; otherwise one will do
            self.task = 0
            weights = weights | {
                name: weights[name][..., task : task + 1]
                for name in ("output.kernel", "output.bias")
            }
        self.steps = _steps(architecture, weights)
        # Places this far apart touch windows of one pattern.
        self.stride = math.prod(getattr(step, "step", 1) for step in self.steps)
        self.trails = [self._trail(phase) for phase in range(min(self.stride, self.length))]
        self.margins = [self._margins(level) for level in range(len(self.trails[0]))]

    def _trail(self, place):
        """Touched windows of each layer that has positions, the sequence itself first."""
        trail = [Window(place, self.stride, 1)]
        for step in self.steps:
            window = step.touched(trail[-1])
            if window is None:  # the reduction: from here on there are no positions
                break
            trail.append(window)
        return trail

    def _margins(self, level):
        """How far windows of a layer hang over its start, and how far they reach in all."""
        left = right = 0
        pool = isinstance(self.steps[level], steps.MaxPool)
        for phase, trail in enumerate(self.trails):
            start, step, width = self.steps[level].reads(trail[level]) if pool else trail[level]
            last = (self.length - 1 - phase) // self.stride
            left, right = max(left, -start), max(right, start + step * last + width)
        return left, right

    def logits(self, X):
        """Logits (n, T) of the unchanged sequences: those that this network computes.

        Parameters
        ----------
        X : array of shape (n, L, 4)

        Returns
        -------
        ndarray of shape (n, T)
            T is 1, except on the probability scale of a multi-class task.
        """
        return self._references(X)[-1]

    def effects(self, X, start, end):
        """Change of the output under each substitution at positions `start` to `end`.

        Parameters
        ----------
        X : array of shape (n, L, 4)
        start, end : int
            0 <= start < end <= L.

        Returns
        -------
        ndarray of shape (n, end - start, 4)
            Exactly 0 where a letter replaces itself.
        """
        references = self._references(X)
        columns = np.ascontiguousarray(X[:, start:end].swapaxes(0, 1))  # (W, n, 4)
        # In a one-hot column three letters are another one; in one of N, or a soft one, all four.
        present = is_letter(columns)
        shifts = np.arange(1 if present.any(axis=2).all() else 0, 4)[:, None, None]
        letters = (columns.argmax(axis=2) + shifts) % 4  # (A, W, n)
        changes = np.eye(4, dtype=self.dtype)[letters] - columns  # (A, W, n, 4)
        effects = np.zeros(letters.shape, dtype=self.dtype)
        for places, trail in self._blocks(start, end, references, len(X) * len(shifts)):
            effects[:, places] = self._propagate(changes[None, :, places], trail, references)
        out = np.zeros(columns.shape, dtype=self.dtype)
        np.put_along_axis(out, np.moveaxis(letters, 0, 2), np.moveaxis(effects, 0, 2), axis=2)
        out[present] = 0
        return out.swapaxes(0, 1)

    def _references(self, X):
        """Values of each layer for unchanged sequences: a `Reference`, or features (n, F)."""
        values = np.ascontiguousarray(X.swapaxes(0, 1), dtype=self.dtype)  # (L, n, 4)
        references = []
        for step, margins in zip_longest(self.steps, self.margins):
            if margins is None:
                references.append(values)
            else:
                fill = -np.inf if isinstance(step, (steps.MaxPool, steps.GlobalMax)) else 0
                references.append(Reference(values, margins, fill))
            values = step.forward(values)
        return [*references, values]

    def _blocks(self, start, end, references, mutants):
        """Mutated places of one pattern, a slice from `start` on, and their trail; limited size."""
        positional, features = references[: len(self.margins)], references[len(self.margins) :]
        channels = [reference.values.shape[-1] for reference in positional]
        widest = max(values.shape[-1] for values in features)
        for phase, trail in enumerate(self.trails):
            if any(window.width == 0 for window in trail):
                continue  # they fall between the windows of a pool: no effect
            sizes = [n * window.width for n, window in zip(channels, trail, strict=True)]
            most = max(BLOCK_SIZE // (mutants * max(*sizes, widest)), 1)
            first = max(-((phase - start) // self.stride), 0)
            count = max(-((phase - end) // self.stride), 0) - first
            for block in range(0, count, most):
                shift = first + block
                place = phase + self.stride * shift - start
                stop = place + self.stride * min(most, count - block)
                moved = [w._replace(start=w.start + w.step * shift) for w in trail]
                yield slice(place, stop, self.stride), moved

    def _propagate(self, values, trail, references):
        """Effects (A, J, n) of changes (1, A, J, n, 4) of the input."""
        places = values.shape[2]
        is_change = True
        for step, reference, window in zip_longest(self.steps, references[:-1], trail):
            before = reference if window is None else reference.window(window, places)
            if step.linear and not is_change:
                values -= before
            elif is_change and not step.linear:
                values += before
            is_change = step.linear
            if window is not None:
                reference.set_beyond(values, window, 0 if is_change else reference.fill)
            compute = step.change if is_change else step.values
            values = compute(values, window, reference)
        if self.activation != "linear":
            activation, logits = _OUTPUT_ACTIVATIONS[self.activation], references[-1]
            values = activation(logits + values) - activation(logits)
        return values[..., self.task]


def is_letter(X):
    """Which entries of (..., 4) are the letter of their position: none at N or in a soft row."""
    return (X == 1) & (X.sum(axis=-1, keepdims=True) == 1)


_OUTPUT_ACTIVATIONS = {"sigmoid": expit, "softmax": lambda logits: softmax(logits, axis=-1)}


def _steps(architecture, weights):
    """Steps of a network with its weights."""
    made = []
    flattened = None  # number of positions that a Flatten has laid side by side
    norm = None  # scale and shift of features, which the next Dense takes in
    shapes = [(architecture.input_length, 4), *architecture.output_shapes()]
    keys = [*map(str, range(len(architecture.layers))), "output"]
    layers = [*architecture.layers, arch.Dense(architecture.n_outputs)]
    for key, layer, shape in zip(keys, layers, shapes, strict=False):
        own = {name: weights[f"{key}.{name}"] for name in _weight_names(layer, shape)}
        match layer:
            case arch.Conv1D():
                made.append(steps.Conv(own["kernel"], own["bias"], layer.padding))
            case arch.AvgPool():
                made.append(steps.AvgPool(layer, shape[0]))
            case arch.MaxPool():
                _insert_maximum(made, steps.MaxPool(layer, shape[0]))
            case arch.GlobalMaxPool():
                _insert_maximum(made, steps.GlobalMax())
            case arch.GlobalAvgPool():
                made.append(steps.GlobalAvg())
            case arch.Flatten():
                flattened = shape[0]
            case arch.BatchNorm():
                scale = own["gamma"] / np.sqrt(own["variance"] + layer.epsilon)
                shift = own["beta"] - scale * own["mean"]
                if len(shape) == 2:
                    made.append(steps.Scale(scale, shift))
                elif norm is None:
                    norm = scale, shift
                else:
                    norm = scale * norm[0], scale * norm[1] + shift
            case arch.Dense():
                kernel, bias = own["kernel"], own["bias"]
                if norm is not None:
                    kernel, bias = norm[0][:, None] * kernel, bias + norm[1] @ kernel
                if flattened is None:
                    made.append(steps.Dense(kernel, bias))
                else:
                    made.append(steps.FlattenDense(kernel, bias, flattened))
                flattened = norm = None
        if getattr(layer, "activation", "linear") != "linear":
            made.append(steps.Activation(layer.activation))
    return made


def _weight_names(layer, shape):
    return layer.weight_shapes(shape) | layer.state_shapes(shape)


def _insert_maximum(made, step):
    """Append a maximum, but before activations: they never decrease, and then have less to do."""
    at = len(made)
    while at and isinstance(made[at - 1], steps.Activation):
        at -= 1
    made.insert(at, step)
