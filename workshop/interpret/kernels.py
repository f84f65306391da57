"""What the kernels of a first convolution look for: the motif in the windows that excite each.

A kernel's weights are hard to read: they may be shifted, and add up to more than a sequence can
show. So one counts the letters of the windows where the kernel is strongly active, as DeepBind
(Alipanahi et al., 2015, doi:10.1038/nbt.3300) and Basset (Kelley et al., 2016,
doi:10.1101/gr.200535.115) do.
"""

from typing import NamedTuple

import numpy as np

from workshop import architecture as arch
from workshop.interpret import layer_steps as steps
from workshop.interpret.mutagenesis import checked_twin
from workshop.motifs import Motif

ACTIVE = 0.5  # of the largest activation, as in Basset
PASS_ON = (  # layers after which channel i is still that of kernel i, on its scale
    *(arch.MaxPool, arch.AvgPool, arch.Identity, arch.Dropout),
    *(arch.GlobalAvgPool, arch.GlobalMaxPool),
)


class KernelMotif(NamedTuple):
    """What one kernel looks for: see `kernel_motifs`."""

    kernel: int  #: its number, as in the weights
    motif: Motif | None  #: letters counted in the windows that excite it; None where none does
    weights: np.ndarray  #: the kernel itself, (K, 4)
    n_windows: int  #: how many windows were counted
    output_weight: float  #: what the output multiplies its activation with; nan if not defined


def kernel_motifs(model, X, *, task=0):
    """Read the kernels of a first convolution as motifs.

    For each kernel, the windows whose activation is above half of its largest one over `X` are
    laid upon each other, and their letters counted. Windows that hang over an end of a sequence,
    which padding makes, are left out.

    Parameters
    ----------
    model : SequenceCNN
        From `keras_cnn` or `torch_cnn`; its first layer is a Conv1D.
    X : array of shape (N, L, 4)
        Sequences to look at, such as the positive ones of the test set. A thousand are enough.
    task : int
        Column of the output whose weights are reported.

    Returns
    -------
    list of KernelMotif
        One a kernel, in the order of the weights. The output weight is defined where a global
        average or maximum and the output follow on the convolution, with at most pooling between:
        a positive one then says that what excites the kernel speaks for the class.

    Examples
    --------
    >>> from workshop import torch_cnn
    >>> from workshop.architecture import Architecture, Conv1D, GlobalMaxPool
    >>> from workshop.sequences import one_hot_encode
    >>> model = torch_cnn.build_cnn(Architecture((Conv1D(1, 2, "relu"), GlobalMaxPool()), 5))
    >>> kernel = [[[1], [0], [0], [0]], [[0], [1], [0], [0]]]  # AC
    >>> rest = {"0.bias": [0], "output.kernel": [[2]], "output.bias": [0]}
    >>> torch_cnn.set_weights(model, {"0.kernel": kernel, **rest})
    >>> found = kernel_motifs(model, one_hot_encode(["GACTT", "ACGAC"]))[0]
    >>> found.motif.consensus, found.n_windows, found.output_weight
    ('AC', 3, 2.0)
    """
    twin, X, task = checked_twin(model, X, task, ", whose layers are known")
    weights, layers = twin.get_weights(model), model.architecture.layers
    if not (layers and isinstance(layers[0], arch.Conv1D)):
        first = type(layers[0]).__name__ if layers else "the output"
        raise ValueError(f"The first layer of model must be a Conv1D; it is {first}.")
    kernels, width = weights["0.kernel"], layers[0].kernel_size  # (K, 4, F)
    activations = steps.Conv(kernels, weights["0.bias"], "valid").forward(X.swapaxes(0, 1))
    if layers[0].activation != "linear":
        activations = steps.Activation(layers[0].activation).forward(activations)  # (P, N, F)
    defined = all(isinstance(layer, PASS_ON) for layer in layers[1:])
    defined = defined and any(type(layer).__name__.startswith("Global") for layer in layers)
    windows = np.lib.stride_tricks.sliding_window_view(X, width, axis=1)  # (N, P, 4, K)
    found = []
    for i in range(kernels.shape[2]):
        own = activations[:, :, i].T  # (N, P)
        active = windows[own > max(ACTIVE * own.max(), 0)]  # (n, 4, K)
        counts = active.sum(axis=0, dtype=float).T  # (K, 4)
        name = f"from {len(active):,} windows"
        motif = Motif(f"kernel {i}", name, counts) if counts.any(axis=1).all() else None
        weight = float(weights["output.kernel"][i, task]) if defined else np.nan
        found.append(KernelMotif(i, motif, kernels[:, :, i], len(active), weight))
    return found
