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

from workshop import datasets, evaluation, splits, torch_cnn
from workshop.architecture import DAY1_CNN

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


@cache
def trained(seed, architecture=DAY1_CNN, learning_rate=0.001, epochs=20, batch_size=64):
    """A Torch model trained on the course's train part, and its History."""
    data, split = course()
    model = torch_cnn.build_cnn(architecture, random_state=seed)
    history = torch_cnn.fit(
        model,
        data.X[split.train],
        data.y[split.train],
        X_val=data.X[split.val],
        y_val=data.y[split.val],
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        progress=False,
        random_state=seed,
    )
    return model, history


def test_auroc(model):
    """AUROC of a model on the course's test part."""
    data, split = course()
    return evaluation.auroc(data.y[split.test], torch_cnn.predict_logits(model, data.X[split.test]))


# --- Day 1 ---


# --- Day 2 ---


if __name__ == "__main__":
    sys.exit(main())
