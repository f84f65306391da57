"""Pictures of a split, a training, and of how good predictions are."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from workshop.chromosomes import natural_order
from workshop.evaluation import auprc, auroc
from workshop.plot.canvas import COLOURS, DIM, GREY, axes_for, legend_above, next_colour, tidy

DASHES = ("-", "--", "-.", ":")  # so that a curve under another is seen


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


def training_history(history, metric="loss", *, ax=None):
    """Draw a metric by epoch: training dashed, validation solid, both in one colour.

    Parameters
    ----------
    history : History, or dict of str to History
        What `fit` returned: `table` is a DataFrame with a row an epoch, and columns ``epoch``,
        ``loss``, ``val_loss``, and so on. Without validation there are no ``val_`` columns.
        Several are drawn by the names that the legend shows.
    metric : str
        A column of the table, without ``val_``.

    Returns
    -------
    matplotlib Axes
        The learning rate, which belongs to the run and not to its data, is drawn as steps.

    Examples
    --------
    >>> import pandas as pd
    >>> from types import SimpleNamespace
    >>> table = pd.DataFrame({"epoch": [1, 2], "loss": [0.7, 0.6], "val_loss": [0.7, 0.65]})
    >>> ax = training_history({"Keras": SimpleNamespace(table=table)})
    >>> [line.get_label() for line in ax.lines]
    ['Keras, training', 'Keras, validation']
    """
    ax = tidy(axes_for(ax, (5.6, 3.4)))
    for name, one in history.items() if isinstance(history, dict) else [("", history)]:
        table = one.table
        if metric not in table.columns:
            raise ValueError(f"metric must be one of {', '.join(table)}; got {metric!r}.")
        look = {"color": next_colour(ax, name), "markersize": 3.5}
        look["marker"] = "o" if len(table) <= 30 else None  # one epoch alone makes no line
        parts = {metric: ("training", "--"), f"val_{metric}": ("validation", "-")}
        if metric == "learning_rate":
            parts = {metric: ("", "-")}
            look["drawstyle"] = "steps-mid"
        for column in table.columns.intersection(list(parts), sort=False):
            part, dash = parts[column]
            label = ", ".join(filter(None, (name, part)))
            ax.plot(table["epoch"], table[column].astype(float), dash, label=label, **look)
    names = {"auroc": "AUROC", "learning_rate": "learning rate"}
    ax.set(xlabel="epoch", ylabel=names.get(metric, metric))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    ax.grid(axis="y", alpha=0.25)
    if ax.get_legend_handles_labels()[0]:
        legend_above(ax, columns=2)
    return ax


def confusion_matrix(scores, *, ax=None):
    r"""Draw the four counts at a threshold: rows are the truth, columns the prediction.

    Parameters
    ----------
    scores : Scores
        With `tp`, `fp`, `tn`, `fn` and `threshold`, as `evaluation.evaluate` returns them.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> scores = SimpleNamespace(tp=40, fp=20, tn=30, fn=10, threshold=0.5)
    >>> ax = confusion_matrix(scores)
    >>> ax.texts[0].get_text()
    'true negatives\n30\n60 % of row'
    """
    counts = np.array([[scores.tn, scores.fp], [scores.fn, scores.tp]], dtype=int)
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    names = [["true negatives", "false positives"], ["false negatives", "true positives"]]
    ax = axes_for(ax, (4.2, 3.8))
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1.7)  # never so dark that black is hard to read
    for (row, column), count in np.ndenumerate(counts):
        percent = f"{shares[row, column]:.0%} of row".replace("%", " %")
        text = f"{names[row][column]}\n{count:,}\n{percent if totals[row, 0] else 'empty row'}"
        ax.text(column, row, text, ha="center", va="center", linespacing=1.5)
    ax.set(xticks=[0, 1], xticklabels=["negative", "positive"], xlabel="prediction")
    ax.set(yticks=[0, 1], yticklabels=["negative", "positive"], ylabel="truth")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.label_outer()  # beside another matrix, "truth" is said once
    ax.set_title(f"threshold {scores.threshold:.2g}", fontsize=10.5, loc="left")
    return ax


def roc(y_true, y_score, *, ax=None):
    """Draw the ROC curve: true against false positive rate over all thresholds.

    Parameters
    ----------
    y_true : array of shape (N,) or (N, 1)
        Labels 0 and 1, both present.
    y_score : array of the same shape, or dict of str to array
        The larger, the more positive: probabilities or logits. Several are drawn by the names that
        the legend shows; then `y_true` may be a dict, too.

    Examples
    --------
    >>> ax = roc([0, 0, 1, 1], {"toy": [0.1, 0.4, 0.35, 0.8]})
    >>> ax.lines[-1].get_label()
    'toy: AUROC 0.750'
    """
    from sklearn.metrics import roc_curve

    ax = tidy(axes_for(ax, (4.4, 4.2)))
    _chance(ax, (0, 0), (1, 1), "chance", rotation=45)
    for name, truth, score in _by_name(y_true, y_score):
        rate_false, rate_true, _ = roc_curve(truth, score)
        _curve(ax, name, rate_false, rate_true, f"AUROC {auroc(truth, score):.3f}")
    ax.set_xlabel("false positive rate (1 − specificity)")
    ax.set_ylabel("true positive rate (sensitivity)")
    return ax


def precision_recall(y_true, y_score, *, ax=None):
    """Draw precision against recall; chance is the share of positives.

    Parameters
    ----------
    y_true : array of shape (N,) or (N, 1)
        Labels 0 and 1, both present.
    y_score : array of the same shape, or dict of str to array
        The larger, the more positive; several as in `roc`.

    Returns
    -------
    matplotlib Axes
        With one line of chance for each share of positives among the curves.

    Examples
    --------
    >>> ax = precision_recall([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> ax.texts[0].get_text(), ax.lines[1].get_label()
    ('chance: 0.500', 'average precision 0.833')
    """
    from sklearn.metrics import precision_recall_curve

    ax = tidy(axes_for(ax, (4.4, 4.2)))
    curves = _by_name(y_true, y_score)
    for share in dict.fromkeys(truth.mean() for _, truth, _ in curves):
        _chance(ax, (0, share), (1, share), f"chance: {share:.3f}")
    for name, truth, score in curves:
        precision, recall, _ = precision_recall_curve(truth, score)
        text = f"average precision {auprc(truth, score):.3f}"
        _curve(ax, name, recall, precision, text, drawstyle="steps-post")
    ax.set(xlabel="recall (sensitivity)", ylabel="precision")
    return ax


def _by_name(y_true, y_score):
    """Name, labels and scores (N,) of each curve."""
    scores = y_score if isinstance(y_score, dict) else {"": y_score}
    found = []
    for name, score in scores.items():
        truth = y_true[name] if isinstance(y_true, dict) else y_true
        if np.isnan(auroc(truth, score)):  # it checks all the rest
            raise ValueError(f"y_true must hold both 0 and 1; got only {np.ravel(truth)[0]:g}.")
        found.append((name, np.ravel(truth), np.ravel(score)))
    return found


def _curve(ax, name, x, y, score, drawstyle="default"):
    drawn = len(ax.get_legend_handles_labels()[0])
    look = {"color": next_colour(ax, name), "linestyle": DASHES[drawn % len(DASHES)]}
    label = f"{name}: {score}" if name else score
    ax.plot(x, y, linewidth=2, drawstyle=drawstyle, label=label, **look)
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    legend_above(ax)


def _chance(ax, start, end, text, rotation=0):
    ax.plot(*zip(start, end, strict=True), color=GREY, linewidth=1, linestyle=":")
    place, side = ((0.97, 0.94), "right") if rotation else ((0.02, start[1] + 0.025), "left")
    style = {"fontsize": 8.5, "color": DIM, "rotation": rotation, "rotation_mode": "anchor"}
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.8}
    ax.text(*place, text, ha=side, va="top" if rotation else "baseline", bbox=box, **style)
