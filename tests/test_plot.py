"""What the figures show: drawn numbers, texts and colours, not pixels."""

import atexit
import base64
import struct
import sys
from functools import partial
from types import SimpleNamespace

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.colors import to_hex, to_rgb

from tests import test_plot_mutagenesis, test_plot_search
from tests.figure_checks import assert_in_colabs_font, assert_legible, figure_of, legend, texts
from workshop import plot
from workshop.architecture import (
    DAY1_CNN,
    Architecture,
    BatchNorm,
    Conv1D,
    Dense,
    Dropout,
    Flatten,
    Identity,
    MaxPool,
)
from workshop.evaluation import evaluate
from workshop.motifs import load_motif
from workshop.plot.canvas import SERIES_COLOURS
from workshop.sequences import one_hot_encode
from workshop.splits import Split

FIRST = [[-0.5, 1, -0.5, -0.5], [-0.5, 1, -0.5, -0.5], [-0.5, -0.5, 0.5, -0.5]]
SECOND = [[-0.5, -0.5, 0.5, -0.5], [-0.5, 0.5, 1, -0.5], [-0.5, -0.5, 0.5, -0.5]]
PARTS = {part: plot.COLOURS[part] for part in ("train", "val", "test")}
Y_TRUE, Y_SCORE = [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]
SERIES = {  # all end at the same height
    "Keras": ([1, 10, 100], [[0.5, 0.7, 1.0], [0.7, 0.9, 1.0]]),
    "Torch": ([1, 10, 100], np.linspace(0, 1, 40)[:, None] * [0.5, 0.5, 0] + [0, 0, 1]),
    "what else": ([1, 10, 100], [0.1, 0.3, 1.0]),
}
DEEP = Architecture(
    (
        *(Conv1D(32, 7, "relu"), BatchNorm(), MaxPool(4), Conv1D(64, 13, "tanh", padding="same")),
        *(Identity(), Dropout(0.25), Flatten(), Dense(128, "relu")),
    ),
    n_outputs=12,
    task="multilabel",
)


def history(n_epochs=3, *, validation=True):
    epoch = np.arange(1, n_epochs + 1)
    columns = {"epoch": epoch, "learning_rate": 0.001, "loss": 1 / epoch, "auroc": 1 - 0.5 / epoch}
    if validation:
        columns |= {"val_loss": 2 / epoch, "val_auroc": 1 - 0.6 / epoch}
    return SimpleNamespace(table=pd.DataFrame(columns))


def chromosomes():
    table = pd.DataFrame({"chrom": ["chr10", "chr2", "chrX", "chr2", "chr1", "chr10", "chr1"]})
    return table, Split(np.array([1, 2, 3]), np.array([0, 5]), np.array([4, 6]))


OWN = {
    "architecture": lambda ax: plot.architecture(DAY1_CNN, ax=ax),
    "architecture, deep": lambda ax: plot.architecture(DEEP, ax=ax),
    "backpropagation": lambda ax: plot.backpropagation(DEEP, ax=ax),
    "receptive_field": lambda ax: plot.receptive_field(DAY1_CNN, ax=ax),
    "bars": lambda ax: plot.bars(
        {"real": {"CNN": 0.5, "matrix": 0.9}, "simulated": {"CNN": 0.8, "matrix": 1.0}},
        references={"chance": 0.5},
        ax=ax,
    ),
    "bars, intervals": lambda ax: plot.bars(
        {"Day 1": 0.79, "winner": 0.998}, intervals={"Day 1": (0.7, 0.8), "winner": (0.9, 1)}, ax=ax
    ),
    "histogram": lambda ax: plot.histogram({"positive": [1, 2, 2], "negative": [0, 1]}, ax=ax),
    "lines": lambda ax: plot.lines(SERIES, references={"chance": 0.5}, log_x=True, ax=ax),
    "points": lambda ax: plot.points(
        {"positive": ([1, 2], [2, 1]), "negative": ([3], [1])},
        diagonal=True,
        references={"half": 1.5},
        at={"two": 2},
        ax=ax,
    ),
    "strips": lambda ax: plot.strips({"AMBER": range(20), "random": [3, 1]}, ax=ax),
    "confusion_matrix": lambda ax: plot.confusion_matrix(evaluate(Y_TRUE, Y_SCORE), ax=ax),
    "convolution_walkthrough": lambda _: plot.convolution_walkthrough("CCGAT", [FIRST, SECOND]),
    "convolution_walkthrough, long": lambda _: plot.convolution_walkthrough(
        "CCGATN", [FIRST, SECOND, FIRST]
    ),
    "convolution_walkthrough, short": lambda _: plot.convolution_walkthrough("CCGA", [FIRST]),
    "logo": lambda ax: plot.logo(load_motif("MA0139.1").information_matrix(), ax=ax),
    "one_hot": lambda ax: plot.one_hot(one_hot_encode(["CCGAT"])[0], ax=ax),
    "one_hot, site": lambda ax: plot.one_hot(
        one_hot_encode(["ACGTN" * 40])[0],
        sites=[(30, 49)],
        motif=load_motif("MA0139.1"),
        ax=ax,
    ),
    "one_hot, 60 bp": lambda ax: plot.one_hot(one_hot_encode(["ACGTN" * 12])[0], ax=ax),
    "one_hot, 200 bp": lambda ax: plot.one_hot(one_hot_encode(["ACGTN" * 40])[0], ax=ax),
    "precision_recall": lambda ax: plot.precision_recall(Y_TRUE, {"Keras": Y_SCORE}, ax=ax),
    "roc": lambda ax: plot.roc(Y_TRUE, {"PyTorch": Y_SCORE}, ax=ax),
    "split_overview": lambda ax: plot.split_overview(*chromosomes(), ax=ax),
    "training_history": lambda ax: plot.training_history({"Keras": history()}, ax=ax),
    "training_history, one epoch": lambda ax: plot.training_history(history(1), ax=ax),
}
FIGURES = OWN | test_plot_mutagenesis.FIGURES | test_plot_search.FIGURES

pytestmark = pytest.mark.usefixtures("untouched_settings")


# Every figure, as a student would draw it


def test_every_public_figure_is_among_those_tested():
    functions = {name for name in plot.__all__ if callable(getattr(plot, name))} - {
        *("show", "use_style", "row", "map_above_motif")  # the last two compose others
    }
    assert {name.split(",")[0] for name in FIGURES} == functions


@pytest.mark.parametrize("name", FIGURES)
def test_figure_is_new_or_on_given_axes_legible_and_not_shown(name, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("plt.show() was called"))
    drawn = FIGURES[name](None)
    (number,) = plt.get_fignums()
    assert plt.figure(number) is figure_of(drawn)
    assert_legible(figure_of(drawn))
    assert_in_colabs_font(figure_of(drawn))
    if isinstance(drawn, (plt.Figure, np.ndarray)):
        return  # it owns its axes
    _, (left, given) = plt.subplots(1, 2)
    assert FIGURES[name](given) is given
    assert given.has_data() or given.texts
    assert not left.has_data()
    assert len(plt.get_fignums()) == 2


def tick_texts(labels):
    return [label.get_text() for label in labels]


# show


@pytest.fixture
def displayed(tmp_path, monkeypatch):
    """A live IPython without a window: what a cell would display."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output
    from traitlets.config import Config

    # A shell puts a module of its own into the place of __main__, and a hook at the exit.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    with capture_output() as captured:
        yield captured
    atexit.unregister(shell.atexit_operations)
    shell.atexit_operations()
    InteractiveShell.clear_instance()


def test_show_displays_the_image_with_its_alternative_text_then_the_caption(displayed):
    ax = plot.one_hot(one_hot_encode(["CCGAT"])[0])
    plot.show(ax, "  A kernel\n of 2 * 2. ", alt="A red and\n blue grid.")
    image, caption = displayed.outputs
    assert set(image.data) == {"image/png", "text/plain"}
    png = base64.b64decode(image.data["image/png"])
    assert png.startswith(b"\x89PNG\r\n")
    assert image.data["text/plain"] == "A red and blue grid."
    width, _ = struct.unpack(">II", png[16:24])  # of the PNG's header, in pixels
    assert image.metadata == {"image/png": {"alt": "A red and blue grid.", "width": width // 2}}
    assert 200 < width / 2 < 300, "2.4 inches at 110 dots"
    assert caption.data == {
        "text/markdown": r"*A kernel of 2 \* 2.*",
        "text/plain": "A kernel of 2 * 2.",
    }
    assert not plt.get_fignums(), "an open figure would be drawn a second time"


def test_show_takes_a_figure_or_an_array_of_axes_and_keeps_the_others_open(displayed):
    other = plt.figure()
    for drawn in (plot.convolution_walkthrough("CCGAT", [FIRST]), plt.subplots(2, 2)[1]):
        plot.show(drawn, "Sliding.", alt="Cells.")
    assert len(displayed.outputs) == 4
    assert plt.get_fignums() == [other.number]


def test_show_outside_of_ipython_prints_the_caption(capsys):
    plot.show(plot.bars({"a": 1}), "A kernel.", alt="A grid.")
    assert capsys.readouterr().out == "A kernel.\n"
    assert not plt.get_fignums()


@pytest.mark.parametrize(("caption", "alt"), [("", "A grid."), ("A kernel.", " \n")])
def test_show_wants_caption_and_alternative_text(caption, alt):
    with pytest.raises(ValueError, match="caption and alt must not be empty"):
        plot.show(plot.bars({"a": 1}), caption, alt=alt)


def test_a_figure_without_alternative_text_is_described_by_what_was_drawn(displayed):
    climb = partial(plot.lines, {"Keras": ([1, 2, 5], [0.7, 0.6, 0.55])}, xlabel="epoch")
    shares = partial(plot.bars, {"random": 0.97, "held out": 0.49}, xlabel="AUROC")
    cloud = partial(plot.points, {"negative": ([1, 2], [3, 4])}, xlabel="x", ylabel="y")
    plot.show(plot.row(climb, shares, cloud, titles=["loss", "", ""]), "Three panels.")
    assert displayed.outputs[0].data["text/plain"] == (
        "3 panels. Loss; epoch; Keras from 0.70 to 0.55. AUROC; random 0.97, held out 0.49. "
        "Y against x; points: negative."
    )


# Charts


def test_lines_average_their_repeats_and_draw_all_or_their_spread():
    ax = plot.lines(SERIES, log_x=True, average=np.median, steps=True)
    named = {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}
    assert {line.get_drawstyle() for line in ax.lines} == {"steps-post"}
    np.testing.assert_allclose(named["Keras"].get_ydata(), [0.6, 0.8, 1.0])
    np.testing.assert_allclose(named["Torch"].get_ydata(), [0.25, 0.25, 1.0])
    assert len(ax.lines) == 2 + 2 + 3, "two repeats are drawn; of forty, where 80 % end"
    dashed = [line.get_ydata()[0] for line in ax.lines if line.get_linestyle() == "--"]
    np.testing.assert_allclose(dashed, [0.05, 0.45])  # tenths of 0 to 0.5
    assert named["Keras"].get_color() == plot.COLOURS["keras"]
    assert tick_texts(ax.get_xticklabels()) == ["1", "10", "100"]
    heights = sorted(text.get_position()[1] for text in ax.texts)
    assert min(np.diff(heights)) > 0.03


def test_lines_say_what_does_not_fit():
    with pytest.raises(ValueError, match=r"series\['a'\] must be x \(n,\), .*\(2,\) and \(3,"):
        plot.lines({"a": ([1, 2], [1, 2, 3])})


def test_bars_with_intervals_are_dots_with_lines():
    ax = plot.bars(pd.Series({"tuned": 0.9}), intervals={"tuned": (0.8, 0.95)}, number="{:.3f}")
    assert not ax.patches
    dot, line = ax.collections
    assert dot.get_offsets().tolist() == [[0.9, 0]]
    assert line.get_segments()[0].tolist() == [[0.8, 0], [0.95, 0]]
    assert [(text.get_text(), text.xy) for text in ax.texts] == [("0.900", (0.95, 0))]


def test_a_row_shares_an_axis_and_titles_its_panels():
    axes = plot.row(*[partial(plot.lines, SERIES)] * 3, titles="abc", columns=2, sharey=True)
    assert [ax.get_title(loc="left") for ax in axes] == ["a", "b", "c"]
    assert len(axes[0].get_shared_y_axes().get_siblings(axes[0])) == 3
    assert_legible(axes[0].figure)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("PyTorch", "torch"),
        ("Day 1, tuned", "tuned"),
        ("Day-1 CNN", "day1"),
        ("training", "train"),
        ("positives", "positive"),
    ],
)
def test_a_name_has_its_colour_in_every_figure(name, key):
    assert plot.lines({name: ([0, 1], [0, 1])}).lines[0].get_color() == plot.COLOURS[key]
    (bar,) = plot.bars({name: 1}).patches
    assert to_hex(bar.get_facecolor()).upper() == plot.COLOURS[key]


@pytest.mark.parametrize("name", ["training: rate 0.02", "random split", "valid words"])
def test_a_name_that_only_begins_like_one_of_the_course_does_not_get_its_colour(name):
    (bar,) = plot.bars({name: 1}).patches
    assert to_hex(bar.get_facecolor()).upper() == SERIES_COLOURS[0]


def test_style_is_switched_on_by_its_call_alone():
    assert mpl.rcParams["axes.spines.top"]
    with mpl.rc_context():
        plot.use_style()
        assert not mpl.rcParams["axes.spines.top"]


# training_history


def test_training_is_dashed_and_validation_solid_in_one_colour():
    training, validation = plot.training_history(history()).lines
    np.testing.assert_allclose(training.get_xdata(), [1, 2, 3])
    np.testing.assert_allclose(training.get_ydata(), [1, 1 / 2, 1 / 3])
    np.testing.assert_allclose(validation.get_ydata(), [2, 1, 2 / 3])
    assert (training.get_linestyle(), validation.get_linestyle()) == ("--", "-")
    assert training.get_color() == validation.get_color()


def test_two_histories_share_axes_and_differ_in_colour():
    ax = plot.training_history({"Keras": history(), "PyTorch": history(5)}, "auroc")
    assert legend(ax) == [
        *("Keras, training", "Keras, validation", "PyTorch, training", "PyTorch, validation"),
    ]
    assert [line.get_color() for line in ax.lines] == [
        *[plot.COLOURS["keras"]] * 2,
        *[plot.COLOURS["torch"]] * 2,
    ]
    assert ax.get_ylabel() == "AUROC"
    assert len(ax.lines[-1].get_xdata()) == 5


def test_a_learning_rate_is_drawn_as_steps():
    (line,) = plot.training_history(history(), "learning_rate").lines
    assert line.get_drawstyle() == "steps-mid"


# Evaluation


def test_confusion_matrix_has_the_truth_as_rows():
    # Threshold 0.3: of the negatives 1 is right; of the positives all 3.
    scores = evaluate([0, 0, 1, 1, 1], [0.1, 0.4, 0.35, 0.8, 0.9], threshold=0.3)
    ax = plot.confusion_matrix(scores)
    by_place = {text.get_position(): text.get_text().split("\n") for text in ax.texts}
    assert by_place == {
        (0, 0): ["true negatives", "1", "50 % of row"],
        (1, 0): ["false positives", "1", "50 % of row"],
        (0, 1): ["false negatives", "0", "0 % of row"],
        (1, 1): ["true positives", "3", "100 % of row"],
    }
    assert tick_texts(ax.get_yticklabels()) == ["negative", "positive"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("prediction", "truth")
    np.testing.assert_allclose(ax.images[0].get_array(), [[0.5, 0.5], [0, 1]])
    assert ax.get_title(loc="left") == "threshold 0.3"


def test_confusion_matrix_of_one_class_says_that_a_row_is_empty():
    ax = plot.confusion_matrix(SimpleNamespace(tp=2, fp=0, tn=0, fn=2, threshold=0.5))
    assert [text.split("\n")[2] for text in texts(ax)] == [*["empty row"] * 2, *["50 % of row"] * 2]


def test_roc_curve_by_hand_takes_columns_and_draws_chance_once():
    # From the highest score down: positive, negative, positive, negative.
    ax = plot.roc(np.array(Y_TRUE)[:, None], np.array(Y_SCORE)[:, None])
    np.testing.assert_allclose(
        ax.lines[-1].get_xydata(), [[0, 0], [0, 0.5], [0.5, 0.5], [0.5, 1], [1, 1]]
    )
    assert legend(ax) == ["AUROC 0.750"]
    ax = plot.roc(Y_TRUE, {"Keras": Y_SCORE, "PyTorch": -np.array(Y_SCORE)})
    assert legend(ax) == ["Keras: AUROC 0.750", "PyTorch: AUROC 0.250"]
    assert texts(ax) == ["chance"]
    assert len({line.get_color() for line in ax.lines}) == 3
    assert ax.lines[-1].get_linestyle() == "--", "it may lie on the first"


def test_precision_recall_curve_by_hand():
    ax = plot.precision_recall(Y_TRUE, Y_SCORE)
    assert legend(ax) == ["average precision 0.833"]  # 0.5 * 1 + 0.5 * 2/3
    np.testing.assert_allclose(
        ax.lines[-1].get_xydata(), [[1, 0.5], [1, 2 / 3], [0.5, 0.5], [0.5, 1], [0, 1]]
    )
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 0.5)
    assert ax.lines[-1].get_drawstyle() == "steps-post", "no line between two thresholds"
    # Chance is drawn once for each share of positives.
    labels = {"turned": Y_TRUE, "rare": [0, 0, 0, 1]}
    labels["as it was"] = Y_TRUE
    scores = {"turned": Y_SCORE[::-1], "rare": Y_SCORE, "as it was": Y_SCORE}
    ax = plot.precision_recall(labels, scores)
    assert texts(ax) == ["chance: 0.500", "chance: 0.250"]
    assert [label.split(":")[0] for label in legend(ax)] == ["turned", "rare", "as it was"]
    with pytest.raises(ValueError, match="must hold both 0 and 1; got only 1"):
        plot.precision_recall([1, 1], [0.1, 0.2])


# Sequences


def test_logo_stacks_letters_and_puts_negative_ones_below():
    ax = plot.logo([[1, 0, 0, 0.5], [0, -0.25, 0, 0]], start=100, ylabel="score")
    assert ax.get_ylabel() == "score"
    assert ax.get_xlim() == (99.5, 101.5)
    boxes = {
        to_hex(patch.get_facecolor()).upper(): patch.get_path().get_extents().bounds
        for patch in ax.patches
        if patch.get_path().get_extents().height > 0
    }
    a, c, t = (boxes[plot.BASE_COLOURS[base]] for base in "ACT")  # x, y, width, height
    np.testing.assert_allclose([t[1], t[3], a[1], a[3]], [0, 0.5, 0.5, 1])
    np.testing.assert_allclose([c[1], c[3]], [-0.25, 0.25])
    assert a[0] < 100.5 < c[0]


def test_logo_in_bits_goes_from_0_to_2_and_only_then():
    assert plot.logo(load_motif("MA0139.1").information_matrix()).get_ylim() == (0, 2)
    assert plot.logo([[3.0, 0, 0, 0]]).get_ylim()[1] > 2
    assert plot.logo([[0.1, 0, 0, 0]], ylabel="score").get_ylim()[1] < 2


def test_logo_without_a_letter_is_drawn():
    ax = plot.logo(np.zeros((3, 4)), ylabel="score")
    assert ax.get_ylim() == (-1, 1)
    assert not ax.patches
    assert plot.logo(np.zeros((3, 4))).get_ylim() == (0, 2)


@pytest.mark.parametrize("draw", [plot.logo, plot.one_hot])
def test_other_shapes_than_positions_by_bases_are_refused(draw):
    with pytest.raises(ValueError, match=r"must have shape \(L, 4\); got \(3, 4, 8\)\. Of a "):
        draw(np.zeros((3, 4, 8)))


def test_one_hot_colours_the_base_and_nothing_else():
    ax = plot.one_hot(one_hot_encode(["CANT"])[0])
    picture = ax.images[0].get_array()  # (4, L, 3)
    empty = to_rgb("#f4f4f4")
    for (row, column), hit in np.ndenumerate(
        [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
    ):
        colour = to_rgb(plot.BASE_COLOURS["ACGT"[row]]) if hit else empty
        np.testing.assert_allclose(picture[row, column], colour, atol=0.01)
    assert tick_texts(ax.get_xticklabels()) == ["C", "A", "N", "T"]
    assert tick_texts(ax.get_yticklabels()) == ["A", "C", "G", "T"]
    assert ax.yaxis_inverted(), "A must be the top row"


def test_one_hot_brackets_its_sites_in_the_sequences_positions():
    motif = load_motif("MA0139.1")
    x = one_hot_encode(["ACGT" * 20])[0]
    ax = plot.one_hot(x, start=100, sites=[(120, 139)], motif=motif)
    (bracket,) = ax.lines
    assert (min(bracket.get_xdata()), max(bracket.get_xdata())) == (19.55, 38.45)
    (over,) = ax.child_axes
    assert over.get_xlim() == (-0.5, 18.5)
    ax.figure.canvas.draw()
    places = [one.get_window_extent().x0 for one in (over, ax)]
    pixels = ax.transData.transform([(19.55, 0), (-0.5, 0)])[:, 0]
    np.testing.assert_allclose(places, pixels, atol=0.5)
    assert {int(t.get_text()) - t.get_position()[0] for t in ax.get_xticklabels()} == {100}


@pytest.mark.parametrize(("length", "letters"), [(60, 60), (61, 0)])
def test_one_hot_writes_what_is_legible(length, letters):
    ax = plot.one_hot(one_hot_encode(["G" * length])[0])
    assert tick_texts(ax.get_xticklabels()).count("G") == letters


# Data


def bars_by_part(ax):
    return {
        part: [
            bar.get_height() for bar in ax.patches if to_hex(bar.get_facecolor()) == colour.lower()
        ]
        for part, colour in PARTS.items()
    }


def test_split_overview_by_chromosome_has_one_colour_a_bar():
    ax = plot.split_overview(*chromosomes())
    assert tick_texts(ax.get_xticklabels()) == ["1", "2", "10", "X"]  # natural order
    assert bars_by_part(ax) == {"train": [0, 2, 0, 1], "val": [0, 0, 2, 0], "test": [2, 0, 0, 0]}
    assert legend(ax) == ["train: 3 (42.9 %)", "val: 2 (28.6 %)", "test: 2 (28.6 %)"]


def test_split_overview_at_random_stacks_the_parts():
    table, _ = chromosomes()
    ax = plot.split_overview(table, Split(np.array([0, 1, 4]), np.array([3]), np.array([5, 6, 2])))
    assert bars_by_part(ax) == {"train": [1, 1, 1, 0], "val": [0, 1, 0, 0], "test": [1, 0, 1, 1]}
    tops = {}
    for bar in ax.patches:
        if bar.get_height():
            assert bar.get_y() == tops.get(bar.get_x(), 0), "stacked without gap or overlap"
            tops[bar.get_x()] = bar.get_y() + bar.get_height()
    assert list(tops.values()) == [2, 2, 2, 1]


# Diagrams


def results(ax):
    """Texts of the numbers in round boxes and their places, as drawn."""
    return [t.get_text() for t in ax.texts if t.get_weight() == "bold" and "." in t.get_text()]


def test_walkthrough_shows_the_courses_numbers():
    figure = plot.convolution_walkthrough("CCGAT", [FIRST, SECOND])
    _, one, two, pooling = figure.axes
    sums = {ax: [t.get_text() for t in ax.texts if t.get_text().endswith("=")] for ax in (one, two)}
    assert sums[one] == ["1 + 1 + 0.5 =", "1 − 0.5 − 0.5 =", "−0.5 − 0.5 − 0.5 ="]
    assert sums[two] == ["−0.5 + 0.5 + 0.5 =", "−0.5 + 1 − 0.5 =", "0.5 − 0.5 − 0.5 ="]
    assert [t for t in texts(one) if t in ("2.5", "0.0", "−1.5")] == ["2.5", "0.0", "−1.5"]
    assert [t for t in texts(two) if t == "0.0"] == ["0.0"]
    assert results(pooling) == [
        *("2.5", "0.0", "−1.5", "0.5", "0.0", "−0.5"),  # feature map, a row a kernel
        *("2.5", "0.0", "0.5", "0.0"),  # max pool
        *("2.5", "0.5", "0.0", "0.0"),  # flatten: channels last, as both frameworks do
        *("1.25", "0.25"),  # GAP
        *("2.5", "0.5"),  # GMP
    ]
    assert "looks for CCG" in texts(one)
    assert any("5 − 3 + 1 = 3" in text for text in texts(figure.axes[0]))


def test_walkthrough_shows_products_only_inside_of_the_frame():
    drawn = plot.convolution_walkthrough("CCGAT", [FIRST]).axes[1].texts
    panels = iter(drawn[[text.get_text() for text in drawn].index("looks for CCG") + 1 :])
    for i in range(3):
        for position, letter in enumerate("CCGAT"):
            inside = i <= position < i + 3
            assert (next(panels).get_color() == plot.BASE_COLOURS[letter]) == inside
            for base, cell in zip("ACGT", panels, strict=False):
                hit = base == letter
                value = FIRST[position - i]["ACGT".index(base)] * hit if inside else float(hit)
                assert float(cell.get_text().replace("−", "-")) == value
                assert (cell.get_weight() == "bold") == (inside and hit)
        assert next(panels).get_text().endswith("=")
        next(panels)  # the sum


def test_architecture_says_what_each_layer_does():
    drawn = texts(plot.architecture(DAY1_CNN))
    shapes = ["200 × 4", "200 × 32", "50 × 32", "32", "1"]
    # 7 * 4 * 32 + 32 = 928; 32 + 1 = 33; as in the course, 961 in all.
    for column in (shapes, ["928", "0", "0", "33", "961"]):
        assert [text for text in drawn if text in column] == column
    names = ["Input", "Conv1D", "MaxPool", "GlobalAvgPool", "Output: Dense"]
    assert [text for text in drawn if text in names] == names
    assert "filters 32, kernel size 7, activation relu, padding same" in drawn
    assert "pool size 4" in drawn
    assert "units 1, activation sigmoid" in drawn


def test_receptive_field_is_that_of_the_gradient():
    conv, pool = torch.nn.functional.conv1d, torch.nn.functional.avg_pool1d
    X = torch.ones((1, 1, 60), requires_grad=True)
    values = pool(conv(X, torch.ones(1, 1, 3), padding=1), 2)
    values = conv(pool(conv(values, torch.ones(1, 1, 4)), 3), torch.ones(1, 1, 2))
    values[0, 0, 3].backward()
    layers = Conv1D(8, 3, padding="same"), MaxPool(2), Conv1D(8, 4), MaxPool(3), Conv1D(8, 2)
    drawn = texts(plot.receptive_field(Architecture((*layers, Flatten()), 60)))
    assert f"sees {int((X.grad != 0).sum())} letters" in drawn
    assert "sees 4 letters" in drawn, "after the first pool: 3 + 1"
