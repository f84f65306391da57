"""The loop of a search: propose, train, reward, learn; on disk after each trial.

A search that was killed goes on by **replay**. What a strategy proposes follows from its seed and
the rewards that it has heard. So the loop begins at step 1 again, and where the children of a step
are on disk it trains none: the strategy hears their rewards and proposes the next step, as it did
before.
"""

import contextlib
import itertools
import re
import time
from dataclasses import dataclass

import numpy as np

from workshop._checks import is_positive, whole_number
from workshop.nas.folder import versions


class SearchLoop:
    """A search under way.

    `strategy` proposes children, `children` says how they are built and rewarded, and `train`
    yields a `Trained` for each of a list of `Job`, in their order. `trials` that took `seconds` are
    in `folder`; both grow.
    """

    def __init__(self, strategy, children, train, folder, *, trials, seconds):
        self.strategy, self.children, self.train = strategy, children, train
        self.folder, self.trials, self.seconds = folder, trials, seconds

    def run(self, budget, callbacks, line):
        """Search until an end of the budget is reached; return its name."""
        began = time.monotonic() - self.seconds
        end = budget.reached(self.trials, self.seconds)
        steps = itertools.count(1)
        try:
            while end is None:
                step = next(steps)
                proposals = self.strategy.propose()
                line.show(self.text(budget))
                with contextlib.closing(self._new_trials(step, proposals, budget)) as trials:
                    for trial in trials:
                        self.seconds = time.monotonic() - began
                        self.trials = [*self.trials, trial]
                        self.folder.save(self.trials, self.seconds)
                        line.show(self.text(budget))
                        answers = [callback(trial) for callback in callbacks]
                        if any(isinstance(one, (bool, np.bool_)) and one for one in answers):
                            return "callback"
                        if end := budget.reached(self.trials, self.seconds):
                            return end  # the rest of the step is given up
                self.strategy.observe(self._of_step(step))
        except KeyboardInterrupt:
            return "interrupted"
        return end

    def _new_trials(self, step, proposals, budget):
        """Yield a trial for each child of the step that is not on disk."""
        recorded = self._of_step(step)
        for proposal, trial in zip(proposals, recorded, strict=False):
            self._check_replay(proposal, trial)
        proposals = proposals[len(recorded) :]
        if budget.max_trials is not None:
            proposals = proposals[: budget.max_trials - len(self.trials)]
        jobs = [
            self._job(number, step, proposal)
            for number, proposal in enumerate(proposals, start=len(self.trials) + 1)
        ]
        with contextlib.closing(self.train(jobs)) as results:
            for proposal, job, trained in zip(proposals, jobs, results, strict=True):
                worst = min((t.reward for t in self.trials if t.status == "ok"), default=None)
                trial = self.children.score_trial(proposal, job, trained, step=step, worst=worst)
                if trial.status == "ok":
                    self.folder.save_model(trial, trained.model)
                yield trial

    def _job(self, number, step, proposal):
        if proposal.parent is None:
            return self.children.job(number, proposal)
        parent = self._of_step(step - 1)[proposal.parent]
        model = self.folder.model(parent)
        return self.children.job(number, proposal, parent=model, epochs_before=parent.total_epochs)

    def _check_replay(self, proposal, trial):
        """Refuse a trial that the strategy does not propose here: other versions compute."""
        if proposal.tokens == trial.tokens:
            return
        raise ValueError(
            f"The search in {self.folder.path} cannot go on here: its trial {trial.trial} has the "
            f"tokens {list(trial.tokens)}, and this machine proposes {list(proposal.tokens)}. It "
            f"began with {self.folder.began_with}; here are {versions()}. Go on where it began."
        )

    def _of_step(self, step):
        return [trial for trial in self.trials if trial.step == step]

    def text(self, budget):
        """One line about the search: trials, best so far, time."""
        total = f"/{budget.max_trials}" if budget.max_trials else ""
        parts = [f"{self.strategy.method}: trial {len(self.trials)}{total}"]
        finished = [trial for trial in self.trials if trial.status == "ok"]
        if finished:
            best = max(finished, key=lambda trial: trial.reward)
            parts.append(f"best reward {best.reward:.4f} by {list(best.tokens)}")
        failed = [trial for trial in self.trials if trial.status != "ok"]
        if failed:
            parts.append(f"{len(failed)} did not finish (last: {failed[-1].reason[:60]})")
        limit = f" of {budget.time_budget:.0f}" if budget.time_budget else ""
        return "  ".join([*parts, f"{self.seconds:.0f}{limit} s"])


@dataclass(frozen=True)
class Budget:
    """The ends of a search, of which at least one is given."""

    time_budget: float | str | None
    max_trials: int | None
    patience: int | None

    def __post_init__(self):
        if self.time_budget is None and self.max_trials is None and self.patience is None:
            raise ValueError("A search needs an end: give time_budget, max_trials or patience.")
        for name in ("max_trials", "patience"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, whole_number(getattr(self, name), name))
        if self.time_budget is not None:
            object.__setattr__(self, "time_budget", _seconds(self.time_budget))

    def reached(self, trials, seconds):
        """Name of the end that is reached after `trials`, which took `seconds`; or None."""
        if self.max_trials is not None and len(trials) >= self.max_trials:
            return "max_trials"
        if self.patience is not None and _trials_since_best(trials) >= self.patience:
            return "patience"
        if self.time_budget is not None and seconds >= self.time_budget:
            return "time_budget"
        return None


def _trials_since_best(trials):
    finished = [trial for trial in trials if trial.status == "ok"]
    if not finished:
        return len(trials)
    return len(trials) - max(finished, key=lambda trial: trial.reward).trial  # of equals the first


def _seconds(value):
    clock = re.fullmatch(r"(\d+):([0-5]\d):([0-5]\d)", value) if isinstance(value, str) else None
    if clock:
        hours, minutes, seconds = map(int, clock.groups())
        value = 3600 * hours + 60 * minutes + seconds
    if not is_positive(value):
        raise ValueError(f"time_budget must be positive: seconds, or 'HH:MM:SS'; got {value!r}.")
    return float(value)
