"""Draw windows of the human genome, letters and motif instances: the parts of `simulate_ctcf`."""

import numpy as np

CHROMOSOME_LENGTHS = {
    "chr1": 248956422,
    "chr2": 242193529,
    "chr3": 198295559,
    "chr4": 190214555,
    "chr5": 181538259,
    "chr6": 170805979,
    "chr7": 159345973,
    "chr8": 145138636,
    "chr9": 138394717,
    "chr10": 133797422,
    "chr11": 135086622,
    "chr12": 133275309,
    "chr13": 114364328,
    "chr14": 107043718,
    "chr15": 101991189,
    "chr16": 90338345,
    "chr17": 83257441,
    "chr18": 80373285,
    "chr19": 58617616,
    "chr20": 64444167,
    "chr21": 46709983,
    "chr22": 50818468,
    "chrX": 156040895,
}
"""Lengths in bp of the human chromosomes of GRCh38, without Y."""


def draw_windows(n, width, rng):
    """Chromosome and start of `n` windows that do not overlap, in genome order."""
    names, lengths = list(CHROMOSOME_LENGTHS), np.array(list(CHROMOSOME_LENGTHS.values()))
    counts = rng.multinomial(n, lengths / lengths.sum())
    chroms, starts = [], []
    for name, size, count in zip(names, lengths, counts, strict=True):
        # Draw starts on the chromosome shortened by all windows, then push each one to the right
        # by the windows before it: uniform, and never two on one place.
        places = np.sort(rng.integers(0, size - count * width + 1, count))
        chroms += [name] * int(count)
        starts.append(places + width * np.arange(count))
    return chroms, np.concatenate(starts)


def shuffled_halves(n, rng):
    """`n` booleans in random order, half of them true."""
    return rng.permutation(np.arange(n) < n // 2)


def draw_letters(probabilities, rng):
    """One letter code a row of `probabilities` (K, 4)."""
    below = rng.random(len(probabilities))[:, None] >= np.cumsum(probabilities, axis=1)[:, :3]
    return below.sum(axis=1)  # (K,), 0 to 3


def plant(window, motif, rng):
    """Write 1 or 2 motif instances into `window` (codes); return where they start."""
    count = 0
    while count not in (1, 2):
        count = rng.poisson(1.0)
    free = len(window) - count * len(motif)
    starts = np.sort(rng.integers(0, free + 1, count)) + len(motif) * np.arange(count)
    for start in starts:
        window[start : start + len(motif)] = draw_letters(motif.probabilities(), rng)
    return tuple(int(start) for start in starts)
