"""What both twins promise, run on each: fit, predict, gradients, save and load."""

import contextlib
import json
import os
import pickle
import random
import subprocess
import sys
import warnings
import zipfile

import keras
import numpy as np
import pandas as pd
import pytest
import pytorch_lightning as pl
import tensorflow as tf
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from workshop import keras_cnn, torch_cnn
from workshop.architecture import (
    DAY1_CNN,
    Architecture,
    Conv1D,
    Dense,
    Dropout,
    Flatten,
    GlobalMaxPool,
)
from workshop.evaluation import auroc
from workshop.interpret import saturation_mutagenesis
from workshop.torch_cnn.loop import Batches

TOY = Architecture((Conv1D(8, 4, "relu"), GlobalMaxPool()), input_length=20)
SUFFIX = {keras_cnn: ".keras", torch_cnn: ".ckpt"}


@pytest.fixture(params=[keras_cnn, torch_cnn], ids=["keras", "torch"])
def twin(request):
    return request.param


@pytest.fixture
def untraced():
    """Keras runs as Python: a graph is not worth its second where a batch is all there is."""
    tf.config.run_functions_eagerly(True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Even though the `tf.config", UserWarning)
        yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def toy():
    """Sequences with and without GATA in the middle (some have it by chance): X and y of 160."""
    rng = np.random.default_rng(0)
    X = np.eye(4, dtype=np.float32)[rng.integers(0, 4, (160, 20))]
    y = (np.arange(160) % 2).astype(np.float32)[:, None]
    X[1::2, 8:12] = np.eye(4)[[2, 0, 3, 0]]
    return X, y


def checkpoint(twin, path):
    """The framework's own callback that keeps the best model at `path`."""
    if twin is keras_cnn:
        return keras.callbacks.ModelCheckpoint(
            path, monitor="val_auroc", mode="max", save_best_only=True
        )
    return pl.callbacks.ModelCheckpoint(
        path.parent, filename=path.stem, monitor="val_auroc", mode="max"
    )


# --- fit ------------------------------------------------------------------------------------


def test_fit_learns_a_motif(twin, toy):
    X, y = toy
    model = twin.build_cnn(Architecture((Conv1D(8, 4, "relu"), Flatten()), input_length=20))
    history = twin.fit(
        model, X[:120], y[:120], X_val=X[120:], y_val=y[120:], epochs=30, learning_rate=0.01
    )
    assert history.last["val_auroc"] > 0.9
    assert history.table["epoch"].tolist() == list(range(1, 31))
    assert list(history.table) == [
        *("epoch", "learning_rate", "loss", "accuracy", "auroc"),
        *("val_loss", "val_accuracy", "val_auroc"),
    ]


def test_fit_is_deterministic_and_the_seed_counts(twin, toy):
    X, y = toy

    layers = (Flatten(), Dense(16), Dropout(0.5), Dense(16), Dropout(0.5))
    with_dropout = Architecture(layers, input_length=20)

    def losses(random_state):
        model = twin.build_cnn(with_dropout)
        history = twin.fit(model, X, y, epochs=2, batch_size=32, random_state=random_state)
        np.testing.assert_array_equal(twin.predict(model, X), twin.predict(model, X))
        return history.table["loss"].tolist()

    assert losses(0) == losses(0)
    assert losses(0) != losses(1)


def test_learning_rate_schedule_is_followed(twin, toy):
    X, y = toy
    history = twin.fit(
        twin.build_cnn(TOY), X, y, epochs=3, learning_rate=lambda epoch: 0.01 * 0.5**epoch
    )
    np.testing.assert_allclose(history.table["learning_rate"], [0.01, 0.005, 0.0025], rtol=1e-6)


def test_checkpoint_keeps_the_best_epoch(twin, toy, tmp_path):
    X, y = toy
    path = tmp_path / f"best{SUFFIX[twin]}"
    model = twin.build_cnn(TOY)
    # The last epoch's huge step ruins the model; the file must not be that one.
    history = twin.fit(
        model,
        X,
        y,
        X_val=X,
        y_val=y,
        epochs=8,
        learning_rate=lambda epoch: 0.02 if epoch < 7 else 50.0,
        callbacks=[checkpoint(twin, path)],
    )
    best = twin.load(path)
    assert history.table["val_auroc"].idxmax() < 7
    assert auroc(y, twin.predict(best, X)) == pytest.approx(history.table["val_auroc"].max())


def test_both_write_the_same_tensorboard_tags(toy, tmp_path):
    X, y = toy
    for twin in (keras_cnn, torch_cnn):
        folder = tmp_path / twin.__name__
        twin.fit(twin.build_cnn(TOY), X, y, X_val=X, y_val=y, epochs=2, log_dir=folder)
        for run in ("train", "validation"):
            found = EventAccumulator(str(folder / run)).Reload().Tags()
            tags = {*found["scalars"], *found["tensors"]}
            assert {"epoch_loss", "epoch_accuracy", "epoch_auroc"} <= tags


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_diverging_fit_ends_with_nan_and_no_crash(twin, toy, task):
    X, y = toy
    layers = (Conv1D(4, 3, "exponential"), Flatten(), Dense(4, "exponential"))
    model = twin.build_cnn(Architecture(layers, 20, 1, task))
    history = twin.fit(model, X, y, X_val=X, y_val=y, epochs=3, optimizer="sgd", learning_rate=1e6)
    assert np.isnan(history.last["val_loss"])
    assert np.isnan(history.last["loss"])


def test_keyboard_interrupt_passes_through(twin, toy):
    X, y = toy
    base = keras.callbacks.Callback if twin is keras_cnn else pl.Callback

    def interrupt(self, *args, **kwargs):
        raise KeyboardInterrupt

    hook = "on_epoch_end" if twin is keras_cnn else "on_train_epoch_end"
    callback = type("Interrupt", (base,), {hook: interrupt})()
    with pytest.raises(KeyboardInterrupt):
        twin.fit(twin.build_cnn(TOY), X, y, epochs=3, callbacks=[callback])


def test_fit_says_nothing_unasked_and_leaves_its_input_alone(twin, toy, capfd):
    X, y = (array.copy() for array in toy)
    X.flags.writeable = y.flags.writeable = False
    twin.fit(twin.build_cnn(TOY), X, y, X_val=X, y_val=y, epochs=1)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"X": np.zeros((160, 4, 20))}, ValueError, r"pass X.swapaxes\(1, 2\)"),
        ({"y": np.zeros(160)}, ValueError, r"got \(160,\). Pass np\.asarray\(y\)\[:, None\]"),
        ({"X_val": np.zeros((1, 20, 4))}, ValueError, "X_val and y_val belong together"),
        ({"epochs": 0}, ValueError, "epochs must be a whole number, 1 or more; got 0"),
        ({"learning_rate": -1}, ValueError, "learning_rate must be positive, .*-1"),
        ({"callbacks": [len]}, TypeError, r"callbacks must be a list of callbacks of .*; got \[<"),
        ({"class_weight": {0: 1.0}}, ValueError, r"class_weight must be 'balanced'.*; got \{0: 1"),
        ({"class_weight": {0: 1, 1: -2}}, ValueError, "a positive number for each"),
        ({"class_weight": 5}, ValueError, "class_weight must be .*; got 5"),
        (
            {"class_weight": "balanced", "y": np.ones((160, 1))},
            ValueError,
            "'balanced', where y holds every class",
        ),
        ({"callbacks": 3}, TypeError, r"callbacks must be a list of callbacks of .*; got 3"),
    ],
)
def test_fit_checks_what_it_is_given(twin, toy, changes, error, message):
    data = {"X": toy[0], "y": toy[1]}
    with pytest.raises(error, match=message):
        twin.fit(twin.build_cnn(TOY), **data | changes)


@pytest.mark.parametrize("task", ["regression", "multilabel"])
def test_class_weights_are_for_classes(twin, toy, task):
    model = twin.build_cnn(Architecture((Flatten(),), 20, 2, task))
    with pytest.raises(ValueError, match=f"one class a sequence; this is {task}"):
        twin.fit(model, toy[0], np.zeros((160, 2)), class_weight="balanced")


def test_predictions_check_what_they_are_given(twin, toy):
    model = twin.build_cnn(TOY)
    for function in (twin.predict, twin.predict_logits, twin.input_gradient):
        with pytest.raises(ValueError, match="batch_size must be a whole number, 1 or more"):
            function(model, toy[0], batch_size=0)
        with pytest.raises(ValueError, match=r"must have 20 positions.*got 19"):
            function(model, toy[0][:, :19])
    with pytest.raises(ValueError, match="task must be a column of the output, 0 to 0; got 1"):
        twin.input_gradient(model, toy[0], task=1)


def test_keras_trains_in_mixed_precision(toy):
    """As students do who look for speed on a GPU."""
    whole = keras_cnn.fit(keras_cnn.build_cnn(TOY), *toy, epochs=2)
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        mixed = keras_cnn.fit(keras_cnn.build_cnn(TOY), *toy, epochs=2)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert mixed.last["loss"] == pytest.approx(whole.last["loss"], rel=0.01)
    assert mixed.last["loss"] != whole.last["loss"]


def odd_copies(array):
    """The same numbers in other places: what slices, files and NumPy's operations leave behind."""
    packed = np.zeros(array.shape, dtype=[("skip", "i1"), ("value", "f4")])
    packed["value"] = array
    unaligned = np.frombuffer(b"-" + array.tobytes(), "f4", offset=1).reshape(array.shape)
    still = array.copy()
    still.flags.writeable = False
    return {
        "reversed": array[::-1].copy()[::-1],
        "strided": np.repeat(array, 2, axis=0)[::2],
        "fortran": np.asfortranarray(array),
        "field": packed["value"],
        "unaligned": unaligned,
        "big-endian": array.astype(">f4"),
        "read-only": still,
        "broadcast": np.broadcast_to(array[:1], array.shape) if len(array) == 1 else array,
    }


@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize("n", [1, 2])
def test_arrays_of_any_layout_are_served(twin, toy, n):
    X, y = toy[0][:n], toy[1][:n]
    expected = twin.predict(twin.build_cnn(TOY), X), twin.input_gradient(twin.build_cnn(TOY), X)
    loss = twin.fit(twin.build_cnn(TOY), X, y, epochs=1, progress=False).last["loss"]
    for name, x in odd_copies(X).items():
        model, target = twin.build_cnn(TOY), odd_copies(y)[name]
        np.testing.assert_array_equal(twin.predict(model, x), expected[0], err_msg=name)
        np.testing.assert_array_equal(twin.input_gradient(model, x), expected[1], err_msg=name)
        data = {"X_val": x, "y_val": target, "epochs": 1, "progress": False}
        assert twin.fit(model, x, target, **data).last["loss"] == loss, name


def test_weights_of_any_layout_are_served(twin):
    small = Architecture((Conv1D(2, 1), GlobalMaxPool()), input_length=5)  # a kernel of length 1
    weights = twin.get_weights(twin.build_cnn(small, random_state=1))
    for name in odd_copies(weights["output.bias"]):
        model = twin.build_cnn(small)
        twin.set_weights(model, {key: odd_copies(value)[name] for key, value in weights.items()})
        for key, value in twin.get_weights(model).items():
            np.testing.assert_array_equal(value, weights[key], err_msg=name)
    with pytest.raises(TypeError, match=r"output\.bias must have no masked values"):
        twin.set_weights(model, weights | {"output.bias": np.ma.array([1.0], mask=True)})


@pytest.mark.usefixtures("untraced")
def test_numbers_of_other_kinds_are_served(twin, toy):
    X, y = toy[0][:8], toy[1][:8]
    expected = twin.predict(twin.build_cnn(TOY), X)
    loss = twin.fit(twin.build_cnn(TOY), X, y, epochs=1, progress=False).last["loss"]
    kinds = ["f2", "f8", "g", "i8", "u1", "?"]
    tensors = torch.tensor(X, dtype=torch.float64, requires_grad=True), tf.constant(X, tf.float16)
    for x in (*(X.astype(kind) for kind in kinds), *tensors, X.tolist(), np.ma.array(X)):
        np.testing.assert_array_equal(twin.predict(twin.build_cnn(TOY), x), expected)
    for target in (*(y.astype(kind) for kind in (*kinds, "O")), pd.DataFrame(y), tf.constant(y)):
        history = twin.fit(twin.build_cnn(TOY), X, target, epochs=1, progress=False)
        assert history.last["loss"] == loss
    with pytest.raises(TypeError, match="X must hold numbers; got object"):
        twin.predict(twin.build_cnn(TOY), X.astype(object))


@contextlib.contextmanager
def in_precision(twin, precision):
    """A model that computes in `precision`, as each framework's users make one."""
    if twin is torch_cnn:
        yield twin.build_cnn(TOY).to(getattr(torch, precision))
        return
    keras.config.set_dtype_policy(precision)
    try:
        yield twin.build_cnn(TOY)
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    ("precision", "error"), [("float64", 1e-6), ("float16", 2e-3), ("bfloat16", 2e-2)]
)
def test_a_model_of_another_precision_is_served(twin, toy, precision, error):
    X, y = toy[0][:64], toy[1][:64]
    usual = twin.build_cnn(TOY)
    with in_precision(twin, precision) as model:
        for verb in (twin.predict, twin.predict_logits, twin.input_gradient):
            found = verb(model, X)
            assert found.dtype == np.float32
            assert np.abs(found - verb(usual, X)).mean() < error  # a maximum may move
        weights = twin.get_weights(model)
        assert {weight.dtype for weight in weights.values()} == {np.dtype("float32")}
        np.testing.assert_allclose(
            weights["0.kernel"], twin.get_weights(usual)["0.kernel"], atol=error
        )
        warns = pytest.warns(UserWarning, match="or it does not compute in float32")
        with contextlib.nullcontext() if precision == "float64" else warns:
            effects = saturation_mutagenesis(model, X[:2])
        np.testing.assert_allclose(effects, saturation_mutagenesis(usual, X[:2]), atol=2 * error)
        data = {"X_val": X, "y_val": y, "optimizer": "sgd", "epochs": 2, "progress": False}
        losses = [twin.fit(one, X, y, **data).table["val_loss"] for one in (model, usual)]
        np.testing.assert_allclose(*losses, atol=error)


# --- predict and gradients --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "n_outputs", "activate"),
    [
        ("binary", 1, lambda z: 1 / (1 + np.exp(-z))),
        ("multilabel", 3, lambda z: 1 / (1 + np.exp(-z))),
        ("multiclass", 3, lambda z: np.exp(z) / np.exp(z).sum(1, keepdims=True)),
        ("regression", 3, lambda z: z),
    ],
)
def test_predict_applies_the_activation_of_the_task(twin, toy, task, n_outputs, activate):
    X, _ = toy
    model = twin.build_cnn(Architecture((Flatten(),), 20, n_outputs, task))
    logits, predicted = twin.predict_logits(model, X), twin.predict(model, X)
    assert predicted.shape == (160, n_outputs)
    assert predicted.dtype == logits.dtype == np.float32
    np.testing.assert_allclose(predicted, activate(logits), atol=1e-6)


def test_predict_of_no_sequence(twin):
    assert twin.predict(twin.build_cnn(TOY), np.zeros((0, 20, 4))).shape == (0, 1)


def test_input_gradient_agrees_with_finite_differences(twin, toy):
    X = toy[0][:2]
    architecture = Architecture((Conv1D(3, 5, "tanh"), Flatten()), 20, 2, "multilabel")
    model = twin.build_cnn(architecture)
    soft = X * 0.5 + 0.1
    gradient = twin.input_gradient(model, soft, task=1)
    assert gradient.shape == X.shape
    for p, base in [(0, 1), (7, 2), (19, 3)]:
        up, down = soft.copy(), soft.copy()
        up[:, p, base] += 0.05
        down[:, p, base] -= 0.05
        slope = twin.predict_logits(model, up) - twin.predict_logits(model, down)
        np.testing.assert_allclose(gradient[:, p, base], slope[:, 1] / 0.1, atol=2e-3)


def test_functions_refuse_models_they_did_not_build(twin, toy):
    other = torch_cnn if twin is keras_cnn else keras_cnn
    model = other.build_cnn(TOY)
    X, y = toy
    for function, *data in (
        *((twin.fit, X, y), (twin.predict, X), (twin.predict_logits, X)),
        *((twin.input_gradient, X), (twin.get_weights,)),
    ):
        with pytest.raises(TypeError, match="model must come from workshop"):
            function(model, *data)
    with pytest.raises(TypeError, match=r"architecture must be an Architecture; got"):
        twin.build_cnn([Conv1D(3, 3)])


def test_get_weights_gives_copies(twin):
    model = twin.build_cnn(TOY)
    twin.get_weights(model)["0.kernel"][:] = 7
    assert (twin.get_weights(model)["0.kernel"] != 7).all()


# --- save and load --------------------------------------------------------------------------


def test_saved_model_predicts_the_same(twin, toy, tmp_path):
    X, y = toy
    model = twin.build_cnn(TOY)
    twin.fit(model, X, y, epochs=2)
    path = tmp_path / f"model{SUFFIX[twin]}"
    twin.save(model, path)
    loaded = twin.load(path, architecture=TOY)
    assert loaded.architecture == TOY
    np.testing.assert_array_equal(twin.predict(loaded, X), twin.predict(model, X))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]  # no temporary file is left
    twin.fit(loaded, X, y, epochs=1)  # and it can go on learning


def test_files_open_with_the_frameworks_own_functions(toy, tmp_path):
    X, _ = toy
    model = keras_cnn.build_cnn(TOY)
    keras_cnn.save(model, tmp_path / "model.keras")
    opened = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(opened(X), keras_cnn.predict_logits(model, X), atol=1e-6)

    model = torch_cnn.build_cnn(TOY)
    torch_cnn.save(model, tmp_path / "model.ckpt")
    opened = torch_cnn.SequenceCNN.load_from_checkpoint(tmp_path / "model.ckpt")
    np.testing.assert_array_equal(
        torch_cnn.predict_logits(opened, X), torch_cnn.predict_logits(model, X)
    )


def test_load_refuses_another_architecture_and_what_is_not_there(twin, tmp_path):
    path = tmp_path / f"model{SUFFIX[twin]}"
    twin.save(twin.build_cnn(TOY), path)
    with pytest.raises(ValueError, match=r"holds another architecture: .*8, 4.*; expected .*32, 7"):
        twin.load(path, architecture=DAY1_CNN)
    with pytest.raises(FileNotFoundError, match="No model at"):
        twin.load(tmp_path / "nothing")
    with pytest.raises(ValueError, match="path must end in"):
        twin.save(twin.build_cnn(TOY), tmp_path / "model.bin")


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_load_refuses_a_truncated_file(twin, tmp_path, share):
    path = tmp_path / f"model{SUFFIX[twin]}"
    twin.save(twin.build_cnn(TOY), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ValueError, match=r"no Keras file|cannot be read|no checkpoint"):
        twin.load(path)


class _Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize(
    ("twin", "write"),
    [
        (keras_cnn, lambda bomb, path: path.write_bytes(pickle.dumps(bomb))),
        (torch_cnn, lambda bomb, path: path.write_bytes(pickle.dumps(bomb))),
        (torch_cnn, torch.save),
    ],
)
def test_a_pickle_is_refused_and_not_executed(twin, write, tmp_path):
    path, trace = tmp_path / f"model{SUFFIX[twin]}", tmp_path / "executed"
    write({"state_dict": _Bomb(trace), "hyper_parameters": {}}, path)
    with pytest.raises(ValueError, match=r"no Keras file|nothing in it was executed"):
        twin.load(path)
    assert not trace.exists()


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        # It carries code, which Keras's safe mode does not execute.
        (keras.layers.Lambda(lambda x: x + 1), "cannot be read as a Keras file"),
        (keras.layers.Dense(1), "holds a Sequential that workshop did not build"),
    ],
)
def test_keras_load_refuses_a_model_that_workshop_did_not_build(tmp_path, layer, message):
    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((2,)), layer]).save(path)
    with pytest.raises(ValueError, match=message):
        keras_cnn.load(path)


def test_a_tampered_description_is_refused(tmp_path):
    path = tmp_path / "model.keras"
    keras_cnn.save(keras_cnn.build_cnn(TOY), path)
    other = tmp_path / "tampered.keras"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "config.json":
                config = json.loads(content)
                config["config"]["architecture"]["layers"][0]["kind"] = "Exec"
                content = json.dumps(config).encode()
            target.writestr(name, content)
    with pytest.raises(ValueError, match=r"cannot be read as a Keras file.*Exec"):
        keras_cnn.load(other)


def test_a_failing_save_leaves_the_old_file(twin, tmp_path, monkeypatch):
    path = tmp_path / f"model{SUFFIX[twin]}"
    twin.save(twin.build_cnn(TOY), path)
    before = path.read_bytes()

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        twin.save(twin.build_cnn(DAY1_CNN), path)
    assert path.read_bytes() == before


def test_a_full_disk_is_an_error_that_says_so(twin, tmp_path):
    """Here: a limit on the size of files, to which a process of its own is put."""
    path, name = tmp_path / f"m{SUFFIX[twin]}", twin.__name__.split(".")[1]
    script = f"""
import resource
from workshop import {name} as twin
from workshop.architecture import Architecture, Dense, Flatten
model = twin.build_cnn(Architecture((Flatten(), Dense(100))))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    twin.save(model, {str(path)!r})
except OSError as error:
    print(error)
"""
    said = subprocess.check_output([sys.executable, "-c", script], text=True)
    assert f"{path} could not be written" in said
    assert "Is the disk full?" in said
    assert list(tmp_path.iterdir()) == []


def test_the_callers_generators_stay_as_they_are(twin, toy, tmp_path):
    before = random.getstate(), torch.get_rng_state().tolist()
    path = tmp_path / f"model{SUFFIX[twin]}"
    model = twin.build_cnn(Architecture((*TOY.layers, Dense(3)), input_length=20))
    twin.fit(model, *toy, epochs=1)
    twin.save(model, path)
    twin.load(path)
    assert (random.getstate(), torch.get_rng_state().tolist()) == before


def test_a_failed_fit_leaves_the_model_ready_to_predict(toy):
    class Fail(pl.Callback):
        def on_train_epoch_end(self, trainer, pl_module):
            raise RuntimeError("no more disk")

    model = torch_cnn.build_cnn(TOY)
    with pytest.raises(RuntimeError, match="no more disk"):
        torch_cnn.fit(model, *toy, callbacks=[Fail()])
    assert not model.training


def test_other_callbacks_find_all_metrics_where_lightning_keeps_them(toy):
    class Reader(pl.Callback):
        def on_train_end(self, trainer, pl_module):
            self.seen = {name: float(value) for name, value in trainer.callback_metrics.items()}

    reader, (X, y) = Reader(), toy
    history = torch_cnn.fit(
        torch_cnn.build_cnn(TOY), X, y, X_val=X, y_val=y, epochs=2, callbacks=[reader]
    )
    columns = history.table.columns.drop(["epoch", "learning_rate"])
    assert reader.seen == pytest.approx(history.last[columns].to_dict(), rel=1e-6)


def test_each_epoch_takes_the_next_order_however_often_an_iterator_is_made():
    X, y = np.arange(5, dtype=np.float32)[:, None, None], np.zeros((5, 1), np.float32)
    orders = np.array([[4, 3, 2, 1, 0], [1, 0, 3, 2, 4]])
    batches = Batches((X, y), 2, iter(orders))
    for order in orders:
        iter(batches)  # as Lightning does, which then begins anew
        drawn = [x.flatten().tolist() for x, _ in batches]
        assert drawn == [order[:2].tolist(), order[2:4].tolist(), order[4:].tolist()]
