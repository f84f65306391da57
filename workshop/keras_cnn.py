"""The Keras twin: build, fit, predict, save. Its sibling is `workshop.torch_cnn`.

The same names and signatures as the Torch twin; the same `random_state` gives the same initial
weights and the same batches in both, so that they train alike to rounding error.
"""

import contextlib
import os
import zipfile
from pathlib import Path

import numpy as np

from workshop import _triton  # isort: skip  # noqa: F401 - before TensorFlow
from workshop import architecture as arch
from workshop import training
from workshop._checks import positive_int
from workshop._files import whole_file
from workshop._progress import ProgressLine
from workshop.environment import heavy_imports, quiet_stderr

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CUDNN_DETERMINISTIC", "1")  # on a GPU: kernels whose results repeat
with heavy_imports(), quiet_stderr():
    import keras
    import tensorflow as tf

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

__all__ = [
    "SequenceCNN",
    "build_cnn",
    "fit",
    "get_weights",
    "input_gradient",
    "load",
    "predict",
    "predict_logits",
    "save",
    "set_weights",
]


# Kernels start as zeros, and `build_cnn` sets them: Keras's own draws would use the caller's seeds.
_LAYERS = {
    arch.Conv1D: lambda s, name: keras.layers.Conv1D(
        s.filters,
        s.kernel_size,
        padding=s.padding,
        activation=s.activation,
        kernel_initializer="zeros",
        name=name,
    ),
    arch.MaxPool: lambda s, name: keras.layers.MaxPooling1D(
        s.pool_size, s.step, s.padding, name=name
    ),
    arch.AvgPool: lambda s, name: keras.layers.AveragePooling1D(
        s.pool_size, s.step, s.padding, name=name
    ),
    arch.Identity: lambda s, name: keras.layers.Identity(name=name),
    arch.Flatten: lambda s, name: keras.layers.Flatten(name=name),
    arch.GlobalAvgPool: lambda s, name: keras.layers.GlobalAveragePooling1D(name=name),
    arch.GlobalMaxPool: lambda s, name: keras.layers.GlobalMaxPooling1D(name=name),
    arch.Dense: lambda s, name: keras.layers.Dense(
        s.units, activation=s.activation, kernel_initializer="zeros", name=name
    ),
    arch.Dropout: lambda s, name: keras.layers.Dropout(s.rate, seed=0, name=name),
    arch.BatchNorm: lambda s, name: keras.layers.BatchNormalization(
        momentum=s.momentum, epsilon=s.epsilon, name=name
    ),
}

_LOSSES = {
    "binary": lambda: keras.losses.BinaryCrossentropy(from_logits=True),
    "multilabel": lambda: keras.losses.BinaryCrossentropy(from_logits=True),
    "multiclass": lambda: keras.losses.CategoricalCrossentropy(from_logits=True),
    "regression": lambda: keras.losses.MeanSquaredError(),
}

_OPTIMIZERS = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}

_ACTIVATIONS = {
    "sigmoid": keras.activations.sigmoid,
    "softmax": keras.activations.softmax,
    "linear": keras.activations.linear,
}


@keras.saving.register_keras_serializable("workshop")
class SequenceCNN(keras.Sequential):
    """A `keras.Sequential` from ``(N, L, 4)`` to logits ``(N, T)`` that knows its architecture.

    Parameters
    ----------
    architecture : Architecture

    Attributes
    ----------
    architecture : Architecture
        What it was built from; a layer of the model for each of its layers, named after its kind
        and place, such as ``conv1d_0``, then ``output``.
    """

    twin = "workshop.keras_cnn"  # the module whose functions take such a model

    def __init__(self, architecture, **options):
        # Keras would count up names for as long as the process lives, and TensorFlow keeps
        # something of every name that a variable ever had.
        layers = [
            _LAYERS[type(layer)](layer, f"{type(layer).__name__.lower()}_{i}")
            for i, layer in enumerate(architecture.layers)
        ]
        super().__init__(
            [
                keras.Input((architecture.input_length, 4)),
                *layers,
                keras.layers.Dense(
                    architecture.n_outputs, kernel_initializer="zeros", name="output"
                ),
            ],
            **options,
        )
        self.architecture = architecture

    def train_step(self, data):
        """Train on one batch, as any Keras model does, in a graph that dies with the model.

        Keras sums gradients over replicas even where there is one only, and TensorFlow registers
        for good how to differentiate that sum: the graph with it, 6 MB a model. In a context
        "across replicas" Keras leaves the sum out.
        """
        step = super().train_step
        scales = isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer)
        if scales or tf.distribute.has_strategy():  # they ask for the context that is there
            return step(data)
        return tf.distribute.get_replica_context().merge_call(lambda strategy: step(data))

    def get_config(self):
        """Describe the model by its architecture, for saving."""
        return {"name": self.name, "architecture": self.architecture.to_dict()}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Build the model that `get_config` described."""
        return cls(arch.Architecture.from_dict(config["architecture"]), name=config["name"])


def build_cnn(architecture, *, random_state=0):
    """Build a model with Glorot-uniform kernels and zero biases.

    Parameters
    ----------
    architecture : Architecture
    random_state : int
        Of the initial weights; the Torch twin draws the same.

    Returns
    -------
    SequenceCNN

    Examples
    --------
    >>> from workshop.architecture import DAY1_CNN
    >>> build_cnn(DAY1_CNN).count_params()
    961
    """
    training.check_architecture(architecture)
    model = SequenceCNN(architecture, name="sequence_cnn")
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
    callbacks : sequence of keras.callbacks.Callback
        Such as ``EarlyStopping(monitor="val_loss")`` or ``ModelCheckpoint(path)``. They see once
        an epoch what the history holds: loss, val_loss, val_auroc and so on.
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

    Raises
    ------
    TypeError
        If `model` is no `SequenceCNN`, or a callback is not one of Keras.
    ValueError
        If data or settings do not fit; see `workshop.training`.
    """
    architecture = _architecture_of(model)
    X, y = training.check_data(architecture, X, y)
    validation = training.check_validation(architecture, X_val, y_val)
    epochs, batch_size, rates = training.check_settings(
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        learning_rate=learning_rate,
        random_state=random_state,
    )
    callbacks = training.check_callbacks(callbacks, keras.callbacks.Callback)
    recorder = _Recorder(epochs, validation, ProgressLine(progress))
    ours = [recorder]
    if callable(learning_rate):
        ours.append(keras.callbacks.LearningRateScheduler(lambda epoch: rates[epoch]))
    if log_dir is not None:
        ours.append(keras.callbacks.TensorBoard(str(log_dir), write_graph=False))
    steps = -(-len(X) // batch_size)
    model.compile(
        optimizer=_OPTIMIZERS[optimizer](rates[0], name=optimizer),
        loss=_LOSSES[architecture.task](),
        metrics=_metrics(architecture.task),
        jit_compile=False,  # by default True on a GPU: minutes of compiling, and other kernels
        # One call into the graph for many batches: the loop between them costs more than they do.
        # Keras needs a divisor of the steps; an epoch of moderate size is one call.
        steps_per_execution=max(k for k in range(1, min(steps, 1000) + 1) if steps % k == 0),
    )
    _seed_dropout(model, random_state)
    orders = np.stack(list(training.batch_orders(len(X), epochs, random_state)))
    with _no_retracing_note():
        model.fit(
            _batches(X, y, orders, batch_size),
            epochs=epochs,
            steps_per_epoch=steps,
            callbacks=[*ours, *callbacks],
            shuffle=False,  # the batches come shuffled
            verbose=0,
        )
    return recorder.history()


def predict_logits(model, X, *, batch_size=1024):
    """Predict logits: the model's output before the task's activation.

    Parameters
    ----------
    model : SequenceCNN
    X : array of shape (N, L, 4)
    batch_size : int

    Returns
    -------
    ndarray of shape (N, T), float32

    Raises
    ------
    ValueError
        If `X` has another shape or length than the model takes, or `batch_size` is not positive.
    """
    architecture = _architecture_of(model)
    batch_size = positive_int(batch_size, "batch_size")
    X = training.check_input(architecture, X)
    logits = np.empty((len(X), architecture.n_outputs), dtype=np.float32)
    for start in range(0, len(X), batch_size):
        batch = slice(start, start + batch_size)
        logits[batch] = model(X[batch], training=False)
    return logits


def predict(model, X, *, batch_size=1024):
    """Predict probabilities, or values for a regression: logits after the task's activation.

    Parameters
    ----------
    model : SequenceCNN
    X : array of shape (N, L, 4)
    batch_size : int

    Returns
    -------
    ndarray of shape (N, T), float32
    """
    activation = _ACTIVATIONS[arch.TASKS[_architecture_of(model).task]]
    return np.array(activation(predict_logits(model, X, batch_size=batch_size)))


def input_gradient(model, X, *, task=0, batch_size=256):
    """Gradient of one logit with respect to each entry of the input.

    Parameters
    ----------
    model : SequenceCNN
    X : array of shape (N, L, 4)
    task : int
        Column of the output.
    batch_size : int

    Returns
    -------
    ndarray of shape (N, L, 4), float32

    Raises
    ------
    ValueError
        If the model has no output `task`.
    """
    architecture = _architecture_of(model)
    batch_size = positive_int(batch_size, "batch_size")
    X = training.check_input(architecture, X)
    training.check_task(architecture, task)
    gradient = np.empty_like(X)
    for start in range(0, len(X), batch_size):
        batch = tf.constant(X[start : start + batch_size])
        with tf.GradientTape() as tape:
            tape.watch(batch)
            logit = model(batch, training=False)[:, task]
        gradient[start : start + batch_size] = tape.gradient(logit, batch)
    return gradient


def get_weights(model):
    """Weights in the layout that both twins share.

    Parameters
    ----------
    model : SequenceCNN

    Returns
    -------
    dict of str to ndarray, float32
        See `Architecture.weight_shapes`.
    """
    names = _architecture_of(model).weight_shapes()
    return {name: v.numpy() for name, v in zip(names, _variables(model), strict=True)}


def set_weights(model, weights):
    """Copy weights into a model, from this twin or the other.

    Parameters
    ----------
    model : SequenceCNN
    weights : dict of str to array
        From `get_weights` of either twin.

    Raises
    ------
    ValueError
        If they are the weights of another architecture.
    """
    weights = arch.check_weights(_architecture_of(model), weights)
    for variable, weight in zip(_variables(model), weights.values(), strict=True):
        variable.assign(weight)


def save(model, path):
    """Save a model as a Keras file; it appears whole or not at all.

    Parameters
    ----------
    model : SequenceCNN
    path : path-like
        Ends in ``.keras``.

    Raises
    ------
    ValueError
        If the name ends in something else.
    """
    _architecture_of(model)
    path = Path(path)
    if path.suffix != ".keras":
        raise ValueError(f"path must end in .keras; got {path.name!r}.")
    with whole_file(path) as part:
        model.save(part)


def load(path, *, architecture=None):
    """Load a model that `save` or a ``ModelCheckpoint`` wrote.

    Parameters
    ----------
    path : path-like
    architecture : Architecture, optional
        What the file must hold.

    Returns
    -------
    SequenceCNN

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is corrupt, holds something else, or another architecture.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No model at {path}.")
    if not zipfile.is_zipfile(path):
        raise ValueError(
            f"{path} is no Keras file, or a truncated one; it was not read. A file of weights only "
            "goes into a model of the same architecture with model.load_weights(path)."
        )
    try:
        model = keras.saving.load_model(path, safe_mode=True)
    except Exception as error:
        raise ValueError(f"{path} cannot be read as a Keras file: {error}") from error
    if not isinstance(model, SequenceCNN):
        raise ValueError(
            f"{path} holds a {type(model).__name__} that workshop did not build; open it with "
            "keras.saving.load_model."
        )
    training.check_same(path, model.architecture, architecture)
    return model


class _Recorder(keras.callbacks.Callback):
    """Scores the validation data, collects the history and moves the progress line.

    It comes first among the callbacks: what it adds to `logs`, the others see.
    """

    def __init__(self, epochs, validation, line):
        super().__init__()
        self.epochs, self.validation, self.line, self.rows = epochs, validation, line, []

    def on_epoch_end(self, epoch, logs=None):
        if self.validation:
            X, y = self.validation
            logits = predict_logits(self.model, X)
            scores = training.score_logits(self.model.architecture.task, logits, y)
            logs |= {f"val_{name}": float(value) for name, value in scores.items()}
        rate = float(self.model.optimizer.learning_rate.numpy())
        self.rows.append({"epoch": epoch + 1, "learning_rate": rate} | logs)
        self.line.show(training.epoch_text(self.rows[-1], self.epochs))

    def on_train_end(self, logs=None):
        self.line.show(training.epoch_text(self.rows[-1], self.epochs), last=True)

    def history(self):
        return training.make_history(self.rows)


def _seed_dropout(model, random_state):
    """Let the masks of each Dropout layer depend on `random_state`, and on which layer it is."""
    for i, layer in enumerate(model.layers):
        if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
            seed = np.random.SeedSequence([random_state, i]).generate_state(2)
            layer.seed_generator.state.assign(seed)


@contextlib.contextmanager
def _no_retracing_note():
    """Keep back TensorFlow's note that fitting many models traces many graphs: it has to."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)


def _batches(X, y, orders, batch_size):
    """Batches of whole arrays, epoch after epoch, in the given orders (epochs, N)."""
    X, y = tf.constant(X), tf.constant(y)
    steps = -(-len(X) // batch_size)
    return (
        tf.data.Dataset.from_tensor_slices(orders)
        .flat_map(lambda order: tf.data.Dataset.from_tensor_slices(order).batch(batch_size))
        .map(lambda rows: (tf.gather(X, rows), tf.gather(y, rows)))
        .apply(tf.data.experimental.assert_cardinality(len(orders) * steps))
        .prefetch(2)
    )


def _metrics(task):
    if task == "regression":
        return [keras.metrics.MeanAbsoluteError(name="mae")]
    if task == "multiclass":
        return [keras.metrics.CategoricalAccuracy(name="accuracy")]
    return [
        keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0),  # of logits
        keras.metrics.AUC(name="auroc", from_logits=True, multi_label=task == "multilabel"),
    ]


def _variables(model):
    return [variable for layer in model.layers for variable in layer.weights]


def _architecture_of(model):
    if not isinstance(model, SequenceCNN):
        raise TypeError(
            f"model must come from workshop.keras_cnn.build_cnn or load; got a "
            f"{type(model).__module__}.{type(model).__name__}."
        )
    return model.architecture
