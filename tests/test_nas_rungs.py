"""Rungs in AMBER's loop: unpromising children stop early, and the controller is told so."""

import numpy as np
import pytest

from tests.search_cases import same_history, search
from workshop import nas
from workshop.nas.controller import Proposal
from workshop.nas.strategies import RungStrategy

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


def described(strategy):
    return [(p.tokens[0], p.epochs, p.parent) for p in strategy.propose()]


def test_rungs_by_hand():
    heard = Heard()
    strategy = RungStrategy(heard, (1, 2, 5))
    assert described(strategy) == [(0, 1, None), (1, 1, None), (2, 1, None)]
    strategy.observe([Finished(0.5), Finished(0.9), Finished(0.7)])
    assert described(strategy) == [(1, 1, 1)]  # the best third of three
    strategy.observe([Finished(0.95)])
    assert described(strategy) == [(1, 3, 0)]
    assert heard.updates == []
    strategy.observe([Finished(0.8)])
    assert heard.updates == [[0.5, 0.8, 0.7]]  # each where it stopped

    assert described(strategy) == [(0, 1, None), (1, 1, None), (2, 1, None)]
    strategy.observe([Finished(0.6), Finished(0.8), Finished(0.4)])
    # The best third of all six so far: .9 and .8.
    assert described(strategy) == [(1, 1, 1)]
    strategy.observe([Finished(0.85)])  # of two on this rung the best third is .95
    assert heard.updates[1:] == [[0.6, 0.85, 0.4]]

    assert len(described(strategy)) == 3
    strategy.observe([Finished(0.1), Finished(0.2), Finished(0.3)])
    assert heard.updates[2:] == [[0.1, 0.2, 0.3]]  # none went on
    assert len(described(strategy)) == 3
    strategy.observe([Finished(0.93), Finished(0.95), Finished(0.94)])
    assert described(strategy) == [(0, 1, 0), (1, 1, 1), (2, 1, 2)]  # or all


def test_who_did_not_finish_does_not_train_on():
    heard = Heard()
    strategy = RungStrategy(heard, (1, 3))
    assert len(described(strategy)) == 3
    strategy.observe([Finished(0.5, "failed")] * 3)
    assert heard.updates == [[0.5] * 3]
    assert len(described(strategy)) == 3
    strategy.observe([Finished(0.5, "diverged"), Finished(0.4), Finished(0.5, "failed")])
    assert described(strategy) == [(1, 2, 1)]
    strategy.observe([Finished(0.3, "diverged")])
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


def test_the_last_rung_may_be_said_or_not(tmp_path):
    settings = {"controller": SIX, "epochs": 3, "max_trials": 12}
    said = search(tmp_path / "a", rungs=(1, 3), **settings)
    assert same_history(search(tmp_path / "b", rungs=[1], **settings), said)
    assert len(search(tmp_path / "a", rungs=(1,), **settings).history) == 12  # the same search
    with pytest.raises(ValueError, match="holds another search: its rungs is"):
        search(tmp_path / "a", **settings)


@pytest.mark.parametrize(
    ("rungs", "message"),
    [
        ((3,), r"epochs below the 3 of a child; got \(3,\)"),
        ((1, 4), r"epochs below the 3 .*got \(1, 4\)"),
        ((2, 1), "rungs must be epochs that increase"),
        ((), "rungs must be epochs that increase"),
        (1, r"rungs must be a list of epochs, such as \(1, 2, 5\); got 1"),
        ((0, 1), "an entry of rungs must be a whole number, 1 or more"),
        (([1], [1, 2]), r"an entry of rungs must be a whole number, 1 or more; got \[1\]"),
    ],
)
def test_rungs_that_cannot_be_meant(tmp_path, rungs, message):
    with pytest.raises(ValueError, match=message):
        search(tmp_path, rungs=rungs, epochs=3)
    assert not list(tmp_path.iterdir())
