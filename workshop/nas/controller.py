"""AMBER's controller: a recurrent network that proposes tokens and learns from their rewards.

The LSTM, its REINFORCE update and the buffer of past children are AMBER's own. Here they get what
a search needs that must repeat: random numbers of their own, and layers without a choice.
"""

import contextlib
import operator
import tempfile
import uuid
from dataclasses import asdict, dataclass, fields
from typing import NamedTuple

import numpy as np
import torch

from workshop._checks import is_positive, whole_number
from workshop.nas.amber import GeneralController, ModelSpace, release
from workshop.nas.space import check_space
from workshop.torch_cnn.loop import one_thread


class Proposal(NamedTuple):
    """A child to build and train."""

    tokens: tuple  #: which operation of each layer
    probabilities: list  #: arrays: how probable each operation was, given the tokens before
    epochs: int | None = None  #: how long to train; None = as long as the search says
    parent: int | None = None  #: which one of the step before to go on training; None = a new one


@dataclass(frozen=True)
class ControllerSettings:
    """Settings of the controller; the names are AMBER's but for the first two.

    Parameters
    ----------
    children_per_step : int
        Proposals between two updates (AMBER: max_step_per_ep).
    buffering_steps : int
        The first update comes after this many steps (AMBER: initial_buffering_queue).
    train_pi_iter : int
        Passes over the buffer in an update. AMBER's default is 20, which soon repeats what was
        good once; fewer passes keep exploring.
    tanh_constant : float or None
        Largest size of a logit, so that no operation's probability comes near 0 or 1; None (AMBER's
        default) sets no limit.
    buffer_size : int
        Updates look back at this many steps; the baseline is a moving average over them.
    batch_size : int
        Children a gradient step.
    lstm_size, lstm_num_layers : int
        Size of the recurrent network.
    temperature : float or None
        Logits are divided by it.
    """

    children_per_step: int = 3
    buffering_steps: int = 5
    train_pi_iter: int = 5
    tanh_constant: float | None = 1.5
    buffer_size: int = 15
    batch_size: int = 5
    lstm_size: int = 32
    lstm_num_layers: int = 2
    temperature: float | None = None

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type is int:
                object.__setattr__(self, field.name, whole_number(value, field.name))
            elif value is not None and not is_positive(value):
                raise ValueError(f"{field.name} must be a positive number or None; got {value!r}.")


_OURS = {"children_per_step", "buffering_steps"}


class Controller:
    """AMBER's `GeneralController` for one search.

    Parameters
    ----------
    space : amber.architect.ModelSpace
    settings : ControllerSettings
    random_state : int
        From 0 to 2**32 - 1. Nothing else decides what is proposed; the global generators of NumPy
        and Torch are as before after each call.

    Examples
    --------
    The whole of a search: propose, reward, update.

    >>> from workshop import nas
    >>> controller = Controller(nas.cnn_model_space(), random_state=0)
    >>> for step in range(10):
    ...     proposals = controller.propose()
    ...     controller.update([float(p.tokens[3] == 2) for p in proposals])  # prefers max pooling
    >>> len(proposals), len(proposals[0].tokens)
    (3, 4)
    """

    method = "AMBER"

    def __init__(self, space, settings=None, *, random_state=0):
        self.sizes = check_space(space)
        self.settings = ControllerSettings() if settings is None else settings
        if not isinstance(self.settings, ControllerSettings):
            raise TypeError(f"controller must be nas.ControllerSettings(...); got {settings!r}.")
        random_state = operator.index(random_state)  # Torch takes no NumPy integer
        self._free = [i for i, size in enumerate(self.sizes) if size > 1]
        self._steps, self._proposed = 0, []
        self._numpy = np.random.RandomState(random_state).get_state(legacy=True)
        self._torch = torch.Generator().manual_seed(random_state).get_state()
        self._amber = None
        if not self._free:
            return
        # AMBER's update fails on a layer that offers one operation, so it sees those with a choice.
        self._space = ModelSpace()
        for i, layer in enumerate(self._free):
            self._space.add_layer(i, list(space[layer]))
        name = f"controller-{uuid.uuid4().hex}"  # AMBER shares parameters between equal names
        with self._running():
            self._amber = GeneralController(
                self._space,
                name=name,
                with_skip_connection=False,
                **{key: value for key, value in asdict(self.settings).items() if key not in _OURS},
            )
        release(name)  # it has its parameters; the global graph need not keep them as well

    def propose(self):
        """Sample the children of one step, a list of `Proposal`."""
        if not self._proposed:
            number = self.settings.children_per_step
            with self._running():
                self._proposed = [
                    self._amber.get_action() if self._amber else ([], []) for _ in range(number)
                ]
        return [self._to_proposal(*sample) for sample in self._proposed]

    def update(self, rewards):
        """Learn from the rewards of the children that `propose` returned, one for each.

        All are finite: one that is not would spoil the controller for good.
        """
        rewards = [float(reward) for reward in rewards]
        if len(rewards) != len(self._proposed) or not self._proposed:
            raise ValueError(f"update needs {len(self._proposed)} rewards; got {len(rewards)}.")
        if not np.isfinite(rewards).all():
            raise ValueError(f"rewards must be finite; got {rewards}.")
        proposed, self._proposed = self._proposed, []
        self._steps += 1
        if self._amber is None:
            return
        with self._running(), tempfile.TemporaryDirectory() as folder:
            for (tokens, probabilities), reward in zip(proposed, rewards, strict=True):
                self._amber.store(prob=probabilities, action=tokens, reward=reward)
            if self._steps >= self.settings.buffering_steps:
                # AMBER also writes a text about each update; nobody reads it.
                self._amber.buffer.finish_path(self._space, self._steps, folder)
                self._amber.train()

    def observe(self, trials):
        """Learn from finished trials, the children of the last step."""
        self.update([trial.reward for trial in trials])

    def _to_proposal(self, tokens, probabilities):
        """Tokens and probabilities of all layers, with those that have no choice."""
        every = [0] * len(self.sizes)
        shares = [np.ones(1)] * len(self.sizes)
        for layer, token, share in zip(self._free, tokens, probabilities, strict=True):
            every[layer] = int(token)
            shares[layer] = share.reshape(-1).astype(np.float64)
        return Proposal(tuple(every), shares)

    @contextlib.contextmanager
    def _running(self):
        """Let AMBER, which draws from the global generators, draw from this controller's own.

        On one thread: so small a network is six times slower on two.
        """
        with one_thread():
            numpy_state, torch_state = np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
            np.random.set_state(self._numpy)  # noqa: NPY002
            torch.set_rng_state(self._torch)
            try:
                yield
            finally:
                self._numpy = np.random.get_state()  # noqa: NPY002
                self._torch = torch.get_rng_state()
                np.random.set_state(numpy_state)  # noqa: NPY002
                torch.set_rng_state(torch_state)
