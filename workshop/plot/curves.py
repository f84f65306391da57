"""Pictures of a training and of how good predictions are: history, confusion matrix, curves."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from workshop.evaluation import auprc, auroc
from workshop.plot.canvas import DIM, GREY, axes_for, legend_above, next_colour, tidy

DASHES = ("-", "--", "-.", ":")  # so that a curve under another is seen


def training_history(history, metric="loss", *, label=None, ax=None):
    """Draw a metric by epoch: training dashed, validation solid, both in one colour.

    Parameters
    ----------
    history : History, or dict of str to History
        What `fit` returned: `table` is a DataFrame with a row an epoch, and columns ``epoch``,
        ``loss``, ``val_loss``, and so on. Without validation there are no ``val_`` columns.
        Several are drawn by the names that the legend shows.
    metric : str
        A column of the table, without ``val_``.
    label : str, optional
        Name of the model in the legend.
    ax : matplotlib Axes, optional
        Pass the axes of an earlier call to compare two models.

    Returns
    -------
    matplotlib Axes
        The learning rate, which belongs to the run and not to its data, is drawn as steps.

    Examples
    --------
    >>> import pandas as pd
    >>> from types import SimpleNamespace
    >>> table = pd.DataFrame({"epoch": [1, 2], "loss": [0.7, 0.6], "val_loss": [0.7, 0.65]})
    >>> ax = training_history(SimpleNamespace(table=table), label="Keras")
    >>> [line.get_label() for line in ax.lines]
    ['Keras, training', 'Keras, validation']
    """
    if isinstance(history, dict):
        for name, one in history.items():
            ax = training_history(one, metric, label=name, ax=ax)
        return ax
    table = history.table
    present = [name for name in table.columns if name != "epoch" and not name.startswith("val_")]
    if metric not in present:
        raise ValueError(f"metric must be one of {', '.join(present)}; got {metric!r}.")
    ax = tidy(axes_for(ax, (5.6, 3.4)))
    style = {"color": next_colour(ax, label), "markersize": 3.5}
    style["marker"] = "o" if len(table) <= 30 else None  # one epoch alone makes no line
    epochs = table["epoch"].to_numpy()
    if metric == "learning_rate":
        ax.plot(epochs, table[metric], label=label, drawstyle="steps-mid", **style)
    else:
        for column, name, dash in (
            (metric, "training", "--"),
            (f"val_{metric}", "validation", "-"),
        ):
            if column in table.columns:
                name = name if label is None else f"{label}, {name}"
                ax.plot(epochs, table[column].to_numpy(dtype=float), dash, label=name, **style)
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
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

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


def roc(y_true, y_score, *, label=None, ax=None):
    """Draw the ROC curve: true against false positive rate over all thresholds.

    Parameters
    ----------
    y_true : array of shape (N,) or (N, 1)
        Labels 0 and 1, both present.
    y_score : array of the same shape, or dict of str to array
        The larger, the more positive: probabilities or logits. Several are drawn by the names that
        the legend shows; then `y_true` may be a dict, too.
    label : str, optional
        Name of the curve in the legend, before its AUROC.
    ax : matplotlib Axes, optional
        Pass the axes of an earlier call to compare curves.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> ax = roc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], label="toy")
    >>> ax.lines[-1].get_label()
    'toy: AUROC 0.750'
    """
    from sklearn.metrics import roc_curve

    if isinstance(y_score, dict):
        return _several(roc, y_true, y_score, ax)
    y_true, y_score = _two_classes(y_true, y_score)
    rate_false, rate_true, _ = roc_curve(y_true, y_score)
    ax = tidy(axes_for(ax, (4.4, 4.2)))
    _chance_line(ax, (0, 0), (1, 1), "chance")
    _curve(ax, rate_false, rate_true, f"AUROC {auroc(y_true, y_score):.3f}", label)
    legend_above(ax)
    ax.set_xlabel("false positive rate (1 − specificity)")
    ax.set_ylabel("true positive rate (sensitivity)")
    return ax


def precision_recall(y_true, y_score, *, label=None, ax=None):
    """Draw precision against recall; chance is the share of positives.

    Parameters
    ----------
    y_true : array of shape (N,) or (N, 1)
        Labels 0 and 1, both present.
    y_score : array of the same shape, or dict of str to array
        The larger, the more positive; several as in `roc`.
    label : str, optional
        Name of the curve in the legend, before its average precision.
    ax : matplotlib Axes, optional
        Pass the axes of an earlier call to compare curves.

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

    if isinstance(y_score, dict):
        return _several(precision_recall, y_true, y_score, ax)
    y_true, y_score = _two_classes(y_true, y_score)
    precision, recall, _ = precision_recall_curve(y_true, y_score)
    share = np.mean(y_true)
    ax = tidy(axes_for(ax, (4.4, 4.2)))
    _chance_line(ax, (0, share), (1, share), f"chance: {share:.3f}")
    score = f"average precision {auprc(y_true, y_score):.3f}"
    _curve(ax, recall, precision, score, label, drawstyle="steps-post")
    legend_above(ax)
    ax.set(xlabel="recall (sensitivity)", ylabel="precision")
    return ax


def _several(draw, y_true, scores, ax):
    """Draw a curve for each name; y_true may have the same names."""
    for name, y_score in scores.items():
        ax = draw(y_true[name] if isinstance(y_true, dict) else y_true, y_score, label=name, ax=ax)
    return ax


def _curve(ax, x, y, score, label, drawstyle="default"):
    name, drawn = (
        score if label is None else f"{label}: {score}",
        len(ax.get_legend_handles_labels()[0]),
    )
    style = {"color": next_colour(ax, label), "linestyle": DASHES[drawn % len(DASHES)]}
    ax.plot(x, y, linewidth=2, drawstyle=drawstyle, label=name, **style)
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")


def _chance_line(ax, start, end, text):
    if text not in {one.get_text() for one in ax.texts}:
        ax.plot(*zip(start, end, strict=True), color=GREY, linewidth=1, linestyle=":")
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5, "alpha": 0.8}
        style = {"fontsize": 8.5, "color": DIM, "bbox": box, "rotation_mode": "anchor"}
        if start[1] == end[1]:
            ax.text(0.02, start[1] + 0.025, text, **style)
        else:
            ax.text(0.97, 0.94, text, rotation=45, ha="right", va="top", **style)


def _two_classes(y_true, y_score):
    if np.isnan(auroc(y_true, y_score)):  # it checks all the rest
        raise ValueError(
            f"y_true must hold both 0 and 1 to draw a curve; got only {np.ravel(y_true)[0]:g}."
        )
    return np.ravel(y_true), np.ravel(y_score)
