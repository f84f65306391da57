"""Windows of a genome as a data set: those of a BED file, or peaks with matched negatives."""

import os
from collections import Counter

import numpy as np
import pandas as pd

from workshop.datasets.dataset import Dataset, as_column
from workshop.datasets.genome import read_bed, read_fasta, stream_fasta
from workshop.datasets.peaks import peaks_and_negatives
from workshop.sequences import one_hot_encode, reverse_complement


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
        length = _whole("length", length, least=1)
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
        X = _encode_on_strand(seqs, table["strand"])
    except ValueError as error:
        raise ValueError(f"Windows of {bed} in {fasta}: {error}") from error
    table.insert(4, "label", label)
    return Dataset(X, as_column(table["label"]), table)


def _encode_on_strand(seqs, strands):
    """One-hot sequences (N, L, 4); those on strand ``-`` turned to their reverse complement."""
    X = one_hot_encode(seqs)
    minus = (strands == "-").to_numpy()  # (N,)
    X[minus] = reverse_complement(X[minus])
    return X


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
        return chromosome[row.start : row.end].decode()
    if window not in records:
        raise ValueError(
            f"{fasta} holds neither {row.chrom} nor {window}, asked for by {bed}; it holds "
            f"{_some(names)}. Are both of one assembly, "
            "with the same names?"
        )
    seq = records[window].decode()
    if len(seq) != row.end - row.start:
        raise ValueError(
            f"{window} in {fasta} must have {row.end - row.start} bp; got {len(seq)}. Is the file "
            "complete?"
        )
    return seq


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
        others. ``table.attrs["left_out"]`` counts the peaks that are not there, by reason: a
        window with an unknown base or too near an end, a summit twice, no negative to match.

    Raises
    ------
    ValueError
        If a file is truncated or of another format, a number is out of range, a peak lies beyond
        its chromosome, a chromosome is missing, or no peak is left.

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
    check_options(length=length, distance=distance, ends=ends, random_state=random_state)
    chroms = None if chroms is None else different_names(chroms)
    peaks = dict(tuple(read_bed(bed).groupby("chrom", sort=False)))
    wanted = peaks if chroms is None else chroms
    tables, seqs, left_out, there = [], [], Counter(), set()
    for chrom, chromosome, path in _chromosomes(fasta, wanted):
        if chrom not in peaks:
            continue
        if chrom in there:
            raise ValueError(
                f"{chrom} must come once in the FASTA files; it comes again in {path}."
            )
        there.add(chrom)
        _check_assembly(peaks[chrom], len(chromosome), path, bed)
        table, out = peaks_and_negatives(
            chromosome,
            peaks[chrom],
            length=length,
            distance=distance,
            ends=ends,
            rng=np.random.default_rng([random_state, *chrom.encode()]),
        )
        windows = zip(table["start"], table["end"], strict=True)
        seqs += [chromosome[start:end].decode() for start, end in windows]
        tables.append(table)
        left_out.update(out)
    taken = {table["chrom"].iloc[0] for table in tables if len(table)}
    missing = [chrom for chrom in chroms or () if chrom not in taken]
    if missing or not taken:
        raise ValueError(
            f"{bed} and the FASTA must both hold {', '.join(missing) or 'some chromosome'}, with "
            f"peaks to take. Peaks are on {_some(peaks)}; left out: {dict(left_out) or 'none'}. "
            "Are both of one assembly, with the same names?"
        )
    table = pd.concat(tables, ignore_index=True)
    table.attrs["left_out"] = dict(left_out)
    X = _encode_on_strand(seqs, table["strand"])
    return Dataset(X, as_column(table["label"]), table)


def check_options(*, length=200, distance=0, ends=0, random_state=0):
    """Raise ValueError where a number that `read_peaks` takes is none, or out of its range."""
    _whole("length", length, least=1)
    _whole("distance", distance)
    _whole("ends", ends)
    _whole("random_state", random_state)


def _whole(name, value, *, least=0):
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be a whole number, {least} or more; got {value!r}.")
    return int(value)


def different_names(chroms):
    """List of chromosomes, from any sequence of strings; TypeError or ValueError if it is none."""
    if isinstance(chroms, str):
        raise TypeError(f"chroms must be a list; got one string. Pass [{chroms!r}].")
    chroms = [str(chrom) for chrom in chroms]
    if len(set(chroms)) < len(chroms):
        raise ValueError(f"chroms must name each chromosome once; got {', '.join(chroms)}.")
    return chroms


def _chromosomes(fasta, wanted):
    """Name, sequence and file of each wanted record, one after the other."""
    for path in [fasta] if isinstance(fasta, (str, os.PathLike)) else fasta:
        for chrom, chromosome in stream_fasta(path, wanted=wanted):
            if chromosome is not None:
                yield chrom, chromosome, path


def _check_assembly(peaks, n, path, bed):
    for peak in peaks[peaks["end"] > n].itertuples():
        raise ValueError(
            f"Peak {peak.chrom}:{peak.start}-{peak.end} of {bed} reaches beyond {peak.chrom}, "
            f"which has {n} bp in {path}. Is it the same genome assembly?"
        )


def _some(names):
    return ", ".join(list(names)[:5]) + (", ..." if len(names) > 5 else "")
