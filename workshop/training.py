"""What both twins share: `History`, the order of the batches, scores of logits, and checks.

Nothing here knows a framework. That the twins draw their batches from one order and are scored by
one function is half of why they match; the other half is `architecture.initial_weights`.
"""

import contextlib
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit, log_softmax, softmax

from workshop._checks import check_random_state, is_positive, plain_array, whole_number
from workshop.architecture import TASKS, Architecture
from workshop.evaluation import auroc
from workshop.sequences import check_one_hot

__all__ = ["METRICS", "OPTIMIZERS", "History", "batch_orders", "score_logits"]

OPTIMIZERS = ("adam", "sgd")  # each with Keras's defaults in both twins
# Beside the loss, by task; AUROC of several labels is their mean.
METRICS = dict.fromkeys(("binary", "multilabel"), ("accuracy", "auroc"))
METRICS |= {"multiclass": ("accuracy",), "regression": ("mae",)}


@dataclass(frozen=True, eq=False)
class History:
    """What happened during training.

    Parameters
    ----------
    table : DataFrame
        A row an epoch: epoch (from 1), learning_rate, loss and the task's `METRICS` while
        training, and the same with ``val_`` before the name where there was validation data. No
        row where a callback stopped the run before its first epoch.

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


def batch_orders(n, epochs, random_state):
    """Yield the order of the n rows in each epoch, (n,), the same for both twins.

    >>> [sorted(order.tolist()) for order in batch_orders(3, epochs=2, random_state=0)]
    [[0, 1, 2], [0, 1, 2]]
    """
    rng = np.random.default_rng(random_state)
    for _ in range(epochs):
        yield rng.permutation(n)


def score_logits(task, logits, y, weights=1.0):
    """Loss and `METRICS` of logits, the same numbers for both twins.

    Parameters
    ----------
    task : str
    logits, y : array of shape (N, T)
    weights : array of shape (N,), optional
        By which each sequence counts in the loss; the metrics do not look at them.

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
        right = logits.argmax(axis=1) == y.argmax(axis=1)
        losses = -(y * log_softmax(logits, axis=1)).sum(axis=1)
        return {"loss": np.mean(weights * losses), "accuracy": np.mean(right)}
    losses = (np.logaddexp(0, logits) - y * logits).mean(axis=1)  # stable cross-entropy
    return {
        "loss": np.mean(weights * losses),
        "accuracy": np.mean((logits > 0) == (y > 0)),
        "auroc": np.mean([auroc(y[:, t], logits[:, t]) for t in range(y.shape[1])]),
    }


def activate(task, logits):
    """Probabilities, or the values of a regression: logits after the activation of the task."""
    if TASKS[task] == "sigmoid":
        return expit(logits)
    return softmax(logits, axis=1) if TASKS[task] == "softmax" else logits


def in_batches(function, X, batch_size, *, shape):
    """Apply a function to X, some rows at a time; it gives an array of `shape` for each row."""
    batch_size = whole_number(batch_size, "batch_size")
    out = np.empty((len(X), *shape), dtype=np.float32)
    for start in range(0, len(X), batch_size):
        out[start : start + batch_size] = function(X[start : start + batch_size])
    return out


def history_columns(task, validation):
    """Columns of a `History`; those of validation where there is such data."""
    names = ["loss", *METRICS[task]]
    return ["epoch", "learning_rate", *names, *(f"val_{name}" for name in names if validation)]


def make_history(rows, columns, epochs):
    """Make the `History` of rows (dicts), one an epoch; it has `columns` also where there is none.

    Its table knows how many epochs were asked for and run, in `attrs`, which a part of it keeps.
    """
    table = pd.DataFrame(rows, columns=columns, dtype=None if rows else float)
    table.attrs = {"epochs": epochs, "run": len(rows)}
    return History(table)


def epoch_text(row, epochs):
    """One line about an epoch, such as ``epoch 3/20  loss 0.612  val_loss 0.603``."""
    shown = [f"{name} {row[name]:.3f}" for name in row if name not in ("epoch", "learning_rate")]
    return "  ".join([f"epoch {row['epoch']}/{epochs}", *shown])


def check_architecture(architecture):
    """Refuse what is not an `Architecture` before a framework builds from it."""
    if not isinstance(architecture, Architecture):
        raise TypeError(f"architecture must be an Architecture; got {architecture!r}.")
    return architecture


def architecture_of(model, kind):
    """Architecture of a model, which must be of `kind`: the `SequenceCNN` of the twin at hand."""
    if not isinstance(model, kind):
        raise TypeError(f"model must come from {kind.__module__}; got {type(model).__name__}.")
    return model.architecture


def check_data(architecture, X, y, *, suffix=""):
    """Check sequences and targets; return X and y as float32. `suffix`: such as ``_val``."""
    X = check_input(architecture, X, name=f"X{suffix}")
    name = f"y{suffix}"
    y = plain_array(y, name)
    expected = (len(X), architecture.n_outputs)
    if y.shape != expected:
        hint = f" Pass np.asarray({name})[:, None]." if (*y.shape, 1) == expected else ""
        raise ValueError(f"{name} must have shape {expected}; got {y.shape}.{hint}")
    if len(X) == 0:
        raise ValueError(f"X{suffix} must hold at least one sequence; got none.")
    y = y.astype(np.float32, copy=False)
    if architecture.task == "regression":
        allowed, what = np.isfinite(y), "finite numbers"
    else:
        allowed, what = np.isin(y, (0, 1)), "0 and 1"
    if not allowed.all():
        row, column = np.argwhere(~allowed)[0]
        raise ValueError(f"{name} must hold {what}; got {y[row, column]} at [{row}, {column}].")
    wrong = y.sum(axis=1) != 1
    if architecture.task == "multiclass" and wrong.any():
        raise ValueError(f"{name} must hold one 1 a row, the class; got {y[wrong][0].tolist()}.")
    return X, y


def check_input(architecture, X, *, name="X"):
    """Check sequences against the length that an architecture takes; return them as float32."""
    X = check_one_hot(X, name=name)
    if X.shape[1] != (length := architecture.input_length):
        raise ValueError(f"{name} must have {length} positions, as the model; got {X.shape[1]}.")
    return X


def check_validation(architecture, X_val, y_val):
    """Check validation data; None where there is none, an error where half of it is missing."""
    if X_val is None and y_val is None:
        return None
    if X_val is None or y_val is None:
        raise ValueError("X_val and y_val belong together; got only one of them.")
    return check_data(architecture, X_val, y_val, suffix="_val")


def check_settings(epochs, batch_size, optimizer, learning_rate, random_state):
    """Check the settings of a fit; return epochs, batch size and the rate of each epoch."""
    epochs, batch_size = whole_number(epochs, "epochs"), whole_number(batch_size, "batch_size")
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"optimizer must be one of {', '.join(OPTIMIZERS)}; got {optimizer!r}.")
    check_random_state(random_state)
    schedule = learning_rate if callable(learning_rate) else lambda epoch: learning_rate
    rates = [schedule(epoch) for epoch in range(epochs)]
    if wrong := [rate for rate in rates if not is_positive(rate)]:
        raise ValueError(f"learning_rate must be positive, or a schedule; got {wrong[0]!r}.")
    return epochs, batch_size, [float(rate) for rate in rates]


def check_callbacks(callbacks, kind, task, y, validation):
    """Refuse what is no list of the framework's callbacks, or watches what is not defined."""
    if not isinstance(callbacks, (list, tuple)) or not all(isinstance(c, kind) for c in callbacks):
        expected = f"of {kind.__module__.split('.')[0]}, each one made: [EarlyStopping(...)]"
        raise TypeError(f"callbacks must be a list of callbacks {expected}; got {callbacks!r}.")
    parts = {"auroc": (y, "y")}
    if validation:
        parts["val_auroc"] = (validation[1], "y_val")
    for callback in callbacks:
        monitor = getattr(callback, "monitor", None)
        if "auroc" in METRICS[task] and monitor in parts:
            who = f"{type(callback).__name__}(monitor={monitor!r})"
            check_both_classes(*parts[monitor], who)


def check_both_classes(y, name, what):
    """Refuse labels of which a column holds one class only, where `what` needs an AUROC."""
    if (np.ptp(y, axis=0) == 0).any():
        raise ValueError(f"{what} needs both classes, and {name} holds one only.")


@contextlib.contextmanager
def beginning_anew(callbacks, kind):
    """Let the framework's own callbacks begin as in their first fit, and as new ones would.

    What a fit left in them is undone, unless the caller changed it since. Callbacks that derive
    from `kind` alone keep what they hold: only their author knows what it means.
    """
    own = kind.__module__.split(".")[0]
    before = []
    for callback in callbacks:
        if any(one.__module__.split(".")[0] == own for one in {*type(callback).__mro__} - {kind}):
            state = vars(callback)
            first, last = state.pop("_workshop_fit", ({}, {}))
            state.update({k: value for k, value in first.items() if state.get(k) is last.get(k)})
            copies = {k: v.copy() if isinstance(v, (dict, list)) else v for k, v in state.items()}
            before.append((state, copies))
    try:
        yield
    finally:
        for state, first in before:
            state["_workshop_fit"] = first, dict(state)


def explain_end(rows, epochs, callbacks):
    """Warn where a callback ended training since the metric that it watches is not defined."""
    for name in {getattr(callback, "monitor", None) for callback in callbacks}:
        if rows and rows[-1]["epoch"] < epochs and not np.isfinite(rows[-1].get(name, 0)):
            warnings.warn(
                f"Training ended after epoch {rows[-1]['epoch']} of {epochs}: {name}, which a "
                f"callback monitors, is {rows[-1][name]}. Did training diverge? Try a lower "
                "learning_rate.",
                RuntimeWarning,
                stacklevel=3,
            )


def sample_weights(task, y, class_weight):
    """One array in a tuple, the weight (N,) of each sequence by its class; or an empty tuple."""
    if class_weight is None:
        return ()
    if task not in ("binary", "multiclass"):
        raise ValueError(f"class_weight is for tasks of one class a sequence; this is {task}.")
    y = y if task == "multiclass" else np.hstack([1 - y, y])  # (N, number of classes)
    weights = class_weight
    if isinstance(weights, str) and weights == "balanced":
        weights = {k: n and len(y) / (y.shape[1] * n) for k, n in enumerate(y.sum(axis=0))}
    each = isinstance(weights, dict) and weights.keys() == set(range(y.shape[1]))
    if not each or not all(map(is_positive, weights.values())):
        raise ValueError(
            "class_weight must be 'balanced', where y holds every class, or a positive number for "
            f"each, such as {{0: 1.0, 1: 5.0}}; got {class_weight!r}."
        )
    return (np.float32(y @ [float(weights[k]) for k in range(y.shape[1])]),)


def check_log_dir(log_dir):
    """Warn where a folder for TensorBoard holds a run already."""
    if log_dir is not None and any(Path(log_dir).glob("*/events.out.tfevents.*")):
        warnings.warn(
            f"log_dir: {log_dir} holds a run already, and TensorBoard will draw both as one zigzag "
            "line. Pass a fresh folder for each fit.",
            stacklevel=3,
        )


def check_task(n_outputs, task):
    """Refuse a column that `n_outputs` do not have; return it as int."""
    whole = isinstance(task, (int, np.integer)) and not isinstance(task, bool)
    if not whole or not 0 <= task < n_outputs:
        last = n_outputs - 1
        raise ValueError(f"task must be a column of the output, 0 to {last}; got {task!r}.")
    return int(task)


def check_suffix(path, suffix):
    """The path of a model to save, whose name must end in `suffix`."""
    if Path(path).suffix != suffix:
        raise ValueError(f"path must end in {suffix}; got {Path(path).name!r}.")
    return path


def check_same(path, found, expected):
    """Refuse a file that holds another architecture than the caller expects (None: any)."""
    if expected not in (None, found):
        raise ValueError(f"{path} holds another architecture: {found}; expected {expected}.")
