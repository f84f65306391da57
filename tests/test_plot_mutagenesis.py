"""What the pictures of an interpretation show: drawn numbers, texts and places, not pixels."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from tests.figure_checks import assert_legible, legend
from workshop import plot
from workshop.datasets import load_ctcf
from workshop.motifs import Motif, load_motif, similarity
from workshop.sequences import ALPHABET, one_hot_encode

CTCF = load_motif("MA0139.1")
LONG_NAME = "a convolutional network with global max pooling, found by the search (trial 137)"


def planted(length, *, seed=0):
    """A sequence with an instance of CTCF, and the scores of a model that reads the motif."""
    rng = np.random.default_rng(seed)
    data = load_ctcf()
    row = next(i for i, starts in enumerate(data.table["motif_starts"]) if len(starts) == 1)
    (site,) = data.table["motif_starts"][row]
    first = min(max(0, site + 9 - length // 2), 200 - length)
    x = data.X[row, first : first + length].astype(float)
    weights = rng.normal(0, 0.1, (200, 4))
    weights[site : site + len(CTCF)] += 0.3 * CTCF.log_odds()
    weights = weights[first : first + length]
    return (
        weights - (weights * x).sum(axis=1, keepdims=True),
        x,
        [(site - first, site - first + 19)],
    )


def pairs(width=12, *, seed=0):
    """Interactions as pairwise_mutagenesis gives them: symmetric, 0 at letters that are there."""
    rng = np.random.default_rng(seed)
    x = np.eye(4)[rng.integers(0, 4, width)]
    values = rng.normal(size=(width, 4, width, 4))
    values = values + values.transpose(2, 3, 0, 1)
    values *= (1 - x)[:, :, None, None] * (1 - x)
    values[np.arange(width), :, np.arange(width)] = 0
    return values, x


def draw_map(length, *, n_at=(), **options):
    scores, x, sites = planted(length)
    x[list(n_at)] = 0
    return lambda ax: plot.mutagenesis_map(scores, x, sites=sites, ax=ax, **options)


def draw_logo(length):
    scores, x, sites = planted(length)
    return lambda ax: plot.score_logo(scores, x, sites=sites, ax=ax)


def kernels(*output_weights):
    turned = CTCF.reverse_complement()
    names = "kernel", "motif", "weights", "output_weight"
    return [
        SimpleNamespace(**dict(zip(names, (i, motif, CTCF.log_odds(), weight), strict=True)))
        for i, (motif, weight) in enumerate(zip((CTCF, None, turned), output_weights, strict=True))
    ]


FIGURES = {
    "kernel_logos": lambda _: plot.kernel_logos(kernels(-0.5, 0.1, 0.25), reference=CTCF),
    "interaction_map": lambda ax: plot.interaction_map(*pairs(), ax=ax),
    "interaction_map, 30 bp": lambda ax: plot.interaction_map(*pairs(30), start=10**6, ax=ax),
    "importance_diagonal": lambda _: plot.importance_diagonal(
        np.eye(30), [(1,), (3, 9), *[(i,) for i in range(9)], *[()] * 19], CTCF
    ),
    "mutagenesis_map, 10 bp": draw_map(10),
    "mutagenesis_map, 60 bp": draw_map(60, n_at=[20], limit=0.5),
    "mutagenesis_map, 200 bp": draw_map(200),
    "mutagenesis_map, zeros": lambda ax: plot.mutagenesis_map(
        np.zeros((19, 4)), planted(19)[1], start=104_428_300, ax=ax
    ),
    "score_logo": draw_logo(19),
    "score_logo, 200 bp": draw_logo(200),
    "compare_motifs": lambda _: plot.compare_motifs(
        {"known": CTCF, LONG_NAME: CTCF.reverse_complement(), "again": CTCF}
    ),
}


pytestmark = pytest.mark.usefixtures("untouched_settings")


def logo_of(ax):
    return ax.child_axes[0]


def letters(ax):
    """Of each letter of a logo: its position -> its base and signed height."""
    bases = {colour.upper(): base for base, colour in plot.BASE_COLOURS.items()}
    found = {}
    for patch in ax.patches:
        if patch.get_hatch():
            continue
        box = patch.get_path().get_extents()
        height = box.y1 if abs(box.y1) > abs(box.y0) else box.y0
        where = round((box.x0 + box.x1) / 2)
        found[where] = bases[to_hex(patch.get_facecolor()).upper()], height
    return found


def bars(ax):
    """First and last position under each bar of a planted motif."""
    lines = [line for line in ax.lines if line.get_linewidth() == 3]
    return [(line.get_xdata()[0] + 0.4, line.get_xdata()[1] - 0.4) for line in lines]


# Places on the figure


def test_maps_fit_into_the_cells_of_a_grid():
    figure, axes = plt.subplots(2, 2, figsize=(11, 7), layout="constrained")
    for ax, length in zip(axes.flat, (10, 30, 60, 120), strict=True):
        draw_map(length)(ax).set_title(f"{length} bp", loc="left")
    assert_legible(figure)
    boxes = [[one.get_window_extent() for one in (ax, logo_of(ax))] for ax in axes.flat]
    for lower, upper in boxes:
        np.testing.assert_allclose([upper.x0, upper.x1], [lower.x0, lower.x1])
        assert upper.y0 > lower.y1
    assert boxes[2][1].y1 < boxes[0][0].y0, "the logo of the second row is below the first row"


@pytest.mark.parametrize("start", [0, 7, 104_428_300])
def test_one_position_has_one_number(start):
    scores, x, _ = planted(10)
    drawn = (
        plot.mutagenesis_map(scores[:1], x[:1], start=start),
        plot.score_logo(scores[:1], x[:1], start=start),
    )
    for ax in drawn:
        assert_legible(ax.figure)
        low, high = ax.get_xlim()
        within = [tick for tick in ax.xaxis.get_major_ticks() if low <= tick.get_loc() <= high]
        assert [tick.label1.get_text() for tick in within] == [f"{start:,}"]


# mutagenesis_map


def test_map_has_a_on_top_and_is_white_at_zero():
    scores, x, _ = planted(19)
    ax = plot.mutagenesis_map(scores, x)
    image = ax.images[0]
    np.testing.assert_allclose(image.get_array(), scores.T)
    red, _, blue = image.cmap(image.norm(np.abs(scores).max()))[:3]
    assert red > 2 * blue, "what raises the output is red"
    rows = {label.get_text(): y for label, y in zip(ax.get_yticklabels(), range(4), strict=True)}
    heights = [ax.transData.transform((0, rows[base]))[1] for base in ALPHABET]
    assert heights == sorted(heights, reverse=True), "A C G T from the top"
    assert image.get_extent()[2:] == [3.5, -0.5], "row 0 of the array is the top row"


def test_dot_lies_on_the_reference_base_and_n_has_none():
    x = one_hot_encode(["GATNC"])[0]
    (dots,) = (
        line for line in plot.mutagenesis_map(x - 1, x, start=100).lines if line.get_marker() == "o"
    )
    drawn = {int(position): ALPHABET[int(row)] for position, row in dots.get_xydata()}
    assert drawn == {100: "G", 101: "A", 102: "T", 104: "C"}


def test_logo_above_the_map_is_the_logo_of_the_scores():
    scores, x, sites = planted(60)
    ax = plot.mutagenesis_map(scores, x, sites=sites)
    alone = plot.score_logo(scores, x, sites=sites)
    assert letters(logo_of(ax)) == letters(alone)
    assert logo_of(ax).get_ylim() == alone.get_ylim()


def test_colours_end_where_the_limit_is():
    scores, x, _ = planted(19)
    whole, cut = (plot.mutagenesis_map(scores, x, limit=limit).images[0] for limit in (None, 0.5))
    most = np.abs(scores).max()
    assert (whole.get_clim(), cut.get_clim()) == ((-most, most), (-0.5, 0.5))
    assert whole.colorbar.ax.get_ylabel() == "change of the logit"
    assert plot.mutagenesis_map(0 * scores, x).images[0].get_clim() == (-1, 1)


def test_planted_motifs_are_bars_that_hide_no_letter():
    scores, x, _ = planted(60)
    sites = [(100, 119), (119, 130)]
    ax = plot.mutagenesis_map(scores, x, start=90, sites=sites)
    upper = logo_of(ax)
    np.testing.assert_allclose(bars(upper), [(100, 118), (119, 129)])
    assert legend(upper) == ["planted motif"]
    upper.figure.canvas.draw()
    top = max(patch.get_window_extent().y1 for patch in upper.patches)
    for line in upper.lines:
        if line.get_linewidth() == 3:
            assert line.get_transform().transform(line.get_xydata())[:, 1].min() > top + 2
    edges = {float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() != "o"}
    assert edges == {99.5, 118.5, 129.5}, "between two columns, where no cell is hidden"


def test_what_the_sites_are_is_the_callers_to_say():
    scores, x, sites = planted(30)
    named = plot.score_logo(scores, x, sites=sites, sites_label="best hit")
    assert legend(named) == ["best hit"]
    assert plot.score_logo(scores, x, sites=sites, sites_label=None).get_legend() is None


# score_logo


def test_height_is_minus_the_mean_change():
    scores, x, _ = planted(60)
    drawn = letters(plot.score_logo(scores, x, start=7))
    assert len(drawn) == 60
    for i, (row, column) in enumerate(zip(scores, x, strict=True)):
        base, height = drawn[7 + i]
        assert base == ALPHABET[column.argmax()]
        assert height == pytest.approx(-row.mean(), abs=1e-6)


def test_height_of_a_gradient_is_relative_to_the_mean_over_the_bases():
    x = one_hot_encode(["CN"])[0]
    ax = plot.score_logo([[1, 5, 2, 0], [3, 3, 3, 9]], x)
    assert letters(ax) == {0: ("C", pytest.approx(3))}  # 5 - (1 + 5 + 2 + 0) / 4; N has no letter


# compare_motifs


def columns(ax):
    """Drawn letters: (column, colour) -> height."""
    boxes = [
        (patch.get_path().get_extents(), to_hex(patch.get_facecolor())) for patch in ax.patches
    ]
    return {(round((box.x0 + box.x1) / 2), colour): box.height for box, colour in boxes}


@pytest.mark.parametrize("turned", [False, True], ids=["+", "-"])
@pytest.mark.parametrize("cut", [slice(3, 15), slice(0, 10)])
def test_like_columns_are_drawn_one_above_the_other(turned, cut):
    part = Motif("part", "part", CTCF.counts[cut])
    other = part.reverse_complement() if turned else part
    known, found = plot.compare_motifs({"known": CTCF, "found": other})
    assert columns(found).items() <= columns(known).items()
    assert {column for column, _ in columns(found)} == set(range(cut.start, cut.stop))
    assert known.get_xlim() == found.get_xlim() == (-0.5, 18.5)
    assert ("reverse complement" in found.get_title(loc="left")) == turned
    assert found.get_title(loc="left").endswith("(r = 1.000)")
    assert known.get_title(loc="left") == "known"


def test_similarity_in_the_title_is_that_of_the_motifs():
    other = Motif("other", "other", CTCF.counts[3:15] + 400)
    r = similarity(CTCF, other).correlation
    axes = plot.compare_motifs({"known": CTCF, "found": other})
    assert axes[1].get_title(loc="left") == f"found (r = {r:.3f})"
    equal = Motif("equal", "equal", np.ones((19, 4)))
    flat = plot.compare_motifs({"known": CTCF, "flat": equal})
    assert flat[1].get_title(loc="left") == "flat (no r: equal shares)"


# interaction_map


def test_cell_is_the_interaction_farthest_from_zero():
    values, x = pairs(5)
    drawn = plot.interaction_map(values, x, start=40).images[0].get_array()
    for i in range(5):
        for j in range(5):
            if i != j:
                block = [values[i, a, j, b] for a in range(4) for b in range(4)]
                assert drawn[i, j] == max(block, key=abs)
    np.testing.assert_array_equal(drawn, drawn.T)


def test_diagonal_is_grey():
    ax = plot.interaction_map(*pairs())
    image = ax.images[0]
    np.testing.assert_array_equal(np.ma.getmaskarray(image.get_array()), np.eye(12, dtype=bool))
    assert image.cmap(np.ma.masked)[3] == 0, "what lies below is seen"
    assert to_hex(ax.get_facecolor()) == "#c4c4c4"


def test_axes_of_interactions_name_letters_and_positions():
    values, x = pairs(5)
    x[2] = 0
    ax = plot.interaction_map(values, x, start=40)
    for axis in (ax.xaxis, ax.yaxis):
        drawn = [label.get_text() for label in axis.get_ticklabels()]
        assert drawn == [ALPHABET[row.argmax()] if row.any() else "N" for row in x]
    assert ax.get_xlabel() == "positions 40 to 44"
    assert ax.yaxis_inverted(), "the first position is the top row"


def test_kernel_logos_rank_by_the_output_weight_or_by_the_reference():
    first, second = plot.kernel_logos(kernels(-0.5, 0.1, 0.25), reference=CTCF)
    assert first.get_title(loc="left") == "kernel 2: weight +0.25, r = 1.000"
    assert second.get_title(loc="left") == "kernel 0: weight −0.50, r = 1.000"
    assert first.get_ylim() == (0, 2)
    (only,) = plot.kernel_logos(kernels(*[np.nan] * 3), reference=load_motif("MA0139.2"), top=1)
    assert only.get_title(loc="left").startswith("kernel ")
    assert "weight" not in only.get_title(loc="left")
