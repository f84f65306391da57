"""Maps of saturation mutagenesis: what each substitution does, below the logo of the scores."""

from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from workshop.plot.canvas import (
    INK,
    SIGNED,
    axes_for,
    bases_last,
    inches_of,
    largest,
    name_bases,
    panels_for,
)
from workshop.plot.letters import CROWDED, logo, score_logo, width_of

MAP_SHARE = 0.54  # of the height that map and logo have together
GAP = 0.08  # between them, in heights of the map


def mutagenesis_map(
    scores,
    x,
    *,
    start=0,
    limit=None,
    label="change of the logit",
    sites=(),
    sites_label="planted motif",
    ax=None,
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
    label : str
        Text of the colour bar: what a score measures.
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
    image = _draw_map(ax, scores, x, start, limit or largest(scores), sites, sites_label)
    extend = "both" if np.abs(scores).max() > image.norm.vmax else "neither"
    _colour_bar([ax], image, label, shrink=MAP_SHARE, anchor=(0, 0), aspect=10, extend=extend)
    return ax


def mutagenesis_maps(
    scores_by_name,
    x,
    *,
    start=0,
    label="change of the logit",
    sites=(),
    sites_label="planted motif",
    axes=None,
):
    """Draw the maps of several models for one sequence, with one colour scale.

    Parameters
    ----------
    scores_by_name : dict of str to array of shape (L, 4)
        Name of the model -> alternative minus reference of the same sequence.
    x : array of shape (L, 4)
        The sequence itself, one-hot; N is a row of zeros.
    start : int
        Position of the first row on the x axis.
    label : str
        Text of the colour bar: what a score measures.
    sites : sequence of (int, int)
    sites_label : str or None
        Places to mark, and what they are: see `mutagenesis_map`.
    axes : array of Axes, optional
        One for each model.

    Returns
    -------
    array of matplotlib Axes, of shape (models,)
        Maps as `mutagenesis_map` draws them, one above the other; the logos have one scale, too.
        In a new figure, zooming into one zooms all.

    Examples
    --------
    >>> from workshop.sequences import one_hot_encode
    >>> x = one_hot_encode(["ACG"])[0]
    >>> axes = mutagenesis_maps({"Keras": x - 1, "PyTorch": 2 * (x - 1)}, x)
    >>> [(ax.get_title(loc="left"), ax.images[0].get_clim()) for ax in axes]
    [('Keras', (-2.0, 2.0)), ('PyTorch', (-2.0, 2.0))]
    """
    x = bases_last(x, "x")
    scores_by_name = {
        name: bases_last(scores, f"scores_by_name[{name!r}]")
        for name, scores in scores_by_name.items()
    }
    limit = largest(list(scores_by_name.values()))
    count, new = len(scores_by_name), axes is None
    axes = panels_for(axes, count, columns=1, size=(width_of(len(x)), 3.1), sharex=True)
    for ax, (name, scores) in zip(axes, scores_by_name.items(), strict=True):
        legend = sites_label if ax is axes[0] else None  # one is enough
        image = _draw_map(ax, scores, x, start, limit, sites, legend)
        ax.set_title(fill(str(name), int(6.5 * width_of(len(x)))), fontsize=10.5, loc="left")
    logos = [ax.child_axes[0] for ax in axes]
    heights = np.array([one.get_ylim() for one in logos])
    for one in logos:
        one.set_ylim(heights[:, 0].min(), heights[:, 1].max())
    if new:
        for ax in axes[:-1]:
            ax.set_xlabel("")  # as shared axes have their numbers: below the last
    _colour_bar(axes, image, label, shrink=0.6, aspect=10 * count)
    return axes


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


def _draw_map(ax, scores, x, start, limit, sites, sites_label):
    """The map and, in the upper part of its cell, the logo; returns the image."""
    ax.set_axes_locator(_lower_part)
    end = start + len(x)
    image = ax.imshow(
        scores.T,
        cmap=SIGNED,
        vmin=-limit,
        vmax=limit,
        aspect="auto",
        interpolation="nearest",
        extent=(start - 0.5, end - 0.5, 3.5, -0.5),
    )
    position, base = np.nonzero(x if len(x) <= CROWDED else 0 * x)  # or nobody sees the dots
    size = np.clip(0.4 * 72 * inches_of(ax)[0] / len(x), 1.2, 4.5)  # points, of a cell's width
    ax.plot(start + position, base, "o", color=INK, markersize=size, markeredgewidth=0)
    for edge in {edge for site in sites for edge in site}:
        ax.axvline(edge - 0.5, color=INK, linewidth=0.6, alpha=0.6)
    ax.set(xlim=(start - 0.5, end - 0.5), ylim=(3.5, -0.5))
    name_bases(ax.yaxis, fontsize=10.5)
    upper = ax.inset_axes((0, 1 + GAP, 1, 1 / MAP_SHARE - 1 - GAP), sharex=ax)
    options = {"sites": sites, "sites_label": sites_label}
    score_logo(scores, x, start=start, ax=upper, **options)
    upper.tick_params(axis="x", length=0, labelbottom=False)
    upper.spines["bottom"].set_visible(False)
    upper.set_xlabel("")
    ax.set_xlabel("position")
    return image


def _lower_part(ax, renderer):
    """Where the map lies in its cell: below, so that the logo fits in whatever the layout is."""
    cell = ax.get_position(original=True)
    return Bbox.from_bounds(cell.x0, cell.y0, cell.width, MAP_SHARE * cell.height)


def _colour_bar(axes, image, label, **place):
    ticks = MaxNLocator(nbins=4, steps=[1, 2, 5, 10])
    axes[0].figure.colorbar(image, ax=list(axes), label=label, ticks=ticks, pad=0.01, **place)
