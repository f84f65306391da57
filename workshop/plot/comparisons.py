"""Pictures of what interpretation finds: a motif beside the known one, positions that interact."""

from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import colormaps
from matplotlib.ticker import MaxNLocator

from workshop.motifs import Motif, similarity
from workshop.plot.canvas import (
    BASE_COLOURS,
    GREY,
    SIGNED,
    axes_for,
    check_axes,
    check_sequence,
    check_start,
    inches_of,
    number_positions,
    signed_limit,
)
from workshop.plot.letters import logo
from workshop.sequences import ALPHABET

__all__ = ["compare_motifs", "interaction_map"]

DIAGONAL = "#C4C4C4"
LETTERS = 40  # positions whose letters fit along an axis


def compare_motifs(motifs_by_name, *, min_overlap=None, axes=None):
    """Draw the logos of two motifs, one above the other, with like columns aligned.

    Parameters
    ----------
    motifs_by_name : dict of str to Motif
        Exactly two: the known motif, then the one to compare with it, which is moved and, where
        that agrees better, reverse complemented.
    min_overlap : int, optional
        Least number of aligned columns; the width of the narrower motif by default. See
        `motifs.similarity`, which aligns them.
    axes : array of two Axes, optional

    Returns
    -------
    array of matplotlib Axes, of shape (2,)
        The title of the second says how well they agree. Positions are columns of the first.

    Raises
    ------
    ImportError
        If logomaker is not installed.
    TypeError
        If a value is not a Motif.
    ValueError
        If there are not exactly two motifs, `axes` are not two, or `min_overlap` is wider than one.

    Examples
    --------
    >>> from workshop.motifs import load_motif
    >>> long, short = load_motif("MA0139.1"), load_motif("MA0139.2")
    >>> axes = compare_motifs({"19 bp": long, "15 bp": short.reverse_complement()})
    >>> axes[1].get_title(loc="left")
    '15 bp, reverse complement (r = 1.000)'
    >>> plt.close(axes[0].figure)
    """
    if not isinstance(motifs_by_name, dict) or len(motifs_by_name) != 2:
        named = isinstance(motifs_by_name, dict)
        got = f"dict of {len(motifs_by_name)}" if named else type(motifs_by_name).__name__
        raise ValueError(
            "motifs_by_name must be a dict of two motifs, such as {'JASPAR': known, 'recovered': "
            f"found}}; got {got}."
        )
    for name, motif in motifs_by_name.items():
        if not isinstance(motif, Motif):
            raise TypeError(
                f"motifs_by_name[{name!r}] must be a motifs.Motif; got {type(motif).__name__}. Of "
                "scores it is interpret.motif_from_scores."
            )
    first, second = motifs_by_name.values()
    found = similarity(first, second, min_overlap=min_overlap)
    if found.strand == "-":
        second = second.reverse_complement()
    low, high = min(0, found.offset), max(len(first), found.offset + len(second))
    if axes is None:
        figsize = float(np.clip(0.38 * (high - low) + 0.8, 4.6, 11)), 4.0
        _, axes = plt.subplots(2, 1, figsize=figsize, layout="constrained", sharex=True)
    axes = check_axes(axes, 2, each="motif")
    logo(first.information_matrix(), ax=axes[0])
    logo(second.information_matrix(), start=found.offset, ax=axes[1])
    for ax in axes:
        ax.set_xlim(low - 0.5, high - 0.5)
    axes[0].set_xlabel("")
    known, other = motifs_by_name
    turned = ", reverse complement" if found.strand == "-" else ""
    r = "no r: equal shares" if np.isnan(found.correlation) else f"r = {found.correlation:.3f}"
    for ax, title in zip(axes, (known, f"{other}{turned} ({r})"), strict=True):
        ax.set_title(fill(str(title), 58), fontsize=10.5, loc="left")
    return axes


def interaction_map(interaction, x, *, start=0, limit=None, label="interaction (logit)", ax=None):
    """Draw which pairs of positions interact: where two substitutions do not just add up.

    Parameters
    ----------
    interaction : array of shape (W, 4, W, 4)
        Of one sequence: ``pairwise_mutagenesis(model, X).interaction[0]``, what two substitutions
        change together minus the sum of what each changes alone.
    x : array of shape (W, 4)
        The same part of the sequence, one-hot; N is a row of zeros.
    start : int
        Position of the first row on both axes.
    limit : float, optional
        The colours go from minus `limit` to `limit`; the largest absolute value by default.
    label : str
        Text of the colour bar: what interacts, on which scale.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
        A cell a pair of positions: of its nine pairs of substitutions (12 or 16 where N is one or
        both), the interaction farthest from 0, with its sign. The diagonal is grey: one place does
        not change twice.

    Raises
    ------
    TypeError
        If `interaction` is the whole result of pairwise_mutagenesis.
    ValueError
        If a shape is wrong or does not fit the other, a value is not finite, `x` is not one-hot,
        `start` is no whole number, or `limit` is not above 0.

    Examples
    --------
    >>> from workshop.sequences import one_hot_encode
    >>> interaction = np.zeros((3, 4, 3, 4))
    >>> interaction[0, 1, 2, 3] = interaction[2, 3, 0, 1] = -1.5  # A to C, and G to T
    >>> ax = interaction_map(interaction, one_hot_encode(["ACG"])[0])
    >>> float(ax.images[0].get_array()[0, 2])
    -1.5
    >>> plt.close(ax.figure)
    """
    interaction, x = _check_interaction(interaction, x)
    start = check_start(start)
    limit, width = signed_limit(limit, interaction), len(x)
    strongest = _strongest(interaction)  # (W, W)
    side = float(np.clip(0.19 * width + 1.2, 3.4, 5.6))
    numbers = 0.08 * len(f"{start + width:,}")  # how wide the longest is
    ax = axes_for(ax, (1.1 * side + 1.3 + numbers, side + 0.75))
    ends = start - 0.5, start + width - 0.5
    image = ax.imshow(
        np.ma.masked_array(strongest, np.eye(width, dtype=bool)),
        cmap=colormaps[SIGNED].with_extremes(bad=DIAGONAL),
        vmin=-limit,
        vmax=limit,
        interpolation="nearest",
        extent=(*ends, *ends[::-1]),
    )
    _name_positions(ax, x, start)
    ax.set(xlabel="position", ylabel="position")
    ax.figure.colorbar(
        image,
        cax=ax.inset_axes((1.04, 0, 0.045, 1)),  # as high as the square, whatever its cell is
        label=label,
        extend="both" if np.abs(strongest).max() > limit else "neither",
        ticks=MaxNLocator(nbins=6, steps=[1, 2, 5, 10]),
    )
    return ax


def _strongest(interaction):
    """Of each pair of positions the value farthest from 0, with its sign."""
    width = len(interaction)
    pairs = interaction.transpose(0, 2, 1, 3).reshape(width, width, 16)
    farthest = np.abs(pairs).argmax(axis=2)[:, :, None]
    return np.take_along_axis(pairs, farthest, axis=2)[:, :, 0]  # (W, W)


def _name_positions(ax, x, start):
    """Numbers along both axes and, where they fit, the letters of the sequence beside the cells."""
    letters = [ALPHABET[row.argmax()] if row.any() else "N" for row in x]
    inches = min(inches_of(ax))
    cell = 72 * inches / len(x)  # points
    shown = len(x) <= LETTERS and cell > 6.5
    size = float(np.clip(0.75 * cell, 5, 10))
    for axis in (ax.xaxis, ax.yaxis):
        number_positions(axis, start + len(x), inches=inches)
        if shown:
            axis.remove_overlapping_locs = False  # a letter where there is a number, too
            axis.set_ticks(start + np.arange(len(x)), letters, minor=True)
            axis.set_tick_params(which="minor", length=0, pad=3, labelsize=size)
            axis.set_tick_params(which="major", length=0, pad=6 + 1.1 * size)
            for label, letter in zip(axis.get_ticklabels(minor=True), letters, strict=True):
                label.set(color=BASE_COLOURS.get(letter, GREY), fontweight="bold")


def _check_interaction(interaction, x):
    if hasattr(interaction, "interaction"):
        raise TypeError(
            "interaction must be an array; got the whole result of pairwise_mutagenesis. Pass one "
            "sequence of it: result.interaction[0]."
        )
    interaction = np.asarray(interaction, dtype=float)
    shape = interaction.shape
    if interaction.ndim != 4 or shape[:2] != shape[2:] or shape[1] != 4 or len(interaction) == 0:
        hint = " Of a batch pass one sequence: interaction[0]." if interaction.ndim == 5 else ""
        raise ValueError(f"interaction must have shape (W, 4, W, 4); got {shape}.{hint}")
    if not np.isfinite(interaction).all():
        raise ValueError("interaction must hold finite numbers; got NaN or infinity.")
    x = check_sequence(x, hint="Of a batch pass one sequence: X[0].")
    if len(x) != len(interaction):
        raise ValueError(
            f"interaction and x must be of one length; got {len(interaction)} and {len(x)}. Of "
            "positions start to end pass x[start:end]."
        )
    return interaction, x
