"""Pictures of what interpretation finds: a motif beside the known one, positions that interact."""

from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import colormaps
from matplotlib.ticker import MaxNLocator

from workshop.motifs import similarity
from workshop.plot.canvas import (
    BASE_COLOURS,
    GREY,
    SIGNED,
    axes_for,
    bases_last,
    inches_of,
    largest,
    number_positions,
    panels_for,
)
from workshop.plot.charts import lines
from workshop.plot.letters import logo
from workshop.sequences import ALPHABET

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

    Examples
    --------
    >>> from workshop.motifs import load_motif
    >>> long, short = load_motif("MA0139.1"), load_motif("MA0139.2")
    >>> axes = compare_motifs({"19 bp": long, "15 bp": short.reverse_complement()})
    >>> axes[1].get_title(loc="left")
    '15 bp, reverse complement (r = 1.000)'
    """
    if len(motifs_by_name) != 2:
        raise ValueError(f"motifs_by_name must name two motifs; got {len(motifs_by_name)}.")
    first, second = motifs_by_name.values()
    found = similarity(first, second, min_overlap=min_overlap)
    if found.strand == "-":
        second = second.reverse_complement()
    low, high = min(0, found.offset), max(len(first), found.offset + len(second))
    size = float(np.clip(0.38 * (high - low) + 0.8, 4.6, 11)), 2.0
    axes = panels_for(axes, 2, columns=1, size=size, sharex=True)
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


def kernel_logos(kernels, *, reference=None, top=8, weights=False, min_overlap=12, axes=None):
    """Draw what the kernels of a first convolution look for, the ones that matter most first.

    Parameters
    ----------
    kernels : list of KernelMotif
        What `interpret.kernel_motifs` returns.
    reference : Motif, optional
        A known motif: each title then says how well the kernel agrees with it.
    top : int
        How many to draw: those with the largest weight in the output, or, where the network has
        no such weight, those that agree best with `reference`.
    weights : bool
        Draw the weights themselves, minus their mean at each position, not the motif.
    min_overlap : int
        Least number of columns over which a kernel is compared, or its width if that is less.
        Over few columns, a high r is easily had.
    axes : array of Axes, optional
        One a kernel.

    Returns
    -------
    array of matplotlib Axes
        Kernels that no window excites are left out.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from workshop.motifs import load_motif
    >>> ctcf = load_motif("MA0139.1")
    >>> one = SimpleNamespace(kernel=3, motif=ctcf, weights=ctcf.log_odds(), output_weight=0.5)
    >>> kernel_logos([one], reference=ctcf)[0].get_title(loc="left")
    'kernel 3: weight +0.50, r = 1.000'
    """
    ranked = []
    for one in (one for one in kernels if one.motif is not None):
        title, weight = f"kernel {one.kernel}:", one.output_weight
        if not np.isnan(weight):
            title += f" weight {weight:+.2f},".replace("-", "−")
        if reference is not None:
            overlap = min(min_overlap, len(one.motif), len(reference))
            r = similarity(reference, one.motif, min_overlap=overlap).correlation
            title += f" r = {r:.3f}"
            weight = r if np.isnan(weight) else weight
        ranked.append((np.nan_to_num(weight), title.rstrip(":,"), one))
    ranked = sorted(ranked, key=lambda row: -row[0])[:top]
    axes = panels_for(axes, len(ranked), columns=min(len(ranked), 4), size=(2.5, 1.5))
    for i, (ax, (_, title, one)) in enumerate(zip(axes, ranked, strict=True)):
        centred = one.weights - one.weights.mean(axis=1, keepdims=True)
        heights, unit = (centred, "weight") if weights else (one.motif.information_matrix(), "bits")
        logo(heights, ylabel="" if i % 4 else unit, ax=ax)
        if not weights:
            ax.set(ylim=(0, 2), yticks=[0, 1, 2])
        ax.set_title(title, fontsize=8.2, loc="left", pad=4)
        ax.set(xlabel="", xticks=[])
    return axes


def importance_diagonal(importance, starts, motif, *, limit=2, axes=None):
    """Draw the importance of all sequences with one motif, sorted by where the motif starts.

    Parameters
    ----------
    importance : array of shape (N, L)
        One number a base: `interpret.base_importance`.
    starts : sequence of tuple of int
        Where motifs start in each sequence; those with exactly one are drawn.
    motif : Motif
        The planted one.
    limit : float
        The colours go from minus `limit` to `limit`.
    axes : array of two Axes, optional

    Returns
    -------
    array of matplotlib Axes, of shape (2,)
        Left a row a sequence; right the mean over the motifs, beside the information of their
        columns in bits.

    Examples
    --------
    >>> from workshop.motifs import Motif
    >>> toy = Motif("toy", "AC", [[8, 0, 0, 0], [0, 8, 0, 0]])
    >>> axes = importance_diagonal(np.eye(3), [(1,), (0, 1), (0,)], toy)
    >>> axes[0].images[0].get_array().tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    importance = np.asarray(importance, dtype=float)
    if len(importance) != len(starts):
        raise ValueError(f"starts must have {len(importance)} entries; got {len(starts)}.")
    single = sorted((one[0], i) for i, one in enumerate(starts) if len(one) == 1)
    if axes is None:
        options = {"layout": "constrained", "width_ratios": [1.5, 1]}
        axes = plt.subplots(1, 2, figsize=(11, 4), **options)[1]
    left, right = axes = panels_for(axes, 2, columns=2, size=(5, 4))
    scale = {"cmap": SIGNED, "vmin": -limit, "vmax": limit}
    image = left.imshow(
        importance[[i for _, i in single]], aspect="auto", interpolation="nearest", **scale
    )
    left.figure.colorbar(image, ax=left, label="importance", extend="both")
    left.set(xlabel="position", ylabel="sequences with one motif, sorted by its start")
    columns = np.arange(len(motif))
    profile = np.mean([importance[i, start + columns] for start, i in single], axis=0)
    curves = {
        "importance": (columns, profile),
        "bits": (columns, motif.information_content()),
    }
    lines(curves, xlabel="column of the motif", markers=True, ax=right)
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

    Examples
    --------
    >>> from workshop.sequences import one_hot_encode
    >>> interaction = np.zeros((3, 4, 3, 4))
    >>> interaction[0, 1, 2, 3] = interaction[2, 3, 0, 1] = -1.5  # A to C, and G to T
    >>> ax = interaction_map(interaction, one_hot_encode(["ACG"])[0])
    >>> float(ax.images[0].get_array()[0, 2])
    -1.5
    """
    interaction, x = np.asarray(interaction, dtype=float), bases_last(x, "x")
    if interaction.shape != 2 * x.shape:
        raise ValueError(
            f"interaction must have shape (W, 4, W, 4), x (W, 4); got {interaction.shape} and "
            f"{x.shape}. Of a batch pass one sequence: result.interaction[0]."
        )
    limit, width = limit or largest(interaction), len(x)
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
