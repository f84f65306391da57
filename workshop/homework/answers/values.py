"""What a student's answers are on the side that checks them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from workshop.architecture import Architecture, Identity

__all__ = [
    "CALL_SECONDS",
    "AnswerError",
    "FileAnswer",
    "FunctionAnswer",
    "ModelAnswer",
    "Opaque",
    "PredictorAnswer",
    "Record",
    "SearchAnswer",
    "SpaceAnswer",
]

CALL_SECONDS = 120
"""How long one call of a student's function may take; only another process can be held to it."""


class AnswerError(Exception):
    """What a student's code raised, as text: ``ValueError: shapes do not match``."""


@dataclass(frozen=True)
class Opaque:
    """A value that has no plain form.

    Parameters
    ----------
    type : str
        Name of its type.
    """

    type: str


@dataclass(frozen=True)
class Record:
    """A named tuple such as `workshop.evaluation.Scores`.

    Parameters
    ----------
    fields : dict of str to object
    """

    fields: dict


@dataclass(frozen=True, eq=False)
class FunctionAnswer:
    """A function of the student; calling it runs it in the student's process.

    Parameters
    ----------
    ask : callable
        `Answers.call`.
    handle : int
    """

    ask: Callable
    handle: int

    def __call__(self, *arguments, seconds=CALL_SECONDS):
        """Call it with arrays, numbers, strings, tuples of these, or a `ModelAnswer`."""
        return self.ask(self.handle, arguments, seconds)


@dataclass(frozen=True, eq=False)
class PredictorAnswer:
    """A network of the student's own layers: it predicts in the student's process.

    Parameters
    ----------
    predict : FunctionAnswer
        Sequences (N, L, 4) to predictions.
    framework : str
    layers : list of str
        Names of the layers' classes.
    n_parameters : int
    """

    predict: FunctionAnswer
    framework: str
    layers: list
    n_parameters: int


@dataclass(frozen=True, eq=False)
class ModelAnswer:
    """A model of one of the twins, as its architecture and weights; it predicts on this side.

    Parameters
    ----------
    framework : str
        ``"keras"`` or ``"torch"``.
    architecture : Architecture
    weights : dict of str to ndarray
        As `keras_cnn.get_weights` returns them.
    """

    framework: str
    architecture: Architecture
    weights: dict

    @cached_property
    def twin(self):
        """The model, rebuilt in Torch."""
        from workshop import torch_cnn

        model = torch_cnn.build_cnn(self.architecture)
        torch_cnn.set_weights(model, self.weights)
        return model.eval()

    def logits(self, X):
        """Logits (N, T) of sequences (N, L, 4)."""
        from workshop import torch_cnn

        return torch_cnn.predict_logits(self.twin, X)

    def predict(self, X):
        """Probabilities (N, T) of sequences (N, L, 4)."""
        from workshop import torch_cnn

        return torch_cnn.predict(self.twin, X)


@dataclass(frozen=True, eq=False)
class SpaceAnswer:
    """A model space.

    Parameters
    ----------
    layers : list of list of layer
        The layers of an `Architecture` that each token selects.
    """

    layers: list

    @property
    def size(self):
        """Number of architectures."""
        return int(np.prod([len(layer) for layer in self.layers], dtype=float))

    def architecture(self, tokens):
        """Architecture of these tokens; IndexError or ValueError where there is none."""
        if len(tokens) != len(self.layers) or any(int(token) < 0 for token in tokens):
            raise ValueError(f"{len(self.layers)} tokens from 0 on are needed; got {tokens}.")
        chosen = [layer[int(t)] for layer, t in zip(self.layers, tokens, strict=True)]
        return Architecture(tuple(one for one in chosen if not isinstance(one, Identity)))


@dataclass(frozen=True, eq=False)
class SearchAnswer:
    """The result of a search.

    Parameters
    ----------
    framework : str
    history, ranking : DataFrame
        As in `workshop.nas.SearchResult`.
    load : FunctionAnswer
        Rank to `ModelAnswer`.
    """

    framework: str
    history: pd.DataFrame
    ranking: pd.DataFrame
    load: FunctionAnswer


@dataclass(frozen=True, eq=False)
class FileAnswer:
    """A file name of a model.

    Parameters
    ----------
    path : str
    load : FunctionAnswer
        Takes nothing, returns a `ModelAnswer` or `PredictorAnswer`.
    """

    path: str
    load: FunctionAnswer
