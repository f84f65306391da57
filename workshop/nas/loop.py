"""The loop of a search: propose, train, reward, tell; on disk after each trial."""

import contextlib
import time

import numpy as np

from workshop._files import sha256, write_whole
from workshop.nas.folder import readable
from workshop.nas.results import Record, checked_model, records_from_plain
from workshop.nas.worker import SUFFIXES, unsaved

__all__ = ["SearchLoop"]


class SearchLoop:
    """The state of a search.

    Parameters
    ----------
    policy : Controller, RandomPolicy or HalvingPolicy
        Who proposes.
    child : Child
        How children are built and rewarded.
    workers : InProcess or Workers
        Who trains them.
    directory : SearchDirectory
        Entered and opened.
    epochs : int
        Of a child, where the proposal does not say.

    Attributes
    ----------
    records : list of Record
    seconds : float
        Spent so far, over all calls.
    """

    def __init__(self, policy, child, workers, directory, epochs):
        self.policy, self.child, self.workers = policy, child, workers
        self.directory, self.epochs = directory, epochs
        self.records = []
        self.seconds = 0.0
        self.step = 1

    @property
    def trials(self):
        return [record.trial for record in self.records]

    def run(self, budget, callbacks, line):
        """Search until an end of the budget is reached; return its name."""
        began = time.monotonic() - self.seconds
        try:
            while (end := budget.reached(self.trials, self.seconds)) is None:
                line.show(self.text(budget))
                with contextlib.closing(self._next_records(budget)) as records:
                    for record in records:
                        self.seconds = time.monotonic() - began
                        self._keep(record)
                        if _any_true([callback(record.trial) for callback in callbacks]):
                            return "callback"
                        end = budget.reached(self.trials, self.seconds)
                        if end is not None:
                            return end  # the rest of the step is given up
                        line.show(self.text(budget))
        except KeyboardInterrupt:
            return "interrupted"
        return end

    def _next_records(self, budget):
        """Yield a record for each child of the step that is not on disk yet, in order."""
        done = len(self.records)
        proposals = self.policy.propose()[len(self._of_step(self.step)) :]
        if budget.max_trials is not None:
            proposals = proposals[: budget.max_trials - done]
        parents = [self._parent(proposal) for proposal in proposals]
        plans = [
            self.child.plan(
                number,
                proposal.tokens,
                epochs=self.epochs if proposal.epochs is None else proposal.epochs,
                parent=parent and self._checked_model(parent).read_bytes(),
            )
            for number, (proposal, parent) in enumerate(
                zip(proposals, parents, strict=True), start=done + 1
            )
        ]
        with contextlib.closing(self.workers.train(plans)) as results:
            for proposal, parent, plan, trained in zip(
                proposals, parents, plans, results, strict=True
            ):
                trial = self.child.judge(
                    plan,
                    trained,
                    trial=len(self.records) + 1,
                    step=self.step,
                    tokens=proposal.tokens,
                    epochs_before=parent.trial.total_epochs if parent else 0,
                    worst=min((t.reward for t in self.trials if t.status == "ok"), default=None),
                )
                saved = self._save(trained.model, trial.trial) if trial.status == "ok" else None
                yield Record(trial, proposal.probabilities, saved)

    def _save(self, model, number):
        """Save the model (the bytes of its file) of a trial; return the SHA-256 of the file."""
        path = self._model_path(number)
        try:
            write_whole(path, model)
        except OSError as error:
            raise unsaved(number, path, error) from error
        return sha256(path)

    def _model_path(self, number):
        return self.directory.model_path(number, SUFFIXES[self.child.framework])

    def _parent(self, proposal):
        """Record of the trial whose model the proposal trains on; or None."""
        if proposal.parent is None:
            return None
        return self._of_step(self.step - 1)[proposal.parent]

    def _checked_model(self, record):
        return checked_model(self._model_path(record.trial.trial), record)

    def _keep(self, record):
        """Add a trial; tell who proposed it once the step is complete; save."""
        self.records = [*self.records, record]
        of_step = self._of_step(self.step)
        if len(of_step) == len(self.policy.propose()):
            self.policy.observe([one.trial for one in of_step])
            self.step += 1
            self.policy.propose()  # now, so that the checkpoint holds what comes next
        self.directory.save(
            {
                "seconds": self.seconds,
                "step": self.step,
                "trials": [one.to_plain() for one in self.records],
                "policy": self.policy.state(),
            }
        )

    def restore(self, state):
        """Go on from what `_keep` saved."""
        with readable(self.directory.checkpoint):
            self.records = records_from_plain(state["trials"])
            self.seconds, self.step = state["seconds"], state["step"]
            self.policy.restore(state["policy"])

    def _of_step(self, step):
        return [record for record in self.records if record.trial.step == step]

    def text(self, budget):
        """One line about the search: trials, best so far, time."""
        trials = self.trials
        total = f"/{budget.max_trials}" if budget.max_trials else ""
        parts = [f"{self.policy.method}: trial {len(trials)}{total}"]
        finished = [trial for trial in trials if trial.status == "ok"]
        if finished:
            best = max(finished, key=lambda trial: trial.reward)
            parts.append(f"best reward {best.reward:.4f} by {list(best.tokens)}")
        if len(finished) < len(trials):
            last = next(t.reason for t in reversed(trials) if t.status != "ok")
            parts.append(f"{len(trials) - len(finished)} did not finish (last: {last[:60]})")
        limit = f" of {budget.time_budget:.0f}" if budget.time_budget else ""
        parts.append(f"{self.seconds:.0f}{limit} s")
        return "  ".join(parts)


def _any_true(answers):
    """Whether a callback wants the search to end: True, not merely something like it."""
    return any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers)
