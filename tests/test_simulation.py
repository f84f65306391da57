"""`datasets.simulate_ctcf` and `workshop.datasets.simulation`: its promises, by statistics."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, chisquare

from workshop.datasets import load_ctcf, simulate_ctcf
from workshop.datasets.simulation import (
    BACKGROUND,
    CHROMOSOME_LENGTHS,
    draw_windows,
)
from workshop.motifs import load_motif, scan
from workshop.sequences import one_hot_decode


@pytest.fixture(scope="module")
def shipped():
    return load_ctcf()


def assert_equal(a, b):
    np.testing.assert_array_equal(a.X, b.X)
    np.testing.assert_array_equal(a.y, b.y)
    pd.testing.assert_frame_equal(a.table, b.table)


def test_half_is_positive_and_positives_hold_one_or_two_motifs(shipped):
    starts = shipped.table["motif_starts"]
    counts = np.array([len(m) for m in starts])
    assert shipped.y.mean() == 0.5
    np.testing.assert_array_equal(shipped.table["label"], shipped.y[:, 0])
    assert set(counts[shipped.y[:, 0] == 0]) == {0}
    assert set(counts[shipped.y[:, 0] == 1]) == {1, 2}
    # Poisson with mean 1, kept to 1 or 2: e^-1 against e^-1 / 2.
    assert binomtest(int((counts == 2).sum()), 2500, 1 / 3).pvalue > 1e-3


def test_windows_are_those_of_the_table_and_never_overlap(shipped):
    table = shipped.table
    assert (table["end"] - table["start"] == 200).all()
    assert table["name"].is_unique
    assert set(table["strand"]) == {"+"}
    for chrom, windows in table.groupby("chrom"):
        starts = windows["start"].to_numpy()
        assert (np.diff(starts) >= 200).all()  # in order, and apart
        assert starts[0] >= 0
        assert starts[-1] + 200 <= CHROMOSOME_LENGTHS[chrom]
    assert list(dict.fromkeys(table["chrom"])) == list(CHROMOSOME_LENGTHS)


def test_background_composition(shipped):
    negatives = shipped.X[shipped.y[:, 0] == 0]
    expected = np.array(BACKGROUND) * negatives.shape[0] * 200
    assert chisquare(negatives.sum(axis=(0, 1), dtype=float), expected).pvalue > 1e-3


def planted_instances(data, width=19):
    rows = [(i, m) for i, starts in enumerate(data.table["motif_starts"]) for m in starts]
    return np.stack([data.X[i, m : m + width] for i, m in rows])


def test_planted_instances_are_drawn_from_the_counts(shipped):
    motif = load_motif("MA0139.1")
    instances = planted_instances(shipped)
    n = len(instances)
    for k, p in enumerate(motif.probabilities()):
        seen, never = p > 0, p == 0
        observed = instances[:, k].sum(axis=0, dtype=float)
        assert observed[never].sum() == 0
        assert chisquare(observed[seen], n * p[seen]).pvalue > 1e-4


def test_motifs_lie_anywhere_and_never_on_one_another(shipped):
    starts = shipped.table["motif_starts"]
    for several in starts[starts.map(len) == 2]:
        assert several[1] - several[0] >= 19
    alone = np.array([one[0] for one in starts[starts.map(len) == 1]])
    assert (alone.min(), alone.max()) == (0, 181)
    observed = np.bincount(alone // 14, minlength=13)  # 182 places in 13 bins
    assert chisquare(observed).pvalue > 1e-3


def test_simulation_is_seeded_and_leaves_the_global_generator_alone():
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    assert_equal(simulate_ctcf(20, random_state=1), simulate_ctcf(20, random_state=1))
    generator = np.random.default_rng(1)
    assert_equal(simulate_ctcf(20, random_state=generator), simulate_ctcf(20, random_state=1))
    other = simulate_ctcf(20, random_state=2)
    assert not np.array_equal(other.X, simulate_ctcf(20, random_state=1).X)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_leaking_crops_overlap_and_share_their_label():
    data = simulate_ctcf(900, crops_per_window=3, random_state=5)
    table, text = data.table, one_hot_decode(data.X)
    for first in range(0, 900, 3):
        crops = table.iloc[first : first + 3]
        assert crops["chrom"].nunique() == crops["label"].nunique() == 1
        assert (crops["start"] - crops["start"].iloc[0]).tolist() == [0, 20, 40]
        for a, b in pairwise(range(first, first + 3)):
            assert text[a][20:] == text[b][:-20]
    windows = table.iloc[::3]
    for _, group in windows.groupby("chrom"):
        assert (np.diff(group["start"]) >= 240).all()
    assert data.y.mean() == 0.5


def test_motif_starts_of_crops_point_at_the_same_bases():
    data = simulate_ctcf(900, crops_per_window=3, random_state=5)
    places = [
        {start + m for m in motifs}
        for start, motifs in zip(data.table["start"], data.table["motif_starts"], strict=True)
    ]
    starts = data.table["start"].to_numpy()
    for first in range(0, 900, 3):
        window = set.union(*places[first : first + 3])
        for i in range(first, first + 3):
            inside = {p for p in window if starts[i] <= p <= starts[i] + 200 - 19}
            assert places[i] == inside
    assert scan(data.X, load_motif("MA0139.1")).max(axis=1)[data.y[:, 0] == 1].mean() > 12


def test_random_labels_mean_nothing():
    data = simulate_ctcf(4000, random_labels=True)
    has_motif = data.table["motif_starts"].map(len).to_numpy() > 0
    assert has_motif.mean() == data.y.mean() == 0.5
    both = int((has_motif & (data.y[:, 0] == 1)).sum())
    assert binomtest(both, 2000, 0.5).pvalue > 1e-3
    crops = simulate_ctcf(300, random_labels=True, crops_per_window=3)
    assert (crops.y.reshape(-1, 3).std(axis=1) == 0).all()


def test_shortest_sequences_are_full_of_motifs():
    data = simulate_ctcf(41, length=38)
    assert data.y.sum() == 20
    doubles = data.table["motif_starts"][data.table["motif_starts"].map(len) == 2]
    assert set(doubles) == {(0, 19)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 37}, "length must be at least 38, two motifs; got 37"),
        ({"n": 0}, "n must be a multiple of crops_per_window, 1; got 0"),
        ({"n": 10, "crops_per_window": 3}, "n must be a multiple of crops_per_window, 3; got 10"),
    ],
)
def test_simulation_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        simulate_ctcf(**options)


def test_draw_windows_fills_a_chromosome_to_the_brim(monkeypatch):
    monkeypatch.setattr("workshop.datasets.simulation.CHROMOSOME_LENGTHS", {"chr1": 1000})
    chroms, starts = draw_windows(10, 100, np.random.default_rng(0))
    assert chroms == ["chr1"] * 10
    assert starts.tolist() == list(range(0, 1000, 100))
