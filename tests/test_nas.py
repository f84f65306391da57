"""The search: what it returns, when it ends, and what becomes of children that go wrong."""

import inspect
import io
import os
import re
import signal
import sys
import threading

import numpy as np
import pytest
import torch

from tests.search_cases import LENGTH, TRAIN, VAL, Op, make_space, same_history, search, small_space
from workshop import evaluation, keras_cnn, nas, torch_cnn
from workshop.architecture import Conv1D
from workshop.nas.reward import takes_architecture

METHODS = [nas.search, nas.random_search, nas.successive_halving]
TWINS = {"torch": torch_cnn, "keras": keras_cnn}


def names(function):
    return function.__name__


# What a search returns


@pytest.mark.parametrize("method", METHODS, ids=names)
def test_a_result_has_what_is_promised(tmp_path, method):
    result = search(tmp_path, method=method, max_trials=7)
    history = result.history
    assert list(history["trial"]) == [1, 2, 3, 4, 5, 6, 7]
    assert set(history["status"]) == {"ok"}
    assert {"reward", "loss", "val_loss", "val_auroc", "val_accuracy", "seconds"} <= set(history)
    np.testing.assert_array_equal(history["reward"], history["val_auroc"])
    assert (history["seconds"] > 0).all()
    best = history.loc[history["reward"].idxmax()]
    assert result.best.tokens == best["tokens"]
    assert result.best.reward == best["reward"]
    architecture = nas.to_architecture(small_space(), result.best.tokens, input_length=LENGTH)
    assert result.best.architecture == architecture
    assert best["n_parameters"] == architecture.n_parameters()
    assert best["operations"][0].startswith("conv1d(filters=4")
    assert result.stopped == "max_trials"
    assert repr(result).startswith(f"SearchResult({result.method}, 7 trials in ")

    shares = result.token_probabilities
    steps = history["step"].nunique()
    assert len(shares) == steps * (2 + 2 + 2)
    np.testing.assert_allclose(shares.groupby(["step", "layer"])["probability"].sum(), 1)
    np.testing.assert_allclose(shares["probability"], 0.5, atol=0.01)  # undecided


@pytest.mark.parametrize("framework", TWINS)
def test_ranked_models_reload_and_reproduce_their_rewards(tmp_path, framework):
    result = search(tmp_path, method=nas.random_search, framework=framework, max_trials=5)
    assert len(result.ranking) == 5  # random search repeats none
    assert result.ranking["reward"].is_monotonic_decreasing
    for rank, row in result.ranking.iterrows():
        model = nas.load_model(result, rank)
        assert isinstance(model, TWINS[framework].SequenceCNN)
        reward = evaluation.auroc(VAL[1], TWINS[framework].predict_logits(model, VAL[0]))
        assert reward == pytest.approx(row["reward"], abs=1e-6)
        assert model.architecture.n_parameters() == row["n_parameters"]
    with pytest.raises(IndexError, match="from 0 to 4; got 5"):
        nas.load_model(result, 5)


def test_the_seed_decides_and_nothing_else(tmp_path):
    np.random.seed(1)  # noqa: NPY002
    first = search(tmp_path / "a", max_trials=6, random_state=5)
    np.random.seed(2)  # noqa: NPY002
    assert same_history(search(tmp_path / "b", max_trials=6, random_state=np.int64(5)), first)
    assert not same_history(search(tmp_path / "c", max_trials=6, random_state=6), first)


def test_the_controller_hears_of_its_children(tmp_path):
    """Layer 1 offers a network that is impossible: it earns least, and becomes improbable."""
    space = make_space(
        [Op("conv1d", filters=4, kernel_size=k) for k in (5, 250)], [Op("globalmaxpool1d")]
    )
    settings = nas.ControllerSettings(buffering_steps=2, train_pi_iter=20)
    result = search(tmp_path, space=space, controller=settings, max_trials=42, epochs=3)
    shares = result.token_probabilities.query("layer == 0 and token == 1")["probability"]
    assert shares.iloc[0] == pytest.approx(0.5, abs=0.02)
    assert shares.iloc[-1] < 0.35


# The baselines


def test_random_search_repeats_none_until_all_are_tried(tmp_path):
    result = search(tmp_path, method=nas.random_search, max_trials=16)
    tokens = list(result.history["tokens"])
    assert len(set(tokens[:8])) == len(set(tokens[8:])) == 8
    rewards = result.history["reward"]
    assert not rewards[:8].equals(rewards[8:])  # but another trial draws other weights
    best = result.history.groupby("tokens")["reward"].max()
    assert dict(zip(result.ranking["tokens"], result.ranking["reward"], strict=True)) == dict(best)


def test_halving_trains_the_best_third_on(tmp_path):
    result = search(
        tmp_path, method=nas.successive_halving, n_children=6, rungs=(1, 2, 4), max_trials=12
    )
    table = result.history
    assert list(table["step"]) == [1] * 6 + [2] * 2 + [3] + [4] * 3
    assert list(table["epochs"]) == [1] * 6 + [1] * 2 + [2] + [1] * 3
    assert list(table["total_epochs"]) == [1] * 6 + [2] * 2 + [4] + [1] * 3
    first, second, third = (table[table["step"] == step] for step in (1, 2, 3))
    survivors = first.nlargest(2, "reward")["tokens"]
    assert set(second["tokens"]) == set(survivors)
    assert third["tokens"].item() == second.loc[second["reward"].idxmax(), "tokens"]


def test_a_survivor_goes_on_from_its_weights(tmp_path):
    """Two rungs of one child equal two fits by hand, the second from the first one's file."""
    result = search(
        tmp_path, method=nas.successive_halving, n_children=1, rungs=(1, 3), max_trials=2
    )
    seeds = [int(np.random.SeedSequence([0, k]).generate_state(1)[0]) for k in (1, 2)]
    model = torch_cnn.build_cnn(result.best.architecture, random_state=seeds[0])
    for seed, epochs in zip(seeds, (1, 2), strict=True):
        torch_cnn.fit(model, *TRAIN, epochs=epochs, batch_size=128, random_state=seed)
    np.testing.assert_array_equal(
        result.history["val_auroc"].iloc[1],
        evaluation.auroc(VAL[1], torch_cnn.predict_logits(model, VAL[0])),
    )


def test_without_a_budget_halving_ends_with_its_bracket(tmp_path):
    settings = {"n_children": 9, "rungs": (1, 2, 3), "max_trials": None}
    result = search(tmp_path, method=nas.successive_halving, **settings)
    assert list(result.history["step"]) == [1] * 9 + [2] * 3 + [3]


# When it ends


@pytest.mark.parametrize("method", METHODS, ids=names)
def test_time_budget_is_honoured_to_within_one_child(tmp_path, method):
    result = search(tmp_path, method=method, time_budget=1.0)
    assert result.stopped == "time_budget"
    assert result.seconds - result.history["seconds"].iloc[-1] < 1.0 + 0.5  # before the last child
    assert result.seconds >= 1.0
    again = search(tmp_path, method=method, time_budget=result.seconds)  # over all calls
    assert len(again.history) == len(result.history)


def test_patience_is_on_the_best_single_trial(tmp_path):
    values = iter([0.2, 0.9, 0.1, 0.5, 0.3, 0.95, 0.4])
    result = search(
        tmp_path, reward=lambda y_true, y_score: next(values), patience=3, max_trials=50
    )
    assert result.stopped == "patience"
    assert list(result.history["reward"]) == [0.2, 0.9, 0.1, 0.5, 0.3]
    assert result.best.trial == 2


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        ({"time_budget": "10:00"}, r"seconds, or 'HH:MM:SS'; got '10:00'"),
        ({"time_budget": "00:75:00"}, "got '00:75:00'"),
        ({"time_budget": 0}, "must be positive: seconds, .* got 0"),
        ({"time_budget": "00:00:00"}, "must be positive: seconds"),
        ({"time_budget": float("nan")}, "must be positive: seconds, .* got nan"),
        ({"time_budget": True}, "must be positive: seconds, .* got True"),
        ({"max_trials": 0}, "max_trials must be a whole number, 1 or more; got 0"),
        ({"patience": 1.5}, "patience must be a whole number, 1 or more"),
        ({"max_trials": None}, "A search needs an end: give time_budget"),
    ],
)
def test_ends_that_cannot_be_meant(tmp_path, budget, message):
    with pytest.raises(ValueError, match=message):
        search(tmp_path / "new", **budget)
    assert not (tmp_path / "new").exists()  # refused before anything was written


def test_callbacks_see_each_trial_when_it_is_on_disk(tmp_path):
    seen = []

    def look(trial):
        seen.append(trial.trial)
        assert len(nas.read_history(tmp_path)) == trial.trial
        return trial.trial == 3

    result = search(tmp_path, callbacks=[look], max_trials=9)
    assert seen == [1, 2, 3]
    assert result.stopped == "callback"
    assert len(search(tmp_path, max_trials=5).history) == 5  # and it goes on

    with pytest.raises(TypeError, match=r"callbacks must be functions of a Trial; got \[3"):
        search(tmp_path / "b", callbacks=[3])


@pytest.mark.parametrize("framework", TWINS)
def test_ctrl_c_returns_what_is_there(tmp_path, framework):
    def press(trial):
        if trial.trial >= 2:  # while the third child trains; again if TensorFlow did not hear it
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()

    handler = signal.getsignal(signal.SIGINT)
    long = {"epochs": 100, "framework": framework}
    result = search(tmp_path, callbacks=[press], max_trials=60, **long)
    assert result.stopped == "interrupted"
    assert 2 <= len(result.history) < 60
    assert result.best.reward > 0
    assert signal.getsignal(signal.SIGINT) is handler  # the next Ctrl-C works as well


# Children that go wrong


def statuses(result):
    return list(result.history["status"])


def test_an_impossible_child_is_a_row_with_its_reason(tmp_path):
    space = make_space(
        [Op("conv1d", filters=4, kernel_size=k) for k in (250, 5)], [Op("globalmaxpool1d")]
    )
    result = search(tmp_path, space=space, max_trials=12)
    table = result.history
    bad = table[table["tokens"] == (0, 0)]
    assert 0 < len(bad) < 12
    assert set(bad["status"]) == {"impossible"}
    wanted = r"layer 0, Conv1D\(4, 250\).*kernel_size 250 is longer than the 24 positions"
    assert bad["reason"].str.contains(wanted).all()
    assert (bad["reward"] == 0.5).all() or (bad["reward"] < 0.5).all()
    assert bad["epochs"].eq(0).all()
    assert bad["n_parameters"].isna().all()
    assert bad["val_loss"].isna().all()
    assert set(table[table["tokens"] == (1, 0)]["status"]) == {"ok"}
    assert result.best.architecture.layers[0] == Conv1D(4, 5)
    assert np.isfinite(result.token_probabilities["probability"]).all()


@pytest.mark.parametrize("framework", TWINS)
def test_a_diverging_child(tmp_path, framework):
    space = make_space(
        [Op("conv1d", filters=4, kernel_size=3, activation="exponential")],
        [Op("conv1d", filters=4, kernel_size=3, activation="exponential"), Op("identity")],
        [Op("globalmaxpool1d")],
    )
    result = search(tmp_path, space=space, framework=framework, learning_rate=80.0, max_trials=6)
    table = result.history
    assert "diverged" in set(table["status"])
    assert np.isfinite(table["reward"]).all()
    assert table.loc[table["status"] == "diverged", "val_loss"].isna().all()
    assert table.loc[table["status"] == "diverged", "reason"].str.contains("not finite").all()
    shares = result.token_probabilities["probability"]
    assert np.isfinite(shares).all()


class Lazy:
    def __float__(self):
        raise RuntimeError("not computed yet")

    def __repr__(self):
        raise ValueError("nor shown")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Lazy(), "got a Lazy .ValueError: nor shown"),
        (torch.tensor(0.5, requires_grad=True), "got tensor.* requires grad"),
        (np.ma.masked, "one finite number; got --"),
        (0.5 + 1j, "got .0.5.1j"),
        ("0.5", "got 0.5"),
        (10**400, "OverflowError"),
        (np.inf, "one finite number; got inf"),
        (None, "one finite number; got None"),
        (np.zeros(3), r"one finite number; got \[0. 0. 0.\]"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_reward_that_is_no_number(tmp_path, value, words):
    result = search(tmp_path, reward=lambda y_true, y_score: value, max_trials=2)
    assert statuses(result) == ["failed", "failed"]
    assert result.history["reason"].str.contains(words).all()
    assert np.isfinite(result.history["reward"]).all()
    with pytest.raises(ValueError, match="No child of the search finished: reward"):
        _ = result.best


@pytest.mark.parametrize("value", [torch.tensor(0.5), np.float32(0.5), np.array([[0.5]]), 0.5])
def test_one_number_in_any_wrapping(tmp_path, value):
    result = search(tmp_path, reward=lambda y_true, y_score: value, max_trials=2)
    assert list(result.history["reward"]) == [0.5, 0.5]


def test_a_history_has_its_columns_also_where_no_child_finished(tmp_path):
    def stop(y_true, y_score):
        raise KeyboardInterrupt

    names = list(search(tmp_path / "a", max_trials=1).history)
    empty = search(tmp_path / "b", reward=stop).history
    failed = search(tmp_path / "c", reward=lambda y_true, y_score: None, max_trials=1).history
    assert list(empty) == list(failed) == names
    assert failed["val_loss"].isna().all()
    assert empty["reward"].dtype == float
    with pytest.raises(ValueError, match="No child of the search finished: none was tried"):
        _ = search(tmp_path / "b", reward=stop).best


# Rewards


def test_a_reward_of_ones_own_sees_labels_and_probabilities(tmp_path):
    seen = []

    def accuracy(y_true, y_score):
        seen.append((y_true, y_score))
        return np.mean((y_score > 0.5) == (y_true > 0.5))

    one_class = {"val": (VAL[0], np.ones_like(VAL[1])), "max_trials": 1}
    assert statuses(search(tmp_path / "b", reward=accuracy, **one_class)) == ["ok"]
    seen.clear()
    result = search(tmp_path / "c", reward=accuracy)
    np.testing.assert_allclose(result.history["reward"], result.history["val_accuracy"])
    for y_true, y_score in seen:
        np.testing.assert_array_equal(y_true, VAL[1])
        assert y_score.shape == y_true.shape == (32, 1)
        assert ((y_score > 0) & (y_score < 1)).all()


def test_a_reward_may_look_at_the_network(tmp_path):
    def smallness(y_true, y_score, architecture):
        return -architecture.n_parameters()

    space = make_space(
        [Op("conv1d", filters=4, kernel_size=k) for k in (250, 5, 3)], [Op("globalmaxpool1d")]
    )
    table = search(tmp_path, space=space, reward=smallness, max_trials=9).history
    finished = table["status"] == "ok"
    assert 0 < finished.sum() < 9
    np.testing.assert_array_equal(table["reward"][finished], -table["n_parameters"][finished])
    assert set(table["reward"][~finished]) <= {0.0, -89.0, -57.0}  # 0 or the worst: no network


def test_which_rewards_get_the_network():
    for asks in (lambda y, p, network: 0, lambda y, p, architecture=None: 0):
        assert takes_architecture(asks)
    for not_asked in (lambda y, p: 0, lambda y, p, threshold=0.5: 0, lambda y, p, *more: 0, max):
        assert not takes_architecture(not_asked)


def test_what_a_failed_child_earns(tmp_path):
    """That of a model that knows nothing; and no more than the worst child that finished."""
    values = iter([-3.0, None, -7.0, None])

    def by_turns(y_true, y_score):
        if np.ptp(y_score) == 0:  # the same prediction for every sequence: it knows nothing
            return -5.0
        value = next(values)
        return np.nan if value is None else value

    result = search(tmp_path, reward=by_turns)
    assert list(result.history["reward"]) == [-3.0, -5.0, -7.0, -7.0]
    assert list(result.history["epochs"]) == [1] * 4  # that is what the budget paid for
    assert result.best.reward == -3.0
    models = {path.name for path in tmp_path.glob("models/*")}
    assert models == {"trial-1.ckpt", "trial-3.ckpt"}


@pytest.mark.parametrize(
    ("task", "n_outputs", "metric"),
    [("multilabel", 3, "auroc"), ("multiclass", 3, "accuracy"), ("regression", 2, "loss")],
)
def test_other_tasks(tmp_path, task, n_outputs, metric):
    def targets(n):
        rng = np.random.default_rng(n)
        if task == "multiclass":
            return np.eye(n_outputs, dtype=np.float32)[rng.integers(0, n_outputs, n)]
        y = rng.normal(size=(n, n_outputs)).astype(np.float32)
        return y if task == "regression" else (y > 0).astype(np.float32)

    result = search(
        tmp_path,
        train=(TRAIN[0], targets(64)),
        val=(VAL[0], targets(32)),
        task=task,
        reward=metric,
    )
    assert statuses(result) == ["ok"] * 4
    assert result.best.architecture.task == task
    assert nas.load_model(result).architecture.n_outputs == n_outputs
    sign = -1 if metric == "loss" else 1
    np.testing.assert_array_equal(result.history["reward"], sign * result.history[f"val_{metric}"])


# What it is given


@pytest.mark.parametrize("method", METHODS, ids=names)
def test_each_search_lists_explains_and_checks_what_it_takes(tmp_path, method):
    taken = inspect.signature(method).parameters
    assert {"space", "train", "val", "working_dir", "max_trials", "executor"} <= set(taken)
    assert ("epochs" in taken) == (method is not nas.successive_halving)
    for name in taken:
        assert re.search(rf"^(\w+, )*{name}(, \w+)*( :|$)", method.__doc__, re.MULTILINE), name
    with pytest.raises(TypeError, match="got an unexpected keyword argument 'max_trial'"):
        method(small_space(), train=TRAIN, val=VAL, working_dir=tmp_path, max_trial=3)
    with pytest.raises(TypeError, match="missing a required argument: 'val'"):
        method(small_space(), train=TRAIN)
    assert not list(tmp_path.iterdir())


UNKNOWN = make_space([Op("flatten"), Op("lstm", units=3)])


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"framework": "jax"}, ValueError, "framework must be 'torch' or 'keras'; got 'jax'"),
        (
            {"reward": "auprc"},
            ValueError,
            r"of binary must be a function or in \['accuracy', 'auroc', 'loss'\]",
        ),
        ({"task": "regression"}, ValueError, r"in \['loss'\]; got 'auroc'"),
        ({"epochs": 0}, ValueError, "epochs must be a whole number, 1 or more"),
        ({"learning_rate": 0}, ValueError, "learning_rate must be positive"),
        ({"learning_rate": lambda e: 0.1}, ValueError, "of a search must be a number"),
        ({"random_state": -1}, ValueError, "random_state must be a whole number"),
        ({"train": TRAIN[0]}, ValueError, r"train must be a pair, .X, y.; got"),
        ({"val": None}, TypeError, "missing a required argument: 'val'"),
        ({"train": (TRAIN[0], TRAIN[1][:, 0])}, ValueError, r"For one output pass y\[:, None\]"),
        ({"val": (VAL[0], VAL[1][:3])}, ValueError, r"y_val must have shape \(32, 1\)"),
        ({"val": (VAL[0][:, :20], VAL[1])}, ValueError, "X_val must have 24 positions"),
        ({"train": (TRAIN[0][:0], TRAIN[1][:0])}, ValueError, "neither of them empty"),
        ({"controller": {"train_pi_iter": 3}}, TypeError, r"must be nas.ControllerSettings"),
        (
            {"val": (VAL[0], 0 * VAL[1])},
            ValueError,
            "both classes, and the y of val holds one only",
        ),
        ({"train": (TRAIN[0], TRAIN[1] ** 0)}, ValueError, "the y of train holds one only"),
        ({"space": UNKNOWN}, ValueError, "layer 0, token 1: operation 'lstm'"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_what_cannot_be_searched_is_refused_at_once(tmp_path, settings, error, message):
    with pytest.raises(error, match=message):
        search(tmp_path / "new", **settings)
    assert not (tmp_path / "new").exists()


def test_load_model_of_something_else(tmp_path):
    with pytest.raises(TypeError, match="result must be what a search returned; got a str"):
        nas.load_model(str(tmp_path))
    with pytest.raises(IndexError, match=r"rank must be from 0 to 0; got 1.0"):
        nas.load_model(search(tmp_path, max_trials=1), 1.0)


def test_a_search_inside_a_search_changes_neither(tmp_path):
    alone = search(tmp_path / "a", max_trials=6)
    inner = []

    def nested(trial):
        inner.append(search(tmp_path / f"b{trial.trial}", max_trials=6))

    assert same_history(search(tmp_path / "c", callbacks=[nested], max_trials=6), alone)
    assert all(same_history(one, alone) for one in inner)


def test_progress_is_one_line_with_the_best_so_far(tmp_path, monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    result = search(tmp_path, progress=True, time_budget=600, max_trials=4)
    last = terminal.getvalue().split("\r\x1b[K")[-1]
    assert last.startswith("AMBER: trial 4/4  best reward ")
    assert f"{result.best.reward:.4f} by {list(result.best.tokens)}" in last
    assert "of 600 s" in last
