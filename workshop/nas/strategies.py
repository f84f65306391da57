"""Who proposes beside AMBER's controller: the baselines that it has to beat, and rungs for it.

All have the controller's methods: `propose`, `observe`, `state` and `restore`.
"""

import itertools
import math

import numpy as np

from workshop._checks import positive_int
from workshop.nas.controller import Proposal
from workshop.nas.space import check_space

__all__ = ["HalvingPolicy", "RandomPolicy", "RungController", "bracket_size", "check_rungs"]


class _RandomTokens:
    """Architectures drawn at random; none twice while there are others."""

    def __init__(self, space, random_state):
        self.sizes = check_space(space)
        self.rng = np.random.default_rng(random_state)
        self.seen = set()

    def draw(self):
        if len(self.seen) == math.prod(self.sizes):
            self.seen.clear()
        while True:
            tokens = tuple(int(self.rng.integers(size)) for size in self.sizes)
            if tokens not in self.seen:
                self.seen.add(tokens)
                return tokens

    def state(self):
        return {"generator": self.rng.bit_generator.state, "seen": sorted(map(list, self.seen))}

    def restore(self, state):
        self.rng.bit_generator.state = state["generator"]
        self.seen = {tuple(tokens) for tokens in state["seen"]}


class RandomPolicy:
    """Random search: a for-loop over architectures drawn at random.

    A step is so many of them that the workers of an executor are busy most of the time.
    """

    method = "random search"
    children_per_step = 24

    def __init__(self, space, *, random_state=0):
        self.tokens = _RandomTokens(space, random_state)
        self.drawn = []

    def propose(self):
        if not self.drawn:
            self.drawn = [self.tokens.draw() for _ in range(self.children_per_step)]
        return [_uniform(self.tokens.sizes, tokens) for tokens in self.drawn]

    def observe(self, trials):
        self.drawn = []

    def state(self):
        return {"random": self.tokens.state(), "drawn": list(map(list, self.drawn))}

    def restore(self, state):
        self.tokens.restore(state["random"])
        self.drawn = list(map(tuple, state["drawn"]))


class HalvingPolicy:
    """Successive halving: many children train a little, and the best third of them trains on.

    A step is a rung. After the last one a new bracket of random children starts.
    """

    method = "successive halving"

    def __init__(self, space, *, n_children, rungs, random_state=0):
        self.n_children, self.rungs = n_children, rungs
        self.tokens = _RandomTokens(space, random_state)
        self.rung, self.survivors = 0, None  # survivors: tokens and place in the rung before
        self._proposals = None

    def propose(self):
        if self.survivors is None:
            self.survivors = [(self.tokens.draw(), None) for _ in range(self.n_children)]
        if self._proposals is None:
            done = self.rungs[self.rung - 1] if self.rung else 0
            epochs = self.rungs[self.rung] - done
            self._proposals = [
                _uniform(self.tokens.sizes, tokens, epochs=epochs, parent=parent)
                for tokens, parent in self.survivors
            ]
        return self._proposals

    def observe(self, trials):
        finished = [i for i, trial in enumerate(trials) if trial.status == "ok"]
        best = sorted(finished, key=lambda i: (-trials[i].reward, i))
        best = best[: _third(len(trials))]
        self.rung += 1
        self._proposals = None
        self.survivors = [(trials[i].tokens, i) for i in sorted(best)]
        if self.rung == len(self.rungs) or not self.survivors:
            self.rung, self.survivors = 0, None

    def state(self):
        return {
            "random": self.tokens.state(),
            "rung": self.rung,
            "survivors": self.survivors
            and [[list(tokens), parent] for tokens, parent in self.survivors],
        }

    def restore(self, state):
        self.tokens.restore(state["random"])
        self.rung, self._proposals = state["rung"], None
        self.survivors = state["survivors"] and [
            (tuple(tokens), parent) for tokens, parent in state["survivors"]
        ]


class RungController:
    """AMBER's controller, whose unpromising children stop early.

    A step is a rung: all children of the controller's step train up to the first one, and those
    whose reward is among the best third of all that the search has seen there, or equal to the
    last of them, train on. Once nobody does, the controller hears what each child earned where it
    stopped.

    Parameters
    ----------
    controller : Controller
    rungs : tuple of int
        Epochs; after the last a child is finished.
    """

    def __init__(self, controller, rungs):
        self.controller, self.rungs, self.method = controller, rungs, controller.method
        self.rung, self.survivors = 0, None  # survivors: child and its place in the rung before
        self.rewards = {}  # of each child of the step, on its last rung
        self.seen = [[] for _ in rungs]  # rewards on each rung, of children that finished it

    def propose(self):
        children = self.controller.propose()
        if self.survivors is None:
            return [child._replace(epochs=self.rungs[0]) for child in children]
        epochs = self.rungs[self.rung] - self.rungs[self.rung - 1]
        return [children[i]._replace(epochs=epochs, parent=parent) for i, parent in self.survivors]

    def observe(self, trials):
        children = range(len(trials)) if self.survivors is None else [i for i, _ in self.survivors]
        self.rewards |= {i: t.reward for i, t in zip(children, trials, strict=True)}
        seen = self.seen[self.rung]
        seen += [trial.reward for trial in trials if trial.status == "ok"]
        cut = sorted(seen, reverse=True)[: _third(len(seen))][-1] if seen else np.inf
        self.survivors = [
            (child, place)
            for place, (child, trial) in enumerate(zip(children, trials, strict=True))
            if trial.status == "ok" and trial.reward >= cut
        ]
        self.rung += 1
        if self.rung == len(self.rungs) or not self.survivors:
            self.controller.update([self.rewards[i] for i in sorted(self.rewards)])
            self.rung, self.survivors, self.rewards = 0, None, {}

    def state(self):
        return {
            "controller": self.controller.state(),
            "rung": self.rung,
            "survivors": self.survivors and list(map(list, self.survivors)),
            "rewards": list(map(list, self.rewards.items())),
            "seen": self.seen,
        }

    def restore(self, state):
        self.controller.restore(state["controller"])
        self.rung, self.seen = state["rung"], state["seen"]
        self.survivors = state["survivors"] and list(map(tuple, state["survivors"]))
        self.rewards = dict(state["rewards"])


def check_rungs(rungs):
    """Check the epochs after which children are compared: whole numbers that increase."""
    if not isinstance(rungs, (list, tuple, range, np.ndarray)):
        raise ValueError(f"rungs must be a list of epochs, such as (1, 2, 5); got {rungs!r}.")
    rungs = tuple(positive_int(epochs, "an entry of rungs") for epochs in rungs)
    if not rungs or any(b <= a for a, b in itertools.pairwise(rungs)):
        raise ValueError(
            f"rungs must be epochs that increase, such as (1, 2, 5); got {rungs}. They count from "
            "the child's start."
        )
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


def _uniform(sizes, tokens, **how):
    """A proposal whose operations were all as probable as the others of their layer."""
    return Proposal(tuple(tokens), [np.full(size, 1 / size) for size in sizes], **how)
