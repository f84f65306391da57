"""Positives around the summits of peaks, and negatives that no count of G and C can tell apart.

A chromosome is an array of bytes, one a base. Negatives are tiles: a grid of windows side by side,
laid over the chromosome from a random place on, so that no two of them overlap.
"""

from collections import defaultdict

import numpy as np
import pandas as pd

_BASES = np.isin(np.arange(256), list(b"ACGT"))
_GC = np.isin(np.arange(256), list(b"GC"))
_ROWS = 50_000  # windows looked at at once: 10 MB at 200 bp

TOLERANCE = 0.02
"""How far the GC content of a negative may be from its positive's, at most."""


def peaks_and_negatives(chromosome, peaks, *, length, distance, ends, rng):
    """Windows of one chromosome: peaks (label 1) and as many GC-matched others (label 0).

    Parameters
    ----------
    chromosome : bytes-like
        Upper case.
    peaks : DataFrame
        Rows of `read_bed` on this chromosome.
    length, distance, ends : int
        bp of a window; between a negative and any peak, or window around its summit; left out at
        both ends of the chromosome.
    rng : numpy.random.Generator

    Returns
    -------
    table : DataFrame
        chrom, start, end, strand, label, name; sorted by start.
    left_out : dict of str to int
        Number of peaks by the reason why they are not in the table.
    """
    letters = np.frombuffer(chromosome, np.uint8)
    starts = (peaks["start"] + peaks["summit"] - length // 2).to_numpy()
    inside = (starts >= ends) & (starts + length <= len(letters) - ends)
    first = ~pd.Series(starts).duplicated().to_numpy()
    gc = np.full(len(peaks), -1)
    gc[inside] = gc_counts(letters, starts[inside], length)

    windows = pd.DataFrame({"start": starts, "end": starts + length})
    taken = pd.concat([peaks[["start", "end"]], windows])
    tiles = np.arange(ends + rng.integers(length), len(letters) - ends - length + 1, length)
    tiles = tiles[~overlaps(tiles - distance, tiles + length + distance, taken)]
    kept = np.flatnonzero(first & (gc >= 0))
    negatives = _match(gc[kept], tiles, gc_counts(letters, tiles, length), length, rng)
    matched = negatives >= 0

    positives = peaks.iloc[kept[matched]][["chrom", "strand", "name"]]
    positives = positives.assign(start=starts[kept[matched]], label=1)
    others = pd.DataFrame({"start": negatives[matched], "strand": "+", "label": 0})
    table = pd.concat([positives, others], ignore_index=True)
    table["chrom"] = peaks["chrom"].iloc[0]
    table["end"] = table["start"] + length
    here = table["chrom"] + ":" + table["start"].astype(str) + "-" + table["end"].astype(str)
    table["name"] = table["name"].fillna(here)
    left_out = {
        "same summit as another": int((~first).sum()),
        "at an end of a chromosome": int((first & ~inside).sum()),
        "an unknown base": int((first & inside & (gc < 0)).sum()),
        "no negative with its GC content": int((~matched).sum()),
    }
    table = table.sort_values("start", kind="stable", ignore_index=True)
    return table[["chrom", "start", "end", "strand", "label", "name"]], left_out


def gc_counts(letters, starts, length):
    """Number of G and C in each window of `letters` (uint8); -1 where a base is unknown."""
    counts = np.empty(len(starts), dtype=int)
    if len(starts) == 0:
        return counts
    windows = np.lib.stride_tricks.sliding_window_view(letters, length)
    for i in range(0, len(starts), _ROWS):
        rows = windows[starts[i : i + _ROWS]]  # (rows, length)
        counts[i : i + _ROWS] = np.where(_BASES[rows].all(axis=1), _GC[rows].sum(axis=1), -1)
    return counts


def overlaps(starts, ends, taken):
    """Whether each interval from `starts` to `ends` shares a base with one in `taken`."""
    taken = taken.sort_values("start")
    # Of all that start before an interval ends: does any reach into it?
    reach = np.maximum.accumulate(taken["end"].to_numpy())
    before = np.searchsorted(taken["start"].to_numpy(), ends, side="left") - 1
    return (before >= 0) & (reach[before] > starts)


def _match(wanted, tiles, counts, length, rng):
    """A tile for each `wanted` GC count, none twice: its start, or -1 where there is no such."""
    shelves = defaultdict(list)  # GC count: starts, in random order
    order = rng.permutation(len(tiles))
    for start, count in zip(tiles[order].tolist(), counts[order].tolist(), strict=True):
        if count >= 0:
            shelves[count].append(start)
    found = np.full(len(wanted), -1)
    # First all that have a tile with exactly their count, then 1 off, 2 off, ...
    for off in range(int(TOLERANCE * length) + 1):
        for i in np.flatnonzero(found < 0):
            for count in (wanted[i] - off, wanted[i] + off)[:: -1 if i % 2 else 1]:
                if found[i] < 0 and shelves[count]:
                    found[i] = shelves[count].pop()
    return found
