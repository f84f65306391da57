"""What right answers of Day 1 have to show.

Each function takes the answers as the notebook has them, is called once they are right, and returns
a figure and its caption. The captions stand here, so that no notebook gives an answer away.
"""

from functools import partial

import numpy as np
import pandas as pd

from workshop import evaluation, plot
from workshop.architecture import DAY1_CNN
from workshop.homework import forms
from workshop.homework.answers import local_answers
from workshop.homework.course_data import course, trained
from workshop.homework.practice import shows
from workshop.homework.text_day1 import FLATTEN, GRID, PARTS
from workshop.training import History


def _plain(answer):
    """An answer as a check gets it."""
    return local_answers({"answer": answer}).get("answer")


def _predictions(model, part):
    """Labels (N, 1) of a part of the data, and a model's probabilities."""
    X, y = getattr(course(), f"X_{part}"), getattr(course(), f"y_{part}")
    return y, forms.predictions(_plain(model), X, "model")


def _curves(histories, metrics):
    """A panel for each metric of a history, or of several by name."""
    return plot.row(*(partial(plot.training_history, histories, metric) for metric in metrics))


@shows("1.P1.1")
def label_proportions(label_shares):
    """The share of positives in each part."""
    shares = {part: getattr(course(), f"y_{part}").mean() for part in PARTS}
    picture = plot.bars(shares, xlabel="share of positives", references={"half": 0.5})
    return picture, "Positives in each part. Val is the smallest part, and strays furthest."


@shows("1.P1.2")
def base_composition(base_shares, base_shares_by_label):
    """The shares of the letters, by part and by label."""
    tables = [
        pd.DataFrame(dict(one), index=list("ACGT")) for one in (base_shares, base_shares_by_label)
    ]
    draws = [partial(plot.bars, one, xlabel="share", number="{:.3f}") for one in tables]
    return plot.row(*draws), "Shares of the four letters: by part (left) and by label (right)."


@shows("1.P2.2")
def flatten(flatten_model):
    """How Flatten learns beside GAP: the twins of both, trained alike."""
    networks = {"GAP": DAY1_CNN, "Flatten": FLATTEN}
    histories = {name: trained(one, epochs=20)[1] for name, one in networks.items()}
    caption = (
        "The same training for both. Flatten gets further in training (dashed) than on val "
        "(solid): the gap between them is overfitting."
    )
    return _curves(histories, ("loss", "auroc")), caption


@shows("1.P4.1")
def cheapest(cheapest_threshold, keras_model):
    """The cost of each threshold, on val and on test."""
    lines, at = {}, {"yours": float(np.ravel(cheapest_threshold)[0])}
    for part in ("val", "test"):
        y, p = _predictions(keras_model, part)
        lines[part] = GRID, [np.mean(np.where(y == 1, 5 * (p < t), p >= t)) for t in GRID]
    picture = plot.lines(lines, xlabel="threshold", ylabel="cost per sequence", at=at)
    return picture, "What each threshold costs: chosen on val, paid on test."


@shows("1.P3.2")
def improve(improved, improved_history):
    """AUROC by epoch of the Day-1 model and of the improved one."""
    histories = {"Day 1": trained(DAY1_CNN, epochs=20)[1], "improved": improved_history}
    return _curves(histories, ("auroc",)), "One thing changed: the Day-1 model and yours."


@shows("1.6.2")
def compare_two(compare_models, keras_predictions, torch_predictions):
    """The two models' predictions, and how many mistakes they share."""
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
    """Loss, AUROC and learning rate by epoch."""
    run = forms.history(_plain(history_callbacks), "history_callbacks", "val_loss")
    run["epoch"] = np.arange(1, len(run) + 1)
    metrics = run.columns.intersection(["loss", "auroc", "learning_rate"])
    caption = f"{len(run)} epochs, with the learning rate that they had."
    return _curves(History(run), metrics), caption


@shows("1.6.4")
def optimisation(optimisation_table, best_setting):
    """Val AUROC by learning rate, a line for each optimiser and batch size."""
    table = forms.table(_plain(optimisation_table), "optimisation_table", ["optimizer"])
    lines = {
        f"{optimizer}, {batch:g}".lower(): (rows["learning_rate"], rows["val_auroc"])
        for (optimizer, batch), rows in table.sort_values("learning_rate").groupby(
            ["optimizer", "batch_size"]
        )
    }
    options = {"xlabel": "learning rate", "ylabel": "val AUROC", "log_x": True, "markers": True}
    picture = plot.lines(lines, **options, references={"chance": 0.5})
    return picture, "Five epochs of the Day-1 model, for each optimiser and batch size."
