"""`workshop.motifs` against values by hand, loops over letters, scipy and Biopython."""

import io
import math
import re

import numpy as np
import pytest
from Bio import motifs as bio_motifs
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy, pearsonr

from tests.damaged_files import damaged, or_refused
from workshop.motifs import Motif, load_motif, read_jaspar, scan, similarity
from workshop.sequences import ALPHABET, one_hot_encode

TATA = Motif("toy", "TATA", [[0, 0, 0, 8], [8, 0, 0, 0], [0, 0, 0, 8], [6, 2, 0, 0]])
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")

counts = st.lists(
    st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any), min_size=1, max_size=6
)
motifs = counts.map(lambda rows: Motif("random", "random", rows))


# --- the motif --------------------------------------------------------------------------------


def test_motif_by_hand():
    assert (len(TATA), TATA.consensus) == (4, "TATA")
    np.testing.assert_array_equal(TATA.probabilities()[3], [0.75, 0.25, 0, 0])
    # 9 of 12 with one pseudocount: log2(9 / 12 / 0.25) = log2(3).
    assert TATA.log_odds()[0, 3] == pytest.approx(math.log2(3))
    assert TATA.log_odds()[0, 0] == pytest.approx(math.log2(1 / 3))
    # One sure base says 2 bits; 3/4 and 1/4 say 2 - (3/4 log2(4/3) + 1/4 log2(4)).
    expected = [2, 2, 2, 2 - (0.75 * math.log2(4 / 3) + 0.25 * 2)]
    np.testing.assert_allclose(TATA.information_content(), expected)
    np.testing.assert_allclose(
        TATA.information_matrix()[3], np.array([0.75, 0.25, 0, 0]) * expected[3]
    )


@given(motifs)
def test_information_is_scipys_relative_entropy(motif):
    expected = [entropy(p, [0.25] * 4, base=2) for p in motif.probabilities()]
    np.testing.assert_allclose(motif.information_content(), expected, atol=1e-12)


@given(motifs)
def test_reverse_complement_of_a_motif(motif):
    other = motif.reverse_complement()
    for k in range(len(motif)):
        for c, base in enumerate(ALPHABET):
            mirrored = ALPHABET.index(base.translate(COMPLEMENT))
            assert other.counts[len(motif) - 1 - k, mirrored] == motif.counts[k, c]
    np.testing.assert_array_equal(other.reverse_complement().counts, motif.counts)
    assert (other.matrix_id, other.name) == (motif.matrix_id, motif.name)


@pytest.mark.parametrize("shape", [(4, 19), (0, 4), (4,)])
def test_counts_of_another_shape(shape):
    with pytest.raises(ValueError, match=r"counts must have shape \(K, 4\).*counts\.T") as error:
        Motif("id", "name", np.ones(shape))
    assert f"got {shape}" in str(error.value)


@pytest.mark.parametrize("row", [[0, 0, 0, 0], [1, -1, 1, 1], [1, np.nan, 1, 1], [1, np.inf, 1, 1]])
def test_bad_counts(row):
    with pytest.raises(
        ValueError, match=r"counts must be >= 0 and finite.*got \[.*\] at position 1"
    ):
        Motif("id", "name", [[1, 1, 1, 1], row])


# --- JASPAR -----------------------------------------------------------------------------------


def test_shipped_ctcf():
    ctcf, trimmed = load_motif("MA0139.1"), load_motif("MA0139.2")
    assert (len(ctcf), ctcf.name, ctcf.consensus) == (19, "CTCF", "TGGCCACCAGGGGGCGCTA")
    assert ctcf.counts[0].tolist() == [87, 291, 76, 459]
    assert ctcf.counts[18].tolist() == [402, 181, 266, 59]
    np.testing.assert_array_equal(trimmed.counts, ctcf.counts[2:17])
    with pytest.raises(ValueError, match=r"'MA0000\.1' is not shipped; there are MA0139\.1, MA01"):
        load_motif("MA0000.1")


def test_jaspar_with_and_without_brackets(tmp_path):
    path = tmp_path / "motifs.txt"
    path.write_text(
        "\ufeff# a comment\n\n>M1 first one\nA [1 2]\nC[3 4]\nG [ 5 6 ]\nT [7 8]\n\n"
        "> M2\nA 1\nC 0\nG 0.5\nT 0\n"
    )
    found = read_jaspar(path)
    assert list(found) == ["M1", "M2"]
    assert (found["M1"].matrix_id, found["M1"].name) == ("M1", "first one")
    assert found["M1"].counts.tolist() == [[1, 3, 5, 7], [2, 4, 6, 8]]
    assert (found["M2"].name, found["M2"].counts.tolist()) == ("", [[1, 0, 0.5, 0]])


GOOD = [">M1 one", "A 1 2", "C 1 2", "G 1 2", "T 1 2"]
FOUR = "line 1, motif M1: expected lines A, C, G, T of as many counts"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["# nothing"],
            r"motifs\.txt must hold a line with >ID NAME, then A, C, G, T; it is empty",
        ),
        (["\xff"], r"motifs\.txt must be a text file.* at line 1: .* 0xff"),
        (GOOD[1:], "line 1: expected >ID NAME, with a new ID; got 'A 1 2'"),
        ([*GOOD, "T 3 4"], "line 6: expected >ID NAME, with a new ID; got 'T 3 4'"),
        ([*GOOD, "", *GOOD], "line 7: expected >ID NAME, with a new ID; got '>M1 one'"),
        ([*GOOD[:2], *GOOD[3:]], f"{FOUR}; got \\['A 1 2', 'G 1 2', 'T 1 2'\\]"),
        (GOOD[:1], rf"{FOUR}; got \[\]"),
        ([*GOOD[:3], "G 1", GOOD[4]], FOUR),
        ([*GOOD[:3], "G 1 two", GOOD[4]], f"{FOUR}; got .*'G 1 two'"),
        ([*GOOD[:3], "G 1 2-", GOOD[4]], "line 1, motif M1: could not .* '2-'"),
        ([*GOOD[:3], "G 1 1_0", GOOD[4]], FOUR),
        ([*GOOD[:3], "G 1 [2]", GOOD[4]], FOUR),
        ([*GOOD[:3], "G [1 2", GOOD[4]], FOUR),
        ([*GOOD[:4], "T 1 2>M2 two", *GOOD[1:]], FOUR),  # two files joined
        ([*GOOD, "\ufeff>M2 two", *GOOD[1:]], "line 6: expected >ID NAME"),
        ([*GOOD[:2], "C -1 2", *GOOD[3:]], "line 1, motif M1: counts must be >= 0"),
        ([GOOD[0], *"ACGT"], r"line 1, motif M1: counts must have shape \(K, 4\)"),
    ],
)
def test_bad_jaspar_file_names_the_line(tmp_path, lines, message):
    path = tmp_path / "motifs.txt"
    path.write_text("\n".join(lines), encoding="latin-1" if "\xff" in lines else "utf-8")
    with pytest.raises(ValueError, match=message) as error:
        read_jaspar(path)
    assert str(path) in str(error.value)


@settings(max_examples=500)
@given(
    damaged("\n".join([*GOOD, "", ">M2 2", "A [1 2 ]", "C[3 4]", "G 5\t6", "T [7 8.5]\n"]).encode())
)
def test_a_damaged_jaspar_file_is_read_as_biopython_reads_it_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "damaged.jaspar"
    path.write_bytes(content)
    ours = or_refused(read_jaspar, path)
    if ours is not None:
        text = re.sub("(?m)^ *#.*$", "", path.read_text(encoding="utf-8-sig"))
        text = re.sub(r"(?m)^([ACGT]\s)([^\n[]*)$", r"\1[\2]", text)  # brackets, which it needs
        theirs = {motif.matrix_id: motif for motif in bio_motifs.parse(io.StringIO(text), "jaspar")}
        assert list(ours) == list(theirs)
        for name, motif in ours.items():
            counts = [theirs[name].counts[base] for base in ALPHABET]
            assert motif.counts.T.tolist() == [list(row) for row in counts]


# --- scan -------------------------------------------------------------------------------------


def log_odds_of(word, motif):
    """Score of one word, letter by letter; an N scores nothing."""
    total = 0.0
    for k, letter in enumerate(word):
        if letter != "N":
            c = ALPHABET.index(letter)
            share = (motif.counts[k, c] + 1) / (motif.counts[k].sum() + 4)
            total += math.log2(share / 0.25)
    return total


@given(
    motifs,
    st.lists(st.text("ACGTN", min_size=8, max_size=8), min_size=1, max_size=3),
    st.booleans(),
)
def test_scan_equals_a_loop_over_letters(motif, seqs, both_strands):
    found = scan(one_hot_encode(seqs), motif, both_strands=both_strands)
    width = len(motif)
    assert found.shape == (len(seqs), 8 - width + 1)
    assert found.dtype == np.float32
    for i, seq in enumerate(seqs):
        for p in range(8 - width + 1):
            word = seq[p : p + width]
            expected = log_odds_of(word, motif)
            if both_strands:
                mirrored = word[::-1].translate(COMPLEMENT)
                expected = max(expected, log_odds_of(mirrored, motif))
            assert found[i, p] == pytest.approx(expected, abs=1e-4)


def test_scan_of_sequences_shorter_than_the_motif():
    with pytest.raises(ValueError, match=r"as long as the motif, 4 bp; got 3 bp\."):
        scan(one_hot_encode(["TAT"]), TATA)
    with pytest.raises(ValueError, match=r"pass X\.swapaxes\(1, 2\)"):
        scan(np.zeros((1, 4, 20)), TATA)


# --- similarity -------------------------------------------------------------------------------


def test_similarity_finds_offset_and_strand():
    ctcf, trimmed = load_motif("MA0139.1"), load_motif("MA0139.2")
    same = similarity(ctcf, trimmed)
    assert same[1:] == (2, "+", 15)
    assert same.correlation == pytest.approx(1)
    mirrored = similarity(ctcf, trimmed.reverse_complement())
    assert mirrored[1:] == (2, "-", 15)
    assert mirrored.correlation == pytest.approx(1)
    swapped = similarity(trimmed, ctcf)
    assert swapped[1:] == (-2, "+", 15)


@given(motifs, motifs, st.data())
def test_similarity_equals_trying_all_alignments(a, b, data):
    least = data.draw(st.integers(1, min(len(a), len(b))))
    scores = []
    for other in (b, b.reverse_complement()):
        for offset in range(-len(b), len(a) + 1):
            columns = [k for k in range(len(b)) if 0 <= k + offset < len(a)]
            if len(columns) < least:
                continue
            u = np.array([a.probabilities()[k + offset] for k in columns]).ravel()
            v = np.array([other.probabilities()[k] for k in columns]).ravel()
            if np.ptp(u) > 0 and np.ptp(v) > 0:
                scores.append(pearsonr(u, v)[0])
    found = similarity(a, b, min_overlap=least)
    if scores:
        assert found.correlation == pytest.approx(max(scores), abs=1e-9)
        assert found.overlap >= least
    else:
        assert math.isnan(found.correlation)


def test_nothing_correlates_with_a_motif_of_equal_shares():
    flat = Motif("flat", "anything", [[2, 2, 2, 2], [1, 1, 1, 1]])
    assert math.isnan(similarity(flat, TATA).correlation)
    assert math.isnan(similarity(TATA, flat).correlation)
    with pytest.raises(ValueError, match="min_overlap must be from 1 to 2; got 3"):
        similarity(flat, TATA, min_overlap=3)
