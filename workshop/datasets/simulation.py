"""Simulated sequences with and without CTCF motifs: the course's data, and leaks to find."""

import numpy as np
import pandas as pd

from workshop.datasets.dataset import Dataset, as_column
from workshop.motifs import load_motif

BACKGROUND = (0.3, 0.2, 0.2, 0.3)  # probability of A, C, G, T outside of motifs

CHROMOSOME_LENGTHS = {  # in bp, of the human chromosomes of GRCh38 but Y
    "chr1": 248956422, "chr2": 242193529, "chr3": 198295559, "chr4": 190214555, "chr5": 181538259,
    "chr6": 170805979, "chr7": 159345973, "chr8": 145138636, "chr9": 138394717, "chr10": 133797422,
    "chr11": 135086622, "chr12": 133275309, "chr13": 114364328, "chr14": 107043718,
    "chr15": 101991189, "chr16": 90338345, "chr17": 83257441, "chr18": 80373285,
    "chr19": 58617616, "chr20": 64444167, "chr21": 46709983, "chr22": 50818468, "chrX": 156040895,
}  # fmt: skip


def simulate_ctcf(
    n=5000, *, length=200, random_state=2023, crops_per_window=1, random_labels=False
):
    """Simulate sequences with and without CTCF motifs, at places of the human genome.

    Each base of the background is drawn with A .3, C .2, G .2, T .3. A positive gets one or two
    instances (Poisson with mean 1, kept to 1 or 2), sampled from the counts of MA0139.1 on the
    forward strand, at uniform positions, without overlap. Chromosomes are drawn by their length;
    no two windows overlap. Two options plant a leak for teaching: overlapping crops of a window,
    which a random split scatters over training and test, and labels that mean nothing.

    Parameters
    ----------
    n : int
        Number of sequences; a multiple of `crops_per_window`.
    length : int
        bp of each sequence; at least 38, so that two motifs fit.
    random_state : int or numpy.random.Generator
    crops_per_window : int
        Sequences cut from each window, each shifted by a tenth of `length`; they share its label,
        even where a crop cuts a motif off.
    random_labels : bool
        Draw labels by chance, half positive, whether a motif was planted or not.

    Returns
    -------
    Dataset
        X (n, length, 4), y (n, 1); rows in order of chromosome and start.

    Examples
    --------
    >>> data = simulate_ctcf(10, random_state=0)
    >>> data.X.shape, int(data.y.sum())
    ((10, 200, 4), 5)
    """
    motif = load_motif("MA0139.1")
    if length < 2 * len(motif):
        raise ValueError(f"length must be at least {2 * len(motif)}, two motifs; got {length}.")
    if crops_per_window < 1 or n < 1 or n % crops_per_window:
        raise ValueError(f"n must be a multiple of crops_per_window, {crops_per_window}; got {n}.")
    rng = np.random.default_rng(random_state)
    shift = length // 10
    width = length + shift * (crops_per_window - 1)
    chroms, starts = draw_windows(n // crops_per_window, width, rng)
    planted = _shuffled_halves(len(chroms), rng)
    labels = _shuffled_halves(len(chroms), rng) if random_labels else planted

    codes, rows = [], []
    for i in range(len(chroms)):
        window = draw_letters(np.tile(BACKGROUND, (width, 1)), rng)
        motif_starts = _plant(window, motif, rng) if planted[i] else ()
        for offset in range(0, shift * crops_per_window, shift):
            inside = [m - offset for m in motif_starts if 0 <= m - offset <= length - len(motif)]
            start = int(starts[i]) + offset
            codes.append(window[offset : offset + length])
            rows.append((chroms[i], start, start + length, "+", int(labels[i]), tuple(inside)))
    columns = ["chrom", "start", "end", "strand", "label", "motif_starts"]
    table = pd.DataFrame(rows, columns=columns)
    table.insert(5, "name", [f"ctcf_{i:05d}" for i in range(n)])
    return Dataset(np.eye(4, dtype=np.float32)[np.array(codes)], as_column(table["label"]), table)


def draw_windows(n, width, rng):
    """Chromosome and start of `n` windows that do not overlap, in genome order."""
    lengths = np.array(list(CHROMOSOME_LENGTHS.values()))
    counts = rng.multinomial(n, lengths / lengths.sum())
    chroms, starts = [], []
    for (name, size), count in zip(CHROMOSOME_LENGTHS.items(), counts, strict=True):
        # Draw starts on the chromosome shortened by all windows, then push each one to the right
        # by the windows before it: uniform, and never two on one place.
        places = np.sort(rng.integers(0, size - count * width + 1, count))
        chroms += [name] * int(count)
        starts.append(places + width * np.arange(count))
    return chroms, np.concatenate(starts)


def draw_letters(probabilities, rng):
    """One letter code a row of `probabilities` (K, 4)."""
    below = rng.random(len(probabilities))[:, None] >= np.cumsum(probabilities, axis=1)[:, :3]
    return below.sum(axis=1)  # (K,), 0 to 3


def _shuffled_halves(n, rng):
    """`n` booleans in random order, half of them true."""
    return rng.permutation(np.arange(n) < n // 2)


def _plant(window, motif, rng):
    """Write 1 or 2 motif instances into `window` (codes); return where they start."""
    count = 0
    while count not in (1, 2):
        count = rng.poisson(1.0)
    free = len(window) - count * len(motif)
    starts = np.sort(rng.integers(0, free + 1, count)) + len(motif) * np.arange(count)
    for start in starts:
        window[start : start + len(motif)] = draw_letters(motif.probabilities(), rng)
    return tuple(int(start) for start in starts)
