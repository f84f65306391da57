"""Windows of a genome as a data set: cut out of a FASTA file by a BED file, or one a record."""

from collections import Counter

import pandas as pd

from workshop._checks import whole_number
from workshop.datasets.dataset import Dataset, as_column
from workshop.datasets.genome import parse_name, read_bed, read_records
from workshop.sequences import one_hot_encode, reverse_complement

_COMPLEMENT = bytes.maketrans(b"ACGT", b"TGCA")


def read_windows(fasta, bed, *, length=None, label=1, on_bad="raise"):
    """Cut the windows of a BED or narrowPeak file out of a FASTA file.

    Parameters
    ----------
    fasta : path-like
        Whole chromosomes by name, or windows named ``chrom:start-end`` as ``bedtools getfasta``
        writes them, also with ``-name`` and ``-s``; what is on strand ``-`` already is not turned
        again. May be gzipped. Lower case (soft-masked) counts as upper case.
    bed : path-like
        3 to 9 or 12 columns, tab-separated, 0-based half-open, or 10 (narrowPeak), the last of
        which is the summit relative to the start. May be gzipped. Strand ``-`` gives the reverse
        complement; ``.`` (R's ``*``) counts as ``+``.
    length : int, optional
        bp around the summit, or around the middle where there is no summit. By default the
        windows are taken as they are; they must then be of one length.
    label : float
        Label of all windows.
    on_bad : {"raise", "drop"}
        What happens to a window that the FASTA lacks, or that reaches beyond its chromosome, or
        holds a letter other than A, C, G, T and N.

    Returns
    -------
    Dataset
        Rows in the order of `bed`. ``table.attrs["excluded"]`` counts the dropped, by reason.

    Examples
    --------
    >>> peaks = "data/ctcf_gm12878_top500_hg19"
    >>> read_windows(f"{peaks}.fa", f"{peaks}.bed").table.head(2)[["chrom", "start", "end"]]
       chrom      start        end
    0  chr11     190037     190237
    1  chr14  106873577  106873777
    """
    if on_bad not in ("raise", "drop"):
        raise ValueError(f'on_bad must be "raise" or "drop"; got {on_bad!r}.')
    table = read_bed(bed)
    summits, lines = table.pop("summit"), table.pop("line")
    if length is not None:
        length = whole_number(length, "length")
        table["start"] += summits - length // 2
        table["end"] = table["start"] + length
    widths = table["end"] - table["start"]
    if widths.nunique() > 1:
        where = f"{bed}, line {lines[(widths != widths[0]).idxmax()]}"
        got = f"{widths.min()} to {widths.max()} bp. Pass length=200, say, for 200 around a summit"
        raise ValueError(f"{where}: windows must have one length; got {got}.")
    names = [f"{row.chrom}:{row.start}-{row.end}" for row in table.itertuples()]
    records = _read_forward(fasta, set(table["chrom"]), set(names))
    seqs, excluded, problem = {}, Counter(), ""
    for row, name, line in zip(table.itertuples(), names, lines, strict=True):
        seq = records.get(name, b"")
        if row.chrom in records:
            seq = records[row.chrom][max(row.start, 0) : max(row.end, 0)]
        odd = _odd_letter(seq)
        if len(seq) == widths[0] and not odd:
            seqs[row.Index] = seq.decode()
            continue
        excluded["a letter other than A, C, G, T, N" if odd else "not whole in the FASTA"] += 1
        problem = problem or (
            f"{bed}, line {line}: expected {name} in {fasta}, {widths[0]} bp of A, C, G, T or N; "
            f"got {len(seq)} bp{odd and f' with {odd!r}'}. It holds {first_names(records)}. Are "
            "both whole, of one assembly, with the same names?"
        )
    if problem and (on_bad == "raise" or not seqs):
        raise ValueError(
            f"{problem} Of {len(table)} windows are bad: {dict(excluded)}; on_bad='drop' leaves "
            "them out, if any is good."
        )
    table = table.loc[list(seqs)].reset_index(drop=True)
    table.insert(4, "label", label)
    table.attrs["excluded"] = dict(excluded)
    X = encode_on_strand(list(seqs.values()), table["strand"])
    return Dataset(X, as_column(table["label"]), table)


def read_fasta(path, *, label):
    """Read windows straight from a FASTA file, one a record: positives, say, or negatives.

    Parameters
    ----------
    path : path-like
        Records of A, C, G, T and N, of one length, and of that which the name tells; ValueError
        says in which line one is not. May be gzipped. Lower case counts as upper case.
    label : float
        Label of all records.

    Returns
    -------
    Dataset
        Rows in the order of the file, letters as they stand there. A name such as
        ``chr1:190037-190237`` or ``peak1::chr1:190037-190237(-)`` (bedtools; also samtools, which
        counts from 1) tells chrom, start, end and strand. Another is itself taken for chrom, and
        start is 0.

    Examples
    --------
    >>> data = read_fasta("data/ctcf_gm12878_top500_hg19.fa", label=1)
    >>> data.table.loc[0, ["chrom", "start", "label"]].to_dict()
    {'chrom': 'chr11', 'start': 190037, 'label': 1}
    """
    rows, seqs = [], []
    for line, name, seq in read_records(path):
        width = len(seqs[0] if seqs else seq)
        chrom, start, end, strand = parse_name(name) or (name, 0, width, "+")
        if 0 < start == end - width + 1:  # samtools and NCBI count from 1
            start -= 1
        odd = _odd_letter(seq)
        if not len(seq) == width == end - start > 0 or odd:
            raise ValueError(
                f"{path}, line {line}: expected {width} bp of A, C, G, T or N, as the first record "
                f"has and the name says; got {len(seq)} bp{odd and f' with {odd!r}'} in {name}."
            )
        rows.append((chrom, start, end, strand, label, name))
        seqs.append(seq.decode())
    table = pd.DataFrame(rows, columns=["chrom", "start", "end", "strand", "label", "name"])
    table.attrs["excluded"] = {}
    return Dataset(one_hot_encode(seqs), as_column(table["label"]), table)


def _odd_letter(seq):
    """The first letter of a bytes-like sequence that is none of A, C, G, T and N; "" if none is."""
    return seq.translate(None, b"ACGTN").decode()[:1]


def encode_on_strand(seqs, strands):
    """One-hot sequences (N, L, 4); those on strand ``-`` turned to their reverse complement."""
    X = one_hot_encode(seqs)
    minus = (strands == "-").to_numpy()  # (N,)
    X[minus] = reverse_complement(X[minus])
    return X


def _read_forward(fasta, chroms, windows):
    """What the FASTA holds of `chroms` and `windows`, by name, on strand +; None for the rest."""

    def key_of(name):
        place = parse_name(name)
        window = "{}:{}-{}".format(*place) if place else ""
        return name if name in chroms else window if window in windows else None

    records = {}
    for line, name, seq in read_records(fasta, wanted=key_of):
        key = key_of(name) or name
        if key in windows and parse_name(name)[3:] == ("-",):  # turned by getfasta -s
            seq = seq.translate(_COMPLEMENT)[::-1]
        if records.setdefault(key, seq) != seq:
            raise ValueError(f"{fasta}, line {line}: expected the same bases for {key} each time.")
    return records


def first_names(names):
    """The first five names, for an error message."""
    return ", ".join(list(names)[:5]) + (", ..." if len(names) > 5 else "")
