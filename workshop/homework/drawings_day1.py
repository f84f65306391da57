"""What right answers of Day 1 have to show.

Each function takes the answers as the notebook has them, and is called once they are right. The
captions stand here, so that no notebook gives an answer away.
"""

from functools import partial

import numpy as np
import pandas as pd
from IPython.display import display

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
    model = _plain(model)
    y = getattr(course(), f"y_{part}")
    return y, forms.predictions(model, getattr(course(), f"X_{part}"), "model")


def _curves(histories, metrics):
    """A panel for each metric of a history, or of several by name."""
    return plot.row(*(partial(plot.training_history, histories, metric) for metric in metrics))


@shows("1.P1.1")
def label_proportions(label_shares):
    """The share of positives in each part."""
    labels = {part: getattr(course(), f"y_{part}") for part in PARTS}
    shares = {f"{part}, n = {len(y):,}": 100 * np.mean(y) for part, y in labels.items()}
    look = {"xlabel": "% positives", "number": "{:.1f}", "references": {"half": 50}}
    plot.show(
        plot.bars(shares, xlim=(0, 112), **look),
        "The share of positives in each part. Val is the smallest part, and strays furthest.",
        alt="Three bars close to 50 %: the share of positives in train, val and test.",
    )


@shows("1.P1.2")
def base_composition(base_shares, base_shares_by_label):
    """The shares of the letters, by part and by label."""
    sets = (base_shares, base_shares_by_label)
    tables = [100 * pd.DataFrame(dict(one), index=list("ACGT")) for one in sets]
    look = {"xlabel": "% of the letters", "number": "{:.1f}", "references": {"equal": 25}}
    plot.show(
        plot.row(*(partial(plot.bars, table, **look) for table in tables)),
        "Shares of the four letters, in percent: by part (left) and by label (right).",
        alt="Grouped bars of A, C, G, T: the parts look alike, positives have more C and G.",
    )


@shows("1.P2.2")
def flatten(flatten_model):
    """How Flatten learns beside GAP: the twins of both, trained alike."""
    gap, flat = (trained(one, epochs=20)[1] for one in (DAY1_CNN, FLATTEN))
    plot.show(
        _curves({"GAP": gap, "Flatten": flat}, ("loss", "auroc")),
        "The same training for both. Flatten gets further in training (dashed) than on val "
        "(solid): the gap between them is overfitting.",
        alt="Loss and AUROC by epoch. The curves of GAP lie together; Flatten's training curve "
        "leaves its validation curve behind.",
    )


@shows("1.P4.1")
def cheapest(cheapest_threshold, keras_model):
    """The cost of each threshold, on val and on test."""
    lines, yours = {}, float(np.ravel(cheapest_threshold)[0])
    for part in ("val", "test"):
        y, p = _predictions(keras_model, part)
        costs = [np.mean(np.where(y == 1, 5 * (p < t), p >= t)) for t in GRID]
        lines[part] = GRID, costs
    plot.show(
        plot.lines(lines, xlabel="threshold", ylabel="cost per sequence", at={"yours": yours}),
        "What each threshold costs where a miss counts five times. Chosen on val, paid on test.",
        alt="Two curves of cost by threshold, for val and test: both fall, then rise steeply.",
    )


@shows("1.P3.2")
def improve(improved, improved_history):
    """AUROC by epoch of the Day-1 model and of the improved one."""
    histories = {"Day 1": trained(DAY1_CNN, epochs=20)[1], "improved": improved_history}
    plot.show(
        _curves(histories, ("auroc",)),
        "One thing changed: AUROC of the Day-1 model and of yours.",
        alt="AUROC by epoch of two models; the improved one ends higher.",
    )


@shows("1.6.1")
def finish_evaluation(torch_scores, sensitive_threshold, sensitive_scores, torch_model):
    """The confusion matrices at both thresholds."""
    found, cuts = _predictions(torch_model, "test"), (0.5, np.ravel(sensitive_threshold)[0])
    both = [evaluation.evaluate(*found, threshold=float(cut)) for cut in cuts]
    plot.show(
        plot.row(*(partial(plot.confusion_matrix, scores) for scores in both)),
        "The Torch model on test: at 0.5, and at the threshold that was chosen on val.",
        alt="Two confusion matrices; the second has fewer false negatives, more false positives.",
    )


@shows("1.6.2")
def compare_two(compare_models, keras_predictions, torch_predictions):
    """The two models' predictions, and how many mistakes they share."""
    y, both = course().y_test, (keras_predictions, torch_predictions)
    table = evaluation.compare_predictions(y, *both, n_resamples=1).agreement
    by_chance = table.loc["a wrong"].sum() * table["b wrong"].sum() / len(y)
    display(table)
    print(f"Of {table.loc['a wrong', 'b wrong']} shared mistakes {by_chance:.0f} would be chance.")
    clouds = {name: [p[y == i] for p in both] for i, name in enumerate(("negative", "positive"))}
    plot.show(
        plot.points(clouds, xlabel="Keras", ylabel="Torch", references={"": 0.5}, at={"": 0.5}),
        "Each point is a test sequence; in two of the quarters the models disagree.",
        alt="Scatter plot of Keras against Torch predictions; points lie near the diagonal.",
    )


@shows("1.6.3")
def callbacks(history_callbacks, checkpoint_path, checkpoint_scores):
    """Loss, AUROC and learning rate by epoch."""
    run = forms.history(_plain(history_callbacks), "history_callbacks", "val_loss")
    run["epoch"] = np.arange(1, len(run) + 1)
    plot.show(
        _curves(History(run), run.columns.intersection(["loss", "auroc", "learning_rate"])),
        f"{len(run)} epochs, with the learning rate that they had.",
        alt="Loss and AUROC by epoch for training and validation, and the learning rate by epoch.",
    )


@shows("1.6.4")
def optimisation(optimisation_table, best_setting):
    """Val AUROC by learning rate, a line for each optimiser and batch size."""
    table = forms.table(_plain(optimisation_table), "optimisation_table", ["optimizer"])
    table = table.sort_values("learning_rate")
    lines = {
        f"{optimizer}, {batch:g}".lower(): (rows["learning_rate"], rows["val_auroc"])
        for (optimizer, batch), rows in table.groupby(["optimizer", "batch_size"])
    }
    options = {"xlabel": "learning rate", "ylabel": "val AUROC", "log_x": True, "markers": True}
    plot.show(
        plot.lines(lines, **options, references={"chance": 0.5}),
        "Five epochs of the Day-1 model: one line for each optimiser and batch size.",
        alt="Val AUROC against the learning rate. Adam peaks at 0.01 and falls to 0.5 at 0.1; SGD "
        "rises with the rate.",
    )


@shows("1.6.5")
def architecture(my_architecture, my_model):
    """The architecture."""
    plot.show(
        plot.architecture(my_architecture),
        "Your architecture: where does it keep the best match, and how wide are its kernels?",
        alt="The layers of the chosen architecture with their shapes and parameters.",
    )
