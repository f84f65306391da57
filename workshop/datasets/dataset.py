"""A data set: sequences, labels and a table of where they come from; and its one file, as text."""

import csv
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from workshop._files import gzipped, read_lines, whole_file
from workshop.datasets.genome import GRAMMAR, broken_rule
from workshop.sequences import one_hot_decode, one_hot_encode


class Dataset(NamedTuple):
    """Sequences, their labels, and where they come from."""

    X: np.ndarray  #: one-hot sequences, shape (N, L, 4), float32
    y: np.ndarray  #: labels, shape (N, T), float32; T = 1 for one task
    #: a row a sequence: chrom, start, end (0-based, half-open), strand, label, name, and
    #: motif_starts (tuple of int, relative to the sequence) where motifs were planted
    table: pd.DataFrame

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
    columns = [map(str, [column, *table[column].to_numpy()]) for column in table]
    content = "".join("\t".join(row) + "\n" for row in zip(*columns, strict=True)).encode()
    if Path(path).suffix == ".gz":
        content = gzipped(content)
    with whole_file(path) as part:
        part.write_bytes(content)
        read_dataset(part)  # or an error: a name with a tab in it, say


def read_dataset(path):
    """Read the `Dataset` that `write_dataset` wrote.

    Parameters
    ----------
    path : path-like

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
    lines = [(number, line) for number, line in read_lines(path) if line]
    try:
        return _parse_table(lines)
    except ValueError as error:
        raise ValueError(f"{path} is not as write_dataset writes it: {error}") from error


_GRAMMAR = {column: GRAMMAR[column] for column in ("start", "end", "strand")} | {
    "label": (r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", "a number"),
    "sequence": ("[ACGTNacgtn]+", "letters A, C, G, T and N"),
    "motif_starts": (r"\.|\d+(,\d+)*", "whole numbers, separated by commas, or ."),
}
_TYPES = {"start": int, "end": int, "label": float}
_TYPES |= dict.fromkeys(["chrom", "strand", "name", "sequence"], str)


def _parse_table(lines):
    header = lines[0][1].split("\t") if lines else []
    if not set(_TYPES) <= set(header) or len(set(header)) < len(header):
        columns = ", ".join(_TYPES)
        raise ValueError(f"line 1: expected different columns, among them {columns}; got {header}.")
    width = 0
    for number, line in lines[1:]:
        fields, rule = line.split("\t"), f"{len(header)} fields, none empty"
        if len(fields) == len(header) and "" not in fields:
            rule, letters = broken_rule(_GRAMMAR, header, fields), fields[header.index("sequence")]
            width = width or len(letters)
            rule = rule or (len(letters) != width and f"{width} letters as sequence")
        if rule:
            raise ValueError(f"line {number}: expected {rule}; got {line[:80]!r}.")
    text = "\n".join(line for _, line in lines)
    plain = {"keep_default_na": False, "quoting": csv.QUOTE_NONE}  # NA is a name, NAN a sequence
    table = pd.read_csv(io.StringIO(text), sep="\t", dtype=_TYPES | {"motif_starts": str}, **plain)
    if "motif_starts" in table:
        table["motif_starts"] = [
            () if starts == "." else tuple(map(int, starts.split(",")))
            for starts in table["motif_starts"]
        ]
    X = one_hot_encode(table.pop("sequence"))
    table["label"] = _whole_where_possible(table["label"])
    table.attrs["excluded"] = {}
    return Dataset(X, as_column(table["label"]), table)


def _whole_where_possible(labels):
    """Labels as int where all are whole numbers, so that a table shows 1, not 1.0."""
    whole = (np.trunc(labels) == labels) & (abs(labels) < 2**53)
    return labels.astype(int) if whole.all() else labels


def as_column(labels):
    """Labels of a table as y, shape (N, 1)."""
    return labels.to_numpy(dtype=np.float32)[:, None]
