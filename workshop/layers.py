"""The layers of an `Architecture`: frozen dataclasses that know their shapes and weights.

Shapes are those of one sequence: ``(L, C)`` positions x channels, or ``(F,)`` features after a
reduction.
"""

import math
from dataclasses import MISSING, dataclass, fields
from typing import ClassVar

from workshop._checks import positive_int

ACTIVATIONS = ("linear", "relu", "tanh", "sigmoid", "elu", "exponential")
"""Activations that a layer may have; all of them never decrease."""


@dataclass(frozen=True, repr=False)
class Layer:
    """What all layers share: they pass a shape on, and have no weights."""

    needs: ClassVar = None  # rank of the input shape that the layer takes; None = any

    def __repr__(self):
        """Write the layer as one types it: what equals its default is left out."""
        shown = [
            repr(getattr(self, f.name)) if f.default is MISSING else f"{f.name}={value!r}"
            for f in fields(self)
            if f.default is MISSING or (value := getattr(self, f.name)) != f.default
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def output_shape(self, shape):
        """Shape that leaves the layer when `shape` enters."""
        return shape

    def weight_shapes(self, shape):
        """Name to shape of each weight that training changes."""
        return {}

    def state_shapes(self, shape):
        """Name to shape of what is stored beside: statistics that no gradient changes."""
        return {}


@dataclass(frozen=True, repr=False)
class Conv1D(Layer):
    """Slide `filters` kernels of `kernel_size` positions along the sequence, stride 1.

    ``padding="valid"`` gives L - kernel_size + 1 positions; ``"same"`` pads with zeros to L, of an
    odd number of zeros the extra one on the right.
    """

    filters: int
    kernel_size: int
    activation: str = "linear"
    padding: str = "valid"
    needs: ClassVar = 2

    def __post_init__(self):
        check_fields(self)

    def output_shape(self, shape):
        length = window_count(shape[0], self.kernel_size, 1, self.padding, "kernel_size")
        return (length, self.filters)

    def weight_shapes(self, shape):
        return {"kernel": (self.kernel_size, shape[1], self.filters), "bias": (self.filters,)}


@dataclass(frozen=True, repr=False)
class Pool(Layer):
    """What both poolings share: windows of `pool_size` positions, each channel for itself.

    ``strides=None`` means windows side by side. ``padding="same"`` lets windows hang over the
    ends, where there is nothing to take.
    """

    pool_size: int
    strides: int | None = None
    padding: str = "valid"
    needs: ClassVar = 2

    def __post_init__(self):
        check_fields(self)

    @property
    def step(self):
        """Positions from one window to the next."""
        return self.pool_size if self.strides is None else self.strides

    def output_shape(self, shape):
        length = window_count(shape[0], self.pool_size, self.step, self.padding, "pool_size")
        return (length, shape[1])


class MaxPool(Pool):
    """Keep the largest value of each window."""


class AvgPool(Pool):
    """Average each window of `pool_size` positions; what hangs over an end does not count."""


@dataclass(frozen=True, repr=False)
class Identity(Layer):
    """Change nothing: how a search removes a layer."""


@dataclass(frozen=True, repr=False)
class Flatten(Layer):
    """Lay all positions side by side: feature = position x C + channel."""

    needs: ClassVar = 2

    def output_shape(self, shape):
        return (shape[0] * shape[1],)


@dataclass(frozen=True, repr=False)
class GlobalPool(Layer):
    """What both global poolings share: all positions become one value a channel."""

    needs: ClassVar = 2

    def output_shape(self, shape):
        return (shape[1],)


class GlobalAvgPool(GlobalPool):
    """Average each channel over all positions."""


class GlobalMaxPool(GlobalPool):
    """Keep the largest value of each channel over all positions."""


@dataclass(frozen=True, repr=False)
class Dense(Layer):
    """Connect every feature to each of `units` neurons."""

    units: int
    activation: str = "linear"
    needs: ClassVar = 1

    def __post_init__(self):
        check_fields(self)

    def output_shape(self, shape):
        return (self.units,)

    def weight_shapes(self, shape):
        return {"kernel": (shape[0], self.units), "bias": (self.units,)}


@dataclass(frozen=True, repr=False)
class Dropout(Layer):
    """Zero a share `rate` of the values while training; scale the others by 1 / (1 - rate)."""

    rate: float

    def __post_init__(self):
        if not 0 <= self.rate < 1:
            raise ValueError(f"Dropout: rate must be from 0 to below 1; got {self.rate!r}.")


@dataclass(frozen=True, repr=False)
class BatchNorm(Layer):
    """Normalise each channel over batch and positions; running statistics when predicting.

    ``running = momentum * running + (1 - momentum) * batch``, as Keras writes it.
    """

    momentum: float = 0.9
    epsilon: float = 1e-3

    def __post_init__(self):
        if not 0 <= self.momentum < 1 or not self.epsilon > 0:
            raise ValueError(
                "BatchNorm: momentum must be from 0 to below 1, epsilon above 0; got "
                f"{self.momentum!r}, {self.epsilon!r}."
            )

    def weight_shapes(self, shape):
        return {"gamma": shape[-1:], "beta": shape[-1:]}

    def state_shapes(self, shape):
        return {"mean": shape[-1:], "variance": shape[-1:]}


LAYERS = {
    kind.__name__: kind
    for kind in (
        *(Conv1D, MaxPool, AvgPool, Identity, Flatten, GlobalAvgPool, GlobalMaxPool),
        *(Dense, Dropout, BatchNorm),
    )
}


def window_count(length, size, step, padding, name):
    """Number of windows of `size` positions, `step` apart, on `length` positions."""
    if padding == "same":
        return math.ceil(length / step)
    if size > length:
        raise ValueError(
            f"{name} {size} is longer than the {length} positions that reach it. Make it smaller, "
            "pool less before it, or use padding='same'."
        )
    return (length - size) // step + 1


def check_fields(layer):
    """Refuse sizes that are no positive whole numbers, unknown activations and paddings."""
    kind = type(layer).__name__
    for field in fields(layer):
        value = getattr(layer, field.name)
        if field.name == "activation" and value not in ACTIVATIONS:
            raise ValueError(
                f"{kind}: activation must be one of {', '.join(ACTIVATIONS)}; got {value!r}."
            )
        if field.name == "padding" and value not in ("valid", "same"):
            raise ValueError(f"{kind}: padding must be 'valid' or 'same'; got {value!r}.")
        if field.name in ("filters", "kernel_size", "pool_size", "strides", "units") and not (
            field.name == "strides" and value is None
        ):
            value = positive_int(value, f"{kind}: {field.name}")
            object.__setattr__(layer, field.name, value)
