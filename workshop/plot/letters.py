"""Pictures of a sequence and of what is read from it: logo, one-hot matrix, scores, mutations."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from workshop.plot.canvas import (
    BASE_COLOURS,
    GREY,
    INK,
    axes_for,
    bases_last,
    inches_of,
    largest,
    name_bases,
    number_positions,
    signed_image,
    tidy,
)
from workshop.sequences import ALPHABET

CROWDED = 100  # positions: more have letters of a few pixels
MAP_SHARE = 0.54  # of the height that map and logo have together
GAP = 0.08  # between them, in heights of the map


def logo(heights, *, start=0, ylabel="bits", ax=None):
    """Draw a sequence logo: letters as tall as their heights, negative ones below zero.

    Parameters
    ----------
    heights : array of shape (L, 4)
        Columns A, C, G, T. Of a Motif, pass ``motif.information_matrix()``.
    start : int
        Position of the first row on the x axis.
    ylabel : str
        Unit of the heights. Information in ``"bits"`` gets the axis 0 to 2, so that two motifs
        can be compared.

    Examples
    --------
    >>> ax = logo([[2, 0, 0, 0], [0, 1, 0, 0.5]], start=100)
    >>> [int(limit) for limit in ax.get_ylim()]
    [0, 2]
    """
    import logomaker
    import pandas as pd

    heights = bases_last(heights, "heights", hint="Of a Motif: motif.information_matrix().")
    positions = np.arange(start, start + len(heights))
    ax = tidy(axes_for(ax, (np.clip(0.38 * len(heights), 4, 12), 2.2)))
    letters = pd.DataFrame(heights, index=positions, columns=list(ALPHABET))
    if heights.any():
        logomaker.Logo(letters, ax=ax, color_scheme=BASE_COLOURS, show_spines=None)
    else:  # of no letter at all logomaker warns
        ax.axhline(0, color="black", linewidth=0.5)
        ax.set_ylim(-1, 1)
    if ylabel == "bits" and heights.min() >= 0 and heights.sum(axis=1).max() <= 2:
        ax.set_ylim(0, 2)
    ax.set(xlim=(start - 0.5, start + len(heights) - 0.5), xlabel="position", ylabel=ylabel)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=20, integer=True))
    return ax


def one_hot(x, *, start=0, sites=(), motif=None, ax=None):
    """Draw one one-hot sequence: a coloured cell where the sequence has the base.

    Parameters
    ----------
    x : array of shape (L, 4)
        One sequence, such as ``X[0]``. A soft value gives a pale cell.
    start : int
        Position of the first row.
    sites : sequence of (int, int)
        Places to mark with a bracket: half-open intervals of positions.
    motif : Motif, optional
        Draw its logo over each bracket.

    Returns
    -------
    matplotlib Axes
        Letters on the x axis up to 60 bp, positions beyond.

    Examples
    --------
    >>> from workshop.sequences import one_hot_encode
    >>> ax = one_hot(one_hot_encode(["CCGAT"])[0])
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['C', 'C', 'G', 'A', 'T']
    """
    x = bases_last(x, "x")
    length = len(x)
    colours = np.array([to_rgb(colour) for colour in BASE_COLOURS.values()])  # (4, 3)
    empty = np.full(3, 0.955)
    picture = empty + x.T[:, :, None] * (colours[:, None] - empty)  # (4, L, 3)
    width = np.clip(0.36 * length + 0.6, 2.4, 11)
    ax = axes_for(ax, (width, (2.4 if length <= 20 else 1.7) + 0.8 * (motif is not None)))
    ax.imshow(picture, aspect="equal" if length <= 30 else "auto", interpolation="nearest")
    name_bases(ax.yaxis)
    ax.spines[:].set_visible(False)
    if length <= 60:
        letters = [ALPHABET[row.argmax()] if row.any() else "N" for row in x]
        name_bases(ax.xaxis, letters, fontsize=11 if length <= 30 else 8)
        ax.set_xticks(np.arange(length + 1) - 0.5, minor=True)
        ax.set_yticks(np.arange(5) - 0.5, minor=True)
        ax.grid(which="minor", color="white", linewidth=1.5)
        ax.tick_params(which="minor", length=0)
    else:
        ticks = MaxNLocator(nbins=10, integer=True).tick_values(start, start + length - 1)
        ticks = [int(tick) for tick in ticks if start <= tick < start + length]
        ax.set_xticks(np.subtract(ticks, start), ticks)
    ax.set_xlabel("position" if length > 60 else "sequence")
    for first, end in sites:
        ends = first - start - 0.45, end - start - 0.55
        ax.plot([ends[0], *ends, ends[1]], [-0.6, -0.85, -0.85, -0.6], color=INK, linewidth=1.4)
        if motif is not None:
            place = ends[0], 4.55 / 7.45, ends[1] - ends[0], 2.9 / 7.45  # from y = -1.05 upwards
            over = ax.inset_axes(place, transform=ax.get_xaxis_transform())
            logo(motif.information_matrix(), ax=over).axis("off")
    top = 3.95 if len(sites) and motif is not None else 0.95 if len(sites) else 0.5
    ax.set(xlim=(-0.5, length - 0.5), ylim=(3.5, -top))
    return ax


def score_logo(scores, x, *, start=0, sites=(), sites_label="planted motif", ax=None):
    """Draw the scores of one sequence as a logo: one letter a position, the base that is there.

    Of saturation mutagenesis, the height is minus the mean change over the four bases: a letter is
    tall where each substitution lowers the output, and below zero where they raise it. Of
    gradients, it is the gradient at the base minus the mean over the four.

    Parameters
    ----------
    scores : array of shape (L, 4)
        Of one sequence: ``saturation_mutagenesis(model, X)[0]`` or ``saliency(model, X)[0]``.
    x : array of shape (L, 4)
        The sequence itself, one-hot; N is a row of zeros and has no letter: it is hatched.
    start : int
        Position of the first row on the x axis.
    sites : sequence of (int, int)
        Places to mark, half-open intervals that overlap the positions of the x axis: a bar each.
    sites_label : str or None
        What the bars are, for the legend; None for no legend.

    Returns
    -------
    matplotlib Axes
        Of more than 100 positions, letters below a twentieth of the tallest are left out.

    Examples
    --------
    >>> from workshop.sequences import one_hot_encode
    >>> x = one_hot_encode(["AC"])[0]
    >>> ax = score_logo((x - 1) * [[1], [4]], x)
    >>> [float(limit) for limit in ax.get_ylim()]  # (0 + 4 + 4 + 4) / 4 = 3, and some room
    [0.0, 3.18]
    """
    scores, x = bases_last(scores, "scores"), bases_last(x, "x")
    heights = (scores - scores.mean(axis=1, keepdims=True)) * x  # (L, 4): the base that is there
    ax = axes_for(ax, (width_of(len(x)), 2.3))
    if len(x) > CROWDED:
        heights = np.where(np.abs(heights) < 0.05 * largest(heights), 0, heights)
    logo(heights, start=start, ylabel="importance", ax=ax)
    bottom, top = ax.get_ylim()
    for place in start + np.flatnonzero(~x.any(axis=1)):  # N: nothing is known of it
        hatch = {"facecolor": "none", "edgecolor": GREY, "hatch": "///", "linewidth": 0}
        ax.axvspan(place - 0.5, place + 0.5, **hatch)
    room = 0.06 * (top - bottom)  # no letter touches the frame, nor reaches the bars
    ax.set_ylim(bottom - room * (bottom < 0), top + (1 + 2 * bool(len(sites))) * room)
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


def mutagenesis_map(
    scores, x, *, start=0, limit=None, sites=(), sites_label="planted motif", ax=None
):
    """Draw the effect of every substitution in one sequence, and above it the logo of the scores.

    Parameters
    ----------
    scores : array of shape (L, 4)
        Alternative minus reference, of one sequence: ``saturation_mutagenesis(model, X)[0]``.
    x : array of shape (L, 4)
        The sequence itself, one-hot; N is a row of zeros.
    start : int
        Position of the first row on the x axis.
    limit : float, optional
        The colours go from minus `limit` to `limit`; the largest absolute score by default.
        Give two figures the same one to compare them.
    sites : sequence of (int, int)
        Places to mark, half-open intervals that overlap the positions of the x axis: a bar over
        the logo and thin lines through the map at their ends.
    sites_label : str or None
        What they are, for the legend; None for no legend.
    ax : matplotlib Axes, optional
        Its cell of the figure is shared: the map below, the logo above. Each map needs its own.

    Returns
    -------
    matplotlib Axes
        Of the map: rows A C G T, red where a substitution raises the output, and, up to 100
        positions, a dot on the base that is there. ``ax.child_axes[0]`` is the logo; zooming into
        one zooms both.

    Examples
    --------
    >>> from workshop.sequences import one_hot_encode
    >>> x = one_hot_encode(["ACG"])[0]
    >>> ax = mutagenesis_map((x - 1) * [[1], [3], [2]], x, start=100, sites=[(101, 103)])
    >>> ax.images[0].get_clim()
    (-3.0, 3.0)
    >>> [float(limit) for limit in ax.child_axes[0].get_xlim()]
    [99.5, 102.5]
    """
    scores, x = bases_last(scores, "scores"), bases_last(x, "x")
    ax = axes_for(ax, (width_of(len(x)), 3.4))
    ax.set_axes_locator(_lower_part)
    end = start + len(x)
    place = {"extent": (start - 0.5, end - 0.5, 3.5, -0.5), "aspect": "auto"}
    image = signed_image(ax, scores.T, limit or largest(scores), **place)
    position, base = np.nonzero(x if len(x) <= CROWDED else 0 * x)  # or nobody sees the dots
    size = np.clip(0.4 * 72 * inches_of(ax)[0] / len(x), 1.2, 4.5)  # points, of a cell's width
    ax.plot(start + position, base, "o", color=INK, markersize=size, markeredgewidth=0)
    for edge in {edge for site in sites for edge in site}:
        ax.axvline(edge - 0.5, color=INK, linewidth=0.6, alpha=0.6)
    ax.set(xlim=(start - 0.5, end - 0.5), ylim=(3.5, -0.5), xlabel="position")
    name_bases(ax.yaxis, fontsize=10.5)
    upper = ax.inset_axes((0, 1 + GAP, 1, 1 / MAP_SHARE - 1 - GAP), sharex=ax)
    score_logo(scores, x, start=start, sites=sites, sites_label=sites_label, ax=upper)
    upper.tick_params(axis="x", length=0, labelbottom=False)
    upper.spines["bottom"].set_visible(False)
    upper.set_xlabel("")
    ticks, place = MaxNLocator(nbins=4, steps=[1, 2, 5, 10]), {"anchor": (0, 0), "pad": 0.01}
    bar = {"label": "change of the logit", "shrink": MAP_SHARE, "aspect": 10, "ticks": ticks}
    ax.figure.colorbar(image, ax=ax, **bar, **place)
    return ax


def map_above_motif(scores, x, motif, *, site, margin=6):
    """Draw the map of a site and, below it on the same axis, the logo of the motif it should be.

    Parameters
    ----------
    scores, x : array of shape (L, 4)
        Of the whole sequence, as `mutagenesis_map` takes them.
    motif : Motif
    site : (int, int)
        Where the motif lies, half open.
    margin : int
        Positions to show before and after it, as far as there are any.

    Returns
    -------
    array of matplotlib Axes, of shape (2,)

    Examples
    --------
    >>> from workshop.motifs import load_motif
    >>> x = np.eye(4)[np.arange(40) % 4]
    >>> axes = map_above_motif(x - 1, x, load_motif("MA0139.1"), site=(10, 29))
    >>> [float(limit) for limit in axes[1].get_xlim()]
    [3.5, 34.5]
    """
    start, end = max(site[0] - margin, 0), site[1] + margin
    figsize, options = (9, 5.4), {"height_ratios": [2.4, 1], "layout": "constrained"}
    axes = plt.subplots(2, figsize=figsize, sharex=True, **options)[1]
    mutagenesis_map(scores[start:end], x[start:end], start=start, sites=[site], ax=axes[0])
    logo(motif.information_matrix(), start=site[0], ax=axes[1])
    axes[0].set(xlabel="", xlim=(start - 0.5, min(end, len(x)) - 0.5))
    axes[1].set_title(f"the truth: JASPAR {motif.matrix_id}", loc="left")
    return axes


def _lower_part(ax, renderer):
    """Where the map lies in its cell: below, so that the logo fits in whatever the layout is."""
    cell = ax.get_position(original=True)
    return Bbox.from_bounds(cell.x0, cell.y0, cell.width, MAP_SHARE * cell.height)
