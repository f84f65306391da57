"""Callbacks in the twins' `fit`: they see and do what they would in the frameworks' own loops."""

import re
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import pytorch_lightning as pl

from workshop import keras_cnn, torch_cnn
from workshop.architecture import Architecture, BatchNorm, Conv1D, Dense, Flatten, GlobalMaxPool

TOY = Architecture((Conv1D(8, 4, "relu"), GlobalMaxPool()), input_length=20)
EXPLOSIVE = Architecture((Conv1D(4, 3, "exponential"), Flatten(), Dense(4, "exponential")), 20)
RNG = np.random.default_rng(0)
X = np.eye(4, dtype=np.float32)[RNG.integers(0, 4, (160, 20))]
Y = (np.arange(160) % 2).astype(np.float32)[:, None]
X[1::2, 8:12] = np.eye(4)[[2, 0, 3, 0]]


@pytest.fixture(params=[keras_cnn, torch_cnn], ids=["keras", "torch"])
def twin(request):
    return request.param


def fit(twin, *callbacks, architecture=TOY, y=Y, validation=True, **settings):
    """The table of a fit, ten batches an epoch."""
    model = twin.build_cnn(architecture)
    val = {"X_val": X, "y_val": y} if validation else {}
    settings = {"epochs": 4, "batch_size": 16, **settings}
    return twin.fit(model, X, y, **val, callbacks=callbacks, **settings).table


def early_stopping(twin, monitor="val_loss", **settings):
    module = keras.callbacks if twin is keras_cnn else pl.callbacks
    return module.EarlyStopping(monitor=monitor, **settings)


# Used twice


def test_an_early_stop_used_twice_begins_anew(twin):
    stop = early_stopping(twin, patience=2)
    fit(twin, stop, learning_rate=0.1, epochs=12)
    again = fit(twin, stop, learning_rate=1e-4, epochs=6)
    pd.testing.assert_frame_equal(
        again, fit(twin, early_stopping(twin, patience=2), learning_rate=1e-4, epochs=6)
    )
    stop.patience, stop.min_delta = 1, -10.0 if twin is torch_cnn else 10.0  # mine, and it stays
    assert len(fit(twin, stop, epochs=6)) == 2


@pytest.mark.filterwarnings("ignore:Checkpoint directory .* is not empty")  # Lightning's own word
def test_a_checkpoint_used_twice_keeps_the_best_of_its_fit(twin, tmp_path):
    if twin is keras_cnn:
        checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / "m.keras", save_best_only=True)
    else:
        checkpoint = pl.callbacks.ModelCheckpoint(tmp_path, filename="m", monitor="val_loss")
    for rate in (0.03, 1e-5):  # the second learns next to nothing
        table = fit(twin, checkpoint, learning_rate=rate)
        path = tmp_path / "m.keras" if twin is keras_cnn else checkpoint.best_model_path
        model = twin.load(path)
        p = twin.predict(model, X).astype(float)
        loss = -np.mean(Y * np.log(p) + (1 - Y) * np.log(1 - p))
        assert loss == pytest.approx(table["val_loss"].min(), abs=1e-5)


# Per batch


class Count:
    """Counts the calls of any hook that the test puts it in place of; a callback of one's own."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def count(self, *args, **kwargs):
        self.calls += 1


def counter(base, hook):
    return type("Counter", (Count, base), {hook: Count.count})()


@pytest.mark.parametrize(
    ("twin", "base", "hook", "calls"),
    [
        (keras_cnn, keras.callbacks.Callback, "on_train_batch_begin", 20),
        (keras_cnn, keras.callbacks.Callback, "on_batch_end", 20),
        (keras_cnn, keras.callbacks.Callback, "on_epoch_end", 2),
        (keras_cnn, keras.callbacks.Callback, "on_test_begin", 2),
        (keras_cnn, keras.callbacks.Callback, "on_test_end", 2),
        (torch_cnn, pl.Callback, "on_train_batch_end", 20),
        (torch_cnn, pl.Callback, "on_validation_end", 2),
    ],
)
def test_hooks_are_called_as_often_as_by_the_framework(twin, base, hook, calls):
    callback = counter(base, hook)
    fit(twin, callback, epochs=2)
    assert callback.calls == calls
    fit(twin, callback, epochs=1)
    assert callback.calls == calls * 3 / 2  # what it holds is its own


@pytest.mark.parametrize(
    ("callback", "at_once"),
    [
        (lambda d: keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: 0), 1),
        (lambda d: keras.callbacks.ModelCheckpoint(f"{d}/m.keras", save_freq=3), 1),
        (lambda d: keras.callbacks.TensorBoard(d, update_freq="batch"), 1),
        (lambda d: keras.callbacks.TerminateOnNaN(), 1),
        (lambda d: keras.callbacks.ModelCheckpoint(f"{d}/m.keras"), 10),
        (lambda d: keras.callbacks.TensorBoard(d), 10),
        (lambda d: keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: 0), 10),
        (lambda d: keras.callbacks.EarlyStopping(), 10),
    ],
)
def test_an_epoch_is_one_call_unless_a_callback_asks_for_batches(tmp_path, callback, at_once):
    model = keras_cnn.build_cnn(TOY)
    val = {"X_val": X, "y_val": Y}
    keras_cnn.fit(model, X, Y, **val, epochs=1, batch_size=16, callbacks=[callback(str(tmp_path))])
    assert model.steps_per_execution == at_once


# Ends


def stopping(hook, step):
    """A callback of Lightning's that stops the run at a step."""

    def stop(self, trainer, *args):
        trainer.should_stop = trainer.global_step >= step

    return type("Stop", (pl.Callback,), {hook: stop})()


def test_a_run_that_stops_before_its_first_epoch_has_an_empty_history():
    table = fit(torch_cnn, stopping("on_train_start", 0))
    assert table.shape == (0, 8)
    assert list(table) == list(fit(torch_cnn, epochs=1))
    assert table["val_loss"].dtype == float


def test_an_epoch_cut_short_is_scored_by_what_it_saw():
    whole = fit(torch_cnn, validation=False, epochs=1)
    table = fit(torch_cnn, stopping("on_train_batch_end", 10 + 1), validation=False)
    assert len(table) == 2
    pd.testing.assert_frame_equal(table[:1], whole)
    assert 0.3 < table["loss"][1] < 1
    assert (16 * table["accuracy"][1]) % 1 == 0  # of one batch


def test_backup_and_restore_goes_on_as_if_nothing_had_happened(tmp_path):
    def restore():
        return keras.callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)

    def die(epoch, logs):
        if epoch == 1:
            raise RuntimeError("the runtime was recycled")

    with pytest.raises(RuntimeError, match="recycled"):
        fit(keras_cnn, restore(), keras.callbacks.LambdaCallback(on_epoch_end=die))
    resumed, whole = fit(keras_cnn, restore()), fit(keras_cnn)
    assert resumed["epoch"].tolist() == [3, 4]
    np.testing.assert_allclose(resumed, whole[2:], rtol=1e-4)

    model = keras_cnn.build_cnn(TOY)
    done = keras_cnn.fit(model, X, Y, X_val=X, y_val=Y, epochs=4, callbacks=[restore()])
    assert done.table.shape == (0, 8)
    assert len(keras_cnn.fit(model, X, Y, epochs=4).table) == 4  # without it, from the start


def test_a_run_says_that_what_it_monitors_is_undefined(twin):
    with pytest.warns(RuntimeWarning, match=r"ended after epoch . of 4: val_loss.* is nan. Did"):
        fit(
            twin,
            early_stopping(twin, patience=1),
            architecture=EXPLOSIVE,
            optimizer="sgd",
            learning_rate=1e6,
        )


# What is said, and what is refused


def test_lightnings_callbacks_speak_and_its_trainer_does_not(caplog):
    with caplog.at_level("INFO", logger="pytorch_lightning"):
        fit(torch_cnn, early_stopping(torch_cnn, verbose=True), epochs=1)
        fit(torch_cnn, pl.callbacks.Timer("00:00:00:00"))
    improved, ended = caplog.messages
    assert improved.startswith("Metric val_loss improved. New best")
    assert ended.startswith("Time limit reached")


@pytest.mark.parametrize("monitor", ["auroc", "val_auroc"])
def test_auroc_of_one_class_is_not_monitored(twin, monitor):
    part = "y_val" if monitor == "val_auroc" else "y"
    message = rf"EarlyStopping\(monitor='{monitor}'\) needs both .* {part} holds one only"
    with pytest.raises(ValueError, match=message):
        fit(twin, early_stopping(twin, monitor, mode="max"), y=np.ones_like(Y))
    fit(twin, early_stopping(twin), y=np.ones_like(Y), epochs=1)  # a loss it has


def test_stochastic_weight_averaging_of_a_batch_norm_is_refused():
    average = pl.callbacks.StochasticWeightAveraging(0.01)
    architecture = Architecture((BatchNorm(), Flatten()), 20)
    with pytest.raises(ValueError, match=r"StochasticWeightAveraging .* BatchNorm"):
        fit(torch_cnn, average, architecture=architecture)
    short = fit(torch_cnn, average, epochs=2), fit(torch_cnn, average, epochs=4)
    new = pl.callbacks.StochasticWeightAveraging(0.01)
    pd.testing.assert_frame_equal(short[1], fit(torch_cnn, new, epochs=4))


def test_a_second_run_in_a_log_dir_is_said(tmp_path):
    fit(torch_cnn, epochs=1, log_dir=tmp_path / "logs")
    for twin in (keras_cnn, torch_cnn):
        with pytest.warns(UserWarning, match=re.escape(str(tmp_path / "logs")) + " holds a run"):
            fit(twin, epochs=1, log_dir=tmp_path / "logs")


def test_a_checkpoint_with_numpy_in_its_state_is_read(tmp_path):
    class Holder(pl.Callback):
        def state_dict(self):
            return {"array": np.arange(3), "number": np.float32(2), "yes": np.bool_(True)}

    keep = pl.callbacks.ModelCheckpoint(tmp_path, filename="m")
    stop = early_stopping(torch_cnn, patience=np.int64(3))
    fit(torch_cnn, Holder(), stop, keep, epochs=1)
    assert torch_cnn.load(Path(tmp_path) / "m.ckpt").architecture == TOY
