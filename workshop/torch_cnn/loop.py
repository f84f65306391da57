"""What `torch_cnn.fit` hands to Lightning: batches, Adam, a recorder; and where all of it runs."""

import contextlib
import itertools
import logging
import math
import signal
import warnings
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
import torch

from workshop import training

# What the state of a callback in a checkpoint may hold beside tensors: numbers, arrays of NumPy.
NUMPY = [np.dtype, np.ndarray, np._core.multiarray.scalar, np._core.multiarray._reconstruct]
NUMPY += [getattr(np.dtypes, name) for name in np.dtypes.__all__]


class Batches:
    """Batches of arrays that are in memory: slices of tensors, no collation row by row."""

    def __init__(self, arrays, batch_size, orders=None, *, dtype=torch.float32):
        self.tensors = [to_tensor(array).to(dtype) for array in arrays]
        self.batch_size, self.orders = batch_size, orders

    def __len__(self):
        return -(-len(self.tensors[0]) // self.batch_size)

    def __iter__(self):  # draws an order only when asked for a batch: Lightning may call it twice
        order = np.arange(len(self.tensors[0])) if self.orders is None else next(self.orders)
        for rows in torch.from_numpy(order).split(self.batch_size):
            # Copies whole rows: several times faster than X[rows].
            yield [tensor.index_select(0, rows) for tensor in self.tensors]


def to_tensor(array):
    """Tensor of an array, sharing its memory where the array allows writing."""
    array = np.require(array, requirements=("C", "A", "W"))
    # Along an axis of length 1 NumPy calls any stride contiguous, Torch refuses some.
    return torch.from_numpy(array.copy() if 1 in array.shape else array)


def keras_adam(parameters, learning_rate, *, epsilon=1e-7):
    """Adam as Keras computes it: epsilon counts before the correction for bias, not after it.

    In Torch's terms epsilon shrinks from 32 times its size at the first step; where gradients are
    small, the same epsilon would train another model. Fused: one kernel for all weights, where
    the plain one makes a dozen small calls for each of them.
    """
    optimizer = torch.optim.Adam(parameters, learning_rate, eps=epsilon, fused=True)
    steps = itertools.count(1)

    def before_step(optimizer, args, kwargs):
        step = next(steps)
        for group in optimizer.param_groups:
            group["eps"] = epsilon / math.sqrt(1 - group["betas"][1] ** step)

    optimizer.register_step_pre_hook(before_step)
    return optimizer


class Recorder(pl.Callback):
    """Computes the metrics once an epoch; keeps the history, moves the progress line, logs."""

    def __init__(self, epochs, line, log_dir, n_train, n_val):
        self.epochs, self.line, self.log_dir = epochs, line, log_dir
        self.rows, self.writers = [], {}
        self.outputs = {"": Outputs(n_train), "val_": Outputs(n_val)}

    def on_train_epoch_start(self, trainer, pl_module):
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        self.rows.append({"epoch": trainer.current_epoch + 1, "learning_rate": rate})

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.outputs[""].add(outputs["kept"])

    def on_validation_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.outputs["val_"].add(outputs["kept"])

    def on_validation_epoch_end(self, trainer, pl_module):
        self._score("val_", trainer, pl_module)

    def on_train_epoch_end(self, trainer, pl_module):
        self._score("", trainer, pl_module)
        self.line.show(training.epoch_text(self.rows[-1], self.epochs))

    def on_train_end(self, trainer, pl_module):
        if self.rows:  # none where a callback stopped before the first epoch
            self.line.show(training.epoch_text(self.rows[-1], self.epochs), last=True)

    def teardown(self, trainer, pl_module, stage):
        for writer in self.writers.values():
            writer.close()

    def _score(self, prefix, trainer, model):
        # While training these are the logits of each batch before its update, as in Keras.
        kept = self.outputs[prefix].take()
        scores = training.score_logits(model.architecture.task, *kept)
        for name, value in scores.items():
            self.rows[-1][prefix + name] = value
            # Other callbacks find it where Lightning keeps what is logged.
            model.log(prefix + name, value, on_step=False, on_epoch=True, batch_size=len(kept[0]))
            if self.log_dir is not None:
                self._writer(prefix).add_scalar(f"epoch_{name}", value, trainer.current_epoch)

    def _writer(self, prefix):
        if prefix not in self.writers:
            from torch.utils.tensorboard import SummaryWriter

            folder = Path(self.log_dir) / ("validation" if prefix else "train")
            self.writers[prefix] = SummaryWriter(str(folder))
        return self.writers[prefix]


class Outputs:
    """Logits and targets (and weights) of an epoch of `n` sequences, in tensors that stay.

    Kept batch by batch, they would lie in the holes between what the batches need and free, which
    no longer fits there: the process grows by a layer's activations with each batch.
    """

    def __init__(self, n):
        self.n, self.tensors, self.filled = n, None, 0

    def add(self, batch):
        if self.tensors is None:
            self.tensors = [one.new_empty((self.n, *one.shape[1:])) for one in batch]
        rows = slice(self.filled, self.filled + len(batch[0]))
        for tensor, one in zip(self.tensors, batch, strict=True):
            tensor[rows] = one
        self.filled = rows.stop

    def take(self):
        """Arrays of what a whole epoch, or one cut short, added; what comes next begins anew."""
        rows, self.filled = slice(self.filled), 0
        return [tensor[rows].cpu().double().numpy() for tensor in self.tensors]


@contextlib.contextmanager
def training_conditions(random_state):
    """One thread, kernels that repeat, dropout of this seed, no notes of the Trainer; then undo."""
    with contextlib.ExitStack() as undo:
        undo.enter_context(one_thread())
        undo.enter_context(repeatable_on_gpu())
        undo.enter_context(torch.random.fork_rng())
        torch.manual_seed(random_state)
        log = logging.getLogger("pytorch_lightning.utilities.rank_zero")
        log.addFilter(is_no_note)
        undo.callback(log.removeFilter, is_no_note)
        undo.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", message=".*LeafSpec.*", category=FutureWarning)
        warnings.filterwarnings("ignore", message=".*but have no `val_dataloader`")
        undo.enter_context(interruptible())
        yield


def is_no_note(record):
    """Whether a callback says it, or it is an error, rather than a note of the Trainer."""
    parts = Path(record.pathname).parts
    return record.levelno >= logging.ERROR or "callbacks" in parts or pl.__name__ not in parts


@contextlib.contextmanager
def evaluating(model):
    """One thread, kernels that repeat, no dropout; then each module is as it was."""
    modes = [(module, module.training) for module in model.modules()]  # some may be frozen
    model.eval()
    try:
        with one_thread(), repeatable_on_gpu():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextlib.contextmanager
def one_thread():
    """Run Torch's CPU kernels on one thread; give the others back afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def repeatable_on_gpu():
    """Let cuDNN use only kernels that give the same result each time, in full float32."""
    return torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    )


@contextlib.contextmanager
def interruptible():
    """Pass Ctrl-C on as KeyboardInterrupt: Lightning would exit, and ignore every later Ctrl-C."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as error:
        if not isinstance(error.__context__, KeyboardInterrupt):
            raise
        signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from error
