"""How fast the twins train, side by side in one run: ``make bench ONLY=training``

Milliseconds an epoch for the Day-1 model on 3,600 sequences of 200 bp, batch 64: the slope between
a short and a long run. The ways take turns in every round, so that noise is noise for all of them.

Then short runs while another process keeps a core busy: threads that wait for each other wait for
the neighbour. At last what plain code costs: `__setattr__` of a Torch module, which Lightning calls
forty times a step, and what Keras keeps of each model that is gone.
"""

import functools
import logging
import multiprocessing
import subprocess
import sys
import tempfile
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from unittest import mock

import numpy as np

from benchmarks.table import as_markdown, measured, ratio
from workshop import architecture as arch
from workshop import datasets, keras_cnn, nas, torch_cnn

import keras  # isort: skip - after keras_cnn, which starts TensorFlow quietly
import pytorch_lightning as pl
import tensorflow as tf
import torch
import torchmetrics
from torch import nn

N, BATCH, SHORT, LONG = 3600, 64, 1, 5


def bare_torch(X, y, epochs, *, threads=1):
    """The floor: a loop as most people write it, plain Adam; nothing checked or recorded."""
    torch.set_num_threads(threads)
    model = torch_cnn.build_cnn(arch.DAY1_CNN)
    optimizer = torch.optim.Adam(model.parameters(), eps=1e-7)
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    for _ in range(epochs):
        order = torch.randperm(len(X))
        for start in range(0, len(X), BATCH):
            rows = order[start : start + BATCH]
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(model(X[rows]), y[rows])
            loss.backward()
            optimizer.step()


def torch_fit(X, y, epochs):
    """`workshop.torch_cnn.fit`, progress off."""
    model = torch_cnn.build_cnn(arch.DAY1_CNN)
    torch_cnn.fit(model, X, y, epochs=epochs, batch_size=BATCH, progress=False)


def torch_fit_with_quick_attributes(X, y, epochs):
    """The same, but text that replaces text is set without a search among weights and layers."""

    def quick(model, name, value):
        known = isinstance(value, str) and name in model.__dict__
        (object if known else nn.Module).__setattr__(model, name, value)

    with mock.patch.object(torch_cnn.SequenceCNN, "__setattr__", quick):
        torch_fit(X, y, epochs)


def keras_fit(X, y, epochs):
    """`workshop.keras_cnn.fit`, progress off."""
    model = keras_cnn.build_cnn(arch.DAY1_CNN)
    keras_cnn.fit(model, X, y, epochs=epochs, batch_size=BATCH, progress=False)


def keras_by_hand(X, y, epochs):
    """As in the notebook of 2023: arrays into `fit`, accuracy and AUC as metrics."""
    layers = [
        keras.Input((200, 4)),
        keras.layers.Conv1D(32, 7, padding="same", activation="relu"),
        keras.layers.MaxPooling1D(4),
        keras.layers.GlobalAveragePooling1D(),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
    model = keras.Sequential(layers)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy", keras.metrics.AUC()])
    model.fit(X, y, epochs=epochs, batch_size=BATCH, verbose=0)


def keras_tf_function(X, y, epochs):
    """The floor of Keras: one `tf.function` over an epoch; nothing recorded."""
    model = keras_cnn.build_cnn(arch.DAY1_CNN)
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    X, y = tf.constant(X), tf.constant(y)

    @tf.function
    def epoch(order):
        for start in tf.range(0, N, BATCH):
            rows = order[start : start + BATCH]
            with tf.GradientTape() as tape:
                logits = model(tf.gather(X, rows), training=True)
                losses = keras.losses.binary_crossentropy(tf.gather(y, rows), logits, True)
                loss = tf.reduce_mean(losses)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    for _ in range(epochs):
        epoch(tf.random.shuffle(tf.range(N)))


class LightningByHand(pl.LightningModule):
    """As in the notebook of 2023: Conv1d, torchmetrics at every step."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv1d(4, 32, 7, padding="same"), nn.ReLU(), nn.MaxPool1d(4))
        self.out = nn.Linear(32, 1)
        self.accuracy = torchmetrics.classification.BinaryAccuracy()

    def training_step(self, batch, batch_idx):
        x, y = batch
        logits = self.out(self.net(x.transpose(1, 2)).mean(dim=2))
        self.log("accuracy", self.accuracy(logits, y), on_epoch=True)
        return nn.functional.binary_cross_entropy_with_logits(logits, y)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters())


def lightning_by_hand(X, y, epochs):
    """DataLoader, logger and checkpoints as they come; only the threads are ours: one."""
    torch.set_num_threads(1)
    data = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(y))
    loader = torch.utils.data.DataLoader(data, batch_size=BATCH, shuffle=True)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = pl.Trainer(
            max_epochs=epochs, default_root_dir=folder, devices=1,
            enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(LightningByHand(), loader)


WAYS = {
    "Torch, bare channels-last loop": bare_torch,
    "torch_cnn.fit": torch_fit,
    "torch_cnn.fit, quick attributes": torch_fit_with_quick_attributes,
    "Lightning as in 2023": lightning_by_hand,
    "Keras, one tf.function an epoch": keras_tf_function,
    "keras_cnn.fit": keras_fit,
    "Keras as in 2023": keras_by_hand,
}

RATIOS = [  # at most so many times as long
    ("torch_cnn.fit", "Torch, bare channels-last loop", 1.4),
    ("keras_cnn.fit", "Keras, one tf.function an epoch", 2),
    ("Lightning as in 2023", "torch_cnn.fit", None),
    ("Keras as in 2023", "keras_cnn.fit", None),
    ("torch_cnn.fit, quick attributes", "torch_cnn.fit", None),
]

WAYS_BESIDE_A_BUSY_PROCESS = {
    "torch_cnn.fit": torch_fit,
    "Torch, bare loop on two threads": functools.partial(bare_torch, threads=2),
    "keras_cnn.fit": keras_fit,
}


def in_turns(ways, rounds, measure_one):
    """What `measure_one` finds of each way: a list of a value a round."""
    logging.disable(logging.WARNING)
    X, y = datasets.load_ctcf().take(np.random.default_rng(0).permutation(5000)[:N])[:2]

    def seconds(way, epochs):
        start = time.perf_counter()
        way(X, y, epochs)
        return time.perf_counter() - start

    for way in ways.values():
        seconds(way, 1)  # first calls load and compile
    found = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            found[name].append(measure_one(functools.partial(seconds, way)))
    return found


def milliseconds_an_epoch(seconds):
    return 1000 * (seconds(LONG) - seconds(SHORT)) / (LONG - SHORT)


def slower_beside_a_busy_process(seconds):
    quiet = seconds(2)
    neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        return seconds(2) / quiet
    finally:
        neighbour.kill()


def peaks_of_a_search(framework):
    """Peak memory of this process in MB after each child of a random search."""
    X, y = datasets.load_ctcf()[:2]
    train, val, peaks = (X[500:], y[500:]), (X[:500], y[:500]), []

    def note(trial):
        status = Path("/proc/self/status").read_text()  # Linux's; getrusage inherits a peak
        peaks.append(int(status.split("VmHWM:")[1].split()[0]) / 1000)

    with tempfile.TemporaryDirectory() as folder:
        nas.random_search(
            nas.cnn_model_space(), train=train, val=val, working_dir=folder,
            framework=framework, epochs=1, max_trials=30, callbacks=[note], progress=False,
        )  # fmt: skip
    return peaks


def measure():
    """Rows of the table."""
    times = in_turns(WAYS, 9, milliseconds_an_epoch)
    rows = [measured(f"{name}: an epoch", spent, "ms") for name, spent in times.items()]
    for name, other, limit in RATIOS:
        rows.append(ratio(f"{name} / {other}", times[name], times[other], at_most=limit))
    slower = in_turns(WAYS_BESIDE_A_BUSY_PROCESS, 5, slower_beside_a_busy_process)
    for name, ratios in slower.items():
        rows.append(measured(f"{name}: beside a busy process / without", ratios, "x"))
    for framework in ("torch", "keras"):
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as fresh:
            peaks = fresh.submit(peaks_of_a_search, framework).result()
        growth = (peaks[-1] - peaks[9]) / (len(peaks) - 10)
        rows.append(measured(f"{framework}: peak memory after 30 children", [peaks[-1]], "MB"))
        rows.append(measured(f"{framework}: each of the last 20 children adds", [growth], "MB"))
    return rows


if __name__ == "__main__":
    print(as_markdown(measure()))
