"""Show a figure in a notebook: an image, its caption, and words for people who cannot see it."""

import base64
import io
import sys

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

DPI = 110  # of a figure at its natural size; its image has twice as many


def show(figure_or_axes, caption, *, alt=None):
    """Display a figure in the notebook with its caption, and close it.

    Outside of IPython only the caption is printed.

    Parameters
    ----------
    figure_or_axes : matplotlib Figure or Axes
        Of an Axes, or an array of them, the whole figure.
    caption : str
        What the figure shows, shown in italics below it. Inline Markdown, such as `code`, works.
    alt : str, optional
        What one sees, for a screen reader: the image's alternative text. By default it is made
        from what was drawn: panels, axes, names, the ends of lines. Of a diagram write it yourself.

    Examples
    --------
    >>> from workshop import plot
    >>> show(
    ...     plot.roc([0, 1, 1], [0.2, 0.1, 0.9]), "A ROC curve.", alt="A curve above the diagonal."
    ... )
    A ROC curve.
    """
    figure = np.ravel(np.asarray(figure_or_axes, dtype=object))[0].figure.figure  # the whole
    alt = _describe(figure) if alt is None else alt
    caption, alt = (" ".join(text.split()) for text in (caption, alt))
    if not caption or not alt:
        raise ValueError(f"caption and alt must not be empty; got {caption!r} and alt={alt!r}.")
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        print(caption)
    else:
        from IPython.display import display

        png, width = _image(figure)
        image = {"image/png": base64.b64encode(png).decode(), "text/plain": alt}
        italic = "*" + caption.replace("*", r"\*") + "*"
        display(image, metadata={"image/png": {"alt": alt, "width": width}}, raw=True)
        display({"text/markdown": italic, "text/plain": caption}, raw=True)
    plt.close(figure)  # or the inline backend draws it a second time


def _image(figure):
    """Bytes of a PNG of 256 colours at most, which halves it, and how wide to display it."""
    drawn, png = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, dpi=2 * DPI, bbox_inches="tight", facecolor="white")
    with Image.open(drawn) as picture:
        small = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small.save(png, "PNG", optimize=True)
    return png.getvalue(), small.width // 2  # without a height: no browser can distort it


def _describe(figure):
    """Alternative text: of each panel its title, axes, and each line or bar that has a name."""
    panels = [text for text in map(_panel, figure.axes) if text]
    count = f"{len(panels)} panels. " if len(panels) > 1 else ""
    return count + " ".join(f"{text[0].upper()}{text[1:]}." for text in panels)


def _panel(ax):
    axes = " against ".join(filter(None, (ax.get_ylabel(), ax.get_xlabel())))
    words = [ax.get_title(loc="left") or ax.get_title(), axes.replace("\n", " ")]
    for line in ax.lines:
        y = line.get_ydata()
        if not line.get_label().startswith("_") and len(y) > 2:
            words.append(f"{line.get_label()} from {y[0]:.2f} to {y[-1]:.2f}")
    rows = [label.get_text() for label in ax.get_yticklabels()]
    for group in (one for one in ax.containers if one.orientation == "horizontal"):
        values = ", ".join(f"{n} {v:.2f}" for n, v in zip(rows, group.datavalues, strict=False))
        words.append(f"{group.get_label()}: {values}".removeprefix("0: "))
    clouds = [cloud.get_label() for cloud in ax.collections]
    words += [f"points: {name}" for name in clouds if not name.startswith("_")]
    written = [" ".join(text.get_text().split()) for text in ax.texts]  # all that a diagram has
    return "; ".join(filter(None, words)) or ", ".join(filter(None, written))
