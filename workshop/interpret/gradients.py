"""Explanations from gradients: saliency and integrated gradients, of either twin."""

from itertools import pairwise

import numpy as np

from workshop import training
from workshop._checks import positive_int
from workshop._progress import ProgressShare
from workshop.interpret.effects import twin_of
from workshop.sequences import check_not_empty, check_one_hot

__all__ = ["integrated_gradients", "saliency"]


def saliency(model, X, *, task=0, batch_size=256):
    """Gradient of one logit with respect to each entry of the input.

    What a small step towards each base would change; also bases that are not there have one.
    ``project`` keeps those that are there: "gradient times input".
    Simonyan et al., 2014, https://arxiv.org/abs/1312.6034.

    Parameters
    ----------
    model : SequenceCNN
        Of either twin.
    X : array of shape (N, L, 4)
    task : int
        Column of the output.
    batch_size : int

    Returns
    -------
    ndarray of shape (N, L, 4), float32

    Raises
    ------
    TypeError
        If `model` is not of the twins: a gradient needs its framework.
    ValueError
        If `X` or `task` does not fit the model.

    Examples
    --------
    >>> from workshop import torch_cnn
    >>> from workshop.architecture import DAY1_CNN
    >>> model = torch_cnn.build_cnn(DAY1_CNN)
    >>> saliency(model, np.full((2, 200, 4), 0.25)).shape
    (2, 200, 4)
    """
    twin, X = _check(model, X, task)
    return twin.input_gradient(model, X, task=task, batch_size=batch_size)


def integrated_gradients(
    model, X, *, baseline=None, steps=256, task=0, batch_size=256, progress=True
):
    """Average gradient on the way from a baseline to the sequence, times the difference.

    The attributions of a sequence sum to the difference of the two logits (completeness), to less
    than a thousandth of it with 256 steps. Sundararajan et al., 2017, https://arxiv.org/abs/1703.01365.

    A sum stands for the integral, and with ReLU or a maximum the gradient jumps on the way, where
    the usual rules err. Here the gradients at the two ends of each step are mixed in the ratio
    that gives this step's own change of the logit: exact where the gradient jumps once in it.

    Parameters
    ----------
    model : SequenceCNN
        Of either twin.
    X : array of shape (N, L, 4)
    baseline : array of shape (4,), (L, 4) or (N, L, 4), optional
        Where the way begins, values from 0 to 1: such as the background's shares of A, C, G, T.
        By default zeros: N everywhere, a sequence of which nothing is known.
    steps : int
        Into which the way is cut; one more gradient than steps is computed.
    task : int
        Column of the output.
    batch_size : int
        Gradients at once.
    progress : bool
        Show a line that says how much is done, if it takes more than two seconds.

    Returns
    -------
    ndarray of shape (N, L, 4), float32
        With the default baseline, 0 for each base that is not there.

    Raises
    ------
    TypeError
        If `model` is not of the twins.
    ValueError
        If `X`, `baseline`, `steps` or `task` does not fit.

    Examples
    --------
    >>> from workshop import torch_cnn
    >>> from workshop.architecture import DAY1_CNN
    >>> from workshop.datasets import load_ctcf
    >>> model, X = torch_cnn.build_cnn(DAY1_CNN), load_ctcf().X[:1]
    >>> change = torch_cnn.predict_logits(model, X) - torch_cnn.predict_logits(model, 0 * X)
    >>> bool(abs(integrated_gradients(model, X).sum() - change[0, 0]) < 1e-4)
    True
    """
    twin, X = _check(model, X, task)
    steps = positive_int(steps, "steps")
    baseline = _check_baseline(baseline, X)
    way = np.linspace(0, 1, steps + 1, dtype=np.float32)[:, None, None]
    out = np.empty_like(X)
    share = ProgressShare("integrated gradients", len(X), progress)
    for i, (x, begin) in enumerate(zip(X, baseline, strict=True)):
        points = begin + way * (x - begin)  # (steps + 1, L, 4)
        gradients = twin.input_gradient(model, points, task=task, batch_size=batch_size)
        logits = twin.predict_logits(model, points, batch_size=batch_size)[:, task]
        slopes = (gradients * (x - begin)).sum(axis=(1, 2), dtype=np.float64)
        weights = _weights(slopes, np.diff(logits.astype(np.float64)) * steps) / steps
        out[i] = (x - begin) * np.tensordot(weights, gradients, axes=1)
        share.advance(1)
    return out


def _weights(slopes, rises):
    """Weight of each point's gradient: 1 a step, shared between its ends as its rise demands."""
    weights = np.zeros(len(slopes))
    missing = 0.0  # what a step cannot give, because its rise is beyond both slopes, the next does
    for k, (left, right) in enumerate(pairwise(slopes)):
        missing += rises[k]
        share = 0.5 if left == right else np.clip((missing - right) / (left - right), 0, 1)
        weights[k : k + 2] += share, 1 - share
        missing -= share * left + (1 - share) * right
    return weights


def _check(model, X, task):
    twin = twin_of(model)
    if twin is None:
        raise TypeError(
            f"model must come from keras_cnn or torch_cnn: a gradient needs its framework; got "
            f"{type(model).__module__}.{type(model).__name__}. saturation_mutagenesis takes any "
            "function."
        )
    training.check_task(model.architecture, task)
    return twin, check_not_empty(training.check_input(model.architecture, X))


def _check_baseline(baseline, X):
    baseline = np.zeros(4) if baseline is None else np.asarray(baseline)
    if baseline.shape not in ((4,), X.shape[1:], X.shape):
        raise ValueError(
            f"baseline must have shape (4,), {X.shape[1:]} or {X.shape}; got {baseline.shape}."
        )
    return check_one_hot(np.broadcast_to(baseline, X.shape), name="baseline")
