"""`datasets.read_windows` and `workshop.datasets.genome`: FASTA and BED, good and bad."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop.datasets import read_windows
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
        "chr2\t3\t8\nchr1\t0\t5\tfirst\t0\t-\nchr1\t6\t11\t.\t0\t.\nchr1\t15\t20\t\t0\t+"
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


def test_records_named_as_bedtools_does(genome):
    fasta = ">chr1:5-9\nccGT\n>chr7:0-4 other\nTTTT\n"
    data = genome("chr7\t0\t4\nchr1\t5\t9\tx\t0\t-\n", fasta)
    assert one_hot_decode(data.X) == ["TTTT", "ACGG"]


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
    rows = "chr2\t2\t12\tgene\t0\t+\t2\t12\t0\t1\t10,\t0,\nchr2\t5\t16\n"
    assert genome(rows, length=2).table["start"].tolist() == [6, 9]  # the middles


def test_label_and_byte_order_mark(genome):
    data = genome("\ufeffchr1\t0\t4\n", "\ufeff>chr1\nACGT\n", label=0)
    assert one_hot_decode(data.X) == ["ACGT"]
    assert (data.y.tolist(), data.table["label"].tolist()) == ([[0.0]], [0])


BED = "expected chrom, start and end, 0 <= start < end, separated by tabs; the last of 10 columns"


@pytest.mark.parametrize(
    ("bed", "message"),
    [
        ("", r"peaks\.bed must hold at least one window; it holds none"),
        ("chr1 0 5\n", rf"peaks\.bed, line 1: {BED} .*; got 'chr1 0 5'\."),
        ("chr1\t0\t5\nchr1\t5\n", f"line 2: {BED}"),
        ("chrom\tstart\tend\n", f"line 1: {BED}"),
        ("chr1\t0\t5\nchr1\t7\t7\n", rf"line 2: {BED} .*; got 'chr1\\t7\\t7'\."),
        ("chr1\t-1\t4\n", f"line 1: {BED}"),
        (narrow_peak("chr1", 0, 5, 5), f"line 1: {BED}"),
        (narrow_peak("chr1", 0, 5, 2.0), r"or -1 where there is none; got 'chr1.*\\t2\.0'"),
        ("chr1\t0\t5\nchr1\t5\t15\n", r"must have one length; got 5 to 10 bp\. Pass length=200"),
        ("chr1\t16\t21\n", r"chr1:16-21 of .*bed must have 5 bp in .*fa; got 4\. .*same genome as"),
        (
            "chr3\t0\t5\n",
            r"fa holds neither chr3 nor chr3:0-5, asked for by .*; it holds chr1, chr2\. ",
        ),
    ],
)
def test_bad_bed(genome, bed, message):
    with pytest.raises(ValueError, match=message):
        genome(bed)


@pytest.mark.parametrize(
    ("fasta", "message"),
    [
        ("", r"genome\.fa must hold at least one FASTA record; it holds none"),
        ("ACGT\n>chr1\nACGT\n", r"genome\.fa, line 1: expected '>' and a name; got 'ACGT'"),
        (">chr1\nACGT\n>chr2\nA\n>chr2\nA\n", r"line 5: expected a new name; got chr2 again\."),
        ("".join(f">c{i}\nA\n" for i in range(9)), r"it holds c0, c1, c2, c3, c4, \.\.\.\. Are"),
        (">chr1:0-4\nACG\n", r"chr1:0-4 of .* must have 4 bp in .*; got 3\. Is the file complete"),
        (">chr1\nAC GT\n", r"Windows of .*bed in .*fa: .* got ' ' in sequence 0 at position 2"),
        (">chr1\nACMT\n", "got 'M' in sequence 0 at position 2"),
        (">\nACGT\n", "holds neither chr1"),
    ],
)
def test_bad_fasta(genome, fasta, message):
    with pytest.raises(ValueError, match=message):
        genome("chr1\t0\t4\n", fasta)


def test_windows_around_summits_out_of_range(genome):
    for bed in ("chr1\t0\t4\n", "chr1\t14\t20\n"):
        with pytest.raises(ValueError, match=r"chr1:(-3-7|12-22) of .* have 10 bp in .*; got [08]"):
            genome(bed, length=10)
    with pytest.raises(ValueError, match=r"length must be a whole number, 1 or more; got 0"):
        genome(bed, length=0)
