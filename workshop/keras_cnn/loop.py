"""What `keras_cnn.fit` hands to Keras: batches, metrics, a recorder, and how often it is asked."""

import keras
import numpy as np
import tensorflow as tf

from workshop import training


class Recorder(keras.callbacks.Callback):
    """Scores the validation data, collects the history and moves the progress line.

    It comes first among the callbacks: what it adds to `logs`, the `others` see. `predict` gives
    logits.
    """

    def __init__(self, epochs, validation, line, others, predict):
        super().__init__()
        self.epochs, self.validation, self.line = epochs, validation, line
        self.others, self.predict = others, predict
        self.rows, self.first = [], tf.Variable(0, dtype=tf.int64)

    def on_epoch_begin(self, epoch, logs=None):
        if not self.rows:
            self.first.assign(epoch)  # not 0 where BackupAndRestore goes on with an older run

    def on_epoch_end(self, epoch, logs=None):
        if self.validation:
            X, y = self.validation
            for callback in self.others:
                callback.on_test_begin()
            task, logits = self.model.architecture.task, self.predict(self.model, X)
            scores = training.score_logits(task, logits, y)
            for callback in self.others:
                callback.on_test_end(scores)
            logs |= {f"val_{name}": float(value) for name, value in scores.items()}
        rate = float(self.model.optimizer.learning_rate.numpy())
        self.rows.append({"epoch": epoch + 1, "learning_rate": rate} | logs)
        self.line.show(training.epoch_text(self.rows[-1], self.epochs))

    def on_train_end(self, logs=None):
        if self.rows:  # none where BackupAndRestore finds all epochs done
            self.line.show(training.epoch_text(self.rows[-1], self.epochs), last=True)


def asks_for_batches(callback):
    """Whether a callback acts on batches; of Keras's own some do if their frequency says so."""
    names = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")
    hooks = [getattr(callback, name) for name in names]
    if "epoch" in (getattr(callback, "save_freq", ""), getattr(callback, "update_freq", "")):
        hooks = [hook for hook in hooks if not hook.__module__.startswith("keras.")]
    return not all(hasattr(hook, "_is_default") for hook in hooks)


def seed_dropout(model, random_state):
    """Let the masks of each Dropout layer depend on `random_state`, and on which layer it is."""
    for i, layer in enumerate(model.layers):
        if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
            seed = np.random.SeedSequence([random_state, i]).generate_state(2)
            layer.seed_generator.state.assign(seed)


def batches(data, orders, first, batch_size):
    """Batches of whole arrays, epoch after epoch from `first`, in the given orders (epochs, N)."""
    data = tuple(map(tf.constant, data))
    return (
        tf.data.Dataset.from_tensor_slices(orders)
        .enumerate()
        .filter(lambda epoch, _: epoch >= first)
        .flat_map(lambda _, order: tf.data.Dataset.from_tensor_slices(order).batch(batch_size))
        .map(lambda rows: tuple(tf.gather(array, rows) for array in data))
        .prefetch(2)
    )


def metrics_of(task):
    if task == "regression":
        return [keras.metrics.MeanAbsoluteError(name="mae")]
    if task == "multiclass":
        return [keras.metrics.CategoricalAccuracy(name="accuracy")]
    return [
        keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0),  # of logits
        keras.metrics.AUC(name="auroc", from_logits=True, multi_label=task == "multilabel"),
    ]
