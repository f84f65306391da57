"""The loop of a search: propose, train, reward, tell; on disk after each trial."""

import time

import numpy as np

from workshop._files import sha256
from workshop._nas_child import SUFFIXES, twin_of
from workshop._nas_directory import readable
from workshop._nas_result import Record, checked_model, records_from_plain

__all__ = ["SearchLoop"]


class SearchLoop:
    """The state of a search.

    Parameters
    ----------
    policy : Controller, RandomPolicy or HalvingPolicy
        Who proposes.
    child : Child
        How children are built and trained.
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

    def __init__(self, policy, child, directory, epochs):
        self.policy, self.child, self.directory, self.epochs = policy, child, directory, epochs
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
                record = self._next_record()
                self.seconds = time.monotonic() - began
                self._keep(record)
                answers = [callback(record.trial) for callback in callbacks]
                if any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers):
                    return "callback"
        except KeyboardInterrupt:
            return "interrupted"
        return end

    def _next_record(self):
        """Train the next child that is proposed."""
        proposal = self.policy.propose()[len(self._of_step(self.step))]
        number = len(self.records) + 1
        trial, model = self.child.run(
            trial=number,
            step=self.step,
            tokens=proposal.tokens,
            epochs=self.epochs if proposal.epochs is None else proposal.epochs,
            parent=self._parent(proposal),
            worst=min((t.reward for t in self.trials if t.status == "ok"), default=None),
        )
        saved = None if model is None else self._save(model, number)
        return Record(trial, proposal.probabilities, saved)

    def _save(self, model, number):
        """Save the model of a trial; return the SHA-256 of its file."""
        path = self._model_path(number)
        try:
            twin_of(self.child.framework).save(model, path)
        except Exception as error:  # the disk, whatever a framework calls that; no fault of a child
            raise OSError(
                f"The model of trial {number} could not be written to {path} ({error}). Is the "
                "disk full? Make room and repeat the call: it goes on from the trial before."
            ) from error
        return sha256(path)

    def _model_path(self, number):
        return self.directory.model_path(number, SUFFIXES[self.child.framework])

    def _parent(self, proposal):
        """File of the model that the proposal trains on, and the epochs it has had; or None."""
        if proposal.parent is None:
            return None
        parent = self._of_step(self.step - 1)[proposal.parent]
        path = checked_model(self._model_path(parent.trial.trial), parent)
        return path, parent.trial.total_epochs

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
