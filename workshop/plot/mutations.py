"""Maps of saturation mutagenesis: what each substitution does, below the logo of the scores."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from workshop.plot.canvas import (
    INK,
    axes_for,
    bases_last,
    inches_of,
    largest,
    name_bases,
    signed_image,
)
from workshop.plot.letters import CROWDED, logo, score_logo, width_of

MAP_SHARE = 0.54  # of the height that map and logo have together
GAP = 0.08  # between them, in heights of the map


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
