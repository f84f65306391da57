"""One child of a search: from tokens to a job, from what came of it to a row of the history.

Nothing that a child does ends the search: it is recorded with a finite reward, because a single
reward that is not finite would spoil the controller for good.
"""

import time
from dataclasses import dataclass

import numpy as np

from workshop import architecture as arch
from workshop import training
from workshop.nas.code import code_name
from workshop.nas.space import describe, to_architecture
from workshop.nas.worker import ChildError, Job, Trained, in_words

__all__ = ["Child", "Reward", "Trial"]


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

    def row(self):
        """A row of the history: plain values by name of the column."""
        count = self.architecture.n_parameters() if self.architecture else None
        return {
            "trial": self.trial,
            "step": self.step,
            "tokens": self.tokens,
            "operations": self.operations,
            "reward": self.reward,
            **self.scores,
            "epochs": self.epochs,
            "total_epochs": self.total_epochs,
            "n_parameters": count,
            "seconds": self.seconds,
            "status": self.status,
            "reason": self.reason,
        }


class Reward:
    """What a search maximises, and what a child earns that did not finish.

    Parameters
    ----------
    reward : str or callable
        ``"auroc"``, ``"accuracy"``, ``"loss"`` (its negative), or ``f(y_true, y_score) -> float``.
    task : str
        Of the architectures.
    y_train, y_val : array of shape (N, T)
    """

    def __init__(self, reward, *, task, y_train, y_val):
        names = ("loss", *training.METRICS[task])
        if not callable(reward) and (reward == "mae" or reward not in names):
            raise ValueError(
                "reward must be a function of (y_true, y_score), or one of "
                f"{', '.join(sorted(set(names) - {'mae'}))} for task {task!r}; got {reward!r}."
            )
        self.function, self.task = reward, task
        self.y_train, self.y_val = y_train, y_val

    @property
    def name(self):
        """Of a function, its place and what it does: how a resumed search knows it again."""
        if isinstance(self.function, str):
            return self.function
        return code_name(self.function)

    def __call__(self, scores, predictions):
        """Reward of a child by its validation `scores`, or by its `predictions` (N, T)."""
        if not callable(self.function):
            value = -scores["loss"] if self.function == "loss" else scores[self.function]
            if self.function == "auroc" and np.isnan(value):
                raise ChildError(
                    "failed",
                    "reward: AUROC needs both classes among the validation labels of every output",
                )
            return float(value)
        try:
            value = self.function(self.y_val.copy(), predictions)
        except Exception as error:
            raise ChildError("failed", f"reward: {in_words(error)}") from error
        number = _as_float(value)
        if not np.isfinite(number):
            raise ChildError(
                "failed", f"reward: it must be one finite number; got {str(value)[:60]}"
            )
        return number

    def penalty(self, worst):
        """Reward of a child that did not finish: what a model earns that knows nothing.

        It predicts the mean of the training labels for every sequence; where the reward is not
        defined for that, 0. Never more than `worst`, the lowest reward of the children that
        finished (None: there are none).
        """
        mean = self.y_train.mean(axis=0, keepdims=True)
        share = np.clip(mean, 1e-6, 1 - 1e-6)
        if self.task == "regression":
            logit = mean
        else:
            logit = np.log(share) if self.task == "multiclass" else np.log(share / (1 - share))
        everywhere = np.ones((len(self.y_val), 1), dtype=np.float32)
        try:
            scores = training.score_logits(self.task, everywhere * logit, self.y_val)
            floor = self(scores, (everywhere * mean).astype(np.float32))
        except ChildError:
            floor = 0.0
        return floor if worst is None else min(floor, worst)


@dataclass(frozen=True)
class Child:
    """How every child of a search is built, trained and rewarded.

    Parameters
    ----------
    space : amber.architect.ModelSpace
    framework : str
    data : tuple of arrays
        X, y, X_val, y_val, checked.
    reward : Reward
    task : str
    batch_size : int
    learning_rate : float
    random_state : int
        Of the search; each trial draws its own seed from it.
    """

    space: object
    framework: str
    data: tuple
    reward: Reward
    task: str
    batch_size: int
    learning_rate: float
    random_state: int

    @property
    def score_names(self):
        """Names of a trial's scores: loss and metrics, then the same on the validation data."""
        names = ("loss", *training.METRICS[self.task])
        return (*names, *(f"val_{name}" for name in names))

    def plan(self, trial, tokens, *, epochs, parent):
        """What a worker has to do for a child.

        Parameters
        ----------
        trial : int
        tokens : tuple of int
        epochs : int
        parent : bytes or None
            File of the model to go on training.

        Returns
        -------
        Job, or Trained where the tokens describe an impossible network
        """
        X, y, *_ = self.data
        try:
            architecture = to_architecture(
                self.space, tokens, input_length=X.shape[1], n_outputs=y.shape[1], task=self.task
            )
        except (ValueError, TypeError) as error:
            return Trained("impossible", str(error))
        return Job(
            trial=trial,
            architecture=architecture,
            framework=self.framework,
            epochs=epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            # A seed of its own for each trial, the same in a resumed search and in any worker.
            random_state=int(
                np.random.SeedSequence([self.random_state, trial]).generate_state(1)[0]
            ),
            parent=parent,
            wants_predictions=callable(self.reward.function),
        )

    def judge(self, plan, trained, *, trial, step, tokens, epochs_before, worst):
        """Reward what came of a child.

        Parameters
        ----------
        plan : Job or Trained
            From `plan`.
        trained : Trained
        trial, step : int
        tokens : tuple of int
        epochs_before : int
            That the model had had before this trial.
        worst : float or None
            Lowest reward of the children before it that finished.

        Returns
        -------
        Trial
        """
        started = time.perf_counter()
        status, reason = trained.status, trained.reason
        if status == "ok":
            try:
                scores, reward = self._score(trained)
            except ChildError as error:
                status, reason = error.status, str(error)
        if status != "ok":
            scores, reward = dict.fromkeys(self.score_names, np.nan), self.reward.penalty(worst)
        return Trial(
            trial=trial,
            step=step,
            tokens=tuple(tokens),
            operations=tuple(describe(self.space[i][token]) for i, token in enumerate(tokens)),
            architecture=plan.architecture if isinstance(plan, Job) else None,
            reward=float(reward),
            scores=scores,
            epochs=trained.epochs,
            total_epochs=trained.epochs + epochs_before,
            seconds=trained.seconds + time.perf_counter() - started,
            status=status,
            reason=reason,
        )

    def _score(self, trained):
        """Scores and reward of a trained child."""
        on_val = training.score_logits(self.task, trained.logits, self.data[3])
        reward = self.reward(on_val, trained.predictions)
        every = {**trained.scores, **{f"val_{name}": value for name, value in on_val.items()}}
        return {name: float(every[name]) for name in self.score_names}, reward


def _as_float(value):
    try:
        return float(np.asarray(value).reshape(()))
    except (TypeError, ValueError):
        return np.nan
