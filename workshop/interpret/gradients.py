"""Explanations from gradients: saliency and integrated gradients, of either twin."""

import numpy as np

from workshop._checks import plain_array, whole_number
from workshop._progress import ProgressShare
from workshop.interpret.mutagenesis import checked_twin
from workshop.sequences import check_one_hot

NEEDS = ": a gradient needs its framework; saturation_mutagenesis takes any function"


def saliency(model, X, *, task=0, batch_size=256):
    """Gradient (N, L, 4), float32, of one logit with respect to each entry of the input.

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

    Examples
    --------
    >>> from workshop import torch_cnn
    >>> from workshop.architecture import DAY1_CNN
    >>> model = torch_cnn.build_cnn(DAY1_CNN)
    >>> saliency(model, np.full((2, 200, 4), 0.25)).shape
    (2, 200, 4)
    """
    twin, X, task = checked_twin(model, X, task, NEEDS)
    return twin.input_gradient(model, X, task=task, batch_size=batch_size)


def integrated_gradients(
    model, X, *, baseline=None, steps=256, task=0, batch_size=256, progress=True
):
    """Average gradient on the way from a baseline to the sequence, times the difference.

    The attributions of a sequence sum to the difference of the two logits (completeness). The
    integral is taken by the trapezoid rule: the sum has an error, which the progress line says in
    the end. More `steps` make it smaller; it is largest where the gradient jumps on the way, as it
    does with ReLU or a maximum.
    Sundararajan et al., 2017, https://arxiv.org/abs/1703.01365.

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
        Show a line that says how much is done, and in the end how complete the attributions are.

    Returns
    -------
    ndarray of shape (N, L, 4), float32
        With the default baseline, 0 for each base that is not there.

    Examples
    --------
    >>> from workshop import torch_cnn
    >>> from workshop.architecture import DAY1_CNN
    >>> from workshop.datasets import load_ctcf
    >>> model, X = torch_cnn.build_cnn(DAY1_CNN), load_ctcf().X[:1]
    >>> change = torch_cnn.predict_logits(model, X) - torch_cnn.predict_logits(model, 0 * X)
    >>> bool(abs(integrated_gradients(model, X).sum() - change[0, 0]) < 0.01 * abs(change[0, 0]))
    True
    """
    twin, X, task = checked_twin(model, X, task, NEEDS)
    steps = whole_number(steps, "steps")
    baseline = _check_baseline(baseline, X)
    way = np.linspace(0, 1, steps + 1, dtype=np.float32)[:, None, None]
    weights = np.full(steps + 1, 1 / steps, dtype=np.float32)
    weights[[0, -1]] /= 2  # the trapezoid rule: each end belongs to one step, the others to two
    scores = np.empty_like(X)
    share = ProgressShare("integrated gradients", len(X), progress)
    for i, (x, start) in enumerate(zip(X, baseline, strict=True)):
        points = start + way * (x - start)  # (steps + 1, L, 4)
        gradients = twin.input_gradient(model, points, task=task, batch_size=batch_size)
        scores[i] = (x - start) * np.tensordot(weights, gradients, axes=1)
        share.advance(1)
    logits, logits_before = (twin.predict_logits(model, each)[:, task] for each in (X, baseline))
    change = logits - logits_before
    error = np.abs(scores.sum(axis=(1, 2)) - change).max()
    said = f"the scores sum to the change of the logit ({np.abs(change).mean():.3g} on average)"
    share.line.show(f"integrated gradients: {said} to within {error:.2g}", last=True)
    return scores


def _check_baseline(baseline, X):
    baseline = np.zeros(4) if baseline is None else plain_array(baseline, "baseline")
    if baseline.shape not in ((4,), X.shape[1:], X.shape):
        raise ValueError(
            f"baseline must have shape (4,), {X.shape[1:]} or {X.shape}; got {baseline.shape}."
        )
    return check_one_hot(np.broadcast_to(baseline, X.shape), name="baseline")
