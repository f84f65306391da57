"""In-silico mutagenesis: change letters, and see what the model says."""

import operator
from typing import NamedTuple

import numpy as np

from workshop._progress import ProgressShare
from workshop.interpret.effects import SEQUENCES, effects_of
from workshop.interpret.incremental import is_letter

__all__ = ["PairwiseMutagenesis", "pairwise_mutagenesis", "saturation_mutagenesis"]


def saturation_mutagenesis(
    model, X, *, start=0, end=None, task=0, scale="logit", batch_size=None, progress=True
):
    """Score every single substitution: output of the mutant minus output of the sequence.

    For a model of `keras_cnn` or `torch_cnn` only what a substitution touches is computed again,
    which is exact and many times faster than a prediction for each mutant. Any other function gets
    all mutants, in batches; so does a model that no longer computes what its architecture says,
    with a warning.

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
    scale : str
        ``"logit"``, or ``"probability"`` for the output after the task's activation. The output
        of a function is taken as it is.
    batch_size : int, optional
        Sequences at once (16) with a model of the twins, mutants at once (64) with a function.
    progress : bool
        Show a line that says how much is done, if it takes more than two seconds.

    Returns
    -------
    ndarray of shape (N, end - start, 4), float32
        Effect of putting base b at position p, 0 where b is there already. A part of the
        positions gives that part of the whole.

    Raises
    ------
    TypeError
        If `model` is neither a model of the twins nor a function.
    ValueError
        If a shape, value or position does not fit, or the model returns something else.

    Examples
    --------
    >>> from workshop.sequences import one_hot_encode
    >>> n_guanines = lambda X: X[:, :, 2].sum(axis=1)
    >>> saturation_mutagenesis(n_guanines, one_hot_encode(["AG"]))
    array([[[ 0.,  0.,  1.,  0.],
            [-1., -1.,  0., -1.]]], dtype=float32)
    """
    X, effects = effects_of(model, X, task=task, scale=scale, batch_size=batch_size)
    start, end = _positions(X, start, end)
    return effects(X, start, end, ProgressShare("mutagenesis", len(X), progress).advance)


class PairwiseMutagenesis(NamedTuple):
    """Effects of all double substitutions in a window of W positions: `pairwise_mutagenesis`."""

    single: np.ndarray
    """Effect of base b at position p, shape (N, W, 4)."""
    double: np.ndarray
    """Effect of base a at position p and b at q, shape (N, W, 4, W, 4)."""
    interaction: np.ndarray
    """What `double` is beyond the sum of the two singles, shape (N, W, 4, W, 4)."""


def pairwise_mutagenesis(
    model, X, *, start=0, end=None, task=0, scale="logit", batch_size=None, progress=True
):
    """Score every double substitution in a window, and its interaction.

    The interaction is the effect of the double mutant minus the sum of the effects of the two
    single ones: 0 where a model adds up its evidence position by position. On the probability
    scale the sigmoid alone makes interactions.

    Parameters
    ----------
    model : SequenceCNN or callable
        As in `saturation_mutagenesis`.
    X : array of shape (N, L, 4)
    start, end : int, optional
        The window, with the meaning of a Python slice. W positions have about 4.5 W² double
        mutants: 3,000 for 26 positions, 180,000 for 200.
    task : int
    scale : str
    batch_size : int, optional
    progress : bool
        As in `saturation_mutagenesis`.

    Returns
    -------
    PairwiseMutagenesis
        A pair of a position with itself is no double substitution: 0.

    Raises
    ------
    TypeError, ValueError
        As `saturation_mutagenesis`; also if the window has less than two positions.
    MemoryError
        If the result does not fit: its size grows with the square of the window.

    Examples
    --------
    >>> from workshop.sequences import one_hot_encode
    >>> both_guanine = lambda X: X[:, 0, 2] * X[:, 1, 2]
    >>> pairs = pairwise_mutagenesis(both_guanine, one_hot_encode(["AT"]))
    >>> [float(scores[0, 0, 2, 1, 2]) for scores in (pairs.double, pairs.interaction)]
    [1.0, 1.0]
    """
    X, effects = effects_of(model, X, task=task, scale=scale, batch_size=batch_size)
    start, end = _positions(X, start, end)
    width = end - start
    if width < 2:
        raise ValueError(
            f"start and end must enclose at least two positions; got {start} to {end}."
        )
    interaction = _zeros((len(X), width, 4, width, 4))
    share = ProgressShare("pairs", len(X) * width * (width + 1) / 2, progress)
    single = effects(X, start, end, lambda n: share.advance(n * width))
    letters = np.eye(4, dtype=np.float32)
    for first in range(0, len(X), SEQUENCES):
        chunk = X[first : first + SEQUENCES]
        for p in range(width - 1):
            row, letter = np.nonzero(~is_letter(chunk[:, start + p : start + p + 1])[:, 0])
            mutants = chunk[row]
            mutants[:, start + p] = letters[letter]
            after = slice(p + 1, width)
            second = effects(mutants, start + p + 1, end)  # given the first, (M, W - p - 1, 4)
            row += first
            beyond = second - single[row, after]
            interaction[row, p, letter, after] = beyond
            interaction[row, after, :, p, letter] = beyond
            share.advance(len(chunk) * (width - p - 1))
    double = interaction + (single[:, :, :, None, None] + single[:, None, None])
    same = np.arange(width)
    double[:, same, :, same] = 0
    return PairwiseMutagenesis(single, double, interaction)


def _zeros(shape):
    try:
        return np.zeros(shape, dtype=np.float32)
    except MemoryError as error:
        raise MemoryError(
            f"{shape[0]:,} sequences x {shape[1]}² pairs of positions need twice "
            f"{np.prod(shape, dtype=float) * 4 / 1e9:.0f} GB. Pass start and end, or fewer "
            "sequences at once."
        ) from error


def _positions(X, start, end):
    """Start and end from 0 to L, or an error where they enclose nothing."""
    try:
        first, stop, _ = slice(operator.index(start), end).indices(X.shape[1])
    except TypeError:
        raise TypeError(
            f"start and end must be whole numbers, or end None; got {start!r} and {end!r}."
        ) from None
    if first >= stop:
        raise ValueError(
            f"start must lie before end, within {X.shape[1]} positions; got start={start} and "
            f"end={end}."
        )
    return first, stop
