"""When a search ends: after a time, a number of trials, or a while without a better child."""

import re
from dataclasses import dataclass

import numpy as np

from workshop._checks import is_positive, positive_int

__all__ = ["Budget"]


@dataclass(frozen=True)
class Budget:
    """The ends of a search; at least one is given.

    Parameters
    ----------
    time_budget : float, str or None
        Seconds, or ``"HH:MM:SS"``.
    max_trials : int or None
    patience : int or None
        Trials without a better one than the best before them.

    Raises
    ------
    ValueError
        If no end is given, or one cannot be meant.

    Examples
    --------
    >>> Budget("00:05:00").time_budget
    300.0
    """

    time_budget: float | str | None = None
    max_trials: int | None = None
    patience: int | None = None

    def __post_init__(self):
        if self.time_budget is None and self.max_trials is None and self.patience is None:
            raise ValueError(
                "A search needs an end: give time_budget (seconds or 'HH:MM:SS'), max_trials or "
                "patience; or several, and the first that is reached counts."
            )
        for name in ("max_trials", "patience"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, positive_int(getattr(self, name), name))
        if self.time_budget is not None:
            object.__setattr__(self, "time_budget", _seconds(self.time_budget))

    def reached(self, trials, seconds):
        """Name of the end that is reached, or None.

        Parameters
        ----------
        trials : list of Trial
        seconds : float
            Time spent so far.
        """
        if self.max_trials is not None and len(trials) >= self.max_trials:
            return "max_trials"
        if self.patience is not None and len(trials) - _last_gain(trials) >= self.patience:
            return "patience"
        if self.time_budget is not None and seconds >= self.time_budget:
            return "time_budget"
        return None


def _last_gain(trials):
    """How many trials there were when the best one came; 0 before any has finished."""
    best, when = -np.inf, 0
    for number, trial in enumerate(trials, start=1):
        if trial.status == "ok" and trial.reward > best:
            best, when = trial.reward, number
    return when


def _seconds(value):
    if isinstance(value, str):
        found = re.fullmatch(r"(\d+):([0-5]\d):([0-5]\d)", value.strip())
        if not found:
            raise ValueError(
                f"time_budget must be seconds or 'HH:MM:SS'; got {value!r}. Ten minutes are "
                "'00:10:00' or 600."
            )
        hours, minutes, seconds = (int(part) for part in found.groups())
        value = 3600 * hours + 60 * minutes + seconds
    if not is_positive(value):
        raise ValueError(
            f"time_budget must be a positive, finite time; got {value!r}. Write seconds, or "
            "'HH:MM:SS'."
        )
    return float(value)
