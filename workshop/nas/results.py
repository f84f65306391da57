"""What a search found: its trials as tables, the best of them, and their models."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from workshop._files import sha256
from workshop.architecture import Architecture
from workshop.nas.folder import read_checkpoint, readable
from workshop.nas.trial import Trial
from workshop.nas.worker import SUFFIXES, twin_of

__all__ = [
    "Record",
    "SearchResult",
    "checked_model",
    "load_model",
    "read_history",
    "records_from_plain",
]


@dataclass(frozen=True, eq=False)
class Record:
    """A trial with what is kept beside its row of the history.

    Parameters
    ----------
    trial : Trial
    probabilities : list of ndarray
        For each layer, how probable each operation was when the tokens were drawn.
    model_sha256 : str or None
        Of the file that holds the trained model; None where the child did not finish.
    """

    trial: Trial
    probabilities: list
    model_sha256: str | None

    def to_plain(self):
        """Dicts, lists, numbers and strings, for a checkpoint."""
        fields = dict(vars(self.trial))
        fields["architecture"] = fields["architecture"] and fields["architecture"].to_dict()
        return {
            "trial": fields,
            "probabilities": [shares.tolist() for shares in self.probabilities],
            "model_sha256": self.model_sha256,
        }


def records_from_plain(plain):
    """Undo `Record.to_plain` for a list of records."""
    records = []
    for one in plain:
        fields = dict(one["trial"])
        fields["tokens"] = tuple(fields["tokens"])
        fields["operations"] = tuple(fields["operations"])
        if fields["architecture"] is not None:
            fields["architecture"] = Architecture.from_dict(fields["architecture"])
        probabilities = [np.array(shares) for shares in one["probabilities"]]
        records.append(Record(Trial(**fields), probabilities, one["model_sha256"]))
    return records


@dataclass(frozen=True, eq=False)
class SearchResult:
    """What a search found.

    Parameters
    ----------
    method : str
        ``"AMBER"``, ``"random search"`` or ``"successive halving"``.
    framework : str
        ``"torch"`` or ``"keras"``.
    working_dir : Path
        Holds the models.
    stopped : str
        Why it ended: ``"max_trials"``, ``"time_budget"``, ``"patience"``, ``"callback"`` or
        ``"interrupted"``.
    seconds : float
        Time spent searching, over all calls that went on with it.
    operations : DataFrame
        The operations of the space, as `space_table` lists them.
    score_names : tuple of str
        The columns of the history between reward and epochs.
    records : list of Record
        In the order of the trials.
    """

    method: str
    framework: str
    working_dir: Path
    stopped: str
    seconds: float
    operations: pd.DataFrame
    score_names: tuple
    records: list

    def __repr__(self):
        """One line: method, trials, and the best of them."""
        best = "none finished"
        if any(record.trial.status == "ok" for record in self.records):
            best = f"best reward {self.best.reward:.4f} by tokens {list(self.best.tokens)}"
        return (
            f"SearchResult({self.method}, {len(self.records)} trials in {self.seconds:.0f} s, "
            f"{best}, stopped by {self.stopped})"
        )

    @property
    def trials(self):
        """All trials, in order."""
        return [record.trial for record in self.records]

    @property
    def history(self):
        """A row a trial.

        Returns
        -------
        DataFrame
            Columns trial, step, tokens, operations, reward; loss and the task's metrics, and the
            same with ``val_`` before the name; epochs, total_epochs, n_parameters, seconds,
            status, reason. See `Trial`.
        """
        return history_table(self.trials, self.score_names)

    @property
    def best(self):
        """The trial with the highest reward; of equals the first.

        Raises
        ------
        ValueError
            If no child has finished; the message says why the first did not.
        """
        return self._ranked()[0].trial

    @property
    def ranking(self):
        """The history of the finished trials, best first, one row for each architecture.

        Where an architecture was tried more than once, its best trial counts.
        """
        best_first = [record.trial for record in self._ranked()]
        return history_table(best_first, self.score_names)

    @property
    def token_probabilities(self):
        """How probable each operation was, step by step: a mean over the children of the step.

        Returns
        -------
        DataFrame
            Columns step, layer, token, operation, probability.
        """
        rows = [
            {
                "step": step,
                "layer": layer,
                "token": token,
                "operation": operation,
                "probability": np.mean([record.probabilities[layer][token] for record in children]),
            }
            for step, children in self._steps().items()
            for layer, rows in self.operations.groupby("layer")
            for token, operation in zip(rows["token"], rows["operation"], strict=True)
        ]
        return pd.DataFrame(rows, columns=["step", "layer", "token", "operation", "probability"])

    @property
    def entropy(self):
        """How undecided the choice of each layer was, in bits: a mean over the step's children.

        Returns
        -------
        DataFrame
            Columns step, layer, entropy; log2 of the number of operations is undecided, 0 settled.
        """
        rows = [
            {
                "step": step,
                "layer": layer,
                "entropy": float(np.mean([_bits(record.probabilities[layer]) for record in group])),
            }
            for step, group in self._steps().items()
            for layer in self.operations["layer"].unique()
        ]
        return pd.DataFrame(rows, columns=["step", "layer", "entropy"])

    def _steps(self):
        steps = {}
        for record in self.records:
            steps.setdefault(record.trial.step, []).append(record)
        return steps

    def _ranked(self):
        """Records of the finished trials, best first, one for each architecture."""
        finished = [record for record in self.records if record.trial.status == "ok"]
        if not finished:
            why = self.records[0].trial.reason if self.records else "none was tried"
            raise ValueError(f"No child of the search finished: {why}")
        finished.sort(key=lambda record: (-record.trial.reward, record.trial.trial))
        best = {}
        for record in finished:
            best.setdefault(record.trial.tokens, record)
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
    IndexError
        If fewer architectures finished.
    FileNotFoundError, ValueError
        If the file is gone, or is not the one that the search wrote.
    """
    if not isinstance(result, SearchResult):
        raise TypeError(
            f"result must be what a search returned; got a {type(result).__name__}. Repeat the "
            "call of the search: what is finished it returns at once."
        )
    ranked = result._ranked()
    if not isinstance(rank, (int, np.integer)) or not 0 <= rank < len(ranked):
        raise IndexError(
            f"rank must be from 0 to {len(ranked) - 1}: {len(ranked)} architectures finished; got "
            f"{rank!r}."
        )
    record = ranked[rank]
    name = f"trial-{record.trial.trial}{SUFFIXES[result.framework]}"
    path = checked_model(result.working_dir / "models" / name, record)
    return twin_of(result.framework).load(path, architecture=record.trial.architecture)


def checked_model(path, record):
    """Refuse a file that is not the model that the search wrote for `record`; return its path."""
    if not path.is_file():
        raise FileNotFoundError(
            f"No model at {path}, where the search wrote that of trial {record.trial.trial}. Put "
            "it back, or search in another working_dir."
        )
    if sha256(path) != record.model_sha256:
        raise ValueError(
            f"{path} is not the file that the search wrote for trial {record.trial.trial}: it was "
            "changed or replaced. It was not loaded."
        )
    return path


def read_history(working_dir):
    """Read the history of a search from its folder, also while it runs.

    Parameters
    ----------
    working_dir : path-like

    Returns
    -------
    DataFrame
        As `SearchResult.history`.

    Raises
    ------
    FileNotFoundError
        If no search has finished a trial there.
    ValueError
        If its file is damaged.
    """
    state = read_checkpoint(working_dir)
    if state is None:
        raise FileNotFoundError(f"No search has finished a trial in {working_dir}.")
    with readable(Path(working_dir) / "checkpoint.npz"):
        trials = [record.trial for record in records_from_plain(state["trials"])]
        return history_table(trials, trials[0].scores)


def history_table(trials, score_names):
    """A row a trial, also where there is none; see `SearchResult.history`."""
    kinds = {
        "trial": int,
        "step": int,
        "tokens": object,
        "operations": object,
        "reward": float,
        **dict.fromkeys(score_names, float),
        "epochs": int,
        "total_epochs": int,
        "n_parameters": "Int64",
        "seconds": float,
        "status": object,
        "reason": object,
    }
    return pd.DataFrame([trial.row() for trial in trials], columns=list(kinds)).astype(kinds)


def _bits(shares):
    """Entropy of a distribution, in bits."""
    shares = shares[shares > 0]
    return float(-(shares * np.log2(shares)).sum())
