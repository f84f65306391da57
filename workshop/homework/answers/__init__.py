"""The side that checks: ask for a student's answers as plain data, call their functions.

Nothing that arrives here is code, and what a student's process computes is only ever an answer to
be judged. So a check means the same in the student's notebook, where both sides are one process,
and in a grader's, where they are two and the student's may be hostile.

`served` is the student's side, `wire` what lies between, `values` what comes out here.
"""

import pandas as pd

from workshop.architecture import Architecture, check_weights
from workshop.homework.answers.served import AnswerServer
from workshop.homework.answers.values import (
    AnswerError,
    FunctionAnswer,
    ModelAnswer,
    PredictorAnswer,
    SearchAnswer,
    SpaceAnswer,
    UnreadableAnswer,
)
from workshop.homework.answers.wire import pack, unpack

__all__ = [
    "AnswerError",
    "Answers",
    "FunctionAnswer",
    "ModelAnswer",
    "PredictorAnswer",
    "SearchAnswer",
    "SpaceAnswer",
    "UnreadableAnswer",
    "local_answers",
]

CALL_SECONDS = 120  # that an answer may take; only another process can be held to it


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
        if not isinstance(tree, (dict, list)):
            return tree
        try:
            return self._decode(tree)
        except Exception:  # malformed in whatever way
            kind = tree.get("type", tree.get("kind")) if isinstance(tree, dict) else "list"
            return UnreadableAnswer(str(kind)[:80])

    def _decode(self, tree):
        match tree:
            case {"kind": "list", "items": list(items)}:
                return [self.decode(item) for item in items]
            case {"kind": "dict", "items": dict(items)}:
                return {key: self.decode(item) for key, item in items.items()}
            case {"kind": "table"}:
                return self._table(tree)
            case {"kind": "function", "handle": int(handle)}:
                return FunctionAnswer(self.call, handle)
            case {"kind": "architecture", "description": description}:
                return Architecture.from_dict(self.decode(description))
            case {"kind": "model", "framework": str(framework)}:
                architecture = self.decode(tree["architecture"])
                weights = check_weights(architecture, tree["weights"])
                return ModelAnswer(framework, architecture, weights)
            case {"kind": "predictor", "predict": predict, "n_parameters": int(n)}:
                return PredictorAnswer(self.decode(predict), n)
            case {"kind": "space", "layers": {"kind": "list"} as layers}:
                return SpaceAnswer(self.decode(layers))
            case {"kind": "search", "framework": str(framework)}:
                parts = ("history", "ranking", "files", "load")
                found = (self.decode(tree[key]) for key in parts)
                return SearchAnswer(framework, *found)
        raise ValueError("no kind of answer")

    def _table(self, tree):
        """DataFrame, or Series where there are no names of columns."""
        keys = ("columns", "values", "index", "names", "attrs")
        columns, values, index, names, attrs = (self.decode(tree[key]) for key in keys)
        levels = [pd.Index(level, name=name) for level, name in zip(index, names, strict=True)]
        table = pd.DataFrame(dict(enumerate(values))).set_index(levels)
        if columns is None:
            return table[0].rename(None)
        table.columns, table.attrs = columns, attrs
        return table


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
    return list(value) if isinstance(value, tuple) else value
