"""Oracle of the mutagenesis tests: mutate one letter, predict, subtract. Nothing is clever here."""

import numpy as np

BASES = np.eye(4, dtype=np.float32)


def sequences(n, length, *, seed=0):
    """Random one-hot sequences; the second holds an N, the last is N everywhere."""
    X = BASES[np.random.default_rng(seed).integers(0, 4, (n, length))]
    X[1, length // 2] = 0
    X[-1] = 0
    return X


def one_by_one(predict, X, positions):
    """Effect (N, len(positions), 4) of each letter, from the outputs (N,) of whole sequences."""
    mutants = np.repeat(X[:, None, None], len(positions), axis=1).repeat(4, axis=2)
    for i, position in enumerate(positions):
        for letter in range(4):
            mutants[:, i, letter, position] = BASES[letter]
    outputs = predict(mutants.reshape(-1, *X.shape[1:]))
    return outputs.reshape(len(X), len(positions), 4) - predict(X)[:, None, None]
