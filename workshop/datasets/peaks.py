"""Peaks of a genome, and as many windows without a peak that no count of G and C can tell apart.

Negatives are tiles: a grid of windows side by side, laid over the chromosome from a random place
on, so that no two of them overlap.
"""

import os
from collections import Counter, defaultdict

import numpy as np
import pandas as pd

from workshop._checks import check_distinct_names, whole_number
from workshop.datasets.dataset import Dataset, as_column
from workshop.datasets.genome import read_bed, read_records
from workshop.datasets.windows import encode_on_strand, first_names

_TOLERANCE = 0.02  # how far the shares of G and C of a peak and its negative may differ


def read_peaks(fasta, bed, *, length=200, chroms=None, distance=1000, ends=10_000, random_state=0):
    r"""Cut peaks out of a genome, and as many windows without a peak that hold as much G and C.

    A network that tells them apart has learnt more than to count letters. Each peak's negative
    lies on the same chromosome, overlaps no other, and has the same number of G and C, or where
    there is none left, one within 2 % of `length`.

    Parameters
    ----------
    fasta : path-like or list of path-like
        Chromosomes by name. May be gzipped; one chromosome is in memory at a time, a byte a base.
    bed : path-like
        BED or narrowPeak, as in `read_windows`. Windows lie around the summits.
    length : int
        bp of each window.
    chroms : sequence of str, optional
        Chromosomes to take; by default all that both files hold.
    distance : int
        bp that each negative keeps from all peaks in `bed` and the windows around their summits.
    ends : int
        bp at both ends of a chromosome (telomeres) from which nothing is taken.
    random_state : int
        Chooses the negatives; those of a chromosome do not depend on which others are taken.

    Returns
    -------
    Dataset
        Rows by chromosome in the order of `fasta`, then by start; label 1 for peaks, 0 for the
        others. ``table.attrs["excluded"]`` counts the peaks that are not there, by reason: a
        window with an unknown base or too near an end, a summit twice, no negative to match, a
        chromosome that the FASTA lacks or `chroms` does not name.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open(f"{folder}/chrA.fa", "w") as fasta:
    ...         _ = fasta.write(">chrA\n" + 40 * "AACCGGTTAC")
    ...     with open(f"{folder}/peaks.bed", "w") as bed:
    ...         _ = bed.write("chrA\t180\t220\n")
    ...     data = read_peaks(fasta.name, bed.name, length=10, distance=50, ends=20)
    >>> data.table["label"].tolist(), data.X.sum(axis=(0, 1))
    ([1, 0], array([6., 6., 4., 4.], dtype=float32))
    """
    whole_number(length, "length")
    for value, name in ((distance, "distance"), (ends, "ends"), (random_state, "random_state")):
        whole_number(value, name, least=0)
    chroms = None if chroms is None else check_distinct_names(chroms, "chroms")
    peaks = dict(tuple(read_bed(bed).groupby("chrom", sort=False)))
    wanted = peaks if chroms is None else [chrom for chrom in chroms if chrom in peaks]
    tables, seqs, excluded = {}, [], Counter()
    for chrom, chromosome, path in _chromosomes(fasta, wanted):
        if chrom in tables:
            raise ValueError(f"{chrom} must come once in the FASTA files; again in {path}.")
        if peaks[chrom]["end"].max() > len(chromosome):
            raise ValueError(f"{bed} reaches beyond {chrom} of {path}. Is it another assembly?")
        tables[chrom], reasons = _peaks_and_negatives(
            np.frombuffer(chromosome, np.uint8),
            peaks[chrom],
            length=length,
            distance=distance,
            ends=ends,
            rng=np.random.default_rng([random_state, *chrom.encode()]),
        )
        windows = zip(tables[chrom]["start"], tables[chrom]["end"], strict=True)
        seqs += [chromosome[start:end].decode() for start, end in windows]
        excluded.update(reasons)
    for chrom in [chrom for chrom in peaks if chrom not in tables]:
        asked = "that the FASTA lacks" if chrom in wanted else "not asked for"
        excluded[f"on a chromosome {asked}"] += len(peaks[chrom])
    found = [chrom for chrom, table in tables.items() if len(table)]
    missing = [chrom for chrom in chroms or () if chrom not in found]
    if missing or not found:
        raise ValueError(
            f"{bed} and the FASTA must both hold {', '.join(missing) or 'some chromosome'}, with "
            f"peaks to take. Peaks are on {first_names(peaks)}; excluded: "
            f"{dict(excluded) or 'none'}. Are both of one assembly, with the same names?"
        )
    table = pd.concat([tables[chrom] for chrom in found], ignore_index=True)
    table.attrs["excluded"] = dict(excluded)
    return Dataset(encode_on_strand(seqs, table["strand"]), as_column(table["label"]), table)


def _chromosomes(fasta, wanted):
    """Name, sequence and file of each wanted record, one after the other."""
    for path in [fasta] if isinstance(fasta, (str, os.PathLike)) else fasta:
        for _, chrom, chromosome in read_records(path, wanted=lambda name: name in wanted):
            if chromosome is not None:
                yield chrom, chromosome, path


def _peaks_and_negatives(letters, peaks, *, length, distance, ends, rng):
    """Table of one chromosome (bytes), by start; number of peaks that are not in it, by reason."""
    starts = peaks["start"] + peaks["summit"] - length // 2
    windows = peaks.assign(start=starts, end=starts + length, label=1)
    occupied = pd.concat([peaks, windows])
    excluded = {}

    def keep(rows, good, reason):
        excluded[reason] = int((~good).sum())
        return rows[good]

    positives = keep(windows, ~windows["start"].duplicated(), "same summit as another")
    inside = (positives["start"] >= ends) & (positives["end"] <= len(letters) - ends)
    positives = keep(positives, inside, "at an end of a chromosome")
    gc = _gc_counts(letters, positives["start"].to_numpy(), length)
    positives, gc = keep(positives, gc >= 0, "an unknown base"), gc[gc >= 0]

    tiles = np.arange(ends + rng.integers(length), len(letters) - ends - length + 1, length)
    tiles = tiles[~_overlaps(tiles - distance, tiles + length + distance, occupied)]
    matched = _match(gc, tiles, _gc_counts(letters, tiles, length), length, rng)
    positives = keep(positives, matched >= 0, "no negative with its GC content")

    chrom = peaks["chrom"].iloc[0]
    negatives = pd.DataFrame({"start": matched[matched >= 0], "strand": "+", "label": 0})
    negatives["end"] = negatives["start"] + length
    negatives["name"] = [f"{chrom}:{start}-{start + length}" for start in negatives["start"]]
    table = pd.concat([positives[list(negatives)], negatives]).assign(chrom=chrom)
    table = table.sort_values("start", kind="stable", ignore_index=True)
    return table[["chrom", "start", "end", "strand", "label", "name"]], excluded


def _gc_counts(letters, starts, length):
    """Number of G and C in each window of `letters` (uint8); -1 where a base is unknown."""
    if len(starts) == 0:
        return np.zeros(0, dtype=int)
    windows = np.lib.stride_tricks.sliding_window_view(letters, length)[starts]  # (N, length)
    gc, at = (((windows == a) | (windows == b)).sum(axis=1) for a, b in (b"GC", b"AT"))
    return np.where(gc + at == length, gc, -1)


def _overlaps(starts, ends, occupied):
    """Whether each interval from `starts` to `ends` shares a base with one in `occupied`."""
    occupied = occupied.sort_values("start")
    # Of all that start before an interval ends: does any reach into it?
    reach = np.maximum.accumulate(occupied["end"].to_numpy())
    before = np.searchsorted(occupied["start"].to_numpy(), ends, side="left") - 1
    return (before >= 0) & (reach[before] > starts)


def _match(wanted, tiles, counts, length, rng):
    """A tile for each `wanted` GC count, none twice: its start, or -1 where there is none."""
    shelves = defaultdict(list)  # GC count: starts, in random order
    order = rng.permutation(len(tiles))
    for start, count in zip(tiles[order].tolist(), counts[order].tolist(), strict=True):
        if count >= 0:
            shelves[count].append(start)
    found = np.full(len(wanted), -1)
    # First all that have a tile with exactly their count, then 1 off, 2 off, ...
    for off in range(int(_TOLERANCE * length) + 1):
        for i in np.flatnonzero(found < 0):
            below, above = shelves[wanted[i] - off], shelves[wanted[i] + off]
            first, second = (above, below) if i % 2 else (below, above)  # no drift of the mean
            shelf = first or second
            if shelf:
                found[i] = shelf.pop()
    return found
