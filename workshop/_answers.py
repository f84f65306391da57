"""The side that checks: ask for a student's answers as plain data, call their functions.

Nothing that arrives here is code, and what a student's process computes is only ever an answer to
be judged. So a check means the same in the student's notebook, where both sides are one process,
and in a grader's, where they are two and the student's may be hostile.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from workshop._answers_served import AnswerServer, serve
from workshop._answers_wire import pack, read_message, unpack, write_message
from workshop.architecture import LAYERS, Architecture, Identity, check_weights
from workshop.training import History

__all__ = [
    "AnswerError",
    "AnswerServer",
    "Answers",
    "FileAnswer",
    "FunctionAnswer",
    "ModelAnswer",
    "Opaque",
    "PredictorAnswer",
    "Record",
    "SearchAnswer",
    "SpaceAnswer",
    "local_answers",
    "pack",
    "read_message",
    "serve",
    "unpack",
    "write_message",
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
    answers : Answers
    handle : int
    """

    answers: "Answers"
    handle: int

    def __call__(self, *arguments, seconds=CALL_SECONDS):
        """Call it with arrays, numbers, strings, tuples of these, or a `ModelAnswer`."""
        return self.answers.call(self.handle, arguments, seconds)


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


class Answers:
    """Ask the other side.

    Parameters
    ----------
    transport : callable
        Takes a request, a plain tree, and seconds; returns the response.
    """

    def __init__(self, transport):
        self._transport = transport

    def get(self, name, *, seconds=CALL_SECONDS):
        """Value of a name; None where there is none."""
        try:
            return self._ask({"op": "get", "name": name}, seconds)
        except AnswerError as error:  # an object that breaks when it is looked at
            return Opaque(str(error)[:80])

    def call(self, handle, arguments, seconds):
        """Call a function by its handle."""
        arguments = [_argument(one) for one in arguments]
        return self._ask({"op": "call", "handle": handle, "arguments": arguments}, seconds)

    def _ask(self, request, seconds):
        response = self._transport(request, seconds)
        if not isinstance(response, dict) or not {"value", "error"} & set(response):
            raise ValueError("The notebook's process sent something that is no answer.")
        if "error" in response:
            raise AnswerError(str(response["error"])[:400])
        return self.decode(response["value"])

    def decode(self, tree):
        """Value of a plain tree; what is malformed becomes `Opaque`."""
        if isinstance(tree, list):
            return Opaque("list")
        if not isinstance(tree, dict):
            return tree
        try:
            return getattr(self, f"_{tree['kind']}")(tree)
        except (AttributeError, LookupError, TypeError, ValueError, RecursionError):
            return Opaque(str(tree.get("type", tree.get("kind")))[:80])

    def _items(self, trees):
        return [self.decode(tree) for tree in trees]

    def _list(self, tree):
        return self._items(tree["items"])

    def _tuple(self, tree):
        return tuple(self._items(tree["items"]))

    def _dict(self, tree):
        return dict(zip(self._items(tree["keys"]), self._items(tree["values"]), strict=True))

    def _record(self, tree):
        return Record({str(key): self.decode(value) for key, value in tree["items"].items()})

    def _series(self, tree):
        index, values = self._items(tree["index"]), self._items(tree["values"])
        series = pd.Series(values, index=_index(index), name=self.decode(tree["name"]))
        series.index.names = self._items(tree["names"])
        return series

    def _table(self, tree):
        columns = [self._items(column) for column in tree["values"]]
        index, names = self._items(tree["index"]), self._items(tree["columns"])
        rows = list(zip(*columns, strict=True)) if columns else [()] * len(index)
        table = pd.DataFrame(rows, index=_index(index), columns=_index(names))
        table.index.names, table.columns.names = (self._items(one) for one in tree["names"])
        return table

    def _history(self, tree):
        table = self.decode(tree["table"])
        return History(table) if isinstance(table, pd.DataFrame) else Opaque("History")

    def _architecture(self, tree):
        return Architecture.from_dict(_as_plain(self.decode(tree["description"])))

    def _layer(self, tree):
        return LAYERS[tree["name"]](**tree["settings"])

    def _model(self, tree):
        architecture = self.decode(tree["architecture"])
        weights = check_weights(architecture, tree["weights"])
        return ModelAnswer(str(tree["framework"]), architecture, weights)

    def _function(self, tree):
        return FunctionAnswer(self, int(tree["handle"]))

    def _predictor(self, tree):
        layers = [str(name) for name in tree["layers"]]
        return PredictorAnswer(
            self._function(tree), str(tree["framework"]), layers, int(tree["n_parameters"])
        )

    def _space(self, tree):
        return SpaceAnswer([self._items(layer) for layer in tree["layers"]])

    def _search(self, tree):
        history, ranking = self.decode(tree["history"]), self.decode(tree["ranking"])
        load = FunctionAnswer(self, int(tree["load"]))
        return SearchAnswer(str(tree["framework"]), history, ranking, load)

    def _file(self, tree):
        return FileAnswer(str(tree["path"]), FunctionAnswer(self, int(tree["load"])))


def local_answers(namespace):
    """Ask about a namespace of this process; what is compared are copies, as from another."""
    server = AnswerServer(namespace)
    return Answers(lambda request, seconds: unpack(pack(server.handle(unpack(pack(request))))))


def _argument(value):
    if isinstance(value, ModelAnswer):
        architecture = value.architecture.to_dict()
        return {"kind": "model", "architecture": architecture, "weights": value.weights}
    if isinstance(value, tuple):
        return {"kind": "tuple", "items": list(value)}
    return value


def _index(labels):
    return pd.Index(labels, tupleize_cols=all(isinstance(one, tuple) for one in labels))


def _as_plain(value):
    """Lists and dicts of a decoded description."""
    return {key: list(one) if isinstance(one, tuple) else one for key, one in value.items()}
