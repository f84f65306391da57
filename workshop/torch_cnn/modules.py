"""Torch modules of an architecture's layers, each of them exactly what Keras's layer computes.

They take and give positions last, ``(N, C, L)``, as all of Torch's do.
"""

import torch
import torch.nn.functional as F
from torch import nn

from workshop import architecture as arch


class Conv1d(nn.Conv2d):
    """The numbers of `nn.Conv1d`, on a CPU in about half of its time.

    A batch ``(N, L, C)`` with its axes swapped is, without moving a byte, an image of height 1
    whose channels lie side by side in memory (*channels last*): Torch's fast kernels are for those.
    """

    def __init__(self, channels, filters, kernel_size):
        super().__init__(channels, filters, (1, kernel_size))
        self.to(memory_format=torch.channels_last)

    def forward(self, x):
        return super().forward(x.unsqueeze(2)).squeeze(2)  # (N, C, L) -> (N, F, L - K + 1)


class SamePad(nn.Module):
    """Zeros at both ends, so that a convolution keeps L; an odd one more on the right, as Keras."""

    def __init__(self, kernel_size):
        super().__init__()
        self.padding = ((kernel_size - 1) // 2, kernel_size // 2)

    def forward(self, x):
        return F.pad(x.unsqueeze(2), self.padding).squeeze(2)  # of an image: it stays channels-last


class BatchNorm(nn.Module):
    """Batch normalisation as in Keras: `nn.BatchNorm1d`'s running variance is the unbiased one."""

    def __init__(self, channels, momentum, epsilon):
        super().__init__()
        self.momentum, self.epsilon = momentum, epsilon
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, x):
        mean, variance = self.mean, self.variance
        if self.training:
            batch = [dim for dim in range(x.ndim) if dim != 1]  # all but the channels
            mean, variance = x.mean(batch), x.var(batch, correction=0)
            self.mean.lerp_(mean.detach(), 1 - self.momentum)
            self.variance.lerp_(variance.detach(), 1 - self.momentum)
        scale = self.gamma * torch.rsqrt(variance + self.epsilon)
        shift = self.beta - mean * scale
        if x.ndim == 3:
            scale, shift = scale[:, None], shift[:, None]  # (C, 1), beside the positions
        return x * scale + shift


class Flatten(nn.Module):
    def forward(self, x):
        return x.swapaxes(1, 2).flatten(1)  # (N, C, L) -> (N, L * C), as Keras flattens


class GlobalAvgPool(nn.Module):
    def forward(self, x):
        return x.mean(dim=2)  # (N, C, L) -> (N, C)


class GlobalMaxPool(nn.Module):
    def forward(self, x):
        return x.amax(dim=2)  # (N, C, L) -> (N, C)


class Exponential(nn.Module):
    def forward(self, x):
        return x.exp()


ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "elu": nn.ELU}
ACTIVATIONS |= {"exponential": Exponential}
WITHOUT_WEIGHTS = {  # each takes the fields of our layer
    arch.MaxPool: nn.MaxPool1d,
    arch.AvgPool: nn.AvgPool1d,
    arch.Dropout: nn.Dropout,
    arch.Flatten: Flatten,
    arch.GlobalAvgPool: GlobalAvgPool,
    arch.GlobalMaxPool: GlobalMaxPool,
    arch.Identity: nn.Identity,
}


def build_layers(architecture):
    """Modules of all layers in a row, and of the output; the caller's generator stays as it is."""
    shapes = [(architecture.input_length, 4), *architecture.output_shapes()]
    with torch.random.fork_rng(devices=[]):
        layers = nn.Sequential(*map(build_layer, architecture.layers, shapes))
        return layers, nn.Linear(shapes[-2][0], architecture.n_outputs)


def build_layer(layer, shape):
    """Module of one layer that takes `shape`, (L, C) or (F,)."""
    modules = []
    match layer:
        case arch.Conv1D(filters, kernel_size, _, padding):
            if padding == "same":
                modules.append(SamePad(kernel_size))
            modules.append(Conv1d(shape[1], filters, kernel_size))
        case arch.Dense(units):
            modules.append(nn.Linear(shape[0], units))
        case arch.BatchNorm(momentum, epsilon):
            modules.append(BatchNorm(shape[-1], momentum, epsilon))
        case _:
            modules.append(WITHOUT_WEIGHTS[type(layer)](*vars(layer).values()))
    activation = getattr(layer, "activation", "linear")
    if activation != "linear":
        modules.append(ACTIVATIONS[activation]())
    return modules[0] if len(modules) == 1 else nn.Sequential(*modules)
