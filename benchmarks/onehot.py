"""How fast strings become one-hot arrays: ``python benchmarks/onehot.py``

100,000 strings of 200 bp, from one and the same list of str, on one thread. Ours gives float32
(N, L, 4), which models take; seqpro gives uint8 (N, L, 4); tangermeme, one string a call and then
stacked, int8 (N, 4, L). CPU time counts, so that who else uses the machine hardly matters. Each way
takes its turn in every round, twice in a row: the second call counts, which finds memory at hand
that the first one had to ask the system for.
"""

import argparse
import os
import time

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from benchmarks.table import as_markdown, measured, ratio
from workshop.sequences import one_hot_encode

import seqpro  # isort: skip
import tangermeme.utils
import torch

N, LENGTH, ROUNDS = 100_000, 200, 15


def by_tangermeme(seqs):
    return torch.stack([tangermeme.utils.one_hot_encode(seq) for seq in seqs])


WAYS = {
    "ours": one_hot_encode,
    "seqpro": seqpro.DNA.ohe,
    "seqpro, as float32": lambda seqs: seqpro.DNA.ohe(seqs).astype(np.float32),
    "tangermeme, string by string": by_tangermeme,
}


def seconds(way, seqs):
    way(seqs)
    start = time.process_time()
    result = way(seqs)
    spent = time.process_time() - start
    del result  # what it takes to free the memory does not count
    return spent


def measure(rounds=ROUNDS):
    """Rows for the suite."""
    letters = np.random.default_rng(0).choice(list("ACGT"), (N, LENGTH))
    seqs = ["".join(row) for row in letters]
    few = seqs[:100]
    expected = letters[:100, :, None] == list("ACGT")
    for name, way in WAYS.items():  # the first call loads and compiles
        found = np.asarray(way(few))
        found = found.swapaxes(1, 2) if name.startswith("tangermeme") else found
        if not np.array_equal(found, expected):
            raise ValueError(f"{name}: another encoding")
    times = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, way in WAYS.items():
            times[name].append(1000 * seconds(way, seqs))
    ours = times.pop("ours")
    limits = {"seqpro": 3, "tangermeme, string by string": 10}
    return [
        measured("one_hot_encode, 100,000 × 200 bp", ours, "ms"),
        *(ratio(f"{name} / ours", t, ours, at_least=limits.get(name)) for name, t in times.items()),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    print(as_markdown(measure(parser.parse_args().rounds)))


if __name__ == "__main__":
    main()
