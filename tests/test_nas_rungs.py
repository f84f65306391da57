"""Rungs in AMBER's loop: unpromising children stop early, and the controller is told so."""

import numpy as np
import pytest

from tests.search_cases import TRAIN, Op, make_space, same_history, search
from workshop import nas, torch_cnn
from workshop.nas.controller import Proposal
from workshop.nas.strategies import RungController

SIX = nas.ControllerSettings(children_per_step=6, buffering_steps=1, train_pi_iter=1)


class Heard:
    """Stands for the controller: proposes children 0, 1, 2, and keeps what it hears."""

    method, children = "AMBER", 3

    def __init__(self):
        self.updates = []

    def propose(self):
        return [Proposal((i,), [np.ones(1)]) for i in range(self.children)]

    def update(self, rewards):
        self.updates.append(rewards)


class Finished:
    """Stands for a trial."""

    def __init__(self, reward, status="ok"):
        self.reward, self.status = reward, status


def described(policy):
    return [(p.tokens[0], p.epochs, p.parent) for p in policy.propose()]


def test_rungs_by_hand():
    heard = Heard()
    policy = RungController(heard, (1, 2, 5))
    assert described(policy) == [(0, 1, None), (1, 1, None), (2, 1, None)]
    policy.observe([Finished(0.5), Finished(0.9), Finished(0.7)])
    assert described(policy) == [(1, 1, 1)]  # the best third of three
    policy.observe([Finished(0.95)])
    assert described(policy) == [(1, 3, 0)]
    assert heard.updates == []
    policy.observe([Finished(0.8)])
    assert heard.updates == [[0.5, 0.8, 0.7]]  # each where it stopped

    assert described(policy) == [(0, 1, None), (1, 1, None), (2, 1, None)]
    policy.observe([Finished(0.6), Finished(0.8), Finished(0.4)])
    # The best third of all six so far: .9 and .8.
    assert described(policy) == [(1, 1, 1)]
    policy.observe([Finished(0.85)])  # of two on this rung the best third is .95
    assert heard.updates[1:] == [[0.6, 0.85, 0.4]]

    policy.observe([Finished(0.1), Finished(0.2), Finished(0.3)])
    assert heard.updates[2:] == [[0.1, 0.2, 0.3]]  # nobody went on
    policy.observe([Finished(0.93), Finished(0.95), Finished(0.94)])
    assert described(policy) == [(0, 1, 0), (1, 1, 1), (2, 1, 2)]  # or everybody


def test_who_did_not_finish_does_not_train_on():
    heard = Heard()
    policy = RungController(heard, (1, 3))
    policy.observe([Finished(0.5, "failed")] * 3)
    assert heard.updates == [[0.5] * 3]
    policy.observe([Finished(0.5, "diverged"), Finished(0.4), Finished(0.5, "failed")])
    assert described(policy) == [(1, 2, 1)]
    policy.observe([Finished(0.3, "diverged")])
    assert heard.updates[1:] == [[0.5, 0.3, 0.5]]


def test_the_history_follows_the_rule(tmp_path):
    result = search(tmp_path, controller=SIX, rungs=(1, 2), epochs=4, max_trials=40)
    table, seen, step = result.history, {1: [], 2: []}, 1
    assert set(table["total_epochs"]) == {1, 2, 4}
    while step <= table["step"].max() - 3:
        children, parents = table[table["step"] == step], None
        assert len(children) == 6
        for total, more in ((1, 1), (2, 1), (4, 2)):
            assert set(children["total_epochs"]) == {total}
            assert set(children["epochs"]) == {more}
            if parents is not None:
                assert list(children["tokens"]) == list(parents["tokens"])
            step += 1
            if total == 4:
                break
            seen[total] += list(children["reward"])
            cut = np.sort(seen[total])[-max(len(seen[total]) // 3, 1)]
            parents = children[children["reward"] >= cut]
            if parents.empty:
                break
            children = table[table["step"] == step]
    assert step > 6


def test_a_child_goes_on_from_its_weights(tmp_path):
    one = nas.ControllerSettings(children_per_step=1)
    result = search(tmp_path, controller=one, rungs=(1,), epochs=3, max_trials=2, batch_size=16)
    seeds = [int(np.random.SeedSequence([0, k]).generate_state(1)[0]) for k in (1, 2)]
    model = torch_cnn.build_cnn(result.best.architecture, random_state=seeds[0])
    for seed, epochs in zip(seeds, (1, 2), strict=True):
        history = torch_cnn.fit(model, *TRAIN, epochs=epochs, batch_size=16, random_state=seed)
    assert result.history["loss"].iloc[1] == history.last["loss"]
    assert list(result.history["total_epochs"]) == [1, 3]


def test_the_last_rung_may_be_said_or_not(tmp_path):
    settings = {"controller": SIX, "epochs": 3, "max_trials": 12}
    said = search(tmp_path / "a", rungs=(1, 3), **settings)
    assert same_history(search(tmp_path / "b", rungs=[1], **settings), said)
    assert len(search(tmp_path / "a", rungs=(1,), **settings).history) == 12  # the same search
    with pytest.raises(ValueError, match="holds another search: its rungs is"):
        search(tmp_path / "a", **settings)


def test_the_controller_learns_from_where_they_stopped(tmp_path):
    """A layer that offers a useless network becomes improbable, though it never trains on."""
    space = make_space(
        [Op("conv1d", filters=4, kernel_size=k) for k in (5, 250)], [Op("globalmaxpool1d")]
    )
    settings = nas.ControllerSettings(buffering_steps=2, train_pi_iter=20)
    result = search(
        tmp_path, space=space, controller=settings, rungs=(1, 2), epochs=3, max_trials=60
    )
    shares = result.token_probabilities.query("layer == 0 and token == 1")["probability"]
    first = shares[result.token_probabilities.loc[shares.index, "step"] == 1]
    assert first.iloc[0] == pytest.approx(0.5, abs=0.02)
    assert shares.iloc[-1] < 0.35


@pytest.mark.parametrize(
    ("rungs", "message"),
    [
        ((3,), r"epochs below the 3 that a child trains in all.*got \(3,\)"),
        ((1, 4), r"epochs below the 3 .*got \(1, 4\)"),
        ((2, 1), "rungs must be epochs that increase"),
        ((), "rungs must be epochs that increase"),
        (1, r"rungs must be a list of epochs, such as \(1, 2, 5\); got 1"),
        ((0, 1), "an entry of rungs must be a positive whole number"),
        (([1], [1, 2]), r"an entry of rungs must be a positive whole number; got \[1\]"),
    ],
)
def test_rungs_that_cannot_be_meant(tmp_path, rungs, message):
    with pytest.raises(ValueError, match=message):
        search(tmp_path, rungs=rungs, epochs=3)
    assert not list(tmp_path.iterdir())
