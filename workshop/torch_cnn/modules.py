"""Torch modules of an architecture's layers, each of them exactly what Keras's layer computes.

Inside a model, positions x channels ``(L, C)`` are an image of height 1: ``(N, C, 1, L)``.
"""

import torch
import torch.nn.functional as F
from torch import nn

from workshop import architecture as arch


class SamePad(nn.Module):
    """Pad positions as Keras pads: of an odd number, the extra one on the right."""

    def __init__(self, length, size, step, value=0.0):
        super().__init__()
        total = max((-(-length // step) - 1) * step + size - length, 0)
        self.padding, self.value = (total // 2, total - total // 2), value

    def forward(self, x):
        return F.pad(x, self.padding, value=self.value) if any(self.padding) else x


class AvgPool(nn.AvgPool2d):
    """Average pooling that does not count what hangs over an end."""

    def __init__(self, length, size, step, padding):
        super().__init__((1, size), (1, step))
        self.pad = SamePad(length, size, step) if padding == "same" else nn.Identity()
        share = super().forward(self.pad(torch.ones(1, 1, 1, length)))  # counted part of a window
        self.register_buffer("share", share, persistent=False)

    def forward(self, x):
        return super().forward(self.pad(x)) / self.share


class BatchNorm(nn.Module):
    """Batch normalisation as in Keras: nn.BatchNorm's running variance is the unbiased one."""

    def __init__(self, channels, momentum, epsilon):
        super().__init__()
        self.momentum, self.epsilon = momentum, epsilon
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x):
        mean, variance = self.running_mean, self.running_var
        if self.training:
            batch = [dim for dim in range(x.ndim) if dim != 1]  # all but the channels
            mean, variance = x.mean(batch), x.var(batch, correction=0)
            self.running_mean.lerp_(mean.detach(), 1 - self.momentum)
            self.running_var.lerp_(variance.detach(), 1 - self.momentum)
        scale = self.weight * torch.rsqrt(variance + self.epsilon)
        channels = (1, -1) + (1,) * (x.ndim - 2)
        return x * scale.view(channels) + (self.bias - mean * scale).view(channels)


class Flatten(nn.Module):
    def forward(self, x):
        return x.squeeze(2).transpose(1, 2).flatten(1)  # (N, C, 1, L) -> (N, L * C)


class GlobalAvgPool(nn.Module):
    def forward(self, x):
        return x.mean(dim=(2, 3))  # (N, C, 1, L) -> (N, C)


class GlobalMaxPool(nn.Module):
    def forward(self, x):
        return x.amax(dim=(2, 3))  # (N, C, 1, L) -> (N, C)


class Exponential(nn.Module):
    def forward(self, x):
        return x.exp()


ACTIVATIONS = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "elu": nn.ELU,
    "exponential": Exponential,
}


def build_layer(layer, shape):
    """Module of one layer; inside, positions x channels ``(L, C)`` are ``(N, C, 1, L)``."""
    modules = []
    match layer:
        case arch.Conv1D(filters, size, _, padding):
            if padding == "same":
                modules.append(SamePad(shape[0], size, 1))
            modules.append(nn.Conv2d(shape[1], filters, (1, size)))
        case arch.MaxPool(size, _, padding):
            if padding == "same":
                modules.append(SamePad(shape[0], size, layer.step, value=-torch.inf))
            modules.append(nn.MaxPool2d((1, size), (1, layer.step)))
        case arch.AvgPool(size, _, padding):
            modules.append(AvgPool(shape[0], size, layer.step, padding))
        case arch.Dense(units):
            modules.append(nn.Linear(shape[0], units))
        case arch.BatchNorm(momentum, epsilon):
            modules.append(BatchNorm(shape[-1], momentum, epsilon))
        case arch.Dropout(rate):
            modules.append(nn.Dropout(rate))
        case arch.Flatten():
            modules.append(Flatten())
        case arch.GlobalAvgPool():
            modules.append(GlobalAvgPool())
        case arch.GlobalMaxPool():
            modules.append(GlobalMaxPool())
        case arch.Identity():
            modules.append(nn.Identity())
    activation = getattr(layer, "activation", "linear")
    if activation != "linear":
        modules.append(ACTIVATIONS[activation]())
    return modules[0] if len(modules) == 1 else nn.Sequential(*modules)
