"""Sequences for tests of mutagenesis, with what is not a letter among them."""

import numpy as np

LETTERS = np.eye(4, dtype=np.float32)


def sequences(n, length, *, seed=0):
    """Random one-hot sequences; the second holds an N, the last is N everywhere."""
    X = LETTERS[np.random.default_rng(seed).integers(0, 4, (n, length))]
    X[1, length // 2] = 0
    X[-1] = 0
    return X
