"""How fast the twins train, side by side in one run: ``python benchmarks/training.py``.

Milliseconds an epoch for the Day-1 model on 3,600 sequences of 200 bp, batch 64. Each way of
training takes its turns in every round, so that a noisy machine is noisy for all of them; the
table shows medians, the spread between quartiles, and the ratio to the framework's floor. An
epoch's cost is the slope between a short and a long run: start-up and graph tracing do not count.

The second table repeats short runs, start-up included, while another process keeps a core busy.
Torch's default is a thread a core, and threads that wait for each other wait for the neighbour.
"""

import argparse
import contextlib
import functools
import logging
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
import warnings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

from workshop import architecture as arch
from workshop import datasets, keras_cnn, torch_cnn  # keras_cnn first: it starts TF quietly

import keras  # isort: skip
import pytorch_lightning as pl
import tensorflow as tf
import torch
import torchmetrics
from torch import nn

N, BATCH, SHORT, LONG = 3600, 64, 1, 5


def bare_torch(X, y, epochs, *, threads=1):
    """The floor: a loop as most people write it, over the channels-last network; plain Adam.

    Nothing is checked, recorded or scored.
    """
    torch.set_num_threads(threads)
    model = torch_cnn.build_cnn(arch.DAY1_CNN)
    model.train()
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


def keras_fit(X, y, epochs):
    """`workshop.keras_cnn.fit`, progress off."""
    model = keras_cnn.build_cnn(arch.DAY1_CNN)
    keras_cnn.fit(model, X, y, epochs=epochs, batch_size=BATCH, progress=False)


def keras_by_hand(X, y, epochs):
    """Keras as in the notebook of 2023: arrays into `fit`, accuracy and AUC as metrics."""
    model = keras.Sequential(
        [
            keras.Input((200, 4)),
            keras.layers.Conv1D(32, 7, padding="same", activation="relu"),
            keras.layers.MaxPooling1D(4),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
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
                loss = keras.losses.binary_crossentropy(tf.gather(y, rows), logits, True)
                loss = tf.reduce_mean(loss)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    for _ in range(epochs):
        epoch(tf.random.shuffle(tf.range(N)))


class _LightningByHand(pl.LightningModule):
    """Lightning as in the notebook of 2023: Conv1d, torchmetrics at every step."""

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


def lightning_by_hand(X, y, epochs, *, threads=1):
    """Lightning as in the notebook of 2023: DataLoader, logger and checkpoints as they come.

    Only the threads are not: as they came, a busy machine would make it many times slower.
    """
    torch.set_num_threads(threads)
    data = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(y))
    loader = torch.utils.data.DataLoader(data, batch_size=BATCH, shuffle=True)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = pl.Trainer(
            max_epochs=epochs,
            default_root_dir=folder,
            devices=1,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(_LightningByHand(), loader)


WAYS = {
    "Torch, bare channels-last loop": bare_torch,
    "torch_cnn.fit": torch_fit,
    "Lightning as in 2023": lightning_by_hand,
    "Keras, one tf.function an epoch": keras_tf_function,
    "keras_cnn.fit": keras_fit,
    "Keras as in 2023": keras_by_hand,
}

FLOORS = {
    "torch_cnn.fit": ("Torch, bare channels-last loop", 1.4),
    "keras_cnn.fit": ("Keras, one tf.function an epoch", 2),
}
"""Way to its floor, and how many times as long it may take."""

WAYS_BESIDE_A_BUSY_PROCESS = {
    "torch_cnn.fit": torch_fit,
    "Torch, bare loop on two threads": functools.partial(bare_torch, threads=2),
    "Lightning as in 2023, on two threads": functools.partial(lightning_by_hand, threads=2),
    "keras_cnn.fit": keras_fit,
    "Keras as in 2023": keras_by_hand,
}


def seconds(way, X, y, epochs):
    start = time.perf_counter()
    way(X, y, epochs)
    return time.perf_counter() - start


def measure(rounds):
    """Milliseconds an epoch, a value a round, of each of the `WAYS`."""
    X, y = _prepare()
    for way in WAYS.values():
        way(X, y, 1)  # first calls load and compile
    per_epoch = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, way in WAYS.items():
            difference = seconds(way, X, y, LONG) - seconds(way, X, y, SHORT)
            per_epoch[name].append(1000 * difference / (LONG - SHORT))
    return per_epoch


def measure_beside_a_busy_process(rounds):
    """How many times as long each way takes, a value a round, while a neighbour computes."""
    X, y = _prepare()
    for way in WAYS_BESIDE_A_BUSY_PROCESS.values():
        way(X, y, 1)
    slower = {name: [] for name in WAYS_BESIDE_A_BUSY_PROCESS}
    with _neighbour() as neighbour:
        for _ in range(rounds):
            for name, way in WAYS_BESIDE_A_BUSY_PROCESS.items():
                quiet = seconds(way, X, y, 2)
                neighbour.send_signal(signal.SIGCONT)
                busy = seconds(way, X, y, 2)
                neighbour.send_signal(signal.SIGSTOP)
                slower[name].append(busy / quiet)
    return slower


def _prepare():
    """Silence, and the data."""
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    return datasets.load_ctcf().take(np.random.default_rng(0).permutation(5000)[:N])[:2]


@contextlib.contextmanager
def _neighbour():
    """A process that multiplies matrices on one core, asleep until it is told to go on."""
    work = "import numpy as np; a = np.ones((300, 300))\nwhile True: a @ a"
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen([sys.executable, "-c", work], env=os.environ | one_thread) as process:
        process.send_signal(signal.SIGSTOP)
        try:
            yield process
        finally:
            process.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    per_epoch = measure(rounds)
    slower = measure_beside_a_busy_process(max(1, rounds // 2))

    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, ")
    print(f"torch {torch.__version__}, tensorflow {tf.__version__}, keras {keras.__version__}")
    print(f"Day-1 model, {N} x 200 bp, batch {BATCH}; {rounds} rounds\n")
    print(f"{'ms per epoch':38} {'median':>7} {'quartiles':>13}")
    for name, times in per_epoch.items():
        low, median, high = np.quantile(times, [0.25, 0.5, 0.75])
        print(f"{name:38} {median:7.0f} {low:6.0f}-{high:6.0f}")
    print(f"\n{'x slower beside a busy process':38} {'median':>7} {'quartiles':>13}")
    for name, times in slower.items():
        low, median, high = np.quantile(times, [0.25, 0.5, 0.75])
        print(f"{name:38} {median:7.2f} {low:6.2f}-{high:6.2f}")
    print()
    medians = {name: np.median(times) for name, times in per_epoch.items()}
    for name, (floor, limit) in FLOORS.items():
        print(f"{name} / {floor}: {medians[name] / medians[floor]:.2f} (at most {limit})")
    for name, before in (("torch_cnn.fit", "Lightning"), ("keras_cnn.fit", "Keras")):
        ratio = medians[f"{before} as in 2023"] / medians[name]
        print(f"{before} as in 2023 / {name}: {ratio:.2f}")


if __name__ == "__main__":
    main()
