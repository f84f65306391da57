"""The memory of a search does not grow with its trials, in either framework."""

import gc
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.search_cases import TRAIN, VAL
from workshop import keras_cnn
from workshop.architecture import Architecture, Conv1D, Dropout, GlobalMaxPool, MaxPool

ROOT = Path(__file__).resolve().parent.parent
TRIALS = 60
SEARCH = """
import json
from tests.search_cases import search

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1000

peaks = []
search({folder!r}, framework={framework!r}, max_trials={trials},
       callbacks=[lambda trial: peaks.append(peak())])
print(json.dumps(peaks))
"""
TOY = Architecture(
    (Conv1D(4, 5, "relu"), Dropout(0.2), MaxPool(2), GlobalMaxPool()), input_length=24
)


def fitted(**settings):
    model = keras_cnn.build_cnn(TOY)
    history = keras_cnn.fit(model, *TRAIN, epochs=2, batch_size=32, progress=False, **settings)
    return model, history


def graphs():
    gc.collect()
    return sum(issubclass(type(one), tf.Graph) for one in gc.get_objects())


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is Linux's")
@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_the_peak_of_a_search_does_not_grow_with_its_trials(tmp_path, framework):
    script = SEARCH.format(folder=str(tmp_path / "search"), framework=framework, trials=TRIALS)
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    peaks = json.loads(ran.stdout.splitlines()[-1])  # MB after each trial
    assert len(peaks) == TRIALS
    assert peaks[59] <= 1.15 * peaks[9]
    # The frameworks alone are hundreds of MB, so 15 % would hide 1 MB a trial.
    assert (peaks[59] - peaks[19]) / 40 < 0.5


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_no_graph_outlives_its_model(optimizer):
    fitted(optimizer=optimizer)
    before = graphs()
    fitted(optimizer=optimizer)
    assert graphs() == before


def test_equal_architectures_have_equal_names():
    one, other = fitted()[0], fitted()[0]
    names = [layer.name for layer in one.layers]
    assert names == ["conv1d_0", "dropout_1", "maxpool_2", "globalmaxpool_3", "output"]
    assert [layer.name for layer in other.layers] == names
    assert one.optimizer.name == other.optimizer.name == "adam"


def test_a_model_takes_no_names_from_the_caller():
    first = keras.layers.Conv1D(1, 1).name
    fitted()
    second = keras.layers.Conv1D(1, 1).name
    number = first.removeprefix("conv1d").lstrip("_") or "0"
    assert second == f"conv1d_{int(number) + 1}"


def test_within_a_strategy_of_the_caller_it_trains_alike():
    _, alone = fitted()
    with tf.distribute.OneDeviceStrategy("/cpu:0").scope():
        _, together = fitted()
    np.testing.assert_allclose(together.table["loss"], alone.table["loss"], rtol=1e-6)


def test_a_fitted_model_is_still_a_keras_model(tmp_path):
    model, _ = fitted()
    X, y = VAL
    logits = keras_cnn.predict_logits(model, X)
    np.testing.assert_allclose(model.predict(X, verbose=0), logits, atol=1e-6)
    loss = model.evaluate(X, y, verbose=0, return_dict=True)["loss"]
    softplus = np.log1p(np.exp(logits)) - y * logits  # cross-entropy of a logit
    assert loss == pytest.approx(softplus.mean(), rel=1e-5)
    steps = int(model.optimizer.iterations)
    model.fit(*TRAIN, epochs=1, batch_size=32, verbose=0)
    assert int(model.optimizer.iterations) == steps + 2
    keras_cnn.save(model, tmp_path / "model.keras")
    again = keras_cnn.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        keras_cnn.predict_logits(again, X), keras_cnn.predict_logits(model, X)
    )
