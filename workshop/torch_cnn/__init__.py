"""The Torch twin, in Lightning: build, fit, predict, save. Its sibling is `workshop.keras_cnn`.

The same names and signatures as the Keras twin; the same `random_state` gives the same initial
weights and the same batches in both, so that they train alike to rounding error.

Two choices make it fast: `modules.Conv1d`, which is Torch's own in another order of memory, and one
CPU thread for all of it: such small kernels gain nothing from a second, and with a busy neighbour
two threads wait for each other and get many times slower.
"""

from pathlib import Path

from workshop import _triton  # isort: skip  # noqa: F401 - before Lightning
from workshop import architecture as arch
from workshop import training
from workshop._files import whole_file
from workshop._progress import ProgressLine
from workshop.environment import heavy_imports

with heavy_imports():
    import pytorch_lightning as pl

import torch
import torch.nn.functional as F

from workshop.torch_cnn.loop import (
    NUMPY,
    Batches,
    Recorder,
    evaluating,
    keras_adam,
    to_tensor,
    training_conditions,
)
from workshop.torch_cnn.modules import build_layers

__all__ = ["SequenceCNN", "build_cnn", "fit", "get_weights", "input_gradient", "load", "predict"]
__all__ += ["predict_logits", "save", "set_weights"]

LOSSES = dict.fromkeys(("binary", "multilabel"), F.binary_cross_entropy_with_logits)
LOSSES |= {"multiclass": F.cross_entropy, "regression": F.mse_loss}


class SequenceCNN(pl.LightningModule):
    """A LightningModule from ``(N, L, 4)`` to logits ``(N, T)`` that knows its architecture.

    Parameters
    ----------
    architecture : Architecture or dict
        The dict is ``architecture.to_dict()``, as Lightning finds it in a checkpoint.
    """

    twin = "workshop.torch_cnn"  # the module whose functions take such a model

    def __init__(self, architecture):
        super().__init__()
        if isinstance(architecture, dict):
            architecture = arch.Architecture.from_dict(architecture)
        self.architecture = architecture
        self.optimizer_name, self.learning_rates = "adam", [0.001]  # one an epoch; `fit` sets them
        self.layers, self.output = build_layers(architecture)

    def forward(self, X):
        """Map a batch ``(N, L, 4)`` to logits ``(N, T)``."""
        X = X.swapaxes(1, 2)  # (N, 4, L): Torch wants channels before positions
        return self.output(self.layers(X))  # (N, T)

    def training_step(self, batch, batch_idx):
        """Loss of one batch; the logits go to the epoch's metrics."""
        X, y, *weights = batch
        logits = self(X)
        losses = LOSSES[self.architecture.task](logits, y, reduction="none").flatten()
        loss = torch.mean(losses * weights[0] if weights else losses)
        return {"loss": loss, "kept": (logits.detach(), y, *weights)}

    def validation_step(self, batch, batch_idx):
        """Logits of one batch; loss and metrics are computed once, over all of them."""
        X, y = batch
        return {"kept": (self(X), y)}

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
    class_weight=None,
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
    class_weight : dict or "balanced", optional
        By how much a sequence of each class counts in the training loss, as in Keras:
        ``{0: 1.0, 1: 5.0}``; ``"balanced"``: N / (number of classes * N of this class).
    callbacks : sequence of pytorch_lightning.Callback
        Such as ``EarlyStopping(monitor="val_loss")`` or ``ModelCheckpoint(dirpath)``. They see
        once an epoch what the history holds: loss, val_loss, val_auroc and so on. Lightning's own
        begin each fit anew. Refused: one that monitors AUROC where labels hold one class only,
        ``StochasticWeightAveraging`` of a `BatchNorm`, and, by Lightning, those that need a logger.
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
    """
    architecture = training.architecture_of(model, SequenceCNN)
    X, y = training.check_data(architecture, X, y)
    validation = training.check_validation(architecture, X_val, y_val)
    epochs, batch_size, rates = training.check_settings(
        epochs, batch_size, optimizer, learning_rate, random_state
    )
    weights = training.sample_weights(architecture.task, y, class_weight)
    training.check_callbacks(callbacks, pl.Callback, architecture.task, y, validation)
    averages = any(isinstance(c, pl.callbacks.StochasticWeightAveraging) for c in callbacks)
    if averages and any(isinstance(layer, arch.BatchNorm) for layer in architecture.layers):
        raise ValueError("StochasticWeightAveraging does not average the statistics of BatchNorm.")
    training.check_log_dir(log_dir)
    model.optimizer_name, model.learning_rates = optimizer, rates
    orders = training.batch_orders(len(X), epochs, random_state)
    n_val = 0 if validation is None else len(validation[0])
    recorder = Recorder(epochs, ProgressLine(progress), log_dir, len(X), n_val)
    model.train()
    try:
        with training_conditions(random_state), training.beginning_anew(callbacks, pl.Callback):
            trainer = pl.Trainer(
                max_epochs=epochs,
                accelerator="cuda" if torch.cuda.is_available() else "cpu",
                devices=1,
                callbacks=[recorder, *callbacks],
                enable_checkpointing=any(isinstance(c, pl.callbacks.Checkpoint) for c in callbacks),
                enable_progress_bar=any(isinstance(c, pl.callbacks.ProgressBar) for c in callbacks),
                enable_model_summary=False,
                logger=False,
                num_sanity_val_steps=0,
            )
            precision = model.output.weight.dtype
            val_batches = Batches(validation, 1024, dtype=precision) if validation else None
            batches = Batches((X, y, *weights), batch_size, orders, dtype=precision)
            trainer.fit(model, batches, val_batches)
    finally:
        model.eval()
    training.explain_end(recorder.rows, epochs, callbacks)
    columns = training.history_columns(architecture.task, validation)
    return training.make_history(recorder.rows, columns, epochs)


def predict_logits(model, X, *, batch_size=1024):
    """Predict logits (N, T), float32, of X (N, L, 4): the output before the task's activation."""
    architecture = training.architecture_of(model, SequenceCNN)
    X = training.check_input(architecture, X)

    def logits(batch):
        return model(to_tensor(batch).to(model.output.weight)).float().cpu()

    with evaluating(model), torch.inference_mode():
        return training.in_batches(logits, X, batch_size, shape=(architecture.n_outputs,))


def predict(model, X, *, batch_size=1024):
    """Predict probabilities (N, T), or values of a regression: logits after the activation."""
    logits = predict_logits(model, X, batch_size=batch_size)
    return training.activate(model.architecture.task, logits)


def input_gradient(model, X, *, task=0, batch_size=256):
    """Gradient (N, L, 4), float32, of one logit, column `task`, with respect to X (N, L, 4)."""
    architecture = training.architecture_of(model, SequenceCNN)
    X = training.check_input(architecture, X)
    task = training.check_task(architecture.n_outputs, task)

    def gradient(batch):
        batch = to_tensor(batch).to(model.output.weight).requires_grad_(True)
        return torch.autograd.grad(model(batch)[:, task].sum(), batch)[0].float().cpu()

    with evaluating(model), torch.enable_grad():
        return training.in_batches(gradient, X, batch_size, shape=X.shape[1:])


def get_weights(model):
    """Copy the weights, as float32 arrays by their names in `Architecture.weight_shapes`."""
    return {
        name: _to_shared(tensor.detach().float().cpu()).numpy().copy()
        for name, tensor in _tensors(model).items()
    }


def set_weights(model, weights):
    """Set the weights of a model to those that `get_weights` of either twin returned."""
    architecture = training.architecture_of(model, SequenceCNN)
    weights = arch.check_weights(architecture, weights)
    with torch.no_grad():
        for name, tensor in _tensors(model).items():
            # The shared view of a tensor shares its memory: writing there writes the tensor.
            _to_shared(tensor).copy_(to_tensor(weights[name]))


def save(model, path):
    """Save a model as a Lightning checkpoint, `path` ends in ``.ckpt``; whole or not at all.

    ``SequenceCNN.load_from_checkpoint`` reads it, too.
    """
    training.architecture_of(model, SequenceCNN)
    path = training.check_suffix(path, ".ckpt")
    checkpoint = {"state_dict": model.state_dict(), "pytorch-lightning_version": pl.__version__}
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

    Raises
    ------
    ValueError
        If the file is corrupt, holds something else, or another architecture.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No model at {path}.")
    try:
        with torch.serialization.safe_globals(NUMPY):
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        model = SequenceCNN(checkpoint["hyper_parameters"]["architecture"])
        model.load_state_dict(checkpoint["state_dict"])
    except Exception as error:  # whatever Torch, pickle and our own checks raise
        problem, reason = "is no checkpoint of a SequenceCNN, or corrupt", str(error).split("\n")[0]
        raise ValueError(f"{path} {problem}; nothing in it was executed ({reason}).") from error
    training.check_same(path, model.architecture, architecture)
    return model.eval()


def _tensors(model):
    """Name, as in `Architecture.weight_shapes`, to the tensor of the model."""
    tensors = {}
    for name in training.architecture_of(model, SequenceCNN).weight_shapes():
        key, kind = name.split(".")
        module = model.output if key == "output" else model.layers[int(key)]
        attribute = "weight" if kind == "kernel" else kind
        owner = next(m for m in module.modules() if hasattr(m, attribute))
        tensors[name] = getattr(owner, attribute)
    return tensors


def _to_shared(tensor):
    """View of a tensor in the shared layout: (kernel_size, in, out), (in, out) or as it is."""
    if tensor.ndim == 4:
        return tensor.squeeze(2).permute(2, 1, 0)  # (out, in, 1, K) -> (K, in, out)
    return tensor.T if tensor.ndim == 2 else tensor
