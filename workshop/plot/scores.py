"""The logo of scores: how much each letter of a sequence counts; and what scores must be."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from workshop.plot.canvas import (
    INK,
    axes_for,
    check_bases_last,
    check_sequence,
    check_start,
    inches_of,
    number_positions,
)
from workshop.plot.letters import logo

__all__ = ["check_scores", "check_sites", "draw_logo", "score_logo", "width_of"]


def score_logo(
    scores,
    x,
    *,
    start=0,
    ylabel="minus mean change",
    sites=(),
    sites_label="planted motif",
    ax=None,
):
    """Draw the scores of one sequence as a logo: one letter a position, the base that is there.

    Of saturation mutagenesis, the height is minus the mean change over the four bases: a letter is
    tall where each substitution lowers the output, and below zero where they raise it. Of
    gradients, it is the gradient at the base minus the mean over the four.

    Parameters
    ----------
    scores : array of shape (L, 4)
        Of one sequence: ``saturation_mutagenesis(model, X)[0]`` or ``saliency(model, X)[0]``.
    x : array of shape (L, 4)
        The sequence itself, one-hot; N is a row of zeros and has no letter.
    start : int
        Position of the first row on the x axis.
    ylabel : str
        What the heights mean.
    sites : sequence of (int, int)
        Places to mark, half-open intervals that overlap the positions of the x axis: a bar each.
    sites_label : str or None
        What the bars are, for the legend; None for no legend.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ImportError
        If logomaker is not installed.
    ValueError
        As in `mutagenesis_map`.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from workshop.sequences import one_hot_encode
    >>> x = one_hot_encode(["AC"])[0]
    >>> ax = score_logo((x - 1) * [[1], [4]], x)
    >>> [float(limit) for limit in ax.get_ylim()]  # (0 + 4 + 4 + 4) / 4 = 3
    [0.0, 3.0]
    >>> plt.close(ax.figure)
    """
    scores, x = check_scores(scores, x)
    start = check_start(start)
    sites = check_sites(sites, start, len(x))
    ax = axes_for(ax, (width_of(len(x)), 2.3))
    return draw_logo(ax, scores, x, start, ylabel, sites, sites_label)


def draw_logo(ax, scores, x, start, ylabel, sites, sites_label):
    heights = (scores - scores.mean(axis=1, keepdims=True)) * x  # (L, 4): the base that is there
    logo(heights, start=start, ylabel=ylabel, ax=ax)
    bottom, top = ax.get_ylim()
    if len(sites):
        ax.set_ylim(bottom, top + 0.16 * (top - bottom))  # no letter reaches the bars
    for i, (first, end) in enumerate(sites):
        label = sites_label if i == 0 else None
        bar = {"color": INK, "linewidth": 3, "solid_capstyle": "butt", "label": label}
        ax.plot([first - 0.4, end - 0.6], [0.95] * 2, transform=ax.get_xaxis_transform(), **bar)
    if len(sites) and sites_label is not None:
        place = {"loc": "lower right", "bbox_to_anchor": (1, 1), "borderaxespad": 0.2}
        ax.legend(frameon=False, fontsize=9, handlelength=1.4, **place)
    number_positions(ax.xaxis, start + len(x), inches=inches_of(ax)[0])
    ax.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 5, 10]))
    return ax


def width_of(length):
    """How wide a new figure is, in inches."""
    return float(np.clip(0.2 * length + 1.6, 4.6, 11))


def check_scores(scores, x, *, name="scores"):
    hint = "Of a batch pass one sequence: {}[0]."
    scores = check_bases_last(scores, name=name, hint=hint.format(name))
    x = check_sequence(x, hint=hint.format("X"))
    if len(scores) != len(x):
        raise ValueError(
            f"{name} and x must be of one length; got {len(scores)} and {len(x)}. Of scores from "
            "start to end pass x[start:end]."
        )
    return scores, x


def check_sites(sites, start, length):
    """A list of intervals that all overlap the x axis, or an error that names the offender."""
    try:
        found = np.asarray(sites)
    except ValueError:  # intervals of unequal lengths
        found = np.asarray(None)
    if found.size == 0:
        return []
    pairs = found.ndim == 2 and found.shape[1] == 2 and found.dtype.kind in "iu"
    if not pairs or not (found[:, 0] < found[:, 1]).all():
        raise ValueError(
            "sites must be intervals (start, end) of whole numbers with start < end, such as "
            f"[(19, 38)]; got {sites!r}."
        )
    for first, end in found.tolist():
        if first >= start + length or end <= start:
            raise ValueError(
                f"sites must overlap the positions of the x axis, {start} to {start + length - 1}; "
                f"got ({first}, {end}). Leave it out, or set the argument start to the position of "
                "the first row."
            )
    return found.tolist()
