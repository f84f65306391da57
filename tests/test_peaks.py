"""`datasets.read_peaks`: each window against a slow reading of the files, by letters and loops."""

import gzip
import itertools
import subprocess
import sys
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from tests.small_genome import write_genome
from workshop.datasets import read_peaks
from workshop.sequences import one_hot_decode

COMPLEMENT = str.maketrans("ACGT", "TGCA")


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    folder = tmp_path_factory.mktemp("genome")
    return folder, write_genome(folder)


@pytest.fixture(scope="module")
def data(genome):
    return read_peaks(sorted(genome[0].glob("chr*.fa.gz")), genome[0] / "peaks.bed.gz")


def peaks_of(folder):
    text = gzip.decompress((folder / "peaks.bed.gz").read_bytes()).decode()
    rows = [line.split("\t") for line in text.splitlines()]
    return [(row[0], int(row[1]), int(row[2]), int(row[9])) for row in rows]


def gc(seq):
    return seq.count("C") + seq.count("G")


def test_positives_are_all_peaks_that_can_be(genome, data):
    folder, chromosomes = genome
    expected = set()
    excluded = Counter()
    for chrom, start, _, summit in peaks_of(folder):
        a = start + summit - 100
        if a < 10_000 or a + 200 > len(chromosomes[chrom]) - 10_000:
            excluded["at an end of a chromosome"] += 1
        elif "N" in chromosomes[chrom][a : a + 200].upper():
            excluded["an unknown base"] += 1
        else:
            expected.add((chrom, a, a + 200))
    rows = data.table[data.table["label"] == 1]
    assert len(expected) > 700
    assert set(rows[["chrom", "start", "end"]].itertuples(index=False, name=None)) == expected
    assert len(rows) == len(expected)
    assert Counter(data.table.attrs["excluded"]) == excluded
    assert min(excluded.values()) > 0


def test_each_peak_has_a_negative_with_as_much_gc_on_its_chromosome(data):
    X, table = data.X, data.table
    counts = X[:, :, 1:3].sum(axis=(1, 2)).astype(int)
    for _, rows in table.groupby("chrom"):
        positive, negative = (np.sort(counts[rows.index[rows["label"] == k]]) for k in (1, 0))
        assert len(positive) == len(negative) > 100
        assert abs(positive - negative).max() <= 4  # 2 % of 200
        assert (positive == negative).mean() > 0.9
        assert ks_2samp(positive, negative).statistic < 0.05
    # and it was needed: peaks hold a motif, with more G and C than what lies around
    assert len(set(counts)) > 50


def test_rows_are_in_genome_order_and_named(data):
    assert data.table["chrom"].unique().tolist() == ["chr21", "chr22", "chr9"]  # of the files
    for _, rows in data.table.groupby("chrom"):
        assert rows["start"].is_monotonic_increasing
    row = data.table[data.table["label"] == 0].iloc[0]
    assert row["name"] == f"{row.chrom}:{row.start}-{row.end}"


def test_a_chromosomes_negatives_do_not_depend_on_the_others(genome, data):
    folder, _ = genome
    alone = read_peaks(folder / "chr22.fa.gz", folder / "peaks.bed.gz", chroms=["chr22"])
    expected = data.table[data.table["chrom"] == "chr22"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone.table, expected)
    again = read_peaks(folder / "chr22.fa.gz", folder / "peaks.bed.gz", random_state=1)
    starts = [set(t.loc[t["label"] == 0, "start"]) for t in (alone.table, again.table)]
    assert len(starts[0] & starts[1]) < len(starts[0]) / 10


@st.composite
def small_chromosomes(draw):
    """A chromosome of a few hundred letters, and peaks that may hang over its ends or overlap."""
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    letters = "".join(rng.choice(list("ACGTacgt"), draw(st.integers(60, 500))))
    gap = draw(st.integers(0, len(letters)))
    letters = letters[:gap] + draw(st.sampled_from(["", "N", "nnnnnn", "R"])) + letters[gap:]
    peaks = []
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(letters) - 2))
        end = draw(st.integers(start + 1, min(start + 30, len(letters))))
        peaks.append(
            (start, end, draw(st.integers(0, end - start - 1)), draw(st.sampled_from("+-.")))
        )
    options = {
        "length": draw(st.integers(1, 12)),
        "distance": draw(st.integers(0, 20)),
        "ends": draw(st.integers(0, 15)),
        "random_state": draw(st.integers(0, 3)),
    }
    return letters, peaks, options


@given(small_chromosomes())
def test_any_small_chromosome_by_brute_force(tmp_path_factory, case):
    letters, peaks, options = case
    folder = tmp_path_factory.mktemp("small")
    (folder / "c.fa").write_text(f">c\n{letters[:33]}\n{letters[33:]}\n")
    (folder / "p.bed").write_text(
        "".join(f"c\t{a}\t{b}\tp{a}\t0\t{s}\t0\t0\t0\t{m}\n" for a, b, m, s in peaks)
    )
    length, ends = options["length"], options["ends"]
    upper = letters.upper()

    def usable(start):
        inside = start >= ends and start + length <= len(letters) - ends
        return inside and not set("NR") & set(upper[start : start + length])

    can_be = {}  # start of the window: strand of the first peak there
    for a, _, m, strand in peaks:
        start = a + m - length // 2
        if usable(start):
            can_be.setdefault(start, "-" if strand == "-" else "+")
    try:
        data = read_peaks(folder / "c.fa", folder / "p.bed", **options)
    except ValueError as error:
        if "with peaks to take" in str(error):
            return  # none could be used, or none could be matched
        raise
    table, seqs = data.table, one_hot_decode(data.X)
    excluded = table.attrs["excluded"]
    n = int(table["label"].sum())
    assert n + excluded["no negative with its GC content"] == len(can_be)
    assert n + sum(excluded.values()) == len(peaks)
    assert (table["label"] == 0).sum() == n
    counts = {0: [], 1: []}
    for row, seq in zip(table.itertuples(), seqs, strict=True):
        window = upper[row.start : row.end]
        assert len(window) == length
        assert usable(row.start)
        assert seq == (window if row.strand == "+" else window.translate(COMPLEMENT)[::-1])
        counts[row.label].append(gc(seq))
        if row.label:
            assert can_be[row.start] == row.strand
        else:
            far = options["distance"]
            windows = [(a + m - length // 2, a + m - length // 2 + length) for a, _, m, _ in peaks]
            for a, b in [*windows, *(peak[:2] for peak in peaks)]:
                assert row.end + far <= a or row.start - far >= b
    starts = sorted(table.loc[table["label"] == 0, "start"])
    assert all(b - a >= length for a, b in itertools.pairwise(starts))
    # Small windows: 2 % of them is no base, so the counts are the same.
    assert sorted(counts[0]) == sorted(counts[1])


def test_gc_may_differ_a_little_where_it_must(tmp_path):
    """100 bp peaks of 50 G and C among windows that all have 48, then 47."""
    for off, found in ((2, True), (3, False)):
        around = ("G" * (50 - off) + "A" * (50 + off)) * 40
        (tmp_path / "c.fa").write_text(f">c\n{around[:1000]}{'GA' * 50}{around}\n")
        (tmp_path / "p.bed").write_text("c\t1000\t1100\n")
        read = {"length": 100, "distance": 0, "ends": 0}
        if found:
            counts = read_peaks(tmp_path / "c.fa", tmp_path / "p.bed", **read).X[:, :, 2].sum(1)
            assert sorted(counts.tolist()) == [48, 50]
        else:
            with pytest.raises(ValueError, match=r"'no negative with its GC content': 1"):
                read_peaks(tmp_path / "c.fa", tmp_path / "p.bed", **read)


# --- what is not right ---


@pytest.fixture
def small(tmp_path):
    (tmp_path / "c.fa").write_text(">c\n" + "ACGTTGCA" * 50 + "\n>d\n" + "A" * 400 + "\n")
    (tmp_path / "p.bed").write_text("c\t200\t220\ne\t10\t30\n")

    def read(**options):
        options = {"length": 8, "distance": 10, "ends": 0} | options
        return read_peaks(tmp_path / "c.fa", tmp_path / "p.bed", **options)

    return read


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 0}, r"length must be a whole number, 1 or more; got 0\."),
        ({"distance": -1}, r"distance must be a whole number, 0 or more; got -1\."),
        ({"ends": 8.0}, r"ends must be a whole number, 0 or more; got 8\.0\."),
        ({"random_state": -1}, r"random_state must be a whole number, 0 or more; got -1\."),
        ({"chroms": ["c", "c"]}, r"chroms must name each once; got c, c\."),
        ({"chroms": ["c", "d"]}, r"must both hold d, with peaks to take\. Peaks are on c, e; excl"),
        ({"chroms": ["e"]}, r"must both hold e, .* Are both of one assembly, with the same names"),
        ({"ends": 200}, r"must both hold some chromosome.*'at an end of a chromosome': 1"),
        ({"length": 900}, r"'at an end of a chromosome': 1"),
    ],
)
def test_bad_arguments(small, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        small(**options)


def test_peaks_on_other_chromosomes_are_counted(small, tmp_path):
    (tmp_path / "p.bed").write_text("c\t200\t220\nd\t9\t30\nc\t280\t300\ne\t10\t30\ne\t1\t3\n")
    excluded = small(chroms=["c"]).table.attrs["excluded"]
    assert excluded["on a chromosome not asked for"] == 3
    excluded = small().table.attrs["excluded"]
    assert excluded["on a chromosome that the FASTA lacks"] == 2
    (tmp_path / "c.fa").write_text(">c chromosome:GRCh38:c:7:406:1\n" + "ACGTTGCA" * 50)
    with pytest.raises(ValueError, match=r"c\.fa, line 1: expected the whole of c; got a slice"):
        small()


def test_a_chromosome_in_two_files(tmp_path):
    (tmp_path / "c.fa").write_text(">c\n" + "ACGTTGCA" * 50)
    (tmp_path / "p.bed").write_text("c\t200\t220\n")
    with pytest.raises(ValueError, match=r"c must come once in the FASTA files; again in"):
        read_peaks(2 * [tmp_path / "c.fa"], tmp_path / "p.bed", length=8, distance=10, ends=0)


def test_another_assembly(tmp_path):
    (tmp_path / "c.fa").write_text(">c\n" + "ACGT" * 50)
    (tmp_path / "p.bed").write_text("c\t190\t210\n")
    with pytest.raises(
        ValueError,
        match=r"p\.bed reaches beyond c of .*c\.fa\. Is it another",
    ):
        read_peaks(tmp_path / "c.fa", tmp_path / "p.bed", length=8, ends=0)


MEASURE = """
from workshop import datasets
data = datasets.read_peaks({fasta!r}, {bed!r})
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
print(len(data.y), peak / 1e6)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc how much memory was used")
def test_a_large_chromosome_in_less_than_a_gigabyte(tmp_path):
    write_genome(tmp_path, lengths={"chr21": 40_000_000}, n_peaks={"chr21": 1000})
    files = {"fasta": f"{tmp_path}/chr21.fa.gz", "bed": f"{tmp_path}/peaks.bed.gz"}
    ran = subprocess.run(
        [sys.executable, "-c", MEASURE.format(**files)], capture_output=True, text=True, check=True
    )
    rows, gigabytes = map(float, ran.stdout.split())
    assert rows > 1800
    assert gigabytes < 1
