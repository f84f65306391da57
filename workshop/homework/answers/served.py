"""A student's side of a check: answers become plain data, and functions answer calls.

The student's own process runs this; whoever checks asks with `workshop.homework.answers.Answers`.
`ENCODERS`, at the end, lists what has a plain form, and how it gets it. No framework is loaded that
a notebook has not loaded itself.
"""

import json
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from workshop import nas
from workshop.architecture import Architecture
from workshop.nas.reward import takes_architecture

MAX_DEPTH = 16
MAX_BYTES = 15 * 1024**2  # of an answer as it travels; all exact numbers of the course are 3 MB


class _TooLargeError(Exception):
    """An answer takes more than `MAX_BYTES`."""


class AnswerServer:
    """Give the values of a namespace as plain trees, and call what can be called."""

    # A request is {"op": "get", "name": ...} or {"op": "call", "handle": ..., "arguments": [...]};
    # the response {"value": ...} or {"error": "ValueError: ..."}.

    def __init__(self, namespace):
        self.namespace, self.functions, self._left = namespace, [], MAX_BYTES

    def handle(self, request):
        """Answer one request; an exception in a student's code is an answer too."""
        self._left = MAX_BYTES
        try:
            if request["op"] == "get":
                return {"value": self.encode(self.namespace.get(request["name"]))}
            function = self.functions[request["handle"]]
            given = [_argument(one) for one in request["arguments"]]
            kept = [one.copy() if isinstance(one, np.ndarray) else one for one in given]
            found = self.encode(function(*given))
            for one, before in zip(given, kept, strict=True):
                if isinstance(one, np.ndarray) and not np.array_equal(one, before):
                    raise ValueError("an array that was passed has been changed: work on a copy")
            return {"value": found}
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a student's function may even call sys.exit
            return {"error": f"{type(error).__name__}: {_first_line(error)}"}

    def encode(self, value, depth=0):
        """Value as a plain tree; what has no plain form, or a large one, is named by its type."""
        left = self._left
        try:
            return self._encode(value, depth)
        except _TooLargeError:
            if depth and (depth > 1 or left < MAX_BYTES / 2):
                raise  # what is too large is the answer, or the one of two that fills it
            self._left = left - 200
            size = f" of length {len(value):,}" if hasattr(value, "__len__") else ""
            size = f" of shape {tuple(value.shape)}" if hasattr(value, "shape") else size
            return _unreadable(value, f"{size}: too large")

    def _encode(self, value, depth):
        self.spend(26)  # of JSON: a number; what follows is more
        if value is None or isinstance(value, float):
            return value
        if isinstance(value, int) and value.bit_length() <= 64:
            return value
        self.spend(100)
        if isinstance(value, int):
            return _unreadable(value, f" of {int(value.bit_length() * 0.30103) + 1:,} digits")
        for module, name, encoder in ENCODERS if depth < MAX_DEPTH else ():
            kind = getattr(sys.modules.get(module), name, None)  # not imported: no value is one
            if kind is not None and isinstance(value, kind):
                return encoder(self, value, depth + 1)
        if callable(value) and not isinstance(value, type):
            return self.function(value)
        return _unreadable(value)

    def spend(self, n_bytes):
        """Count what a part of an answer takes."""
        self._left -= n_bytes
        if self._left < 0:
            raise _TooLargeError

    def function(self, function):
        """Keep a function for calls; the tree that names it."""
        self.functions.append(function)
        takes = takes_architecture(function)
        return {"kind": "function", "handle": len(self.functions) - 1, "takes_network": takes}

    def tree(self, kind, depth, **parts):
        """The tree of something that has parts."""
        return {"kind": kind} | {name: self.encode(part, depth) for name, part in parts.items()}


def _unreadable(value, how=""):
    return {"kind": "unreadable", "type": f"{type(value).__name__[:80]}{how}"}


def _text(server, value, depth):
    """A text is itself; the name of a model's file becomes the function that loads it."""
    if str(value).endswith((".keras", ".ckpt")):
        return server.function(lambda: _load(Path(value)))
    server.spend(12 * len(str(value)))
    return str(value)


def _list(server, value, depth):
    if hasattr(value, "_asdict"):  # a named tuple, such as Scores
        return _dict(server, value._asdict(), depth)
    return {"kind": "list", "items": [server.encode(one, depth) for one in value]}


def _dict(server, value, depth):
    server.spend(12 * sum(len(str(key)) for key in value))  # bytes of JSON, at most
    items = {str(key): server.encode(one, depth) for key, one in value.items()}
    return {"kind": "dict", "items": items}


def _array(server, value, depth):
    """An array of numbers is itself; of texts or objects it becomes a list."""
    value = np.asarray(value)
    if value.dtype.kind not in "biuf":
        return server.encode(value.tolist(), depth)
    if value.dtype.itemsize > 8:  # NumPy's longdouble differs between machines
        value = value.astype(np.float64)
    server.spend(value.nbytes * 4 // 3)  # in base64
    return value if value.ndim else value.item()


def _tensor(server, value, depth):
    value = value.detach().cpu() if hasattr(value, "detach") else value
    return _array(server, value.numpy(), depth)


def _table(server, value, depth):
    """A Series is a table without names of columns."""
    server.spend(26 * value.size)  # before it becomes lists
    frame, index = value.to_frame() if value.ndim == 1 else value, value.index
    return server.tree(
        "table",
        depth,
        columns=None if value.ndim == 1 else value.columns.tolist(),
        values=[column.tolist() for _, column in frame.items()],
        index=[index.get_level_values(i).tolist() for i in range(index.nlevels)],
        names=list(index.names),
        attrs=value.attrs,
    )


def _history(server, value, depth):
    """The workshop's History, or the one that Keras's own fit returns."""
    if hasattr(value, "table"):
        return server.encode(value.table, depth)
    table = pd.DataFrame(value.history)
    table.attrs = {"epochs": (value.params or {}).get("epochs"), "run": len(value.epoch)}
    return server.encode(table, depth)


def _architecture(server, value, depth):
    return server.tree("architecture", depth, description=value.to_dict())


def _model(framework, server, value, depth):
    weights = dict(sys.modules[f"workshop.{framework}_cnn"].get_weights(value))
    parts = {"framework": framework, "architecture": value.architecture, "weights": weights}
    return server.tree("model", depth, **parts)


def _torch_module(server, value, depth):
    n_parameters = sum(one.numel() for one in value.parameters())
    predict = partial(_torch_predictions, value)
    return server.tree("predictor", depth, predict=predict, n_parameters=n_parameters)


def _keras_model(server, value, depth):
    n_parameters = int(value.count_params()) if value.built else 0
    parts = {"predict": lambda X: np.asarray(value(X, training=False))}
    return server.tree("predictor", depth, n_parameters=n_parameters, **parts)


def _space(server, value, depth):
    from workshop.nas.space import layers_of

    layers = [[{"kind": type(one).__name__} | vars(one) for one in own] for own in layers_of(value)]
    return server.tree("space", depth, layers=layers)


def _search(server, value, depth):
    ranking = value.ranking if (value.history["status"] == "ok").any() else value.history[:0]
    said = {"framework": value.framework, "history": value.history, "ranking": ranking}
    load = partial(nas.load_model, value)
    return server.tree("search", depth, **said, files=_search_files(value), load=load)


def _search_files(result):
    """What the folder of a search says of it, whatever the object says; None where it is gone."""
    from workshop.nas.folder import read_trials

    try:
        path = Path(result.working_dir)
        description = json.loads((path / "search.json").read_text(encoding="utf-8"))
        trials = [trial.to_plain() for trial in read_trials(path)[0]]
    except (OSError, ValueError, TypeError):
        return None
    kept = ("tokens", "reward", "scores", "architecture")
    return {
        "settings": description["settings"],
        "trials": [{name: trial[name] for name in kept} for trial in trials[: len(result.history)]],
    }


ENCODERS = (  # module, class, encoder: the first that fits is taken
    ("builtins", "str", _text),
    ("pathlib", "PurePath", _text),
    *(("builtins", kind, _list) for kind in ("tuple", "list", "set", "frozenset", "range")),
    ("collections.abc", "MappingView", _list),
    ("builtins", "dict", _dict),
    ("numpy", "ndarray", _array),
    ("numpy", "generic", _array),
    ("torch", "Tensor", _tensor),
    ("tensorflow", "Tensor", _tensor),
    ("pandas", "Index", _list),
    ("pandas", "Series", _table),
    ("pandas", "DataFrame", _table),
    ("workshop.training", "History", _history),
    ("keras.callbacks", "History", _history),
    ("workshop.architecture", "Architecture", _architecture),
    ("workshop.torch_cnn", "SequenceCNN", partial(_model, "torch")),
    ("workshop.keras_cnn", "SequenceCNN", partial(_model, "keras")),
    ("torch.nn", "Module", _torch_module),
    ("keras", "Model", _keras_model),
    ("workshop.nas.amber", "ModelSpace", _space),
    ("workshop.nas.results", "SearchResult", _search),
)


def _argument(tree):
    """What a check passes to a student's function: as `Answers` encoded it."""
    if isinstance(tree, dict) and "tuple" in tree:
        return tuple(tree["tuple"])
    if isinstance(tree, dict):
        architecture = Architecture.from_dict(tree["architecture"])
        return rebuilt(architecture, tree["weights"]) if "weights" in tree else architecture
    return tree


def rebuilt(architecture, weights):
    """A model in Torch."""
    from workshop import torch_cnn

    model = torch_cnn.build_cnn(architecture)
    torch_cnn.set_weights(model, weights)
    return model.eval()


def _torch_predictions(model, X):
    import torch

    modes = [(module, module.training) for module in model.modules()]
    device = next((p.device for p in model.parameters()), "cpu")
    try:
        with torch.inference_mode():
            return model.eval()(torch.from_numpy(X).to(device)).cpu().numpy()
    finally:
        for module, mode in modes:
            module.training = mode


def _load(path):
    if path.suffix != ".keras":
        from workshop import torch_cnn

        return torch_cnn.load(path)
    from workshop import keras_cnn

    try:
        return keras_cnn.load(path)
    except ValueError:  # a network of the student's own layers predicts as well
        import keras

        return keras.saving.load_model(path)


def _first_line(error):
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # a student's own exception may not even have a text
        lines = []
    return lines[0][:300] if lines else "no message"
