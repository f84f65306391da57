"""One description of a CNN that both frameworks build.

The frozen dataclasses are the documentation: a layer's fields are all there is to say about it.
An `Architecture` checks itself when it is made, so that an impossible network is refused before
a framework is touched, and it knows its shapes, its weights and how many they are.

Shapes are those of one sequence: ``(L, C)`` positions x channels, or ``(F,)`` features after a
reduction.
"""

import math
from dataclasses import asdict, dataclass

import numpy as np

from workshop._checks import plain_array, whole_number
from workshop.layers import (
    ACTIVATIONS,
    LAYERS,
    AvgPool,
    BatchNorm,
    Conv1D,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    Identity,
    Layer,
    MaxPool,
)

__all__ = ["ACTIVATIONS", "DAY1_CNN", "TASKS", "Architecture", "AvgPool", "BatchNorm", "Conv1D"]
__all__ += ["Dense", "Dropout", "Flatten", "GlobalAvgPool", "GlobalMaxPool", "Identity", "MaxPool"]
__all__ += ["check_weights", "initial_weights"]

TASKS = {"binary": "sigmoid", "multilabel": "sigmoid"}  # activation of the output by task
TASKS |= {"multiclass": "softmax", "regression": "linear"}


@dataclass(frozen=True)
class Architecture:
    """A stack of layers from ``(input_length, 4)`` to `n_outputs` logits.

    The last Dense layer, `n_outputs` units, is implied; `task` chooses its activation (`TASKS`)
    and the loss: binary or multi-label cross-entropy, multi-class cross-entropy with one-hot
    targets, or squared error.

    Parameters
    ----------
    layers : tuple of layers
        They must end in features: Flatten, GlobalAvgPool or GlobalMaxPool, then what you like.
    input_length : int
        bp.
    n_outputs : int
        1 for ``"binary"``; at least 2 for ``"multiclass"``.
    task : str
        ``"binary"``, ``"multilabel"``, ``"multiclass"`` or ``"regression"``.

    Examples
    --------
    >>> tiny = Architecture((Conv1D(2, 3, "relu"), GlobalMaxPool()), input_length=5)
    >>> tiny.output_shapes()
    [(3, 2), (2,), (1,)]
    >>> tiny.n_parameters()
    29
    """

    layers: tuple
    input_length: int = 200
    n_outputs: int = 1
    task: str = "binary"

    def __post_init__(self):
        if isinstance(self.layers, Layer):
            raise TypeError(f"layers must be a tuple; got one layer. Write ({self.layers},).")
        object.__setattr__(self, "layers", tuple(self.layers))
        for name in ("input_length", "n_outputs"):
            object.__setattr__(self, name, whole_number(getattr(self, name), name))
        if self.task not in TASKS:
            raise ValueError(f"task must be one of {', '.join(TASKS)}; got {self.task!r}.")
        if self.task == "binary" and self.n_outputs != 1:
            raise ValueError(
                f"task 'binary' has 1 output; got n_outputs={self.n_outputs}. Several yes-or-no "
                "labels are 'multilabel'; one label out of several is 'multiclass'."
            )
        if self.task == "multiclass" and self.n_outputs < 2:
            raise ValueError(f"task 'multiclass' needs n_outputs >= 2; got {self.n_outputs}.")
        self.output_shapes()

    def output_shapes(self):
        """Shape after each layer, (L, C) or (F,) without the batch, the implied output last.

        >>> DAY1_CNN.output_shapes()
        [(200, 32), (50, 32), (32,), (1,)]
        """
        return [output for _, _, _, output in self._walk()]

    def weight_shapes(self):
        """Name to shape of everything that `get_weights` of the twins returns, in that order.

        ``"0.kernel"`` is the kernel of layer 0: (kernel_size, channels in, filters) of a
        convolution, (features in, units) of a Dense layer. The last is ``"output.bias"``.

        >>> DAY1_CNN.weight_shapes()["0.kernel"]
        (7, 4, 32)
        """
        return {
            f"{key}.{name}": weight
            for key, layer, shape, _ in self._walk()
            for name, weight in (layer.weight_shapes(shape) | layer.state_shapes(shape)).items()
        }

    def n_parameters_by_layer(self):
        """Number of trained parameters of each layer, the implied output last."""
        return [
            sum(math.prod(weight) for weight in layer.weight_shapes(shape).values())
            for _, layer, shape, _ in self._walk()
        ]

    def n_parameters(self):
        """Number of trained parameters; the running statistics of BatchNorm do not count."""
        return sum(self.n_parameters_by_layer())

    def to_dict(self):
        """Plain dicts, lists, strings and numbers, ready for JSON."""
        layers = [{"kind": type(layer).__name__} | asdict(layer) for layer in self.layers]
        return asdict(self) | {"layers": layers}

    @classmethod
    def from_dict(cls, description):
        """Make the architecture that `to_dict` described.

        >>> Architecture.from_dict(DAY1_CNN.to_dict()) == DAY1_CNN
        True
        """
        try:
            described = [layer.copy() for layer in description["layers"]]
            layers = [LAYERS[settings.pop("kind")](**settings) for settings in described]
            return cls(**description | {"layers": layers})
        except (KeyError, TypeError, AttributeError) as error:
            expected = "description must be what Architecture.to_dict() returned"
            raise ValueError(f"{expected}; got {str(description)[:100]} ({error!r}).") from error

    def _walk(self):
        """Yield key, layer, input and output shape of each layer, the implied output included."""
        shape = (self.input_length, 4)
        for i, layer in enumerate(self.layers):
            if not isinstance(layer, Layer):
                raise TypeError(f"layer {i} must be a layer such as Conv1D(...); got {layer!r}.")
            if layer.needs == 2 and len(shape) == 1:
                raise ValueError(
                    f"layer {i}, {layer}: needs positions x channels, but only {shape[0]} features "
                    "are left: a layer before it has flattened or pooled all positions."
                )
            if layer.needs == 1 and len(shape) == 2:
                raise ValueError(
                    f"layer {i}, {layer}: needs features, but gets {shape[0]} positions x "
                    f"{shape[1]} channels. Put Flatten, GlobalAvgPool or GlobalMaxPool before it."
                )
            try:
                output = layer.output_shape(shape)
            except ValueError as error:
                raise ValueError(f"layer {i}, {layer}: {error}") from None
            yield str(i), layer, shape, output
            shape = output
        if len(shape) == 2:
            raise ValueError(
                f"The layers end with {shape[0]} positions x {shape[1]} channels; the output needs "
                "features. Add Flatten, GlobalAvgPool or GlobalMaxPool at the end."
            )
        yield "output", Dense(self.n_outputs), shape, (self.n_outputs,)


def initial_weights(architecture, *, random_state=0):
    """Draw the weights that both twins start from: Glorot uniform kernels, zero biases.

    Keras's default (Glorot and Bengio, 2010), drawn here by NumPy, so that the same
    `random_state` gives the same start in either framework.

    Parameters
    ----------
    architecture : Architecture
    random_state : int or numpy.random.Generator

    Returns
    -------
    dict of str to ndarray, float32
        Keys and shapes of `Architecture.weight_shapes`.

    Examples
    --------
    >>> [(name, w.shape) for name, w in initial_weights(DAY1_CNN).items()][:2]
    [('0.kernel', (7, 4, 32)), ('0.bias', (32,))]
    """
    rng = np.random.default_rng(random_state)
    weights = {}
    for name, shape in architecture.weight_shapes().items():
        kind = name.split(".")[1]
        if kind == "kernel":
            window = math.prod(shape[:-2])  # positions that a kernel covers; 1 for Dense
            limit = math.sqrt(6 / (window * (shape[-2] + shape[-1])))
            weight = rng.uniform(-limit, limit, shape)
        else:
            weight = np.ones(shape) if kind in ("gamma", "variance") else np.zeros(shape)
        weights[name] = weight.astype(np.float32)
    return weights


def check_weights(architecture, weights):
    """Check that `weights` fit `architecture`, by name and shape; return them in order, float32.

    >>> len(check_weights(DAY1_CNN, initial_weights(DAY1_CNN)))
    4
    """
    expected = architecture.weight_shapes()
    found = {name: np.shape(weight) for name, weight in weights.items()}
    if found != expected:
        name = next(n for n in [*expected, *found] if expected.get(n) != found.get(n))
        shapes = f"{expected.get(name, 'none')}; got {found.get(name, 'none')}"
        raise ValueError(f"Weights of another architecture: {name} must have shape {shapes}.")
    return {name: plain_array(weights[name], name).astype(np.float32) for name in expected}


# The model of Day 1: 961 parameters.
DAY1_CNN = Architecture((Conv1D(32, 7, "relu", padding="same"), MaxPool(4), GlobalAvgPool()))
