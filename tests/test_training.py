"""`workshop.training`: what both twins' ``fit`` share, without a framework."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss, mean_absolute_error, mean_squared_error, roc_auc_score

from workshop.architecture import Architecture, Flatten
from workshop.training import (
    METRICS,
    History,
    activate,
    batch_orders,
    check_data,
    check_input,
    check_settings,
    check_task,
    check_validation,
    epoch_text,
    make_history,
    score_logits,
)


def flat(task="binary", n_outputs=1):
    return Architecture((Flatten(),), input_length=6, n_outputs=n_outputs, task=task)


X = np.full((3, 6, 4), 0.25, dtype=np.float32)
Y = np.array([[0], [1], [0]], dtype=np.float32)


# --- checks of data ---------------------------------------------------------------------------


def test_good_data_pass_through_as_float32():
    seen, targets = check_data(flat(), X, Y)
    assert seen is X
    assert targets is Y
    for dtype in (bool, int, np.float64):
        assert check_data(flat(), X.astype(np.float64), Y.astype(dtype))[1].dtype == np.float32
    assert check_data(flat(), X.tolist(), Y.tolist())[0].shape == (3, 6, 4)
    assert check_input(flat(), X[:0]).shape == (0, 6, 4)  # nothing to predict is no mistake


@pytest.mark.parametrize(
    ("bad_X", "message"),
    [
        (X.swapaxes(1, 2), r"X{} must have .*L, 4\); got \(3, 4, 6\).*X{}\.swapaxes\(1, 2\)"),
        (X[0], r"X{} must have shape .*; got \(6, 4\)\. For one sequence pass X{}\[None\]"),
        (X[:, :5], "X{} must have 6 positions, as the model; got 5"),
        (X * np.nan, "X{} must hold values from 0 to 1; got"),
        (X[:0], r"y{} must have shape \(0, 1\)"),
    ],
)
def test_bad_sequences(bad_X, message):
    with pytest.raises(ValueError, match=message.replace("{}", "_val")):
        check_data(flat(), bad_X, Y, suffix="_val")


def test_masked_data_are_refused():
    mask = np.arange(3)[:, None] < 1
    with pytest.raises(TypeError, match="y must have no masked values"):
        check_data(flat(), X, np.ma.array(Y, mask=mask))
    with pytest.raises(TypeError, match="X_val must have no masked values"):
        check_data(flat(), np.ma.array(X, mask=X > 0), Y, suffix="_val")
    assert check_data(flat(), np.ma.array(X), np.ma.array(Y))[1].tolist() == Y.tolist()


@pytest.mark.parametrize("suffix", ["", "_val"])
@pytest.mark.parametrize(
    ("y", "message"),
    [
        (Y[:2], r"y{} must have shape \(3, 1\); got \(2, 1\)"),
        (Y[:, 0], r"shape \(3, 1\); got \(3,\)\. Pass np\.asarray\(y{}\)\[:, None\]\."),
        (np.tile(Y, 2), r"got \(3, 2\)\.$"),
        (1.0, r"got \(\)\.$"),
        ([[0], [math.nan], [1]], "y{} must hold 0 and 1; got nan at .1, 0."),
        ([[0], [2], [1]], r"y{} must hold 0 and 1; got 2\.0 at .1, 0."),
        ([[0], [1], [0.5]], r"y{} must hold 0 and 1; got 0\.5 at .2, 0."),
    ],
)
def test_bad_targets(y, message, suffix):
    with pytest.raises(ValueError, match=message.replace("{}", suffix)):
        check_data(flat(), X, y, suffix=suffix)


def test_targets_of_each_task():
    check_data(flat("regression", 2), X, [[-3.5, 0], [2, 1e6], [0, 0]])
    with pytest.raises(ValueError, match=r"y must hold finite numbers; got inf at .2, 1."):
        check_data(flat("regression", 2), X, [[0, 0], [0, 0], [0, math.inf]])
    check_data(flat("multilabel", 2), X, [[1, 1], [0, 0], [0, 1]])
    check_data(flat("multiclass", 2), X, [[1, 0], [0, 1], [0, 1]])
    for row in ([1, 1, 0], [0, 0, 0]):
        with pytest.raises(ValueError, match=r"must hold one 1 a row, the class; got \[.*\]\."):
            check_data(flat("multiclass", 3), X, [[1, 0, 0], row, [0, 0, 1]])
    with pytest.raises(ValueError, match=r"got \(3, 1\)\.$"):
        check_data(flat("multiclass", 3), X, Y)


def test_validation_is_whole_or_absent():
    assert check_validation(flat(), None, None) is None
    assert check_validation(flat(), X, Y)[0] is X
    for half in ((X, None), (None, Y)):
        with pytest.raises(ValueError, match="X_val and y_val belong together; got only one"):
            check_validation(flat(), *half)
    with pytest.raises(ValueError, match=r"y_val must have shape \(3, 1\)"):
        check_validation(flat(), X, Y[:1])


# --- checks of settings -----------------------------------------------------------------------


SETTINGS = {
    "epochs": 3,
    "batch_size": 32,
    "optimizer": "adam",
    "learning_rate": 0.1,
    "random_state": 0,
}


def test_learning_rates_of_a_number_and_of_a_schedule():
    assert check_settings(**SETTINGS) == (3, 32, [0.1, 0.1, 0.1])
    schedule = {"learning_rate": lambda epoch: np.float32(1 / (1 + epoch))}
    assert check_settings(**SETTINGS | schedule)[2] == pytest.approx([1, 1 / 2, 1 / 3])
    epochs, _, rates = check_settings(**SETTINGS | {"epochs": np.int64(5)})
    assert type(epochs) is int
    assert len(rates) == epochs == 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        *(
            ({name: value}, f"{name} must be a whole number, 1 or more; got")
            for name in ("epochs", "batch_size")
            for value in (0, -1, 2.0, True, "3", None)
        ),
        ({"optimizer": "Adam"}, "optimizer must be one of adam, sgd; got 'Adam'"),
        ({"learning_rate": 0}, r"learning_rate must be positive, .*; got 0"),
        ({"learning_rate": "0.1"}, "learning_rate must be .*; got '0.1'"),
        ({"learning_rate": None}, "learning_rate must be .*; got None"),
        *(
            ({"random_state": value}, r"random_state must be a whole number from 0 to 2\*\*32 - 1")
            for value in (-1, 2**32, None, 0.5, "a", np.random.default_rng(0))
        ),
        ({"learning_rate": math.nan}, "got nan"),
        ({"learning_rate": math.inf}, "got inf"),
        ({"learning_rate": lambda epoch: 1 - epoch / 2}, r"got 0\.0"),
    ],
)
def test_bad_settings(changes, message):
    with pytest.raises(ValueError, match=message):
        check_settings(**SETTINGS | changes)


def test_output_columns():
    for task in (0, 2, np.int64(0), np.uint8(2)):
        assert type(check_task(3, task)) is int
    for task in (3, -1, True, np.True_, 1.0, "0"):
        with pytest.raises(ValueError, match=f"a column of the output, 0 to 2; got {task!r}"):
            check_task(3, task)


# --- scores, order, history -------------------------------------------------------------------


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def test_scores_by_hand():
    scores = score_logits("binary", [[0.0], [math.log(3)]], [[1], [0]])
    assert scores["loss"] == pytest.approx((math.log(2) + math.log(4)) / 2)
    assert scores["accuracy"] == 0  # a logit of 0 counts as negative
    assert scores["auroc"] == 0
    assert score_logits("regression", [[1.0, 2.0]], [[0, 4]]) == {"loss": 2.5, "mae": 1.5}


@pytest.mark.parametrize("task", METRICS)
def test_scores_equal_sklearns(task):
    rng = np.random.default_rng(0)
    n_outputs = 1 if task == "binary" else 3
    logits = rng.normal(0, 3, (50, n_outputs)).astype(np.float32)
    found_keys = ("loss", *METRICS[task])
    if task == "regression":
        y = rng.normal(size=(50, 3))
        expected = {"loss": mean_squared_error(y, logits), "mae": mean_absolute_error(y, logits)}
    elif task == "multiclass":
        classes = rng.integers(0, 3, 50)
        y = np.eye(3)[classes]
        expected = {
            "loss": log_loss(classes, softmax(logits.astype(np.float64))),
            "accuracy": np.mean(logits.argmax(axis=1) == classes),
        }
    else:
        y = rng.integers(0, 2, (50, n_outputs))
        p = 1 / (1 + np.exp(-logits.astype(np.float64)))
        expected = {
            "loss": np.mean([log_loss(y[:, t], p[:, t]) for t in range(n_outputs)]),
            "accuracy": np.mean((p > 0.5) == y),
            "auroc": roc_auc_score(y, logits),
        }
    found = score_logits(task, logits, y)
    assert tuple(found) == found_keys
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("task", METRICS)
def test_extreme_logits_have_finite_losses_and_diverged_ones_are_nan(task):
    y = np.array([[1, 0], [0, 1]])
    big = np.array([[-1e4, 1e4], [1e4, -1e4]])
    assert math.isfinite(score_logits(task, big, y)["loss"])
    for value in (math.nan, math.inf):
        scores = score_logits(task, np.where(big > 0, value, big), y)
        assert set(scores) == {"loss", *METRICS[task]}
        assert all(math.isnan(score) for score in scores.values())


def test_auroc_of_one_class_is_nan():
    scores = score_logits("binary", [[0.5], [1.5]], [[1], [1]])
    assert math.isnan(scores["auroc"])
    assert scores["accuracy"] == 1


@given(st.integers(1, 50), st.integers(1, 5), st.integers(0, 2**32))
def test_each_epoch_sees_every_row_once(n, epochs, seed):
    orders = list(batch_orders(n, epochs, seed))
    assert len(orders) == epochs
    for order in orders:
        assert sorted(order.tolist()) == list(range(n))
        assert order.dtype == np.int64
    for order, again in zip(orders, batch_orders(n, epochs + 1, seed), strict=False):
        np.testing.assert_array_equal(order, again)  # more epochs, the same start


def test_history_has_its_columns_in_order():
    first = {"val_auroc": 1, "loss": 0.7, "epoch": 1, "auroc": 0.5, "val_loss": 2}
    rows = [first, first | {"epoch": 2, "loss": 0.4}]
    columns = ["epoch", "loss", "auroc", "val_loss", "val_auroc"]
    history = make_history(rows, columns, epochs=3)
    assert list(history.table) == columns
    assert history.table.attrs == {"epochs": 3, "run": 2}
    assert isinstance(history, History)
    assert history.last["loss"] == 0.4
    assert history.table["epoch"].tolist() == [1, 2]
    with pytest.raises(AttributeError, match="cannot assign to field 'table'"):
        history.table = None


def test_text_of_an_epoch():
    row = {"epoch": 3, "learning_rate": 0.001, "loss": 0.61249, "val_loss": math.nan}
    assert epoch_text(row, 20) == "epoch 3/20  loss 0.612  val_loss nan"


def test_activations_by_hand():
    z = np.float32([[0, math.log(3)]])
    np.testing.assert_allclose(activate("multilabel", z), [[0.5, 0.75]], rtol=1e-6)
    np.testing.assert_allclose(activate("multiclass", z), [[0.25, 0.75]], rtol=1e-6)
    assert activate("regression", z) is z
    assert activate("binary", z).dtype == np.float32
