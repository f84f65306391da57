"""The Keras twin: build, fit, predict, save. Its sibling is `workshop.torch_cnn`.

The same names and signatures as the Torch twin; the same `random_state` gives the same initial
weights and the same batches in both, so that they train alike to rounding error.
"""

import contextlib
import logging
import os
import zipfile
from functools import partial
from pathlib import Path

import numpy as np

from workshop import _triton  # isort: skip  # noqa: F401 - before TensorFlow
from workshop import architecture as arch
from workshop import training
from workshop._files import whole_file
from workshop._progress import ProgressLine
from workshop.environment import heavy_imports, loggers_kept, quiet_stderr

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CUDNN_DETERMINISTIC", "1")  # on a GPU: kernels whose results repeat
with heavy_imports(), quiet_stderr():
    import keras
    import tensorflow as tf

    from workshop.keras_cnn import loop

    tf.config.list_physical_devices()  # looks for a GPU now, and says so into the void


def _share_gpus():
    """Leave GPU memory to Torch, and compute in full float32, as Torch does and a CPU."""
    for gpu in tf.config.list_physical_devices("GPU"):
        with contextlib.suppress(RuntimeError):  # in use already: then as its user set it
            tf.config.experimental.set_memory_growth(gpu, True)
        tf.config.experimental.enable_tensor_float_32_execution(False)


_share_gpus()

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        f"workshop.keras_cnn needs Keras with TensorFlow; got {keras.backend.backend()!r}. Set "
        "KERAS_BACKEND=tensorflow before keras is imported and restart the kernel."
    )

__all__ = ["SequenceCNN", "build_cnn", "fit", "get_weights", "input_gradient", "load", "predict"]
__all__ += ["predict_logits", "save", "set_weights"]

# Each takes the fields of our layer, by name. Kernels start as zeros, and `build_cnn` sets them:
# Keras's own draws would use the caller's seeds.
_LAYERS = {
    arch.Conv1D: partial(keras.layers.Conv1D, kernel_initializer="zeros"),
    arch.MaxPool: keras.layers.MaxPooling1D,
    arch.AvgPool: keras.layers.AveragePooling1D,
    arch.Identity: keras.layers.Identity,
    arch.Flatten: keras.layers.Flatten,
    arch.GlobalAvgPool: keras.layers.GlobalAveragePooling1D,
    arch.GlobalMaxPool: keras.layers.GlobalMaxPooling1D,
    arch.Dense: partial(keras.layers.Dense, kernel_initializer="zeros"),
    arch.Dropout: partial(keras.layers.Dropout, seed=0),
    arch.BatchNorm: keras.layers.BatchNormalization,
}

_BINARY = partial(keras.losses.BinaryCrossentropy, from_logits=True)
_LOSSES = {"binary": _BINARY, "multilabel": _BINARY, "regression": keras.losses.MeanSquaredError}
_LOSSES |= {"multiclass": partial(keras.losses.CategoricalCrossentropy, from_logits=True)}

_OPTIMIZERS = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}


@keras.saving.register_keras_serializable("workshop")
class SequenceCNN(keras.Sequential):
    """A `keras.Sequential` from ``(N, L, 4)`` to logits ``(N, T)`` that knows its architecture."""

    twin = "workshop.keras_cnn"  # the module whose functions take such a model

    def __init__(self, architecture):
        layers = (*architecture.layers, arch.Dense(architecture.n_outputs))
        made = [_LAYERS[type(layer)](**vars(layer)) for layer in layers]
        super().__init__([keras.Input((architecture.input_length, 4)), *made])
        self.architecture = architecture

    def get_config(self):
        """Describe the model by its architecture, for saving."""
        return {"architecture": self.architecture.to_dict()}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Build the model that `get_config` described."""
        return cls(arch.Architecture.from_dict(config["architecture"]))


def build_cnn(architecture, *, random_state=0):
    """Build a model with Glorot-uniform kernels and zero biases.

    Parameters
    ----------
    architecture : Architecture
    random_state : int
        Of the initial weights; the Torch twin draws the same.

    Examples
    --------
    >>> from workshop.architecture import DAY1_CNN
    >>> build_cnn(DAY1_CNN).count_params()
    961
    """
    model = SequenceCNN(training.check_architecture(architecture))
    set_weights(model, arch.initial_weights(architecture, random_state=random_state))
    return model


def fit(
    model,
    X,
    y,
    *,
    X_val=None,
    y_val=None,
    epochs=20,
    batch_size=64,
    optimizer="adam",
    learning_rate=0.001,
    class_weight=None,
    callbacks=(),
    log_dir=None,
    progress=True,
    random_state=0,
):
    """Train a model in place, with a fresh optimiser.

    Parameters
    ----------
    model : SequenceCNN
        From `build_cnn` or `load`.
    X : array of shape (N, L, 4)
    y : array of shape (N, T)
        0 and 1; one-hot for a multi-class task; any number for a regression.
    X_val, y_val : arrays like X, y, optional
        Validation data, scored after each epoch.
    epochs, batch_size : int
    optimizer : str
        ``"adam"`` or ``"sgd"``.
    learning_rate : float or callable
        A number, or a schedule: a function of the epoch, counted from 0.
    class_weight : dict or "balanced", optional
        By how much a sequence of each class counts in the training loss: ``{0: 1.0, 1: 5.0}``;
        ``"balanced"``: N / (number of classes * N of this class).
    callbacks : sequence of keras.callbacks.Callback
        Such as ``EarlyStopping(monitor="val_loss")`` or ``ModelCheckpoint(path)``. They see once
        an epoch what the history holds: loss, val_loss, val_auroc and so on; one that asks for each
        batch makes training slower. Keras's own begin each fit anew. Refused: one that monitors
        AUROC where labels hold one class only. The validation data is scored as a whole:
        ``on_test_begin`` and ``on_test_end`` are called, but not ``on_test_batch_end``.
    log_dir : path-like, optional
        A fresh folder for TensorBoard: this run, with ``train`` and ``validation`` below it.
    progress : bool
        Show a line that counts epochs.
    random_state : int
        Of dropout and of the order of the batches; the Torch twin goes through the same batches.

    Returns
    -------
    History
        Keras estimates the training ``auroc`` from 200 thresholds, and calls it 0 where `y` holds
        one class only; ``val_auroc`` is exact.
    """
    architecture = training.architecture_of(model, SequenceCNN)
    X, y = training.check_data(architecture, X, y)
    validation = training.check_validation(architecture, X_val, y_val)
    epochs, batch_size, rates = training.check_settings(
        epochs, batch_size, optimizer, learning_rate, random_state
    )
    weights = training.sample_weights(architecture.task, y, class_weight)
    training.check_callbacks(callbacks, keras.callbacks.Callback, architecture.task, y, validation)
    training.check_log_dir(log_dir)
    recorder = loop.Recorder(epochs, validation, ProgressLine(progress), callbacks, predict_logits)
    ours = [recorder]
    if callable(learning_rate):
        ours.append(keras.callbacks.LearningRateScheduler(lambda epoch: rates[epoch]))
    if log_dir is not None:
        ours.append(keras.callbacks.TensorBoard(str(log_dir), write_graph=False))
    steps = -(-len(X) // batch_size)
    at_once = 1 if any(map(loop.asks_for_batches, callbacks)) else min(steps, 1000)
    model.compile(
        optimizer=_OPTIMIZERS[optimizer](rates[0]),
        loss=_LOSSES[architecture.task](),
        metrics=loop.metrics_of(architecture.task),
        jit_compile=False,  # by default True on a GPU: minutes of compiling, and other kernels
        # One call into the graph for many batches: the loop between them costs more than they do.
        # Keras needs a divisor of the steps; an epoch of moderate size is one call.
        steps_per_execution=max(k for k in range(1, at_once + 1) if steps % k == 0),
    )
    model._initial_epoch = None  # a former fit's BackupAndRestore leaves its own there
    loop.seed_dropout(model, random_state)
    orders = np.stack(list(training.batch_orders(len(X), epochs, random_state)))
    # Fitting many models traces many graphs, of which TensorFlow would warn.
    anew = training.beginning_anew(callbacks, keras.callbacks.Callback)
    with loggers_kept("tensorflow", level=logging.ERROR), anew:
        model.fit(
            loop.batches((X, y, *weights), orders, recorder.first, batch_size),
            epochs=epochs,
            steps_per_epoch=steps,
            callbacks=[*ours, *callbacks],
            shuffle=False,  # the batches come shuffled
            verbose=0,
        )
    training.explain_end(recorder.rows, epochs, callbacks)
    columns = training.history_columns(architecture.task, validation)
    return training.make_history(recorder.rows, columns, epochs)


def predict_logits(model, X, *, batch_size=1024):
    """Predict logits (N, T), float32, of X (N, L, 4): the output before the task's activation."""
    architecture = training.architecture_of(model, SequenceCNN)
    X = training.check_input(architecture, X)
    shape = (architecture.n_outputs,)
    return training.in_batches(lambda X: model(X, training=False), X, batch_size, shape=shape)


def predict(model, X, *, batch_size=1024):
    """Predict probabilities (N, T), or values of a regression: logits after the activation."""
    logits = predict_logits(model, X, batch_size=batch_size)
    return training.activate(model.architecture.task, logits)


def input_gradient(model, X, *, task=0, batch_size=256):
    """Gradient (N, L, 4), float32, of one logit, column `task`, with respect to X (N, L, 4)."""
    architecture = training.architecture_of(model, SequenceCNN)
    X = training.check_input(architecture, X)
    task = training.check_task(architecture.n_outputs, task)

    def gradient(batch):
        batch = tf.constant(batch)
        with tf.GradientTape() as tape:
            tape.watch(batch)
            logit = model(batch, training=False)[:, task]
        return tape.gradient(logit, batch)

    return training.in_batches(gradient, X, batch_size, shape=X.shape[1:])


def get_weights(model):
    """Copy the weights, as float32 arrays by their names in `Architecture.weight_shapes`."""
    names = training.architecture_of(model, SequenceCNN).weight_shapes()
    return {name: np.float32(v.numpy()) for name, v in zip(names, model.weights, strict=True)}


def set_weights(model, weights):
    """Set the weights of a model to those that `get_weights` of either twin returned."""
    architecture = training.architecture_of(model, SequenceCNN)
    weights = arch.check_weights(architecture, weights)
    for variable, weight in zip(model.weights, weights.values(), strict=True):
        variable.assign(weight)


def save(model, path):
    """Save a model as a Keras file, `path` ends in ``.keras``; whole or not at all."""
    training.architecture_of(model, SequenceCNN)
    with whole_file(training.check_suffix(path, ".keras")) as part:
        model.save(part)


def load(path, *, architecture=None):
    """Load a model that `save` or a ``ModelCheckpoint`` wrote.

    Parameters
    ----------
    path : path-like
    architecture : Architecture, optional
        What the file must hold.

    Raises
    ------
    ValueError
        If the file is corrupt, holds something else, or another architecture.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No model at {path}.")
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path} is no Keras file, or a truncated one; it was not read.")
    try:
        model = keras.saving.load_model(path, safe_mode=True)
    except Exception as error:
        raise ValueError(f"{path} cannot be read as a Keras file: {error}") from error
    if not isinstance(model, SequenceCNN):
        raise ValueError(f"{path} holds a {type(model).__name__} that workshop did not build.")
    training.check_same(path, model.architecture, architecture)
    return model
