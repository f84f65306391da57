"""What a search maximises: the reward of a child, and how a resumed search knows it again."""

import contextlib
import functools
import hashlib
import inspect
import sys

import numpy as np

from workshop import training
from workshop.nas.worker import summarize_error


class RewardError(Exception):
    """The reward of a child is no number."""


class Reward:
    """What a search maximises, and what a child earns that did not finish."""

    def __init__(self, reward, *, task, y_train, y_val):
        names = sorted({"loss", *training.METRICS[task]} - {"mae"})
        if not callable(reward) and reward not in names:
            raise ValueError(f"reward of {task} must be a function or in {names}; got {reward!r}.")
        if reward == "auroc":
            training.check_both_classes(y_val, "the y of val", "reward='auroc'")
            if task == "binary":
                training.check_both_classes(y_train, "the y of train", "reward='auroc'")
        self.function, self.task = reward, task
        self.y_train, self.y_val = y_train, y_val
        self.name = reward_name(reward) if callable(reward) else reward

    def __call__(self, scores, predictions, architecture):
        """Reward of a child by its `scores`, or by its `predictions` (N, T) and `architecture`."""
        if callable(self.function):
            return self._call(predictions, architecture)
        value = scores[f"val_{self.function}"]
        return -value if self.function == "loss" else value

    def _call(self, predictions, architecture):
        more = (architecture,) if takes_architecture(self.function) else ()
        try:
            value = self.function(self.y_val.copy(), predictions, *more)
        except Exception as error:
            raise RewardError(summarize_error(error)) from error
        shown, reason = f"a {type(value).__name__}", ""
        try:
            shown = str(value)[:60]
            if (number := _to_number(value)) is not None:
                return number
        except Exception as error:  # whatever it raises, it is no number
            reason = f" ({summarize_error(error)})"
        raise RewardError(f"it must be one finite number; got {shown}{reason}")

    def penalty(self, worst, architecture):
        """Reward of a child that did not finish: what the mean of the training labels would earn.

        Where the reward is not defined for that, or looks at an architecture where there is none,
        0. Never more than `worst`, unless that is None.
        """
        mean = self.y_train.mean(axis=0, keepdims=True)  # (1, T)
        share = np.clip(mean, 1e-6, 1 - 1e-6)
        if self.task == "regression":
            logit = mean
        else:
            logit = np.log(share) if self.task == "multiclass" else np.log(share / (1 - share))
        everywhere = np.ones((len(self.y_val), 1), dtype=np.float32)
        try:
            scores = training.score_logits(self.task, everywhere * logit, self.y_val)
            on_val = {f"val_{name}": float(value) for name, value in scores.items()}
            floor = self(on_val, (everywhere * mean).astype(np.float32), architecture)
        except RewardError:
            floor = 0.0
        return floor if worst is None else min(floor, worst)


def reward_name(function):
    """How a resumed search knows a function again: where it is defined, and a digest.

    The digest is of its source (of a lambda, its byte code) and of what it looks up: defaults,
    enclosed and global values, and functions, classes and objects among them likewise. Not noticed
    is what a list holds (it may be a log), an attribute of a module, what lies in an object of an
    installed package, NumPy's arrays aside, and what the function imports itself or reads.
    """
    named = function.func if isinstance(function, functools.partial) else function
    named = named if hasattr(named, "__qualname__") else type(named)
    digest = hashlib.sha256(_meaning(function, []).encode("utf-8", "replace")).hexdigest()
    return f"{named.__module__}.{named.__qualname__} {digest[:12]}"


def takes_architecture(function):
    """Whether a reward asks for the network, too: by a third parameter, given or so named."""
    with contextlib.suppress(ValueError, TypeError):  # what is built in may not say what it takes
        for third in list(inspect.signature(function).parameters.values())[2:3]:
            wanted = third.default is third.empty or third.name == "architecture"
            return wanted and third.kind <= third.POSITIONAL_OR_KEYWORD
    return False


def _to_number(value):
    """One finite float of a number, or of a tensor or an array of one; None where it is not."""
    array = np.asarray(value)
    if array.size != 1 or array.dtype.kind not in "biufO" or np.ma.is_masked(value):
        return None
    number = float(array.reshape(()))
    return number if np.isfinite(number) else None


def _meaning(value, known):
    """Text that changes with what a value means, and is the same in every session."""
    if any(value is one for one in known):
        return "known"
    text, parts = type(value).__qualname__, ()
    if isinstance(value, (bool, int, float, complex, str, bytes, type(None))):
        return repr(value)
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        content = array.tolist() if array.dtype == object else array.tobytes()
        return f"{array.dtype} {array.shape} {content}"
    if isinstance(value, (set, frozenset)):
        return f"{sorted(map(repr, value))}"
    if isinstance(value, tuple):
        return f"({', '.join(_meaning(part, known) for part in value)})"
    known.append(value)
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, functools.partial):
        parts = value.func, value.args, value.keywords
    elif inspect.ismethod(value):
        parts = value.__func__, value.__self__
    elif inspect.iscode(value):
        text, parts = f"{value.co_code} {value.co_names}", value.co_consts
    elif _is_installed(value if hasattr(value, "__qualname__") else type(value)):
        text = getattr(value, "__qualname__", text)
    elif inspect.isfunction(value):
        parts = _source(value), value.__defaults__, value.__kwdefaults__, *_looked_up(value)
    elif isinstance(value, type):
        own = {k: v for k, v in vars(value).items() if callable(v) or not k.startswith("__")}
        parts = own, *value.__bases__
    elif hasattr(value, "__dict__"):
        parts = type(value), vars(value)
    return f"{text}({', '.join(_meaning(part, known) for part in parts)})"


def _is_installed(thing):
    """Whether a function or class is Python's own or an installed package's, not the user's."""
    name = getattr(thing, "__module__", None) or "builtins"  # a method of what is built in has none
    file = getattr(sys.modules.get(name), "__file__", None) or ""
    return name in sys.builtin_module_names or file.startswith((sys.prefix, sys.base_prefix))


def _source(function):
    """Text of a function; the code of a lambda, whose text is the whole statement around it."""
    with contextlib.suppress(OSError, TypeError, SyntaxError):
        if function.__name__ != "<lambda>":
            return inspect.getsource(function.__code__)
    return function.__code__


def _looked_up(function):
    """Values that a function, or one within it, takes from outside."""
    enclosed = [cell.cell_contents for cell in function.__closure__ or ()]
    names = {name for code in _codes(function.__code__) for name in code.co_names}
    return enclosed + [function.__globals__[k] for k in sorted(names & function.__globals__.keys())]


def _codes(code):
    """Code of a function, and of the functions within it."""
    return [code, *(c for one in code.co_consts if inspect.iscode(one) for c in _codes(one))]
