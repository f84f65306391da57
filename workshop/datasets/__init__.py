"""The data: shipped, simulated, from your FASTA and BED files, or fetched from the web.

Every loader returns a `Dataset`; no other module of the library reads sequences from a file.
Files are plain text, parsed line by line: nothing in a data file can be executed.
"""

import numpy as np
import pandas as pd

from workshop._files import shipped_file
from workshop.datasets.dataset import Dataset, as_column, read_dataset, write_dataset
from workshop.datasets.download import DownloadError, RemoteFile
from workshop.datasets.remote import CTCF_GM12878, Source, fetch_ctcf
from workshop.datasets.simulation import draw_letters, draw_windows, plant, shuffled_halves
from workshop.datasets.windows import read_peaks, read_windows
from workshop.motifs import load_motif

__all__ = [
    "CTCF_GM12878",
    "Dataset",
    "DownloadError",
    "RemoteFile",
    "Source",
    "fetch_ctcf",
    "load_ctcf",
    "load_real_ctcf",
    "read_dataset",
    "read_peaks",
    "read_windows",
    "simulate_ctcf",
    "write_dataset",
]

_BACKGROUND = (0.3, 0.2, 0.2, 0.3)


def load_ctcf():
    """Load the course's shipped set: 5,000 simulated sequences of 200 bp.

    Half hold one or two CTCF motif instances; `simulate_ctcf` with its defaults made it.

    Returns
    -------
    Dataset
        X (5000, 200, 4), y (5000, 1).

    Raises
    ------
    ValueError
        If the file's bytes are not the shipped ones.

    Examples
    --------
    >>> data = load_ctcf()
    >>> data.X.shape, data.y.shape, data.y.mean()
    ((5000, 200, 4), (5000, 1), np.float32(0.5))
    """
    return read_dataset(shipped_file("ctcf_simulated.tsv.gz"))


def load_real_ctcf():
    """Load 500 real CTCF peaks: GM12878 cells, 200 bp, hg19 coordinates; positives only.

    ENCODE data (doi:10.1038/s41586-020-2493-4) as packaged in gimmemotifs 0.18.4.

    Returns
    -------
    Dataset
        X (500, 200, 4), y (500, 1), all ones.

    Raises
    ------
    ValueError
        If the bytes of a file are not the shipped ones.

    Examples
    --------
    >>> load_real_ctcf().X.shape
    (500, 200, 4)
    """
    fasta = shipped_file("ctcf_gm12878_top500_hg19.fa")
    return read_windows(fasta, shipped_file("ctcf_gm12878_top500_hg19.bed"))


def simulate_ctcf(
    n=5000,
    *,
    length=200,
    random_state=2023,
    crops_per_window=1,
    random_labels=False,
):
    """Simulate sequences with and without CTCF motifs, at places of the human genome.

    Each base of the background is drawn with A .3, C .2, G .2, T .3. A positive gets one or two
    instances (Poisson with mean 1, kept to 1 or 2), sampled from the counts of MA0139.1 on the
    forward strand, at uniform positions, without overlap. Chromosomes are drawn by their length;
    no two windows overlap.

    Two options plant a leak for teaching: overlapping crops of each window, which a random split
    scatters over training and test, and labels that mean nothing.

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

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> data = simulate_ctcf(10, random_state=0)
    >>> data.X.shape, int(data.y.sum())
    ((10, 200, 4), 5)
    """
    motif = load_motif("MA0139.1")
    if length < 2 * len(motif):
        raise ValueError(
            f"length must be at least {2 * len(motif)} bp, room for two motifs; got {length}."
        )
    if crops_per_window < 1 or n < 1 or n % crops_per_window:
        raise ValueError(
            "n and crops_per_window must be positive, and n a multiple of crops_per_window; got "
            f"n={n}, crops_per_window={crops_per_window}."
        )
    rng = np.random.default_rng(random_state)
    shift = length // 10
    width = length + shift * (crops_per_window - 1)
    chroms, starts = draw_windows(n // crops_per_window, width, rng)
    planted = shuffled_halves(len(chroms), rng)
    labels = shuffled_halves(len(chroms), rng) if random_labels else planted

    codes, rows = [], []
    for i in range(len(chroms)):
        window = draw_letters(np.tile(_BACKGROUND, (width, 1)), rng)
        motif_starts = plant(window, motif, rng) if planted[i] else ()
        for crop in range(crops_per_window):
            offset = crop * shift
            inside = [m - offset for m in motif_starts if 0 <= m - offset <= length - len(motif)]
            start = int(starts[i]) + offset
            codes.append(window[offset : offset + length])
            rows.append((chroms[i], start, start + length, "+", int(labels[i]), tuple(inside)))
    columns = ["chrom", "start", "end", "strand", "label", "motif_starts"]
    table = pd.DataFrame(rows, columns=columns)
    table.insert(5, "name", [f"ctcf_{i:05d}" for i in range(n)])
    return Dataset(np.eye(4, dtype=np.float32)[np.array(codes)], as_column(table["label"]), table)
