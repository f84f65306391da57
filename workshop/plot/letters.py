"""Pictures of sequences and of what is read from them: one-hot matrix, kernel, logo."""

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.ticker import MaxNLocator

from workshop.plot.canvas import (
    BASE_COLOURS,
    GREY,
    SIGNED,
    axes_for,
    check_bases_last,
    text_on,
    tidy,
)
from workshop.sequences import ALPHABET

__all__ = ["kernel", "logo", "one_hot"]


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
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ImportError
        If logomaker is not installed.
    ValueError
        If `heights` has another shape or holds NaN.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> ax = logo([[2, 0, 0, 0], [0, 1, 0, 0.5]], start=100)
    >>> [int(limit) for limit in ax.get_ylim()]
    [0, 2]
    >>> plt.close(ax.figure)
    """
    heights = check_bases_last(
        heights, name="heights", hint="For a Motif pass motif.information_matrix()."
    )
    try:
        import logomaker
    except ImportError as error:
        raise ImportError("logo needs logomaker: pip install logomaker") from error
    import pandas as pd

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


def one_hot(x, *, ax=None):
    """Draw one one-hot sequence: a coloured cell where the sequence has the base.

    Parameters
    ----------
    x : array of shape (L, 4)
        One sequence, such as ``X[0]``. A soft value gives a pale cell.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
        Letters on the x axis up to 60 bp, positions beyond; numbers in the cells up to 20 bp.

    Raises
    ------
    ValueError
        If `x` has another shape or values outside of 0 to 1.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from workshop.sequences import one_hot_encode
    >>> ax = one_hot(one_hot_encode(["CCGAT"])[0])
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['C', 'C', 'G', 'A', 'T']
    >>> plt.close(ax.figure)
    """
    x = check_bases_last(x, name="x", hint="For a batch X pass one sequence: X[0].")
    if x.min() < 0 or x.max() > 1:
        raise ValueError(f"x must hold values from 0 to 1; got {x.min():g} to {x.max():g}.")
    length = len(x)
    colours = np.array([to_rgb(BASE_COLOURS[base]) for base in ALPHABET])  # (4, 3)
    empty = np.full(3, 0.955)
    picture = empty + x.T[:, :, None] * (colours[:, None] - empty)  # (4, L, 3)
    width = np.clip(0.36 * length + 0.6, 2.4, 11)
    ax = axes_for(ax, (width, 2.4 if length <= 20 else 1.7))
    ax.imshow(picture, aspect="equal" if length <= 30 else "auto", interpolation="nearest")
    _bases_as_rows(ax, length, grid=length <= 60)
    if length <= 60:
        letters = [ALPHABET[row.argmax()] if row.max() > 0 else "N" for row in x]
        ax.set_xticks(range(length), letters, fontsize=11 if length <= 30 else 8)
    if length <= 20:
        for (position, base), value in np.ndenumerate(x):
            colour = GREY if value == 0 else text_on(picture[base, position])
            ax.text(position, base, f"{value:.2g}", ha="center", va="center", color=colour)
    ax.set_xlabel("position" if length > 60 else "sequence")
    return ax


def kernel(kernel, *, ax=None):
    """Draw one kernel of a first convolution as a heat map, white at 0.

    Parameters
    ----------
    kernel : array of shape (K, 4)
        Positions by bases: ``weights[:, :, i]`` of a Keras layer.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
        Numbers in the cells up to 20 positions, a colour bar beyond.

    Raises
    ------
    ValueError
        If `kernel` has another shape or holds NaN.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> ax = kernel([[-0.5, 1, -0.5, -0.5]])
    >>> [text.get_text() for text in ax.texts]
    ['−0.50', '1.00', '−0.50', '−0.50']
    >>> plt.close(ax.figure)
    """
    weights = check_bases_last(
        kernel, name="kernel", hint="Of a Keras layer's weights (K, 4, filters) pass w[:, :, i]."
    )
    width = len(weights)
    limit = np.abs(weights).max() or 1.0
    ax = axes_for(ax, (np.clip(0.52 * width + 0.8, 2.6, 11), 2.7))
    image = ax.imshow(weights.T, cmap=SIGNED, vmin=-limit, vmax=limit, aspect="auto")
    _bases_as_rows(ax, width, grid=width <= 60)
    if width <= 20:
        ax.set_xticks(range(width))
        for (position, base), weight in np.ndenumerate(weights):
            colour = text_on(image.cmap(image.norm(weight))[:3])
            text = f"{round(weight, 2) + 0.0:.2f}".replace("-", "−")
            ax.text(position, base, text, ha="center", va="center", color=colour, fontsize=8.5)
    else:
        ax.figure.colorbar(image, ax=ax, label="weight")
    ax.set_xlabel("position in the kernel")
    return ax


def _bases_as_rows(ax, length, *, grid):
    ax.set_yticks(range(4), list(ALPHABET), fontsize=11, fontweight="bold")
    for tick, base in zip(ax.get_yticklabels(), ALPHABET, strict=True):
        tick.set_color(BASE_COLOURS[base])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    if grid:
        ax.set_xticks(np.arange(length + 1) - 0.5, minor=True)
        ax.set_yticks(np.arange(5) - 0.5, minor=True)
        ax.grid(which="minor", color="white", linewidth=1.5)
        ax.tick_params(which="minor", length=0)
