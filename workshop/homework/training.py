"""Checks of the extended practices on training: 1.6.3 to 1.6.5."""

import numpy as np
import pandas as pd

from workshop import evaluation
from workshop.architecture import DAY1_CNN, Architecture
from workshop.homework.answers import AnswerError, FileAnswer, ModelAnswer
from workshop.homework.practice import (
    NotDone,
    Unreadable,
    course,
    history,
    kind,
    mapping,
    number,
    part,
    practice,
    predictions,
    same_number,
    unfilled,
)
from workshop.training import score_logits


@practice(
    "1.6.3",
    "Callbacks and metrics",
    "history_callbacks checkpoint_path checkpoint_scores",
    points=10,
)
def callbacks(rng, history_callbacks, checkpoint_path, checkpoint_scores):
    if unfilled(history_callbacks):
        raise NotDone("history_callbacks is still empty.")
    table = history(history_callbacks, "history_callbacks", "val_loss")
    yield _stopping_part(table)
    rates = table.get("learning_rate")
    scheduled = rates is not None and np.isfinite(rates).all() and rates.nunique() > 1
    yield part(
        3,
        scheduled and (rates > 0).all(),
        "The learning rate follows a schedule.",
        "The history shows no learning rate that changes from epoch to epoch.",
    )
    if unfilled(checkpoint_path):
        yield part(4, False, "", "checkpoint_path is not there yet.")
        return
    yield from _checkpoint_parts(table, checkpoint_path, checkpoint_scores)


def _stopping_part(table):
    n, hint = len(table), ""
    gains = {
        "val_loss": (-1, 2, 0.0025),  # direction, epochs without a gain, what counts as none
        "val_auroc": (1, 2, 0.0025),
        "val_accuracy": (1, 2, 0.0),
    }
    stagnant = [
        name
        for name, (sign, last, least) in gains.items()
        if name in table
        and n > last
        and (sign * table[name])[-last:].max() <= (sign * table[name])[:-last].max() + least
    ]
    if n >= 40:
        hint = (
            "All 40 epochs were run: early stopping has not stopped anything. Let the learning "
            "rate fall faster, or raise min_delta."
        )
    elif not stagnant:
        hint = (
            "Training ended while val was still improving. Give up after some epochs (patience) "
            "without a gain, not after a fixed number."
        )
    yes = f"Training ended after {n} epochs, when {' and '.join(stagnant)} stood still."
    return part(3, not hint, yes, hint)


def _checkpoint_parts(table, checkpoint_path, checkpoint_scores):
    data = course()
    if not isinstance(checkpoint_path, FileAnswer):
        yield part(
            4,
            False,
            "",
            "checkpoint_path must be the name of a Keras file (.keras) or a Lightning checkpoint "
            f"(.ckpt); it is {kind(checkpoint_path)}.",
        )
        return
    try:
        model = checkpoint_path.load()
    except AnswerError as error:
        yield part(
            4,
            False,
            "",
            f"The checkpoint cannot be loaded ({str(error).split(': ', 1)[-1].rstrip('.')}). A "
            ".ckpt must come from torch_cnn.fit, a .keras file from Keras.",
        )
        return
    p = predictions(model, data.X_val, "the checkpoint").astype(float)
    logits = np.log(np.clip(p, 1e-7, None)) - np.log(np.clip(1 - p, 1e-7, None))
    loss = float(score_logits("binary", logits.astype(np.float32), data.y_val)["loss"])
    epoch = int((table["val_loss"] - loss).abs().argmin())
    if abs(table["val_loss"].iloc[epoch] - loss) > 2e-3:
        yield part(
            2,
            False,
            "",
            f"The checkpoint's val loss, {loss:.4f}, is none of the history's: is "
            "it of another run, or another model?",
        )
        yield part(2, False, "", "checkpoint_scores count once the checkpoint is right.")
        return
    best = [
        name
        for name, sign in (("val_loss", -1), ("val_auroc", 1), ("val_accuracy", 1))
        if name in table and (sign * table[name]).iloc[epoch] >= (sign * table[name]).max() - 1e-4
    ]
    yield part(
        2,
        best,
        f"The checkpoint is of epoch {epoch + 1}, the best by {' and '.join(best)}.",
        f"The checkpoint is of epoch {epoch + 1}, which is not the best by any metric of val.",
    )
    if unfilled(checkpoint_scores):
        yield part(2, False, "", "checkpoint_scores is not there yet.")
        return
    found = mapping(checkpoint_scores, "checkpoint_scores")
    expected = evaluation.evaluate(data.y_val, p)._asdict()
    common = [key for key in expected if key in found]
    right = {"auroc", "auprc"} & set(common) and all(
        same_number(number(found[key], f"checkpoint_scores: {key}"), expected[key], 1e-3)
        for key in common
        if key in ("auroc", "auprc")
    )
    yield part(
        2,
        right,
        "checkpoint_scores are those of the checkpoint on val.",
        "checkpoint_scores are not those of the checkpoint on val: load, predict X_val, evaluate.",
    )


@practice("1.6.4", "Optimisation", "optimisation_table best_setting", points=10)
def optimisation(rng, optimisation_table, best_setting):
    if unfilled(optimisation_table):
        raise NotDone("optimisation_table is still empty.")
    table = optimisation_table
    if isinstance(table, list):
        table = pd.DataFrame([mapping(row, "a row of optimisation_table") for row in table])
    if isinstance(table, dict):
        table = pd.DataFrame(table)
    if not isinstance(table, pd.DataFrame):
        raise Unreadable(f"optimisation_table must be a DataFrame; it is {kind(table)}.")
    table = table.reset_index() if set(map(str, table.index.names)) & set(_SETTING) else table
    missing = [name for name in (*_SETTING, "val_auroc") if name not in table]
    if missing:
        raise Unreadable(f"optimisation_table lacks the columns {', '.join(missing)}.")
    table = table.assign(
        optimizer=table["optimizer"].astype(str).str.lower(),
        **{c: pd.to_numeric(table[c], errors="coerce") for c in (*_SETTING[1:], "val_auroc")},
    )
    table["learning_rate"] = table["learning_rate"].map(lambda rate: float(f"{rate:.4g}"))
    hint = _grid_hint(table)
    yield part(4, not hint, f"All combinations are there, in {len(table)} runs.", hint)
    if hint:
        return
    yield _values_part(rng, table)
    if unfilled(best_setting):
        yield part(3, False, "", "best_setting is not there yet.")
        return
    yield _best_part(table, best_setting)


_SETTING = ("optimizer", "learning_rate", "batch_size")


def _grid_hint(table):
    if not np.isfinite(table[["learning_rate", "batch_size", "val_auroc"]].to_numpy(float)).all():
        return "Some numbers of the table are missing (nan)."
    if not table["val_auroc"].between(0, 1).all():
        return "An AUROC lies between 0 and 1."
    if len(unknown := set(table["optimizer"]) - {"adam", "sgd"}) and len(unknown) == len(
        set(table["optimizer"])
    ):
        return 'The column optimizer must name "adam" and "sgd".'
    there = set(table[list(_SETTING)].itertuples(index=False, name=None))
    batches = sorted(set(table["batch_size"]))
    if len(batches) < 2:
        return "Two batch sizes at least."
    missing = [
        (optimizer, rate, batch)
        for optimizer in ("adam", "sgd")
        for rate in (0.1, 0.01, 0.001)
        for batch in batches
        if (optimizer, rate, batch) not in there
    ]
    if missing:
        optimizer, rate, batch = missing[0]
        return f"{len(missing)} combinations are missing, such as {optimizer}, {rate}, {batch:g}."
    return ""


def _values_part(rng, table):
    """Train some of the settings whose result hardly depends on the start, and compare."""
    from workshop import torch_cnn

    data = course()
    steady = table[(table["optimizer"] == "adam") & table["learning_rate"].isin((0.01, 0.001))]
    steady = steady[steady["batch_size"].between(16, 512)]
    if steady.empty:
        return part(3, False, "", "Use batch sizes between 16 and 512, so that we can compare.")
    rows = rng.permutation(len(steady))[:3]
    off = []
    for row in steady.iloc[rows].itertuples():
        model = torch_cnn.build_cnn(DAY1_CNN, random_state=int(rng.integers(2**31)))
        torch_cnn.fit(
            model,
            data.X_train,
            data.y_train,
            epochs=5,
            learning_rate=row.learning_rate,
            batch_size=int(row.batch_size),
            progress=False,
        )
        ours = evaluation.auroc(data.y_val, torch_cnn.predict(model, data.X_val))
        if abs(ours - row.val_auroc) > 0.06:
            off.append(f"{row.optimizer}, {row.learning_rate:g}, {row.batch_size:g}")
    high = table["val_auroc"] > np.where(table["optimizer"] == "sgd", 0.86, 0.97)
    if not off and high.any():
        return part(
            3, False, "", "Some values are higher than the Day-1 model reaches in 5 epochs."
        )
    return part(
        3,
        not off,
        f"The val AUROCs agree with {len(rows)} runs of our own.",
        f"With {'; '.join(off)} our own run of the Day-1 model, 5 epochs, ends elsewhere. Is each "
        "number the val AUROC of its own setting, and every model a fresh one?",
    )


def _best_part(table, best_setting):
    top = table["val_auroc"].max()
    if isinstance(best_setting, pd.Series) and isinstance(best_setting.name, tuple):
        best_setting = best_setting.name  # a row of a table with the setting as its index
    if isinstance(best_setting, (tuple, list)) and len(best_setting) >= 3:
        best_setting = dict(zip((*_SETTING, "val_auroc"), best_setting, strict=False))
    if isinstance(best_setting, (int, float)) and best_setting in table.index:
        best_setting = table.loc[best_setting]
    found = mapping(best_setting, "best_setting")
    rows = table[
        (table["optimizer"] == str(found.get("optimizer")).lower())
        & np.isclose(table["learning_rate"], number(found.get("learning_rate"), "learning_rate"))
        & np.isclose(table["batch_size"], number(found.get("batch_size"), "batch_size"))
    ]
    return part(
        3,
        (rows["val_auroc"] >= top - 1e-9).any(),
        "best_setting is the best row of the table.",
        "best_setting is not the row with the highest val AUROC.",
    )


@practice("1.6.5", "Architecture", "my_architecture my_model", points=10)
def architecture(rng, my_architecture, my_model):
    from workshop import datasets

    if not isinstance(my_model, ModelAnswer):
        raise Unreadable(
            f"my_model must be a model from build_cnn of either twin; it is {kind(my_model)}."
        )
    described = isinstance(my_architecture, Architecture) and (
        my_architecture == my_model.architecture
    )
    yield part(
        2,
        described and my_model.architecture != DAY1_CNN,
        "my_architecture describes my_model, and it is not Day 1's.",
        "my_architecture must be the architecture of my_model, and another than Day 1's.",
    )
    data = course()
    on_test = evaluation.auroc(data.y_test, predictions(my_model, data.X_test, "my_model"))
    fresh = datasets.simulate_ctcf(1000, random_state=rng)
    on_fresh = evaluation.auroc(fresh.y, predictions(my_model, fresh.X, "my_model"))
    yield part(
        3,
        min(on_test, on_fresh) > 0.85,
        f"It beats Day 1: test AUROC {on_test:.3f}.",
        f"Its test AUROC is {on_test:.3f}, hardly better than Day 1. Is it trained?",
    )
    yield part(
        5,
        on_test > 0.95 and on_fresh > 0.93,
        f"Above the target of 0.95, and on fresh sequences {on_fresh:.3f}.",
        f"Test AUROC {on_test:.3f}, on fresh sequences {on_fresh:.3f}: the target is 0.95. Which "
        "reduction asks whether the motif is there at all, and how wide is the motif?",
    )
