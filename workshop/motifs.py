"""Position weight matrices: what a transcription factor likes to bind, position by position.

Motif databases write such a matrix as counts, one row a base. Here it is ``(K, 4)``, positions
first, like a one-hot sequence and like a convolution kernel: scanning *is* a convolution.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from workshop._files import read_lines, shipped_file
from workshop.sequences import ALPHABET, check_one_hot

__all__ = ["Motif", "Similarity", "load_motif", "read_jaspar", "scan", "similarity"]


@dataclass(frozen=True, eq=False)
class Motif:
    """A motif as counts of aligned binding sites.

    Parameters
    ----------
    matrix_id : str
        Such as ``"MA0139.1"``.
    name : str
        The transcription factor.
    counts : array of shape (K, 4)
        How many binding sites have A, C, G, T at each of the K positions.

    Examples
    --------
    >>> motif = Motif("toy", "TATA", [[0, 0, 0, 8], [8, 0, 0, 0], [0, 0, 0, 8], [6, 2, 0, 0]])
    >>> motif.consensus, len(motif)
    ('TATA', 4)
    >>> motif.information_content().round(2)
    array([2.  , 2.  , 2.  , 1.19])
    """

    matrix_id: str
    name: str
    counts: np.ndarray

    def __post_init__(self):
        counts = np.array(self.counts, dtype=np.float64)
        if counts.ndim != 2 or counts.shape[1] != 4 or len(counts) == 0:
            raise ValueError(f"counts must have shape (K, 4); got {counts.shape}. Is it counts.T?")
        for p, row in enumerate(counts):
            if not ((row >= 0) & (row < np.inf)).all() or row.sum() == 0:
                got = f"{row.tolist()} at position {p}"
                raise ValueError(f"counts must be >= 0 and finite, and not all 0; got {got}.")
        counts.flags.writeable = False
        object.__setattr__(self, "counts", counts)

    def __len__(self):
        """Width K in bp."""
        return len(self.counts)

    @property
    def consensus(self):
        """The most frequent base at each position, as a string."""
        return "".join(ALPHABET[i] for i in self.counts.argmax(axis=1))

    def probabilities(self):
        """Share of each base at each position, (K, 4)."""
        return self.counts / self.counts.sum(axis=1, keepdims=True)

    def log_odds(self):
        """How much likelier each base is in a binding site than by chance, (K, 4), in bits.

        log2(probability / 0.25), with 1 added to each count: a base never seen has a finite score.
        """
        counts = self.counts + 1
        return np.log2(4 * counts / counts.sum(axis=1, keepdims=True))

    def information_content(self):
        """Relative entropy of each position against equal shares, (K,): 0 to 2 bits."""
        p = self.probabilities()
        return (p * np.log2(4 * p, out=np.zeros_like(p), where=p > 0)).sum(axis=1)

    def information_matrix(self):
        """Letter heights of the usual sequence logo, (K, 4): probability x information, in bits."""
        return self.probabilities() * self.information_content()[:, None]

    def reverse_complement(self):
        """The same motif read on the other strand, a `Motif`."""
        return Motif(self.matrix_id, self.name, self.counts[::-1, ::-1])


def load_motif(matrix_id):
    """Load a motif that is shipped with the course.

    Parameters
    ----------
    matrix_id : str
        ``"MA0139.1"`` (CTCF, 19 bp, as used in the course) or ``"MA0139.2"`` (trimmed to 15 bp).
        From JASPAR 2024 (CC BY 4.0, doi:10.1093/nar/gkad1059).

    Examples
    --------
    >>> load_motif("MA0139.1").consensus
    'TGGCCACCAGGGGGCGCTA'
    """
    motifs = read_jaspar(shipped_file("jaspar_ctcf.txt"))
    if matrix_id not in motifs:
        raise ValueError(f"{matrix_id!r} is not shipped; there are {', '.join(motifs)}.")
    return motifs[matrix_id]


def read_jaspar(path):
    """Read motifs from a file in JASPAR's text format.

    Parameters
    ----------
    path : path-like
        A ``>ID NAME`` line a motif, then a line of counts for each of A, C, G, T, with or without
        brackets.

    Returns
    -------
    dict of str to Motif
        By ID.

    Raises
    ------
    ValueError
        If the file is not of this format; the message names the line.

    Examples
    --------
    >>> {name: motif.consensus for name, motif in read_jaspar("data/jaspar_ctcf.txt").items()}
    {'MA0139.1': 'TGGCCACCAGGGGGCGCTA', 'MA0139.2': 'GCCACCAGGGGGCGC'}
    """
    lines = [(number, line.strip()) for number, line in read_lines(path)]
    lines = [(number, line) for number, line in lines if line and line[0] != "#"]
    if not lines:
        raise ValueError(f"{path} must hold a line with >ID NAME, then A, C, G, T; it is empty.")
    motifs = {}
    for i in range(0, len(lines), 5):
        (number, header), *rows = lines[i : i + 5]
        matrix_id, *name = header[1:].split() or [""]
        if header[0] != ">" or matrix_id in ("", *motifs):
            raise ValueError(
                f"{path}, line {number}: expected >ID NAME, with a new ID; got {header[:40]!r}."
            )
        try:
            counts = _parse_counts([row for _, row in rows])
            motifs[matrix_id] = Motif(matrix_id, " ".join(name), counts)
        except ValueError as error:
            raise ValueError(f"{path}, line {number}, motif {matrix_id}: {error}") from error
    return motifs


def _parse_counts(lines):
    """Counts (K, 4) from four lines: the base, then its counts, with or without brackets."""
    row = r"([ACGT])(?:\s*\[([-+.eE\d\s]*)\]|(\s[-+.eE\d\s]*)?)"
    rows = [re.fullmatch(row, line, re.ASCII) or [""] * 4 for line in lines]
    counts = [(row[2] or row[3] or "").split() for row in rows]
    if [row[1] for row in rows] != list(ALPHABET) or len(set(map(len, counts))) > 1:
        raise ValueError(f"expected lines A, C, G, T of as many counts; got {lines}.")
    return np.array(counts, dtype=float).T


def scan(X, motif, *, both_strands=True):
    """Score each window of each sequence by the log-odds of a motif.

    Parameters
    ----------
    X : array of shape (N, L, 4)
    motif : Motif
        Of width K <= L.
    both_strands : bool
        Take the better of the window and its reverse complement.

    Returns
    -------
    ndarray of shape (N, L - K + 1), float32
        Log-odds in bits; entry p is the window that starts at p. ``.max(axis=1)`` is the usual
        score of a sequence.

    Examples
    --------
    >>> from workshop.sequences import one_hot_encode
    >>> toy = Motif("toy", "AC", [[9, 0, 0, 0], [0, 9, 0, 0]])
    >>> scan(one_hot_encode(["TACGG"]), toy).round(1)
    array([[-3.4,  3.2, -3.4, -0.1]], dtype=float32)
    """
    X = check_one_hot(X)
    if X.shape[1] < len(motif):
        raise ValueError(f"X must be as long as the motif, {len(motif)} bp; got {X.shape[1]} bp.")
    scores = _slide(X, motif.log_odds())
    if both_strands:
        scores = np.maximum(scores, _slide(X, motif.reverse_complement().log_odds()))
    return scores


def _slide(X, weights):
    n_windows = X.shape[1] - len(weights) + 1
    scores = np.zeros((len(X), n_windows), dtype=np.float32)
    for k, weight in enumerate(weights.astype(np.float32)):  # a convolution, one tap at a time
        scores += X[:, k : k + n_windows] @ weight
    return scores


class Similarity(NamedTuple):
    """How well two motifs agree; see `similarity`."""

    correlation: float  #: Pearson r over all letters of the aligned columns; nan if all are equal
    offset: int  #: column of `a` under which column 0 of `b` lies; may be negative
    strand: str  #: ``"+"``, or ``"-"`` where `b` had to be reverse complemented
    overlap: int  #: number of aligned columns


def similarity(a, b, *, min_overlap=None):
    """`Similarity` of two motifs: the best correlation over all alignments and both strands.

    Parameters
    ----------
    a, b : Motif
    min_overlap : int, optional
        Least number of aligned columns; the width of the narrower motif by default.

    Examples
    --------
    >>> ctcf = load_motif("MA0139.1")
    >>> similarity(ctcf, ctcf.reverse_complement()).strand
    '-'
    """
    narrower = min(len(a), len(b))
    min_overlap = narrower if min_overlap is None else min_overlap
    if not 1 <= min_overlap <= narrower:
        raise ValueError(f"min_overlap must be from 1 to {narrower}; got {min_overlap}.")
    best = Similarity(np.nan, 0, "+", 0)
    p = a.probabilities()
    for strand, other in (("+", b), ("-", b.reverse_complement())):
        q = other.probabilities()
        for offset in range(min_overlap - len(q), len(p) - min_overlap + 1):
            start, stop = max(offset, 0), min(offset + len(q), len(p))
            u, v = p[start:stop].ravel(), q[start - offset : stop - offset].ravel()
            if u.std() == 0 or v.std() == 0:
                continue  # equal shares everywhere correlate with nothing
            r = float(np.corrcoef(u, v)[0, 1])
            if not r <= best.correlation:  # the first one beats nan
                best = Similarity(r, offset, strand, stop - start)
    return best
