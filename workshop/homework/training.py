"""Checks of the extended practices on training: 1.6.3 to 1.6.5."""

from itertools import product

import numpy as np
import pandas as pd

from workshop import evaluation
from workshop.architecture import DAY1_CNN, Architecture
from workshop.homework import forms, targets
from workshop.homework.answers import AnswerError, FunctionAnswer, ModelAnswer
from workshop.homework.course_data import course
from workshop.homework.practice import Rejected, compared_remark, graded_remark, practice

EPOCHS, PATIENCE, LEAST_GAIN = 40, 2, 0.0025  # 1.6.3; less than one val sequence is no gain


@practice(
    "1.6.3",
    "Callbacks and metrics",
    "history_callbacks checkpoint_path checkpoint_scores",
    points=10,
)
def callbacks(rng, history_callbacks, checkpoint_path, checkpoint_scores):
    run = forms.history(history_callbacks, "history_callbacks", "val_loss")
    yield _stopping_remark(run)
    rates = run.get("learning_rate", pd.Series(np.nan, run.index))
    yes = "The learning rate follows a schedule."
    hint = "The history shows no learning rate that changes from epoch to epoch."
    yield graded_remark(3, (rates > 0).all() and rates.nunique() > 1, yes, hint)
    p = _checkpoint_predictions(checkpoint_path)
    yield _epoch_remark(run, p)
    found = forms.mapping(checkpoint_scores, "checkpoint_scores")
    expected = evaluation.evaluate(course().y_val, p)._asdict()
    keys = {"auroc", "auprc"} & set(found)
    values = {key: forms.number(found[key], f"checkpoint_scores: {key}") for key in keys}
    yes = "checkpoint_scores are those of the checkpoint on val."
    hint = (
        "checkpoint_scores are not those of the checkpoint on val: load, predict X_val, evaluate."
    )
    right = keys and all(forms.same_number(values[key], expected[key], 1e-3) for key in keys)
    yield graded_remark(2, right, yes, hint)


def _val_metrics(run):
    """The metrics of val in a history, a Series each, turned so that larger is better."""
    signs = {"val_loss": -1, "val_auroc": 1, "val_accuracy": 1}
    return {name: sign * run[name] for name, sign in signs.items() if name in run}


def _stopping_remark(run):
    """Training must end before the limit, and not before some metric of val stands still."""
    n = len(run)
    stagnant = [
        name
        for name, gain in _val_metrics(run).items()
        if n > PATIENCE and gain.iloc[-PATIENCE:].max() <= gain.iloc[:-PATIENCE].max() + LEAST_GAIN
    ]
    hint = (
        "Training ended while val was still improving. Give up after some epochs (patience) "
        "without a gain, not after a fixed number."
    )
    if n >= EPOCHS:
        hint = (
            f"All {EPOCHS} epochs were run: early stopping has not stopped anything. Let the "
            "learning rate fall faster, or raise min_delta."
        )
    yes = f"Training ended after {n} epochs, when {' and '.join(stagnant)} stood still."
    return graded_remark(3, stagnant and n < EPOCHS, yes, hint)


def _checkpoint_predictions(checkpoint_path):
    """Probabilities (N, 1) of the checkpoint for val."""
    expected = "the name of a Keras file (.keras) or a Lightning checkpoint (.ckpt)"
    load = forms.instance(checkpoint_path, FunctionAnswer, "checkpoint_path", expected)
    try:
        model = load()
    except AnswerError as error:
        raise Rejected(
            f"The checkpoint cannot be loaded ({str(error).split(': ', 1)[-1].rstrip('.')}). A "
            ".ckpt must come from torch_cnn.fit, a .keras file from Keras."
        ) from None
    return forms.predictions(model, course().X_val, "the checkpoint").astype(float)


def _epoch_remark(run, p):
    """Find the checkpoint's epoch by its val loss; it must be the best by some metric."""
    loss = -np.log(np.where(course().y_val == 1, p, 1 - p).clip(1e-7)).mean()
    epoch = int((run["val_loss"] - loss).abs().argmin())
    if abs(run["val_loss"].iloc[epoch] - loss) > 2e-3:
        raise Rejected(
            f"The checkpoint's val loss, {loss:.4f}, is none of the history's: is it of another "
            "run, or another model? checkpoint_scores count once the checkpoint is right."
        )
    metrics = _val_metrics(run).items()
    best = [name for name, gain in metrics if gain.iloc[epoch] >= gain.max() - 1e-4]
    found = f"The checkpoint is of epoch {epoch + 1},"
    yes = f"{found} the best by {' and '.join(best)}."
    return graded_remark(2, best, yes, f"{found} which is not the best by any metric of val.")


SETTING = ["optimizer", "learning_rate", "batch_size"]


@practice("1.6.4", "Optimisation", "optimisation_table best_setting", points=10)
def optimisation(rng, optimisation_table, best_setting):
    runs = forms.table(optimisation_table, "optimisation_table", [*SETTING, "val_auroc"])
    names = runs["optimizer"].astype(str).str.lower()
    runs = runs[[*SETTING, "val_auroc"]].apply(pd.to_numeric, errors="coerce")
    runs["optimizer"], runs["learning_rate"] = names, runs["learning_rate"].round(8)  # of float32
    _reject_incomplete(runs)
    yield graded_remark(4, True, f"All combinations are there, in {len(runs)} runs.", "")
    yes = "The val AUROCs agree with runs of our own."
    yield compared_remark(3, yes, _compare_with_our_runs, runs, rng)
    best = forms.mapping(best_setting, "best_setting")
    same = runs["optimizer"] == str(best.get("optimizer")).lower()
    for name in SETTING[1:]:
        same &= np.isclose(runs[name], forms.number(best.get(name), f"best_setting: {name}"))
    yes = "best_setting is the best row of the table."
    hint = "best_setting is not the row with the highest val AUROC."
    right = (runs["val_auroc"][same] >= runs["val_auroc"].max() - 1e-9).any()
    yield graded_remark(3, right, yes, hint)


def _reject_incomplete(runs):
    if not np.isfinite(runs.drop(columns="optimizer")).all(axis=None):
        raise Rejected("Some numbers of the table are missing (nan).")
    if not runs["val_auroc"].between(0, 1).all():
        raise Rejected("An AUROC lies between 0 and 1.")
    if not set(runs["optimizer"]) & {"adam", "sgd"}:
        raise Rejected('The column optimizer must name "adam" and "sgd".')
    batches = sorted(set(runs["batch_size"]))
    if len(batches) < 2:
        raise Rejected("Two batch sizes at least.")
    there = set(runs[SETTING].itertuples(index=False, name=None))
    wanted = product(("adam", "sgd"), (0.1, 0.01, 0.001), batches)
    if missing := [setting for setting in wanted if setting not in there]:
        optimizer, rate, batch = missing[0]
        raise Rejected(
            f"{len(missing)} combinations are missing, such as {optimizer}, {rate}, {batch:g}."
        )


def _compare_with_our_runs(runs, rng):
    """Train some of the settings whose result hardly depends on the start, and compare."""
    steady = runs[(runs["optimizer"] == "adam") & runs["learning_rate"].isin((0.01, 0.001))]
    steady = steady[steady["batch_size"].between(16, 512)]
    if steady.empty:
        raise Rejected("Use batch sizes between 16 and 512, so that we can compare.")
    off = [
        f"{row.optimizer}, {row.learning_rate:g}, {row.batch_size:g}"
        for row in steady.iloc[rng.permutation(len(steady))[:3]].itertuples()
        if abs(_our_auroc(row, rng) - row.val_auroc) > targets.TOLERANCE
    ]
    if off:
        raise Rejected(
            f"With {'; '.join(off)} our own run of the Day-1 model, 5 epochs, ends elsewhere. Is "
            "each number the val AUROC of its own setting, and every model a fresh one?"
        )
    sgd = runs["optimizer"] == "sgd"
    if (runs["val_auroc"] > np.where(sgd, targets.SGD_LIMIT, targets.ADAM_LIMIT)).any():
        raise Rejected("Some values are higher than the Day-1 model reaches in 5 epochs.")


def _our_auroc(setting, rng):
    """Val AUROC of the Day-1 model after 5 epochs of Adam."""
    from workshop import torch_cnn

    data, model = course(), torch_cnn.build_cnn(DAY1_CNN, random_state=int(rng.integers(2**31)))
    options = {"learning_rate": setting.learning_rate, "batch_size": int(setting.batch_size)}
    torch_cnn.fit(model, data.X_train, data.y_train, epochs=5, progress=False, **options)
    return evaluation.auroc(data.y_val, torch_cnn.predict(model, data.X_val))


@practice("1.6.5", "Architecture", "my_architecture my_model", points=10)
def architecture(rng, my_architecture, my_model):
    from workshop import datasets

    wanted = "a model from build_cnn of either twin"
    found = forms.instance(my_model, ModelAnswer, "my_model", wanted).architecture
    yes = "my_architecture describes my_model, and it is not Day 1's."
    hint = "my_architecture must be the architecture of my_model, and another than Day 1's."
    right = isinstance(my_architecture, Architecture) and my_architecture == found != DAY1_CNN
    yield graded_remark(2, right, yes, hint)
    data, fresh = course(), datasets.simulate_ctcf(1000, random_state=rng)
    on_test = evaluation.auroc(data.y_test, forms.predictions(my_model, data.X_test, "my_model"))
    on_fresh = evaluation.auroc(fresh.y, forms.predictions(my_model, fresh.X, "my_model"))
    yes = f"It beats Day 1: test AUROC {on_test:.3f}."
    hint = f"Its test AUROC is {on_test:.3f}, hardly better than Day 1. Is it trained?"
    yield graded_remark(3, min(on_test, on_fresh) > targets.IMPROVED_AUROC, yes, hint)
    target = targets.TARGET_AUROC
    yes = f"Above the target of {target}, and on fresh sequences {on_fresh:.3f}."
    hint = (
        f"Test AUROC {on_test:.3f}, on fresh sequences {on_fresh:.3f}: the target is {target}. "
        "Which reduction asks whether the motif is there at all, and how wide is the motif?"
    )
    yield graded_remark(5, on_test > target and on_fresh > targets.FRESH_AUROC, yes, hint)
