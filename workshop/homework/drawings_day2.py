"""What right answers of Day 2 have to show.

Each function takes the answers as the notebook has them, is called once they are right, and returns
a figure and its caption.
"""

from functools import partial

import numpy as np
from IPython.display import display

from workshop import interpret, motifs, nas, plot, torch_cnn
from workshop.homework.course_data import WIDTH, course
from workshop.homework.practice import shows


@shows("2.P1.1")
def runs_of_other_tokens(my_runs):
    """Each run, trained for five epochs."""
    data, lines = course(), {}
    options = {"X_val": data.X_val, "y_val": data.y_val, "epochs": 5, "progress": False}
    for name, run in my_runs.items():
        settings = {key: value for key, value in run.items() if key != "tokens"}
        model = torch_cnn.build_cnn(nas.to_architecture(nas.cnn_model_space(), run["tokens"]))
        table = torch_cnn.fit(model, data.X_train, data.y_train, **options, **settings).table
        lines[name] = table["epoch"], table["val_auroc"]
    return plot.lines(lines, xlabel="epoch", ylabel="val AUROC"), "Five epochs of each run."


@shows("2.P2.1")
def search_in_keras(keras_result, result):
    """The children of both searches."""
    pairs = {"Torch": result, "Keras": keras_result}
    lines = {name: (one.history["trial"], one.history["reward"]) for name, one in pairs.items()}
    picture = plot.lines(lines, xlabel="trial", ylabel="reward", markers=True)
    return picture, "The same search in both frameworks, child by child."


@shows("2.P2.2")
def ranks_under_a_price(frugal_reward, result):
    """The finished search, ranked by AUROC and by AUROC with a price."""
    sizes = result.history["n_parameters"].astype(float)
    return _by_both(result.history, result.history["val_auroc"] - 0.05 * np.log10(sizes))


@shows("2.6.4")
def children_by_own_reward(my_reward, my_reward_result):
    """The same children by AUROC and by the student's reward."""
    return _by_both(my_reward_result.history, my_reward_result.history["reward"])


def _by_both(history, reward):
    """The children by another reward, and by AUROC."""
    table = history[["tokens", "n_parameters", "val_auroc"]].assign(reward=reward)
    display(table.sort_values("reward", ascending=False).head(9).round(4))
    children = {"child": (history["val_auroc"], reward)}
    picture = plot.points(children, xlabel="val AUROC", ylabel="your reward")
    return picture, "The children of the search. Is the best one the same by both?"


@shows("2.P3.1")
def second_model(second, result, x, sites):
    """The maps of the two best models of one sequence."""
    models = {"the best child": nas.load_model(result, rank=0), "the second-best": second}
    maps = [interpret.saturation_mutagenesis(model, x[None])[0] for model in models.values()]
    scale = {"sites": sites, "limit": float(np.abs(maps).max())}
    draws = [partial(plot.mutagenesis_map, one, x, **scale) for one in maps]
    picture = plot.row(*draws, titles=list(models), size=(11, 3.1), columns=1)
    return picture, "Two models, one sequence, one scale of colours."


@shows("2.P3.2")
def focus_regions(focus_region, importance, motif_starts):
    """How far the focus region is from the nearest planted motif."""
    offsets = [
        min((int(focus_region(one.copy(), WIDTH)) - start for start in starts), key=abs)
        for one, starts in zip(importance, motif_starts, strict=True)
    ]
    near = np.mean(np.abs(offsets) <= 3)
    picture = plot.histogram({"positives": offsets}, xlabel="off by (bp)", bins=60)
    return picture, f"In {near:.0%} of the sequences at most 3 bp off."


@shows("2.P3.3")
def interactions(score_two, best_model, x, region):
    """What two changes do beyond the sum of each alone."""
    pairs = interpret.pairwise_mutagenesis(best_model, x[None], start=region.start, end=region.stop)
    caption = (
        "What two changes do beyond the sum of each alone. Red: together they hurt less than the "
        "sum (or help more); blue: they hurt more."
    )
    return plot.interaction_map(pairs.interaction[0], x[region], start=region.start), caption


@shows("2.6.1")
def importance_on_both_strands(score_all, importance, best_model, motif_starts):
    """The mean importance of the columns of the motif, beside the information of the matrix."""
    pairs = zip(np.asarray(importance), motif_starts, strict=True)
    profile = np.mean([one[s[0] :][:WIDTH] for one, s in pairs if len(s) == 1], axis=0)
    information = motifs.load_motif("MA0139.1").information_content()
    columns, r = np.arange(WIDTH), np.corrcoef(profile, information)[0, 1]
    curves = {"information (bits)": (columns, information), "mean importance": (columns, profile)}
    picture = plot.lines(curves, xlabel="column of the motif")
    return picture, f"The mean over all sequences with one motif; r = {r:.2f}."


@shows("2.6.2")
def importance_of_negatives(negative, claims, words, best_model, positive):
    """The largest and the lowest importance of each sequence."""
    parts = {"positives": np.asarray(positive), "negatives": np.asarray(negative)}
    draws = [
        partial(plot.histogram, {k: extreme(one, axis=1) for k, one in parts.items()}, xlabel=label)
        for extreme, label in ((np.max, "largest importance"), (np.min, "lowest importance"))
    ]
    return plot.row(*draws), "The largest and the lowest importance of each sequence."


@shows("2.6.3")
def pruned_search(pruned_space, pruned_result, result):
    """The children of the full and of the pruned space."""
    n, pairs = len(pruned_result.history), {"full": result, "pruned": pruned_result}
    values = {name: one.history["val_auroc"].head(n) for name, one in pairs.items()}
    picture = plot.strips(values, xlabel="val AUROC after three epochs")
    return picture, f"The first {n} children in each space, and their medians."


@shows("2.6.5")
def another_explanation(explain, best_model, X_positive, motif_starts):
    """Mutagenesis and the student's explanation of one motif."""
    i = next(i for i, starts in enumerate(motif_starts) if len(starts) == 1)
    X, start = X_positive[[i]], motif_starts[i][0]
    theirs = explain(best_model, X.copy())
    theirs = theirs.numpy(force=True) if hasattr(theirs, "numpy") else np.asarray(theirs)
    both = interpret.saturation_mutagenesis(best_model, X), theirs.reshape(X.shape)
    part = slice(max(start - 6, 0), start + WIDTH + 6)
    options = {"start": part.start, "sites": [(start, start + WIDTH)]}
    draws = [partial(plot.score_logo, one[0, part], X[0, part], **options) for one in both]
    titles = ["mutagenesis", "your explanation"]
    picture = plot.row(*draws, titles=titles, size=(9, 2.2), columns=1)
    return picture, "One planted motif, by both methods."
