"""Right and wrong answers to the ten extended practices, without a notebook.

`best_model` here is no trained network: its one kernel is the CTCF matrix, so that its answers are
known. Each case is a function, made when its test runs: ``CASES[id]["right"][label]()`` gives what
`homework.check` takes.
"""

import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from workshop import motifs, torch_cnn
from workshop.architecture import Architecture, Conv1D, GlobalMaxPool

CASES = {}
FOLDER = tempfile.TemporaryDirectory(prefix="workshop-test-")  # of this module; goes with it


def new_folder():
    return Path(tempfile.mkdtemp(dir=FOLDER.name))


def right(practice_id, kind="right", **made):
    """Enter right answers: functions by label, or the one that is decorated."""
    cases = CASES.setdefault(practice_id, {"right": {}, "wrong": {}})[kind]
    cases.update(made)

    def enter(make):
        cases[make.__name__] = make
        return make

    return enter


def wrong(practice_id, **made):
    """Enter wrong answers."""
    return right(practice_id, "wrong", **made)


# --- models whose answers are known ---


def matrix_model(kernel_size=19, **options):
    """A network whose kernel is the log-odds matrix of CTCF: it finds the motif anywhere."""
    layers = (Conv1D(1, kernel_size, "relu", padding="same"), GlobalMaxPool())
    return give_the_matrix(torch_cnn.build_cnn(Architecture(layers)), **options)


def give_the_matrix(model, *, noise=0.0, seed=0, bias=20.0):
    """Let a network of one kernel, at least as wide as the motif, find it."""
    kernel = np.zeros(model.architecture.weight_shapes()["0.kernel"], dtype=np.float32)
    kernel[:19, :, 0] = motifs.load_motif("MA0139.1").log_odds()
    kernel += noise * np.random.default_rng(seed).normal(size=kernel.shape)
    names = list(model.architecture.weight_shapes())
    values = [kernel, np.full(1, bias), np.full((1, 1), 0.4), np.full(1, -10.0)]
    torch_cnn.set_weights(model, dict(zip(names, values, strict=True)))
    return model


@lru_cache(maxsize=1)
def best_model():
    return matrix_model()


class CountsGC(torch.nn.Module):
    """Scores between 0 and 1 that know something: a logistic function of the count of G and C."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(0.15))

    def forward(self, x):  # (N, 200, 4)
        return torch.sigmoid(self.scale * (x[:, :, 1:3].sum(dim=(1, 2)) - 85))[:, None]


def predict(model, X):
    with torch.inference_mode():
        return model(torch.from_numpy(X)).numpy()


def with_weights(change):
    """The architecture and the model of the matrix, its weights changed one by one."""
    model = matrix_model()
    weights = torch_cnn.get_weights(model)
    torch_cnn.set_weights(model, {name: change(name, w) for name, w in weights.items()})
    return model.architecture, model
