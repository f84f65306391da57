"""A picture of the split: which chromosome went where."""

import numpy as np

from workshop.chromosomes import natural_order
from workshop.plot.canvas import COLOURS, axes_for, legend_above, tidy


def split_overview(table, split, *, ax=None):
    """Draw how many sequences of each chromosome went to which part.

    One colour a bar is a split by chromosome; bars of several colours are a split at random.

    Parameters
    ----------
    table : DataFrame
        A row a sequence, with the column ``chrom``.
    split : Split
        With row numbers in `train`, `val` and `test`.

    Examples
    --------
    >>> import pandas as pd
    >>> from types import SimpleNamespace
    >>> table = pd.DataFrame({"chrom": ["chr10", "chr2", "chr2", "chrX"]})
    >>> ax = split_overview(table, SimpleNamespace(train=[1, 2], val=[0], test=[3]))
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['2', '10', 'X']
    """
    chroms = {part: table["chrom"].iloc[getattr(split, part)] for part in ("train", "val", "test")}
    total = sum(map(len, chroms.values()))
    names = sorted(set().union(*chroms.values()), key=natural_order)
    ax = tidy(axes_for(ax, (max(6.0, 0.36 * len(names) + 1), 3.2)))
    below = np.zeros(len(names), dtype=int)
    for part, found in chroms.items():
        counts = found.value_counts().reindex(names, fill_value=0).to_numpy()
        label = f"{part}: {len(found):,} ({100 * len(found) / total:.1f} %)"
        ax.bar(range(len(names)), counts, 0.8, below, color=COLOURS[part], label=label)
        below += counts
    short = [name.removeprefix("chr") for name in names]
    upright = max(map(len, short)) > 3
    ax.set_xticks(range(len(names)), short, rotation=90 if upright else 0)
    ax.set(xlabel="chromosome", ylabel="sequences", xlim=(-0.7, len(names) - 0.3))
    ax.tick_params(axis="x", length=0)
    legend_above(ax, columns=3)
    return ax
