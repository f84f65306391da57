"""Pictures of the data: which bases, how many positives, and which chromosome went where."""

import numpy as np
import pandas as pd

from workshop.chromosomes import natural_order
from workshop.plot.canvas import BASE_COLOURS, COLOURS, axes_for, legend_above, name_bases, tidy
from workshop.plot.charts import bars


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
    >>> [round(bar.get_width()) for bar in ax.patches]
    [30, 20, 20, 30, 25, 25, 25, 25]
    """
    for name, shares in compositions.items():
        if np.shape(shares) != (4,):
            raise ValueError(
                f"compositions[{name!r}] must be four shares; got shape {np.shape(shares)}. Of "
                "sequences X they are sequences.base_composition(X)."
            )
    table = pd.DataFrame(compositions, index=list(BASE_COLOURS))
    look = {"xlabel": "% of the letters", "number": "{:.1f}", "references": {"equal": 25}}
    ax = bars(100 * table, ax=ax, **look)
    name_bases(ax.yaxis, fontsize=13)
    return ax


def label_proportions(y_by_part, *, ax=None):
    """Draw the share of positives in each part of the data.

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
    >>> [label.get_text() for label in ax.get_yticklabels()], ax.texts[0].get_text()
    (['train, n = 4', 'val, n = 2'], '50.0')
    """
    for name, y in y_by_part.items():
        if np.size(y) != len(y):
            raise ValueError(
                f"y_by_part[{name!r}] must have shape (N,) or (N, 1); got {np.shape(y)}. Of "
                "several tasks pass one, such as y[:, 0]."
            )
    shares = {f"{name}, n = {len(y):,}": 100 * np.mean(y) for name, y in y_by_part.items()}
    look = {"xlabel": "% positives", "number": "{:.1f}", "xlim": (0, 112)}
    return bars(shares, references={"half": 50}, ax=ax, **look)


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
