"""`workshop.splits`: partitions, and the leak found pair by pair."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop.datasets import load_ctcf, simulate_ctcf
from workshop.splits import (
    TEST_CHROMS,
    VAL_CHROMS,
    Split,
    overlapping_windows,
    split_at_random,
    split_by_chromosome,
)


def assert_partition(split, n):
    assert sorted(np.concatenate(split).tolist()) == list(range(n))
    for part in split:
        assert part.dtype.kind == "i"
        assert (np.diff(part) > 0).all()


# --- by chromosome ----------------------------------------------------------------------------


def test_the_courses_split_of_the_shipped_set():
    chroms = load_ctcf().table["chrom"]
    split = split_by_chromosome(chroms)
    assert_partition(split, 5000)
    assert set(chroms.iloc[split.val]) == set(VAL_CHROMS) == {"chr8", "chr20"}
    assert set(chroms.iloc[split.test]) == set(TEST_CHROMS) == {"chr1", "chr3", "chr6"}
    assert 0.05 < len(split.val) / 5000 < 0.09
    assert 0.18 < len(split.test) / 5000 < 0.23


@given(st.lists(st.sampled_from("abcd"), min_size=4).filter(lambda c: set(c) == set("abcd")))
def test_by_chromosome_partitions_the_rows(chroms):
    split = split_by_chromosome(np.array(chroms), val_chroms=["b"], test_chroms={"d"})
    assert_partition(split, len(chroms))
    parts = [{chroms[i] for i in part} for part in split]
    assert parts == [{"a", "c"}, {"b"}, {"d"}]


CHROMS = ["chr1", "chr2", "chr10", "chrX", "chr8"]


@pytest.mark.parametrize(
    ("val", "test", "message"),
    [
        ("chr8", ["chr1"], r"val_chroms must be a list; got one string. Pass \['chr8'\]"),
        (
            ["chr8"],
            ["chr1", "9", "chrY"],
            r"test_chroms must name chromosomes of the data; got 9, chrY\. "
            r"Present: chr1, chr2, chr8, chr10, chrX\.",
        ),
        (["chr8", "chr1", "chrX"], ["chrX", "chr1"], "one part; chr1, chrX is in two"),
        ([], ["chr1"], "Every part must have rows; val would be empty."),
        (["chr1", "chr2", "chr10"], ["chrX", "chr8"], "train would be empty"),
    ],
)
def test_by_chromosome_refuses(val, test, message):
    with pytest.raises((TypeError, ValueError), match=message):
        split_by_chromosome(CHROMS, val_chroms=val, test_chroms=test)
    with pytest.raises(ValueError, match=r"chroms must have shape \(N,\); got \(5, 1\)"):
        split_by_chromosome(np.array(CHROMS)[:, None])


def parts_of(chroms, val=("chr8",), test=("chr1",)):
    split = split_by_chromosome(chroms, val_chroms=val, test_chroms=test)
    assert_partition(split, len(chroms))
    return [part.tolist() for part in split]


@pytest.mark.parametrize(
    "chroms",
    [
        [1, "X", 8],
        ["1", 2.0, "chr8 "],
        [b"chr1", b"chr2", b"chr8"],
        np.array([1.0, 2.0, 8.0]),
        np.array([1, 2, 8], dtype=np.uint8),
        np.array([b"1", b"2", b"8"]),
        np.ma.array([1, 2, 8]),
        pd.Series(["chr01", "chr2", "CHR8"], dtype="category", index=[5, 5, 5]),
        pd.array(["chr 1", "\tchr2", "Chr_8"], dtype="string"),
        pd.array([1, 2, 8], dtype="UInt8"),
        ["Chr1", "chrUextra", "chromosome8"],
        ["chr1_random", "chr2_KI270706v1_random", "chr8_KI270821v1_alt"],
        ["1_KN196472v1_fix", "chr2", "chr8_cox_hap1"],
    ],
    ids=lambda chroms: f"{type(chroms).__name__} {list(chroms)}",
)
def test_a_chromosome_has_one_identity_however_it_is_spelled(chroms):
    assert parts_of(chroms) == [[1], [2], [0]]
    assert parts_of(chroms, val=(c for c in [8]), test=pd.Series([1], index=[9])) == [[1], [2], [0]]
    assert parts_of(chroms, val={" 8.0"}, test=np.array([b"CHR1"])) == [[1], [2], [0]]


def test_rows_of_one_chromosome_stay_together():
    ones = ["chr1", "Chr1", "chr1 ", "1", 1, 1.0, b"chr1", "chr1_KI270706v1_random", "chr01"]
    assert parts_of([*ones, "chr8", "chr11"]) == [[10], [9], list(range(9))]
    assert parts_of(["chrM", "MT", "x", "chrX", "2"], val=["mt"], test=["X"]) == [
        [4],
        [0, 1],
        [2, 3],
    ]
    with pytest.raises(ValueError, match="belongs to one part; 1 is in two"):
        parts_of(["chr1", "1", "chr2"], val=["1"], test=["chr1"])


MISSING = [
    None,
    np.nan,
    pd.NA,
    pd.NaT,
    "",
    " ",
    "chr",
    "nan",
    ".",
    "*",
    True,
    np.False_,
    np.ma.masked,
]


@pytest.mark.parametrize("missing", MISSING, ids=repr)
def test_a_row_without_a_chromosome_is_an_error(missing):
    for chroms in (["1", "2", "8", missing], pd.Series(["1", "2", "8", missing], dtype=object)):
        with pytest.raises(ValueError, match=r"chroms must hold names; got .* in row 3"):
            parts_of(chroms)
    with pytest.raises(ValueError, match=r"val_chroms must hold names; got .* in row 0"):
        parts_of(["1", "2", "8"], val=[missing])


@pytest.mark.parametrize(
    "contig",
    [
        *("chrUn_KI270302v1", "Un", "chrUn_random", "GL000192.1", "HLA-A*01:01", "JTFH01000001.1"),
        *("NT_113891.3", "CHR_HSCHR6_MHC_COX_CTG1", "HG1012_PATCH"),
    ],
)
def test_a_contig_of_any_chromosome_does_not_train_unless_contigs_are_split(contig):
    message = (
        r"must be of a known chromosome; .* in row 2 may be of one that is held out.*\(2 in all"
    )
    with pytest.raises(ValueError, match=message):
        parts_of(["chr1", "chr8", contig, "chr2", contig])
    assert parts_of(["chr1", "chr8", contig, "chr2"], test=["1", contig]) == [[3], [1], [0, 2]]
    draft = [contig, "JH584304.1", "KB000001.1"]
    assert parts_of(draft, val=["JH584304.1"], test=["KB000001.1"]) == [[0], [1], [2]]


@pytest.mark.parametrize("chroms", ["chr1", b"chr1", 3, {"chr1"}, (c for c in "12"), [["chr1"]]])
def test_chroms_must_be_a_list_of_names(chroms):
    with pytest.raises(
        (TypeError, ValueError), match=r"must be a list; got one .*\. Pass \[|shape \(N,\)"
    ):
        parts_of(chroms)


# --- at random --------------------------------------------------------------------------------


@given(
    st.integers(3, 200),
    st.floats(0.05, 0.45),
    st.floats(0.05, 0.45),
    st.integers(0, 2**32 - 1),
)
def test_at_random_partitions_the_rows(n, val_size, test_size, seed):
    n_val, n_test = round(n * val_size), round(n * test_size)
    if min(n_val, n_test, n - n_val - n_test) < 1:
        return  # refused, as below
    split = split_at_random(n, val_size=val_size, test_size=test_size, random_state=seed)
    assert_partition(split, n)
    assert (len(split.val), len(split.test)) == (n_val, n_test)
    again = split_at_random(n, val_size=val_size, test_size=test_size, random_state=seed)
    assert again.test.tolist() == split.test.tolist()


@pytest.mark.parametrize(("val_size", "test_size"), [(0, 0.2), (0.5, 0.5), (20, 0.2)])
def test_at_random_refuses_shares(val_size, test_size):
    with pytest.raises(ValueError, match=r"n must be a whole number, 1 or more; got 100\.0"):
        split_at_random(100.0, val_size=val_size, test_size=test_size, random_state=0)
    with pytest.raises(ValueError, match=f"must leave 3 parts; got {val_size}, {test_size}"):
        split_at_random(100, val_size=val_size, test_size=test_size, random_state=0)


# --- overlapping windows ----------------------------------------------------------------------


NUMBERS = [np.dtype(f"{kind}{size}") for kind in "iu" for size in (1, 2, 4, 8)]
NUMBERS += [np.dtype(float), np.dtype(object), pd.Int16Dtype(), pd.UInt8Dtype(), pd.Float64Dtype()]


@pytest.mark.parametrize("dtype", NUMBERS, ids=str)
def test_overlaps_are_computed_in_int64_whatever_the_table_holds(dtype):
    """Bases that two windows share, counted: of empty windows and near the ends of a type, too."""
    rng, low, high = np.random.default_rng(0), -99, 2**40
    if dtype.kind in "iu":
        info = np.iinfo(getattr(dtype, "numpy_dtype", dtype))
        low, high = info.min, min(info.max, 2**63 - 1)
    for base in [max(low, -20), high - 50] * 10:
        n = int(rng.integers(0, 9))
        chroms, parts = rng.choice(["chr1", "1", "chr2"], n), rng.integers(0, 4, n)
        starts = [base + int(k) for k in rng.integers(0, 40, n)]
        ends = [min(max(start + int(rng.integers(-5, 30)), low), high) for start in starts]
        table = pd.DataFrame({"chrom": chroms})
        table["start"], table["end"] = (pd.array(v, dtype=dtype) for v in (starts, ends))
        found = overlapping_windows(table, Split(*(parts == k for k in range(3))))
        bases = [set(range(*window)) for window in zip(starts, ends, strict=True)]
        expected = {
            (i, j, len(bases[i] & bases[j]))
            for i in range(n)
            for j in range(n)
            if parts[i] < parts[j] < 3 and chroms[i][-1] == chroms[j][-1] and bases[i] & bases[j]
        }
        assert list(found) == ["part_a", "row_a", "part_b", "row_b", "chrom", "overlap"]
        assert set(zip(found["row_a"], found["row_b"], found["overlap"], strict=True)) == expected
        for side in "ab":
            names = [Split._fields[parts[i]] for i in found[f"row_{side}"]]
            assert found[f"part_{side}"].tolist() == names
        assert found["chrom"].tolist() == [chroms[i] for i in found["row_a"]]


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("start", [True, False], "start must hold whole numbers; got True in row 0"),
        ("end", [9.0, np.nan], "end must hold whole numbers; got nan in row 1"),
        ("end", [9, pd.NA], "end must hold whole numbers; got <NA> in row 1"),
        ("end", [9.5, 10], r"end must hold whole numbers; got 9\.5 in row 0"),
        ("end", ["9", "10"], "end must hold whole numbers; got '9' in row 0"),
        ("end", [9, np.inf], "end must hold whole numbers; got inf in row 1"),
        ("end", np.array([9, 2**63], dtype=np.uint64), "got 9223372036854775808 in row 1"),
        ("chrom", ["chr1", None], "got 'nan' in row 1"),
    ],
)
def test_coordinates_must_be_whole_numbers(column, values, message):
    table = pd.DataFrame({"chrom": ["chr1", "chr1"], "start": [0, 1], "end": [5, 6]})
    table[column] = values
    with pytest.raises(ValueError, match=message):
        overlapping_windows(table, Split([0], [1], []))


def test_parts_may_be_masks_and_small_integers_but_nothing_else():
    table = pd.DataFrame({"chrom": "chr1", "start": [0, 1, 9], "end": [5, 6, 12]})
    rows = Split(np.array([0], np.uint8), np.array([1], np.int8), [2])
    masks = Split(*(np.arange(3) == k for k in range(3)))
    assert overlapping_windows(table, masks).equals(overlapping_windows(table, rows))
    with pytest.raises(ValueError, match="val must hold whole numbers; got True in row 0"):
        overlapping_windows(table, Split([0], [True, False], []))
    with pytest.raises(TypeError, match="test must have no masked values"):
        overlapping_windows(table, Split([0], [1], np.ma.array([2], mask=True)))


def test_a_random_split_of_crops_leaks_and_a_chromosome_split_does_not():
    table = simulate_ctcf(900, crops_per_window=3).table
    at_random = split_at_random(900, val_size=0.1, test_size=0.2, random_state=0)
    leak = overlapping_windows(table, at_random)
    assert leak["row_b"][leak["part_b"] == "test"].nunique() > 0.7 * len(at_random.test)
    assert set(leak["overlap"]) == {160, 180}
    assert overlapping_windows(table, split_by_chromosome(table["chrom"])).empty


def test_overlaps_need_coordinates():
    with pytest.raises(ValueError, match=r"columns chrom, start, end; got .'chrom', 'x'."):
        overlapping_windows(pd.DataFrame({"chrom": [], "x": []}), Split([], [], []))
