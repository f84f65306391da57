"""The course's data as the checks use them, and random models and sequences of their kind.

Whoever teaches with other data changes it here, and the numbers in `targets`.
"""

from functools import lru_cache
from types import SimpleNamespace

import numpy as np

from workshop import datasets, splits
from workshop.architecture import Architecture, Conv1D, GlobalMaxPool, MaxPool, initial_weights
from workshop.homework.answers import ModelAnswer

LENGTH = 200  # bp of a sequence
WIDTH = 19  # positions of the motif


@lru_cache(maxsize=1)
def course():
    """The course's data, split as in the notebooks: X_train, y_train, ... X_test, y_test."""
    data = datasets.load_ctcf()
    split = splits.split_by_chromosome(data.table["chrom"])
    parts = {}
    for name, rows in split._asdict().items():
        parts |= {f"X_{name}": data.X[rows], f"y_{name}": data.y[rows]}
    return SimpleNamespace(**parts)


@lru_cache(maxsize=128)
def trained(architecture, *, until=1.0, random_state=0, **options):
    """A model trained on train, as `ModelAnswer`, until its val AUROC is `until`; its `History`."""
    from pytorch_lightning.callbacks import EarlyStopping

    from workshop import torch_cnn

    data, model = course(), torch_cnn.build_cnn(architecture, random_state=random_state)
    stop = EarlyStopping("val_auroc", mode="max", patience=100, stopping_threshold=until)
    options |= {"random_state": random_state, "callbacks": [stop], "progress": False}
    validation = {"X_val": data.X_val, "y_val": data.y_val}
    history = torch_cnn.fit(model, data.X_train, data.y_train, **validation, **options)
    return ModelAnswer("torch", architecture, torch_cnn.get_weights(model)), history


def random_model(rng, *more):
    """A small network with random weights, as a check passes it to a student's function."""
    first = Conv1D(8, int(rng.integers(5, 12)), "relu", padding="same")
    architecture = Architecture((first, MaxPool(4), *more, GlobalMaxPool()), input_length=LENGTH)
    weights = initial_weights(architecture, random_state=rng)
    # Larger than at the start of training, so that a change of one letter shows.
    return ModelAnswer("torch", architecture, {name: 3 * w for name, w in weights.items()})


def random_sequences(rng, n):
    """One-hot sequences (n, LENGTH, 4)."""
    return np.eye(4, dtype=np.float32)[rng.integers(4, size=(n, LENGTH))]
