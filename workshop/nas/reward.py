"""What a search maximises: the reward of a child, and how a resumed search knows it again."""

import contextlib
import dis
import functools
import hashlib
import inspect
import re
import sys
import types

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
            raise ValueError(
                "reward must be a function of (y_true, y_score), or one of "
                f"{', '.join(names)} for task {task!r}; got {reward!r}."
            )
        if reward == "auroc":
            training.check_both_classes(y_val, "the y of val", "reward='auroc'")
            if task == "binary":
                training.check_both_classes(y_train, "the y of train", "reward='auroc'")
        self.function, self.task = reward, task
        self.y_train, self.y_val = y_train, y_val
        name = reward_name(reward) if callable(reward) else reward
        self.name = _KNOWN.get(name, name)

    def __call__(self, scores, predictions):
        """Reward of a child by its `scores`, or by its `predictions` (N, T)."""
        if callable(self.function):
            return self._call(predictions)
        value = scores[f"val_{self.function}"]
        return -value if self.function == "loss" else value

    def _call(self, predictions):
        try:
            value = self.function(self.y_val.copy(), predictions)
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

    def penalty(self, worst):
        """Reward of a child that did not finish: what the mean of the training labels would earn.

        Where the reward is not defined for that, 0. Never more than `worst`, unless that is None.
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
            floor = self(on_val, (everywhere * mean).astype(np.float32))
        except RewardError:
            floor = 0.0
        return floor if worst is None else min(floor, worst)

    def keep_name(self):
        """Let the next search of this session know it, though a log in it may have grown."""
        if callable(self.function):
            _KNOWN[reward_name(self.function)] = self.name


_KNOWN = {}  # names that rewards have after a search, to those that it began with


def reward_name(function):
    """How a resumed search knows a function again: where it is defined, and a digest.

    The digest is of its source (of a lambda, and where Python keeps no source: its byte code) and
    of what it looks up: defaults, enclosed and global values, attributes of modules; of functions
    and classes among them likewise. Packages that are installed count by name. Not noticed is
    what it imports itself or reads from files, what lies in `__slots__`, and what an object of an
    installed package does not show in its `repr`, such as the weights of a model.
    """
    if isinstance(function, functools.partial):
        given = re.sub(" at 0x[0-9a-fA-F]+", "", f"{function.args} {function.keywords}")
        return f"{reward_name(function.func)} {given} {_digest(function, {})[:12]}"
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__} {_digest(function, {})[:12]}"


def _to_number(value):
    """One finite float of a number, or of a tensor or an array of one; None where it is not."""
    array = np.asarray(value)
    if array.size != 1 or array.dtype.kind not in "biufO" or np.ma.is_masked(value):
        return None
    number = float(array.reshape(()))
    return number if np.isfinite(number) else None


def _digest(value, known):
    """SHA-256 of all that a value is made of, the same in every session; `known` by their id."""
    if id(value) not in known:
        known[id(value)] = "a circle", value  # which keeps it alive, and its id its own
        text, parts = _take_apart(value)
        text = " ".join([type(value).__name__, text, *(_digest(part, known) for part in parts)])
        known[id(value)] = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest(), value
    return known[id(value)][0]


def _take_apart(value):
    """What a value is, as text, and the values that it is made of."""
    if isinstance(value, types.FunctionType) and not _is_installed(value):
        return "", (_source(value), value.__defaults__, value.__kwdefaults__, *_looked_up(value))
    if inspect.iscode(value):
        return f"{value.co_code} {value.co_names}", value.co_consts
    if isinstance(value, type) and not _is_installed(value):
        own = {k: v for k, v in vars(value).items() if callable(v) or not k.startswith("__")}
        return "", (own, *value.__bases__)
    if isinstance(value, _WRAPPERS):
        return "", [getattr(value, name, None) for name in _WRAPPED]
    if isinstance(value, (list, tuple, dict, set, frozenset)):
        parts = value.items() if isinstance(value, dict) else value
        return "", sorted(parts, key=repr) if isinstance(value, (set, frozenset)) else parts
    with contextlib.suppress(Exception):  # a tensor that wants gradients
        if hasattr(value, "__array__"):
            array = np.asarray(value)
            whole = array.tolist() if array.dtype == object else array.tobytes()
            return f"{array.dtype} {array.shape}", (whole,)
    if hasattr(value, "__dict__") and not _is_installed(type(value)):
        return "", (type(value), vars(value))
    name = value.__name__ if inspect.ismodule(value) else repr(value)
    return re.sub(" at 0x[0-9a-fA-F]+", "", name), ()


_WRAPPERS = (functools.partial, types.MethodType, staticmethod, classmethod, property)
_WRAPPERS += (functools._lru_cache_wrapper,)
_WRAPPED = ("func", "args", "keywords", "__func__", "__self__", "fget", "__wrapped__")


def _is_installed(thing):
    """Whether a function or class is Python's own or an installed package's, not the user's."""
    module = sys.modules.get(thing.__module__)
    file = getattr(module, "__file__", None) or sys.prefix  # what is built in has none
    ours = module is not None and thing.__module__ != "__main__"
    return ours and file.startswith((sys.prefix, sys.base_prefix))


def _source(function):
    """Text of a function; the code of a lambda, whose text is the whole statement around it."""
    with contextlib.suppress(OSError, TypeError, SyntaxError):
        if function.__name__ != "<lambda>":
            return inspect.getsource(function.__code__)
    return function.__code__


def _codes(code):
    """Code of a function, and of the functions within it."""
    return [code, *(c for one in code.co_consts if inspect.iscode(one) for c in _codes(one))]


def _looked_up(function):
    """Yield the values that a function, or one within it, takes from outside."""
    yield from (cell.cell_contents for cell in function.__closure__ or ())
    for code in _codes(function.__code__):
        value = None
        for step in dis.get_instructions(code):
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                value = function.__globals__.get(step.argval)
                yield value
            elif inspect.ismodule(value) and step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
                value = getattr(value, step.argval, None)
                yield value
