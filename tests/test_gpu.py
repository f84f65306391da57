"""A GPU is used where there is one, shared between the frameworks, and gives one result twice.

The first tests watch what is asked of the frameworks; the last ones run where there is a GPU.
"""

import os
from types import SimpleNamespace

import numpy as np
import pytest
import pytorch_lightning as pl
import tensorflow as tf
import torch

from workshop import keras_cnn, torch_cnn
from workshop.architecture import Architecture, Conv1D, Dropout, GlobalMaxPool

ARCHITECTURE = Architecture((Conv1D(8, 5, "relu"), GlobalMaxPool(), Dropout(0.2)), input_length=30)
TWINS = {"keras": keras_cnn, "torch": torch_cnn}


def sequences(n=64):
    rng = np.random.default_rng(0)
    X = np.eye(4, dtype=np.float32)[rng.integers(0, 4, (n, 30))]
    return X, (X[:, :, 1].sum(axis=1, keepdims=True) > 7).astype(np.float32)


class Watch(pl.Callback):
    def on_train_batch_end(self, *_):
        self.seen = (
            torch.backends.cudnn.deterministic,
            torch.backends.cudnn.benchmark,
            torch.backends.cudnn.allow_tf32,
        )


def test_torch_trains_with_repeatable_kernels_and_gives_the_settings_back():
    def settings():
        cudnn = torch.backends.cudnn
        return cudnn.enabled, cudnn.deterministic, cudnn.benchmark, cudnn.allow_tf32

    before, watch = settings(), Watch()
    model = torch_cnn.build_cnn(ARCHITECTURE)
    torch_cnn.fit(model, *sequences(), epochs=1, callbacks=[watch], progress=False)
    assert watch.seen == (True, False, False)
    predicting = []
    model.register_forward_hook(lambda *_: predicting.append(settings()))
    torch_cnn.predict_logits(model, sequences()[0])
    assert predicting == [(True, True, False, False)]
    assert settings() == before


def test_keras_does_not_compile_for_minutes_where_there_is_a_gpu(monkeypatch):
    listed = tf.config.list_physical_devices
    monkeypatch.setattr(
        tf.config, "list_physical_devices", lambda kind=None: ["gpu"] if kind else listed()
    )
    model = keras_cnn.build_cnn(ARCHITECTURE)
    keras_cnn.fit(model, *sequences(), epochs=1, progress=False)
    assert model.jit_compile is False


def test_keras_leaves_gpu_memory_to_torch(monkeypatch):
    asked = []
    experimental = SimpleNamespace(
        set_memory_growth=lambda gpu, on: asked.append((gpu, on)),
        enable_tensor_float_32_execution=lambda on: asked.append(("tf32", on)),
    )
    config = SimpleNamespace(list_physical_devices=lambda kind: [kind], experimental=experimental)
    monkeypatch.setattr(tf, "config", config)
    keras_cnn._share_gpus()
    assert asked == [("GPU", True), ("tf32", False)]


def test_tensorflow_keeps_to_kernels_that_repeat():
    assert os.environ["TF_CUDNN_DETERMINISTIC"] == "1"  # read at the first convolution on a GPU


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")


@needs_gpu
@pytest.mark.parametrize("twin", TWINS)
def test_training_on_the_gpu_gives_the_same_model_twice(twin):
    X, y = sequences()
    weights = []
    for _ in range(2):
        model = TWINS[twin].build_cnn(ARCHITECTURE, random_state=0)
        TWINS[twin].fit(model, X, y, epochs=3, progress=False)
        weights.append(TWINS[twin].get_weights(model))
    for name, value in weights[0].items():
        np.testing.assert_array_equal(value, weights[1][name])


@needs_gpu
def test_twins_agree_on_the_gpu():
    X, _ = sequences()
    ours, theirs = (twin.build_cnn(ARCHITECTURE, random_state=0) for twin in TWINS.values())
    torch_cnn.set_weights(theirs, keras_cnn.get_weights(ours))
    expected = keras_cnn.predict_logits(ours, X)
    np.testing.assert_allclose(torch_cnn.predict_logits(theirs.cuda(), X), expected, atol=1e-4)
