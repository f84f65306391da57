"""One question to any model: what does each substitution change? Exact engine, or brute force.

`effects_of` decides: a model of the twins goes through `incremental`, where only what a mutation
touches is computed again; any other function of sequences gets all mutants, in small batches. Both
are callables ``effects(X, start, end, advance)`` -> (N, end - start, 4); they tell `advance` how
many more sequences are done, which may be a part of one.
"""

import contextlib
import functools
import sys
import threading
import warnings

import numpy as np
from threadpoolctl import ThreadpoolController

from workshop import training
from workshop._checks import positive_int
from workshop.interpret.incremental import IncrementalISM
from workshop.sequences import check_not_empty, check_one_hot

__all__ = ["SCALES", "SEQUENCES", "effects_of", "twin_of"]

SCALES = ("logit", "probability")
SEQUENCES = 16  # at once in the engine; more of them make nothing faster
MUTANTS = 64  # at once in a function: they still fit the cache; more are slower on a CPU

_TWINS = ("workshop.keras_cnn", "workshop.torch_cnn")
_BLAS = threading.Lock()


def twin_of(model):
    """Module of the framework twin that built a model, or None: no framework is imported here."""
    for kind in type(model).__mro__:
        if kind.__name__ == "SequenceCNN" and kind.__module__ in _TWINS:
            return sys.modules[kind.__module__]
    return None


def effects_of(model, X, *, task, scale, batch_size):
    """Check a model and its input; return the input as float32, and how to ask for effects."""
    if scale not in SCALES:
        raise ValueError(f"scale must be one of {', '.join(SCALES)}; got {scale!r}.")
    if batch_size is not None:
        batch_size = positive_int(batch_size, "batch_size")
    twin = twin_of(model)
    if twin is None:
        X = check_not_empty(check_one_hot(X))
        return X, _BruteForce(_check_function(model, scale), task, batch_size or MUTANTS)
    training.check_task(model.architecture, task)
    X = check_not_empty(training.check_input(model.architecture, X))
    predict = twin.predict if scale == "probability" else twin.predict_logits
    brute_force = _BruteForce(lambda X: predict(model, X), task, MUTANTS)
    if type(model) is twin.SequenceCNN:
        weights = twin.get_weights(model)
        engine = IncrementalISM(model.architecture, weights, task=task, scale=scale)
        logits = _BruteForce(lambda X: twin.predict_logits(model, X), task, MUTANTS).outputs
        if _agree(engine, logits, brute_force, X):
            return X, _Engine(engine, batch_size or SEQUENCES, brute_force)
    warnings.warn(
        "model does not compute what its architecture and weights say: a layer was replaced, it "
        "has a hook, or its class is another one. Every mutant is predicted: right, but slow.",
        stacklevel=3,
    )
    return X, brute_force


def _agree(engine, logits, brute_force, X):
    """Whether engine and model agree about a few sequences and mutants, to rounding."""
    rng = np.random.default_rng(0)
    random = np.eye(4, dtype=np.float32)[rng.integers(0, 4, (1, X.shape[1]))]
    probes = np.concatenate([random, X[:1]])
    start = int(rng.integers(max(X.shape[1] - 1, 1)))
    window = start, min(start + 2, X.shape[1])
    expected, effects = logits(probes), brute_force(probes, *window)
    size, effect_size = np.abs(expected).max(), np.abs(effects).max()
    with one_blas_thread(), np.errstate(all="ignore"):
        return np.allclose(
            engine.logits(probes)[:, engine.task], expected, rtol=0, atol=2e-5 * size
        ) and np.allclose(
            engine.effects(probes, *window), effects, rtol=0, atol=1e-3 * effect_size + 5e-6 * size
        )


def _check_function(model, scale):
    if not callable(model) or isinstance(model, type):
        raise TypeError(
            "model must come from keras_cnn or torch_cnn, or be a function from sequences "
            f"(n, L, 4) to numbers (n,) or (n, T); got {type(model).__name__}."
        )
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(model, torch.nn.Module):
        raise TypeError(
            f"model is a Torch module that workshop did not build ({type(model).__name__}), and "
            "takes tensors. Pass a function of arrays: lambda X: model(torch.from_numpy(X))"
        )
    if scale == "probability":
        raise ValueError(
            "scale='probability' needs a model of keras_cnn or torch_cnn, whose activation is "
            "known; got a function. Let it return probabilities, and leave scale as it is."
        )
    return model


def _ignore(n_sequences):
    pass


class _Engine:
    """Effects by the incremental engine, a few sequences after the other."""

    def __init__(self, engine, size, brute_force):
        self.engine, self.size, self.brute_force = engine, size, brute_force

    def __call__(self, X, start, end, advance=_ignore):
        out = np.empty((len(X), end - start, 4), dtype=np.float32)
        for first in range(0, len(X), self.size):
            chunk = X[first : first + self.size]
            with one_blas_thread(), np.errstate(all="ignore"):
                effects = self.engine.effects(chunk, start, end)
            if not np.isfinite(effects).all():  # something overflows: in the model as well?
                effects = self.brute_force(chunk, start, end)
            out[first : first + self.size] = effects
            advance(len(chunk))
        return out


class _BruteForce:
    """Effects by a prediction for each mutant: any `function` from (n, L, 4) to (n,) or (n, T)."""

    def __init__(self, function, task, batch_size):
        self.function, self.task, self.batch_size = function, task, batch_size

    def __call__(self, X, start, end, advance=_ignore):
        out = np.zeros((len(X), end - start, 4), dtype=np.float32)
        for first in range(0, len(X), SEQUENCES):
            chunk = slice(first, first + SEQUENCES)
            self._score(X[chunk], start, out[chunk], advance)
        return out

    def _score(self, X, start, out, advance):
        letters = np.eye(4, dtype=X.dtype)
        before = self.outputs(X)
        is_other = (X[:, start : start + out.shape[1], None] != letters).any(axis=3)  # (n, W, 4)
        mutations = np.argwhere(is_other)
        for first in range(0, len(mutations), self.batch_size):
            row, place, letter = mutations[first : first + self.batch_size].T
            mutants = X[row]
            mutants[np.arange(len(row)), start + place] = letters[letter]
            out[row, place, letter] = self.outputs(mutants) - before[row]
            advance(len(X) * len(row) / len(mutations))

    def outputs(self, X):
        """Outputs (n,) of the task, in batches; the function gets copies that it may change."""
        batches = range(0, len(X), self.batch_size)
        return np.concatenate([self._output(X[i : i + self.batch_size].copy()) for i in batches])

    def _output(self, X):
        n, outputs = len(X), self.function(X)
        if hasattr(outputs, "detach"):  # a Torch tensor
            outputs = outputs.detach().cpu()
        try:
            outputs = np.asarray(outputs)
        except ValueError:  # rows of several lengths
            outputs = np.empty(())
        if outputs.ndim not in (1, 2) or len(outputs) != n or outputs.dtype.kind not in "fiub":
            raise ValueError(
                f"model must return one row of numbers a sequence, shape ({n},) or ({n}, T); got "
                f"{outputs.dtype} of shape {outputs.shape}. Of several outputs return one."
            )
        outputs = outputs.reshape(n, -1)
        if not isinstance(self.task, (int, np.integer)) or not 0 <= self.task < outputs.shape[1]:
            raise ValueError(
                f"task must be a column of the output, 0 to {outputs.shape[1] - 1}; got "
                f"{self.task!r}."
            )
        column = outputs[:, self.task].astype(np.float64)
        if not np.isfinite(column).all():
            raise ValueError(
                "model must return finite numbers; got NaN or infinity. Has its training diverged?"
            )
        return column


@contextlib.contextmanager
def one_blas_thread():
    """Let NumPy multiply on one thread: beside a busy neighbour two of them wait for each other.

    The number belongs to the whole process, so one caller at a time changes it.
    """
    with _BLAS, _blas().limit(limits=1, user_api="blas"):
        yield


@functools.cache
def _blas():
    return ThreadpoolController()  # looks through all loaded libraries: once is enough
