"""What right answers of Day 1 have to show.

Each function takes the answers as the notebook has them, and is called once they are right. The
captions stand here, so that no notebook gives an answer away.
"""

import matplotlib.pyplot as plt

from workshop import plot
from workshop.homework.course_data import course
from workshop.homework.practice import shows

PARTS = ("train", "val", "test")


@shows("1.P1.1")
def label_proportions(label_shares):
    """The share of positives in each part."""
    ax = plot.label_proportions({part: getattr(course(), f"y_{part}") for part in PARTS})
    plot.show(
        ax,
        "The share of positives in each part. Val is the smallest, so it strays furthest.",
        alt="Three bars close to 50 %: the share of positives in train, val and test.",
    )


@shows("1.P1.2")
def base_composition(base_shares, base_shares_by_label):
    """The shares of the letters, by part and by label."""
    figure, axes = plt.subplots(1, 2, figsize=(11, 3.4), layout="constrained", sharey=True)
    plot.base_composition(base_shares, ax=axes[0])
    plot.base_composition(base_shares_by_label, ax=axes[1])
    plot.show(
        figure,
        "Shares of the four letters, in percent: by part (left) and by label (right). The parts "
        "agree; positives are richer in C and G, because their motif is.",
        alt="Grouped bars of A, C, G, T. The three parts look alike; positives have slightly more "
        "C and G than negatives.",
    )
