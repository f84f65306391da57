"""Pictures of an architecture search: its rewards, and what its controller came to prefer."""

from functools import partial
from textwrap import fill

import numpy as np
import pandas as pd

from workshop.plot.canvas import colours_by_name, in_common
from workshop.plot.charts import lines, row, strips


def search_distributions(searches, *, target, score="val_auroc"):
    """Compare methods of search, each by many searches: how good, how soon.

    Parameters
    ----------
    searches : dict of str to list, or to DataFrame
        By the name of a method: its searches, each a SearchResult or a `history`; or the rows of
        all of them in a table with a column random_state, as in ``load_benchmark().searches``.
    target : float
        A score to reach.
    score : str
        The column that counts: higher is better.

    Returns
    -------
    array of matplotlib Axes, of shape (2,)
        Left the best score so far by the epochs that all children together were trained: the
        median, and dashed where the middle 80 % end. Right the epochs until the target:
        a dot a search. One that ended before lies on the dotted line, and counts as slowest.

    Examples
    --------
    >>> history = pd.DataFrame({"epochs": 3, "val_auroc": [0.7, 0.5, 0.95]})
    >>> late = history.assign(val_auroc=[0.6, 0.8, 0.7])
    >>> left, right = search_distributions({"random search": [history, late, history]}, target=0.9)
    >>> [label.get_text() for label in right.get_yticklabels()]
    ['random search: 9 (3)']
    """
    best, needed = {}, {}
    for name, found in searches.items():
        best[name], needed[name] = _compared(found, score, target)
    edge = 1.08 * max(x[-1] for x, _ in best.values())
    early = (np.median(y[:, x >= min(x[-1], edge / 12)][:, 0]) for x, y in best.values())
    low = min(target, *early)
    top = max(target, *(np.nanmax(y) for _, y in best.values()))
    look = {"steps": True, "average": np.median, "ylim": (low, top + 0.03 * (top - low or 1))}
    labels = {"xlabel": "epochs trained, all children together", "ylabel": f"best {score} so far"}
    so_far = partial(lines, best, references={f"target {target:g}": target}, **labels, **look)
    rows = {}
    for name, epochs in needed.items():
        median = np.median(epochs)
        text = "not reached" if np.isinf(median) else f"{median:.0f}"
        rows[f"{name}: {text}"] = np.minimum(epochs, edge)
    never = {"not reached": edge} if np.isinf(np.concatenate(list(needed.values()))).any() else None
    xlabel, colours = f"epochs until {target:g}; median behind the name", colours_by_name(needed)
    how_soon = partial(strips, rows, xlabel=xlabel, references=never, colours=colours)
    axes = row(so_far, how_soon, size=(5.6, 3.8))
    axes[1].set_xlim(left=0)
    return axes


def _compared(found, score, target):
    """Epochs, and the best score of each search by then; and how many each needs to the target."""
    if isinstance(found, pd.DataFrame):
        found = [rows for _, rows in found.groupby("random_state")]
    histories = [one if isinstance(one, pd.DataFrame) else one.history for one in found]
    spent = [np.cumsum(history["epochs"].to_numpy()) for history in histories]
    best = [np.fmax.accumulate(history[score].to_numpy()) for history in histories]
    searches = list(zip(spent, best, strict=True))
    x = np.unique(np.concatenate(spent))
    x = x[x >= max(s[np.isfinite(b).argmax()] for s, b in searches)]  # from where each has a score
    y = np.array([b[np.searchsorted(s, x, side="right") - 1] for s, b in searches])
    return (x, y), [np.append(s, np.inf)[np.sum(~(b >= target))] for s, b in searches]


def reward_by_operation(result):
    """Draw the rewards of all trials by the operation that they had in each layer: a panel a layer.

    Parameters
    ----------
    result : SearchResult
        With `history` (columns tokens, reward and status) and `operations`.

    Returns
    -------
    array of matplotlib Axes, of shape (layers,)
        A row an operation: a dot a finished trial, a bar at their median.
        A controller does not try all combinations alike: a median tells of its other choices, too.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> operations = pd.DataFrame({"layer": 0, "token": [0, 1], "short": ["flatten", "GMP"]})
    >>> operations = operations.assign(operation=["flatten", "globalmaxpool1d"], shared="")
    >>> history = pd.DataFrame({"tokens": [(0,), (1,), (1,)], "reward": [0.7, 0.9, 0.8]})
    >>> history["status"] = "ok"
    >>> (ax,) = reward_by_operation(SimpleNamespace(history=history, operations=operations))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['flatten (1)', 'GMP (2)']
    """
    finished = result.history[result.history["status"] == "ok"]
    rewards = finished["reward"].to_numpy(dtype=float)

    def draw(layer, names):
        chosen = np.array([tokens[layer] for tokens in finished["tokens"]])
        values = {name: rewards[chosen == token] for token, name in enumerate(names)}
        return partial(strips, values, xlabel="reward")

    return _by_layer(result, draw, 4.6)


def token_probabilities(result):
    """Draw how probable the controller found each operation, step by step: a panel a layer.

    Parameters
    ----------
    result : SearchResult
        With `token_probabilities` (columns step, layer, token and probability) and `operations`.

    Returns
    -------
    array of matplotlib Axes, of shape (layers,)
        The dotted line is where all operations are equally probable.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> operations = pd.DataFrame({"layer": 0, "token": [0, 1], "short": ["flatten", "GMP"]})
    >>> operations = operations.assign(operation=["flatten", "globalmaxpool1d"], shared="")
    >>> table = pd.DataFrame({"step": [1, 1, 2, 2], "layer": 0, "token": [0, 1, 0, 1]})
    >>> table["probability"] = [0.5, 0.5, 0.2, 0.8]
    >>> result = SimpleNamespace(token_probabilities=table, operations=operations)
    >>> (ax,) = token_probabilities(result)
    >>> [text.get_text() for text in ax.texts]  # in the order of their ends
    ['flatten', 'all equal', 'GMP']
    """
    table = result.token_probabilities

    def draw(layer, names):
        own = table[table["layer"] == layer]
        shares = own.pivot(index="step", columns="token", values="probability")
        named = {name: (shares.index, shares[i]) for i, name in enumerate(names)}
        look = {"markers": len(shares) == 1, "ylim": (-0.02, 1.02)}  # one scale for all layers
        equal = {"all equal": 1 / len(names)}
        return partial(lines, named, references=equal, xlabel="step", ylabel="probability", **look)

    return _by_layer(result, draw, 5.0)


def _by_layer(result, draw, width):
    """A titled panel for each layer, of its number and the names of its operations."""
    layers = dict(iter(result.operations.groupby("layer")))
    draws = [draw(layer, rows["short"]) for layer, rows in layers.items()]
    titles = [f"layer {i}: {in_common(rows)}".removesuffix(": ") for i, rows in layers.items()]
    size = width, max(2.9, 0.9 + 0.2 * max(map(len, layers.values())))
    titles = [fill(title, 48) for title in titles]
    return row(*draws, titles=titles, size=size, columns=min(len(layers), 2))
