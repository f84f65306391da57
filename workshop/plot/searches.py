"""Pictures of an architecture search: its rewards, and what its controller came to prefer."""

from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from workshop.plot.canvas import (
    GREY,
    INK,
    SERIES_COLOURS,
    axes_for,
    colours_by_name,
    in_common,
    panels_for,
    tidy,
)
from workshop.plot.charts import lines, strips

BUDGETS = {
    "epochs": ("epochs", "epochs trained, all children together"),
    "trials": (None, "trials"),
    "seconds": ("seconds", "seconds, all children together"),
}
MARKERS = ("o", "s", "^", "D")
DASHES = ("-", "--", "-.", ":")  # so that neighbours differ in grey, too


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

    Examples
    --------
    >>> history = pd.DataFrame(
    ...     {"reward": [0.7, 0.5, 0.95, 0.9], "epochs": [5, 0, 5, 5], "status": ["ok"] * 4}
    ... )
    >>> history.loc[1, "status"] = "impossible"
    >>> ax = search_progress({"by hand": history}, target=0.9)
    >>> ax.get_legend().get_texts()[0].get_text()
    'by hand: best 0.950, target after 10 epochs'
    """
    if x not in BUDGETS:
        raise ValueError(f"x must be one of {', '.join(BUDGETS)}; got {x!r}.")
    column, xlabel = BUDGETS[x]
    if not isinstance(results, dict):
        results = {results.method: results}
    ax = tidy(axes_for(ax, (7.6, 4.4)))
    failed = 0
    for i, (name, result) in enumerate(results.items()):
        history = result if isinstance(result, pd.DataFrame) else result.history
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


def search_distributions(searches, *, target, score="val_auroc", axes=None):
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
    axes : array of 2 Axes, optional

    Returns
    -------
    array of matplotlib Axes, of shape (2,)
        Left the best score so far by the epochs that all children together were trained: the
        median, and the band of the middle 80 % of the searches. Right the epochs until the target:
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
    axes = panels_for(axes, 2, columns=2, size=(5.6, 3.8))
    edge = 1.08 * max(x[-1] for x, _ in best.values())
    low = min(np.median(y[:, x >= min(x[-1], edge / 12)][:, 0]) for x, y in best.values())
    top = max(target, *(np.nanmax(y) for _, y in best.values()))
    look = {"steps": True, "average": np.median, "ylim": (low, top + 0.03 * (top - low or 1))}
    labels = {"xlabel": BUDGETS["epochs"][1], "ylabel": f"best {score} so far"}
    lines(best, references={f"target {target:g}": target}, ax=axes[0], **labels, **look)
    rows = {}
    for name, epochs in needed.items():
        median = np.median(epochs)
        text = "not reached" if np.isinf(median) else f"{median:.0f}"
        rows[f"{name}: {text}"] = np.minimum(epochs, edge)
    never = {"not reached": edge} if np.isinf(np.concatenate(list(needed.values()))).any() else None
    xlabel, colours = f"epochs until {target:g}; median behind the name", colours_by_name(needed)
    strips(rows, xlabel=xlabel, references=never, colours=colours, ax=axes[1])
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


def reward_by_operation(result, *, axes=None):
    """Draw the rewards of all trials by the operation that they had in each layer: a panel a layer.

    Parameters
    ----------
    result : SearchResult
        With `history` (columns tokens, reward and status) and `operations`.
    axes : Axes or array of Axes, optional
        One for each layer.

    Returns
    -------
    array of matplotlib Axes, of shape (layers,)
        A row an operation: a dot a finished trial, a bar at their median, and how many they are.
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
    axes, layers = _panels(result, axes, width=4.6)
    for column, (ax, rows) in enumerate(zip(axes, layers, strict=True)):
        chosen = np.array([tokens[column] for tokens in finished["tokens"]])
        labels = []
        for row, (name, colour) in enumerate(zip(rows["short"], _colours(rows), strict=True)):
            values = rewards[chosen == row]
            labels.append(f"{name} ({len(values)})")
            jitter = (np.arange(len(values)) * 0.618034 + 0.5) % 1 - 0.5  # evenly, never at random
            style = {"color": colour, "markeredgewidth": 0, "markersize": 5, "alpha": 0.5}
            ax.plot(values, row + 0.55 * jitter, "o", **style)
            if len(values):
                median = [np.median(values)] * 2
                ax.plot(median, [row - 0.36, row + 0.36], color=INK, linewidth=2.2)
        ax.set_yticks(range(len(rows)), labels)
        ax.set(ylim=(len(rows) - 0.4, -0.6), xlabel="reward")
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x", alpha=0.25)
    return axes


def token_probabilities(result, *, layer=None, axes=None):
    """Draw how probable the controller found each operation, step by step: a panel a layer.

    Parameters
    ----------
    result : SearchResult
        With `token_probabilities` (columns step, layer, token and probability) and `operations`.
    layer : int, optional
        Draw only this layer.
    axes : Axes or array of Axes, optional
        One for each panel.

    Returns
    -------
    array of matplotlib Axes, of shape (panels,)
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
    >>> [text.get_text() for text in ax.get_legend().get_texts()]  # in the order of their ends
    ['GMP', 'flatten']
    """
    table = result.token_probabilities
    axes, layers = _panels(result, axes, width=5.0, only=layer)
    for ax, rows in zip(axes, layers, strict=True):
        own = table[table["layer"] == rows["layer"].iloc[0]]
        shares = own.pivot(index="step", columns="token", values="probability")
        marker = "o" if len(shares) == 1 else None
        colours = _colours(rows)
        for token, (name, colour) in enumerate(zip(rows["short"], colours, strict=True)):
            dash = DASHES[colours[:token].count(colour) % len(DASHES)]
            style = {"color": colour, "linestyle": dash, "linewidth": 1.7, "marker": marker}
            ax.plot(shares.index, shares[token], label=name, **style)
        ax.axhline(1 / len(rows), color=INK, linewidth=1, linestyle=":", zorder=1)
        ax.set_ylim(-0.02, 1.02)  # the same for all layers, so that they compare
        ax.set_ylabel("probability")
        _finish_steps(ax, shares.index)
    return axes


def entropy(result, *, ax=None):
    """Draw how undecided the controller is about each layer, and about all together, in bits.

    Parameters
    ----------
    result : SearchResult
        With `entropy` (columns step, layer and entropy) and `operations`.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
        A line a layer and one for their sum. Each dotted line is the most that is possible: log2
        of the number of operations, where all are equally probable.

    Examples
    --------
    >>> import pandas as pd
    >>> from types import SimpleNamespace
    >>> operations = pd.DataFrame({"layer": 0, "token": [0, 1]})
    >>> bits = pd.DataFrame({"step": [1, 2], "layer": 0, "entropy": [1.0, 0.7]})
    >>> ax = entropy(SimpleNamespace(entropy=bits, operations=operations))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['layer 0 (at most 1)']
    """
    bits = result.entropy.pivot(index="step", columns="layer", values="entropy")
    most = np.log2(result.operations.groupby("layer").size())
    ax = tidy(axes_for(ax, (7.2, 4.4)))
    lines = [(f"layer {layer}", bits[layer], most[layer]) for layer in bits]
    if len(lines) > 1:
        lines.append(("sum", bits.sum(axis=1), most.sum()))
    for i, (name, values, limit) in enumerate(lines):
        if name == "sum":
            style = {"color": INK, "linestyle": "-", "linewidth": 2.4}
        else:
            style = {"color": SERIES_COLOURS[i % len(SERIES_COLOURS)], "linewidth": 1.7}
            style["linestyle"] = DASHES[i % len(DASHES)]
        style["marker"] = "o" if len(bits) == 1 else None
        ax.plot(bits.index, values, label=f"{name} (at most {limit:.3g})", **style)
        ax.axhline(limit, color=style["color"], linewidth=1, linestyle=":", zorder=1)
    ax.set_ylim(0, 1.06 * most.sum() or 1)
    ax.set_ylabel("entropy (bits)")
    _finish_steps(ax, bits.index)
    return ax


def _panels(result, axes, *, width, only=None):
    """A titled panel for each layer, or for one, and the rows of its operations."""
    layers = [
        rows for layer, rows in result.operations.groupby("layer") if only is None or layer == only
    ]
    size = width, max(2.9, 0.9 + 0.2 * max(map(len, layers)))
    axes = panels_for(axes, len(layers), columns=min(len(layers), 2), size=size)
    for ax, rows in zip(axes, layers, strict=True):
        heading = f"layer {rows['layer'].iloc[0]}: {in_common(rows)}".removesuffix(": ")
        tidy(ax).set_title(fill(heading, 48), fontsize=10, loc="left")
    return axes, layers


def _colours(rows):
    """One colour an operation: grey for identity, the others the series in order."""
    colours, i = [], 0
    for operation in rows["operation"]:
        identity = operation.startswith("identity")
        colours.append(GREY if identity else SERIES_COLOURS[i % len(SERIES_COLOURS)])
        i += not identity
    return colours


def _draw_search(ax, i, name, spent, rewards, target, *, unit):
    """One search; the reward of a child that did not finish is NaN."""
    colour, marker = SERIES_COLOURS[i % len(SERIES_COLOURS)], MARKERS[i % len(MARKERS)]
    dots = {"marker": marker, "linestyle": "none", "color": colour}
    failed = spent[np.isnan(rewards)]
    best = np.fmax.accumulate(rewards)  # NaN until a child has finished
    reached = np.flatnonzero(best >= (np.inf if target is None else target))[:1]
    if len(failed) == len(rewards):
        text = f"{name}: no trial finished"
    elif target is None:
        text = f"{name}: best {best[-1]:.3f}"
    elif len(reached):
        first = spent[reached[0]]
        units = unit.removesuffix("s") if first == 1 else unit
        text = f"{name}: best {best[-1]:.3f}, target after {first:.0f} {units}"
    else:
        text = f"{name}: best {best[-1]:.3f}, below target"
    ax.plot(spent, rewards, alpha=0.35, markersize=4, markeredgewidth=0, **dots)
    dash = DASHES[i % len(DASHES)]
    steps = {"drawstyle": "steps-post", "linestyle": dash, "linewidth": 2.2, "zorder": 3}
    ax.plot(spent, best, color=colour, label=text, **steps)
    ax.plot(spent[-1:], best[-1:], markersize=5, zorder=3, **dots)  # where the search ended
    ring = {"markersize": 8, "markerfacecolor": "white", "markeredgewidth": 1.8, "zorder": 4}
    ax.plot(spent[reached], best[reached], **dots, **ring)
    edge = ax.get_xaxis_transform()  # crosses stay on it, whatever limits a student sets
    ax.plot(failed, np.full(len(failed), 0.02), "x", color=colour, markersize=5, transform=edge)


def _finish_steps(ax, steps):
    """Whole steps below, and beside the lines their names, in the order in which they end."""
    lines = [line for line in ax.lines if not line.get_label().startswith("_")]
    lines.sort(key=lambda line: line.get_ydata()[-1].round(3), reverse=True)
    style = {"frameon": False, "fontsize": 8.5, "labelcolor": "linecolor", "handlelength": 1.7}
    ax.legend(handles=lines, loc="center left", bbox_to_anchor=(1, 0.5), **style)
    ax.set_xlabel("step")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    margin = 0.5 if len(steps) == 1 else 0
    ax.set_xlim(min(steps) - margin, max(steps) + margin)
