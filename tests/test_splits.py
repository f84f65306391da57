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


def test_by_chromosome_by_hand():
    chroms = ["chr1", "chr8", "chr2", "chr1", "chrX"]
    split = split_by_chromosome(chroms, val_chroms=["chr8"], test_chroms=("chr1", "chrX"))
    assert [part.tolist() for part in split] == [[2], [1], [0, 3, 4]]
    assert split._fields == ("train", "val", "test")


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
            ["chr1", "8", "chrY"],
            r"test_chroms must name chromosomes of the data; got 8, chrY\. "
            r"Present: chr1, chr2, chr8, chr10, chrX\.",
        ),
        (["chr8", "chr1", "chrX"], ["chrX", "chr1"], "one part only; chr1, chrX is in val_chroms"),
        ([], ["chr1"], "Every part must have rows; val would be empty. Share the"),
        (["chr1", "chr2", "chr10"], ["chrX", "chr8"], "train would be empty"),
    ],
)
def test_by_chromosome_refuses(val, test, message):
    with pytest.raises((TypeError, ValueError), match=message):
        split_by_chromosome(CHROMS, val_chroms=val, test_chroms=test)
    with pytest.raises(ValueError, match=r"chroms must have shape \(N,\); got \(5, 1\)"):
        split_by_chromosome(np.array(CHROMS)[:, None])


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


def test_stratified_parts_keep_the_proportions():
    with pytest.raises(ValueError, match="stratify must have length 10, a label a row; got 9"):
        split_at_random(10, val_size=0.2, test_size=0.2, random_state=0, stratify=np.zeros(9))
    y = np.repeat([0, 1], [160, 40])[:, None]
    split = split_at_random(200, val_size=0.1, test_size=0.2, random_state=0, stratify=y)
    assert_partition(split, 200)
    assert [int(y[part].sum()) for part in split] == [28, 4, 8]
    several = np.column_stack([y[:, 0], np.tile([0, 1], 100)])
    split = split_at_random(200, val_size=0.1, test_size=0.2, random_state=0, stratify=several)
    assert [several[part].sum(axis=0).tolist() for part in split] == [[28, 70], [4, 10], [8, 20]]


@pytest.mark.parametrize(("val_size", "test_size"), [(0, 0.2), (0.5, 0.5), (20, 0.2)])
def test_at_random_refuses_shares(val_size, test_size):
    with pytest.raises(
        ValueError, match=f"must leave .* at least one of 100 rows; got {val_size} and {test_size}"
    ):
        split_at_random(100, val_size=val_size, test_size=test_size, random_state=0)


# --- overlapping windows ----------------------------------------------------------------------


windows = st.lists(
    st.tuples(st.sampled_from(["chr1", "chr2"]), st.integers(0, 40), st.integers(1, 15)),
    max_size=12,
)


@given(windows, st.data())
def test_overlaps_equal_a_loop_over_all_pairs(rows, data):
    table = pd.DataFrame(
        [(chrom, start, start + width) for chrom, start, width in rows],
        columns=["chrom", "start", "end"],
    )
    parts = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    split = Split(*(np.flatnonzero(np.array(parts, dtype=int) == k) for k in range(3)))
    expected = set()
    for i, (chrom_a, start_a, width_a) in enumerate(rows):
        for j, (chrom_b, start_b, width_b) in enumerate(rows):
            shared = len(
                set(range(start_a, start_a + width_a)) & set(range(start_b, start_b + width_b))
            )
            if parts[i] < parts[j] < 3 and chrom_a == chrom_b and shared:
                a, b = Split._fields[parts[i]], Split._fields[parts[j]]
                expected.add((a, i, b, j, chrom_a, shared))
    found = overlapping_windows(table, split)
    assert list(found) == ["part_a", "row_a", "part_b", "row_b", "chrom", "overlap"]
    assert len(found) == len(expected)
    assert set(found.itertuples(index=False, name=None)) == expected


def test_windows_that_touch_share_nothing():
    table = pd.DataFrame({"chrom": "chr1", "start": [0, 10, 20], "end": [10, 20, 30]})
    assert overlapping_windows(table, Split([0], [1], [2])).empty


def test_a_random_split_of_crops_leaks_and_a_chromosome_split_does_not():
    table = simulate_ctcf(900, crops_per_window=3).table
    at_random = split_at_random(900, val_size=0.1, test_size=0.2, random_state=0)
    leak = overlapping_windows(table, at_random)
    assert leak["row_b"][leak["part_b"] == "test"].nunique() > 0.7 * len(at_random.test)
    assert set(leak["overlap"]) == {160, 180}
    assert overlapping_windows(table, split_by_chromosome(table["chrom"])).empty


def test_overlaps_need_coordinates():
    with pytest.raises(
        ValueError, match=r"columns chrom, start, end; got \['chrom', 'x'\], without start, end"
    ):
        overlapping_windows(pd.DataFrame({"chrom": [], "x": []}), Split([], [], []))
