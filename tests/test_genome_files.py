"""`datasets.read_windows`, `read_fasta` and what they read, FASTA and BED, good and bad."""

import csv
import gzip
import io
import re

import numpy as np
import pandas as pd
import pytest
from Bio import SeqIO
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.damaged_files import damaged, or_refused
from workshop.datasets import load_real_ctcf, read_fasta, read_peaks, read_windows
from workshop.datasets.genome import read_bed, read_records
from workshop.sequences import one_hot_decode

COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


CHROMOSOMES = {"chr1": "acgtACGTNNGGCCTTAACC", "chr2": "TTTTTCCCCCAAAAAGGGGG"}


@pytest.fixture
def genome(tmp_path):
    """Write FASTA and BED text; return read_windows of them."""

    def read(bed, fasta=None, suffix="", end="\n", **options):
        if fasta is None:
            fasta = "".join(
                f">{name} some words\n{seq[:7]}\n{seq[7:]}\n\n" for name, seq in CHROMOSOMES.items()
            )
        paths = tmp_path / f"genome.fa{suffix}", tmp_path / f"peaks.bed{suffix}"
        for path, text in zip(paths, (fasta, bed), strict=True):
            content = text.replace("\n", end).encode()
            path.write_bytes(gzip.compress(content) if suffix == ".gz" else content)
        return read_windows(*paths, **options)

    return read


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("suffix", ["", ".gz"], ids=["plain", "gz"])
def test_windows_by_hand(genome, suffix, end):
    bed = (
        "track name=peaks\nbrowser position chr1\n# a comment\n\n"
        "chr2\t3\t8\t.\t0\t*\nchr1\t0\t5\tfirst\t0\t-\nchr1\t6\t11\t.\t0\t.\n"
        "chr1\t15\t20\t\t0\t+"
    )
    data = genome(bed, suffix=suffix, end=end)
    assert one_hot_decode(data.X) == ["TTCCC", "TACGT", "GTNNG", "TAACC"]
    assert data.table.to_dict("list") == {
        "chrom": ["chr2", "chr1", "chr1", "chr1"],
        "start": [3, 0, 6, 15],
        "end": [8, 5, 11, 20],
        "strand": ["+", "-", "+", "+"],
        "label": [1, 1, 1, 1],
        "name": ["chr2:3-8", "first", "chr1:6-11", "chr1:15-20"],
    }
    assert data.y.tolist() == [[1], [1], [1], [1]]
    assert data.y.dtype == np.float32


@given(
    st.dictionaries(
        st.sampled_from(["chr1", "chr2", "chrX"]), st.text("ACGTNacgtn", min_size=5, max_size=40),
        min_size=1,
    ),
    st.data(),
)  # fmt: skip
def test_windows_equal_slices(tmp_path_factory, chromosomes, data):
    folder = tmp_path_factory.mktemp("slices")
    width = data.draw(st.integers(1, 5))
    windows = []
    for _ in range(data.draw(st.integers(1, 5))):
        chrom = data.draw(st.sampled_from(sorted(chromosomes)))
        start = data.draw(st.integers(0, len(chromosomes[chrom]) - width))
        windows.append((chrom, start, data.draw(st.sampled_from("+-"))))
    wrap = data.draw(st.integers(1, 50))
    fasta = "".join(
        f">{name}\n" + "".join(seq[i : i + wrap] + "\n" for i in range(0, len(seq), wrap))
        for name, seq in chromosomes.items()
    )
    (folder / "g.fa").write_text(fasta)
    bed = [f"{c}\t{s}\t{s + width}\tw\t0\t{strand}\n" for c, s, strand in windows]
    (folder / "w.bed").write_text("".join(bed))
    expected = []
    for chrom, start, strand in windows:
        seq = chromosomes[chrom][start : start + width].upper()
        expected.append(seq if strand == "+" else seq.translate(COMPLEMENT)[::-1])
    assert one_hot_decode(read_windows(folder / "g.fa", folder / "w.bed").X) == expected


@pytest.mark.parametrize(
    ("name", "seq"),  # as getfasta writes a window on strand -: plain, -s, -name, -name -s
    [
        ("chr1:5-9", "ccGT"), ("chr1:5-9 other", "CCGT"), ("chr1:5-9(-)", "ACGG"),
        ("p1::chr1:5-9", "CCGT"), ("p1::chr1:5-9(-)", "acGG"), ("a::b::chr1:5-9(+)", "CCGT"),
        ("chr1:5-9(.)", "CCGT"), ("chr1:5-9()", "CCGT"),
    ],
)  # fmt: skip
def test_records_named_as_bedtools_does(genome, name, seq):
    bed = "HLA:01\t0\t4\tp0\t0\t+\nchr1\t5\t9\tp1\t0\t-\n"
    data = genome(bed, f">HLA:01:0-4\nTTTG\n>{name}\n{seq}\n")
    assert one_hot_decode(data.X) == ["TTTG", "ACGG"]
    both = ">chr1:5-9(+)\nCCGT\n>chr1:5-9(-)\nACGG\n"
    twice = genome("chr1\t5\t9\tp\t0\t+\nchr1\t5\t9\tp\t0\t-\n", both)
    assert one_hot_decode(twice.X) == ["CCGT", "ACGG"]
    with pytest.raises(ValueError, match=r"line 3: expected the same bases for chr1:5-9 each time"):
        genome("chr1\t5\t9\n", both.replace("(-)", "(.)"))


def narrow_peak(chrom, start, end, summit, strand="."):
    return f"{chrom}\t{start}\t{end}\t.\t900\t{strand}\t8.1\t-1\t4.2\t{summit}\n"


def test_summit_of_a_narrow_peak_is_the_centre(genome):
    data = genome(narrow_peak("chr2", 2, 17, 7) + narrow_peak("chr2", 3, 18, -1), length=4)
    assert data.table["start"].tolist() == [2 + 7 - 2, 3 + 7 - 2]  # the summit, and the middle
    assert data.table["name"].tolist() == ["chr2:2-17", "chr2:3-18"]  # the peak's, not the window's
    assert one_hot_decode(data.X) == ["CCCA", "CCAA"]
    odd = genome(narrow_peak("chr2", 2, 17, 7, "-"), length=3)
    assert odd.table[["start", "end"]].to_numpy().tolist() == [[8, 11]]
    assert one_hot_decode(odd.X) == ["TGG"]
    assert genome(narrow_peak("chr2", 2, 7, 0)).table["start"].tolist() == [2]  # no length: as is


def test_column_10_of_a_bed_of_12_columns_is_no_summit(genome):
    rows = "chr2\t{0}\t{1}\tgene\t0\t+\t2\t12\t0\t1\t10,\t0,\n"
    bed = rows.format(2, 12) + rows.format(5, 16)
    assert genome(bed, length=2).table["start"].tolist() == [6, 9]  # the middles


def test_label_and_byte_order_mark(genome):
    data = genome("\ufeffchr1\t0\t4\n", "\ufeff>chr1\nACGT\n", label=0)
    assert one_hot_decode(data.X) == ["ACGT"]
    assert (data.y.tolist(), data.table["label"].tolist()) == ([[0.0]], [0])


def test_trailing_white_space_is_no_column(genome):
    peak = narrow_peak("chr2", 2, 17, 7).rstrip("\n")
    for end in ("", "\t", " ", "\t "):
        assert genome(peak + end, length=4).table["start"].tolist() == [7]
    for end in ("", " ", "\t", "\t\t\t"):
        assert genome("chr2\t3\t8\tp\t0\t-" + end).table["strand"].tolist() == ["-"]
    assert genome("chr2\t3\t8\tp\nchr2\t9\t14\t\n").table["name"].tolist() == ["p", "chr2:9-14"]


def test_a_header_is_told_by_its_whole_first_word(genome):
    fasta = "".join(f">{name}\nACGT\n" for name in ("track", "tracker", "browser_1"))
    rows = "tracker\t0\t4\nbrowser_1\t0\t4\ntrack\t0\t4\n"
    bed = "track\nbrowser\ntrack\ttype=bed\n#chrom\tstart\tend\tname\n"
    assert genome(bed + rows, fasta).table["chrom"].tolist() == ["tracker", "browser_1", "track"]


ROW = "chr1\t0\t5\tp\t0\t+"


@pytest.mark.parametrize(
    ("bed", "message"),
    [
        ("", r"peaks\.bed must hold at least one window; it holds none"),
        ("chr1 0 5\n", r"peaks\.bed, line 1: expected chrom, start, end, separated by tabs"),
        (
            "chr1\t0\t5\nchr1\t5\n",
            r"line 2: .* as many columns in each line; got 'chr1\\t5'\.",
        ),
        (f"{ROW}\nchr1\t0\t5\n", "line 2: .* as many columns in each line"),
        (f"{ROW}{ROW}\n", r"line 1: expected .* \(narrowPeak\), not 11"),  # two files joined
        (2 * "chr1\t0\t5\tp" + "\n", "line 1: expected .* as strand, not '5'"),
        (f"{ROW}\n\ufeff{ROW}\n", r"line 2: expected a name without .* not '\\ufeffchr1'"),
        (f" {ROW}\n", "line 1: expected a name without blanks and quotes"),
        (
            '"chr1"\t0\t5\n',
            r"line 1: expected a name without .*\(in R: quote=FALSE\) as chrom",
        ),
        ("\t0\t5\n", r"line 1: expected a name .* not ''"),
        ("chrom\tstart\tend\nchr1\t0\t5\n", r"line 1: .*\(a line of column names begins with #\)"),
        ("chr1\t1e+03\t1200\n", r"line 1: expected a whole number .* as start, not '1e\+03'; got"),
        ("chr1\t0\t1_0\n", "expected a whole number as end, not '1_0'"),
        ("chr1\t0\t\u0665\n", "expected a whole number as end, not '\u0665'"),
        ("chr1\t0\t5\nchr1\t7\t7\n", r"line 2: expected start < end.*; got 'chr1\\t7\\t7'\."),
        ("chr1\t-1\t4\n", "line 1: expected a whole number .* as start, not '-1'"),
        (f"{ROW}\t0\t5\t0\t1\t5\n", r"3 to 9 or 12 columns \(BED\) or 10.*, not 11; got"),
        (narrow_peak("chr1", 0, 5, 5), "line 1: expected start < end, and a summit between them"),
        (narrow_peak("chr1", 0, 5, 2.0), r"or -1 where there is none, as summit, not '2\.0'"),
        (narrow_peak("chr1", 0, 5, ""), r"or 10, with summits \(narrowPeak\), not 9"),
        (narrow_peak("chr1", 0, 5, "2\tGATA1"), r"with summits \(narrowPeak\), not 11"),
        (
            "chr1\t0\t5\nchr1\t5\t15\n",
            r"line 2: .* one length; got 5 to 10 bp\. Pass length",
        ),
        ("chr1\t16\t21\n", r"line 1: expected chr1:16-21 in .*fa, 5 bp .*; got 4 bp\. .* assembly"),
        ("chr3\t0\t5\n", r"expected chr3:0-5 in .*fa, .*; got 0 bp\. It holds chr1, chr2\. "),
    ],
)
def test_bad_bed(genome, bed, message):
    with pytest.raises(ValueError, match=message):
        genome(bed)


@pytest.mark.parametrize("strand", ["-1", "1", "\u2212", "minus", "+-", "?", " -"])
def test_another_strand_is_not_taken_for_plus(genome, strand):
    with pytest.raises(ValueError, match=r"line 1: expected \+ or -, or \. .* as strand, not '"):
        genome(f"chr1\t0\t4\tp\t0\t{strand}\n")


@pytest.mark.parametrize(
    ("fasta", "message"),
    [
        ("", r"genome\.fa must hold at least one FASTA record; it holds none"),
        ("ACGT\n>chr1\nACGT\n", r"genome\.fa, line 1: expected '>' and a name; got 'ACGT'"),
        (">chr1\nACGT\n>chr2\nA\n>chr2\nA\n", "line 5: expected '>' and a new name.*; got '>chr2'"),
        ("> seq 0\nACGT\n> seq 1\nACGT\n", "line 3: .* without a blank between.* '> seq 1'"),
        (">\nACGT\n", "line 1: expected '>' and a new name"),
        ("".join(f">c{i}\nA\n" for i in range(9)), r"It holds c0, c1, c2, c3, c4, \.\.\.\. Are"),
        (">chr1:0-4\nACG\n", r"line 1: expected chr1:0-4 in .*; got 3 bp\. .*Are both whole"),
        (">chr1:1-4\nACGT\n", r"got 0 bp\. It holds chr1:1-4\."),  # as samtools counts: from 1
        (">chr1\nACMT\n", r"bed, line 1: expected chr1:0-4 in .*; got 4 bp with 'M'\."),
        (">chr1\nACGT>chr2\nG\n", "line 2: .* not '>' .*two files joined without a line end"),
        (">chr1\nACGT\n >chr2\nG\n", "fa, line 3: expected letters of bases only, not ' '"),
        (">chr1\nACGT\n\ufeff>chr2\nG\n", r"fa, line 3: .* not '\\ufeff' .*joined"),
        *(
            (f">chr0\n{line}\nA\n>chr1\nACGT\n", "fa, line 2: expected letters of bases only")
            for line in ("AC GT", "AC\tGT", ";note", "#note", "1 ACGT", "AC\x0cGT", "AC*", "A-C",
                         "AC\0", "\u017f", " ACGT", "methionine")
        ),
        (">chr1 dna chromosome:GRCh38:chr1:101:104:1 REF\nACGT\n", "whole of chr1; got a"),
        (">chr1 range=chr1:101-104 5'pad=0\nACGT\n", "expected the whole .* from base 101 on"),
        (">chr1 chr1:101-110\nACGT\n", "got a slice"),
    ],
)  # fmt: skip
def test_bad_fasta(genome, fasta, message):
    with pytest.raises(ValueError, match=message):
        genome("chr1\t0\t4\n", fasta)


@pytest.mark.parametrize(
    "name",
    [
        "chr1 dna:chromosome chromosome:GRCh38:chr1:1:248956422:1 REF",
        "chr1 dna:chromosome chromosome:GRCh38:chr1:3:5:1 REF",  # as Ensembl's Y: longer than said
        "chr1 gene:chr2:101-104",
        " chr1",
    ],
)
def test_a_whole_chromosome_is_read_whatever_is_said_about_it(genome, name):
    assert one_hot_decode(genome("chr1\t0\t4\n", f">{name}\nACGT \n\nRX\n").X) == ["ACGT"]


def test_bytes_that_are_no_text_are_named_by_their_line(tmp_path):
    (tmp_path / "g.fa").write_bytes(b">chr1 \xff\nACGT\n")
    with pytest.raises(ValueError, match=r"g\.fa must be a text file.* at line 1: .* 0xff"):
        read_fasta(tmp_path / "g.fa", label=1)


def test_windows_around_summits_out_of_range(genome):
    for bed in ("chr1\t0\t4\n", "chr1\t14\t20\n"):
        with pytest.raises(ValueError, match=r"chr1:(-3-7|12-22) in .*, 10 bp .*; got [78] bp"):
            genome(bed, length=10)
    with pytest.raises(ValueError, match=r"length must be a whole number, 1 or more; got 0"):
        genome(bed, length=0)


# --- windows that are left out, and counted ---


BAD = "chr1\t16\t21\nchr1\t40\t45\nchr3\t0\t5\nchrM\t4\t9\n"


def test_a_bad_window_is_dropped_and_counted_on_request(genome):
    fasta = "".join(f">{name}\n{seq}\n" for name, seq in CHROMOSOMES.items()) + ">chrM\nACGTACRTA\n"
    data = genome(f"chr2\t3\t8\n{BAD}chr1\t0\t5\n", fasta, on_bad="drop")
    assert one_hot_decode(data.X) == ["TTCCC", "ACGTA"]
    assert data.table.index.tolist() == [0, 1]
    excluded = {"not whole in the FASTA": 3, "a letter other than A, C, G, T, N": 1}
    assert data.table.attrs["excluded"] == excluded
    assert genome("chr1\t0\t5\n", on_bad="drop").table.attrs["excluded"] == {}
    for options in ({"on_bad": "raise"}, {}):
        with pytest.raises(ValueError, match=r"line 2: expected chr1:16-21 .*Of 5 windows are"):
            genome(f"chr2\t3\t8\n{BAD}", fasta, **options)
    with pytest.raises(ValueError, match=r"line 1: .* 4 windows are bad: .*, if any is good\."):
        genome(BAD, fasta, on_bad="drop")
    with pytest.raises(ValueError, match='on_bad must be "raise" or "drop"; got \'skip\''):
        genome("chr1\t0\t5\n", on_bad="skip")


@st.composite
def random_beds(draw):
    chroms = st.sampled_from(["c", "d", "2", "chrM"])
    starts = st.lists(st.tuples(chroms, st.integers(0, 390)), min_size=1, max_size=12)
    return draw(starts), draw(st.sampled_from(["", "# a comment\n", "track name=x\n\n"]))


@settings(max_examples=200)
@given(random_beds(), st.integers(0, 99))
def test_each_row_is_in_the_result_or_counted(tmp_path_factory, bed, seed):
    rows, header = bed
    folder = tmp_path_factory.getbasetemp()
    letters = np.random.default_rng(seed).choice(list("ACGTACGTACGTR"), 400)
    (folder / "g.fa").write_text(f">c\n{''.join(letters)}\n>d\n{'ACGT' * 100}\n")
    text = "".join(f"{chrom}\t{start}\t{start + 10}\n" for chrom, start in rows)
    (folder / "p.bed").write_text(header + text)
    readers = {
        "drop": lambda *files: read_windows(*files, length=12, on_bad="drop"),
        "peaks": lambda *files: read_peaks(*files, length=8, distance=2, ends=3),
        "some": lambda *files: read_peaks(*files, length=8, distance=2, ends=3, chroms=["c"]),
    }
    for read in readers.values():
        try:
            table = read(folder / "g.fa", folder / "p.bed").table
        except ValueError as error:
            assert re.search("if any is good|with peaks to take", str(error))  # noqa: PT017
            continue
        excluded = table.attrs["excluded"]
        assert table["label"].sum() + sum(excluded.values()) == len(rows)


# --- windows straight from a FASTA file ---


@pytest.fixture
def fasta(tmp_path):
    def read(text, label=1):
        (tmp_path / "w.fa").write_text(text)
        return read_fasta(tmp_path / "w.fa", label=label)

    return read


def test_the_real_peaks_straight_from_their_fasta():
    expected, data = load_real_ctcf(), read_fasta("data/ctcf_gm12878_top500_hg19.fa", label=1)
    np.testing.assert_array_equal(data.X, expected.X)
    np.testing.assert_array_equal(data.y, expected.y)
    pd.testing.assert_frame_equal(data.table, expected.table)
    assert data.table.attrs["excluded"] == {}


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("chr1:5-9", ("chr1", 5, 9, "+")),
        ("p::chr1:5-9(-)", ("chr1", 5, 9, "-")),
        ("chr1:6-9", ("chr1", 5, 9, "+")),  # samtools counts from 1
        ("HLA:01:0-4(.)", ("HLA:01", 0, 4, "+")),
        ("peak_1", ("peak_1", 0, 4, "+")),
        ("chr1:5-9_shuffled", ("chr1:5-9_shuffled", 0, 4, "+")),
    ],
)
def test_the_place_is_read_from_the_name(fasta, name, place):
    data = fasta(f">{name} words\nacGN\n", label=0)
    assert one_hot_decode(data.X) == ["ACGN"]  # as it stands there: not turned again
    assert tuple(data.table.loc[0, ["chrom", "start", "end", "strand"]]) == place
    assert data.table[["name", "label"]].to_numpy().tolist() == [[name, 0]]
    assert data.y.tolist() == [[0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (">a\nACGT\n>b\nACG\n", r"w\.fa, line 3: expected 4 bp of .*; got 3 bp in b\."),
        (">a\n>b\nACG\n", "line 1: expected 0 bp"),
        (">chr1:5-10\nACGT\n", r"line 1: .* and the name says; got 4 bp in chr1:5-10\."),
        (">chr1:0-4\nACG\n", "line 1: .*got 3 bp"),
        (">a\nACGT\n>b\nACRT\n", r"line 3: .*; got 4 bp with 'R' in b\."),
        (">a\nACGT\n>a\nACGT\n", "line 3: expected '>' and a new name"),
    ],
)
def test_bad_records(fasta, text, message):
    with pytest.raises(ValueError, match=message):
        fasta(text)


# --- damaged files: read as Biopython and pandas read them, or refused ---


@settings(max_examples=2000)
@given(damaged(b">chr1 one\nACGTACGTAC\nGGCCNNRT\n\n>chr2\nacgtac\nGT\n>chr3\nTTTT\n"))
def test_a_damaged_fasta_is_read_as_biopython_reads_it_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "damaged.fa"
    path.write_bytes(content)
    ours = or_refused(lambda path: [(n, s.decode()) for _, n, s in read_records(path)], path)
    if ours is not None:
        text = path.read_text(encoding="utf-8-sig").lstrip()  # Biopython minds blank lines there
        theirs = SeqIO.parse(io.StringIO(text), "fasta")
        assert ours == [(record.id, str(record.seq).upper()) for record in theirs]


PEAKS = (
    b"track name=x\n# words\nchr1\t10\t30\tp1\t0\t+\t1\t1\t1\t7\n"
    b"chr1\t40\t60\t.\t0\t-\t1\t1\t1\t-1\nchr2\t5\t25\tp3\t0\t.\t1\t1\t1\t12\n"
)


@settings(max_examples=2000)
@given(
    damaged(PEAKS)
    | damaged(b"chr1\t10\t30\tp1\t0\t+\nchr2\t40\t60\tp2\t0\t-\n")
    | damaged(b"chr1\t10\t30\nchr2\t40\t60\n")
)
def test_a_damaged_bed_is_read_as_pandas_reads_it_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "damaged.bed"
    path.write_bytes(content)
    ours = or_refused(read_bed, path)
    if ours is None:
        return
    options = {"sep": "\t", "header": None, "names": range(60), "quoting": csv.QUOTE_NONE}
    theirs = pd.read_csv(path, **options, dtype=str, encoding="utf-8-sig", keep_default_na=False)
    words = theirs[0].str.split().str[0].fillna("#")
    theirs = theirs[~words.str.match("#") & ~words.isin(["track", "browser"])]
    theirs = theirs.fillna("").map(lambda field: field.rstrip(" \t"))
    assert ours["chrom"].tolist() == theirs[0].tolist()
    assert ours["start"].tolist() == theirs[1].astype(int).tolist()
    assert ours["end"].tolist() == theirs[2].astype(int).tolist()
    assert ours["strand"].eq("-").tolist() == theirs[5].eq("-").tolist()
    summits = pd.to_numeric(theirs[9]).fillna(-1).astype(int).to_numpy()
    middles = (ours["end"] - ours["start"]) // 2
    assert ours["summit"].tolist() == np.where(summits == -1, middles, summits).tolist()
