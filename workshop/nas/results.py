"""What a search found: its trials as tables, the best of them, and their models."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from workshop.nas.folder import model_path, read_trials
from workshop.nas.worker import twin_of


@dataclass(frozen=True, eq=False)
class SearchResult:
    """What a search found."""

    method: str  #: ``"AMBER"``, ``"random search"`` or ``"successive halving"``
    framework: str  #: ``"torch"`` or ``"keras"``
    working_dir: Path | None  #: holds the models; None on the benchmark
    #: why it ended: ``"max_trials"``, ``"time_budget"``, ``"patience"``, ``"callback"`` or
    #: ``"interrupted"``
    stopped: str
    seconds: float  #: time spent searching, over all calls that went on with it
    operations: pd.DataFrame  #: the operations of the space, as `space_table` lists them
    score_names: tuple  #: the columns of the history between reward and epochs
    trials: list  #: of `Trial`, in their order

    def __repr__(self):
        """One line: method, trials, and the best of them."""
        best = "none finished"
        if any(trial.status == "ok" for trial in self.trials):
            best = f"best reward {self.best.reward:.4f} by tokens {list(self.best.tokens)}"
        return (
            f"SearchResult({self.method}, {len(self.trials)} trials in {self.seconds:.0f} s, "
            f"{best}, stopped by {self.stopped})"
        )

    @property
    def history(self):
        """A row a trial.

        Columns trial, step, tokens, operations, reward; loss and the task's metrics, and the same
        with ``val_`` before the name; epochs, total_epochs, n_parameters, seconds, status, reason.
        See `Trial`.
        """
        return history_table(self.trials, self.score_names)

    @property
    def best(self):
        """The trial with the highest reward; of equals the first. ValueError if none finished."""
        return self._ranked()[0]

    @property
    def ranking(self):
        """The history of the finished trials, best first: the best one of each architecture."""
        return history_table(self._ranked(), self.score_names)

    @property
    def token_probabilities(self):
        """How probable each operation was in each step: a mean over its children.

        Columns step, layer, token, operation, probability.
        """
        rows = [
            (trial.step, layer, token, share)
            for trial in self.trials
            for layer, shares in enumerate(trial.probabilities)
            for token, share in enumerate(shares)
        ]
        table = pd.DataFrame(rows, columns=["step", "layer", "token", "probability"])
        table = table.groupby(["step", "layer", "token"], as_index=False).mean()
        table = table.merge(self.operations, on=["layer", "token"], how="left")
        return table[["step", "layer", "token", "operation", "probability"]]

    def _ranked(self):
        """The finished trials, best first, one for each architecture."""
        finished = [trial for trial in self.trials if trial.status == "ok"]
        if not finished:
            why = self.trials[0].reason if self.trials else "none was tried"
            raise ValueError(f"No child of the search finished: {why}")
        best = {}
        for trial in sorted(finished, key=lambda trial: -trial.reward):  # of equals the first
            best.setdefault(trial.tokens, trial)
        return list(best.values())


def load_model(result, rank=0):
    """Load a trained model of a search.

    Parameters
    ----------
    result : SearchResult
    rank : int
        0 for the best, 1 for the second best: a row of ``result.ranking``.

    Returns
    -------
    SequenceCNN
        Of the twin that the search used.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is gone, is damaged or holds another architecture.
    """
    if not isinstance(result, SearchResult):
        raise TypeError(f"result must be what a search returned; got a {type(result).__name__}.")
    ranked = result._ranked()
    if not isinstance(rank, (int, np.integer)) or not 0 <= rank < len(ranked):
        raise IndexError(f"rank must be from 0 to {len(ranked) - 1}; got {rank!r}.")
    trial = ranked[rank]
    if result.working_dir is None:
        raise ValueError("A search on the benchmark has scores and no weights: train the child.")
    path = model_path(result.working_dir, result.framework, trial, there=True)
    return twin_of(result.framework).load(path, architecture=trial.architecture)


def read_history(working_dir):
    """Read the history of a search from its folder, also while it runs: `SearchResult.history`.

    Raises
    ------
    FileNotFoundError, ValueError
        If no search has finished a trial there, or its file is damaged.
    """
    trials, _ = read_trials(working_dir)
    if not trials:
        raise FileNotFoundError(f"No search has finished a trial in {working_dir}.")
    return history_table(trials, trials[0].scores)


def history_table(trials, score_names):
    """A row a trial, also where there is none; see `SearchResult.history`."""
    kinds = {
        **dict.fromkeys(("trial", "step"), int),
        **dict.fromkeys(("tokens", "operations"), object),
        **dict.fromkeys(("reward", *score_names), float),
        **dict.fromkeys(("epochs", "total_epochs"), int),
        "n_parameters": "Int64",
        "seconds": float,
        **dict.fromkeys(("status", "reason"), object),
    }
    rows = [
        {
            **vars(trial),
            **trial.scores,
            "n_parameters": trial.architecture and trial.architecture.n_parameters(),
        }
        for trial in trials
    ]
    return pd.DataFrame(rows, columns=list(kinds)).astype(kinds)
