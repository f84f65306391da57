"""Every figure of the course: functions that draw on `ax`, or on a new one, and return it.

None of them shows anything: in a notebook, `show` displays a figure with its caption and its
description for people who cannot see it. Rows of a sequence picture are A C G T from the top.
"""

import base64
import io
import sys

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from workshop.plot.canvas import (
    BASE_COLOURS,
    GREY,
    PART_COLOURS,
    SERIES_COLOURS,
    axes_for,
    check_labels,
    colours_by_name,
    next_colour,
    tidy,
)
from workshop.plot.comparisons import compare_motifs, interaction_map
from workshop.plot.controllers import controller_unrolled, entropy, token_probabilities
from workshop.plot.convolution import convolution_walkthrough
from workshop.plot.curves import confusion_matrix, precision_recall, roc
from workshop.plot.diagrams import model_space, search_loop
from workshop.plot.letters import kernel, logo, one_hot
from workshop.plot.mutations import mutagenesis_map, mutagenesis_maps
from workshop.plot.network import architecture
from workshop.plot.scores import score_logo
from workshop.plot.searches import reward_by_operation, search_progress
from workshop.sequences import ALPHABET
from workshop.splits import natural_order

__all__ = [
    "BASE_COLOURS",
    "PART_COLOURS",
    "SERIES_COLOURS",
    "architecture",
    "base_composition",
    "compare_motifs",
    "confusion_matrix",
    "controller_unrolled",
    "convolution_walkthrough",
    "entropy",
    "interaction_map",
    "kernel",
    "label_proportions",
    "logo",
    "model_space",
    "mutagenesis_map",
    "mutagenesis_maps",
    "one_hot",
    "precision_recall",
    "reward_by_operation",
    "roc",
    "score_logo",
    "search_loop",
    "search_progress",
    "show",
    "split_overview",
    "token_probabilities",
    "training_history",
]

DPI = 110


def show(figure_or_axes, caption, *, alt):
    """Display a figure in the notebook with its caption, and close it.

    Outside of IPython only the caption is printed.

    Parameters
    ----------
    figure_or_axes : matplotlib Figure or Axes
        Of an Axes, or an array of them, the whole figure.
    caption : str
        What the figure shows, shown in italics below it. Inline Markdown, such as `code`, works.
    alt : str
        What one sees, for a screen reader: the image's alternative text.

    Raises
    ------
    TypeError
        If the first argument is neither Figure nor Axes.
    ValueError
        If `caption` or `alt` is empty.

    Examples
    --------
    >>> show(roc([0, 1, 1], [0.2, 0.1, 0.9]), "A ROC curve.", alt="A curve above the diagonal.")
    A ROC curve.
    """
    if isinstance(figure_or_axes, np.ndarray) and figure_or_axes.size:
        figure_or_axes = figure_or_axes.flat[0]
    if isinstance(figure_or_axes, Axes):
        figure = figure_or_axes.get_figure(root=True)
    elif isinstance(figure_or_axes, Figure):
        figure = figure_or_axes
    else:
        raise TypeError(
            f"show wants a matplotlib Figure or Axes; got {type(figure_or_axes).__name__}."
        )
    caption, alt = (" ".join(text.split()) for text in (caption, alt))
    if not caption or not alt:
        raise ValueError(f"caption and alt must not be empty; got {caption!r} and alt={alt!r}.")
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        print(caption)
    else:
        from IPython.display import display

        png = io.BytesIO()
        figure.savefig(png, format="png", dpi=DPI, bbox_inches="tight", facecolor="white")
        image = {"image/png": base64.b64encode(png.getvalue()).decode(), "text/plain": alt}
        italic = "*" + caption.replace("*", r"\*") + "*"
        display(image, metadata={"image/png": {"alt": alt}}, raw=True)
        display({"text/markdown": italic, "text/plain": caption}, raw=True)
    plt.close(figure)  # or the inline backend draws it a second time


def training_history(history, metric="loss", *, label=None, ax=None):
    """Draw a metric by epoch: training dashed, validation solid, both in one colour.

    Parameters
    ----------
    history : History
        What `fit` returned: `table` is a DataFrame with a row an epoch, and columns ``epoch``,
        ``loss``, ``val_loss``, and so on. Without validation there are no ``val_`` columns.
    metric : str
        A column of the table, without ``val_``.
    label : str, optional
        Name of the model in the legend.
    ax : matplotlib Axes, optional
        Pass the axes of an earlier call to compare two models.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    TypeError
        If `history` has no table.
    ValueError
        If the table has no such metric; the message names those it has.

    Examples
    --------
    >>> import pandas as pd
    >>> from types import SimpleNamespace
    >>> table = pd.DataFrame({"epoch": [1, 2], "loss": [0.7, 0.6], "val_loss": [0.7, 0.65]})
    >>> ax = training_history(SimpleNamespace(table=table), label="Keras")
    >>> [line.get_label() for line in ax.lines]
    ['Keras, training', 'Keras, validation']
    >>> plt.close(ax.figure)
    """
    table = getattr(history, "table", None)
    if table is None:
        raise TypeError(
            "history must have a `table`, as the one that workshop's fit returns; got "
            f"{type(history).__name__}."
        )
    present = [name for name in table.columns if name != "epoch" and not name.startswith("val_")]
    if metric not in present:
        raise ValueError(f"metric must be one of {', '.join(present)}; got {metric!r}.")
    ax = tidy(axes_for(ax, (5.6, 3.4)))
    colour = next_colour(ax)
    marker = "o" if len(table) <= 30 else None  # one epoch alone makes no line
    for column, name, style in ((metric, "training", "--"), (f"val_{metric}", "validation", "-")):
        if column in table.columns:
            if metric == "learning_rate":  # belongs to the run, not to its data
                name = label
            elif label is not None:
                name = f"{label}, {name}"
            epochs, values = table["epoch"].to_numpy(), table[column].to_numpy(dtype=float)
            ax.plot(epochs, values, style, color=colour, marker=marker, markersize=3.5, label=name)
    names = {"auroc": "AUROC", "learning_rate": "learning rate"}
    ax.set(xlabel="epoch", ylabel=names.get(metric, metric))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    ax.grid(axis="y", alpha=0.25)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False)
    return ax


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

    Raises
    ------
    ValueError
        If there is no set, or its shares are not four numbers that sum to 1.

    Examples
    --------
    >>> ax = base_composition({"train": [0.3, 0.2, 0.2, 0.3], "test": [0.25] * 4})
    >>> [round(float(bar.get_height()), 2) for bar in ax.patches]
    [0.3, 0.2, 0.2, 0.3, 0.25, 0.25, 0.25, 0.25]
    >>> plt.close(ax.figure)
    """
    if not compositions:
        raise ValueError("compositions must name at least one set; got an empty dict.")
    shares = {name: np.asarray(values, dtype=float) for name, values in compositions.items()}
    for name, values in shares.items():
        if values.shape != (4,) or not (values >= 0).all() or abs(values.sum() - 1) > 1e-3:
            raise ValueError(
                f"compositions[{name!r}] must be four shares that sum to 1; got shape "
                f"{values.shape} with sum {values.sum():.4g}. Of sequences X they are "
                "sequences.base_composition(X)."
            )
    width = 0.8 / len(shares)
    ax = tidy(axes_for(ax, (max(5.6, 1.9 * len(shares)), 3.2)))
    colours = colours_by_name(list(shares))
    for i, ((name, values), colour) in enumerate(zip(shares.items(), colours, strict=True)):
        x = np.arange(4) + (i - (len(shares) - 1) / 2) * width
        bars = ax.bar(x, values, 0.92 * width, color=colour, label=name)
        if len(shares) <= 5:
            ax.bar_label(bars, [f"{100 * v:.1f}" for v in values], fontsize=8, padding=1)
    ax.axhline(0.25, color=GREY, linewidth=1, linestyle=":", zorder=0)
    ax.set_xticks(range(4), list(ALPHABET), fontsize=13, fontweight="bold")
    for tick, base in zip(ax.get_xticklabels(), ALPHABET, strict=True):
        tick.set_color(BASE_COLOURS[base])
    ax.set_ylabel("share of bases")
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    ax.tick_params(axis="x", length=0)
    ax.margins(y=0.12)
    ax.legend(frameon=False, ncols=len(shares), loc="lower center", bbox_to_anchor=(0.5, 1))
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

    Raises
    ------
    ValueError
        If there is no part, a part is empty, or a label is not 0 or 1.

    Examples
    --------
    >>> ax = label_proportions({"train": [[0], [1], [1], [0]], "val": [[1], [0]]})
    >>> [text.get_text() for text in ax.texts]
    ['50.0 %\nn = 4', '50.0 %\nn = 2']
    >>> plt.close(ax.figure)
    """
    if not y_by_part:
        raise ValueError("y_by_part must name at least one part; got an empty dict.")
    labels = {name: check_labels(y, f"y_by_part[{name!r}]") for name, y in y_by_part.items()}
    shares = [y.mean() for y in labels.values()]
    ax = tidy(axes_for(ax, (max(3.6, 1.3 * len(labels)), 3.2)))
    bars = ax.bar(range(len(labels)), shares, 0.62, color=colours_by_name(list(labels)))
    texts = [f"{100 * y.mean():.1f} %\nn = {len(y):,}" for y in labels.values()]
    ax.bar_label(bars, texts, padding=3)
    ax.set_xticks(range(len(labels)), list(labels))
    ax.set_yticks(np.linspace(0, 1, 5))
    ax.set(ylim=(0, 1.25 if max(shares) > 0.8 else 1), xlim=(-0.6, len(labels) - 0.4))
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

    Raises
    ------
    ValueError
        If there is no column ``chrom``, or a row number is beyond the table.

    Examples
    --------
    >>> import pandas as pd
    >>> from types import SimpleNamespace
    >>> table = pd.DataFrame({"chrom": ["chr10", "chr2", "chr2", "chrX"]})
    >>> ax = split_overview(table, SimpleNamespace(train=[1, 2], val=[0], test=[3]))
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['2', '10', 'X']
    >>> plt.close(ax.figure)
    """
    if "chrom" not in table.columns:
        present = ", ".join(map(str, table.columns))
        raise ValueError(f"table must have a column chrom; got {present}.")
    chroms = table["chrom"].to_numpy(dtype=object)
    rows = {part: np.asarray(getattr(split, part), dtype=int) for part in PART_COLOURS}
    for part, index in rows.items():
        if len(index) and not (index.min() >= 0 and index.max() < len(chroms)):
            raise ValueError(
                f"split.{part} must hold row numbers from 0 to {len(chroms) - 1}; got "
                f"{index.min()} to {index.max()}. Is it the split of another table?"
            )
    names = sorted(set(chroms[np.concatenate(list(rows.values()))]), key=natural_order)
    ax = tidy(axes_for(ax, (max(6.0, 0.36 * len(names) + 1), 3.2)))
    total, below = sum(map(len, rows.values())), np.zeros(len(names), dtype=int)
    for part, index in rows.items():
        counts = np.array([(chroms[index] == name).sum() for name in names], dtype=int)
        label = f"{part}: {len(index):,} ({100 * len(index) / max(total, 1):.1f} %)"
        ax.bar(range(len(names)), counts, 0.8, below, color=PART_COLOURS[part], label=label)
        below += counts
    short = [name.removeprefix("chr") for name in names]
    upright = max(map(len, short), default=0) > 3
    ax.set_xticks(range(len(names)), short, rotation=90 if upright else 0)
    ax.set(xlabel="chromosome", ylabel="sequences", xlim=(-0.7, len(names) - 0.3))
    ax.tick_params(axis="x", length=0)
    ax.legend(frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))
    return ax
