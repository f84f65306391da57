"""What is checked of every figure, whichever file tests it."""

import itertools

import matplotlib as mpl
import numpy as np
from matplotlib.font_manager import FontProperties, findfont, get_font


def figure_of(drawn):
    """The figure of what a function returned: itself, Axes or an array of Axes."""
    return drawn if isinstance(drawn, mpl.figure.Figure) else np.ravel(drawn)[0].figure


def assert_legible(figure):
    """No text is cut off by the figure's edge, and no two overlap."""
    figure.canvas.draw()
    tight, whole = figure.get_tightbbox(), figure.bbox_inches
    assert tight.x0 >= -0.01
    assert tight.y0 >= -0.01
    assert tight.x1 <= whole.x1 + 0.01
    assert tight.y1 <= whole.y1 + 0.01
    shown = []
    for ax in itertools.chain(figure.axes, *(ax.child_axes for ax in figure.axes)):
        ticks = [ax.xaxis.label, ax.yaxis.label]
        for axis in (ax.xaxis, ax.yaxis):  # beyond the limits there are labels that nobody sees
            low, high = sorted(axis.get_view_interval())
            for major in (True, False):
                marks = axis.get_major_ticks() if major else axis.get_minor_ticks()
                places = zip(marks, axis.get_ticklocs(minor=not major), strict=True)
                within = [mark for mark, place in places if low <= place <= high]
                both = [label for mark in within for label in (mark.label1, mark.label2)]
                ticks += [label for label in both if label.get_visible()]
        legend = ax.get_legend().get_texts() if ax.get_legend() else []
        titles = [ax.title, ax._left_title, ax._right_title]
        shown += [*ax.texts, *legend, *titles, *(ticks if ax.axison else [])]
    boxes = [(t.get_text(), t.get_window_extent()) for t in shown if t.get_text().strip()]
    for (a, box_a), (b, box_b) in itertools.combinations(boxes, 2):
        wide = min(box_a.x1, box_b.x1) - max(box_a.x0, box_b.x0)
        high = min(box_a.y1, box_b.y1) - max(box_a.y0, box_b.y0)
        assert wide < 1 or high < 1, f"{a!r} overlaps {b!r}"


def assert_in_colabs_font(figure):
    """Every letter is in the font that Colab has."""
    known = get_font(findfont(FontProperties(family="DejaVu Sans"))).get_charmap()
    written = "".join(text.get_text() for text in figure.findobj(mpl.text.Text))
    assert {letter for letter in written if ord(letter) not in known} <= {"\n"}


def texts(ax):
    return [text.get_text() for text in ax.texts]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]
