"""The motif behind the scores of many sequences."""

import numpy as np

from workshop._checks import whole_number
from workshop.interpret.importance import base_importance
from workshop.motifs import Motif
from workshop.sequences import check_not_empty, check_one_hot

ROUNDS = 50  # of aligning; two or three are usual


def motif_from_scores(scores, X, *, width):
    """Recover the motif that a model looks for: align the best-scoring windows of many sequences.

    From each sequence comes the window with the highest total importance. Such windows are off by
    a few positions, so they are aligned by their *scores*: each sequence moves to the window whose
    scores agree best with the mean of all, all move together to where the mean is largest, and so
    on until nothing moves. The letters of the aligned windows are counted. No motif is needed
    beforehand; the idea is that of TF-MoDISco (Shrikumar et al., 2018,
    https://arxiv.org/abs/1811.00416) for a single motif.

    Two frames of reference: `scores` may count from the base that is there (mutagenesis) or from
    nowhere (a gradient), as `base_importance` takes both. And the columns of the motif count from
    the start of the windows, not from the start of any known motif: `motifs.similarity` finds the
    offset. Only the strand of `X` is read: where motifs lie on either strand, turn sequences with
    `sequences.reverse_complement` first, to the strand on which the model scores higher.

    Parameters
    ----------
    scores : array of shape (N, L, 4)
        From `saturation_mutagenesis`, `saliency` or `integrated_gradients`.
    X : array of shape (N, L, 4)
        Sequences that the model calls positive.
    width : int
        bp of the windows, at most L.

    Returns
    -------
    Motif
        Counts of the letters of one window from each sequence; N counts for none.

    Examples
    --------
    >>> from workshop.sequences import one_hot_encode
    >>> X = one_hot_encode(["TTACGTTTT", "CCCCCACGC", "GACGGGGGG"])
    >>> scores = np.zeros(X.shape)
    >>> for i, start in enumerate((2, 5, 1)):  # a change of ACG lowers the output
    ...     scores[i, start : start + 3] = X[i, start : start + 3] - 1
    >>> motif_from_scores(scores, X, width=3).consensus
    'ACG'
    """
    importance = base_importance(scores, X)  # (N, L)
    X, width = check_not_empty(check_one_hot(X)), whole_number(width, "width")
    if width > X.shape[1]:
        raise ValueError(f"width must be at most {X.shape[1]}, the length of X; got {width}.")
    if not importance.any():
        raise ValueError("scores must not all be 0: no window scores higher than another.")
    letters = importance[:, :, None] * X  # (N, L, 4)
    totals = _windows(importance, width).sum(axis=2)  # (N, L - width + 1)
    starts = totals.argmax(axis=1)
    for _ in range(ROUNDS):
        before = starts
        starts = _align(letters, starts, width)
        starts = _align(letters, _shift(totals, starts, width), width)
        if (starts == before).all():
            break
    counts = _windows(X, width)[np.arange(len(X)), starts].sum(axis=0)  # (4, width)
    return Motif("recovered", f"from {len(X)} sequences", counts.T)


def _windows(values, width):
    """View of all windows: (N, L - width + 1, ..., width)."""
    return np.lib.stride_tricks.sliding_window_view(values, width, axis=1)


def _align(letters, starts, width):
    """Window of each sequence whose scores agree best with the mean of the current ones."""
    mean = _windows(letters, width)[np.arange(len(starts)), starts].mean(axis=0)  # (4, width)
    n_windows = letters.shape[1] - width + 1
    return sum(letters[:, k : k + n_windows] @ mean[:, k] for k in range(width)).argmax(axis=1)


def _shift(totals, starts, width):
    """Move all windows together to the highest mean importance, where they stay inside."""
    shifts = np.arange(-(width // 2), width // 2 + 1)
    moved = starts[:, None] + shifts  # (N, S)
    inside = (moved >= 0) & (moved < totals.shape[1])
    moved = np.clip(moved, 0, totals.shape[1] - 1)
    sums = np.where(inside, np.take_along_axis(totals, moved, axis=1), 0).sum(axis=0)
    # A shift that few sequences can make has a mean that says little.
    means = np.where(inside.mean(axis=0) < 0.5, -np.inf, sums / np.maximum(inside.sum(axis=0), 1))
    return moved[:, means.argmax()]
