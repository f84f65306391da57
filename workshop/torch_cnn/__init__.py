"""The Torch twin, in Lightning: build, fit, predict, save. Its sibling is `workshop.keras_cnn`.

The same names and signatures as the Keras twin; the same `random_state` gives the same initial
weights and the same batches in both, so that they train alike to rounding error.

Two choices make it fast. A one-hot batch ``(N, L, 4)`` is, without moving a byte, an image of
height 1 in channels-last memory, and Torch's CPU kernels for that are about three times faster
than Conv1d's. And everything here runs on one CPU thread: such small kernels gain nothing from
a second, and with a busy neighbour two threads wait for each other and get many times slower.
"""

import contextlib
import pickle
import zipfile
from pathlib import Path

from workshop import _triton  # isort: skip  # noqa: F401 - before Lightning

import numpy as np

from workshop import architecture as arch
from workshop import training
from workshop._checks import positive_int
from workshop._files import whole_file
from workshop._progress import ProgressLine
from workshop.environment import heavy_imports
from workshop.environment.allocator import keep_freed_memory

with heavy_imports():
    import pytorch_lightning as pl

import torch
import torch.nn.functional as F
from torch import nn

from workshop.torch_cnn.loop import (
    Batches,
    Recorder,
    interruptible,
    keras_adam,
    one_thread,
    quiet_lightning,
    repeatable_on_gpu,
    to_tensor,
)
from workshop.torch_cnn.modules import build_layer

__all__ = [
    "SequenceCNN",
    "build_cnn",
    "fit",
    "get_weights",
    "input_gradient",
    "load",
    "predict",
    "predict_logits",
    "save",
    "set_weights",
]


class SequenceCNN(pl.LightningModule):
    """A LightningModule from ``(N, L, 4)`` to logits ``(N, T)`` that knows its architecture.

    Parameters
    ----------
    architecture : Architecture or dict
        The dict is ``architecture.to_dict()``, as Lightning finds it in a checkpoint.
    optimizer : str
        ``"adam"`` or ``"sgd"``.
    learning_rates : sequence of float
        One an epoch; the last one stays.
    """

    twin = "workshop.torch_cnn"  # the module whose functions take such a model

    def __init__(self, architecture, *, optimizer="adam", learning_rates=(0.001,)):
        super().__init__()
        if isinstance(architecture, dict):
            architecture = arch.Architecture.from_dict(architecture)
        shapes = [(architecture.input_length, 4), *architecture.output_shapes()]
        self.architecture = architecture
        self.optimizer_name = optimizer
        self.learning_rates = list(learning_rates)
        with torch.random.fork_rng(devices=[]):  # the caller's generator stays as it is
            self.layers = nn.Sequential(*map(build_layer, architecture.layers, shapes))
            self.output = nn.Linear(shapes[-2][0], architecture.n_outputs)
        self.to(memory_format=torch.channels_last)

    def __setattr__(self, name, value):
        """Set an attribute; text that replaces what is no weight and no layer needs no search.

        Lightning notes in one the hook that it is about to call: forty times a step.
        """
        if (value is None or isinstance(value, str)) and name in self.__dict__:
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)

    def forward(self, x):
        """Map a batch ``(N, L, 4)`` to logits ``(N, T)``."""
        x = x.permute(0, 2, 1).unsqueeze(2)  # (N, 4, 1, L), channels-last in memory: no copy
        return self.output(self.layers(x))  # (N, T)

    def loss(self, logits, y):
        """Loss of the task, a mean over batch and outputs."""
        if self.architecture.task == "regression":
            return F.mse_loss(logits, y)
        if self.architecture.task == "multiclass":
            return F.cross_entropy(logits, y)
        return F.binary_cross_entropy_with_logits(logits, y)

    def training_step(self, batch, batch_idx):
        """Loss of one batch; the logits go to the epoch's metrics."""
        x, y = batch
        logits = self(x)
        return {"loss": self.loss(logits, y), "logits": logits.detach(), "y": y}

    def validation_step(self, batch, batch_idx):
        """Logits of one batch; loss and metrics are computed once, over all of them."""
        x, y = batch
        return {"logits": self(x), "y": y}

    def configure_optimizers(self):
        """Adam or SGD with Keras's defaults, and the learning rate of each epoch."""
        if self.optimizer_name == "adam":
            optimizer = keras_adam(self.parameters(), self.learning_rates[0])
        else:
            optimizer = torch.optim.SGD(self.parameters(), self.learning_rates[0])
        rates = self.learning_rates
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda epoch: rates[min(epoch, len(rates) - 1)] / rates[0]
        )
        return [optimizer], [schedule]

    def on_save_checkpoint(self, checkpoint):
        """Put the architecture, as plain data, where Lightning looks for it when loading."""
        checkpoint["hyper_parameters"] = {"architecture": self.architecture.to_dict()}


def build_cnn(architecture, *, random_state=0):
    """Build a model with Glorot-uniform kernels and zero biases.

    Parameters
    ----------
    architecture : Architecture
    random_state : int
        Of the initial weights; the Keras twin draws the same.

    Returns
    -------
    SequenceCNN

    Examples
    --------
    >>> from workshop.architecture import DAY1_CNN
    >>> sum(p.numel() for p in build_cnn(DAY1_CNN).parameters())
    961
    """
    model = SequenceCNN(training.check_architecture(architecture))
    set_weights(model, arch.initial_weights(architecture, random_state=random_state))
    return model


def fit(
    model,
    X,
    y,
    *,
    X_val=None,
    y_val=None,
    epochs=20,
    batch_size=64,
    optimizer="adam",
    learning_rate=0.001,
    callbacks=(),
    log_dir=None,
    progress=True,
    random_state=0,
):
    """Train a model in place, with a fresh optimiser.

    Parameters
    ----------
    model : SequenceCNN
        From `build_cnn` or `load`.
    X : array of shape (N, L, 4)
    y : array of shape (N, T)
        0 and 1; one-hot for a multi-class task; any number for a regression.
    X_val, y_val : arrays like X, y, optional
        Validation data, scored after each epoch.
    epochs, batch_size : int
    optimizer : str
        ``"adam"`` or ``"sgd"``.
    learning_rate : float or callable
        A number, or a schedule: a function of the epoch, counted from 0.
    callbacks : sequence of pytorch_lightning.Callback
        Such as ``EarlyStopping(monitor="val_loss")`` or ``ModelCheckpoint(dirpath)``. They see
        once an epoch what the history holds: loss, val_loss, val_auroc and so on.
    log_dir : path-like, optional
        A fresh folder for TensorBoard: this run, with ``train`` and ``validation`` below it.
    progress : bool
        Show a line that counts epochs.
    random_state : int
        Of dropout and of the order of the batches; the Keras twin goes through the same batches.

    Returns
    -------
    History
        Trained on a GPU where there is one; then the model comes back to the CPU.

    Raises
    ------
    TypeError
        If `model` is no `SequenceCNN`, or a callback is not one of Lightning.
    ValueError
        If data or settings do not fit; see `workshop.training`.
    """
    architecture = _architecture_of(model)
    X, y = training.check_data(architecture, X, y)
    validation = training.check_validation(architecture, X_val, y_val)
    epochs, batch_size, rates = training.check_settings(
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        learning_rate=learning_rate,
        random_state=random_state,
    )
    callbacks = training.check_callbacks(callbacks, pl.Callback)
    model.optimizer_name, model.learning_rates = optimizer, rates
    n_val = 0 if validation is None else len(validation[0])
    recorder = Recorder(epochs, ProgressLine(progress), log_dir, len(X), n_val)
    model.train()
    keep_freed_memory()
    with one_thread(), quiet_lightning(), repeatable_on_gpu(), torch.random.fork_rng():
        torch.manual_seed(random_state)  # of Dropout; the caller's generator stays as it is
        trainer = pl.Trainer(
            max_epochs=epochs,
            accelerator="cuda" if torch.cuda.is_available() else "cpu",
            devices=1,
            callbacks=[recorder, *callbacks],
            enable_checkpointing=any(isinstance(c, pl.callbacks.Checkpoint) for c in callbacks),
            enable_model_summary=False,
            enable_progress_bar=any(isinstance(c, pl.callbacks.ProgressBar) for c in callbacks),
            logger=False,
            num_sanity_val_steps=0,
        )
        try:
            with interruptible():
                trainer.fit(
                    model,
                    Batches(X, y, batch_size, training.batch_orders(len(X), epochs, random_state)),
                    validation and Batches(*validation, 1024),
                )
        finally:
            model.eval()
    return recorder.history()


def predict_logits(model, X, *, batch_size=1024):
    """Predict logits: the model's output before the task's activation.

    Parameters
    ----------
    model : SequenceCNN
    X : array of shape (N, L, 4)
    batch_size : int

    Returns
    -------
    ndarray of shape (N, T), float32

    Raises
    ------
    ValueError
        If `X` has another shape or length than the model takes, or `batch_size` is not positive.
    """
    architecture = _architecture_of(model)
    batch_size = positive_int(batch_size, "batch_size")
    X = training.check_input(architecture, X)
    logits = np.empty((len(X), architecture.n_outputs), dtype=np.float32)
    with one_thread(), repeatable_on_gpu(), _evaluating(model), torch.inference_mode():
        for start in range(0, len(X), batch_size):
            batch = slice(start, start + batch_size)
            logits[batch] = model(to_tensor(X[batch]).to(model.device)).cpu().numpy()
    return logits


def predict(model, X, *, batch_size=1024):
    """Predict probabilities, or values for a regression: logits after the task's activation.

    Parameters
    ----------
    model : SequenceCNN
    X : array of shape (N, L, 4)
    batch_size : int

    Returns
    -------
    ndarray of shape (N, T), float32
    """
    logits = torch.from_numpy(predict_logits(model, X, batch_size=batch_size))
    activation = arch.TASKS[model.architecture.task]
    if activation == "softmax":
        logits = logits.softmax(dim=1)
    elif activation == "sigmoid":
        logits = logits.sigmoid()
    return logits.numpy()


def input_gradient(model, X, *, task=0, batch_size=256):
    """Gradient of one logit with respect to each entry of the input.

    Parameters
    ----------
    model : SequenceCNN
    X : array of shape (N, L, 4)
    task : int
        Column of the output.
    batch_size : int

    Returns
    -------
    ndarray of shape (N, L, 4), float32

    Raises
    ------
    ValueError
        If the model has no output `task`.
    """
    architecture = _architecture_of(model)
    batch_size = positive_int(batch_size, "batch_size")
    X = training.check_input(architecture, X)
    training.check_task(architecture, task)
    gradient = np.empty_like(X)
    with one_thread(), repeatable_on_gpu(), _evaluating(model), torch.enable_grad():
        for start in range(0, len(X), batch_size):
            batch = to_tensor(X[start : start + batch_size]).to(model.device)
            batch.requires_grad_(True)
            (change,) = torch.autograd.grad(model(batch)[:, task].sum(), batch)
            gradient[start : start + batch_size] = change.cpu().numpy()
    return gradient


def get_weights(model):
    """Weights in the layout that both twins share.

    Parameters
    ----------
    model : SequenceCNN

    Returns
    -------
    dict of str to ndarray, float32
        See `Architecture.weight_shapes`.
    """
    _architecture_of(model)
    return {
        name: _to_shared(tensor.detach().cpu()).numpy().copy()
        for name, tensor in _tensors(model).items()
    }


def set_weights(model, weights):
    """Copy weights into a model, from this twin or the other.

    Parameters
    ----------
    model : SequenceCNN
    weights : dict of str to array
        From `get_weights` of either twin.

    Raises
    ------
    ValueError
        If they are the weights of another architecture.
    """
    weights = arch.check_weights(_architecture_of(model), weights)
    with torch.no_grad():
        for name, tensor in _tensors(model).items():
            # The shared view of a tensor shares its memory: writing there writes the tensor.
            _to_shared(tensor).copy_(to_tensor(weights[name]))


def save(model, path):
    """Save a model as a Lightning checkpoint; it appears whole or not at all.

    Parameters
    ----------
    model : SequenceCNN
    path : path-like
        Ends in ``.ckpt``. ``SequenceCNN.load_from_checkpoint`` reads it, too.

    Raises
    ------
    ValueError
        If the name ends in something else.
    """
    _architecture_of(model)
    path = Path(path)
    if path.suffix != ".ckpt":
        raise ValueError(f"path must end in .ckpt; got {path.name!r}.")
    checkpoint = {
        "state_dict": model.state_dict(),
        "pytorch-lightning_version": pl.__version__,
    }
    model.on_save_checkpoint(checkpoint)
    with whole_file(path) as part:
        torch.save(checkpoint, part)


def load(path, *, architecture=None):
    """Load a model that `save` or a ``ModelCheckpoint`` wrote; no code in the file can run.

    Parameters
    ----------
    path : path-like
    architecture : Architecture, optional
        What the file must hold.

    Returns
    -------
    SequenceCNN

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is corrupt, holds something else, or another architecture.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No model at {path}.")
    try:
        if not zipfile.is_zipfile(path):
            raise EOFError("not Torch's zip format")
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        description = checkpoint["hyper_parameters"]["architecture"]
        model = SequenceCNN(description)
        model.load_state_dict(checkpoint["state_dict"])
    except _UNREADABLE as error:
        reason = str(error).split("\n")[0]
        raise ValueError(
            f"{path} is no checkpoint of a SequenceCNN, or a corrupt one; nothing in it was "
            f"executed ({reason})."
        ) from error
    training.check_same(path, model.architecture, architecture)
    return model.eval()


# What Torch, pickle and our own checks raise on a file that is something else.
_UNREADABLE = (
    *(RuntimeError, EOFError, pickle.UnpicklingError, LookupError),
    *(TypeError, AttributeError, ValueError),
)

_ATTRIBUTES = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "mean": "running_mean",
    "variance": "running_var",
}


def _tensors(model):
    """Name, as in `Architecture.weight_shapes`, to the tensor of the model."""
    tensors = {}
    for name in model.architecture.weight_shapes():
        key, kind = name.split(".")
        module = model.output if key == "output" else model.layers[int(key)]
        owner = next(m for m in module.modules() if getattr(m, "weight", None) is not None)
        tensors[name] = getattr(owner, _ATTRIBUTES[kind])
    return tensors


def _to_shared(tensor):
    """View of a tensor in the shared layout: (kernel_size, in, out), (in, out) or as it is."""
    if tensor.ndim == 4:
        return tensor.squeeze(2).permute(2, 1, 0)  # (out, in, 1, K) -> (K, in, out)
    return tensor.T if tensor.ndim == 2 else tensor


def _architecture_of(model):
    if not isinstance(model, SequenceCNN):
        raise TypeError(
            "model must come from workshop.torch_cnn.build_cnn or load; got a "
            f"{type(model).__module__}.{type(model).__name__}."
        )
    return model.architecture


@contextlib.contextmanager
def _evaluating(model):
    modes = [(module, module.training) for module in model.modules()]  # some may be frozen
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
