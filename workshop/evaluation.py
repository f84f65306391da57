"""Named scores of predictions, over scikit-learn.

Shapes must be equal: ``(N,)`` against ``(N, 1)`` would broadcast to N x N and is an error here.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

__all__ = [
    "Comparison",
    "Interval",
    "Scores",
    "auprc",
    "auroc",
    "bootstrap_interval",
    "compare_predictions",
    "evaluate",
]


class Scores(NamedTuple):
    """Scores of one binary task; nan where one is undefined, such as AUROC of one class."""

    threshold: float
    """Scores at or above it count as positive."""
    tp: int
    """True positives."""
    fp: int
    """False positives."""
    tn: int
    """True negatives."""
    fn: int
    """False negatives."""
    sensitivity: float
    """tp / (tp + fn), also called recall."""
    specificity: float
    """tn / (tn + fp)."""
    precision: float
    """tp / (tp + fp)."""
    accuracy: float
    """(tp + tn) / all."""
    f1: float
    """Harmonic mean of precision and sensitivity."""
    auroc: float
    """Area under the ROC curve: chance that a positive scores above a negative."""
    auprc: float
    """Average precision: area under the precision-recall curve."""


def evaluate(y_true, y_score, *, threshold=0.5):
    """Score predictions of one binary task, at a threshold and without one.

    Parameters
    ----------
    y_true : array of shape (N,) or (N, 1)
        0 or 1.
    y_score : array of the same shape
        Larger means more positive: probabilities, or logits with ``threshold=0``.
    threshold : float

    Returns
    -------
    Scores

    Raises
    ------
    ValueError
        If shapes differ, if there is more than one task, or if a value or the threshold is bad.

    Examples
    --------
    >>> scores = evaluate([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9])
    >>> scores.accuracy, scores.auroc
    (0.5, 0.75)
    """
    y_true, y_score = _check_scores(y_true, y_score)
    positive = y_score >= _check_threshold(threshold)
    tp, fp = int((positive & y_true).sum()), int((positive & ~y_true).sum())
    fn, tn = int((~positive & y_true).sum()), int((~positive & ~y_true).sum())
    return Scores(
        threshold=threshold,
        tp=tp,
        fp=fp,
        tn=tn,
        fn=fn,
        sensitivity=_ratio(tp, tp + fn),
        specificity=_ratio(tn, tn + fp),
        precision=_ratio(tp, tp + fp),
        accuracy=_ratio(tp + tn, len(y_true)),
        f1=_ratio(2 * tp, 2 * tp + fp + fn),
        auroc=auroc(y_true, y_score),
        auprc=auprc(y_true, y_score),
    )


def auroc(y_true, y_score):
    """Area under the ROC curve; nan where there is only one class.

    Parameters
    ----------
    y_true, y_score : array of shape (N,) or (N, 1)

    Returns
    -------
    float

    Examples
    --------
    >>> auroc([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9])
    0.75
    """
    from sklearn.metrics import roc_auc_score

    y_true, y_score = _check_scores(y_true, y_score)
    return float(roc_auc_score(y_true, y_score)) if _both_classes(y_true) else np.nan


def auprc(y_true, y_score):
    """Average precision; nan where there is only one class.

    Parameters
    ----------
    y_true, y_score : array of shape (N,) or (N, 1)

    Returns
    -------
    float

    Examples
    --------
    >>> auprc([0, 1], [0.1, 0.9])
    1.0
    """
    from sklearn.metrics import average_precision_score

    y_true, y_score = _check_scores(y_true, y_score)
    return float(average_precision_score(y_true, y_score)) if _both_classes(y_true) else np.nan


class Interval(NamedTuple):
    """An estimate and its confidence interval."""

    estimate: float
    """Value on all data."""
    low: float
    """Lower end."""
    high: float
    """Upper end."""


def bootstrap_interval(
    y_true, y_score, *, metric=auroc, level=0.95, n_resamples=1000, random_state=0
):
    """Percentile bootstrap interval of a metric: how far would another test set have moved it.

    Parameters
    ----------
    y_true, y_score : array of shape (N,) or (N, 1)
    metric : callable
        ``metric(y_true, y_score) -> float``; resamples where it is nan do not count.
    level : float
        Between 0 and 1.
    n_resamples : int
    random_state : int or numpy.random.Generator

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If shapes or values are bad, or no resample has both classes.

    Examples
    --------
    >>> bootstrap_interval([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], n_resamples=50)
    Interval(estimate=1.0, low=1.0, high=1.0)
    """
    y_true, y_score = _check_scores(y_true, y_score)

    def statistic(rows):
        return metric(y_true[rows], y_score[rows])

    if metric in (auroc, auprc):  # the same numbers sooner: scores are checked and ranked once
        area = _area_under_roc if metric is auroc else _average_precision
        statistic = _of_rows(area, y_true, y_score)
    interval = _bootstrap(statistic, len(y_true), level, n_resamples, random_state)
    return interval._replace(estimate=float(metric(y_true, y_score)))


class Comparison(NamedTuple):
    """How the predictions of two models differ on the same sequences."""

    agreement: pd.DataFrame
    """Counts: rows = a right, a wrong; columns = b right, b wrong."""
    shared_mistakes: np.ndarray
    """Rows that both get wrong."""
    only_a_wrong: np.ndarray
    """Rows that only a gets wrong."""
    only_b_wrong: np.ndarray
    """Rows that only b gets wrong."""
    mcnemar_p: float
    """P value of McNemar's exact test: are the two equally often wrong?"""
    auroc_difference: Interval
    """AUROC of a minus AUROC of b, with its paired bootstrap interval."""
    correlation: float
    """Pearson r of the two scores; nan where one of them is constant."""


def compare_predictions(
    y_true, a, b, *, threshold=0.5, level=0.95, n_resamples=500, random_state=0
):
    """Compare two models on the same sequences: whether they fail on the same ones.

    Parameters
    ----------
    y_true, a, b : array of shape (N,) or (N, 1)
        Truth and the two models' scores, all of one shape.
    threshold : float
        Scores at or above it count as positive.
    level, n_resamples, random_state
        Of the paired bootstrap, see `bootstrap_interval`.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If shapes or values are bad.

    References
    ----------
    McNemar (1947), doi:10.1007/BF02295996.

    Examples
    --------
    >>> result = compare_predictions([1, 1, 0, 0], [0.9, 0.2, 0.1, 0.3], [0.8, 0.1, 0.7, 0.2])
    >>> result.shared_mistakes, result.only_b_wrong
    (array([1]), array([2]))
    """
    from scipy.stats import binomtest

    truth, a = _check_scores(y_true, a, name="a")
    b = _check_scores(y_true, b, name="b")[1]
    threshold = _check_threshold(threshold)
    wrong_a, wrong_b = (a >= threshold) != truth, (b >= threshold) != truth
    only_a, only_b = np.flatnonzero(wrong_a & ~wrong_b), np.flatnonzero(~wrong_a & wrong_b)
    both = np.flatnonzero(wrong_a & wrong_b)
    neither = len(truth) - len(only_a) - len(only_b) - len(both)
    discordant = len(only_a) + len(only_b)
    auroc_a, auroc_b = (_of_rows(_area_under_roc, truth, scores) for scores in (a, b))

    def difference(rows):
        return auroc_a(rows) - auroc_b(rows)

    return Comparison(
        agreement=pd.DataFrame(
            [[neither, len(only_b)], [len(only_a), len(both)]],
            index=["a right", "a wrong"],
            columns=["b right", "b wrong"],
        ),
        shared_mistakes=both,
        only_a_wrong=only_a,
        only_b_wrong=only_b,
        mcnemar_p=float(binomtest(len(only_a), discordant).pvalue) if discordant else 1.0,
        auroc_difference=_bootstrap(difference, len(truth), level, n_resamples, random_state),
        correlation=float(np.corrcoef(a, b)[0, 1]) if np.ptp(a) and np.ptp(b) else np.nan,
    )


def _of_rows(area, y_true, y_score):
    """Function of rows, such as those of a resample: the area under their curve.

    What scikit-learn computes, forty times faster for many resamples: scores are checked and ranked
    once, not for each of them.
    """
    values, rank = np.unique(y_score, return_inverse=True)

    def area_of(rows):
        at, truth = rank[rows], y_true[rows]
        # How many positives and negatives have each score, from the lowest score up.
        positive, negative = (np.bincount(at[truth == y], minlength=len(values)) for y in (1, 0))
        return float(area(positive, negative)) if positive.any() and negative.any() else np.nan

    return area_of


def _area_under_roc(positive, negative):
    """Share of the pairs in which the positive scores higher; a tie is half a win."""
    wins = positive @ (np.cumsum(negative) - negative / 2)
    return wins / (positive.sum() * negative.sum())


def _average_precision(positive, negative):
    """Mean over the positives of the precision at their scores."""
    found, called = (np.cumsum(n[::-1])[::-1] for n in (positive, positive + negative))
    return positive @ (found / np.maximum(called, 1)) / positive.sum()


def _bootstrap(statistic, n, level, n_resamples, random_state):
    if not 0 < level < 1 or n_resamples < 1:
        raise ValueError(
            f"level must lie between 0 and 1 and n_resamples be positive; got {level}, "
            f"{n_resamples}."
        )
    rng = np.random.default_rng(random_state)
    values = np.array([statistic(rng.integers(0, n, n)) for _ in range(n_resamples)])
    values = values[~np.isnan(values)]
    if len(values) == 0:
        raise ValueError(
            "metric must be a number on at least one resample; got nan on all. Has y_true both "
            "classes?"
        )
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(statistic(np.arange(n))), float(low), float(high))


def _check_scores(y_true, y_score, *, name="y_score"):
    """Truth as bool (N,) and scores as float (N,)."""
    y_true, y_score = np.asarray(y_true), np.asarray(y_score, dtype=np.float64)
    if y_true.shape != y_score.shape:
        raise ValueError(
            f"y_true and {name} must have one shape; got {y_true.shape} and {y_score.shape}. "
            "Index a column with [:, 0], or add an axis with [:, None]."
        )
    if y_true.ndim not in (1, 2) or y_true.shape[1:] not in ((), (1,)):
        raise ValueError(
            f"y_true must have shape (N,) or (N, 1), one task; got {y_true.shape}. Score several "
            "tasks column by column: y_true[:, t]."
        )
    if y_true.size == 0:
        raise ValueError("y_true must hold at least one value; got none.")
    if not np.isin(y_true, (0, 1)).all():
        bad = y_true.ravel()[~np.isin(y_true.ravel(), (0, 1))][0]
        raise ValueError(
            f"y_true must hold 0 and 1; got {bad}. Scores are the second argument, not the first."
        )
    if not np.isfinite(y_score).all():
        row = int(np.flatnonzero(~np.isfinite(y_score.ravel()))[0])
        raise ValueError(
            f"{name} must be finite; got {y_score.ravel()[row]} in row {row}. Has "
            "training diverged?"
        )
    return y_true.ravel().astype(bool), y_score.ravel()


def _check_threshold(threshold):
    if np.ndim(threshold) or not isinstance(threshold, (int, float, np.number)):
        raise ValueError(f"threshold must be one number; got {threshold!r}.")
    return threshold


def _both_classes(y_true):
    return 0 < y_true.sum() < len(y_true)


def _ratio(part, whole):
    return part / whole if whole else np.nan
