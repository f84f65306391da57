"""In-silico mutagenesis (ISM): change letters, and see what the model says.

`brute_force` is all of ISM, and what a function of sequences gets. For a model of `keras_cnn` or
`torch_cnn`, `workshop.interpret.incremental` gives the same numbers many times faster: it computes
again only what a mutation touches.
"""

import sys
import warnings
from functools import partial
from typing import NamedTuple

import numpy as np

from workshop import training
from workshop._checks import plain_array, whole_number
from workshop._progress import ProgressShare
from workshop.interpret import incremental
from workshop.interpret.incremental import SEQUENCES, is_letter
from workshop.sequences import check_not_empty, check_one_hot

LETTERS = np.eye(4, dtype=np.float32)  # one-hot rows of A, C, G, T


def brute_force(predict, X, positions, advance=lambda n: None):
    """Put every letter at every position, predict, and subtract what the sequence itself gives.

    `predict` maps sequences (n, L, 4) to numbers (n,); the effects are (N, len(positions), 4).
    """
    effects = np.zeros((len(X), len(positions), 4), dtype=np.float32)
    for x, reference, effect in zip(X, predict(X), effects, strict=True):
        mutants = np.tile(x, (len(positions), 4, 1, 1))  # (W, 4, L, 4)
        for i, position in enumerate(positions):
            for letter in range(4):
                mutants[i, letter, position] = LETTERS[letter]
        changed = (mutants != x).any(axis=(2, 3))  # (W, 4): not where the letter stands already
        effect[changed] = predict(mutants[changed]) - reference
        advance(1)
    return effects


def saturation_mutagenesis(model, X, *, start=0, end=None, task=0, batch_size=None, progress=True):
    """Score every single substitution: output of the mutant minus output of the sequence.

    A function of sequences gets all mutants, in batches (`mutagenesis.brute_force`: that is all of
    ISM). For a model of `keras_cnn` or `torch_cnn` only what a substitution touches is computed
    again (`interpret.incremental`): the same numbers, many times faster. A model that no longer
    computes what its architecture says is treated as a function, with a warning.

    Parameters
    ----------
    model : SequenceCNN or callable
        A model of either twin, or a function from sequences (n, L, 4), a NumPy array, to (n,) or
        (n, T).
    X : array of shape (N, L, 4)
        An N (a row of zeros) or a soft row is replaced by each of the four letters.
    start, end : int, optional
        Which positions to mutate, with the meaning of a Python slice.
    task : int
        Column of the output.
    batch_size : int, optional
        Sequences at once (16) with a model of the twins, mutants at once (64) with a function.
    progress : bool
        Show a line that says how much is done, if it takes more than two seconds.

    Returns
    -------
    ndarray of shape (N, end - start, 4), float32
        Effect of putting base b at position p, 0 where b is there already. A part of the
        positions gives that part of the whole.

    Examples
    --------
    >>> from workshop.sequences import one_hot_encode
    >>> n_guanines = lambda X: X[:, :, 2].sum(axis=1)
    >>> saturation_mutagenesis(n_guanines, one_hot_encode(["AG"]))
    array([[[ 0.,  0.,  1.,  0.],
            [-1., -1.,  0., -1.]]], dtype=float32)
    """
    X, effects_of = _choose(model, X, task, batch_size)
    positions = _positions(X, start, end)
    return effects_of(X, positions, ProgressShare("mutagenesis", len(X), progress).advance)


class PairwiseMutagenesis(NamedTuple):
    """Effects of all double substitutions in a window of W positions: `pairwise_mutagenesis`."""

    single: np.ndarray  #: effect of base b at position p, shape (N, W, 4)
    double: np.ndarray  #: effect of base a at position p and b at q, shape (N, W, 4, W, 4)
    interaction: np.ndarray  #: what double is beyond the sum of the two singles, the same shape


def pairwise_mutagenesis(model, X, *, start=0, end=None, task=0, batch_size=None, progress=True):
    """Score every double substitution in a window, and its interaction.

    The interaction is the effect of the double mutant minus the sum of the effects of the two
    single ones: 0 where a model adds up its evidence position by position. Of a
    function that returns probabilities, the sigmoid alone makes interactions.

    Parameters
    ----------
    model : SequenceCNN or callable
        As in `saturation_mutagenesis`.
    X : array of shape (N, L, 4)
    start, end : int, optional
        The window, at least two positions, with the meaning of a Python slice. W positions have
        about 4.5 W² double mutants: 3,000 for 26 positions, 180,000 for 200. The result holds
        128 N W² bytes.
    task : int
    batch_size : int, optional
    progress : bool
        As in `saturation_mutagenesis`.

    Returns
    -------
    PairwiseMutagenesis
        A pair of a position with itself is no double substitution: 0.

    Examples
    --------
    >>> from workshop.sequences import one_hot_encode
    >>> both_guanine = lambda X: X[:, 0, 2] * X[:, 1, 2]
    >>> pairs = pairwise_mutagenesis(both_guanine, one_hot_encode(["AT"]))
    >>> [float(scores[0, 0, 2, 1, 2]) for scores in (pairs.double, pairs.interaction)]
    [1.0, 1.0]
    """
    X, effects_of = _choose(model, X, task, batch_size)
    positions = _positions(X, start, end)
    width = len(positions)
    if width < 2:
        raise ValueError(f"A pair needs at least two positions; got start={start} and end={end}.")
    interaction = np.zeros((len(X), width, 4, width, 4), dtype=np.float32)
    share = ProgressShare("pairs", len(X) * width * (width + 1) / 2, progress)
    single = effects_of(X, positions, lambda n: share.advance(n * width))
    for first in range(0, len(X), SEQUENCES):
        chunk = X[first : first + SEQUENCES]
        for p, position in enumerate(positions[:-1]):
            row, letter = np.nonzero(~is_letter(chunk[:, position]))
            mutants = chunk[row]
            mutants[:, position] = LETTERS[letter]
            after = slice(p + 1, width)
            second = effects_of(mutants, positions[after])  # given the first, (M, W - p - 1, 4)
            row += first
            beyond = second - single[row, after]
            interaction[row, p, letter, after] = beyond
            interaction[row, after, :, p, letter] = beyond
            share.advance(len(chunk) * (width - p - 1))
    double = interaction + (single[:, :, :, None, None] + single[:, None, None])
    same = np.arange(width)
    double[:, same, :, same] = 0
    return PairwiseMutagenesis(single, double, interaction)


def _positions(X, start, end):
    """Positions from start to end, or an error where they enclose nothing."""
    positions = range(X.shape[1])[start:end]
    if not positions:
        raise ValueError(f"start must lie before end, within {X.shape[1]}; got {start} and {end}.")
    return positions


# --- what is asked, and which way is taken ------------------------------------------------------

MUTANTS = 64  # at once in a function: they still fit the cache; more are slower on a CPU


def twin_of(model):
    """Module of the twin that built a model, or None: no framework is imported here."""
    return sys.modules.get(getattr(type(model), "twin", None))


def checked_twin(model, X, task, why):
    """Twin module, X and task as asked for; an error that says `why` of any other model."""
    twin = twin_of(model)
    if twin is None:
        raise TypeError(f"model must be of keras_cnn or torch_cnn{why}; got {type(model)}.")
    X = check_not_empty(training.check_input(model.architecture, X))
    return twin, X, training.check_task(model.architecture.n_outputs, task)


def _choose(model, X, task, batch_size):
    """Check what is asked; return X as float32, and ``effects_of(X, positions, advance)``."""
    if batch_size is not None:
        batch_size = whole_number(batch_size, "batch_size")
    if twin_of(model) is None:
        X = check_not_empty(check_one_hot(X))
        _check_function(model)
        return X, partial(brute_force, partial(_predict, model, task, batch_size or MUTANTS))
    twin, X, task = checked_twin(model, X, task, "")
    logits_of = partial(_predict, partial(twin.predict_logits, model), task, MUTANTS)
    slow = partial(brute_force, logits_of)
    if type(model) is twin.SequenceCNN:
        weights = twin.get_weights(model)
        engine = incremental.IncrementalISM(model.architecture, weights, task=task)
        if incremental.agrees(engine, logits_of, slow, X):
            return X, partial(incremental.in_chunks, engine, slow, batch_size or SEQUENCES)
    warnings.warn(
        "model does not compute what its architecture and weights say: a layer was replaced, it "
        "has a hook, its class is another one, or it does not compute in float32. Every mutant is "
        "predicted: right, but slow.",
        stacklevel=3,
    )
    return X, slow


def _check_function(model):
    if not callable(model) or isinstance(model, type):
        raise TypeError(f"model must be of keras_cnn or torch_cnn, or a function; got {model!r}.")
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(model, torch.nn.Module):
        raise TypeError(
            f"model is a Torch module that workshop did not build ({type(model).__name__}), and "
            "takes tensors. Pass a function of arrays: lambda X: model(torch.from_numpy(X))"
        )


def _predict(function, task, batch_size, X):
    """One column (n,) of what a function says of X, in batches: copies, which it may change."""
    out = np.empty(len(X))
    for first in range(0, len(X), batch_size):
        batch = X[first : first + batch_size].copy()
        out[first : first + batch_size] = _column(function(batch), len(batch), task)
    return out


def _column(outputs, n, task):
    """Column `task` of the outputs for n sequences."""
    outputs = plain_array(outputs, "what model returns")
    if outputs.ndim not in (1, 2) or len(outputs) != n or outputs.dtype.kind not in "fiub":
        got = f"{outputs.dtype} of shape {outputs.shape}. Of several outputs return one"
        raise ValueError(f"model must return numbers of shape ({n},) or ({n}, T); got {got}.")
    outputs = outputs.reshape(n, -1)
    outputs = outputs[:, training.check_task(outputs.shape[1], task)]
    if not np.isfinite(outputs).all():
        raise ValueError("model must return finite numbers. Has its training diverged?")
    return outputs
