"""Training, validation and test parts as index arrays.

On genomes hold out whole chromosomes: neighbouring windows, and windows that overlap, share
sequence, so that a random split lets a model recognise test windows that it has seen.
"""

from itertools import combinations
from numbers import Real
from typing import NamedTuple

import numpy as np
import pandas as pd

from workshop._checks import plain_array, whole_number
from workshop.chromosomes import (
    UNPLACED,
    chromosome_of,
    names_by_spelling,
    natural_order,
    normal_name,
)

__all__ = ["TEST_CHROMS", "VAL_CHROMS", "Split", "overlapping_windows", "split_at_random"]
__all__ += ["split_by_chromosome"]

VAL_CHROMS = ("chr8", "chr20")  # of the course: about 7 % of the genome
TEST_CHROMS = ("chr1", "chr3", "chr6")  # about 20 %


class Split(NamedTuple):
    """Indices of the three parts, each a sorted array of int."""

    train: np.ndarray  #: rows to learn from
    val: np.ndarray  #: rows to choose by: epochs, settings, architectures
    test: np.ndarray  #: rows to report on, once, at the end


def split_by_chromosome(chroms, *, val_chroms=VAL_CHROMS, test_chroms=TEST_CHROMS):
    """`Split` that holds out whole chromosomes; all that are not named train.

    A name counts without blanks, case and ``chr``, and contigs such as ``chr1_KI270706v1_random``
    go with their chromosome. A row that names none is an error, and so is one to train on that may
    be of any chromosome: ``chrUn_GL000218v1``, ``GL000192.1``, ``HLA-A*01:01``.

    Parameters
    ----------
    chroms : sequence of str or int, length N
        Chromosome of each row, such as ``table["chrom"]``.
    val_chroms, test_chroms : sequence of str or int
        Chromosomes of the validation and of the test part.

    Examples
    --------
    >>> split = split_by_chromosome(
    ...     ["chr1", "chr2", "chr8", "chr1"], val_chroms=["chr8"], test_chroms=["chr1"]
    ... )
    >>> split.train, split.val, split.test
    (array([1]), array([2]), array([0, 3]))
    """
    rows = names_by_spelling(chroms, "chroms", chromosome_of)
    if np.ndim(chroms) != 1:
        raise ValueError(f"chroms must have shape (N,); got {np.shape(chroms)}.")
    val = names_by_spelling(val_chroms, "val_chroms", chromosome_of)
    test = names_by_spelling(test_chroms, "test_chroms", chromosome_of)
    for name, wanted in {"val_chroms": val, "test_chroms": test}.items():
        unknown = wanted.index[~wanted.isin(rows)]
        if len(unknown):
            present = ", ".join(sorted(set(rows.index), key=natural_order))
            got = f"got {', '.join(unknown)}. Present: {present}"
            raise ValueError(f"{name} must name chromosomes of the data; {got}.")
    shared = sorted(val.index[val.isin(test)])
    if shared:
        raise ValueError(f"A chromosome belongs to one part; {', '.join(shared)} is in two.")
    in_val, in_test = rows.isin(val).to_numpy(), rows.isin(test).to_numpy()
    train, unplaced = ~in_val & ~in_test, rows.str.match(UNPLACED).to_numpy(dtype=bool)
    if (train & unplaced).any() and not unplaced[~train].all():  # or they are what is split
        row, *more = np.flatnonzero(train & unplaced)
        raise ValueError(
            f"What trains must be of a known chromosome; {rows.index[row]} in row {row} may be of "
            f"one that is held out. Leave such rows out first ({len(more) + 1:,} in all)."
        )
    split = Split(*map(np.flatnonzero, (train, in_val, in_test)))
    empty = [name for name, part in split._asdict().items() if len(part) == 0]
    if empty:
        raise ValueError(f"Every part must have rows; {' and '.join(empty)} would be empty.")
    return split


def split_at_random(n, *, val_size, test_size, random_state):
    """`Split` of rows by chance, with scikit-learn.

    Right only where rows are independent. Windows of a genome are not: see `split_by_chromosome`.

    Parameters
    ----------
    n : int
        Number of rows.
    val_size, test_size : float
        Share of each part, between 0 and 1.
    random_state : int

    Examples
    --------
    >>> [len(part) for part in split_at_random(100, val_size=0.1, test_size=0.2, random_state=0)]
    [70, 10, 20]
    """
    from sklearn.model_selection import train_test_split

    n = whole_number(n, "n")
    n_val, n_test = round(n * val_size), round(n * test_size)
    if not (0 < val_size < 1 and 0 < test_size < 1) or min(n_val, n_test, n - n_val - n_test) < 1:
        raise ValueError(f"val_size, test_size must leave 3 parts; got {val_size}, {test_size}.")
    rest, test = train_test_split(np.arange(n), test_size=n_test, random_state=random_state)
    train, val = train_test_split(rest, test_size=n_val, random_state=random_state)
    return Split(np.sort(train), np.sort(val), np.sort(test))


def overlapping_windows(table, split):
    """Find windows of different parts that share bases of the genome: the leak, row by row.

    Parameters
    ----------
    table : DataFrame
        Columns chrom, start, end (0-based, half-open); a row a window.
    split : Split

    Returns
    -------
    DataFrame
        A row a pair: part_a, row_a, part_b, row_b, chrom, overlap (bp). Empty for a sound split.

    Examples
    --------
    >>> table = pd.DataFrame({"chrom": "chr1", "start": [0, 50, 500], "end": [100, 150, 600]})
    >>> overlapping_windows(table, Split([0], [1], [2]))["overlap"].tolist()
    [50]
    """
    if not {"chrom", "start", "end"} <= set(table):
        raise ValueError(f"table must have columns chrom, start, end; got {list(table)}.")
    chroms = table["chrom"].to_numpy()
    names = names_by_spelling(chroms, "chrom", normal_name).to_numpy()
    starts, ends = (_int64(table[column], column) for column in ("start", "end"))
    parts = {part: _rows(rows, part, len(table)) for part, rows in split._asdict().items()}
    parts = {part: rows[starts[rows] < ends[rows]] for part, rows in parts.items()}  # hold bases
    found = []
    for (part_a, rows_a), (part_b, rows_b) in combinations(parts.items(), 2):
        for name in pd.unique(names[rows_a]):
            a, b = rows_a[names[rows_a] == name], rows_b[names[rows_b] == name]
            overlap = (starts[a, None] < ends[b]) & (starts[b] < ends[a, None])  # (len(a), len(b))
            i, j = np.nonzero(overlap)  # few of them: only these are kept as numbers
            a, b = a[i], b[j]
            bp = np.minimum(ends[a], ends[b]) - np.maximum(starts[a], starts[b])
            pairs = {"part_a": part_a, "row_a": a, "part_b": part_b, "row_b": b}
            found.append(pd.DataFrame(pairs | {"chrom": chroms[a], "overlap": bp}))
    columns = ["part_a", "row_a", "part_b", "row_b", "chrom", "overlap"]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=columns)


def _rows(rows, part, n):
    """Row numbers of a part, which may be a mask of n rows."""
    rows = plain_array(rows, part)
    is_mask = rows.dtype == bool and rows.shape == (n,)
    return np.flatnonzero(rows) if is_mask else _int64(rows.tolist(), part)


def _int64(values, name):
    """Whole numbers as int64: differences of smaller or unsigned ones wrap."""
    for row, value in enumerate(values):
        number = isinstance(value, Real) and not isinstance(value, bool)
        if not number or value % 1 != 0 or abs(value) >= 2**63:
            raise ValueError(f"{name} must hold whole numbers; got {value!r} in row {row}.")
    return np.array(list(values), dtype=np.int64)
