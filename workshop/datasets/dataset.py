"""A data set: sequences, labels and a table of where they come from; and its one file, as text."""

import gzip
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from workshop._files import write_whole
from workshop.datasets.genome import read_lines
from workshop.sequences import one_hot_decode, one_hot_encode


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
        """Rows `indices` (sequence of int or of bool) of all three parts, as a new `Dataset`.

        Examples
        --------
        >>> from workshop.datasets import load_real_ctcf
        >>> load_real_ctcf().take([2, 0]).table["name"].tolist()
        ['chr14:106765204-106765404', 'chr11:190037-190237']
        """
        rows = np.arange(len(self.X))[list(indices)]
        table = self.table.iloc[rows].reset_index(drop=True)
        return Dataset(self.X[rows], self.y[rows], table)


def write_dataset(dataset, path):
    """Write a data set as tab-separated text, gzipped where the name ends in ``.gz``.

    The same data set gives the same bytes; the file appears whole or not at all.

    Parameters
    ----------
    dataset : Dataset
        With one task; its y is written as the column label.
    path : path-like

    Examples
    --------
    >>> import tempfile
    >>> from workshop.datasets import simulate_ctcf
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
            f"table; got X {dataset.X.shape}, y {dataset.y.shape}."
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
        If the file is damaged, or not such a table.

    Examples
    --------
    >>> read_dataset("data/ctcf_simulated.tsv.gz").table.iloc[0][["chrom", "start", "motif_starts"]]
    chrom               chr1
    start             351771
    motif_starts    (19, 87)
    Name: 0, dtype: object
    """
    lines = list(read_lines(path))
    try:
        return _parse_table(lines)
    except ValueError as error:
        raise ValueError(
            f"{path} must be a tab-separated table as write_dataset writes it: {error}"
        ) from error


def _parse_table(lines):
    text = ["chrom", "strand", "name", "sequence", "motif_starts"]
    types = {"start": int, "end": int, "label": float} | dict.fromkeys(text, str)
    header = lines[0].split("\t") if lines else []
    missing = [column for column in types if column not in [*header, "motif_starts"]]
    if missing:
        raise ValueError(f"there is no column {', '.join(missing)} in its first line.")
    # Only an empty field is missing: NA is a name, NAN a sequence.
    table = pd.read_csv(
        io.StringIO("\n".join(lines)), sep="\t", dtype=types, keep_default_na=False, na_values=[""]
    )
    if table.isna().any().any():
        row, column = np.argwhere(table.isna().to_numpy())[0]
        raise ValueError(f"row {row} has no {table.columns[column]}.")
    if "motif_starts" in table:
        table["motif_starts"] = [
            () if starts == "." else tuple(map(int, starts.split(",")))
            for starts in table["motif_starts"]
        ]
    X = one_hot_encode(table.pop("sequence"))
    table["label"] = _whole_where_possible(table["label"])
    return Dataset(X, as_column(table["label"]), table)


def _whole_where_possible(labels):
    """Labels as int where all are whole numbers, so that a table shows 1, not 1.0."""
    return labels.astype(int) if (labels % 1 == 0).all() else labels


def as_column(labels):
    """Labels of a table as y, shape (N, 1)."""
    return labels.to_numpy(dtype=np.float32)[:, None]
