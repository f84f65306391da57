"""What the pictures of a search show: drawn numbers, texts and colours, not pixels."""

import itertools
from types import SimpleNamespace

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from tests.figure_checks import assert_in_colabs_font, assert_legible, figure_of, legend, texts
from workshop import plot
from workshop.plot import controllers, diagrams, searches
from workshop.plot.tables import layer_names

# The course's space, as nas.space_table gives it.
CONVOLUTIONS = [
    "conv1d(filters={}, kernel_size=" + f"{size}, activation={name}, padding=same)"
    for name in ("relu", "tanh")
    for size in (7, 13, 3)
]
COURSE = [
    [text.format(32) for text in CONVOLUTIONS],
    ["maxpool1d(pool_size=4)", "avgpool1d(pool_size=4)", "identity"],
    [*(text.format(64) for text in CONVOLUTIONS), "identity"],
    ["flatten", "globalavgpool1d", "globalmaxpool1d"],
]
WIDE = [
    [
        f"conv1d(filters={f}, kernel_size={k}, activation=relu)"
        for f in (16, 32, 64, 128)
        for k in (3, 5, 7, 11)
    ],
    ["identity"],
    ["dense(units=16, activation=relu)", "dense(units=64, activation=relu)", "dropout(rate=0.3)"],
]
MIXED = ["dense(units=4)", "dense(units=8)", "drop(rate=1)", "drop(rate=2)"]
CONV = [f"relu {k}" for k in (7, 13, 3)] + [f"tanh {k}" for k in (7, 13, 3)]


def space_table(layers=COURSE):
    return pd.DataFrame(
        [
            {"layer": layer, "token": token, "operation": text}
            for layer, texts in enumerate(layers)
            for token, text in enumerate(texts)
        ]
    )


def search(n_steps=20, layers=COURSE, method="AMBER"):
    """A made-up result: two children a step, of which every fifth fails."""
    rng = np.random.default_rng(n_steps)
    trials, shares, entropies = [], [], []
    for step in range(1, n_steps + 1):
        for layer, names in enumerate(layers):
            p = rng.dirichlet(np.linspace(1, 1 + step / 4, len(names)) * 5)
            entropies.append({"step": step, "layer": layer, "entropy": -np.sum(p * np.log2(p))})
            shares += [
                {"step": step, "layer": layer, "token": token, "operation": text, "probability": q}
                for token, (text, q) in enumerate(zip(names, p, strict=True))
            ]
        for _ in range(2):
            tokens = tuple(int(rng.integers(len(names))) for names in layers)
            failed = len(trials) % 5 == 4
            trials.append(
                {
                    "trial": len(trials) + 1,
                    "tokens": tokens,
                    "operations": tuple(layers[i][token] for i, token in enumerate(tokens)),
                    "reward": 0.5 if failed else 1 - 0.4 * rng.random() ** 3,
                    "epochs": 0 if failed else 5,
                    "seconds": 1.25,
                    "status": "failed" if failed else "ok",
                }
            )
    return SimpleNamespace(
        method=method,
        history=pd.DataFrame(trials),
        token_probabilities=pd.DataFrame(shares),
        entropy=pd.DataFrame(entropies),
    )


def history(rewards, *, epochs=5, status=None):
    table = pd.DataFrame({"reward": rewards, "epochs": epochs, "seconds": 1.5})
    return table.assign(status=status or ["ok"] * len(rewards))


THREE = {"AMBER": search(), "random search": search(30), "successive halving": search(12)}
ON_AXES = {
    "controller_unrolled": lambda ax: plot.controller_unrolled(
        space_table(), [0, 0, 6, 1], [np.full(n, 1 / n) for n in (6, 3, 7, 3)], ax=ax
    ),
    "controller_unrolled, wide": lambda ax: plot.controller_unrolled(
        space_table(WIDE), [15, 0, 2], ax=ax
    ),
    "entropy": lambda ax: plot.entropy(search(60), ax=ax),
    "entropy, one step": lambda ax: plot.entropy(search(1), ax=ax),
    "entropy, no choice": lambda ax: plot.entropy(search(3, [["identity"]]), ax=ax),
    "model_space": lambda ax: plot.model_space(space_table(), ax=ax),
    "model_space, tokens": lambda ax: plot.model_space(space_table(), tokens=(0, 0, 6, 1), ax=ax),
    "model_space, wide": lambda ax: plot.model_space(space_table(WIDE), ax=ax),
    "search_loop": lambda ax: plot.search_loop(ax=ax),
    "search_progress": lambda ax: plot.search_progress(THREE, target=0.99, ax=ax),
    "search_progress, one trial": lambda ax: plot.search_progress(
        {"AMBER": history([0.7])}, target=0.99, x="trials", ax=ax
    ),
    "token_probabilities, layer": lambda axes: plot.token_probabilities(
        search(), layer=2, axes=axes
    ),
}
ALL = ON_AXES | {
    "reward_by_operation": lambda axes: plot.reward_by_operation(search(), axes=axes),
    "reward_by_operation, wide": lambda _: plot.reward_by_operation(search(20, WIDE)),
    "reward_by_operation, one trial": lambda axes: plot.reward_by_operation(search(1), axes=axes),
    "token_probabilities": lambda axes: plot.token_probabilities(search(60), axes=axes),
    "token_probabilities, wide": lambda _: plot.token_probabilities(search(20, WIDE)),
    "token_probabilities, one step": lambda axes: plot.token_probabilities(search(1), axes=axes),
}


pytestmark = pytest.mark.usefixtures("untouched_settings")


def line(ax, start):
    """The line whose label starts so."""
    (found,) = (line for line in ax.lines if str(line.get_label()).startswith(start))
    return found


# All figures


def test_every_figure_of_a_search_is_among_those_tested():
    modules = (controllers, searches, diagrams)
    functions = {name for module in modules for name in module.__all__}
    assert {name.split(",")[0] for name in ALL} == functions
    assert functions <= set(plot.__all__)


@pytest.mark.parametrize("name", ON_AXES)
def test_given_axes_are_drawn_on_and_returned(name):
    _, (left, right) = plt.subplots(1, 2)
    assert np.ravel(ON_AXES[name](right))[0] is right
    assert right.has_data() or right.texts
    assert not left.has_data()
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("name", ["reward_by_operation", "token_probabilities"])
def test_given_panels_are_drawn_on_and_returned(name):
    _, axes = plt.subplots(2, 2)
    drawn = ALL[name](axes)
    assert drawn.shape == (4,)
    assert list(drawn) == list(axes.ravel())
    assert all(ax.has_data() for ax in drawn)


@pytest.mark.parametrize("name", ALL)
def test_without_axes_there_is_one_new_figure_and_it_is_not_shown(name, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("plt.show() was called"))
    drawn = ALL[name](None)
    assert len(plt.get_fignums()) == 1
    assert plt.figure(plt.get_fignums()[0]) is figure_of(drawn)


@pytest.mark.parametrize("name", ALL)
def test_figure_is_legible_in_the_font_that_colab_has(name):
    figure = figure_of(ALL[name](None))
    assert_legible(figure)
    assert_in_colabs_font(figure)


# Names of operations


@pytest.mark.parametrize(
    ("operations", "names", "common"),
    [
        (COURSE[0], CONV, "conv, filters 32, padding same"),
        (COURSE[1], ["max 4", "average 4", "identity"], ""),
        (COURSE[2], [*CONV, "identity"], "conv, filters 64, padding same"),
        (COURSE[3], ["flatten", "GAP", "GMP"], ""),
        (WIDE[0][:2], ["conv 3", "conv 5"], "conv, filters 16, activation relu"),
        ([WIDE[0][0], WIDE[0][-1]], ["conv f16 k3", "conv f128 k11"], "conv, activation relu"),
        (WIDE[2], ["dense 16", "dense 64", "dropout 0.3"], "dense, activation relu"),
        ([CONVOLUTIONS[0].format(8), "identity"], ["conv", "identity"], ""),
        (["identity", "identity"], ["identity (token 0)", "identity (token 1)"], "identity"),
        (MIXED, ["dense 4", "dense 8", "drop 1", "drop 2"], ""),  # no type that is the layer's
        (["f(a=(2, 3), on=True)", "f(a=(4, 3), on=True)"], ["f (2, 3)", "f (4, 3)"], "f, on True"),
        (["f(size=2, seed=2)", "f(size=3, seed=3)"], ["f size 2 seed 2", "f size 3 seed 3"], "f"),
    ],
)
def test_names_keep_what_differs(operations, names, common):
    assert layer_names(operations) == (names, common)


# search_progress


def test_best_so_far_by_hand():
    rewards = [0.7, 0.4, 0.9, 0.8, 0.95]
    ax = plot.search_progress({"mine": history(rewards)})
    best = line(ax, "mine")
    np.testing.assert_allclose(best.get_xdata(), [5, 10, 15, 20, 25])
    np.testing.assert_allclose(best.get_ydata(), [0.7, 0.7, 0.9, 0.9, 0.95])
    assert best.get_drawstyle() == "steps-post"
    np.testing.assert_allclose(ax.lines[0].get_ydata(), rewards)
    assert ax.lines[0].get_alpha() < 0.5
    assert legend(ax) == ["mine: best 0.950"]
    assert ax.get_yscale() == "linear"


@pytest.mark.parametrize(
    ("x", "expected", "label"),
    [
        ("epochs", [1, 3, 6], "epochs trained"),
        ("trials", [1, 2, 3], "trials"),
        ("seconds", [1.5, 3, 4.5], "seconds"),
    ],
)
def test_budget_adds_up(x, expected, label):
    ax = plot.search_progress({"a": history([0.5, 0.6, 0.7], epochs=[1, 2, 3])}, x=x)
    np.testing.assert_allclose(line(ax, "a").get_xdata(), expected)
    assert ax.get_xlabel().startswith(label)
    assert ax.get_xlim()[0] == 0


def test_failed_trials_are_crosses_on_the_edge_and_never_best():
    table = history(
        [0.99, 0.6, 0.98, 0.7], epochs=[0, 5, 0, 5], status=["impossible", "ok", "failed", "ok"]
    )
    ax = plot.search_progress({"a": table})
    np.testing.assert_allclose(line(ax, "a").get_ydata(), [np.nan, 0.6, 0.6, 0.7])
    assert legend(ax) == ["a: best 0.700", "did not finish"]
    (crosses,) = (one for one in ax.lines if one.get_marker() == "x" and len(one.get_xdata()))
    np.testing.assert_allclose(crosses.get_xdata(), [0, 5])
    ax.set_ylim(0.69, 0.71)  # a student looks closer: they stay on the edge
    pixels = crosses.get_transform().transform(crosses.get_xydata())[:, 1]
    low, high = ax.bbox.y0, ax.bbox.y1
    assert np.all((low < pixels) & (pixels < low + 0.05 * (high - low)))


def test_target_is_reached_by_the_first_trial_at_or_above_it():
    tables = {"a": history([0.5, 0.9, 0.99]), "b": history([0.6, 0.7])}
    ax = plot.search_progress(tables, target=0.9)
    assert legend(ax) == [
        "a: best 0.990, target after 10 epochs",
        "b: best 0.700, below target",
        "target 0.9",
    ]
    rings = [one for one in ax.lines if one.get_markerfacecolor() == "white"]
    assert [list(map(list, ring.get_xydata())) for ring in rings] == [[[10, 0.9]], []]
    dotted = line(ax, "target")
    assert (dotted.get_linestyle(), *dotted.get_ydata()) == (":", 0.9, 0.9)


def test_searches_differ_in_colour_and_in_grey():
    ax = plot.search_progress(THREE)
    best = [line(ax, name) for name in THREE]
    assert len({one.get_color() for one in best}) == 3
    assert len({one.get_linestyle() for one in best}) == 3
    assert [text.split(":")[0] for text in legend(ax)] == [*THREE, "did not finish"]


def test_one_result_goes_by_its_method():
    result = SimpleNamespace(method="random search", history=history([0.8]))
    assert legend(plot.search_progress(result)) == ["random search: best 0.800"]


def test_search_without_a_finished_trial_says_so():
    ax = plot.search_progress({"a": history([0.5, 0.5], status=["failed"] * 2)}, target=0.9)
    assert legend(ax) == ["a: no trial finished", "target 0.9", "did not finish"]


@pytest.mark.parametrize(
    ("results", "options", "error", "message"),
    [
        ({}, {}, ValueError, "at least one search; got an empty dict"),
        (history([0.5]), {}, TypeError, r"results must be .* such as \{'AMBER'.* got DataFrame"),
        ({"a": [0.5]}, {}, TypeError, r"results\['a'\] must have the table `history`.* got list"),
        (
            {"a": history([])},
            {},
            ValueError,
            r"results\['a'\] must have at least one row; got none",
        ),
        (
            *({"a": history([0.5]).drop(columns="epochs")}, {}, ValueError),
            r"results\['a'\] must have the column epochs; got reward, seconds",
        ),
        ({"a": history([0.5])}, {"x": "hours"}, ValueError, "epochs, trials, seconds; got 'hours'"),
    ],
)
def test_search_progress_refuses(results, options, error, message):
    with pytest.raises(error, match=message):
        plot.search_progress(results, **options)
    assert not plt.get_fignums()


# reward_by_operation


def small():
    table = history([0.6, 0.8, 0.9, 0.99], status=["ok", "ok", "ok", "failed"])
    table["tokens"] = [(0, 1), (0, 0), (1, 1), (1, 0)]
    layers = [["maxpool1d(pool_size=4)", "identity"], ["flatten", "globalmaxpool1d"]]
    table["operations"] = [(layers[0][a], layers[1][b]) for a, b in table["tokens"]]
    return SimpleNamespace(history=table)


def test_rewards_by_operation_by_hand():
    first, second = plot.reward_by_operation(small())
    names = [[label.get_text() for label in ax.get_yticklabels()] for ax in (first, second)]
    assert names == [["max 4 (2)", "identity (1)"], ["flatten (1)", "GMP (2)"]]
    dots, medians = first.lines[::2], first.lines[1::2]
    assert [list(one.get_xdata()) for one in dots] == [[0.6, 0.8], [0.9]]
    np.testing.assert_allclose([one.get_xdata() for one in medians], [[0.7] * 2, [0.9] * 2])
    for row, (one, median) in enumerate(zip(dots, medians, strict=True)):
        assert np.all(np.abs(one.get_ydata() - row) < 0.3)
        assert np.mean(median.get_ydata()) == row
    assert first.yaxis_inverted(), "the first token is at the top"


def test_jitter_is_the_same_each_time():
    a, b = (plot.reward_by_operation(search())[0].lines[0].get_xydata() for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_operations_never_tried_have_an_empty_row():
    result = small()
    result.token_probabilities = space_table(
        [["maxpool1d(pool_size=4)", "identity", "avgpool1d(pool_size=4)"], COURSE[3][::2]]
    )
    names = [label.get_text() for label in plot.reward_by_operation(result)[0].get_yticklabels()]
    assert names == ["max 4 (2)", "identity (1)", "average 4 (0)"]


def test_reward_by_operation_refuses():
    result = small()
    with pytest.raises(ValueError, match=r"axes must be 2 matplotlib Axes.*got 1 \(Axes\)"):
        plot.reward_by_operation(result, axes=plt.subplots()[1])
    with pytest.raises(ValueError, match=r"axes must be 2 matplotlib Axes.*got 2 \(str\)"):
        plot.reward_by_operation(result, axes=["left", "right"])
    result.history["status"] = "diverged"
    with pytest.raises(ValueError, match=r"a trial that finished .* got none"):
        plot.reward_by_operation(result)
    with pytest.raises(TypeError, match=r"result must have the table `history`.* got dict"):
        plot.reward_by_operation({})
    result.history = result.history.head(0)
    with pytest.raises(ValueError, match=r"result\.history must have at least one row; got none"):
        plot.reward_by_operation(result)


# token_probabilities and entropy


def controller():
    """Two steps, two layers: three operations that stay, two of which the second wins."""
    table = space_table([["flatten", "globalavgpool1d", "globalmaxpool1d"], ["identity", "dense"]])
    steps = pd.concat([table.assign(step=1), table.assign(step=4)], ignore_index=True)
    steps["probability"] = [*[1 / 3] * 3, 0.5, 0.5, *[1 / 3] * 3, 0.2, 0.8]
    bits = pd.DataFrame({"step": [1, 1, 4, 4], "layer": [0, 1, 0, 1]})
    return SimpleNamespace(
        token_probabilities=steps, entropy=bits.assign(entropy=[1.585, 1, 1.585, 0.722])
    )


def test_probabilities_by_hand():
    first, second = plot.token_probabilities(controller())
    (identity, dense), uniform = second.lines[:2], second.lines[2]
    np.testing.assert_allclose(identity.get_xydata(), [[1, 0.5], [4, 0.2]])
    np.testing.assert_allclose(dense.get_xydata(), [[1, 0.5], [4, 0.8]])
    assert (uniform.get_linestyle(), *uniform.get_ydata()) == (":", 0.5, 0.5)
    assert first.lines[3].get_ydata()[0] == pytest.approx(1 / 3)
    labels = {text.get_text(): text for text in second.texts}
    for name, drawn in (("identity", identity), ("dense", dense)):
        assert labels[name].get_color() == drawn.get_color()
        assert labels[name].get_position()[1] == pytest.approx(drawn.get_ydata()[-1])
    assert to_hex(identity.get_color()) == "#8a8a8a"
    assert first.get_ylim() == second.get_ylim()


def test_labels_of_equal_lines_stand_apart_in_the_order_of_the_tokens():
    ax = plot.token_probabilities(controller())[0]
    heights = {text.get_text(): text.get_position()[1] for text in ax.texts}
    assert sorted(heights, key=heights.get, reverse=True) == ["flatten", "GAP", "GMP"]
    assert heights["GAP"] == pytest.approx(1 / 3)
    assert heights["flatten"] - heights["GAP"] > 0.03


def test_one_layer_is_one_panel():
    (ax,) = plot.token_probabilities(controller(), layer=1)
    assert ax.get_title(loc="left") == "layer 1"
    assert sorted(texts(ax)) == ["dense", "identity"]
    (ax,) = plot.token_probabilities(search(), layer=2)
    assert ax.get_title(loc="left") == "layer 2: conv, filters 64, padding same"


def test_one_step_is_visible_at_a_whole_number():
    result = search(1)
    for ax in (plot.entropy(result), *plot.token_probabilities(result)):
        assert ax.lines[0].get_marker() == "o"
        low, high = ax.get_xlim()
        assert [tick for tick in ax.get_xticks() if low <= tick <= high] == [1]


def test_entropy_by_hand():
    ax = plot.entropy(controller())
    np.testing.assert_allclose(line(ax, "layer 0").get_ydata(), [1.585, 1.585])
    np.testing.assert_allclose(line(ax, "layer 1").get_ydata(), [1, 0.722])
    np.testing.assert_allclose(line(ax, "sum").get_ydata(), [2.585, 2.307])
    expected = ("layer 1", "1"), ("layer 0", "1.58"), ("sum", "2.58")
    # log2(3) = 1.585, log2(2) = 1, and both together log2(6) = 2.585; from below.
    assert texts(ax) == [f"{name} (at most {bits})" for name, bits in expected]
    most = [one.get_ydata()[0] for one in ax.lines if one.get_linestyle() == ":"]
    np.testing.assert_allclose(most, np.log2([3, 2, 6]))


def test_entropy_of_one_layer_has_no_sum():
    assert texts(plot.entropy(search(3, [["flatten", "identity"]]))) == ["layer 0 (at most 1)"]


def test_controller_figures_refuse():
    result = controller()
    with pytest.raises(ValueError, match="layer must be one of 0, 1; got 2"):
        plot.token_probabilities(result, layer=2)
    with pytest.raises(ValueError, match=r"axes must be 2 matplotlib Axes.*got 4 \(Axes\)"):
        plot.token_probabilities(result, axes=plt.subplots(2, 2)[1])
    for function in (plot.token_probabilities, plot.entropy):
        with pytest.raises(TypeError, match=r"result must have the table .* got DataFrame"):
            function(result.entropy)
    empty = SimpleNamespace(
        token_probabilities=result.token_probabilities.head(0), entropy=result.entropy.head(0)
    )
    for function, name in ((plot.token_probabilities, "token_prob"), (plot.entropy, "entropy")):
        with pytest.raises(ValueError, match=rf"result\.{name}.* at least one row; got none"):
            function(empty)


# Diagrams


def blocks(ax):
    return [patch for patch in ax.patches if isinstance(patch, mpl.patches.FancyBboxPatch)]


def test_space_has_a_block_for_each_operation_and_all_paths():
    ax = plot.model_space(space_table())
    assert len(blocks(ax)) == 6 + 3 + 7 + 3 + 2  # and the input and the output
    assert len(ax.lines) == 6 + 6 * 3 + 3 * 7 + 7 * 3 + 3
    assert texts(ax)[-1] == "6 × 3 × 7 × 3 = 378 architectures"
    assert [text for text in texts(ax) if text in CONV] == CONV * 2
    assert not [one for one in ax.texts if getattr(one, "arrow_patch", None)]


def test_tokens_are_joined_and_stand_out():
    ax = plot.model_space(space_table(), tokens=np.array([0, 0, 6, 1]))
    bold = [one.get_text() for one in ax.texts if one.get_weight() == "bold"]
    assert bold[4:] == ["relu 7", "max 4", "identity", "GAP"]  # after the names of the layers
    arrows = [one for one in ax.texts if getattr(one, "arrow_patch", None)]
    assert len(arrows) == 5
    for before, after in itertools.pairwise(arrows):
        assert before.xy[1] == after.xyann[1], "an arrow starts where the one before ends"
    assert texts(ax)[-1] == "tokens [0, 0, 6, 1]: one of 6 × 3 × 7 × 3 = 378 architectures"


def test_unrolled_controller_multiplies_what_was_sampled():
    shares = [[0.1, 0.1, 0.5, 0.1, 0.1, 0.1], [0.2, 0.2, 0.6], [0.1] * 6 + [0.4], [0, 0, 1]]
    ax = plot.controller_unrolled(space_table(), [2, 2, 6, 2], shares)
    drawn = texts(ax)
    # 0.5 * 0.6 * 0.4 * 1 = 0.12
    assert drawn[-1] == "P(tokens) = 0.500 × 0.600 × 0.400 × 1.000 = 0.12"
    sampled = ["2: relu 3", "2: identity", "6: identity", "2: GMP"]
    assert [text for text in drawn if text in sampled] == sampled
    fed = [text.split("\n")[1] for text in drawn if text.startswith("embedding of")]
    assert fed == sampled[:-1], "what was sampled is the next input"
    bars = [one for one in ax.patches if type(one) is mpl.patches.Rectangle and one.get_fill()]
    chosen = [one for one in bars if to_hex(one.get_facecolor()).upper() == plot.SERIES_COLOURS[1]]
    assert len(bars) == 6 + 3 + 7 + 3
    lengths = np.array([one.get_width() for one in chosen])
    np.testing.assert_allclose(lengths / lengths[-1], [0.5, 0.6, 0.4, 1])


def test_untrained_controller_is_uniform():
    ax = plot.controller_unrolled(space_table(), [0, 0, 6, 1])
    assert texts(ax)[-1] == "P(tokens) = 0.167 × 0.333 × 0.143 × 0.333 = 0.0026"  # 1 / 378


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([0, 0, 6], "tokens must be 4 numbers, one a layer; got 3"),
        ([0, 0, 7, 1], "token of layer 2 must be from 0 to 6; got 7"),
        ([0, -1, 6, 1], "token of layer 1 must be from 0 to 2; got -1"),
        ([0, 0.5, 6, 1], r"tokens must be whole numbers, one a layer; got \[0, 0\.5"),
        (3, "tokens must be whole numbers, one a layer; got 3"),
    ],
)
def test_diagrams_refuse_tokens_of_another_space(tokens, message):
    with pytest.raises(ValueError, match=message):
        plot.model_space(space_table(), tokens=tokens)
    with pytest.raises(ValueError, match=message):
        plot.controller_unrolled(space_table(), tokens)
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        ([[1.0]], "probabilities must be 2 arrays, one a layer; got 1"),
        ([[0.5, 0.5], [0.5, 0.5]], r"of layer 1 must be 3 numbers that sum to 1; got shape \(2,\)"),
        ([[0.5, 0.6], [1, 0, 0]], r"of layer 0 must be 2 .* got shape \(2,\) with sum 1\.1"),
        ([[0.5, 0.5], [2, -1, 0]], "of layer 1 must be 3 numbers"),
    ],
)
def test_unrolled_controller_refuses_probabilities(probabilities, message):
    table = space_table([["flatten", "identity"], COURSE[1]])
    with pytest.raises(ValueError, match=message):
        plot.controller_unrolled(table, [0, 0], probabilities)


def test_diagrams_refuse_other_tables():
    with pytest.raises(ValueError, match="table must have the column token; got layer, operation"):
        plot.model_space(space_table().drop(columns="token"))
    with pytest.raises(ValueError, match="table must have at least one row; got none"):
        plot.controller_unrolled(space_table().head(0), [])


def test_loop_uses_the_words_of_amber():
    drawn = texts(plot.search_loop())
    parts = ["search environment", "controller", "manager", "builder", "child", "reward", "buffer"]
    assert {*parts, "tokens", "REINFORCE", "reward R"} <= set(drawn)
    assert drawn.count("amber.modeler") == 1
