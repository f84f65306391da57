"""One child of a search: from tokens to a job, and from what came of it to a row of the history.

Nothing that a child does ends the search: it is recorded with a finite reward, because a single
reward that is not finite would spoil the controller for good.
"""

from dataclasses import dataclass

import numpy as np

from workshop import architecture as arch
from workshop import training
from workshop.nas.benchmark import SCORES
from workshop.nas.reward import Reward, RewardError
from workshop.nas.space import describe, join_layers, layers_of
from workshop.nas.worker import Job


@dataclass(frozen=True)
class Trial:
    """One child of a search, a row of the history."""

    trial: int  #: counted from 1
    step: int  #: counted from 1
    tokens: tuple  #: of int
    operations: tuple  #: of str
    architecture: arch.Architecture | None  #: None where the tokens describe an impossible network
    #: finite; of a child that did not finish, that of a model that knows nothing, or of the worst
    #: child so far where that is lower
    reward: float
    #: loss and the task's metrics in the last epoch of training, and with ``val_`` before the name
    #: on the validation data; nan where the child did not finish
    scores: dict
    epochs: int  #: trained in this trial
    total_epochs: int  #: trained by the model in all
    seconds: float  #: wall-clock time
    status: str  #: ``"ok"``, ``"impossible"`` (no such network), ``"diverged"`` or ``"failed"``
    reason: str  #: why it did not finish; empty for ``"ok"``
    probabilities: list  #: for each layer, how probable each operation was when it was drawn

    def to_plain(self):
        """Dicts, lists, numbers and strings, as JSON writes them."""
        return {**vars(self), "architecture": self.architecture and self.architecture.to_dict()}

    @classmethod
    def from_plain(cls, plain):
        """Undo `to_plain`."""
        tokens, operations = tuple(plain["tokens"]), tuple(plain["operations"])
        network = plain["architecture"] and arch.Architecture.from_dict(plain["architecture"])
        return cls(**{**plain, "tokens": tokens, "operations": operations, "architecture": network})


def child_seed(random_state, trial):
    """A seed of its own for each trial, the same in a resumed search and in any worker."""
    return int(np.random.SeedSequence([random_state, trial]).generate_state(1)[0])


class Children:
    """How the children of a search are built, trained (mostly for `epochs`) and rewarded."""

    def __init__(self, space, options, epochs):
        self.space, self.options, self.epochs = space, options, epochs
        self.layers = layers_of(space)
        (_, y), (_, y_val) = options.train, options.val
        self.reward = Reward(options.reward, task=options.task, y_train=y, y_val=y_val)
        names = training.history_columns(options.task, options.val)[2:]
        self.score_names = tuple(names) if options.benchmark is None else SCORES

    def job(self, trial, proposal, *, parent=None, epochs_before=0):
        """What a worker has to do for a proposal; `parent` is a file of a model to train on."""
        options, (X, y) = self.options, self.options.train
        architecture, problem = None, ""
        layers = tuple(layer[t] for layer, t in zip(self.layers, proposal.tokens, strict=True))
        try:
            architecture = join_layers(layers, X.shape[1], y.shape[1], options.task)
        except (ValueError, TypeError) as error:
            problem = str(error)
        return Job(
            trial=trial,
            architecture=architecture,
            problem=problem,
            framework=options.framework,
            settings={
                "epochs": proposal.epochs or self.epochs,
                "batch_size": options.batch_size,
                "learning_rate": options.learning_rate,
                "random_state": child_seed(options.random_state, trial),
            },
            epochs_before=epochs_before,
            parent=parent,
            wants_predictions=callable(options.reward),
        )

    def score_trial(self, proposal, job, trained, *, step, worst):
        """The `Trial` of a child: what it earned, and all that the history says of it.

        `worst` is the lowest reward of the children before it that finished, or None.
        """
        if trained.status == "ok":
            try:
                scores, found = trained.scores, trained.predictions
                reward = self.reward(scores, found, job.architecture)
            except RewardError as error:
                trained = trained._replace(status="failed", reason=f"reward: {error}")
        if trained.status != "ok":
            scores = dict.fromkeys(self.score_names, np.nan)
            reward = self.reward.penalty(worst, job.architecture)
        return Trial(
            trial=job.trial,
            step=step,
            tokens=proposal.tokens,
            operations=tuple(describe(self.space[i][t]) for i, t in enumerate(proposal.tokens)),
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
