"""One child of a search: from tokens to a job, and from what came of it to a row of the history.

Nothing that a child does ends the search: it is recorded with a finite reward, because a single
reward that is not finite would spoil the controller for good.
"""

import contextlib
import functools
import hashlib
import inspect
from dataclasses import dataclass

import numpy as np

from workshop import architecture as arch
from workshop import training
from workshop.nas.space import describe, to_architecture
from workshop.nas.worker import Job, summarize_error


@dataclass(frozen=True)
class Trial:
    """One child of a search, a row of the history.

    Parameters
    ----------
    trial, step : int
        Both counted from 1.
    tokens : tuple of int
    operations : tuple of str
    architecture : Architecture or None
        None where the tokens describe an impossible network.
    reward : float
        Finite; of a child that did not finish, that of a model that knows nothing, or of the worst
        child so far where that is lower.
    scores : dict of str to float
        Loss and the task's metrics in the last epoch of training, and with ``val_`` before the
        name on the validation data; nan where the child did not finish.
    epochs, total_epochs : int
        Trained in this trial, and by the model in all.
    seconds : float
        Wall-clock time.
    status : str
        ``"ok"``, ``"impossible"`` (no such network), ``"diverged"`` or ``"failed"``.
    reason : str
        Why it did not finish; empty for ``"ok"``.
    probabilities : list of list of float
        For each layer, how probable each operation was when the tokens were drawn.
    """

    trial: int
    step: int
    tokens: tuple
    operations: tuple
    architecture: arch.Architecture | None
    reward: float
    scores: dict
    epochs: int
    total_epochs: int
    seconds: float
    status: str
    reason: str
    probabilities: list

    def to_plain(self):
        """Dicts, lists, numbers and strings, as JSON writes them."""
        return {**vars(self), "architecture": self.architecture and self.architecture.to_dict()}

    @classmethod
    def from_plain(cls, plain):
        """Undo `to_plain`."""
        tokens, operations = tuple(plain["tokens"]), tuple(plain["operations"])
        network = plain["architecture"] and arch.Architecture.from_dict(plain["architecture"])
        return cls(**{**plain, "tokens": tokens, "operations": operations, "architecture": network})


class Children:
    """How the children of a search are built, trained (mostly for `epochs`) and rewarded."""

    def __init__(self, space, options, epochs):
        self.space, self.options, self.epochs = space, options, epochs
        (_, y), (_, y_val) = options.train, options.val
        self.reward = Reward(options.reward, task=options.task, y_train=y, y_val=y_val)
        names = ("loss", *training.METRICS[options.task])
        self.score_names = (*names, *(f"val_{name}" for name in names))

    def job(self, trial, proposal, *, parent=None, epochs_before=0):
        """What a worker has to do for a proposal; `parent` is a file of a model to train on."""
        options, (X, y) = self.options, self.options.train
        architecture, problem = None, ""
        try:
            architecture = to_architecture(
                self.space,
                proposal.tokens,
                input_length=X.shape[1],
                n_outputs=y.shape[1],
                task=options.task,
            )
        except (ValueError, TypeError) as error:
            problem = str(error)
        # A seed of its own for each trial, the same in a resumed search and in any worker.
        seed = np.random.SeedSequence([options.random_state, trial]).generate_state(1)[0]
        return Job(
            trial=trial,
            architecture=architecture,
            problem=problem,
            framework=options.framework,
            epochs=proposal.epochs or self.epochs,
            epochs_before=epochs_before,
            batch_size=options.batch_size,
            learning_rate=options.learning_rate,
            random_state=int(seed),
            parent=parent,
            wants_predictions=callable(options.reward),
        )

    def score_trial(self, proposal, job, trained, *, step, worst):
        """The `Trial` of a child: what it earned, and all that the history says of it.

        `worst` is the lowest reward of the children before it that finished, or None.
        """
        if trained.status == "ok":
            try:
                scores, reward = trained.scores, self.reward(trained.scores, trained.predictions)
            except RewardError as error:
                trained = trained._replace(status="failed", reason=f"reward: {error}")
        if trained.status != "ok":
            scores, reward = dict.fromkeys(self.score_names, np.nan), self.reward.penalty(worst)
        return Trial(
            trial=job.trial,
            step=step,
            tokens=proposal.tokens,
            operations=tuple(
                describe(self.space[i][token]) for i, token in enumerate(proposal.tokens)
            ),
            architecture=job.architecture,
            reward=reward,
            scores=scores,
            epochs=trained.epochs,
            total_epochs=trained.epochs + job.epochs_before,
            seconds=trained.seconds,
            status=trained.status,
            reason=trained.reason,
            probabilities=[shares.tolist() for shares in proposal.probabilities],
        )


class RewardError(Exception):
    """The reward of a child is no number."""


class Reward:
    """What a search maximises, and what a child earns that did not finish."""

    def __init__(self, reward, *, task, y_train, y_val):
        names = sorted({"loss", *training.METRICS[task]} - {"mae"})
        if not callable(reward) and reward not in names:
            raise ValueError(
                "reward must be a function of (y_true, y_score), or one of "
                f"{', '.join(names)} for task {task!r}; got {reward!r}."
            )
        self.function, self.task = reward, task
        self.y_train, self.y_val = y_train, y_val
        self.name = reward_name(reward) if callable(reward) else reward

    def __call__(self, scores, predictions):
        """Reward of a child by its `scores`, or by its `predictions` (N, T)."""
        if callable(self.function):
            return self._call(predictions)
        value = scores[f"val_{self.function}"]
        if np.isnan(value):
            raise RewardError(
                "AUROC needs both classes among the validation labels of every output"
            )
        return -value if self.function == "loss" else value

    def _call(self, predictions):
        try:
            value = self.function(self.y_val.copy(), predictions)
        except Exception as error:
            raise RewardError(summarize_error(error)) from error
        with contextlib.suppress(TypeError, ValueError):
            number = float(np.asarray(value).reshape(()))  # a tensor or an array of one will do
            if np.isfinite(number):
                return number
        raise RewardError(f"it must be one finite number; got {str(value)[:60]}")

    def penalty(self, worst):
        """Reward of a child that did not finish: what the mean of the training labels would earn.

        Where the reward is not defined for that, 0. Never more than `worst`, unless that is None.
        """
        mean = self.y_train.mean(axis=0, keepdims=True)  # (1, T)
        share = np.clip(mean, 1e-6, 1 - 1e-6)
        if self.task == "regression":
            logit = mean
        else:
            logit = np.log(share) if self.task == "multiclass" else np.log(share / (1 - share))
        everywhere = np.ones((len(self.y_val), 1), dtype=np.float32)
        try:
            scores = training.score_logits(self.task, everywhere * logit, self.y_val)
            on_val = {f"val_{name}": float(value) for name, value in scores.items()}
            floor = self(on_val, (everywhere * mean).astype(np.float32))
        except RewardError:
            floor = 0.0
        return floor if worst is None else min(floor, worst)


def reward_name(function):
    """How a resumed search knows a function again: where it is defined, and its source.

    Not noticed is an edit of what it looks up: enclosed and global values, attributes, functions
    that it calls; nor any edit where Python keeps no source, as at a plain prompt.
    """
    if isinstance(function, functools.partial):
        return f"{reward_name(function.func)} {function.args} {function.keywords}"
    named = function if hasattr(function, "__qualname__") else type(function)
    try:
        source = inspect.getsource(function if named is function else named.__call__)
    except (OSError, TypeError):
        source = ""
    digest = hashlib.sha256(source.encode()).hexdigest()
    return f"{named.__module__}.{named.__qualname__} {digest[:12]}"
