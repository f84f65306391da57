"""Data in, data out: the shipped sets, the simulator behind one of them, FASTA and BED.

Every loader returns a `Dataset`; no other module of the library reads sequences from a file.
Files are plain text, parsed here line by line: nothing in a data file can be executed.
"""

import gzip
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from workshop._files import write_whole
from workshop._genome_files import read_bed, read_fasta, read_lines
from workshop._shipped import shipped_file
from workshop._simulation import draw_letters, draw_windows, plant, shuffled_halves
from workshop.motifs import load_motif
from workshop.sequences import one_hot_decode, one_hot_encode, reverse_complement

__all__ = [
    "Dataset",
    "load_ctcf",
    "load_real_ctcf",
    "read_dataset",
    "read_windows",
    "simulate_ctcf",
    "write_dataset",
]

_BACKGROUND = (0.3, 0.2, 0.2, 0.3)


class Dataset(NamedTuple):
    """Sequences, their labels, and where they come from."""

    X: np.ndarray
    """One-hot sequences, shape (N, L, 4), float32."""
    y: np.ndarray
    """Labels, shape (N, T), float32; T = 1 for one task."""
    table: pd.DataFrame
    """A row a sequence: chrom, start, end (0-based, half-open), strand, label, name, and
    motif_starts (tuple of int, relative to the sequence) where motifs were planted."""

    def take(self, indices):
        """Rows `indices` of all three parts, as a new `Dataset`.

        Parameters
        ----------
        indices : sequence of int or of bool

        Returns
        -------
        Dataset

        Examples
        --------
        >>> load_real_ctcf().take([2, 0]).table["name"].tolist()
        ['chr14:106765204-106765404', 'chr11:190037-190237']
        """
        rows = np.arange(len(self.X))[list(indices)]
        table = self.table.iloc[rows].reset_index(drop=True)
        return Dataset(self.X[rows], self.y[rows], table)


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
    return Dataset(np.eye(4, dtype=np.float32)[np.array(codes)], _as_column(table["label"]), table)


def write_dataset(dataset, path):
    """Write a data set as tab-separated text, gzipped where the name ends in ``.gz``.

    The same data set gives the same bytes; the file appears whole or not at all.

    Parameters
    ----------
    dataset : Dataset
        With one task; its y is written as the column label.
    path : path-like

    Raises
    ------
    ValueError
        If `dataset` has more than one task, or its parts differ in length.

    Examples
    --------
    >>> import tempfile
    >>> data = simulate_ctcf(4)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_dataset(data, f"{folder}/mine.tsv.gz")
    ...     again = read_dataset(f"{folder}/mine.tsv.gz")
    >>> np.array_equal(again.X, data.X), again.table.equals(data.table)
    (True, True)
    """
    n = len(dataset.table)
    if dataset.y.shape != (n, 1) or len(dataset.X) != n:
        raise ValueError(
            f"dataset must have a row of X and y, shape (N, 1), for each of the {n} rows of its "
            f"table; got X {dataset.X.shape}, y {dataset.y.shape}. Write several tasks one by one."
        )
    table = dataset.table.copy()
    table["label"] = _whole_where_possible(dataset.y[:, 0])
    if "motif_starts" in table:
        table["motif_starts"] = [",".join(map(str, m)) or "." for m in table["motif_starts"]]
    table["sequence"] = one_hot_decode(dataset.X)
    content = table.to_csv(sep="\t", index=False, lineterminator="\n").encode()
    if Path(path).suffix == ".gz":
        content = _gzipped(content)
    write_whole(path, content)


def _gzipped(content):
    """Bytes that depend on neither clock nor system: `gzip.compress` may name the system."""
    zipped = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=zipped, mode="wb", compresslevel=9, mtime=0) as file:
        file.write(content)
    return zipped.getvalue()


def read_dataset(path):
    """Read what `write_dataset` wrote.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        If the file is truncated, or not a table with the needed columns and values.

    Examples
    --------
    >>> read_dataset("data/ctcf_simulated.tsv.gz").table.iloc[0][["chrom", "start", "motif_starts"]]
    chrom               chr1
    start             351771
    motif_starts    (19, 87)
    Name: 0, dtype: object
    """
    text = "\n".join(read_lines(path))
    needed = ["chrom", "start", "end", "strand", "label", "name", "sequence"]
    header = text.split("\n", 1)[0].split("\t")
    missing = [column for column in needed if column not in header]
    if missing:
        raise ValueError(
            f"{path} must be a tab-separated table with the columns {', '.join(needed)}; "
            f"{', '.join(missing)} not found in its first line {text[:60]!r}."
        )
    try:
        return _parse_table(text)
    except ValueError as error:
        raise ValueError(f"{path} is no table that write_dataset wrote: {error}") from error


def _parse_table(text):
    text_columns = ("chrom", "strand", "name", "sequence", "motif_starts")
    types = {"start": int, "end": int, "label": float} | dict.fromkeys(text_columns, str)
    # Only an empty field is missing: NA is a name, NAN a sequence.
    table = pd.read_csv(
        io.StringIO(text), sep="\t", dtype=types, keep_default_na=False, na_values=[""]
    )
    if table.isna().any().any():
        row, column = np.argwhere(table.isna().to_numpy())[0]
        raise ValueError(f"row {row} has no {table.columns[column]}.")
    if "motif_starts" in table:
        table["motif_starts"] = [
            () if m == "." else tuple(int(start) for start in m.split(","))
            for m in table["motif_starts"]
        ]
    X = one_hot_encode(table.pop("sequence"))
    table["label"] = _whole_where_possible(table["label"])
    return Dataset(X, _as_column(table["label"]), table)


def read_windows(fasta, bed, *, length=None, label=1):
    """Cut the windows of a BED or narrowPeak file out of a FASTA file.

    Parameters
    ----------
    fasta : path-like
        Chromosomes by name, or windows named ``chrom:start-end`` as ``bedtools getfasta`` writes
        them. May be gzipped. Lower case (soft-masked) counts as upper case.
    bed : path-like
        3 or more columns, tab-separated, 0-based half-open; the last of 10 columns (narrowPeak)
        is the summit relative to the start. May be gzipped. Strand ``-`` gives the reverse
        complement.
    length : int, optional
        bp around the summit, or around the middle where there is no summit. By default the
        windows are taken as they are; they must then be of one length.
    label : float
        Label of all windows.

    Returns
    -------
    Dataset
        Rows in the order of `bed`.

    Raises
    ------
    ValueError
        If a file is truncated or of another format, or a window is empty, reaches beyond its
        chromosome, or lies on a chromosome that the FASTA file does not hold.

    Examples
    --------
    >>> peaks = "data/ctcf_gm12878_top500_hg19"
    >>> read_windows(f"{peaks}.fa", f"{peaks}.bed").table.head(2)[["chrom", "start", "end"]]
       chrom      start        end
    0  chr11     190037     190237
    1  chr14  106873577  106873777
    """
    table = read_bed(bed)
    if length is not None:
        if length < 1:
            raise ValueError(f"length must be a positive number of bp, or None; got {length}.")
        table["start"] = table["start"] + table.pop("summit") - length // 2
        table["end"] = table["start"] + length
    else:
        table = table.drop(columns="summit")
    widths = table["end"] - table["start"]
    if widths.nunique() > 1:
        raise ValueError(
            f"Windows in {bed} must have one length; got {widths.min()} to {widths.max()} bp. "
            "Pass length=200 (say) for 200 bp around each summit."
        )
    records, names = read_fasta(fasta, wanted=_record_names(table))
    seqs = [_cut(row, records, names, fasta, bed) for row in table.itertuples()]
    try:
        X = one_hot_encode(seqs)
    except ValueError as error:
        raise ValueError(f"Windows of {bed} in {fasta}: {error}") from error
    minus = (table["strand"] == "-").to_numpy()
    X[minus] = reverse_complement(X[minus])
    table.insert(4, "label", label)
    return Dataset(X, _as_column(table["label"]), table)


def _record_names(table):
    windows = zip(table["chrom"], table["start"], table["end"], strict=True)
    return set(table["chrom"]) | {f"{chrom}:{start}-{end}" for chrom, start, end in windows}


def _cut(row, records, names, fasta, bed):
    window = f"{row.chrom}:{row.start}-{row.end}"
    if row.chrom in records:
        chromosome = records[row.chrom]
        if row.start < 0 or row.end > len(chromosome):
            raise ValueError(
                f"Window {window} of {bed} reaches beyond {row.chrom}, which has "
                f"{len(chromosome)} bp in {fasta}. Is it the same genome assembly?"
            )
        return chromosome[row.start : row.end]
    if window not in records:
        raise ValueError(
            f"{fasta} holds neither {row.chrom} nor {window}, asked for by {bed}; it holds "
            f"{', '.join(names[:5])}{', ...' if len(names) > 5 else ''}. Are both of one assembly, "
            "with the same names?"
        )
    seq = records[window]
    if len(seq) != row.end - row.start:
        raise ValueError(
            f"{window} in {fasta} must have {row.end - row.start} bp; got {len(seq)}. Is the file "
            "complete?"
        )
    return seq


def _whole_where_possible(labels):
    """Labels as int where all are whole numbers, so that a table shows 1, not 1.0."""
    return labels.astype(int) if (labels % 1 == 0).all() else labels


def _as_column(labels):
    return labels.to_numpy(dtype=np.float32)[:, None]  # (N, 1)
