"""What scores mean: frames of reference, the importance of a base, planted motifs found."""

import operator
from typing import NamedTuple

import numpy as np

from workshop._checks import plain_array, whole_number
from workshop.evaluation import auprc, auroc
from workshop.sequences import check_one_hot


def zero_mean(scores):
    """Subtract from each score the mean over A, C, G and T of its position; the shape stays.

    A mutagenesis counts from the base that is there, a gradient from nowhere: a model of one-hot
    sequences cannot tell a constant that all four bases of a position share, as exactly one of
    them is always 1. Without the mean, both are in one frame of reference, and for a linear model
    they are equal. Majdandzic et al., 2023, doi:10.1186/s13059-023-02956-3.

    Parameters
    ----------
    scores : array of shape (..., 4)

    Examples
    --------
    >>> zero_mean([[0.0, -2.0, -2.0, 0.0]])
    array([[ 1., -1., -1.,  1.]])
    """
    scores = _check_scores(scores)
    return scores - scores.mean(axis=-1, keepdims=True)


def project(scores, X):
    """Keep the scores (N, L, 4) of the bases that are there: scores times one-hot sequences.

    Of a gradient this is "gradient times input". Of a mutagenesis it is 0: use `zero_mean` first.

    Parameters
    ----------
    scores : array of shape (N, L, 4)
    X : array of shape (N, L, 4)

    Examples
    --------
    >>> project([[[1.0, 2.0, 3.0, 4.0]]], [[[0, 1, 0, 0]]])
    array([[[0., 2., 0., 0.]]])
    """
    scores, X = _check_scores(scores), check_one_hot(X)
    if not (((X == 0) | (X == 1)).all() and (X.sum(axis=2) <= 1).all()):
        raise ValueError("X must be one-hot, or 0 for N. Scores come first, then X.")
    if scores.shape != X.shape:
        got = f"{scores.shape} and {X.shape}. Of scores from start to end pass X[:, start:end]"
        raise ValueError(f"scores and X must have one shape; got {got}.")
    return scores * X


def base_importance(scores, X):
    """How much each base that is there supports a high output: the height of its logo letter.

    ``project(zero_mean(scores), X)``, without the zeros. Of a mutagenesis it is minus the mean of
    the effects over the four bases: large where every change lowers the output.

    Parameters
    ----------
    scores : array of shape (N, L, 4)
        Mutagenesis or gradient: the frame of reference does not matter.
    X : array of shape (N, L, 4)

    Returns
    -------
    ndarray of shape (N, L)
        0 at N.

    Examples
    --------
    >>> base_importance([[[0.0, -2.0, -2.0, -4.0]]], [[[1, 0, 0, 0]]])
    array([[2.]])
    """
    return project(zero_mean(scores), X).sum(axis=-1)


class Localisation(NamedTuple):
    """How well scores find planted motifs; see `localisation`."""

    auroc: float  #: chance that a base within a motif scores above one outside; 0.5 is blind
    auprc: float  #: average precision of the bases, sorted by score; `share` is blind
    share: float  #: of the bases that lie within a motif
    n_sequences: int  #: with a motif: the others do not count


def localisation(importance, motif_starts, *, width):
    """`Localisation`: how well the largest absolute scores lie on the planted motifs.

    All bases of all sequences that have a motif are ranked together by ``abs(importance)``; those
    within a motif are the positives. Not every base of a motif matters: MA0139.1's outer columns
    carry little information, and a model that ignores them is right. So do not expect 1.

    Parameters
    ----------
    importance : array of shape (N, L)
        Such as `base_importance`.
    motif_starts : sequence of N sequences of int
        Where the motifs of each sequence begin, ``()`` for none: column ``motif_starts`` of a
        Dataset's table.
    width : int
        bp of the motif.

    Examples
    --------
    >>> localisation([[0.1, -3.0, 2.0, 0.0]], [[1]], width=2)
    Localisation(auroc=1.0, auprc=1.0, share=0.5, n_sequences=1)
    """
    importance = plain_array(importance, "importance").astype(np.float64)
    if importance.ndim != 2 or not np.isfinite(importance).all():
        raise ValueError(f"importance must be finite, shape (N, L); got shape {importance.shape}.")
    width, motif_starts = whole_number(width, "width"), list(motif_starts)
    if len(motif_starts) != len(importance):
        raise ValueError(f"motif_starts needs {len(importance)} entries; got {len(motif_starts)}.")
    within = np.zeros(importance.shape, dtype=bool)
    for i, starts in enumerate(motif_starts):
        for start in map(operator.index, starts):  # a small NumPy int would overflow
            if not 0 <= start <= importance.shape[1] - width:
                raise ValueError(f"motif_starts must leave {width} bp; got {start}, sequence {i}.")
            within[i, start : start + width] = True
    rows = within.any(axis=1)
    if not rows.any():
        raise ValueError("motif_starts must hold at least one motif; got none in any sequence.")
    truth, score = within[rows].ravel(), np.abs(importance[rows]).ravel()
    return Localisation(
        auroc(truth, score), auprc(truth, score), float(truth.mean()), int(rows.sum())
    )


def _check_scores(scores):
    scores = plain_array(scores, "scores")
    if scores.ndim == 0 or scores.shape[-1] != 4:
        raise ValueError(
            f"scores must have shape (..., 4); got {scores.shape}. If they are channels-first, "
            "pass scores.swapaxes(-1, -2)."
        )
    if scores.dtype.kind not in "fiu" or not np.isfinite(scores).all():
        raise ValueError("scores must hold finite numbers; got NaN, infinity or something else.")
    return scores.astype(np.result_type(scores, np.float32), copy=False)
