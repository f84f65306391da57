"""What the ``fit`` of both twins has in common: checks, batch order, history, progress line."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workshop._checks import positive_int
from workshop.architecture import Architecture
from workshop.evaluation import auroc
from workshop.sequences import check_one_hot

__all__ = [
    "METRICS",
    "OPTIMIZERS",
    "History",
    "batch_orders",
    "check_data",
    "check_settings",
    "score_logits",
]

OPTIMIZERS = ("adam", "sgd")
"""Optimisers by name, each with Keras's defaults in both twins."""

METRICS = {
    "binary": ("accuracy", "auroc"),
    "multilabel": ("accuracy", "auroc"),
    "multiclass": ("accuracy",),
    "regression": ("mae",),
}
"""Metrics beside the loss by task; AUROC of several labels is their mean."""


@dataclass(frozen=True, eq=False)
class History:
    """What happened during training.

    Parameters
    ----------
    table : DataFrame
        A row an epoch: epoch (from 1), learning_rate, loss and the task's `METRICS` while
        training, and the same with ``val_`` before the name where there was validation data.

    Examples
    --------
    >>> history = History(pd.DataFrame({"epoch": [1, 2], "loss": [0.7, 0.5]}))
    >>> history.last["loss"]
    np.float64(0.5)
    """

    table: pd.DataFrame

    @property
    def last(self):
        """The last epoch's row, a Series."""
        return self.table.iloc[-1]


def check_data(architecture, X, y, *, suffix=""):
    """Check sequences and targets against an architecture.

    Parameters
    ----------
    architecture : Architecture
    X : array of shape (N, L, 4)
    y : array of shape (N, T)
    suffix : str
        Added to the names X and y in messages, such as ``"_val"``.

    Returns
    -------
    X, y : ndarray, float32

    Raises
    ------
    ValueError
        If a shape or a value does not fit; the message says what was expected.

    Examples
    --------
    >>> from workshop.architecture import DAY1_CNN
    >>> X, y = check_data(DAY1_CNN, np.full((2, 200, 4), 0.25), [[0], [1]])
    >>> y.dtype
    dtype('float32')
    """
    X = check_input(architecture, X, name=f"X{suffix}")
    y, name = np.asarray(y), f"y{suffix}"
    expected = (len(X), architecture.n_outputs)
    if y.shape != expected:
        hint = (
            f" Pass np.asarray({name})[:, None]." if y.ndim == 1 and (len(y), 1) == expected else ""
        )
        raise ValueError(
            f"{name} must have shape {expected}, a row a sequence and a column an output; got "
            f"{y.shape}.{hint}"
        )
    if len(X) == 0:
        raise ValueError(f"X{suffix} must hold at least one sequence; got none.")
    y = y.astype(np.float32, copy=False)
    if not np.isfinite(y).all():
        i, t = (int(k) for k in np.argwhere(~np.isfinite(y))[0])
        raise ValueError(f"{name} must be finite; got {y[i, t]} in row {i}, column {t}.")
    if architecture.task != "regression" and not np.isin(y, (0, 1)).all():
        i, t = (int(k) for k in np.argwhere(~np.isin(y, (0, 1)))[0])
        raise ValueError(f"{name} must hold 0 and 1; got {y[i, t]} in row {i}, column {t}.")
    if architecture.task == "multiclass" and (y.sum(axis=1) != 1).any():
        i = int(np.flatnonzero(y.sum(axis=1) != 1)[0])
        raise ValueError(
            f"{name} must hold one 1 a row, the class; got {y[i].tolist()} in row {i}."
        )
    return X, y


def check_input(architecture, X, *, name="X"):
    """Check sequences against the length that an architecture takes; return them as float32."""
    X = check_one_hot(X, name=name)
    if X.shape[1] != architecture.input_length:
        raise ValueError(
            f"{name} must have {architecture.input_length} positions, the model's input_length; "
            f"got {X.shape[1]}."
        )
    return X


def check_settings(*, epochs, batch_size, optimizer, learning_rate, random_state):
    """Check the settings of a fit.

    Parameters
    ----------
    epochs, batch_size : int
    optimizer : str
        One of `OPTIMIZERS`.
    learning_rate : float or callable
        A number, or a schedule: a function of the epoch, counted from 0.
    random_state : int
        From 0 to 2**32 - 1.

    Returns
    -------
    epochs, batch_size : int
    rates : list of float
        Learning rate of each epoch.

    Raises
    ------
    ValueError
        If a setting is out of its range.

    Examples
    --------
    >>> check_settings(
    ...     epochs=2,
    ...     batch_size=64,
    ...     optimizer="adam",
    ...     learning_rate=lambda epoch: 0.1 / (epoch + 1),
    ...     random_state=0,
    ... )
    (2, 64, [0.1, 0.05])
    """
    epochs, batch_size = positive_int(epochs, "epochs"), positive_int(batch_size, "batch_size")
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"optimizer must be one of {', '.join(OPTIMIZERS)}; got {optimizer!r}.")
    if not isinstance(random_state, (int, np.integer)) or not 0 <= random_state < 2**32:
        raise ValueError(
            f"random_state must be a whole number from 0 to 2**32 - 1; got {random_state!r}."
        )
    schedule = learning_rate if callable(learning_rate) else lambda epoch: learning_rate
    rates = [schedule(epoch) for epoch in range(epochs)]
    for epoch, rate in enumerate(rates):
        if not isinstance(rate, (int, float, np.number)) or not 0 < rate < np.inf:
            raise ValueError(
                "learning_rate must be a positive number, or a function from epoch to one; got "
                f"{rate!r} for epoch {epoch}."
            )
    return epochs, batch_size, [float(rate) for rate in rates]


def check_validation(architecture, X_val, y_val):
    """Check validation data; None where there is none, an error where half of it is missing."""
    if X_val is None and y_val is None:
        return None
    if X_val is None or y_val is None:
        raise ValueError("X_val and y_val belong together; got only one of them.")
    return check_data(architecture, X_val, y_val, suffix="_val")


def check_callbacks(callbacks, kind):
    """Refuse callbacks that are not of the framework at hand; return them as a list."""
    name = kind.__module__.split(".")[0]
    try:
        callbacks = list(callbacks)
    except TypeError:
        raise TypeError(
            f"callbacks must be a list of callbacks of {name}; got {callbacks!r}. Pass [callback]."
        ) from None
    for callback in callbacks:
        if isinstance(callback, type):
            raise TypeError(f"callbacks must be made first: {callback.__name__}(...).")
        if not isinstance(callback, kind):
            raise TypeError(
                f"callbacks must be of {name}; got a "
                f"{type(callback).__module__}.{type(callback).__name__}."
            )
    return callbacks


def check_task(architecture, task):
    """Refuse an output column that the model does not have."""
    if not isinstance(task, (int, np.integer)) or not 0 <= task < architecture.n_outputs:
        raise ValueError(
            f"task must be a column of the output, 0 to {architecture.n_outputs - 1}; got {task!r}."
        )


def score_logits(task, logits, y):
    """Loss and `METRICS` of logits, the same numbers for both twins.

    Parameters
    ----------
    task : str
    logits, y : array of shape (N, T)

    Returns
    -------
    dict of str to float
        ``auroc`` is nan while `y` holds one class only; all are nan once a logit is not finite:
        training has diverged.

    Examples
    --------
    >>> scores = score_logits("binary", [[-3.0], [3.0]], [[0], [1]])
    >>> round(float(scores["loss"]), 3), float(scores["accuracy"])
    (0.049, 1.0)
    """
    logits, y = np.float64(logits), np.float64(y)
    if not np.isfinite(logits).all():
        return dict.fromkeys(("loss", *METRICS[task]), np.nan)
    if task == "regression":
        return {"loss": np.mean((logits - y) ** 2), "mae": np.mean(np.abs(logits - y))}
    if task == "multiclass":
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        right = logits.argmax(axis=1) == y.argmax(axis=1)
        return {"loss": -np.mean((y * log_p).sum(axis=1)), "accuracy": np.mean(right)}
    return {
        "loss": np.mean(np.logaddexp(0, logits) - y * logits),  # stable cross-entropy
        "accuracy": np.mean((logits > 0) == (y > 0)),
        "auroc": np.mean([auroc(y[:, t], logits[:, t]) for t in range(y.shape[1])]),
    }


def batch_orders(n, epochs, random_state):
    """Order of the rows in each epoch, the same for both twins.

    Parameters
    ----------
    n, epochs : int
    random_state : int or numpy.random.Generator

    Yields
    ------
    ndarray of shape (n,), int64

    Examples
    --------
    >>> [sorted(order.tolist()) for order in batch_orders(3, epochs=2, random_state=0)]
    [[0, 1, 2], [0, 1, 2]]
    """
    rng = np.random.default_rng(random_state)
    for _ in range(epochs):
        yield rng.permutation(n)


def epoch_text(row, epochs):
    """One line about an epoch, such as ``epoch 3/20  loss 0.612  val_loss 0.603``."""
    shown = [f"{name} {row[name]:.3f}" for name in row if name not in ("epoch", "learning_rate")]
    return "  ".join([f"epoch {row['epoch']}/{epochs}", *shown])


def make_history(rows):
    """Make the `History` of rows (dicts), one an epoch; validation columns come last."""
    table = pd.DataFrame(rows)
    order = ["epoch", "learning_rate", "loss", "accuracy", "auroc", "mae"]
    order += [f"val_{name}" for name in order]
    return History(table[[name for name in order if name in table]])


def check_same(path, found, expected):
    """Refuse a file that holds another architecture than the caller expects (None: any)."""
    if expected is None or found == expected:
        return
    raise ValueError(f"{path} holds another architecture: {_difference(found, expected)}.")


def _difference(found, expected):
    for i, (a, b) in enumerate(zip(found.layers, expected.layers, strict=False)):
        if a != b:
            return f"its layer {i} is {a}; expected {b}"
    for name in ("input_length", "n_outputs", "task"):
        if getattr(found, name) != getattr(expected, name):
            return f"its {name} is {getattr(found, name)!r}; expected {getattr(expected, name)!r}"
    return f"it has {len(found.layers)} layers; expected {len(expected.layers)}"


def check_architecture(architecture):
    """Refuse what is not an `Architecture` before a framework builds from it."""
    if not isinstance(architecture, Architecture):
        raise TypeError(
            "architecture must be a workshop.architecture.Architecture, such as DAY1_CNN; got "
            f"{type(architecture).__name__}."
        )
    return architecture
