"""Maps of saturation mutagenesis: what each substitution does, below the logo of the scores."""

from functools import partial
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Bbox

from workshop.plot.canvas import (
    BASE_COLOURS,
    INK,
    SIGNED,
    axes_for,
    check_axes,
    check_start,
    inches_of,
    signed_limit,
)
from workshop.plot.scores import check_scores, check_sites, draw_logo, width_of
from workshop.sequences import ALPHABET

__all__ = ["mutagenesis_map", "mutagenesis_maps"]

MAP_SHARE = 0.54  # of the height that map and logo have together
GAP = 0.08  # between them, in heights of the map
SHORT = 30  # positions: two maps fit side by side


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
        Of the map: rows A C G T, red where a substitution raises the output, a dot on the base
        that is there. ``ax.child_axes[0]`` is the logo; zooming into one zooms both.

    Raises
    ------
    ValueError
        If `scores` and `x` differ in length or have another shape, `x` is not one-hot, `start`
        is no whole number, `limit` is not above 0, one of `sites` is no interval that overlaps
        these positions, or `ax` already holds a map.

    Examples
    --------
    >>> from workshop.sequences import one_hot_encode
    >>> x = one_hot_encode(["ACG"])[0]
    >>> ax = mutagenesis_map((x - 1) * [[1], [3], [2]], x, start=100, sites=[(101, 103)])
    >>> ax.images[0].get_clim()
    (-3.0, 3.0)
    >>> [float(limit) for limit in ax.child_axes[0].get_xlim()]
    [99.5, 102.5]
    >>> plt.close(ax.figure)
    """
    scores, x = check_scores(scores, x)
    start = check_start(start)
    sites = check_sites(sites, start, len(x))
    limit = signed_limit(limit, scores)
    ax = axes_for(ax, (width_of(len(x)), 3.4))
    _check_empty([ax])
    image = _draw_map(ax, scores, x, start, limit, sites, sites_label)
    _colour_bar([ax], image, label, scores, shrink=MAP_SHARE, anchor=(0, 0), aspect=10)
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
        Maps as `mutagenesis_map` draws them, side by side up to 30 positions, else one above the
        other; the logos have one scale, too. In a new figure, zooming into one zooms all.

    Raises
    ------
    ValueError
        If there is no model, or `axes` are too few or too many; and as in `mutagenesis_map`.

    Examples
    --------
    >>> from workshop.sequences import one_hot_encode
    >>> x = one_hot_encode(["ACG"])[0]
    >>> axes = mutagenesis_maps({"Keras": x - 1, "PyTorch": 2 * (x - 1)}, x)
    >>> [(ax.get_title(loc="left"), ax.images[0].get_clim()) for ax in axes]
    [('Keras', (-2.0, 2.0)), ('PyTorch', (-2.0, 2.0))]
    >>> plt.close(axes[0].figure)
    """
    if not isinstance(scores_by_name, dict) or not scores_by_name:
        got = "an empty dict" if isinstance(scores_by_name, dict) else type(scores_by_name).__name__
        raise ValueError(
            "scores_by_name must be a dict with at least one model, such as {'Keras': scores}; got "
            f"{got}. Without names call mutagenesis_map."
        )
    checked = {}
    for name, scores in scores_by_name.items():
        checked[name], x = check_scores(scores, x, name=f"scores_by_name[{name!r}]")
    start = check_start(start)
    sites = check_sites(sites, start, len(x))
    count, abreast, new = len(checked), len(x) <= SHORT, axes is None
    if new:
        wide, high = width_of(len(x)), 3.1
        _, axes = plt.subplots(
            *((1, count) if abreast else (count, 1)),
            figsize=(wide * count, high) if abreast else (wide, high * count),
            layout="constrained",
            sharex=True,
            squeeze=False,
        )
    axes = check_axes(axes, count, each="model")
    _check_empty(axes)
    limit = signed_limit(None, *checked.values())
    for ax, (name, scores) in zip(axes, checked.items(), strict=True):
        legend = sites_label if ax is axes[0] else None  # one is enough
        image = _draw_map(ax, scores, x, start, limit, sites, legend)
        ax.set_title(fill(str(name), 42 if abreast else 72), fontsize=10.5, loc="left")
    logos = [ax.child_axes[0] for ax in axes]
    heights = np.array([one.get_ylim() for one in logos])
    for one in logos:
        one.set_ylim(heights[:, 0].min(), heights[:, 1].max())
    if new and not abreast:
        for ax in axes[:-1]:
            ax.set_xlabel("")  # as shared axes have their numbers: below the last
    if abreast:
        _colour_bar(axes, image, label, shrink=MAP_SHARE, anchor=(0, 0), aspect=10)
    else:
        _colour_bar(axes, image, label, shrink=0.6, aspect=10 * count)
    return axes


def _check_empty(axes):
    """An error if one of the axes holds a map, which would shrink, or is there twice."""
    for i, ax in enumerate(axes):
        locator = ax.get_axes_locator()
        if ax in list(axes[:i]) or getattr(locator, "func", None) is _lower_part:
            raise ValueError(
                "ax already holds a mutagenesis map; pass an empty one. ax.clear() is not enough: "
                "it leaves the colour bar. Make a new figure."
            )


def _draw_map(ax, scores, x, start, limit, sites, sites_label):
    """The map and, in the upper part of its cell, the logo; returns the image."""
    ax.set_axes_locator(partial(_lower_part, ax.get_axes_locator()))
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
    position, base = np.nonzero(x)
    size = np.clip(0.4 * 72 * inches_of(ax)[0] / len(x), 1.2, 4.5)  # points, of a cell's width
    ax.plot(start + position, base, "o", color=INK, markersize=size, markeredgewidth=0)
    for edge in {edge for site in sites for edge in site}:
        ax.axvline(edge - 0.5, color=INK, linewidth=0.6, alpha=0.6)
    ax.set(xlim=(start - 0.5, end - 0.5), ylim=(3.5, -0.5))
    ax.set_yticks(range(4), list(ALPHABET), fontsize=10.5, fontweight="bold")
    for tick, letter in zip(ax.get_yticklabels(), ALPHABET, strict=True):
        tick.set_color(BASE_COLOURS[letter])
    ax.tick_params(axis="y", length=0)
    upper = ax.inset_axes((0, 1 + GAP, 1, 1 / MAP_SHARE - 1 - GAP), sharex=ax)
    draw_logo(upper, scores, x, start, "minus mean\nchange", sites, sites_label)
    upper.tick_params(axis="x", length=0, labelbottom=False)
    upper.spines["bottom"].set_visible(False)
    upper.set_xlabel("")
    ax.set_xlabel("position")
    return image


def _lower_part(cell_of, ax, renderer):
    """Where the map lies in its cell: below, so that the logo fits in whatever the layout is."""
    cell = cell_of(ax, renderer) if cell_of else ax.get_position(original=True)
    return Bbox.from_bounds(cell.x0, cell.y0, cell.width, MAP_SHARE * cell.height)


def _colour_bar(axes, image, label, scores=(), **place):
    beyond = np.max(np.abs(scores), initial=0) > image.norm.vmax
    axes[0].figure.colorbar(
        image,
        ax=list(axes),
        label=label,
        extend="both" if beyond else "neither",
        ticks=MaxNLocator(nbins=4, steps=[1, 2, 5, 10]),
        pad=0.01,
        **place,
    )
