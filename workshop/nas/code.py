"""Know a function again: by its name, and by what it does."""

import dis
import functools
import hashlib
import types

__all__ = ["code_name"]


def code_name(function):
    """Name a function so that another function, or an edited one, has another name.

    Parameters
    ----------
    function : callable

    Returns
    -------
    str
        Where it is defined and, of a Python function, the beginning of a hash of its bytecode,
        constants, defaults and enclosed values. The same in another process of the same Python.

    Examples
    --------
    >>> code_name(lambda a, b: a + b) == code_name(lambda a, b: a - b)
    False
    """
    if isinstance(function, functools.partial):
        arguments = [*map(repr, function.args), *map(repr, sorted(function.keywords.items()))]
        return f"partial({', '.join([code_name(function.func), *arguments])})"
    named = function if hasattr(function, "__qualname__") else type(function)
    called = function if named is function else type(function).__call__
    owner = function.__self__ if isinstance(function, types.MethodType) else function
    facts = [
        getattr(function, "__name__", ""),
        _facts(called),
        _items(getattr(owner, "__dict__", {})),
    ]
    digest = hashlib.sha256(repr(facts).encode()).hexdigest()
    return f"{named.__module__}.{named.__qualname__} {digest[:12]}"


def _facts(function):
    """All that decides what a Python function does, but for what it looks up by name."""
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    rebound = {step.argval for step in dis.get_instructions(code) if step.opname == "STORE_DEREF"}
    enclosed = {
        name: cell.cell_contents
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True)
        if name not in rebound  # a counter
    }
    defaults = function.__defaults__, _items(function.__kwdefaults__ or {})
    return [_code(code), _items(enclosed), _plain(defaults)]


def _code(code):
    return [code.co_code.hex(), code.co_names, code.co_varnames, _plain(code.co_consts)]


def _items(named):
    return [(name, _plain(value)) for name, value in sorted(named.items())]


def _plain(value):
    """A value as text that is the same in each process: no addresses, no order of a hash.

    Of what may change while a search runs, such as a list that keeps the calls, only the type.
    """
    if isinstance(value, types.CodeType):
        return _code(value)
    if isinstance(value, types.FunctionType):
        return _code(value.__code__)  # no further: functions may enclose each other
    if isinstance(value, frozenset):
        return sorted(map(repr, value))
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, (str, bytes, int, float, complex, type(None), type(...))):
        return repr(value)
    return f"{type(value).__module__}.{type(value).__qualname__}"
