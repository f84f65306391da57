"""The search: what it returns, when it ends, and what becomes of children that go wrong."""

import os
import signal
import threading

import numpy as np
import pytest
import torch

from tests.search_cases import LENGTH, TRAIN, VAL, Op, make_space, same_history, search, small_space
from workshop import evaluation, keras_cnn, nas, torch_cnn
from workshop.architecture import Conv1D

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
    assert result.method in repr(result)

    shares = result.token_probabilities
    steps = history["step"].nunique()
    assert len(shares) == steps * (2 + 2 + 2)
    np.testing.assert_allclose(shares.groupby(["step", "layer"])["probability"].sum(), 1)
    assert len(result.entropy) == steps * 3
    np.testing.assert_allclose(result.entropy["entropy"], 1, atol=0.01)  # undecided: 1 of 2


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
    with pytest.raises(IndexError, match="from 0 to 4: 5 architectures finished; got 5"):
        nas.load_model(result, 5)


def test_a_rank_is_an_architecture_not_a_repetition(tmp_path):
    space = make_space([Op("identity")], [Op("flatten"), Op("globalmaxpool1d")])
    result = search(tmp_path, space=space, max_trials=9)
    assert len(result.ranking) == 2
    for tokens, group in result.history.groupby("tokens"):
        kept = result.ranking[result.ranking["tokens"] == tokens]
        assert kept["reward"].item() == group["reward"].max()


def test_the_seed_decides_and_nothing_else(tmp_path):
    np.random.seed(1)  # noqa: NPY002
    first = search(tmp_path / "a", max_trials=6, random_state=5)
    np.random.seed(2)  # noqa: NPY002
    assert same_history(search(tmp_path / "b", max_trials=6, random_state=5), first)
    assert not same_history(search(tmp_path / "c", max_trials=6, random_state=6), first)


@pytest.mark.parametrize("method", METHODS, ids=names)
def test_a_seed_of_numpy_is_a_seed(tmp_path, method):
    ours = search(tmp_path / "a", method=method, random_state=3, max_trials=3)
    assert same_history(
        search(tmp_path / "b", method=method, random_state=np.int64(3), max_trials=3), ours
    )


def test_both_frameworks_are_proposed_the_same(tmp_path):
    results = {
        name: search(tmp_path / name, framework=name, method=nas.random_search) for name in TWINS
    }
    ours, theirs = (results[name].history for name in TWINS)
    assert list(ours["tokens"]) == list(theirs["tokens"])
    assert list(ours["n_parameters"]) == list(theirs["n_parameters"])
    np.testing.assert_allclose(ours["val_loss"], theirs["val_loss"], atol=1e-4)


def test_the_same_tokens_predict_the_same_in_both_frameworks(tmp_path):
    result = search(tmp_path, method=nas.random_search)
    trained = nas.load_model(result)
    copy = keras_cnn.build_cnn(result.best.architecture)
    keras_cnn.set_weights(copy, torch_cnn.get_weights(trained))
    np.testing.assert_allclose(
        keras_cnn.predict(copy, VAL[0]), torch_cnn.predict(trained, VAL[0]), atol=1e-5
    )


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


@pytest.mark.parametrize("rungs", [(), (2, 2), (3, 1), (0, 1), (1.5,), 3])
def test_rungs_that_cannot_be_meant(tmp_path, rungs):
    with pytest.raises(ValueError, match=r"rungs must be|an entry of rungs must be"):
        search(tmp_path, method=nas.successive_halving, rungs=rungs)


# When it ends


@pytest.mark.parametrize("method", METHODS, ids=names)
def test_time_budget_is_honoured_to_within_one_child(tmp_path, method):
    result = search(tmp_path, method=method, time_budget=1.0)
    assert result.stopped == "time_budget"
    assert result.seconds - result.history["seconds"].iloc[-1] < 1.0 + 0.5  # before the last child
    assert result.seconds >= 1.0


def test_time_counts_over_all_calls(tmp_path):
    spent = search(tmp_path, max_trials=2).seconds
    again = search(tmp_path, time_budget=spent)
    assert again.stopped == "time_budget"
    assert len(again.history) == 2


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
        (
            {"time_budget": "10:00"},
            r"seconds or 'HH:MM:SS'; got '10:00'. Ten minutes are '00:10:00'",
        ),
        ({"time_budget": "00:75:00"}, "got '00:75:00'"),
        ({"time_budget": "five minutes"}, "got 'five minutes'"),
        ({"time_budget": 0}, "positive, finite time; got 0"),
        ({"time_budget": "00:00:00"}, "positive, finite time"),
        ({"time_budget": -5}, "positive, finite time; got -5"),
        ({"time_budget": float("nan")}, "positive, finite time; got nan"),
        ({"time_budget": float("inf")}, "positive, finite time; got inf"),
        ({"time_budget": True}, "positive, finite time; got True"),
        ({"time_budget": [60]}, "positive, finite time"),
        ({"max_trials": 0}, "max_trials must be a positive whole number; got 0"),
        ({"patience": 1.5}, "patience must be a positive whole number"),
        ({"max_trials": None}, "A search needs an end: give time_budget"),
    ],
)
def test_ends_that_cannot_be_meant(tmp_path, budget, message):
    with pytest.raises(ValueError, match=message):
        search(tmp_path / "new", **budget)
    assert not (tmp_path / "new").exists()  # refused before anything was written


def test_hours_minutes_seconds(tmp_path):
    assert search(tmp_path, time_budget="01:00:00", max_trials=1).stopped == "max_trials"


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

    with pytest.raises(
        TypeError, match=r"callbacks must be a list of functions of a Trial; got \[3"
    ):
        search(tmp_path / "b", callbacks=[3])


def test_numpys_true_ends_the_search_as_well(tmp_path):
    result = search(tmp_path, callbacks=lambda trial: trial.reward >= np.float64(0))
    assert (result.stopped, len(result.history)) == ("callback", 1)


def test_what_a_callback_raises_is_raised_and_nothing_is_lost(tmp_path):
    def fail(trial):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        search(tmp_path, callbacks=[fail])
    assert len(nas.read_history(tmp_path)) == 1


@pytest.mark.parametrize("framework", TWINS)
def test_ctrl_c_returns_what_is_there(tmp_path, framework):
    def press(trial):
        if trial.trial >= 2:  # while the third child trains; again if TensorFlow did not hear it
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()

    handler = signal.getsignal(signal.SIGINT)
    long = {"epochs": 400, "framework": framework}
    result = search(tmp_path, callbacks=[press], max_trials=60, **long)
    assert result.stopped == "interrupted"
    assert 2 <= len(result.history) < 60
    assert result.best.reward > 0
    assert signal.getsignal(signal.SIGINT) is handler  # the next Ctrl-C works as well


def test_ctrl_c_before_the_first_child_has_finished(tmp_path):
    def stop(y_true, y_score):
        raise KeyboardInterrupt

    result = search(tmp_path, reward=stop)
    assert result.stopped == "interrupted"
    assert len(result.history) == 0
    assert len(result.token_probabilities) == len(result.entropy) == 0
    assert "none finished" in repr(result)
    with pytest.raises(ValueError, match="No child of the search finished: none was tried"):
        _ = result.best


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
    assert bad["reason"].str.contains("kernel_size 250 is longer than the 24 positions").all()
    assert (bad["reward"] == 0.5).all() or (bad["reward"] < 0.5).all()
    assert bad["epochs"].eq(0).all()
    assert bad["n_parameters"].isna().all()
    assert bad["val_loss"].isna().all()
    assert set(table[table["tokens"] == (1, 0)]["status"]) == {"ok"}
    assert result.best.architecture.layers[0] == Conv1D(4, 5)
    assert np.isfinite(result.token_probabilities["probability"]).all()


def test_the_reason_names_the_layer_of_the_space(tmp_path):
    identities = [[Op("identity")], [Op("identity")]]
    space = make_space(
        *identities, [Op("conv1d", filters=4, kernel_size=250)], [Op("globalmaxpool1d")]
    )
    result = search(tmp_path, space=space, max_trials=1)
    assert result.history["reason"].item().startswith("layer 2, Conv1D(4, 250)")


def test_a_network_of_layers_that_do_not_go_together(tmp_path):
    space = make_space([Op("flatten"), Op("identity")], [Op("globalmaxpool1d")])
    result = search(tmp_path, space=space, max_trials=6)
    assert set(statuses(result)) == {"impossible", "ok"}
    assert result.history["reason"].str.contains("needs positions x channels").any()


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


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.nan, "one finite number; got nan"),
        (np.inf, "one finite number; got inf"),
        (None, "one finite number; got None"),
        ("high", "one finite number; got high"),
        (np.zeros(3), r"one finite number; got \[0. 0. 0.\]"),
    ],
    ids=str,
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


def test_a_reward_that_raises_now_and_then(tmp_path):
    calls = iter(range(1000))

    def moody(y_true, y_score):
        if next(calls) % 3 == 2:
            raise RuntimeError("not today")
        return 0.75

    result = search(tmp_path, reward=moody, max_trials=9)
    assert set(statuses(result)) == {"ok", "failed"}
    bad = result.history[result.history["status"] == "failed"]
    assert bad["reason"].str.fullmatch("reward: RuntimeError: not today").all()
    assert (bad["reward"] <= 0.75).all()
    assert bad["epochs"].eq(1).all()  # they were trained: that is what the budget paid for
    assert not list(tmp_path.glob(f"models/trial-{bad['trial'].iloc[0]}.*"))  # no model of it


def test_validation_labels_of_one_class(tmp_path):
    val = VAL[0], np.ones_like(VAL[1])
    result = search(tmp_path / "a", val=val, max_trials=3)
    assert statuses(result) == ["failed"] * 3
    assert result.history["reason"].str.contains("AUROC needs both classes").all()
    assert (result.history["reward"] == 0).all()
    assert statuses(search(tmp_path / "b", val=val, reward="accuracy", max_trials=3)) == ["ok"] * 3


def test_a_twin_that_raises(tmp_path, monkeypatch):
    fit, calls = torch_cnn.fit, iter(range(100))

    def fragile(*args, **kwargs):
        if next(calls) == 1:
            raise MemoryError("no memory\n  left")
        return fit(*args, **kwargs)

    monkeypatch.setattr(torch_cnn, "fit", fragile)
    result = search(tmp_path, max_trials=3)
    assert statuses(result) == ["ok", "failed", "ok"]
    assert result.history["reason"].iloc[1] == "MemoryError: no memory left"


# Rewards


def test_rewards_by_name(tmp_path):
    by_name = {
        name: search(tmp_path / name, reward=name, method=nas.random_search).history
        for name in ("auroc", "accuracy", "loss")
    }
    np.testing.assert_array_equal(by_name["loss"]["reward"], -by_name["loss"]["val_loss"])
    for name in ("auroc", "accuracy"):
        np.testing.assert_array_equal(by_name[name]["reward"], by_name[name][f"val_{name}"])
    np.testing.assert_array_equal(by_name["loss"]["val_auroc"], by_name["auroc"]["val_auroc"])


def test_a_reward_of_ones_own_sees_labels_and_probabilities(tmp_path):
    seen = []

    def accuracy(y_true, y_score):
        seen.append((y_true, y_score))
        return np.mean((y_score > 0.5) == (y_true > 0.5))

    result = search(tmp_path, reward=accuracy)
    np.testing.assert_allclose(result.history["reward"], result.history["val_accuracy"])
    for y_true, y_score in seen:
        np.testing.assert_array_equal(y_true, VAL[1])
        assert y_score.shape == y_true.shape == (32, 1)
        assert ((y_score > 0) & (y_score < 1)).all()


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
    assert result.best.reward == -3.0


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


# What it is given


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"framework": "jax"}, ValueError, "framework must be 'torch' or 'keras'; got 'jax'"),
        ({"reward": "auprc"}, ValueError, r"one of accuracy, auroc, loss for task 'binary'"),
        ({"task": "regression"}, ValueError, r"one of loss for task 'regression'; got 'auroc'"),
        ({"epochs": 0}, ValueError, "epochs must be a positive whole number"),
        ({"learning_rate": 0}, ValueError, "learning_rate must be a positive number"),
        ({"learning_rate": lambda e: 0.1}, ValueError, "must be a positive number in a search"),
        ({"random_state": -1}, ValueError, "random_state must be a whole number"),
        ({"random_state": 0.5}, ValueError, "random_state must be a whole number"),
        ({"train": TRAIN[0]}, ValueError, r"train must be a pair of arrays"),
        ({"val": None}, ValueError, "val must be a pair of arrays"),
        ({"train": (TRAIN[0], TRAIN[1][:, 0])}, ValueError, r"For one output pass y\[:, None\]"),
        ({"val": (VAL[0], VAL[1][:3])}, ValueError, r"y_val must have shape \(32, 1\)"),
        ({"val": (VAL[0][:, :20], VAL[1])}, ValueError, "X_val must have 24 positions"),
        ({"train": (TRAIN[0].swapaxes(1, 2), TRAIN[1])}, ValueError, "channels-first"),
        ({"train": (TRAIN[0][:0], TRAIN[1][:0])}, ValueError, "neither of them empty"),
        ({"controller": {"train_pi_iter": 3}}, TypeError, r"must be nas.ControllerSettings"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_what_cannot_be_searched_is_refused_at_once(tmp_path, settings, error, message):
    with pytest.raises(error, match=message):
        search(tmp_path / "new", **settings)
    assert not (tmp_path / "new").exists()


def test_an_operation_unknown_to_the_twins_is_refused_at_once(tmp_path):
    space = make_space([Op("flatten"), Op("lstm", units=3)])
    with pytest.raises(ValueError, match="layer 0, token 1: operation 'lstm'"):
        search(tmp_path / "new", space=space)
    assert not (tmp_path / "new").exists()


def test_a_working_dir_that_is_a_file(tmp_path):
    (tmp_path / "taken").write_text("x")
    with pytest.raises(NotADirectoryError, match="working_dir must be a folder"):
        search(tmp_path / "taken")


def test_load_model_of_something_else(tmp_path):
    with pytest.raises(TypeError, match="result must be what a search returned; got a str"):
        nas.load_model(str(tmp_path))
    with pytest.raises(IndexError, match=r"rank must be from 0 to 0: 1 .*; got 1.0"):
        nas.load_model(search(tmp_path, max_trials=1), 1.0)


def test_two_threads_cannot_search_at_once(tmp_path):
    errors = []

    def intrude(trial):
        thread = threading.Thread(target=lambda: errors.append(search_in_thread()))
        thread.start()
        thread.join()

    def search_in_thread():
        try:
            search(tmp_path / "b", max_trials=1)
        except RuntimeError as error:
            return str(error)

    assert len(search(tmp_path / "a", callbacks=[intrude], max_trials=1).history) == 1
    assert errors == [error for error in errors if "Another thread of this process" in error]
    assert len(errors) == 1
    assert len(search(tmp_path / "b", max_trials=1).history) == 1  # afterwards it may


def test_a_search_inside_a_search_changes_neither(tmp_path):
    alone = search(tmp_path / "a", max_trials=6)
    inner = []

    def nested(trial):
        inner.append(search(tmp_path / f"b{trial.trial}", max_trials=6))

    assert same_history(search(tmp_path / "c", callbacks=[nested], max_trials=6), alone)
    assert all(same_history(one, alone) for one in inner)


def test_progress_is_one_line_with_the_best_so_far(tmp_path, monkeypatch):
    import io
    import sys

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    result = search(tmp_path, progress=True, time_budget=600, max_trials=4)
    last = terminal.getvalue().split("\r\x1b[K")[-1]
    assert last.startswith("AMBER: trial 4/4  best reward ")
    assert f"{result.best.reward:.4f} by {list(result.best.tokens)}" in last
    assert "of 600 s" in last


def test_nothing_is_printed_where_nobody_looks(tmp_path, capfd):
    search(tmp_path, progress=True)
    assert capfd.readouterr() == ("", "")


def test_a_child_is_trained_as_the_twin_would(tmp_path):
    """A trial of the history equals build, fit and predict by hand."""
    result = search(tmp_path, method=nas.random_search, max_trials=1, epochs=3, batch_size=16)
    seed = int(np.random.SeedSequence([0, 1]).generate_state(1)[0])
    model = torch_cnn.build_cnn(result.best.architecture, random_state=seed)
    fitted = torch_cnn.fit(model, *TRAIN, epochs=3, batch_size=16, random_state=seed)
    row = result.history.iloc[0]
    assert row["loss"] == fitted.last["loss"]
    assert row["val_auroc"] == evaluation.auroc(VAL[1], torch_cnn.predict_logits(model, VAL[0]))
