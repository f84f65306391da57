"""The baselines that any search has to beat: random search and successive halving.

Both have the controller's methods: `propose`, `observe`, `state` and `restore`.
"""

import itertools
import math

import numpy as np

from workshop._layers import positive_int
from workshop._nas_controller import Proposal
from workshop._nas_space import check_space

__all__ = ["HalvingPolicy", "RandomPolicy", "bracket_size", "check_rungs"]


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
    """Random search: a for-loop over architectures drawn at random."""

    method = "random search"

    def __init__(self, space, *, random_state=0):
        self.tokens = _RandomTokens(space, random_state)
        self.proposal = None

    def propose(self):
        if self.proposal is None:
            self.proposal = self.tokens.draw()
        return [_uniform(self.tokens.sizes, self.proposal)]

    def observe(self, trials):
        self.proposal = None

    def state(self):
        return {"random": self.tokens.state(), "proposed": self.proposal and list(self.proposal)}

    def restore(self, state):
        self.tokens.restore(state["random"])
        self.proposal = state["proposed"] and tuple(state["proposed"])


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


def check_rungs(rungs):
    """Check the epochs after which children are compared: whole numbers that increase."""
    if np.ndim(rungs) != 1:
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
