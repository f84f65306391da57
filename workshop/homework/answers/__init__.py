"""The side that checks: ask for a student's answers as plain data, call their functions.

Nothing that arrives here is code, and what a student's process computes is only ever an answer to
be judged. So a check means the same in the student's notebook, where both sides are one process,
and in a grader's, where they are two and the student's may be hostile.
"""

import pandas as pd

from workshop.architecture import LAYERS, Architecture, check_weights
from workshop.homework.answers.served import AnswerServer
from workshop.homework.answers.values import (
    CALL_SECONDS,
    AnswerError,
    FileAnswer,
    FunctionAnswer,
    ModelAnswer,
    Opaque,
    PredictorAnswer,
    Record,
    SearchAnswer,
    SpaceAnswer,
)
from workshop.homework.answers.wire import pack, unpack
from workshop.training import History

__all__ = [
    "CALL_SECONDS",
    "AnswerError",
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
]

KINDS = (
    *("list", "tuple", "dict", "record", "series", "table", "history", "architecture", "layer"),
    *("model", "function", "predictor", "space", "search", "file"),
)


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
        except AnswerError:  # it breaks when it is looked at
            return Opaque("object that cannot be read")

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
            if tree["kind"] not in KINDS:
                raise LookupError(tree["kind"])
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
        return FunctionAnswer(self.call, int(tree["handle"]))

    def _predictor(self, tree):
        layers = [str(name) for name in tree["layers"]]
        return PredictorAnswer(
            self._function(tree), str(tree["framework"]), layers, int(tree["n_parameters"])
        )

    def _space(self, tree):
        return SpaceAnswer([self._items(layer) for layer in tree["layers"]])

    def _search(self, tree):
        history, ranking = self.decode(tree["history"]), self.decode(tree["ranking"])
        load = FunctionAnswer(self.call, int(tree["load"]))
        return SearchAnswer(str(tree["framework"]), history, ranking, load)

    def _file(self, tree):
        return FileAnswer(str(tree["path"]), FunctionAnswer(self.call, int(tree["load"])))


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
