"""The layers of an `Architecture`: frozen dataclasses that know their shapes and weights.

Shapes are those of one sequence: ``(L, C)`` positions x channels, or ``(F,)`` features after a
reduction.
"""

from dataclasses import MISSING, dataclass, fields
from typing import ClassVar

from workshop._checks import whole_number

# Activations that a layer may have; all of them never decrease.
ACTIVATIONS = ("linear", "relu", "tanh", "sigmoid", "elu", "exponential")


@dataclass(frozen=True, repr=False)
class Layer:
    """What all layers share: they pass a shape on, and have no weights."""

    needs: ClassVar = None  # rank of the input shape that the layer takes; None = any

    def __post_init__(self):
        """Refuse sizes that are no positive whole numbers, unknown activations and paddings."""
        choices = {"activation": ACTIVATIONS, "padding": ("valid", "same")}
        for field in fields(self):
            name, value = f"{type(self).__name__}: {field.name}", getattr(self, field.name)
            if field.name not in choices:
                object.__setattr__(self, field.name, whole_number(value, name))
            elif value not in choices[field.name]:
                raise ValueError(f"{name} must be one of {choices[field.name]}; got {value!r}.")

    def __repr__(self):
        """Write the layer as one types it: what equals its default is left out."""
        values = [(field, getattr(self, field.name)) for field in fields(self)]
        shown = [
            repr(value) if field.default is MISSING else f"{field.name}={value!r}"
            for field, value in values
            if value != field.default
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

    def output_shape(self, shape):
        if self.padding == "same":
            return (shape[0], self.filters)
        check_fits(self.kernel_size, shape[0], "kernel_size")
        return (shape[0] - self.kernel_size + 1, self.filters)

    def weight_shapes(self, shape):
        return {"kernel": (self.kernel_size, shape[1], self.filters), "bias": (self.filters,)}


@dataclass(frozen=True, repr=False)
class Pool(Layer):
    """Cut the positions into windows of `pool_size`, side by side; what is left over is dropped."""

    pool_size: int
    needs: ClassVar = 2

    def output_shape(self, shape):
        check_fits(self.pool_size, shape[0], "pool_size")
        return (shape[0] // self.pool_size, shape[1])


class MaxPool(Pool):
    """Keep the largest value of each channel in each window."""


class AvgPool(Pool):
    """Average each channel over each window."""


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
            raise ValueError(f"{self}: rate must be from 0 to below 1.")


@dataclass(frozen=True, repr=False)
class BatchNorm(Layer):
    """Normalise each channel over batch and positions; running statistics when predicting.

    ``running = momentum * running + (1 - momentum) * batch``, as Keras writes it.
    """

    momentum: float = 0.9
    epsilon: float = 1e-3

    def __post_init__(self):
        if not 0 <= self.momentum < 1 or not self.epsilon > 0:
            raise ValueError(f"{self}: momentum must be from 0 to below 1, epsilon above 0.")

    def weight_shapes(self, shape):
        return {"gamma": shape[-1:], "beta": shape[-1:]}

    def state_shapes(self, shape):
        return {"mean": shape[-1:], "variance": shape[-1:]}


LAYERS = {
    kind.__name__: kind
    for kind in (Conv1D, MaxPool, AvgPool, Identity, Flatten, GlobalAvgPool, GlobalMaxPool,
                 Dense, Dropout, BatchNorm)
}  # fmt: skip


def check_fits(size, length, name):
    """Refuse a window of `size` positions on fewer than that."""
    if size > length:
        raise ValueError(
            f"{name} {size} is longer than the {length} positions that reach it. Make it smaller, "
            "pool less before it, or use padding='same' in a convolution."
        )
