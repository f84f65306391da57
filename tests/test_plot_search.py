"""What the pictures of a search show: drawn numbers, texts and colours, not pixels."""

import itertools
from functools import partial
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from tests.figure_checks import texts
from workshop import plot
from workshop.plot.diagrams import CHOSEN

# Of each layer what all its convolutions share, and (operation, short name) by token: as
# nas.space_table lists them.
RELU_TANH = [f"{name} {size}" for name in ("relu", "tanh") for size in (7, 13, 3)]
REDUCTIONS = [("flatten", "flatten"), ("globalavgpool1d", "GAP"), ("globalmaxpool1d", "GMP")]
COURSE = [
    ("conv, filters 32, padding same", [("conv1d(filters=32)", name) for name in RELU_TANH]),
    ("", [("maxpool1d", "max 4"), ("avgpool1d", "average 4"), ("identity", "identity")]),
    (
        "conv, filters 64, padding same",
        [*(("conv1d(filters=64)", name) for name in RELU_TANH), ("identity", "identity")],
    ),
    ("", REDUCTIONS),
]
WIDE = [
    (
        "conv, activation relu",
        [("conv1d", f"conv f{f} k{k}") for f in (16, 32, 64, 128) for k in (3, 5, 7, 11)],
    ),
    ("", [("identity", "identity")]),
    ("dense, activation relu", [("dense", "dense 16"), ("dense", "dense 64"), ("drop", "drop 3")]),
]
NO_CHOICE = [("", [("identity", "identity")])]


def space_table(layers=COURSE):
    rows = [
        (layer, token, operation, short, shared if operation[:4] in ("conv", "dens") else "")
        for layer, (shared, operations) in enumerate(layers)
        for token, (operation, short) in enumerate(operations)
    ]
    return pd.DataFrame(rows, columns=["layer", "token", "operation", "short", "shared"])


def search(n_steps=20, layers=COURSE, method="AMBER"):
    """A made-up result: two children a step, of which every fifth fails."""
    sizes = [len(operations) for _, operations in layers]
    rng = np.random.default_rng(n_steps)
    trials, shares = [], []
    for step in range(1, n_steps + 1):
        for layer, size in enumerate(sizes):
            p = rng.dirichlet(np.linspace(1, 1 + step / 4, size) * 5)
            shares += [
                {"step": step, "layer": layer, "token": token, "probability": q}
                for token, q in enumerate(p)
            ]
        for _ in range(2):
            failed = len(trials) % 5 == 4
            trials.append(
                {
                    "trial": len(trials) + 1,
                    "tokens": tuple(int(rng.integers(size)) for size in sizes),
                    "reward": 0.5 if failed else 1 - 0.4 * rng.random() ** 3,
                    "epochs": 0 if failed else 5,
                    "seconds": 1.25,
                    "status": "failed" if failed else "ok",
                }
            )
    return SimpleNamespace(
        method=method,
        operations=space_table(layers),
        history=pd.DataFrame(trials),
        token_probabilities=pd.DataFrame(shares),
    )


def history(rewards, *, epochs=5, status=None):
    table = pd.DataFrame({"reward": rewards, "epochs": epochs, "seconds": 1.5})
    return table.assign(status=status or ["ok"] * len(rewards))


FIGURES = {
    "controller_unrolled": lambda ax: plot.controller_unrolled(
        space_table(), [0, 0, 6, 1], [np.full(n, 1 / n) for n in (6, 3, 7, 3)], ax=ax
    ),
    "controller_unrolled, wide": lambda ax: plot.controller_unrolled(
        space_table(WIDE), [15, 0, 2], [np.full(n, 1 / n) for n in (16, 1, 3)], ax=ax
    ),
    "search_distributions": lambda _: plot.search_distributions(
        {
            name: [history([0.6, 0.8, 0.9 + 0.001 * i]) for i in range(20)]
            for name in ("AMBER", "TPE")
        },
        target=0.91,
        score="reward",
    ),
    "model_space": lambda ax: plot.model_space(space_table(), tokens=(0, 0, 6, 1), ax=ax),
    "model_space, wide": lambda ax: plot.model_space(space_table(WIDE), [15, 0, 2], ax=ax),
    "reward_by_operation": lambda _: plot.reward_by_operation(search()),
    "reward_by_operation, wide": lambda _: plot.reward_by_operation(search(9, WIDE)),
    "token_probabilities": lambda _: plot.token_probabilities(search(60)),
    "token_probabilities, wide": lambda _: plot.token_probabilities(search(9, WIDE)),
    "token_probabilities, one step": lambda _: plot.token_probabilities(search(1)),
}


pytestmark = pytest.mark.usefixtures("untouched_settings")


def line(ax, start):
    """The line whose label starts so."""
    (found,) = (line for line in ax.lines if str(line.get_label()).startswith(start))
    return found


# search_distributions


def test_distributions_by_hand():
    """Three epochs a trial, but two and four in the second search."""
    first = pd.DataFrame({"epochs": 3, "val_auroc": [0.5, 0.9, 0.7]})
    second = pd.DataFrame({"epochs": [2, 4], "val_auroc": [0.7, 0.6]})
    failed = pd.DataFrame({"epochs": 3, "val_auroc": [0.8, np.nan, 0.95]})
    tables = [first.assign(random_state=0), failed.assign(random_state=1)]
    searches = {
        "random search": [first, SimpleNamespace(history=second), first],
        "Optuna TPE": pd.concat(tables),
    }
    left, right = plot.search_distributions(searches, target=0.9)
    # The second has .7 from epoch 2 on; both are compared from where each has a child.
    np.testing.assert_allclose(
        line(left, "random search").get_xydata(), [[3, 0.5], [6, 0.9], [9, 0.9]]
    )
    np.testing.assert_allclose(
        line(left, "Optuna TPE").get_xydata(), [[3, 0.65], [6, 0.85], [9, 0.925]]
    )
    rows = [label.get_text() for label in right.get_yticklabels()]
    assert rows == ["random search: 6 (3)", "Optuna TPE: 8 (2)"]
    dots = [list(one.get_xdata()) for one in right.lines if one.get_marker() == "o"]
    np.testing.assert_allclose(dots[0], [6, 1.08 * 9, 6])  # the second never reaches it
    np.testing.assert_allclose(dots[1], [6, 9])
    assert "not reached" in texts(right)
    never = plot.search_distributions({"random search": [second]}, target=0.9)[1]
    assert [label.get_text() for label in never.get_yticklabels()] == [
        "random search: not reached (1)"
    ]


# reward_by_operation


def small():
    table = history([0.6, 0.8, 0.9, 0.99], status=["ok", "ok", "ok", "failed"])
    table["tokens"] = [(0, 1), (0, 0), (1, 1), (1, 0)]
    pools = [("maxpool1d", "max 4"), ("identity", "identity"), ("avgpool1d", "average 4")]
    return SimpleNamespace(
        history=table, operations=space_table([("", pools), ("", REDUCTIONS[::2])])
    )


def test_rewards_by_operation_by_hand():
    first, second = plot.reward_by_operation(small())
    names = [[label.get_text() for label in ax.get_yticklabels()] for ax in (first, second)]
    # An operation that was never tried has an empty row.
    assert names == [["max 4 (2)", "identity (1)", "average 4 (0)"], ["flatten (1)", "GMP (2)"]]
    dots, medians = first.lines[:4:2], first.lines[1:4:2]
    assert [list(one.get_xdata()) for one in dots] == [[0.6, 0.8], [0.9]]
    assert not len(first.lines[4].get_xdata())
    np.testing.assert_allclose([one.get_xdata() for one in medians], [[0.7] * 2, [0.9] * 2])
    for row, (one, median) in enumerate(zip(dots, medians, strict=True)):
        assert np.all(np.abs(one.get_ydata() - row) < 0.3)
        assert np.mean(median.get_ydata()) == row
    assert first.yaxis_inverted(), "the first token is at the top"


# token_probabilities


def controller():
    """Two steps, two layers: three operations that stay, two of which the second wins."""
    table = space_table([("", REDUCTIONS), ("", [("identity", "identity"), ("dense", "dense")])])
    steps = pd.concat([table.assign(step=1), table.assign(step=4)], ignore_index=True)
    steps["probability"] = [*[1 / 3] * 3, 0.5, 0.5, *[1 / 3] * 3, 0.2, 0.8]
    return SimpleNamespace(token_probabilities=steps, operations=table)


def test_probabilities_by_hand():
    first, second = plot.token_probabilities(controller())
    (identity, dense), uniform = second.lines[:2], second.lines[2]
    np.testing.assert_allclose(identity.get_xydata(), [[1, 0.5], [4, 0.2]])
    np.testing.assert_allclose(dense.get_xydata(), [[1, 0.5], [4, 0.8]])
    assert (uniform.get_linestyle(), *uniform.get_ydata()) == (":", 0.5, 0.5)
    assert first.lines[3].get_ydata()[0] == pytest.approx(1 / 3)
    assert [text.get_text() for text in second.texts] == ["identity", "all equal", "dense"]
    assert [second.texts[i].get_color() for i in (0, 2)] == [
        *(identity.get_color(), dense.get_color())
    ]
    assert first.get_ylim() == second.get_ylim()


# Diagrams


def blocks(ax):
    return [patch for patch in ax.patches if isinstance(patch, mpl.patches.FancyBboxPatch)]


def test_space_has_a_block_for_each_operation_and_all_paths():
    ax = plot.model_space(space_table(), [0, 0, 6, 1])
    assert len(blocks(ax)) == 6 + 3 + 7 + 3 + 2  # and the input and the output
    assert len(ax.lines) == 6 + 6 * 3 + 3 * 7 + 7 * 3 + 3
    assert [text for text in texts(ax) if text in RELU_TANH] == RELU_TANH * 2


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
    chosen = [one for one in bars if to_hex(one.get_facecolor()).upper() == CHOSEN]
    assert len(bars) == 6 + 3 + 7 + 3
    lengths = np.array([one.get_width() for one in chosen])
    np.testing.assert_allclose(lengths / lengths[-1], [0.5, 0.6, 0.4, 1])


@pytest.mark.parametrize("tokens", [[0, 0, 6], [0, 0, 7, 1], [0, -1, 6, 1]])
def test_diagrams_refuse_tokens_of_another_space(tokens):
    for draw in (partial(plot.controller_unrolled, probabilities=[]), plot.model_space):
        with pytest.raises(ValueError, match=r"one of \[6, 3, 7, 3\] operations; got \[0, "):
            draw(space_table(), tokens)
