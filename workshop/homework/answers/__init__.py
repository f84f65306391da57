"""The side that checks: ask for a student's answers as plain data, call their functions.

Nothing that arrives here is code, and what a student's process computes is only ever an answer to
be judged. So a check means the same in the student's notebook, where both sides are one process,
and in a grader's, where they are two and the student's may be hostile.

`served` is the student's side, `wire` what lies between.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from workshop.architecture import Architecture, check_weights
from workshop.homework.answers.served import AnswerServer, rebuilt
from workshop.homework.answers.wire import pack, unpack

CALL_SECONDS = 120  # that an answer may take; only another process can be held to it


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
    takes_network: bool  # where it is a reward: as a search would pass it

    def __call__(self, *arguments):
        """Call it with arrays, numbers, texts, lists, tuples, `Architecture` or `ModelAnswer`."""
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
        return rebuilt(self.architecture, self.weights)

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
        try:
            layers = map(dict, map(enumerate, self.layers))
            chosen = [layer[token] for layer, token in zip(layers, tokens, strict=True)]
            layers = [layer for layer in chosen if layer["kind"] != "Identity"]
            return Architecture.from_dict({"layers": layers})
        except (KeyError, ValueError):
            return None


@dataclass(frozen=True, eq=False)
class SearchAnswer:
    """The result of a search; its tables are those of `workshop.nas.SearchResult`."""

    framework: str
    history: pd.DataFrame
    ranking: pd.DataFrame
    files: dict | None  # settings and trials as its folder says, whatever the object says
    load: FunctionAnswer  # rank to `ModelAnswer`


class Answers:
    """Ask the other side: `transport` takes a request and seconds, and returns the response."""

    def __init__(self, transport):
        self._transport = transport

    def get(self, name):
        """Value of a name; None where there is none."""
        try:
            return self._ask({"op": "get", "name": name})
        except AnswerError:  # it breaks when it is looked at
            return UnreadableAnswer("object that cannot be read")

    def call(self, handle, arguments):
        """Call a function by its handle."""
        arguments = [_argument(one) for one in arguments]
        return self._ask({"op": "call", "handle": handle, "arguments": arguments})

    def _ask(self, request):
        response = self._transport(request, CALL_SECONDS)
        if not isinstance(response, dict) or not {"value", "error"} & set(response):
            raise ValueError("The notebook's process sent something that is no answer.")
        if "error" in response:
            raise AnswerError(str(response["error"])[:400])
        return self.decode(response["value"])

    def decode(self, tree):
        """Value of a plain tree; what is malformed becomes an `UnreadableAnswer`."""
        try:
            match tree:
                case {"kind": "list", "items": list(items)}:
                    return [self.decode(item) for item in items]
                case {"kind": "dict", "items": dict(items)}:
                    return {key: self.decode(item) for key, item in items.items()}
                case {"kind": "function", "handle": int(handle), "takes_network": bool(takes)}:
                    return FunctionAnswer(self.call, handle, takes)
                case {"kind": str(kind), **parts}:
                    return KINDS[kind](**{name: self.decode(part) for name, part in parts.items()})
                case dict() | list():
                    raise ValueError("no kind of answer")
            return tree
        except Exception:  # malformed in whatever way
            kind = tree.get("type", tree.get("kind")) if isinstance(tree, dict) else "list"
            return UnreadableAnswer(str(kind)[:80])


def _table(columns, values, index, names, attrs):
    """DataFrame, or Series where there are no names of columns."""
    levels = [pd.Index(level, name=name) for level, name in zip(index, names, strict=True)]
    table = pd.DataFrame(dict(enumerate(values))).set_index(levels)
    if columns is None:
        return table[0].rename(None)
    table.columns, table.attrs = columns, attrs
    return table


def _model(framework, architecture, weights):
    return ModelAnswer(framework, architecture, check_weights(architecture, weights))


KINDS = {  # what is made of the parts of a tree
    "table": _table,
    "architecture": Architecture.from_dict,
    "model": _model,
    "predictor": PredictorAnswer,
    "space": lambda layers: SpaceAnswer(list(layers)),
    "search": SearchAnswer,
}


def local_answers(namespace):
    """Ask about a namespace of this process; what is compared are copies, as from another."""
    server = AnswerServer(namespace)
    return Answers(lambda request, seconds: unpack(pack(server.handle(unpack(pack(request))))))


def _argument(value):
    """What a check passes to a student's function, as a plain tree."""
    if isinstance(value, ModelAnswer):
        return {"architecture": value.architecture.to_dict(), "weights": value.weights}
    if isinstance(value, Architecture):
        return {"architecture": value.to_dict()}
    return {"tuple": list(value)} if isinstance(value, tuple) else value
