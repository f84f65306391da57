"""`workshop.sequences` against values by hand, loops over letters and enumeration."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from workshop.sequences import (
    ALPHABET,
    base_composition,
    check_one_hot,
    dinucleotide_shuffle,
    one_hot_decode,
    one_hot_encode,
    reverse_complement,
)

COMPLEMENT = {"A": "T", "C": "G", "G": "C", "T": "A", "N": "N"}


@st.composite
def batches(draw, letters="ACGTNacgtn", max_length=30):
    """Sequences of one length."""
    length = draw(st.integers(0, max_length))
    one = st.text(letters, min_size=length, max_size=length)
    return draw(st.lists(one, min_size=1, max_size=5))


# --- encode and decode ------------------------------------------------------------------------


@given(batches())
def test_encode_equals_a_loop_over_letters(seqs):
    X = one_hot_encode(seqs)
    assert (X.shape, X.dtype) == ((len(seqs), len(seqs[0]), 4), np.float32)
    for i, seq in enumerate(seqs):
        for p, letter in enumerate(seq.upper()):
            assert X[i, p].tolist() == [float(letter == base) for base in "ACGT"]


@pytest.mark.parametrize("shape", [(1, 70_001), (35, 2003)])
def test_encode_more_letters_than_it_takes_at_a_time(shape):
    letters = np.random.default_rng(0).choice(list("ACGTNacgtn"), shape)
    X = one_hot_encode(["".join(row) for row in letters])
    np.testing.assert_array_equal(X, np.char.upper(letters)[..., None] == list("ACGT"))
    assert X.flags.c_contiguous
    assert X.flags.writeable


@given(batches())
def test_decode_undoes_encode(seqs):
    assert one_hot_decode(one_hot_encode(seqs)) == [seq.upper() for seq in seqs]


@pytest.mark.parametrize("function", [one_hot_encode, dinucleotide_shuffle])
def test_no_sequence_or_no_string(function):
    with pytest.raises(ValueError, match="at least one sequence; got none"):
        function([])
    with pytest.raises(TypeError, match=r"must hold strings; got float among them\."):
        function(["ACGT", float("nan")])
    for one in ("ACGT", b"ACGT"):
        with pytest.raises(TypeError, match=r"must be a list; got one string.*\[seq\]"):
            function(one)


@pytest.mark.parametrize("function", [one_hot_encode, dinucleotide_shuffle])
@pytest.mark.parametrize("letter", ["R", "-", "\0", "?", "🧬", "ß"])
def test_wrong_letter_is_named_with_its_place(function, letter):
    with pytest.raises(ValueError, match=r"may hold A, C, G, T and N; got .* in seq") as error:
        function(["ACGT", f"AC{letter}T", "NNNX"])
    assert f"got {letter!r} in sequence 1 at position 2 (both count from 0)" in str(error.value)


def test_ragged_sequences():
    with pytest.raises(ValueError, match=r"one length; got 3 to 4 letters\."):
        one_hot_encode(["ACGT", "TTTT", "ACG"])


def test_decode_refuses_soft_and_double_rows():
    X = one_hot_encode(["ACGT", "ACGT"])
    X[1, 2] = [0.5, 0, 0.5, 0]
    with pytest.raises(ValueError, match=r"must be one-hot.*got \[0.5, 0.0, 0.5, 0.0\] in seq"):
        one_hot_decode(X)
    X[1, 2] = [1, 0, 0, 1]
    with pytest.raises(ValueError, match=r"\[1.0, 0.0, 0.0, 1.0\] in sequence 1 at position 2"):
        one_hot_decode(X)


# --- the validator ----------------------------------------------------------------------------


def test_check_keeps_float32_and_converts_others():
    X = one_hot_encode(["ACGT"])
    assert check_one_hot(X) is X
    for dtype in (np.float64, np.int8, np.uint8, bool):
        checked = check_one_hot(X.astype(dtype))
        assert checked.dtype == np.float32
        np.testing.assert_array_equal(checked, X)
    assert check_one_hot(X.tolist()).shape == (1, 4, 4)
    assert check_one_hot(X + np.finfo(float).eps).max() == 1  # a float64 that rounds to 1
    with pytest.raises(TypeError, match="X must have no masked values, but plain ones: leave"):
        check_one_hot(np.ma.array(X, mask=X == 1))
    assert check_one_hot(np.full((2, 3, 4), 0.25)).shape == (2, 3, 4)


CHANNELS_FIRST = (
    r"shape \(N, L, 4\); got \(32, 4, 200\)\. If it is channels-first, pass X\.swapaxes"
)


@pytest.mark.parametrize(
    "function", [check_one_hot, one_hot_decode, reverse_complement, base_composition]
)
def test_wrong_shapes(function):
    with pytest.raises(ValueError, match=CHANNELS_FIRST):
        function(np.zeros((32, 4, 200)))
    with pytest.raises(ValueError, match=r"got \(200, 4\)\. For one sequence pass X\[None\]\."):
        function(np.zeros((200, 4)))
    with pytest.raises(ValueError, match=r"got \(2, 200, 5\)\.$"):
        function(np.zeros((2, 200, 5)))


@pytest.mark.parametrize("value", [np.nan, -0.1, 1.5, np.inf])
def test_no_numbers_and_values_out_of_range(value):
    with pytest.raises(TypeError, match=r"X must hold numbers; got .*one_hot_encode\(seqs\)"):
        check_one_hot(["ACGT"])
    X = one_hot_encode(["ACGT", "ACGT"])
    X[1, 3, 0] = value
    with pytest.raises(ValueError, match=r"X_val must hold values from 0 to 1; .*1 at position 3"):
        check_one_hot(X, name="X_val")


# --- reverse complement and composition -------------------------------------------------------


@given(batches(letters="ACGTN"))
def test_reverse_complement_equals_that_of_the_letters(seqs):
    X = one_hot_encode(seqs)
    by_letters = ["".join(COMPLEMENT[letter] for letter in reversed(seq)) for seq in seqs]
    assert one_hot_decode(reverse_complement(X)) == by_letters
    assert reverse_complement(X).flags.c_contiguous
    np.testing.assert_array_equal(reverse_complement(reverse_complement(X)), X)


@given(batches(letters="ACGTN").filter(lambda seqs: set("".join(seqs)) - {"N"}))
def test_composition_equals_a_count_of_letters(seqs):
    counts = Counter("".join(seqs))
    known = sum(counts[base] for base in ALPHABET)
    expected = [counts[base] / known for base in ALPHABET]
    np.testing.assert_allclose(base_composition(one_hot_encode(seqs)), expected)


@pytest.mark.parametrize("seqs", [["NNN", "NNN"], [""]])
def test_composition_of_nothing(seqs):
    with pytest.raises(ValueError, match=r"at least one A, C, G or T; got none in shape \([12], "):
        base_composition(one_hot_encode(seqs))


# --- dinucleotide shuffle ---------------------------------------------------------------------


def pairs(seq):
    return Counter(pairwise(seq))


@given(st.lists(st.text("ACGTNacgtn", max_size=60), min_size=1, max_size=4), st.integers(0, 99))
def test_shuffle_keeps_pairs_ends_and_lengths(seqs, seed):
    shuffled = dinucleotide_shuffle(seqs, random_state=seed)
    assert len(shuffled) == len(seqs)
    for before, after in zip(seqs, shuffled, strict=True):
        assert pairs(after) == pairs(before.upper())
        assert Counter(after) == Counter(before.upper())
        assert (after[:1], after[-1:]) == (before[:1].upper(), before[-1:].upper())


def test_shuffle_is_seeded():
    seqs = ["ACGTTGCAACGATCGATTAGC"] * 3
    first = dinucleotide_shuffle(seqs, random_state=1)
    assert dinucleotide_shuffle(seqs, random_state=1) == first
    assert dinucleotide_shuffle(seqs, random_state=2) != first
    assert len(set(first)) > 1  # each copy gets a shuffle of its own
    assert dinucleotide_shuffle(seqs, random_state=np.random.default_rng(1)) == first


def all_shuffles(seq):
    """Every sequence with the pairs of `seq` and its first letter, one pair after another."""

    def grow(start, left):
        if not left:
            return {start}
        following = {pair for pair in left if pair[0] == start[-1]}
        return set().union(*(grow(start + pair[1], left - Counter([pair])) for pair in following))

    return grow(seq[0], pairs(seq))


@pytest.mark.parametrize("seq", ["AACAGATA", "GATATCAC", "CATGACGTAGC", "NACGTCAGTNCA"])
def test_every_valid_shuffle_is_equally_likely(seq):
    valid = sorted(all_shuffles(seq))
    assert len(valid) >= 4
    found = Counter(dinucleotide_shuffle([seq] * max(2000, 30 * len(valid)), random_state=0))
    assert set(found) <= set(valid)
    assert chisquare([found[other] for other in valid]).pvalue > 1e-3
