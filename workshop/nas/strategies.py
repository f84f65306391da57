"""Strategies beside AMBER's controller: the baselines that it has to beat, and rungs for it.

A search strategy has two methods. `propose` returns the children of the next step, a list of
`Proposal`; `observe` hears of their trials. Its proposals follow from its seed and the trials, so
that a search which was killed can go on (`workshop.nas.loop`).
"""

import itertools
import math

import numpy as np

from workshop._checks import whole_number
from workshop.nas.controller import Proposal
from workshop.nas.space import check_space


def random_tokens(sizes, random_state):
    """Yield architectures drawn at random; none twice while there are others."""
    rng, seen = np.random.default_rng(random_state), set()
    while True:
        if len(seen) == math.prod(sizes):
            seen.clear()
        tokens = tuple(int(rng.integers(size)) for size in sizes)
        if tokens not in seen:
            seen.add(tokens)
            yield tokens


class RandomStrategy:
    """Random search: architectures drawn at random, whatever the others earned.

    A step is so many of them that the workers of an executor are busy most of the time.
    """

    method = "random search"
    children_per_step = 24

    def __init__(self, space, *, random_state=0):
        self.sizes = check_space(space)
        self.tokens = random_tokens(self.sizes, random_state)

    def propose(self):
        drawn = itertools.islice(self.tokens, self.children_per_step)
        return [_uniform(self.sizes, tokens) for tokens in drawn]

    def observe(self, trials):
        """Learn nothing."""


class HalvingStrategy:
    """Successive halving: many children train a little, and the best third of them trains on.

    A step is a rung. After the last one a new bracket of random children starts.
    """

    method = "successive halving"

    def __init__(self, space, *, n_children, rungs, random_state=0):
        self.sizes = check_space(space)
        self.tokens = random_tokens(self.sizes, random_state)
        self.n_children, self.rungs = n_children, rungs
        self.rung, self.survivors = 0, []  # survivors: tokens, and place in the rung before

    def propose(self):
        if self.rung == 0:
            drawn = itertools.islice(self.tokens, self.n_children)
            self.survivors = [(tokens, None) for tokens in drawn]
        return [
            _uniform(self.sizes, tokens, epochs=_more(self.rungs, self.rung), parent=parent)
            for tokens, parent in self.survivors
        ]

    def observe(self, trials):
        finished = [place for place, trial in enumerate(trials) if trial.status == "ok"]
        best = sorted(finished, key=lambda place: -trials[place].reward)  # of equals the first
        going_on = sorted(best[: _third(len(trials))])
        self.survivors = [(trials[place].tokens, place) for place in going_on]
        self.rung += 1
        if self.rung == len(self.rungs) or not self.survivors:
            self.rung = 0


class RungStrategy:
    """AMBER's controller, whose unpromising children stop early.

    A step is a rung: all children of the controller's step train up to the first one, and those
    whose reward is among the best third of all that the search has seen there, or equal to the
    last of them, train on. Once none does, the controller hears what each child earned where it
    stopped. `rungs` are epochs; after the last a child is finished.
    """

    def __init__(self, controller, rungs):
        self.controller, self.rungs, self.method = controller, rungs, controller.method
        self.children, self.rewards = [], []  # of the controller's step; each on its last rung
        self.rung, self.survivors = 0, []  # survivors: child, and its place in the rung before
        self.seen = [[] for _ in rungs]  # rewards on each rung, of children that finished it

    def propose(self):
        if self.rung == 0:
            self.children = self.controller.propose()
            self.rewards = [None] * len(self.children)
            self.survivors = [(child, None) for child in range(len(self.children))]
        epochs = _more(self.rungs, self.rung)
        return [
            self.children[child]._replace(epochs=epochs, parent=parent)
            for child, parent in self.survivors
        ]

    def observe(self, trials):
        children = [child for child, _ in self.survivors]
        for child, trial in zip(children, trials, strict=True):
            self.rewards[child] = trial.reward
        seen = self.seen[self.rung]
        seen += [trial.reward for trial in trials if trial.status == "ok"]
        cut = sorted(seen, reverse=True)[_third(len(seen)) - 1] if seen else np.inf
        self.survivors = [
            (child, place)
            for place, (child, trial) in enumerate(zip(children, trials, strict=True))
            if trial.status == "ok" and trial.reward >= cut
        ]
        self.rung += 1
        if self.rung == len(self.rungs) or not self.survivors:
            self.controller.update(self.rewards)
            self.rung = 0


def check_rungs(rungs):
    """Check the epochs after which children are compared: whole numbers that increase."""
    if not isinstance(rungs, (list, tuple, range, np.ndarray)):
        raise ValueError(f"rungs must be a list of epochs, such as (1, 2, 5); got {rungs!r}.")
    rungs = tuple(whole_number(epochs, "an entry of rungs") for epochs in rungs)
    if not rungs or any(b <= a for a, b in itertools.pairwise(rungs)):
        raise ValueError(f"rungs must be epochs that increase, such as (1, 2, 5); got {rungs}.")
    return rungs


def bracket_size(n_children, rungs):
    """How many trials a bracket has whose children all finish."""
    sizes = [n_children]
    while len(sizes) < len(rungs):
        sizes.append(_third(sizes[-1]))
    return sum(sizes)


def _third(n):
    """How many of `n` children go on."""
    return max(1, n // 3)


def _more(rungs, rung):
    """Epochs from the rung before."""
    return rungs[rung] - (rungs[rung - 1] if rung else 0)


def _uniform(sizes, tokens, **how):
    """A proposal whose operations were all as probable as the others of their layer."""
    return Proposal(tokens, [np.full(size, 1 / size) for size in sizes], **how)
