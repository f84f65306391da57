"""DNA strings to one-hot arrays and back, and the one validator of such arrays.

One array layout in the whole course: ``(N, L, 4)``, float32, the last axis in the order of
`ALPHABET`. A and T, C and G mirror each other in ``ACGT``, so that reversing both the positions
and the letters gives the reverse complement. An N is a row of four zeros.
"""

from itertools import pairwise

import numpy as np

from workshop._checks import plain_array

__all__ = ["ALPHABET", "base_composition", "check_one_hot", "dinucleotide_shuffle"]
__all__ += ["one_hot_decode", "one_hot_encode", "reverse_complement"]

ALPHABET = "ACGT"

_KNOWN_LETTERS = b"ACGTNacgtn"
# A row a byte, so that looking up the bytes of a text gives its one-hot rows; N has four zeros.
_ENCODING = np.zeros((256, 4), dtype=np.float32)
_ENCODING[list(b"ACGT"), range(4)] = _ENCODING[list(b"acgt"), range(4)] = 1
# The same for two letters, whose bytes are read as one number: half as many rows to look up.
_PAIRS = np.hstack([np.tile(_ENCODING, (256, 1)), np.repeat(_ENCODING, 256, axis=0)])
_PIECE = 2**15  # letters at a time, so that they stay in the processor's cache


def one_hot_encode(seqs):
    """Turn DNA strings of one length into a one-hot array.

    Parameters
    ----------
    seqs : sequence of str
        Letters A, C, G, T and N, in either case.

    Returns
    -------
    ndarray of shape (N, L, 4), float32
        Row of zeros where the letter is N.

    Examples
    --------
    >>> one_hot_encode(["CaN"])
    array([[[0., 1., 0., 0.],
            [1., 0., 0., 0.],
            [0., 0., 0., 0.]]], dtype=float32)
    """
    seqs = _check_strings(seqs)
    length, *others = sorted(set(map(len, seqs)))
    if others:
        raise ValueError(f"seqs must have one length; got {length} to {others[-1]} letters.")
    X = np.empty((len(seqs), length, 4), dtype=np.float32)
    n = max(1, _PIECE // max(1, length))
    for start in range(0, len(seqs), n):
        letters = _check_letters(seqs[start : start + n], first=start)
        rows = X[start : start + n].reshape(-1, 4)  # a row a letter: rows = _ENCODING[letters]
        if len(rows) % 2:
            rows[-1] = _ENCODING[letters[-1]]
        codes = np.frombuffer(letters, dtype="<u2", count=len(rows) // 2)
        _PAIRS.take(codes, axis=0, out=rows[: 2 * len(codes)].reshape(-1, 8), mode="clip")
    return X


def one_hot_decode(X):
    """Turn a one-hot array back into upper-case strings; a row of zeros becomes N.

    Parameters
    ----------
    X : array of shape (N, L, 4)
        Rows of one 1 and three 0, or of four 0.

    Returns
    -------
    list of str

    Examples
    --------
    >>> one_hot_decode(one_hot_encode(["gattaca", "ACGTNNN"]))
    ['GATTACA', 'ACGTNNN']
    """
    X = check_one_hot(X)
    n_ones = (X == 1).sum(axis=-1)  # (N, L)
    bad = ((X != 0) & (X != 1)).any(axis=-1) | (n_ones > 1)
    if bad.any():
        i, p = (int(k) for k in np.argwhere(bad)[0])
        raise ValueError(
            f"Each row of X must be one-hot, or all zero for N; got {X[i, p].tolist()} in sequence "
            f"{i} at position {p}. A soft row has no letter: choose one first."
        )
    codes = np.where(n_ones == 0, 4, X.argmax(axis=-1))  # (N, L)
    letters = np.frombuffer((ALPHABET + "N").encode(), dtype="S1")[codes]
    return [row.tobytes().decode() for row in letters]


def check_one_hot(X, *, name="X"):
    """Check that `X` is a batch of one-hot (or soft) sequences; every function calls this one.

    Parameters
    ----------
    X : array of shape (N, L, 4)
        Values from 0 to 1. Soft rows, such as four times 0.25, pass: models take them.
    name : str
        How the error message calls the array.

    Returns
    -------
    ndarray of shape (N, L, 4), float32
        The same array where it already has this type; a converted copy otherwise.

    Examples
    --------
    >>> check_one_hot(np.eye(4)[None]).dtype
    dtype('float32')
    """
    X = plain_array(X, name)
    if X.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold numbers; got {X.dtype}. Call one_hot_encode(seqs).")
    if X.ndim != 3 or X.shape[2] != 4:
        hint = ""
        if X.ndim == 3 and X.shape[1] == 4:
            hint = f" If it is channels-first, pass {name}.swapaxes(1, 2)."
        elif X.ndim == 2 and X.shape[1] == 4:
            hint = f" For one sequence pass {name}[None]."
        raise ValueError(f"{name} must have shape (N, L, 4); got {X.shape}.{hint}")
    X = X.astype(np.float32, copy=False)
    # A NaN fails both comparisons, so that one pass over the data finds every bad value.
    if X.size and not (X.min() >= 0 and X.max() <= 1):
        i, p, _ = (int(k) for k in np.argwhere(~((X >= 0) & (X <= 1)))[0])
        got = f"{X[i, p].tolist()} in sequence {i} at position {p}"
        raise ValueError(f"{name} must hold values from 0 to 1; got {got}. Use one_hot_encode.")
    return X


def check_not_empty(X):
    """Refuse a batch without a sequence."""
    if len(X) == 0:
        raise ValueError("X must hold at least one sequence; got none.")
    return X


def reverse_complement(X):
    """Read the other strand: reverse the positions and swap A with T, C with G.

    Parameters
    ----------
    X : array of shape (N, L, 4)

    Returns
    -------
    ndarray of shape (N, L, 4), float32
        A contiguous copy.

    Examples
    --------
    >>> one_hot_decode(reverse_complement(one_hot_encode(["AACGN"])))
    ['NCGTT']
    """
    return np.ascontiguousarray(check_one_hot(X)[:, ::-1, ::-1])


def base_composition(X):
    """Share of A, C, G and T among all known bases of a set.

    Parameters
    ----------
    X : array of shape (N, L, 4)

    Returns
    -------
    ndarray of shape (4,), float64
        Sums to 1; N does not count.

    Examples
    --------
    >>> base_composition(one_hot_encode(["AACN", "GTAN"]))
    array([0.5       , 0.16666667, 0.16666667, 0.16666667])
    """
    X = check_one_hot(X)
    counts = X.sum(axis=(0, 1), dtype=np.float64)
    if counts.sum() == 0:
        raise ValueError(f"X must hold at least one A, C, G or T; got none in shape {X.shape}.")
    return counts / counts.sum()


def dinucleotide_shuffle(seqs, *, random_state=0):
    """Shuffle each sequence and keep its exact counts of all 16 neighbouring pairs of bases.

    Walk at random along an Eulerian path through the graph whose edges are the sequence's pairs;
    the last exit of each letter comes from a random spanning tree, so that every such sequence is
    equally likely (Altschul and Erickson, 1985, doi:10.1093/oxfordjournals.molbev.a040370;
    spanning tree after Wilson, 1996, doi:10.1145/237814.237880).

    Parameters
    ----------
    seqs : sequence of str
        Letters A, C, G, T and N, in either case, of any lengths; N is a letter like the others.
    random_state : int or numpy.random.Generator

    Returns
    -------
    list of str
        Upper case, of the same number, lengths, and first and last letters as `seqs`.

    Examples
    --------
    >>> dinucleotide_shuffle(["AACATAGATTACA"], random_state=0)
    ['AACATTATAGACA']
    """
    seqs = _check_strings(seqs)
    _check_letters(seqs)
    rng = np.random.default_rng(random_state)
    return [_shuffle_one(seq.upper(), rng) for seq in seqs]


def _shuffle_one(seq, rng):
    exits = {}  # letter -> the letters that follow it, in order
    for here, after in pairwise(seq):
        exits.setdefault(here, []).append(after)

    # Wilson: walk at random from each letter to the tree; a revisit overwrites: it erases the loop.
    tree = set(seq[-1:])
    last_exit = {}  # letter -> index into its exits
    for start in exits:
        here = start
        while here not in tree:
            last_exit[here] = rng.integers(len(exits[here]))
            here = exits[here][last_exit[here]]
        here = start
        while here not in tree:
            tree.add(here)
            here = exits[here][last_exit[here]]

    # Shuffle all exits but the last one of each letter, then use them up from the end.
    for here, letters in exits.items():
        last = [letters.pop(last_exit[here])] if here != seq[-1] else []
        exits[here] = last + [letters[i] for i in rng.permutation(len(letters))]
    shuffled = list(seq[:1])
    while exits.get(shuffled[-1] if shuffled else None):
        shuffled.append(exits[shuffled[-1]].pop())
    return "".join(shuffled)


def _check_strings(seqs):
    if isinstance(seqs, (str, bytes)):
        raise TypeError(f"seqs must be a list; got one string, {seqs[:12]!r}... Pass [seq].")
    seqs = list(seqs)
    if not seqs:
        raise ValueError("seqs must hold at least one sequence; got none.")
    others = set(map(type, seqs)) - {str, np.str_}
    if others:
        names = ", ".join(kind.__name__ for kind in others)
        raise TypeError(f"seqs must hold strings; got {names} among them. Drop these first.")
    return seqs


def _check_letters(seqs, first=0):
    """All letters as one bytes object; ValueError names the first unknown one and its place.

    The number of the first sequence is `first`.
    """
    # A letter beyond ASCII becomes '?', which is unknown as well.
    letters = "".join(seqs).encode("ascii", errors="replace")
    if letters.translate(None, _KNOWN_LETTERS):
        known = _KNOWN_LETTERS.decode()
        places = ((i, p) for i, seq in enumerate(seqs) for p in range(len(seq)))
        i, p = next((i, p) for i, p in places if seqs[i][p] not in known)
        raise ValueError(
            f"seqs may hold A, C, G, T and N; got {seqs[i][p]!r} in sequence {first + i} at "
            f"position {p} (both count from 0). Replace it, with N if it is ambiguous."
        )
    return letters
