"""The exact, incremental in-silico mutagenesis: recompute only what one mutation touches.

A substitution changes ``kernel_size`` positions of the first convolution, a few windows after a
pool, and so on; everything else is what it was, and is computed once. This is not an
approximation: the result is the one that `mutagenesis.brute_force` gives, to rounding.

All mutants of many sequences go through at once. Places that lie a multiple of all pool strides
apart touch windows of the same width and alignment: they form one array, cut into blocks that fit
the processor's cache. NumPy is all it needs: an architecture and its weights come from either
framework.

The idea is that of fastISM (Nair et al., 2022, doi:10.1093/bioinformatics/btac135).
"""

import contextlib
import math
import threading
from itertools import zip_longest

import numpy as np
from threadpoolctl import ThreadpoolController

from workshop import architecture as arch
from workshop.interpret import layer_steps as steps

BLOCK_SIZE = 1_000_000  # numbers in the largest array of a block: 4 MB, about what a cache holds
SEQUENCES = 16  # at once; more of them make nothing faster


_BLAS = ThreadpoolController()  # NumPy's and SciPy's libraries, loaded above
_ONE_CALLER = threading.Lock()


@contextlib.contextmanager
def one_blas_thread():
    """Let NumPy multiply on one thread: beside a busy neighbour two of them wait for each other.

    The number belongs to the whole process, so one caller at a time changes it.
    """
    with _ONE_CALLER, _BLAS.limit(limits=1, user_api="blas"), np.errstate(all="ignore"):
        yield


class IncrementalISM:
    """Effects of all single substitutions on one logit of a network with these weights."""

    def __init__(self, architecture, weights, *, task=0):
        self.length = architecture.input_length
        self.dtype = weights["output.kernel"].dtype
        own = slice(task, task + 1)
        output = {key: weights[key][..., own] for key in ("output.kernel", "output.bias")}
        self.steps = _steps(architecture, weights | output)
        # Places this far apart touch windows of one pattern.
        self.stride = math.prod(step.stride for step in self.steps)
        self.trails = [self._trail(phase) for phase in range(min(self.stride, self.length))]
        self.margins = [self._margins(level) for level in range(len(self.trails[0]))]

    def _trail(self, place):
        """Touched windows of each layer that has positions, the sequence itself first."""
        trail = [steps.Window(place, self.stride, 1)]
        for step in self.steps:
            window = step.touched(trail[-1])
            if window is None:
                break
            trail.append(window)
        return trail

    def _margins(self, level):
        """How far windows of a layer hang over its start, and how far they reach in all."""
        left = right = 0
        for phase, trail in enumerate(self.trails):
            start, step, width = self.steps[level].reads(trail[level])
            last = (self.length - 1 - phase) // self.stride
            left, right = max(left, -start), max(right, start + step * last + width)
        return left, right

    @one_blas_thread()
    def logits(self, X):
        """Logits (n,) of the unchanged sequences."""
        return self._references(X)[-1][:, 0]

    @one_blas_thread()
    def effects(self, X, start, end):
        """Change (n, end - start, 4) of the output; exactly 0 where a letter replaces itself."""
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
                references.append(steps.Reference(values, margins, fill))
            values = step.forward(values)
        return [*references, values]

    def _blocks(self, start, end, references, mutants):
        """Mutated places of one pattern, a slice from `start` on, and their trail; limited size."""
        positional, features = references[: len(self.margins)], references[len(self.margins) :]
        channels = [reference.padded.shape[-1] for reference in positional]
        widest = max(values.shape[-1] for values in features)
        for phase, trail in enumerate(self.trails):
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
        return values[..., 0]


def is_letter(X):
    """Which entries of (..., 4) are the letter of their position: none at N or in a soft row."""
    return (X == 1) & (X.sum(axis=-1, keepdims=True) == 1)


def _steps(architecture, weights):
    """Steps of a network with its weights."""
    made = []
    flattened = None  # number of positions that a Flatten has laid side by side
    norms = []  # scale and shift of features, which the next Dense takes in
    layers = [*architecture.layers, arch.Dense(architecture.n_outputs)]
    shapes = [(architecture.input_length, 4), *architecture.output_shapes()[:-1]]  # that enter
    for i, (layer, shape) in enumerate(zip(layers, shapes, strict=True)):
        key = "output" if layer is layers[-1] else i
        kernel, bias = weights.get(f"{key}.kernel"), weights.get(f"{key}.bias")
        match layer:
            case arch.Conv1D():
                made.append(steps.Conv(kernel, bias, layer.padding))
            case arch.AvgPool():
                made.append(steps.AvgPool(layer.pool_size))
            case arch.MaxPool():
                _insert_maximum(made, steps.MaxPool(layer.pool_size))
            case arch.GlobalMaxPool():
                _insert_maximum(made, steps.GlobalMax())
            case arch.GlobalAvgPool():
                made.append(steps.GlobalAvg())
            case arch.Flatten():
                flattened = shape[0]
            case arch.BatchNorm():
                names = ("gamma", "beta", "mean", "variance")
                gamma, beta, mean, variance = (weights[f"{key}.{name}"] for name in names)
                scale = gamma / np.sqrt(variance + layer.epsilon)
                norm = scale, beta - scale * mean
                if len(shape) == 2:
                    made.append(steps.Scale(*norm))
                else:
                    norms.append(norm)
            case arch.Dense():
                while norms:
                    scale, shift = norms.pop()
                    kernel, bias = scale[:, None] * kernel, bias + shift @ kernel
                if flattened is None:
                    made.append(steps.Dense(kernel, bias))
                else:
                    made.append(steps.FlattenDense(kernel, bias, flattened))
                flattened = None
        if getattr(layer, "activation", "linear") != "linear":
            made.append(steps.Activation(layer.activation))
    return made


def _insert_maximum(made, step):
    """Append a maximum, but before activations: they never decrease, and then have less to do."""
    at = len(made)
    while at and isinstance(made[at - 1], steps.Activation):
        at -= 1
    made.insert(at, step)


# --- the engine as a way to effects, beside brute force -----------------------------------------


def in_chunks(engine, otherwise, batch_size, X, positions, advance=lambda n: None):
    """Effects (N, W, 4) by the engine, and by `otherwise` where a number overflows."""
    out = np.empty((len(X), len(positions), 4), dtype=np.float32)
    for first in range(0, len(X), batch_size):
        chunk = X[first : first + batch_size]
        effects = engine.effects(chunk, positions.start, positions.stop)
        if np.isfinite(effects).all():
            advance(len(chunk))
        else:  # in the model as well?
            effects = otherwise(chunk, positions, advance)
        out[first : first + len(chunk)] = effects
    return out


def agrees(engine, logits_of, otherwise, X):
    """Whether engine and model say the same of a random sequence, the first one, and mutants."""
    length = X.shape[1]
    random = np.eye(4, dtype=np.float32)[np.random.default_rng(0).integers(0, 4, length)]
    probes, window = np.stack([random, X[0]]), range(length // 2, length)[:2]
    logits, effects = logits_of(probes), otherwise(probes, window)
    size = np.abs(logits).max()
    off = np.abs(engine.logits(probes) - logits).max()
    effects_off = np.abs(engine.effects(probes, window.start, window.stop) - effects).max()
    return off <= 2e-5 * size and effects_off <= 1e-3 * np.abs(effects).max() + 5e-6 * size
