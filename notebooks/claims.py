"""What the lessons say in numbers about our own models, measured again over five seeds.

    python -m notebooks.claims             all; exit 1 where a sentence and its measurement part
    python -m notebooks.claims day1 --seeds 1

A lesson's cells print numbers of one run, or of three. A sentence that states a number has a claim
here, unless the cell beside it prints that very number. To add one, decorate what measures it:

    @claim("day2", 4, "about **0.95**", low=0.93, high=0.97)
    def tuned_day1(seed):
        return ...                          # a number; the median over the seeds must be in range

`says` is an excerpt of the section, word for word; tests/test_lessons.py looks for it there, so a
sentence that is changed takes its claim along. ``of=min`` asks the range of every seed. What takes
long is trained once a seed: put it into a function with ``@cache``.
"""

import argparse
import re
import statistics
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from workshop import datasets, evaluation, interpret, motifs, nas, sequences, splits, torch_cnn
from workshop.architecture import DAY1_CNN, Architecture, Conv1D, GlobalMaxPool, MaxPool
from workshop.homework import course_data

SOURCES = Path(__file__).resolve().parent / "src"
CLAIMS = []


class Claim(NamedTuple):
    """A sentence with a number, and what measures it."""

    day: str
    section: int
    says: str
    measure: Callable[[int], float]
    low: float
    high: float
    of: Callable[[list], float]


def claim(day, section, says, *, low, high, of=statistics.median):
    """Keep the decorated function of a seed as the measure of what the section says."""

    def keep(measure):
        CLAIMS.append(Claim(day, section, says, measure, low, high, of))
        return measure

    return keep


def section_text(day, section):
    """The words of a lesson's section, on one line, without the marks of Markdown cells."""
    source = (SOURCES / f"{day}.py").read_text("utf-8")
    found = re.search(rf"^# # {section} ·.*?(?=^# # \d ·|\Z)", source, re.DOTALL | re.MULTILINE)
    return " ".join(re.sub(r"^# ?", "", found[0], flags=re.MULTILINE).split())


def main(argv=None):
    """Measure; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("days", nargs="*", default=["day1", "day2"], metavar="DAY")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args(argv)
    apart = 0
    for one in CLAIMS:
        if one.day not in arguments.days:
            continue
        started = time.perf_counter()
        values = [float(one.measure(seed)) for seed in range(arguments.seeds)]
        stands = one.low <= one.of(values) <= one.high
        apart += not stands
        print(f"{'ok' if stands else 'APART':5} {one.day} section {one.section}: {one.says}")
        measured = " ".join(f"{value:.3f}" for value in values)
        print(f"      {one.measure.__name__} {one.low:g} to {one.high:g}: {measured}", end="")
        print(f"  ({time.perf_counter() - started:.0f} s)", flush=True)
    print(f"{apart} apart" if apart else "all sentences stand")
    return 1 if apart else 0


# --- what both days train ---


@cache
def course():
    """The course's data, its split, and the real peaks with their shuffles: names as in Day 1."""
    data = datasets.load_ctcf()
    split = splits.split_by_chromosome(
        data.table["chrom"], val_chroms=["chr8", "chr20"], test_chroms=["chr1", "chr3", "chr6"]
    )
    return data, split


def trained(seed, architecture=DAY1_CNN, learning_rate=0.001, epochs=20, batch_size=64):
    """A Torch model trained on the course's train part, once a seed, and its History."""
    options = {"learning_rate": learning_rate, "epochs": epochs, "batch_size": batch_size}
    answer, history = course_data.trained(architecture, random_state=seed, **options)
    return answer.twin, history


def test_auroc(model):
    """AUROC of a model on the course's test part."""
    data, split = course()
    return evaluation.auroc(data.y[split.test], torch_cnn.predict_logits(model, data.X[split.test]))


# --- Day 1 ---

CONVOLVE = Conv1D(32, 7, "relu", padding="same")
GMP = Architecture((CONVOLVE, MaxPool(4), GlobalMaxPool()))


def count_gc(X):
    return X[:, :, 1:3].sum(axis=(1, 2))


def correlation_with_gc(model):
    data, split = course()
    logits = torch_cnn.predict_logits(model, data.X[split.test])[:, 0]
    return np.corrcoef(count_gc(data.X[split.test]), logits)[0, 1]


@claim("day1", 1, "any split would do", low=-0.03, high=0.03)
def random_minus_chromosome_split(seed):
    data, _ = course()
    parts = splits.split_at_random(5000, val_size=0.07, test_size=0.2, random_state=seed)
    model = torch_cnn.build_cnn(DAY1_CNN, random_state=seed)
    options = {"epochs": 20, "batch_size": 64, "random_state": seed, "progress": False}
    torch_cnn.fit(model, data.X[parts.train], data.y[parts.train], **options)
    logits = torch_cnn.predict_logits(model, data.X[parts.test])
    return evaluation.auroc(data.y[parts.test], logits) - day1_test(seed)


@claim("day1", 4, "An AUROC of about 0.79", low=0.78, high=0.80)
@claim("day1", 7, "from 0.79", low=0.78, high=0.80)
def day1_test(seed):
    return test_auroc(trained(seed)[0])


@claim("day1", 2, "The CNN's rises by about one", low=0.6, high=1.3)
def day1_rise_by_a_site(seed):
    data, split = course()
    negative = data.X[split.test][data.y[split.test][:, 0] == 0][:1]
    moved = np.repeat(negative, 182, axis=0)
    site = sequences.one_hot_encode([motifs.load_motif("MA0139.1").consensus])[0]
    for p in range(182):
        moved[p, p : p + 19] = site
    before, after = (torch_cnn.predict_logits(trained(seed)[0], X) for X in (negative, moved))
    return np.mean(after) - before[0, 0]


@claim("day1", 5, "a counter of two letters", low=0.9, high=1.0, of=min)
def day1_counts(seed):
    return correlation_with_gc(trained(seed)[0])


@claim("day1", 5, "like G and C, the ones", low=0.8, high=1.0, of=min)
def day1_kernels_prefer_gc(seed):
    data, split = course()
    X = data.X[split.train][data.y[split.train][:, 0] == 1]
    kernels = interpret.kernel_motifs(trained(seed)[0], X)
    gc = [k.weights[:, 1:3].sum() - k.weights[:, [0, 3]].sum() for k in kernels]
    return np.corrcoef(gc, [k.output_weight for k in kernels])[0, 1]


@claim("day1", 5, "*r* climbs above 0.9", low=0.9, high=1, of=min)
def average_counts_first(seed):
    few = [trained(seed, learning_rate=0.02, epochs=epochs)[0] for epochs in (1, 2)]
    return max(map(correlation_with_gc, few))


def best_match(X):
    """The score of the CTCF matrix where it fits best, one per sequence."""
    return motifs.scan(X, motifs.load_motif("MA0139.1"), both_strands=False).max(axis=1)


@claim("day1", 5, "has one above 0.4: dotted", low=0.4, high=0.46)
def matrix_counts(seed):
    data, split = course()
    X = data.X[split.val]
    return np.corrcoef(count_gc(X), best_match(X))[0, 1]


@claim("day1", 5, "*r* never gets far above the dotted line", low=0.3, high=0.6, of=max)
def maximum_counts_little(seed):
    return max(correlation_with_gc(trained(seed, GMP, epochs=n)[0]) for n in (1, 2, 3, 5))


@claim("day1", 5, "the model has nothing left", low=0.48, high=0.55, of=max)
def day1_on_real_peaks(seed):
    real = datasets.load_real_ctcf().X
    shuffled = sequences.dinucleotide_shuffle(sequences.one_hot_decode(real), random_state=seed)
    X = np.concatenate([real, sequences.one_hot_encode(shuffled)])
    turned = sequences.reverse_complement(X)
    model = trained(seed)[0]
    logits = np.maximum(*(torch_cnn.predict_logits(model, Z)[:, 0] for Z in (X, turned)))
    return evaluation.auroc(np.repeat([1, 0], len(real)), logits)


@claim("day1", 5, "reach a val AUROC of about 0.95", low=0.94, high=0.96)
def faster_val(seed):
    return trained(seed, learning_rate=0.02, epochs=10)[1].last["val_auroc"]


@claim("day1", 7, "to about 0.95", low=0.935, high=0.965)
def faster_test(seed):
    return test_auroc(trained(seed, learning_rate=0.02, epochs=10)[0])


@claim("day1", 5, "with 20 epochs its test AUROC is about 0.97", low=0.96, high=0.98)
def faster_and_longer_test(seed):
    return test_auroc(trained(seed, learning_rate=0.02)[0])


@claim("day1", 5, "5 epochs do what the average did not do in 20", low=0.1, high=0.25, of=min)
def gmp_5_epochs_gain(seed):
    return test_auroc(trained(seed, GMP, epochs=5)[0]) - day1_test(seed)


# --- Day 2 ---

STEERED = nas.ControllerSettings(
    buffering_steps=1, tanh_constant=2.5, lstm_size=256, lstm_num_layers=1, buffer_size=6
)
WINNER = nas.to_architecture(nas.cnn_model_space(), [4, 0, 5, 2])


@claim("day2", 0, "From about 0.79", low=0.77, high=0.81)
def as_it_was(seed):
    return test_auroc(trained(seed)[0])


@claim("day2", 0, "to about **0.97**", low=0.96, high=0.98)
@claim("day2", 0, "the Day-1 model needs 20 epochs for its 0.97", low=0.93, high=1, of=min)
def day1_tuned(seed):
    return test_auroc(trained(seed, learning_rate=0.03)[0])


@claim("day2", 0, "At 0.1 the steps are so large", low=0.49, high=0.6)
def far_too_fast(seed):
    return trained(seed, learning_rate=0.1)[1].last["val_auroc"]


@cache
def driven(seed, sign, settings=STEERED):
    """Tokens of 60 proposals by a controller for which global max pooling earns `sign`."""
    controller, tokens = nas.Controller(nas.cnn_model_space(), settings, random_state=seed), []
    for _ in range(20):
        children = [child.tokens for child in controller.propose()]
        controller.update([sign if child[3] == 2 else -sign for child in children])
        tokens += children
    return tokens


def identical(seed, settings):
    """How many proposals are the same from the start under opposite rewards."""
    pairs = zip(driven(seed, 1, settings), driven(seed, -1, settings), strict=True)
    return next(i for i, (one, other) in enumerate(pairs) if one != other)


@claim("day2", 3, "After one or two updates the two controllers part", low=3, high=6, of=max)
def identical_steered(seed):
    return identical(seed, STEERED)


@claim("day2", 3, "identical for the first 20 children or so", low=17, high=25)
def identical_by_default(seed):
    return identical(seed, nas.ControllerSettings())


@claim("day2", 3, "nearly all have GMP in one search", low=0.6, high=1, of=statistics.mean)
def steered_apart(seed):
    late = [np.mean([one[3] == 2 for one in driven(seed, sign)[30:]]) for sign in (1, -1)]
    return late[0] - late[1]


@claim("day2", 4, "**Yes, by about 0.02**", low=0.015, high=0.035)
def winner_against_tuned(seed):
    settings = {"learning_rate": 0.003, "batch_size": 128}
    return test_auroc(trained(seed, WINNER, **settings)[0]) - day1_tuned(seed)


@claim("day2", 5, "have (pieces of) the CTCF motif", low=0.8, high=1, of=min)
def best_kernel(seed):
    model, _ = trained(seed, WINNER, learning_rate=0.003, batch_size=128)
    data, split = course()
    ctcf = motifs.load_motif("MA0139.1")
    found = [one.motif for one in interpret.kernel_motifs(model, data.X[split.test]) if one.motif]
    return max(motifs.similarity(ctcf, one, min_overlap=13).correlation for one in found)


@claim("day2", 5, "sort letters into G or C against A or T", low=0.8, high=1, of=min)
def gc_against_output(seed):
    data, split = course()
    kernels = interpret.kernel_motifs(trained(seed)[0], data.X[split.test])
    gc = [one.weights[:, 1:3].sum() - one.weights[:, [0, 3]].sum() for one in kernels]
    return np.corrcoef(gc, [one.output_weight for one in kernels])[0, 1]


@claim("day2", 5, "it scores 0.999 without any training", low=0.9985, high=0.9995)
def matrix_alone(seed):
    data, split = course()
    return evaluation.auroc(data.y[split.test, 0], best_match(data.X[split.test]))


@cache
def erased(seed):
    """Logits of the lesson's sequence without its motifs, N or letters there, and of negatives."""
    model, _ = trained(seed, WINNER, learning_rate=0.003, batch_size=128)
    data, split = course()
    number = next(i for i in split.test if len(data.table["motif_starts"][i]) == 2)
    with_n, drawn = data.X[number].copy(), np.stack([data.X[number]] * 20)
    rng, negatives = np.random.default_rng(seed), data.X[split.test][data.y[split.test, 0] == 0]
    for start in data.table["motif_starts"][number]:
        with_n[start : start + 19] = 0
        drawn[:, start : start + 19] = np.eye(4)[rng.integers(4, size=(20, 19))]
    return [np.median(torch_cnn.predict_logits(model, X)) for X in (with_n[None], drawn, negatives)]


@claim("day2", 5, "the logit is far above that of a negative", low=3, high=15)
def erased_by_n(seed):
    return erased(seed)[0] - erased(seed)[2]


@claim("day2", 5, "only if the two are replaced by random letters", low=-3, high=3)
def erased_by_letters(seed):
    return erased(seed)[1] - erased(seed)[2]


@cache
def after(seed, epochs):
    """Val AUROC of the space's networks after some epochs, by tokens: one seed of the benchmark."""
    table = nas.load_benchmark().table.query(f"learning_rate == 0.003 and epoch == {epochs}")
    there = sorted(table["random_state"].unique())
    of_seed = table[table["random_state"] == there[seed % len(there)]]
    return of_seed.set_index("tokens")["val_auroc"]


@claim("day2", 3, "About one in six", low=0.14, high=0.2, of=min)
@claim("day2", 4, "about one architecture in six is good", low=0.14, high=0.2, of=max)
def share_of_the_best(seed):
    return np.mean(after(seed, 3) >= 0.99)


@claim("day2", 4, "search in about six of ten", low=0.55, high=0.7)
def halving_before_random(seed):
    """Share of all pairs of a hundred new seeds in which halving reaches 0.99 with fewer epochs."""

    def spent(search, **settings):
        for number in range(100 * (seed + 1), 100 * (seed + 2)):
            rows = search(
                nas.cnn_model_space(), **on_table, **settings, random_state=number
            ).history
            reached = rows["epochs"].cumsum()[rows["val_auroc"] >= 0.99]
            yield reached.iloc[0] if len(reached) else np.inf

    on_table = {"benchmark": nas.load_benchmark(), "learning_rate": 0.003, "progress": False}
    halving = {"n_children": 9, "rungs": (1, 2, 3), "max_trials": 180}
    halved = np.array([*spent(nas.successive_halving, **halving)])[:, None]
    at_random = np.array([*spent(nas.random_search, epochs=3, max_trials=60)])
    return np.mean(halved < at_random) + np.mean(halved == at_random) / 2


@claim("day2", 6, "one in three does, after three epochs", low=0.26, high=0.4)
def share_of_the_space(seed):
    return np.mean(after(seed, 3) >= 0.95)


def gain_by_second_convolution(seed, epochs, first_kernels):
    """Of networks with global max pooling: with the layer, minus the same without it."""
    aurocs = after(seed, epochs)
    those_with = [t for t in aurocs.index if t[0] % 3 in first_kernels and t[2] != 6 and t[3] == 2]
    return np.array([aurocs[t] - aurocs[(*t[:2], 6, 2)] for t in those_with])


@claim("day2", 4, "a second convolution is ahead in nearly every pair", low=0.9, high=1, of=min)
def ahead_after_three(seed):
    return np.mean(gain_by_second_convolution(seed, 3, (0, 1, 2)) > 0)


@claim("day2", 4, "one of 3 letters cannot do without", low=0.1, high=1, of=min)
def gain_after_kernels_of_3(seed):
    return np.median(gain_by_second_convolution(seed, 20, (2,)))


@claim("day2", 4, "one of 13 no longer gains", low=-0.003, high=0.003)
def gain_after_kernels_of_13(seed):
    return np.median(gain_by_second_convolution(seed, 20, (1,)))


@claim("day2", 4, "of the three it is the slowest", low=0.01, high=1, of=min)
def average_pool_behind(seed):
    gmp = after(seed, 3)[[t[3] == 2 for t in after(seed, 3).index]]
    medians = gmp.groupby([t[1] for t in gmp.index]).median()  # max, average, identity
    return min(medians[0], medians[2]) - medians[1]


if __name__ == "__main__":
    sys.exit(main())
