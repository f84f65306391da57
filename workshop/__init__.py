"""Convolutional networks and AutoML for genomics: the library of a two-day course.

One module is one idea. In the order in which the lessons meet them:

==================  ==============================================================
`environment`       seeds, quiet logs and a report of the runtime
`sequences`         DNA strings to one-hot arrays and back
`motifs`            position weight matrices
`datasets`          the data: shipped, simulated, from your files, or fetched from the web
`splits`            train, val and test as index arrays
`architecture`      one description of a network that both frameworks build
`training`          what both frameworks' training shares
`keras_cnn`         the network in Keras
`torch_cnn`         the same network in PyTorch and Lightning
`evaluation`        named scores of predictions
`nas`               architecture search with AMBER, and its baselines
`interpret`         what a model looks at: mutagenesis, gradients, motifs
`plot`              every figure
`execution`         run a notebook from the top in a fresh kernel
`homework`          check an answer at once: right, or a hint; and the points
`grading`           grade a class: each notebook shut off, its answers judged outside
==================  ==============================================================

``import workshop`` loads none of them: each is imported when it is first used, so that neither
TensorFlow nor Torch is loaded for who needs only the other.

**To read before lunch**, in this order; it is all that the two days are about:

1. `sequences`, `splits`: letters to arrays, and a split that does not leak
2. `layers`, `architecture`: a network as data, which knows its shapes and weights
3. `torch_cnn`: `SequenceCNN` and `fit`; its parts lie in `torch_cnn.modules`
4. `evaluation`: what the scores are, and how sure one can be of them
5. `interpret.mutagenesis`: change each letter, look what the model says
6. `nas.strategies`, `nas.controller`: random search, halving, and a controller that learns

Not before lunch: what makes it fast (`interpret.incremental`, `interpret.layer_steps`,
`torch_cnn.loop`), what makes a search survive (the rest of `nas`), figures (`plot`), homework and
grading (`homework`, `grading`), and the files that begin with an underscore.
"""

import importlib
import sys

__version__ = "0.1.0"

_MODULES = (
    *("environment", "sequences", "motifs", "datasets", "splits", "architecture", "training"),
    *("keras_cnn", "torch_cnn", "evaluation", "nas", "interpret", "plot", "execution"),
    *("homework", "grading"),
)

__all__ = ["__version__", *_MODULES]


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {_MODULES}")


def __dir__():
    return sorted({*globals(), *_MODULES})


def contents(package, modules):
    """`__all__`, `__getattr__` and `__dir__` of a package whose `modules` have these names."""
    home = {name: module for module, names in modules.items() for name in names}

    def load(name):
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}; it has {[*home]}")
        return getattr(importlib.import_module(f"{package}.{home[name]}"), name)

    return sorted(home), load, lambda: sorted({*vars(sys.modules[package]), *home})
