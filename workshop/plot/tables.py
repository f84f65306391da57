"""What the pictures of a search read: checked tables and tokens, and short names of operations."""

import operator
import re

import pandas as pd

__all__ = [
    "check_table",
    "check_tokens",
    "layer_names",
    "layers_of",
    "operations_by_layer",
    "short_type",
    "table_of",
]

SHORT = {
    "conv1d": "conv",
    "maxpool1d": "max",
    "maxpooling1d": "max",
    "avgpool1d": "average",
    "avgpooling1d": "average",
    "averagepooling1d": "average",
    "globalmaxpool1d": "GMP",
    "globalmaxpooling1d": "GMP",
    "globalavgpool1d": "GAP",
    "globalaveragepooling1d": "GAP",
    "batchnormalization": "batchnorm",
}


def table_of(result, name, columns, *, what="result"):
    """The table `name` of a result, with these columns and a row or more."""
    table = getattr(result, name, None)
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"{what} must have the table `{name}`, as a result of nas.search has; got "
            f"{type(result).__name__}."
        )
    return check_table(table, f"{what}.{name}", columns)


def check_table(table, what, columns, *, empty="no trial has ended yet"):
    """The table, if it has these columns and a row or more; `empty` says what none means."""
    if missing := [column for column in columns if column not in table.columns]:
        present = ", ".join(map(str, table.columns)) or "none"
        raise ValueError(f"{what} must have the column {missing[0]}; got {present}.")
    if table.empty:
        raise ValueError(f"{what} must have at least one row; got none: {empty}.")
    return table


def operations_by_layer(table):
    """Operation texts by layer, in the order of the tokens, of a table with a row an operation.

    Parameters
    ----------
    table : DataFrame
        Columns layer, token, operation; a combination may occur in many rows.

    Returns
    -------
    dict of int to list of str
    """
    pairs = table[["layer", "token", "operation"]].drop_duplicates(["layer", "token"])
    pairs = pairs.sort_values(["layer", "token"])
    return {int(layer): list(rows["operation"]) for layer, rows in pairs.groupby("layer")}


def layers_of(table):
    """Operation texts by layer of a table as `nas.space_table` makes it, checked."""
    columns = ["layer", "token", "operation"]
    return operations_by_layer(check_table(table, "table", columns, empty="no operation"))


def check_tokens(tokens, layers):
    """Tokens as a list of int, or an error that says which does not fit."""
    try:
        found = [operator.index(token) for token in tokens]
    except TypeError:
        raise ValueError(f"tokens must be whole numbers, one a layer; got {tokens!r}.") from None
    if len(found) != len(layers):
        raise ValueError(f"tokens must be {len(layers)} numbers, one a layer; got {len(found)}.")
    for token, (layer, texts) in zip(found, layers.items(), strict=True):
        if not 0 <= token < len(texts):
            raise ValueError(
                f"The token of layer {layer} must be from 0 to {len(texts) - 1}; got {token}."
            )
    return found


def layer_names(operations):
    """Names of one layer's operations, as short as they still differ, and what all have in common.

    Parameters
    ----------
    operations : list of str
        As AMBER's operations are written: ``conv1d(filters=32, kernel_size=7, activation=relu)``.

    Returns
    -------
    list of str, str
        One name an operation; and of the type that occurs more than once, with the settings that
        all its operations share (empty without one).

    Examples
    --------
    >>> layer_names(["conv1d(filters=32, kernel_size=7)", "conv1d(filters=32, kernel_size=13)"])
    (['conv 7', 'conv 13'], 'conv, filters 32')
    >>> layer_names(["maxpool1d(pool_size=4)", "identity", "flatten", "globalmaxpool1d"])
    (['max 4', 'identity', 'flatten', 'GMP'], '')
    """
    parsed = [_parse(text) for text in operations]
    kinds = [kind for kind, _ in parsed]
    several = [kind for kind in dict.fromkeys(kinds) if kinds.count(kind) > 1]
    names, common = [], ""
    for kind, settings in parsed:
        alike = [other for name, other in parsed if name == kind]
        if len(alike) > 1:
            shared = {k: v for k, v in settings.items() if all(o.get(k) == v for o in alike)}
            settings = {k: v for k, v in settings.items() if k not in shared}
            if len(several) == 1:
                common = ", ".join([kind, *(_pair(*item) for item in shared.items())])
        elif len(settings) > 2:
            settings = {}
        values = _values(settings)
        telling = [kind] == several and any(value.isalpha() for value in values)  # relu 7
        names.append(" ".join(values if telling else [kind, *values]))
    repeated = {name for name in names if names.count(name) > 1}
    names = [f"{n} (token {i})" if n in repeated else n for i, n in enumerate(names)]
    return names, common


def short_type(text):
    """Short type of an operation's text, such as conv, max, GMP or identity."""
    return _parse(text)[0]


def _parse(text):
    """Short type and settings of an operation's text."""
    kind, _, inside = text.partition("(")
    pairs = re.split(r",\s*(?=\w+=)", inside.removesuffix(")")) if inside else []
    settings = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    return SHORT.get(kind.lower(), kind), settings


def _pair(key, value):
    return f"{key.replace('_', ' ')} {value}"


def _values(settings):
    """Words such as relu, then numbers; of several numbers each with the initial of its key."""
    numbers = {key: value for key, value in settings.items() if re.fullmatch(r"[-+\d.e]+", value)}
    flags = [_pair(k, v) for k, v in settings.items() if v in ("True", "False", "None")]
    words = [v for k, v in settings.items() if k not in numbers and _pair(k, v) not in flags]
    initials = {key[0] for key in numbers}
    if len(numbers) == 1:
        return [*words, *flags, *numbers.values()]
    short = len(initials) == len(numbers)
    return [*words, *flags, *(f"{k[0]}{v}" if short else _pair(k, v) for k, v in numbers.items())]
