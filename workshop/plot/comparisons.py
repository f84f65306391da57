"""Pictures of what interpretation finds: a motif beside the known one, positions that interact."""

from functools import partial
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np

from workshop.motifs import similarity
from workshop.plot.canvas import axes_for, bases_last, largest, name_bases, signed_image
from workshop.plot.charts import lines, row
from workshop.plot.letters import logo
from workshop.sequences import ALPHABET


def compare_motifs(motifs_by_name, *, min_overlap=None):
    """Draw the logos of motifs, one above the other, with like columns aligned.

    Parameters
    ----------
    motifs_by_name : dict of str to Motif
        The known motif, then those to compare with it: each is moved and, where that agrees
        better, reverse complemented.
    min_overlap : int, optional
        Least number of aligned columns; the width of the narrower motif by default. See
        `motifs.similarity`, which aligns them.

    Returns
    -------
    array of matplotlib Axes
        The titles say how well each agrees with the first, whose columns count the positions.

    Examples
    --------
    >>> from workshop.motifs import load_motif
    >>> long, short = load_motif("MA0139.1"), load_motif("MA0139.2")
    >>> axes = compare_motifs({"19 bp": long, "15 bp": short.reverse_complement()})
    >>> axes[1].get_title(loc="left")
    '15 bp, reverse complement (r = 1.000)'
    """
    (title, first), *others = motifs_by_name.items()
    drawn = [(title, 0, first)]
    for name, motif in others:
        r, offset, strand, _ = similarity(first, motif, min_overlap=min_overlap)
        if strand == "-":
            name, motif = f"{name}, reverse complement", motif.reverse_complement()
        text = "no r: equal shares" if np.isnan(r) else f"r = {r:.3f}"
        drawn.append((f"{name} ({text})", offset, motif))
    low = min(offset for _, offset, _ in drawn) - 0.5
    high = max(offset + len(motif) for _, offset, motif in drawn) - 0.5
    draws = [partial(logo, one.information_matrix(), start=offset) for _, offset, one in drawn]
    titles = [fill(title, 58) for title, *_ in drawn]
    size = np.clip(0.38 * (high - low) + 0.8, 4.6, 11), 2.0
    axes = row(*draws, titles=titles, size=size, columns=1, sharex=True)
    for ax in axes:
        ax.set(xlim=(low, high), xlabel="position" if ax is axes[-1] else "")
    return axes


def kernel_logos(kernels, *, reference=None, top=8):
    """Draw what the kernels of a first convolution look for, the ones that matter most first.

    Parameters
    ----------
    kernels : list of KernelMotif
        What `interpret.kernel_motifs` returns.
    reference : Motif, optional
        A known motif: each title then says how well the kernel agrees with it, over 12 columns
        at least, if it has as many. Over few columns, a high r is easily had.
    top : int
        How many to draw: those with the largest weight in the output, or, where the network has
        no such weight, those that agree best with `reference`.

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
            overlap = min(12, len(one.motif), len(reference))
            r = similarity(reference, one.motif, min_overlap=overlap).correlation
            title += f" r = {r:.3f}"
            weight = r if np.isnan(weight) else weight
        ranked.append((np.nan_to_num(weight), title.rstrip(":,"), one))
    ranked = sorted(ranked, key=lambda row: -row[0])[:top]
    draws = []
    for i, (_, _, one) in enumerate(ranked):
        unit = "" if i % 4 else "bits"  # said once a row
        draws.append(partial(logo, one.motif.information_matrix(), ylabel=unit))
    axes = row(*draws, size=(2.5, 1.5), columns=min(len(ranked), 4))
    for ax, (_, title, _) in zip(axes, ranked, strict=True):
        ax.set_title(title, fontsize=8.2, loc="left", pad=4)
        ax.set(xlabel="", xticks=[], ylim=(0, 2), yticks=[0, 1, 2])
    return axes


def importance_diagonal(importance, starts, motif):
    """Draw the importance of all sequences with one motif, sorted by where the motif starts.

    Parameters
    ----------
    importance : array of shape (N, L)
        One number a base: `interpret.base_importance`.
    starts : sequence of tuple of int
        Where motifs start in each sequence; those with exactly one are drawn.
    motif : Motif
        The planted one.

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
    options = {"figsize": (11, 4), "layout": "constrained", "width_ratios": [1.5, 1]}
    left, right = axes = plt.subplots(1, 2, **options)[1]
    image = signed_image(left, importance[[i for _, i in single]], 2, aspect="auto")
    left.figure.colorbar(image, ax=left, label="importance", extend="both")
    left.set(xlabel="position", ylabel="sequences with one motif, sorted by its start")
    columns = np.arange(len(motif))
    profile = np.mean([importance[i, start + columns] for start, i in single], axis=0)
    curves = {"importance": (columns, profile), "bits": (columns, motif.information_content())}
    lines(curves, xlabel="column of the motif", markers=True, ax=right)
    return axes


def interaction_map(interaction, x, *, start=0, ax=None):
    """Draw which pairs of positions interact: where two substitutions do not just add up.

    Parameters
    ----------
    interaction : array of shape (W, 4, W, 4)
        Of one sequence: ``pairwise_mutagenesis(model, X).interaction[0]``, what two substitutions
        change together minus the sum of what each changes alone.
    x : array of shape (W, 4)
        The same part of the sequence, one-hot, whose letters stand along both axes: up to some 40.
    start : int
        Position of the first letter.

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
        raise ValueError(f"interaction must have shape {2 * x.shape}; got {interaction.shape}.")
    width = len(x)
    pairs = interaction.transpose(0, 2, 1, 3).reshape(width, width, 16)
    farthest = np.abs(pairs).argmax(axis=2)[:, :, None]
    strongest = np.take_along_axis(pairs, farthest, axis=2)[:, :, 0]  # (W, W)
    ax = axes_for(ax, (6.6, 5.6))
    ax.set_facecolor("#C4C4C4")
    masked = np.ma.masked_array(strongest, np.eye(width, dtype=bool))
    image = signed_image(ax, masked, largest(interaction))
    letters = [ALPHABET[row.argmax()] if row.any() else "N" for row in x]
    for axis in (ax.xaxis, ax.yaxis):
        name_bases(axis, letters, fontsize=8)
    ax.set_xlabel(f"positions {start:,} to {start + width - 1:,}")
    ax.figure.colorbar(image, ax=ax, label="interaction (logit)")
    return ax
