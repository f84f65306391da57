"""What right answers have to show.

Each function takes the answers as the notebook has them, is called once they are right, and returns
a figure, with a caption of its own where none stands above it. The captions stand here, so that no
notebook gives an answer away.
"""

from functools import partial, wraps
from inspect import signature
from types import SimpleNamespace

import numpy as np
import pandas as pd

from workshop import evaluation, interpret, motifs, nas, plot
from workshop.architecture import DAY1_CNN
from workshop.homework import forms
from workshop.homework.answers import local_answers
from workshop.homework.course_data import WIDTH, course, trained
from workshop.homework.lessons import FLATTEN, GRID, PARTS, SETTINGS, costs
from workshop.training import History

DRAWINGS = {}  # by id: functions of the answers; a figure and its caption


def shows(practice_id, caption=""):
    """Enter a function; without a caption here, it returns one after the figure."""

    def enter(draw):
        both = wraps(draw)(lambda *answers: (draw(*answers), caption))
        DRAWINGS[practice_id] = both if caption else draw
        return draw

    return enter


def n_arguments(practice_id):
    """How many answers a practice is drawn with; 0 where it is not."""
    return len(signature(DRAWINGS[practice_id]).parameters) if practice_id in DRAWINGS else 0


def show(practice_id, answers):
    """Show what right answers have to show, if all that it takes is there."""
    try:
        if n_arguments(practice_id) == len(answers):
            plot.show(*DRAWINGS[practice_id](*answers))
    except Exception as problem:  # the answer is right, whatever form it has
        print(f"It could not be drawn ({type(problem).__name__}: {problem}).")


def _plain(answer):
    """An answer as a check gets it."""
    return local_answers({"answer": answer}).get("answer")


def _curves(histories, *metrics):
    """A panel for each metric of a history, or of several by name."""
    return plot.row(*(partial(plot.training_history, histories, metric) for metric in metrics))


# --- Day 1 ---


@shows("1.P1.1", "Positives in each part. Val is the smallest part, and strays furthest.")
def label_proportions(label_shares):
    shares = {part: getattr(course(), f"y_{part}").mean() for part in PARTS}
    return plot.bars(shares, xlabel="share of positives", references={"half": 0.5})


@shows("1.P1.2", "Shares of the four letters: by part (left) and by label (right).")
def base_composition(base_shares, base_shares_by_label):
    shares = base_shares, base_shares_by_label
    tables = [pd.DataFrame({k: np.ravel(v) for k, v in one.items()}, [*"ACGT"]) for one in shares]
    return plot.row(*(partial(plot.bars, t, xlabel="share", number="{:.3f}") for t in tables))


@shows(
    "1.P2.2",
    "The same training for both. Flatten gets further in training (dashed) than on val (solid): "
    "the gap between them is overfitting.",
)
def flatten(flatten_model):
    networks = {"GAP": DAY1_CNN, "Flatten": FLATTEN}
    histories = {name: trained(one, epochs=20)[1] for name, one in networks.items()}
    return _curves(histories, "loss", "auroc")


@shows("1.P4.1", "What each threshold costs: chosen on val, paid on test.")
def cheapest(cheapest_threshold, keras_model):
    lines, at = {}, {"yours": float(np.ravel(cheapest_threshold)[0])}
    for part in ("val", "test"):
        of_each = costs(_plain(keras_model), part)
        lines[part] = GRID, [of_each(t) / len(getattr(course(), f"y_{part}")) for t in GRID]
    return plot.lines(lines, xlabel="threshold", ylabel="cost per sequence", at=at)


@shows("1.P3.2", "One thing changed: the Day-1 model and yours.")
def improve(improved, improved_history):
    histories = {"Day 1": trained(DAY1_CNN, epochs=20)[1], "improved": improved_history}
    return _curves(histories, "auroc")


@shows("1.6.2")
def compare_two(compare_models, keras_predictions, torch_predictions):
    y, both = course().y_test, (keras_predictions, torch_predictions)
    table = evaluation.compare_predictions(y, *both, n_resamples=1).agreement
    shared = table.loc["a wrong", "b wrong"]
    by_chance = table.loc["a wrong"].sum() * table["b wrong"].sum() / len(y)
    clouds = {name: [p[y == i] for p in both] for i, name in enumerate(("negative", "positive"))}
    half = {"references": {"": 0.5}, "at": {"": 0.5}}
    caption = f"A point a sequence. Of {shared} shared mistakes {by_chance:.0f} would be chance."
    return plot.points(clouds, xlabel="Keras", ylabel="Torch", **half), caption


@shows("1.6.3")
def callbacks(history_callbacks, checkpoint_path, checkpoint_scores):
    run = forms.history(_plain(history_callbacks), "history_callbacks", "val_loss")
    run["epoch"] = np.arange(1, len(run) + 1)
    metrics = run.columns.intersection(["loss", "auroc", "learning_rate"])
    return _curves(History(run), *metrics), f"{len(run)} epochs, with their learning rate."


@shows("1.6.4", "Five epochs of the Day-1 model, for each optimiser and batch size.")
def optimisation(optimisation_table, best_setting):
    table = forms.table(_plain(optimisation_table), "optimisation_table", ["optimizer"])
    groups = table.sort_values("learning_rate").groupby(["optimizer", "batch_size"])
    lines = {
        f"{optimizer}, {batch:g}".lower(): (rows["learning_rate"], rows["val_auroc"])
        for (optimizer, batch), rows in groups
    }
    options = {"log_x": True, "markers": True, "references": {"chance": 0.5}}
    return plot.lines(lines, xlabel="learning rate", ylabel="val AUROC", **options)


# --- Day 2 ---


@shows("2.P1.1", "Five epochs of each run.")
def runs_of_other_tokens(my_runs):
    lines = {}
    for name, run in my_runs.items():
        settings = {key: run.get(key, one) for key, one in SETTINGS.items()}
        network = nas.to_architecture(nas.cnn_model_space(), run["tokens"])
        table = trained(network, **settings)[1].table
        lines[name] = table["epoch"], table["val_auroc"]
    return plot.lines(lines, xlabel="epoch", ylabel="val AUROC")


@shows("2.P2.1", "The same search in both frameworks, child by child.")
def search_in_keras(keras_result, result):
    pairs = {"Torch": result, "Keras": keras_result}
    lines = {name: (one.history["trial"], one.history["reward"]) for name, one in pairs.items()}
    return plot.lines(lines, xlabel="trial", ylabel="reward", markers=True)


BY_BOTH = "The children of the search. Is the best one the same by both?"


@shows("2.6.4", BY_BOTH)
def children_by_own_reward(my_reward, my_reward_result):
    from IPython.display import display

    history = my_reward_result.history
    table = history[["tokens", "n_parameters", "val_auroc", "reward"]]
    display(table.sort_values("reward", ascending=False).head(9).round(4))
    children = {"child": (history["val_auroc"], history["reward"])}
    return plot.points(children, xlabel="val AUROC", ylabel="your reward")


@shows("2.P2.2", BY_BOTH)
def ranks_under_a_price(frugal_reward, result):
    price = 0.05 * np.log10(result.history["n_parameters"].astype(float))
    priced = result.history.assign(reward=result.history["val_auroc"] - price)
    return children_by_own_reward(frugal_reward, SimpleNamespace(history=priced))


@shows("2.P3.1", "Two models, one sequence, one scale of colours.")
def second_model(second, result, x, sites):
    models = {"the best child": nas.load_model(result, rank=0), "the second-best": second}
    maps = [interpret.saturation_mutagenesis(model, x[None])[0] for model in models.values()]
    scale = {"sites": sites, "limit": float(np.abs(maps).max())}
    draws = [partial(plot.mutagenesis_map, one, x, **scale) for one in maps]
    return plot.row(*draws, titles=list(models), size=(11, 3.1), columns=1)


@shows("2.P3.2")
def focus_regions(focus_region, importance, motif_starts):
    offsets = [
        min((int(focus_region(one.copy(), WIDTH)) - start for start in starts), key=abs)
        for one, starts in zip(importance, motif_starts, strict=True)
    ]
    near = np.mean(np.abs(offsets) <= 3)
    picture = plot.histogram({"positive": offsets}, xlabel="off by (bp)", bins=60)
    return picture, f"In {near:.0%} of the sequences at most 3 bp off."


@shows(
    "2.P3.3",
    "What two changes do beyond the sum of each alone. Red: together they hurt less than the sum "
    "(or help more); blue: they hurt more.",
)
def interactions(score_two, best_model, x, region):
    pairs = interpret.pairwise_mutagenesis(best_model, x[None], start=region.start, end=region.stop)
    return plot.interaction_map(pairs.interaction[0], x[region], start=region.start)


@shows("2.6.1")
def importance_on_both_strands(score_all, importance, best_model, motif_starts):
    pairs = zip(np.asarray(importance), motif_starts, strict=True)
    profile = np.mean([one[s[0] :][:WIDTH] for one, s in pairs if len(s) == 1], axis=0)
    information = motifs.load_motif("MA0139.1").information_content()
    columns, r = np.arange(WIDTH), np.corrcoef(profile, information)[0, 1]
    curves = {"information (bits)": (columns, information), "mean importance": (columns, profile)}
    picture = plot.lines(curves, xlabel="column of the motif")
    return picture, f"The mean over all sequences with one motif; r = {r:.2f}."


@shows("2.6.2", "The largest and the lowest importance of each sequence.")
def importance_of_negatives(negative, claims, words, best_model, positive):
    parts = {"positive": np.asarray(positive), "negative": np.asarray(negative)}
    draws = [
        partial(plot.histogram, {k: extreme(one, axis=1) for k, one in parts.items()}, xlabel=label)
        for extreme, label in ((np.max, "largest importance"), (np.min, "lowest importance"))
    ]
    return plot.row(*draws)


@shows("2.6.3")
def pruned_search(pruned_space, pruned_result, result):
    n, pairs = len(pruned_result.history), {"full": result, "pruned": pruned_result}
    values = {name: one.history["val_auroc"].head(n) for name, one in pairs.items()}
    picture = plot.strips(values, xlabel="val AUROC after three epochs")
    return picture, f"The first {n} children in each space, and their medians."


@shows("2.6.5", "One planted motif, by both methods.")
def another_explanation(explain, best_model, X_positive, motif_starts):
    i = next(i for i, starts in enumerate(motif_starts) if len(starts) == 1)
    X, start = X_positive[[i]], motif_starts[i][0]
    theirs = np.reshape(_plain(explain(best_model, X.copy())), X.shape)
    part = slice(max(start - 6, 0), start + WIDTH + 6)
    options = {"start": part.start, "sites": [(start, start + WIDTH)]}
    both = interpret.saturation_mutagenesis(best_model, X), theirs
    draws = [partial(plot.score_logo, one[0, part], X[0, part], **options) for one in both]
    return plot.row(*draws, titles=["mutagenesis", "your explanation"], size=(9, 2.2), columns=1)
