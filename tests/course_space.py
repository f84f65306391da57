"""The course's model space, built without AMBER."""

import itertools

from workshop.architecture import (
    Architecture,
    AvgPool,
    Conv1D,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    Identity,
    MaxPool,
)


def course_space():
    """All 378 architectures of the course's space."""

    def convolutions(filters):
        return [
            Conv1D(filters, kernel_size, activation, padding="same")
            for activation in ("relu", "tanh")
            for kernel_size in (7, 13, 3)
        ]

    pools = [MaxPool(4), AvgPool(4), Identity()]
    reductions = [Flatten(), GlobalAvgPool(), GlobalMaxPool()]
    choices = (convolutions(32), pools, [*convolutions(64), Identity()], reductions)
    return [Architecture(layers) for layers in itertools.product(*choices)]
