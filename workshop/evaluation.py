"""Named scores of predictions, over scikit-learn.

Shapes must be equal: ``(N,)`` against ``(N, 1)`` would broadcast to N x N and is an error here.
"""

from numbers import Real
from typing import NamedTuple

import numpy as np
import pandas as pd

from workshop._checks import plain_array

__all__ = ["Comparison", "Interval", "Scores", "auprc", "auroc", "bootstrap_interval"]
__all__ += ["compare_predictions", "evaluate"]


class Scores(NamedTuple):
    """Scores of one binary task; nan where one is undefined, such as AUROC of one class."""

    threshold: float  #: scores at or above it count as positive
    tp: int  #: true positives
    fp: int  #: false positives
    tn: int  #: true negatives
    fn: int  #: false negatives
    sensitivity: float  #: tp / (tp + fn), also called recall
    specificity: float  #: tn / (tn + fp)
    precision: float  #: tp / (tp + fp)
    accuracy: float  #: (tp + tn) / all
    f1: float  #: harmonic mean of precision and sensitivity
    auroc: float  #: area under the ROC curve: chance that a positive scores above a negative
    auprc: float  #: average precision: area under the precision-recall curve


def evaluate(y_true, y_score, *, threshold=0.5):
    """`Scores` of predictions of one binary task, at a threshold and without one.

    Parameters
    ----------
    y_true : array of shape (N,) or (N, 1)
        0 or 1.
    y_score : array of the same shape
        Larger means more positive: probabilities, or logits with ``threshold=0``.
    threshold : float

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
    """Area under the ROC curve of labels and scores, both (N,) or (N, 1); nan of one class.

    >>> auroc([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9])
    0.75
    """
    from sklearn.metrics import roc_auc_score

    y_true, y_score = _check_scores(y_true, y_score)
    return float(roc_auc_score(y_true, y_score)) if 0 < y_true.mean() < 1 else np.nan


def auprc(y_true, y_score):
    """Average precision of labels and scores, both (N,) or (N, 1); nan of one class.

    >>> auprc([0, 1], [0.1, 0.9])
    1.0
    """
    from sklearn.metrics import average_precision_score

    y_true, y_score = _check_scores(y_true, y_score)
    return float(average_precision_score(y_true, y_score)) if 0 < y_true.mean() < 1 else np.nan


class Interval(NamedTuple):
    """An estimate and its confidence interval."""

    estimate: float  #: value on all data
    low: float  #: lower end
    high: float  #: upper end


def bootstrap_interval(
    y_true, y_score, *, metric=auroc, level=0.95, n_resamples=1000, random_state=0
):
    """Percentile bootstrap `Interval` of a metric: how far another test set would have moved it.

    Parameters
    ----------
    y_true, y_score : array of shape (N,) or (N, 1)
    metric : callable
        ``metric(y_true, y_score) -> float``; resamples where it is nan do not count.
    level : float
        Between 0 and 1.
    n_resamples : int
    random_state : int or numpy.random.Generator

    Examples
    --------
    >>> bootstrap_interval([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], n_resamples=50)
    Interval(estimate=1.0, low=1.0, high=1.0)
    """
    y_true, y_score = _check_scores(y_true, y_score)

    def statistic(rows):
        return metric(y_true[rows], y_score[rows])

    found = _bootstrap(statistic, len(y_true), level, n_resamples, random_state)
    if np.isnan(found.low):
        raise ValueError("metric was nan on all resamples. Are both classes in y_true?")
    return found


class Comparison(NamedTuple):
    """How the predictions of two models differ on the same sequences."""

    agreement: pd.DataFrame  #: counts: rows = a right, a wrong; columns = b right, b wrong
    shared_mistakes: np.ndarray  #: rows that both get wrong
    auroc_difference: Interval  #: AUROC of a minus that of b, paired bootstrap; nan of one class


def compare_predictions(y_true, a, b, *, threshold=0.5, n_resamples=500, random_state=0):
    """`Comparison` of two models on the same sequences: whether they fail on the same ones.

    Parameters
    ----------
    y_true, a, b : array of shape (N,) or (N, 1)
        Truth and the two models' scores, all of one shape.
    threshold : float
        Scores at or above it count as positive.
    n_resamples, random_state
        Of the paired bootstrap, see `bootstrap_interval`.

    Examples
    --------
    >>> a, b = [0.9, 0.2, 0.1, 0.3], [0.8, 0.1, 0.7, 0.2]
    >>> result = compare_predictions([1, 1, 0, 0], a, b, n_resamples=50)
    >>> result.agreement.to_numpy().tolist(), result.shared_mistakes
    ([[2, 1], [0, 1]], array([1]))
    """
    from sklearn.metrics import confusion_matrix

    truth, a = _check_scores(y_true, a, name="a")
    b = _check_scores(y_true, b, name="b")[1]
    threshold = _check_threshold(threshold)
    wrong_a, wrong_b = (a >= threshold) != truth, (b >= threshold) != truth
    counts = confusion_matrix(wrong_a, wrong_b, labels=[False, True])
    agreement = pd.DataFrame(counts, ["a right", "a wrong"], ["b right", "b wrong"])

    def difference(rows):  # of one resample, the same for both: they are paired
        return auroc(truth[rows], a[rows]) - auroc(truth[rows], b[rows])

    interval = _bootstrap(difference, len(truth), 0.95, n_resamples, random_state)
    return Comparison(agreement, np.flatnonzero(wrong_a & wrong_b), interval)


def _bootstrap(statistic, n, level, n_resamples, random_state):
    """Interval of a statistic of rows: on all of them, and on rows drawn with replacement."""
    if not 0 < level < 1 or n_resamples < 1:
        raise ValueError(f"Need 0 < level < 1 and n_resamples > 0; got {level} and {n_resamples}.")
    rng = np.random.default_rng(random_state)
    values = np.array([statistic(rng.integers(0, n, n)) for _ in range(n_resamples)])
    values = values[~np.isnan(values)] if not np.isnan(values).all() else values
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(statistic(np.arange(n))), float(low), float(high))


def _check_scores(y_true, y_score, *, name="y_score"):
    """Truth as bool (N,) and scores as float (N,)."""
    y_true, y_score = plain_array(y_true, "y_true"), plain_array(y_score, name)
    y_score = y_score.astype(np.float64)
    if y_true.shape != y_score.shape:
        raise ValueError(
            f"y_true and {name} must have one shape; got {y_true.shape} and {y_score.shape}. "
            "Index a column with [:, 0], or add an axis with [:, None]."
        )
    if y_true.ndim not in (1, 2) or y_true.shape[1:] not in ((), (1,)):
        raise ValueError(f"y_true must have shape (N,) or (N, 1), one task; got {y_true.shape}.")
    if y_true.size == 0:
        raise ValueError("y_true must hold at least one value; got none.")
    y_true, y_score = y_true.ravel(), y_score.ravel()
    if len(other := y_true[(y_true != 0) & (y_true != 1)]):
        raise ValueError(f"y_true must hold 0 and 1; got {other[0]}. Do the scores come second?")
    if len(rows := np.flatnonzero(~np.isfinite(y_score))):
        got = f"{y_score[rows[0]]} in row {rows[0]}"
        raise ValueError(f"{name} must be finite; got {got}. Has training diverged?")
    return y_true.astype(bool), y_score


def _check_threshold(threshold):
    if not isinstance(threshold, Real) or isinstance(threshold, bool) or threshold != threshold:
        raise ValueError(f"threshold must be one number; got {threshold!r}.")
    return threshold


def _ratio(part, whole):
    return part / whole if whole else np.nan
