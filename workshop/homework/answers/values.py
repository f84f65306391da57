"""What a student's answers are on the side that checks them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from workshop.architecture import Architecture


class AnswerError(Exception):
    """What a student's code raised, as text: ``ValueError: shapes do not match``."""


@dataclass(frozen=True)
class UnreadableAnswer:
    """A value that has no plain form: all that is known is the name of its type."""

    type: str


@dataclass(frozen=True, eq=False)
class FunctionAnswer:
    """A function of the student; calling it runs it in the student's process."""

    ask: Callable  # `Answers.call`
    handle: int

    def __call__(self, *arguments):
        """Call it with arrays, numbers, strings, tuples, an `Architecture`, or a `ModelAnswer`."""
        return self.ask(self.handle, arguments)


@dataclass(frozen=True, eq=False)
class PredictorAnswer:
    """A network of the student's own layers: it predicts in the student's process."""

    predict: FunctionAnswer  # sequences (N, L, 4) to predictions
    n_parameters: int


@dataclass(frozen=True, eq=False)
class ModelAnswer:
    """A model of one of the twins, as its architecture and weights; it predicts on this side."""

    framework: str  # "keras" or "torch"
    architecture: Architecture
    weights: dict  # as `get_weights` of the twins returns them

    @property
    def n_parameters(self):
        """Number of trained parameters."""
        return self.architecture.n_parameters()

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
    """A model space: the layers that each token selects, as `Architecture.to_dict` writes them."""

    layers: list  # of lists of dicts

    @property
    def size(self):
        """Number of architectures."""
        return int(np.prod([len(layer) for layer in self.layers], dtype=float))

    def architecture(self, tokens):
        """Architecture that these tokens select; None where there is none."""
        if len(tokens) != len(self.layers) or any(token < 0 for token in tokens):
            return None
        try:
            chosen = [layer[int(token)] for layer, token in zip(self.layers, tokens, strict=True)]
            layers = [layer for layer in chosen if layer["kind"] != "Identity"]
            return Architecture.from_dict({"layers": layers})
        except (IndexError, ValueError):
            return None


@dataclass(frozen=True, eq=False)
class SearchAnswer:
    """The result of a search; its tables are those of `workshop.nas.SearchResult`."""

    framework: str
    history: pd.DataFrame
    ranking: pd.DataFrame
    files: dict | None  # settings and trials as its folder says, whatever the object says
    load: FunctionAnswer  # rank to `ModelAnswer`
