"""Windows of a genome as a data set: those that a BED file names, cut out of a FASTA file."""

from workshop._checks import check_whole_number
from workshop.datasets.dataset import Dataset, as_column
from workshop.datasets.genome import read_bed, read_records
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

    Examples
    --------
    >>> peaks = "data/ctcf_gm12878_top500_hg19"
    >>> read_windows(f"{peaks}.fa", f"{peaks}.bed").table.head(2)[["chrom", "start", "end"]]
       chrom      start        end
    0  chr11     190037     190237
    1  chr14  106873577  106873777
    """
    table = read_bed(bed)
    summits = table.pop("summit")
    if length is not None:
        length = check_whole_number(length, "length", least=1)
        table["start"] += summits - length // 2
        table["end"] = table["start"] + length
    widths = table["end"] - table["start"]
    if widths.nunique() > 1:
        raise ValueError(
            f"Windows in {bed} must have one length; got {widths.min()} to {widths.max()} bp. "
            "Pass length=200 (say) for 200 bp around each summit."
        )
    windows = zip(table["chrom"], table["start"], table["end"], strict=True)
    wanted = set(table["chrom"]) | {f"{chrom}:{start}-{end}" for chrom, start, end in windows}
    records = dict(read_records(fasta, wanted=wanted))
    seqs = [_cut(row, records, fasta, bed) for row in table.itertuples()]
    try:
        X = encode_on_strand(seqs, table["strand"])
    except ValueError as error:
        raise ValueError(f"Windows of {bed} in {fasta}: {error}") from error
    table.insert(4, "label", label)
    return Dataset(X, as_column(table["label"]), table)


def encode_on_strand(seqs, strands):
    """One-hot sequences (N, L, 4); those on strand ``-`` turned to their reverse complement."""
    X = one_hot_encode(seqs)
    minus = (strands == "-").to_numpy()  # (N,)
    X[minus] = reverse_complement(X[minus])
    return X


def _cut(row, records, fasta, bed):
    window, width = f"{row.chrom}:{row.start}-{row.end}", row.end - row.start
    seq = records.get(window)
    if row.chrom in records:
        seq = records[row.chrom][row.start : row.end] if row.start >= 0 else b""
    if seq is None:
        raise ValueError(
            f"{fasta} holds neither {row.chrom} nor {window}, asked for by {bed}; it holds "
            f"{first_names(records)}. Are both of one assembly, with the same names?"
        )
    if len(seq) != width:
        raise ValueError(
            f"{window} of {bed} must have {width} bp in {fasta}; got {len(seq)}. Is the file "
            "complete, and of the same genome assembly?"
        )
    return seq.decode()


def first_names(names):
    """The first five names, for an error message."""
    return ", ".join(list(names)[:5]) + (", ..." if len(names) > 5 else "")
