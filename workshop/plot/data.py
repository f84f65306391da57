"""Pictures of the data: which bases, how many positives, and which chromosome went where."""

import numpy as np
from matplotlib.ticker import PercentFormatter

from workshop.chromosomes import natural_order
from workshop.plot.canvas import (
    COLOURS,
    GREY,
    axes_for,
    colours_by_name,
    legend_above,
    name_bases,
    tidy,
)


def base_composition(compositions, *, ax=None):
    """Draw the shares of A, C, G and T of several sets side by side.

    Parameters
    ----------
    compositions : dict of str to array of shape (4,)
        Name of the set -> shares, as `sequences.base_composition` gives them.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = base_composition({"train": [0.3, 0.2, 0.2, 0.3], "test": [0.25] * 4})
    >>> [round(float(bar.get_height()), 2) for bar in ax.patches]
    [0.3, 0.2, 0.2, 0.3, 0.25, 0.25, 0.25, 0.25]
    """
    for name, shares in compositions.items():
        if np.shape(shares) != (4,):
            raise ValueError(
                f"compositions[{name!r}] must be four shares; got shape {np.shape(shares)}. Of "
                "sequences X they are sequences.base_composition(X)."
            )
    count = len(compositions)
    width = 0.8 / count
    ax = tidy(axes_for(ax, (max(5.6, 1.9 * count), 3.2)))
    colours = colours_by_name(compositions)
    for i, ((name, shares), colour) in enumerate(zip(compositions.items(), colours, strict=True)):
        x = np.arange(4) + (i - (count - 1) / 2) * width
        bars = ax.bar(x, shares, 0.92 * width, color=colour, label=name)
        if count <= 5:
            ax.bar_label(bars, [f"{100 * v:.1f}" for v in shares], fontsize=8, padding=1)
    ax.axhline(0.25, color=GREY, linewidth=1, linestyle=":", zorder=0)
    name_bases(ax.xaxis, fontsize=13)
    ax.set_ylabel("share of bases")
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    ax.margins(y=0.12)
    legend_above(ax, columns=count)
    return ax


def label_proportions(y_by_part, *, ax=None):
    r"""Draw the share of positives in each part of the data.

    Parameters
    ----------
    y_by_part : dict of str to array of shape (N, 1) or (N,)
        Name of the part -> labels 0 and 1.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = label_proportions({"train": [[0], [1], [1], [0]], "val": [[1], [0]]})
    >>> [text.get_text() for text in ax.texts]
    ['50.0 %\nn = 4', '50.0 %\nn = 2']
    """
    for name, y in y_by_part.items():
        if np.size(y) != len(y):
            raise ValueError(
                f"y_by_part[{name!r}] must have shape (N,) or (N, 1); got {np.shape(y)}. Of "
                "several tasks pass one, such as y[:, 0]."
            )
    count = len(y_by_part)
    shares = [np.mean(y) for y in y_by_part.values()]
    texts = [
        f"{100 * share:.1f} %\nn = {len(y):,}"
        for share, y in zip(shares, y_by_part.values(), strict=True)
    ]
    ax = tidy(axes_for(ax, (max(3.6, 1.3 * count), 3.2)))
    bars = ax.bar(range(count), shares, 0.62, color=colours_by_name(y_by_part))
    ax.bar_label(bars, texts, padding=3)
    ax.set_xticks(range(count), list(y_by_part))
    ax.set_yticks(np.linspace(0, 1, 5))
    ax.set(ylim=(0, 1.25 if max(shares) > 0.8 else 1), xlim=(-0.6, count - 0.4))
    ax.set_ylabel("share of positives")
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    ax.tick_params(axis="x", length=0)
    return ax


def split_overview(table, split, *, ax=None):
    """Draw how many sequences of each chromosome went to which part.

    One colour a bar is a split by chromosome; bars of several colours are a split at random.

    Parameters
    ----------
    table : DataFrame
        A row a sequence, with the column ``chrom``.
    split : Split
        With row numbers in `train`, `val` and `test`.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

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
