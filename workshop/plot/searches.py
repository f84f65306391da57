"""Pictures of what an architecture search found: its rewards over time and by operation."""

import numpy as np
import pandas as pd

from workshop.plot.canvas import GREY, INK, SERIES_COLOURS, axes_for, tidy
from workshop.plot.search_canvas import dash_for, operation_colours, panels, title_layer
from workshop.plot.tables import check_table, layer_names, table_of

__all__ = ["reward_by_operation", "search_progress"]

BUDGETS = {
    "epochs": ("epochs", "epochs trained, all children together"),
    "trials": (None, "trials"),
    "seconds": ("seconds", "seconds, all children together"),
}
MARKERS = ("o", "s", "^", "D")


def search_progress(results, *, x="epochs", target=None, ax=None):
    """Draw the rewards of a search and the best so far; several searches on top of each other.

    Parameters
    ----------
    results : SearchResult, or dict of str to SearchResult or DataFrame
        One search; or several by the name that the legend shows. A DataFrame is a `history`, such
        as `nas.read_history` reads of a search that still runs.
    x : str
        What a search has spent: ``"epochs"`` (trained by all children together, the fair measure),
        ``"trials"`` or ``"seconds"``.
    target : float, optional
        A reward to reach: a dotted line, and in the legend what each search spent until then.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
        A dot a trial, a step line for the best so far, a ring where it reaches the target. A trial
        that did not finish is a cross on the lower edge: its reward, a penalty, is not drawn.

    Raises
    ------
    TypeError
        If a search has no history.
    ValueError
        If `x` is another, or a history is empty or lacks a column.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> history = pd.DataFrame(
    ...     {"reward": [0.7, 0.5, 0.95, 0.9], "epochs": [5, 0, 5, 5], "status": ["ok"] * 4}
    ... )
    >>> history.loc[1, "status"] = "impossible"
    >>> ax = search_progress({"by hand": history}, target=0.9)
    >>> ax.get_legend().get_texts()[0].get_text()
    'by hand: best 0.950, target after 10 epochs'
    >>> plt.close(ax.figure)
    """
    if x not in BUDGETS:
        raise ValueError(f"x must be one of {', '.join(BUDGETS)}; got {x!r}.")
    column, xlabel = BUDGETS[x]
    histories = _histories(results, ["reward", "status", *([column] if column else [])])
    ax = tidy(axes_for(ax, (7.6, 4.4)))
    failed = 0
    for i, (name, history) in enumerate(histories.items()):
        spent = np.cumsum(history[column]) if column else np.arange(1, len(history) + 1)
        spent, ok = np.asarray(spent, dtype=float), (history["status"] == "ok").to_numpy()
        rewards = np.where(ok, history["reward"].to_numpy(dtype=float), np.nan)
        _draw_search(ax, i, name, spent, rewards, target, unit=x)
        failed += np.sum(~ok)
    if target is not None:
        ax.axhline(target, color=INK, linewidth=1, linestyle=":", label=f"target {target:g}")
    if failed:
        ax.plot([], [], "x", color=GREY, markersize=5, label="did not finish")
    ax.set(xlabel=xlabel, ylabel="reward")
    ax.margins(y=0.08)
    ax.set_xlim(left=0)
    ax.grid(axis="y", alpha=0.25)
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), handlelength=2.8)
    return ax


def reward_by_operation(result, *, axes=None):
    """Draw the rewards of all trials by the operation that they had in each layer: a panel a layer.

    Parameters
    ----------
    result : SearchResult
        With `history` (columns tokens, operations, reward and status) and, to name operations that
        no trial had, `token_probabilities`.
    axes : Axes or array of Axes, optional
        One for each layer.

    Returns
    -------
    array of matplotlib Axes, of shape (layers,)
        A row an operation: a dot a finished trial, a bar at their median, and how many they are.
        A controller does not try all combinations alike: a median tells of its other choices, too.

    Raises
    ------
    TypeError
        If `result` has no history.
    ValueError
        If no trial has finished, or `axes` are too few or too many.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from types import SimpleNamespace
    >>> history = pd.DataFrame({"tokens": [(0,), (1,), (1,)], "reward": [0.7, 0.9, 0.8]})
    >>> history["operations"] = [("flatten",), ("globalmaxpool1d",), ("globalmaxpool1d",)]
    >>> (ax,) = reward_by_operation(SimpleNamespace(history=history.assign(status="ok")))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['flatten (1)', 'GMP (2)']
    >>> plt.close(ax.figure)
    """
    history = table_of(result, "history", ["tokens", "operations", "reward", "status"])
    history = history[history["status"] == "ok"]
    if history.empty:
        raise ValueError(
            "result must have a trial that finished to draw its reward; got none. The column "
            "reason of result.history says why."
        )
    tokens = np.array(history["tokens"].to_list())  # (N, layers)
    rewards = history["reward"].to_numpy(dtype=float)
    operations = _all_operations(result, history)
    axes = panels(axes, operations, width=4.6)
    for column, (ax, (layer, texts)) in enumerate(zip(axes, operations.items(), strict=True)):
        names, common = layer_names(texts.values())
        colours = operation_colours(texts.values())
        labels = []
        for row, (token, name) in enumerate(zip(texts, names, strict=True)):
            values = rewards[tokens[:, column] == token]
            labels.append(f"{name} ({len(values)})")
            jitter = (np.arange(len(values)) * 0.618034 + 0.5) % 1 - 0.5  # evenly, never at random
            style = {"color": colours[row], "markeredgewidth": 0, "markersize": 5, "alpha": 0.5}
            ax.plot(values, row + 0.55 * jitter, "o", **style)
            if len(values):
                median = [np.median(values)] * 2
                ax.plot(median, [row - 0.36, row + 0.36], color=INK, linewidth=2.2)
        ax.set_yticks(range(len(names)), labels)
        ax.set(ylim=(len(names) - 0.4, -0.6), xlabel="reward")
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x", alpha=0.25)
        title_layer(ax, layer, common)
    return axes


def _histories(results, columns):
    """Checked histories by the name of the search."""
    if not isinstance(results, dict):
        name = getattr(results, "method", None)
        if not isinstance(name, str):
            raise TypeError(
                "results must be a search result, or a dict of name to result or history, such as "
                f"{{'AMBER': result}}; got {type(results).__name__}."
            )
        results = {name: results}
    if not results:
        raise ValueError("results must hold at least one search; got an empty dict.")
    histories = {}
    for name, result in results.items():
        what = f"results[{name!r}]"
        if isinstance(result, pd.DataFrame):
            histories[name] = check_table(result, what, columns)
        else:
            histories[name] = table_of(result, "history", columns, what=what)
    return histories


def _all_operations(result, history):
    """Text of each operation by layer and token, of all that the space has as far as known."""
    seen = {}
    table = getattr(result, "token_probabilities", None)
    if table is not None:
        rows = table[["layer", "token", "operation"]].drop_duplicates().itertuples(index=False)
        seen = {(int(layer), int(token)): text for layer, token, text in rows}
    for tokens, texts in zip(history["tokens"], history["operations"], strict=True):
        seen |= {(i, int(t)): text for i, (t, text) in enumerate(zip(tokens, texts, strict=True))}
    layers = {}
    for (layer, token), text in sorted(seen.items()):
        layers.setdefault(layer, {})[token] = text
    return layers


def _draw_search(ax, i, name, spent, rewards, target, *, unit):
    """One search; the reward of a child that did not finish is NaN."""
    colour, marker = SERIES_COLOURS[i % len(SERIES_COLOURS)], MARKERS[i % len(MARKERS)]
    dots = {"marker": marker, "linestyle": "none", "color": colour}
    failed = spent[np.isnan(rewards)]
    best = np.fmax.accumulate(rewards)  # NaN until a child has finished
    reached = np.flatnonzero(best >= (np.inf if target is None else target))[:1]
    text = f"{name}: best {best[-1]:.3f}"
    if len(failed) == len(rewards):
        text = f"{name}: no trial finished"
    elif len(reached):
        when = f"{spent[reached[0]]:.0f} {unit}"
        text += f", target after {'1 ' + unit.removesuffix('s') if when == f'1 {unit}' else when}"
    elif target is not None:
        text += ", below target"
    ax.plot(spent, rewards, alpha=0.35, markersize=4, markeredgewidth=0, **dots)
    steps = {"drawstyle": "steps-post", "linestyle": dash_for(i), "linewidth": 2.2, "zorder": 3}
    ax.plot(spent, best, color=colour, label=text, **steps)
    ax.plot(spent[-1:], best[-1:], markersize=5, zorder=3, **dots)  # where the search ended
    ring = {"markersize": 8, "markerfacecolor": "white", "markeredgewidth": 1.8, "zorder": 4}
    ax.plot(spent[reached], best[reached], **dots, **ring)
    edge = ax.get_xaxis_transform()  # crosses stay on it, whatever limits a student sets
    ax.plot(failed, np.full(len(failed), 0.02), "x", color=colour, markersize=5, transform=edge)
