"""Seeds, quiet logs and a report of the runtime.

Nothing here runs at import: the first cell of a notebook calls these functions by name, so that
a reader sees what is set.
"""

import contextlib
import gc
import logging
import os
import random
import sys
import tempfile
import warnings

__all__ = ["check_environment", "heavy_imports", "in_colab", "loggers_kept", "quiet_logs"]
__all__ += ["quiet_stderr", "seed_everything"]


def in_colab():
    """Whether this Python runs inside Google Colab.

    >>> in_colab()
    False
    """
    return "google.colab" in sys.modules


def seed_everything(seed):
    """Seed Python, NumPy, and Keras and Torch where they are imported, with 0 to 2**32 - 1.

    The functions of this library take a ``random_state`` of their own and do not need it; code
    written by hand in a notebook does. Import the framework first, then seed. On a GPU Torch then
    keeps to kernels whose results repeat; `workshop.keras_cnn` asks the same of TensorFlow.

    >>> import numpy as np
    >>> seed_everything(0)
    >>> float(np.random.random()) == float(np.random.RandomState(0).random())
    True
    """
    import numpy as np  # not at the top: the report of the runtime must come without it

    if not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ValueError(f"seed must be a whole number from 0 to 2**32 - 1; got {seed!r}.")
    seed = int(seed)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - code by hand, and Keras, draw from the global generator
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)
        sys.modules["torch"].backends.cudnn.deterministic = True  # on a GPU: results that repeat


def quiet_logs():
    """Keep the frameworks' start-up chatter out of the notebook; errors still show.

    Call it before TensorFlow is imported, which reads its log level once, and after Lightning is,
    which sets its own on import. Settings that the user made in the environment win.
    """
    from workshop.environment.report import gpu

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Lightning 2.6 with newer Torch: about its own code, nothing that a student could mend.
    warnings.filterwarnings("ignore", message=".*LeafSpec.*", category=FutureWarning)
    # Captum's and SHAP's progress bars, where Jupyter has no widgets: they draw another bar.
    warnings.filterwarnings("ignore", message="IProgress not found")
    # Torch built with CUDA finds no driver where TensorFlow looked for it before. Where there is a
    # GPU, this says that it is not used.
    if gpu().startswith("no:"):
        warnings.filterwarnings("ignore", message="CUDA initialization: .* Error 302: ")


@contextlib.contextmanager
def quiet_stderr():
    """Hold back what C++ code writes to stderr while a framework starts; show it on an error.

    TensorFlow writes notes about the hardware before its own log level counts. A notebook would
    show them to the student in red.

    >>> with quiet_stderr():
    ...     _ = os.write(2, b"nobody reads this")
    """
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(stderr, held.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


@contextlib.contextmanager
def loggers_kept(*names, level=None):
    """Give loggers back the levels that they have now; meanwhile they have `level`, if any.

    >>> with loggers_kept("tensorflow", level=logging.ERROR):
    ...     logging.getLogger("tensorflow").warning("nobody reads this")
    """
    before = {logging.getLogger(name): logging.getLogger(name).level for name in names}
    try:
        for logger in before if level else ():
            logger.setLevel(level)
        yield
    finally:
        for logger, own in before.items():
            logger.setLevel(own)


@contextlib.contextmanager
def heavy_imports():
    """Import a framework without looking for garbage meanwhile, nor later among what it brought.

    TensorFlow and Lightning bring 700,000 objects that live as long as the process. Python looks
    through them for garbage again and again: a quarter of the time that the imports take, every
    ``gc.collect()``, and two seconds when the process ends. Import early: of what is there by the
    end of the block, the collector frees nothing any more.

    >>> with heavy_imports():
    ...     import numpy
    """
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


def check_environment():
    """Report Python, the packages and the GPU, without importing a framework that is not loaded.

    The packages' ranges are those of the package's own metadata; one that was upgraded after its
    import is found, too. From a shell, ``workshop doctor`` prints the same.

    The DataFrame has a row for each thing that was looked at, and columns ``found``, the version or
    a few words; ``needed``, the range; ``to do``, the line that mends what is off, empty where
    nothing is. The last row, ``In short``, says whether all is well.

    Examples
    --------
    >>> check_environment().loc["Colab", "found"]
    'no'
    """
    from workshop.environment.report import as_table, inspect_environment

    return as_table(inspect_environment(colab=in_colab()))
