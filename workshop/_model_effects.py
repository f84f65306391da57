"""One question to any model: what does each substitution change? Exact engine, or brute force.

`effects_of` decides: a model of the twins goes through `workshop._ism`, where only what a mutation
touches is computed again; any other function of sequences gets all mutants, in small batches.
"""

import sys

import numpy as np

from workshop import training
from workshop._ism import SEQUENCES, IncrementalISM
from workshop._layers import positive_int
from workshop.sequences import check_one_hot

__all__ = ["SCALES", "effects_of", "not_empty", "twin_of"]

SCALES = ("logit", "probability")
MUTANTS = 64  # a batch of this size still fits the cache; larger ones are slower on a CPU


def twin_of(model):
    """Module of the framework twin that built a model, or None: no framework is imported here."""
    for kind in type(model).__mro__:
        if kind.__name__ == "SequenceCNN" and kind.__module__ in _TWINS:
            return sys.modules[kind.__module__]
    return None


_TWINS = ("workshop.keras_cnn", "workshop.torch_cnn")


def not_empty(X):
    """Refuse a batch without a sequence."""
    if len(X) == 0:
        raise ValueError("X must hold at least one sequence; got none.")
    return X


def effects_of(model, X, *, task, scale, batch_size):
    """Check a model and its input; say how to ask for effects.

    Returns
    -------
    X : ndarray of shape (N, L, 4), float32
    effects : callable
        ``effects(X, start, end)`` of a few sequences is (n, end - start, 4).
    batch_size : int
        Sequences to pass to it at once.
    """
    if scale not in SCALES:
        raise ValueError(f"scale must be one of {', '.join(SCALES)}; got {scale!r}.")
    if batch_size is not None:
        batch_size = positive_int(batch_size, "batch_size")
    twin = twin_of(model)
    if twin is None:
        X = not_empty(check_one_hot(X))
        effects = BruteForce(_check_callable(model, scale), task, batch_size or MUTANTS)
        return X, effects, SEQUENCES
    training.check_task(model.architecture, task)
    X = not_empty(training.check_input(model.architecture, X))
    engine = IncrementalISM(model.architecture, twin.get_weights(model), task=task, scale=scale)
    if type(model) is twin.SequenceCNN and _agrees(engine, twin, model, X[:4], task):
        return X, engine.effects, batch_size or SEQUENCES
    predict = twin.predict if scale == "probability" else twin.predict_logits
    brute_force = BruteForce(lambda X: predict(model, X), task, batch_size or MUTANTS)
    return X, brute_force, SEQUENCES


def _agrees(engine, twin, model, X, task):
    """Whether the model still computes what its architecture and weights say.

    Someone may have replaced one of its layers, or its number format.
    """
    expected = twin.predict_logits(model, X)[:, task]
    return np.allclose(engine.logits(X)[:, engine.task], expected, rtol=1e-3, atol=1e-3)


def _check_callable(model, scale):
    if not callable(model) or isinstance(model, type):
        raise TypeError(
            "model must come from keras_cnn or torch_cnn, or be a function from sequences "
            f"(n, L, 4) to numbers (n,) or (n, T); got {type(model).__name__}."
        )
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(model, torch.nn.Module):
        raise TypeError(
            f"model is a Torch module that workshop did not build ({type(model).__name__}), and "
            "takes tensors. Pass a function of arrays, such as lambda X: "
            "model(torch.from_numpy(X)).detach().numpy()"
        )
    if scale == "probability":
        raise ValueError(
            "scale='probability' needs a model of keras_cnn or torch_cnn, whose activation is "
            "known; got a function. Let it return probabilities, and leave scale as it is."
        )
    return model


class BruteForce:
    """A prediction for each mutant, in batches.

    Parameters
    ----------
    function : callable
        From (n, L, 4) to (n,) or (n, T).
    task : int
        Column of its output.
    batch_size : int
        Mutants at once.
    """

    def __init__(self, function, task, batch_size):
        self.function, self.task, self.batch_size = function, task, batch_size

    def __call__(self, X, start, end):
        """Effects of all substitutions, shape (n, end - start, 4)."""
        letters = np.eye(4, dtype=X.dtype)
        out = np.zeros((len(X), end - start, 4), dtype=np.float32)
        before = self._outputs(X)
        is_other = (X[:, start:end, None] != letters).any(axis=3)  # (n, W, 4)
        mutations = np.argwhere(is_other)
        for first in range(0, len(mutations), self.batch_size):
            row, place, letter = mutations[first : first + self.batch_size].T
            mutants = X[row]
            mutants[np.arange(len(row)), start + place] = letters[letter]
            out[row, place, letter] = self._outputs(mutants) - before[row]
        return out

    def _outputs(self, X):
        outputs = np.asarray(self.function(X))
        if outputs.ndim not in (1, 2) or len(outputs) != len(X):
            raise ValueError(
                f"model must return one row a sequence, shape ({len(X)},) or ({len(X)}, T); got "
                f"{outputs.shape}."
            )
        columns = outputs.reshape(len(X), -1)
        if not isinstance(self.task, (int, np.integer)) or not 0 <= self.task < columns.shape[1]:
            raise ValueError(
                f"task must be a column of the output, 0 to {columns.shape[1] - 1}; got "
                f"{self.task!r}."
            )
        column = columns[:, self.task].astype(np.float64)
        if not np.isfinite(column).all():
            raise ValueError(
                "model must return finite numbers; got NaN or infinity. Has its training diverged?"
            )
        return column
