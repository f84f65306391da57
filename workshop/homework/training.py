"""Checks of the extended practices on training: 1.6.3 to 1.6.5."""

from functools import cache, lru_cache, partial
from itertools import product

import numpy as np
import pandas as pd
from scipy import special

from workshop import datasets, evaluation, motifs
from workshop.architecture import DAY1_CNN, Architecture, GlobalMaxPool
from workshop.homework import forms, targets
from workshop.homework.answers import AnswerError, FunctionAnswer, ModelAnswer
from workshop.homework.course_data import course, trained
from workshop.homework.practice import Rejected, compared_remark, graded_remark, practice

EPOCHS, PATIENCE, MIN_DELTA = 40, 2, 0.01  # 1.6.3; the largest gain that may count as none
SHOWN = DAY1_CNN, Architecture((*DAY1_CNN.layers[:2], GlobalMaxPool()))  # by the lesson: 1.6.5
METRICS = {"val_loss": -1, "val_auroc": 1, "val_auc": 1, "val_accuracy": 1}  # 1: larger is better


@practice("1.6.3", "Callbacks and metrics")
def callbacks(rng, history_callbacks, checkpoint_path, checkpoint_scores):
    """Early stopping bounds what overfitting costs; the checkpoint keeps val's best epoch.

    A start that works: a rate of 0.005 that falls by a tenth each epoch,
    EarlyStopping(monitor='val_loss', patience=4), and a checkpoint by the same metric.
    """
    run = forms.history(history_callbacks, "history_callbacks", "val_loss")
    _reject_changed(run)
    yield _stopping_remark(run)
    rates = run.get("learning_rate", pd.Series(np.nan, run.index))
    yes = "The learning rate follows a schedule."
    hint = (
        "The learning rate is not in the history, or the same in all epochs. LearningRateScheduler "
        "changes it; ReduceLROnPlateau does with less patience than early stopping."
    )
    yield graded_remark(3, (rates > 0).all() and rates.nunique() > 1, yes, hint)
    p = _checkpoint_predictions(checkpoint_path)
    yield _epoch_remark(run, p)
    found, name = forms.mapping(checkpoint_scores, "checkpoint_scores"), "checkpoint_scores"
    threshold = forms.number(found.get("threshold", 0.5), f"{name}: threshold")
    expected = evaluation.evaluate(course().y_val, p, threshold=threshold)._asdict()
    wrong = forms.differing_scores(found, expected, 1e-3, name)
    right, of = {"auroc", "auprc"} & set(found) and not wrong, "those of the checkpoint on val"
    hint = f"{name} are not {of}: load, predict X_val, evaluate."
    yield graded_remark(2, right, f"{name} are {of}.", hint)


def _reject_changed(run):
    """Refuse a history that is not a whole run in its order."""
    if "run" not in run.attrs:
        raise Rejected("history_callbacks must be what fit returned, as it is: no copy in a dict.")
    ordered = "epoch" not in run or (run["epoch"].diff()[1:] == 1).all()
    learns = "loss" not in run or run["loss"].iloc[0] >= run["loss"].iloc[-1]
    if not (run.attrs["run"] == len(run) and ordered and learns):
        raise Rejected("history_callbacks is no whole run in its order: keep what fit returned.")


def _metrics(run, holds):
    """Names of the metrics of val for which something holds; it gets them with larger = better."""
    return [name for name, sign in METRICS.items() if name in run and holds(sign * run[name])]


def _stopping_remark(run):
    """Training must end before the limit, and not before some metric of val stands still."""
    n, limit = len(run), min(run.attrs.get("epochs") or EPOCHS, EPOCHS)

    def stands_still(gain):
        before, last = gain.iloc[:-PATIENCE], gain.iloc[-PATIENCE:]
        return last.max() <= before.max() + MIN_DELTA  # never if `before` is empty

    stagnant = _metrics(run, stands_still)
    hint = (
        f"Training ran {n} of {limit} epochs. Early stopping ends it before the last one, after "
        "some epochs (patience) in which val no longer improved; a larger rate gets there sooner."
    )
    yes = f"Training ended after {n} epochs, when {' and '.join(stagnant)} stood still."
    return graded_remark(3, stagnant and n < limit, yes, hint)


def _checkpoint_predictions(checkpoint_path):
    """Probabilities (N, 1) of the checkpoint for val."""
    expected = "the name of a Keras file (.keras) or a Lightning checkpoint (.ckpt)"
    load = forms.instance(checkpoint_path, "checkpoint_path", FunctionAnswer, expected)
    try:
        model = load()
    except AnswerError as error:
        raise Rejected(
            f"The checkpoint cannot be loaded ({str(error).split(': ', 1)[-1].rstrip('.')}). A "
            ".ckpt must come from torch_cnn.fit, a .keras file from Keras."
        ) from None
    return forms.predictions(model, course().X_val, "the checkpoint").astype(float)


def _epoch_remark(run, p):
    """Find the checkpoint's epoch by what it gives on val; it must be the best by some metric."""
    y = course().y_val
    loss = _losses(y, p).mean()
    off = (run["val_loss"] - loss).abs()
    if "val_auroc" in run:  # Keras's own is a sum over 200 thresholds
        off = off.where((run["val_auroc"] - evaluation.auroc(y, p)).abs() < 6e-3)
    if not off.min() <= 2e-3:
        raise Rejected(
            f"The checkpoint's val loss, {loss:.4f}, and AUROC are those of no epoch of the "
            "history: are both of one run, and validated on val?"
        )
    epoch = int(off.argmin())
    best = _metrics(run, lambda gain: gain.iloc[epoch] >= gain.max() - 1e-4)
    found = f"The checkpoint is of epoch {epoch + 1},"
    yes = f"{found} the best by {' and '.join(best)}."
    return graded_remark(2, best, yes, f"{found} which is not the best by any metric of val.")


_fresh_data = cache(partial(datasets.simulate_ctcf, 6000, random_state=65))  # 1.6.5
SETTING = ["optimizer", "learning_rate", "batch_size"]


@practice("1.6.4", "Optimisation")
def optimisation(rng, optimisation_table, best_setting):
    """Adam's steps are about as large as the rate; SGD multiplies it with small gradients.

    Three nested loops, and in the innermost a fresh build_cnn, fit with epochs=5 and X_val,
    y_val, and history.last['val_auroc'].
    """
    columns = [*SETTING, "val_auroc"]
    runs = forms.table(optimisation_table, "optimisation_table", columns)[columns].copy()
    for name in columns[1:]:
        runs[name] = forms.array(runs[name].tolist(), f"The column {name}", (len(runs),))
    runs["optimizer"] = runs["optimizer"].astype(str).str.lower()
    runs["learning_rate"] = runs["learning_rate"].round(8)  # of float32
    prescribed = runs["optimizer"].isin(("adam", "sgd")) & runs["batch_size"].between(16, 512)
    runs = runs[prescribed].head(48)
    if not runs["val_auroc"].between(0, 1).all():
        raise Rejected("An AUROC lies between 0 and 1.")
    batches, there = runs["batch_size"].unique(), runs[SETTING].itertuples(index=False, name=None)
    missing = set(product(("adam", "sgd"), (0.1, 0.01, 0.001), batches)) - set(there)
    if len(batches) < 2 or missing:
        wanted = "Adam and SGD, the rates 0.1, 0.01 and 0.001, at least two batch sizes (16 to 512)"
        raise Rejected(f"{len(missing) or 'Some'} combinations are missing: {wanted}.")
    yield graded_remark(4, True, f"All combinations are there, in {len(runs)} runs.", "")
    yes = "The val AUROCs agree with runs of our own."
    yield compared_remark(3, yes, _compare_with_our_runs, runs)
    best = forms.mapping(best_setting, "best_setting")
    same = runs["optimizer"] == str(best.get("optimizer")).lower()
    for name in SETTING[1:]:
        same &= np.isclose(runs[name], forms.number(best.get(name), f"best_setting: {name}"))
    right = (runs["val_auroc"][same] >= runs["val_auroc"].max() - 1e-9).any()
    hint = "best_setting is not the row with the highest val AUROC (of batch sizes from 16 to 512)."
    yield graded_remark(3, right, "best_setting is the best row of the table.", hint)


def _compare_with_our_runs(runs):
    """Compare each row with our own run, which is the same in both twins, wherever it runs."""
    ours = [_our_run(*setting) for setting in runs[SETTING].itertuples(index=False, name=None)]
    ours = pd.DataFrame(ours, index=runs.index)
    wild = (runs["optimizer"] == "adam") & (runs["learning_rate"] >= 0.1)  # last digits grow
    tolerance = np.where(wild, targets.WILD_TOLERANCE, targets.SAME_SEED_TOLERANCE)
    off = ours.sub(runs["val_auroc"], axis=0).abs().gt(tolerance, axis=0)
    n_off = off.sum()
    if n_off["val"] > n_off.min() == 0:
        raise Rejected(f"These are AUROCs on {n_off.idxmin()}; the task asks for val.")
    if rows := [f"{o}, {rate:g}, {n:g}" for o, rate, n in runs[off["val"]][SETTING].to_numpy()]:
        raise Rejected(
            f"With {'; '.join(rows[:3])} our own run of the Day-1 model, 5 epochs, ends elsewhere. "
            "Is each the val AUROC of its own setting, of a fresh build_cnn(..., random_state=0)?"
        )


@lru_cache(maxsize=128)
def _our_run(optimizer, learning_rate, batch_size):
    """AUROCs of the Day-1 model after 5 epochs, on val, on test, and while training."""
    options = {"learning_rate": learning_rate, "batch_size": int(batch_size)}
    model, history = trained(DAY1_CNN, epochs=5, optimizer=optimizer, **options)
    on_test = evaluation.auroc(course().y_test, model.predict(course().X_test))
    return {"val": history.last["val_auroc"], "test": on_test, "train": history.last["auroc"]}


@practice("1.6.5", "Architecture")
def architecture(rng, my_architecture, my_model):
    """Trained anew, from other weights, it gets there again: it is the architecture, not luck.

    Kernels as wide as the motif, 19, then one global pool that keeps the best match; a learning
    rate of 0.003 saves epochs.
    """
    model = forms.instance(my_model, "my_model", ModelAnswer, "a model from a twin's build_cnn")
    yes = "my_architecture describes my_model, and it is your own."
    hint = "It must be the architecture of my_model, and neither Day 1's nor gmp_cnn of section 5."
    own = isinstance(my_architecture, Architecture) and my_architecture not in SHOWN
    yield graded_remark(2, own and my_architecture == model.architecture, yes, hint)
    yes = "my_model is above the target, on test and beyond."
    yield compared_remark(3, yes, _judge_model, model)
    if not own:
        raise Rejected("There is no architecture of yours yet that the check could train.")
    anew = _trained_anew(my_architecture).predict(course().X_test)
    reached = evaluation.auroc(course().y_test, anew)
    yes = f"Trained anew by the check, my_architecture reaches a test AUROC of {reached:.3f}."
    hint = (
        f"Trained anew by the check, on train only, my_architecture reaches {reached:.3f}. Which "
        "reduction asks whether the motif is there at all, and how wide is the motif?"
    )
    yield graded_remark(5, reached > targets.ANEW_AUROC, yes, hint)


def _trained_anew(architecture):
    return trained(architecture, until=0.97, epochs=24, learning_rate=0.003)[0]


def _judge_model(model):
    """Refuse a model that is not good, or that cannot have learnt it on train."""
    kernels = [one for one in model.weights.values() if one.ndim == 3 and one.shape[1] == 4]
    if any(map(_is_the_matrix, kernels)):
        raise Rejected("A kernel of my_model is the CTCF matrix itself: let it be learnt.")
    of_parts = []
    for X, y in ((course().X_test, course().y_test), _fresh_data()[:2]):
        logits = forms.array(model.logits(X), "what my_model predicts", (len(X), 1))
        of_parts.append((X, y, special.expit(logits - np.median(logits))))  # of whatever bias
    on_test, on_fresh = (evaluation.auroc(y, p) for _, y, p in of_parts)
    if on_test <= targets.TARGET_AUROC or on_fresh <= targets.FRESH_AUROC:
        raise Rejected(
            f"my_model has AUROC {on_test:.3f} on test (the target is {targets.TARGET_AUROC}) and "
            f"{on_fresh:.3f} on sequences that nobody has seen. Is it trained, and on train?"
        )
    # The losses on test and on fresh sequences differ by chance only; and so do those beyond the
    # losses of a model that saw train alone, which take much of the chance away.
    anew, losses = _trained_anew(model.architecture), []
    for X, y, p in of_parts:
        losses.append(np.array([_losses(y, p), _losses(y, p) - _losses(y, anew.predict(X))]))
    error = np.sqrt(sum(one.var(axis=1) / one.shape[1] for one in losses))
    if (losses[1].mean(axis=1) - losses[0].mean(axis=1) > 4 * error).any():
        raise Rejected("my_model knows test better than sequences like it: train it on train only.")


def _losses(y, p):
    return -np.log(np.where(y == 1, p, 1 - p).clip(1e-7))[:, 0]


def _is_the_matrix(kernels):
    """Whether one of the kernels is the matrix of CTCF, or that a part of it, in any scale."""
    matrix = motifs.load_motif("MA0139.1").log_odds()
    width, places = min(len(matrix), len(kernels)), []
    for one in (kernels, matrix[:, :, None]):
        one = one - one.mean(axis=1, keepdims=True, dtype=float)  # what the bias can make up for
        windows = [one[p : p + width].reshape(4 * width, -1) for p in range(len(one) - width + 1)]
        windows = np.concatenate(windows, axis=1)
        places.append(windows / (np.linalg.norm(windows, axis=0) + 1e-99))
    return width >= 8 and (places[0].T @ places[1]).max() > 0.99
