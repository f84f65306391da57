"""A student's side of a check: answers become plain data, and functions answer calls.

The student's own process runs this; whoever checks asks with `workshop.homework.answers.Answers`.
"""

import numbers
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np

__all__ = ["AnswerServer"]

MAX_DEPTH = 16
MAX_ITEMS = 2_000_000
MODEL_FILES = (".keras", ".ckpt")


class AnswerServer:
    """Give the values of a namespace as plain trees, and call what can be called.

    Parameters
    ----------
    namespace : dict of str to object

    Notes
    -----
    A request is ``{"op": "get", "name": ...}`` or ``{"op": "call", "handle": ..., "arguments":
    [...]}``; the response ``{"value": ...}`` or ``{"error": "ValueError: ..."}``.
    """

    def __init__(self, namespace):
        self.namespace, self.callables = namespace, []

    def handle(self, request):
        """Answer one request; an exception in a student's code is an answer too."""
        try:
            if request["op"] == "get":
                return {"value": self.encode(self.namespace.get(request["name"]))}
            function = self.callables[request["handle"]]
            arguments = [_argument(one) for one in request["arguments"]]
            return {"value": self.encode(function(*arguments))}
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a student's function may even call sys.exit
            return {"error": f"{type(error).__name__}: {_first_line(error)}"}

    def encode(self, value, *, depth=0):
        """Value as a plain tree; what has no plain form is named by its type only."""
        if value is None:
            return None
        if depth > MAX_DEPTH:
            return _opaque(value)
        for encode in (_plain, self._container, self._table, self._model, self._search):
            tree = encode(value, depth)
            if tree is not None:
                return tree
        if callable(value) and not isinstance(value, type):
            return {"kind": "function", "handle": self._keep(value)}
        return _opaque(value)

    def _keep(self, function):
        self.callables.append(function)
        return len(self.callables) - 1

    def _items(self, values, depth):
        return [self.encode(value, depth=depth + 1) for value in values]

    def _container(self, value, depth):
        if isinstance(value, Path) or (isinstance(value, str) and value.endswith(MODEL_FILES)):
            return {
                "kind": "file",
                "path": str(value),
                "load": self._keep(lambda: _load(Path(value))),
            }
        if isinstance(value, str):
            return value
        if isinstance(value, tuple) and hasattr(value, "_asdict"):
            fields = value._asdict()
            return {"kind": "record", "items": {k: self.encode(v) for k, v in fields.items()}}
        if isinstance(value, dict):
            if len(value) > MAX_ITEMS:
                return _opaque(value)
            keys, values = list(value), list(value.values())
            return {
                "kind": "dict",
                "keys": self._items(keys, depth),
                "values": self._items(values, depth),
            }
        if isinstance(value, (list, tuple, set, frozenset, range)):
            if len(value) > MAX_ITEMS:
                return _opaque(value)
            kind = "tuple" if isinstance(value, tuple) else "list"
            return {"kind": kind, "items": self._items(value, depth)}
        return None

    def _table(self, value, depth):
        pandas = sys.modules.get("pandas")
        if pandas is None:
            return None
        if isinstance(value, pandas.Index):
            return {"kind": "list", "items": self._items(value.tolist(), depth)}
        if isinstance(value, pandas.Series):
            return {
                "kind": "series",
                "name": self.encode(value.name, depth=depth + 1),
                "names": self._items(value.index.names, depth),
                "index": self._items(value.index.tolist(), depth),
                "values": self._items(value.tolist(), depth),
            }
        if isinstance(value, pandas.DataFrame):
            return {
                "kind": "table",
                "names": [self._items(axis.names, depth) for axis in value.axes],
                "index": self._items(value.index.tolist(), depth),
                "columns": self._items(value.columns.tolist(), depth),
                "values": [
                    self._items(value.iloc[:, i].tolist(), depth) for i in range(value.shape[1])
                ],
            }
        return None

    def _model(self, value, depth):
        for framework in ("torch", "keras"):
            twin = sys.modules.get(f"workshop.{framework}_cnn")
            if twin is not None and isinstance(value, twin.SequenceCNN):
                return {
                    "kind": "model",
                    "framework": framework,
                    "architecture": self.encode(value.architecture),
                    "weights": dict(twin.get_weights(value)),
                }
        torch, keras = sys.modules.get("torch"), sys.modules.get("keras")
        if torch is not None and isinstance(value, torch.nn.Module):
            return {
                "kind": "predictor",
                "framework": "torch",
                "handle": self._keep(lambda X: _torch_predictions(value, X)),
                "layers": [type(module).__name__ for module in value.modules()][1:],
                "n_parameters": sum(p.numel() for p in value.parameters()),
            }
        if keras is not None and isinstance(value, keras.Model):
            return {
                "kind": "predictor",
                "framework": "keras",
                "handle": self._keep(lambda X: np.asarray(value(X, training=False))),
                "layers": [type(layer).__name__ for layer in value.layers],
                "n_parameters": int(value.count_params()) if value.built else 0,
            }
        return None

    def _search(self, value, depth):
        architecture = sys.modules.get("workshop.architecture")
        if architecture is not None:
            if isinstance(value, architecture.Architecture):
                return {"kind": "architecture", "description": self.encode(value.to_dict())}
            if isinstance(value, architecture.Layer):
                layer = {field.name: getattr(value, field.name) for field in fields(value)}
                return {"kind": "layer", "name": type(value).__name__, "settings": layer}
        if type(value).__name__ == "History" and hasattr(value, "table"):
            return {"kind": "history", "table": self.encode(value.table, depth=depth + 1)}
        if type(value).__name__ == "History" and isinstance(getattr(value, "history", 0), dict):
            import pandas as pd  # what Keras's own fit returns

            return {"kind": "history", "table": self.encode(pd.DataFrame(value.history))}
        nas = sys.modules.get("workshop.nas")
        if nas is None:
            return None
        if isinstance(value, nas.ModelSpace):
            from workshop.nas.space import layers_of

            return {
                "kind": "space",
                "layers": [self._items(layer, depth) for layer in layers_of(value)],
            }
        if isinstance(value, nas.SearchResult):
            return {
                "kind": "search",
                "framework": value.framework,
                "history": self.encode(value.history, depth=depth + 1),
                "ranking": self.encode(value.ranking, depth=depth + 1),
                "load": self._keep(lambda rank: nas.load_model(value, rank)),
            }
        return None


def _plain(value, depth):
    """Tree of a number, an array of numbers or a tensor; None where it is something else."""
    if isinstance(value, (bool, int, float)) and type(value).__module__ == "builtins":
        return value
    if isinstance(value, np.generic):
        return _plain(value.item(), depth) if value.dtype.kind in "biuf" else None
    if type(value).__module__.split(".")[0] in ("torch", "tensorflow", "keras") and hasattr(
        value, "numpy"
    ):
        value = value.detach().cpu().numpy() if hasattr(value, "detach") else value.numpy()
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "U":
            return {"kind": "list", "items": value.ravel().tolist()}
        if value.dtype.kind not in "biuf":
            return None
        if value.dtype.itemsize > 8:
            value = value.astype(np.float64)
        return value if value.ndim else _plain(value.item(), depth)
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        return float(value)
    return None


def _opaque(value):
    return {"kind": "opaque", "type": type(value).__name__}


def _argument(tree):
    """What a check passes to a student's function: as `Answers` encoded it."""
    if isinstance(tree, dict) and tree["kind"] == "model":
        from workshop import torch_cnn
        from workshop.architecture import Architecture

        model = torch_cnn.build_cnn(Architecture.from_dict(tree["architecture"]))
        torch_cnn.set_weights(model, tree["weights"])
        return model.eval()
    if isinstance(tree, dict):
        return tuple(tree["items"])
    return tree


def _torch_predictions(model, X):
    import torch

    modes = [(module, module.training) for module in model.modules()]
    device = next((p.device for p in model.parameters()), "cpu")
    try:
        model.eval()
        with torch.inference_mode():
            return model(torch.from_numpy(X).to(device)).detach().cpu().numpy()
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
