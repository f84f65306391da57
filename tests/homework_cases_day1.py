"""Right and wrong answers to the extended practices of Day 1, without a notebook."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from tests.homework_cases import (
    CountsGC,
    best_model,
    new_folder,
    predict,
    right,
    with_weights,
    wrong,
)
from workshop import evaluation, keras_cnn, torch_cnn
from workshop.architecture import DAY1_CNN
from workshop.homework.course_data import course

# --- 1.6.1 ---


def sensitive(model):
    """The strictest threshold that finds 90 % of val's positives."""
    found = np.sort(predict(model, course().X_val)[course().y_val == 1])
    return float(found[int(0.1 * len(found))])


def evaluated(*, threshold=None, part="test", change=lambda scores: scores, **changes):
    model, data = CountsGC(), course()
    X, y = getattr(data, f"X_{part}"), getattr(data, f"y_{part}")
    p, threshold = predict(model, X), sensitive(model) if threshold is None else threshold
    answers = {
        "torch_scores": change(evaluation.evaluate(y, p)),
        "sensitive_threshold": threshold,
        "sensitive_scores": change(evaluation.evaluate(y, p, threshold=threshold)),
        "torch_model": model,
    }
    return tuple((answers | changes).values())


@right("1.6.1")
def dicts_and_a_grid_of_thresholds():
    p_val, y_val = predict(CountsGC(), course().X_val), course().y_val
    grid = np.arange(0, 1, 0.005)
    found = np.array([np.mean(p_val[y_val == 1] >= threshold) for threshold in grid])
    scores, threshold, sensitive_scores, model = evaluated(threshold=grid[found >= 0.9].max())
    return scores._asdict(), np.array([threshold]), pd.Series(sensitive_scores._asdict()), model


class LogitsGC(CountsGC):
    """The same, without the sigmoid."""

    def forward(self, x):
        return torch.logit(super().forward(x))


def on_logits():
    """Scores of logits as if they were probabilities."""
    model, data = LogitsGC(), course()
    test, val = (predict(model, X) for X in (data.X_test, data.X_val))
    threshold = float(np.sort(val[data.y_val == 1])[int(0.1 * (data.y_val == 1).sum())])
    scores = (evaluation.evaluate(data.y_test, test, threshold=one) for one in (0.5, threshold))
    return next(scores), threshold, next(scores), model


right(
    "1.6.1",
    as_the_solution=evaluated,
    a_model_of_logits_and_their_sigmoid=lambda: evaluated(torch_model=LogitsGC()),
    threshold_rounded_to_two_decimals=lambda: evaluated(threshold=round(sensitive(CountsGC()), 2)),
)
wrong(
    "1.6.1",
    scores_on_val=lambda: evaluated(part="val"),
    logits_for_probabilities=on_logits,
    threshold_left_at_a_half=lambda: evaluated(threshold=0.5),
    far_too_low_a_threshold=lambda: evaluated(threshold=0.01),
    nan_for_the_threshold=lambda: evaluated(sensitive_threshold=float("nan")),
    only_the_first_part=lambda: (evaluated()[0], None, None, CountsGC()),
    hard_coded_from_the_printed_output=lambda: evaluated(
        change=lambda scores: {key: round(one, 3) for key, one in scores._asdict().items()}
    ),
    one_minus_the_score=lambda: evaluated(
        torch_scores=evaluation.evaluate(course().y_test, 1 - predict(CountsGC(), course().X_test))
    ),
)


# --- 1.6.2 ---


def compare(y, a, b, *, cut=np.greater_equal):
    y, a, b = (np.ravel(one) for one in (y, a, b))
    wrong_a, wrong_b = cut(a, 0.5) != (y == 1), cut(b, 0.5) != (y == 1)
    table = np.array([[np.sum((wrong_a == i) & (wrong_b == j)) for j in (0, 1)] for i in (0, 1)])
    return table, wrong_a, wrong_b


def answers_162(kind):
    """Enter the function itself as the answer."""

    def enter(answer):
        right("1.6.2", kind, **{answer.__name__: lambda: (answer,)})
        return answer

    return enter


@answers_162("right")
def two_by_two_array_and_list(y, a, b):
    table, wrong_a, wrong_b = compare(y, a, b)
    return table.tolist(), [i for i in range(len(y)) if wrong_a[i] and wrong_b[i]]


@answers_162("right")
def labelled_in_another_order(y, a, b):
    table, wrong_a, wrong_b = compare(y, a, b)
    table = pd.DataFrame(table, ["a right", "a wrong"], ["b right", "b wrong"])
    return table.iloc[::-1, ::-1], pd.Index(np.flatnonzero(wrong_a & wrong_b))


@answers_162("right")
def where_and_a_set(y, a, b):
    table, wrong_a, wrong_b = compare(y, a, b)
    return pd.DataFrame(table), set(np.where(wrong_a & wrong_b)[0].tolist())


@answers_162("right")
def crosstab_without_the_cells_that_are_empty(y, a, b):
    _, wrong_a, wrong_b = compare(y, a, b)
    of_a, of_b = np.where(wrong_a, "A wrong", "A right"), np.where(wrong_b, "B wrong", "B right")
    return pd.crosstab(of_a, of_b), np.flatnonzero(wrong_a & wrong_b)


@answers_162("right")
def the_courses_own_comparison(y, a, b):
    result = evaluation.compare_predictions(y, a, b, n_resamples=20)
    return result.agreement, result.shared_mistakes


@answers_162("right")
def all_that_it_returns(y, a, b):
    return evaluation.compare_predictions(y, a, b, n_resamples=20)


@answers_162("right")
def a_mask(y, a, b):
    table, wrong_a, wrong_b = compare(y, a, b)
    return table, wrong_a & wrong_b


@answers_162("wrong")
def transposed(y, a, b):
    table, wrong_a, wrong_b = compare(y, a, b)
    return table.T, np.flatnonzero(wrong_a & wrong_b)


@answers_162("wrong")
def labelled_the_other_way_round(y, a, b):
    table, wrong_a, wrong_b = compare(y, a, b)
    table = pd.DataFrame(table, ["a right", "a wrong"], ["b right", "b wrong"])
    return table.T, np.flatnonzero(wrong_a & wrong_b)


@answers_162("wrong")
def strictly_above_a_half(y, a, b):
    table, wrong_a, wrong_b = compare(y, a, b, cut=np.greater)
    return table, np.flatnonzero(wrong_a & wrong_b)


@answers_162("wrong")
def mistakes_of_either(y, a, b):
    table, wrong_a, wrong_b = compare(y, a, b)
    return table, np.flatnonzero(wrong_a | wrong_b)


@answers_162("wrong")
def counted_from_one(y, a, b):
    table, wrong_a, wrong_b = compare(y, a, b)
    return table, 1 + np.flatnonzero(wrong_a & wrong_b)


@answers_162("wrong")
def where_of_two_axes(y, a, b):
    table, wrong_a, wrong_b = compare(y, a, b)
    return table, np.where((wrong_a & wrong_b)[:, None])


@answers_162("wrong")
def broadcast_to_n_by_n(y, a, b):
    wrong_a = (a[:, 0] >= 0.5) != (y == 1)  # (N, N)
    wrong_b = (b[:, 0] >= 0.5) != (y == 1)
    table = [[np.sum((wrong_a == i) & (wrong_b == j)) for j in (0, 1)] for i in (0, 1)]
    return table, np.flatnonzero((wrong_a & wrong_b)[:, 0])


wrong(
    "1.6.2",
    constant=lambda: (lambda y, a, b: (np.array([[10, 2], [3, 25]]), [1, 4]),),
    no_table_at_all=lambda: (lambda y, a, b: np.flatnonzero(compare(y, a, b)[1]),),
    raises=lambda: (lambda y, a, b: 1 / 0,),
)


# --- 1.6.3 ---


@lru_cache(maxsize=2)
def callback_run(framework="torch"):
    """A run with the three helpers, and its checkpoint in a folder that stays for the session."""
    import keras
    import pytorch_lightning as pl

    folder = new_folder()
    data, twin = course(), {"torch": torch_cnn, "keras": keras_cnn}[framework]
    if framework == "keras":
        path = folder / "best.keras"
        callbacks = [
            keras.callbacks.EarlyStopping(monitor="val_auroc", mode="max", patience=2),
            keras.callbacks.ModelCheckpoint(path, monitor="val_loss", save_best_only=True),
        ]
    else:
        path = folder / "best.ckpt"
        callbacks = [
            pl.callbacks.EarlyStopping(monitor="val_loss", min_delta=0.002, patience=3),
            pl.callbacks.ModelCheckpoint(
                dirpath=folder, filename="best", monitor="val_auroc", mode="max"
            ),
        ]
    history = twin.fit(
        twin.build_cnn(DAY1_CNN),
        data.X_train,
        data.y_train,
        X_val=data.X_val,
        y_val=data.y_val,
        epochs=40,
        learning_rate=lambda epoch: 0.02 * 0.6**epoch,
        callbacks=callbacks,
        progress=False,
    )
    scores = evaluation.evaluate(data.y_val, twin.predict(twin.load(path), data.X_val))
    return history, str(path), scores


def changed_run(change=lambda table: table, path=None, scores=None):
    """The run in Torch with another history, checkpoint or scores."""
    history, its_path, its_scores = callback_run()
    return change(history.table.copy()), path or its_path, scores or its_scores


@right("1.6.3")
def in_keras_as_tables():
    history, path, scores = callback_run("keras")
    return history.table.to_dict("list"), Path(path), scores._asdict()


@wrong("1.6.3")
def checkpoint_of_another_run():
    model, path = torch_cnn.build_cnn(DAY1_CNN, random_state=5), new_folder() / "other.ckpt"
    torch_cnn.save(model, path)
    p = torch_cnn.predict(model, course().X_val)
    return changed_run(path=str(path), scores=evaluation.evaluate(course().y_val, p))


@wrong("1.6.3")
def random_history():
    rng = np.random.default_rng(0)
    return changed_run(lambda table: table.assign(val_loss=rng.random(len(table))))


@wrong("1.6.3")
def scores_on_test():
    p = torch_cnn.predict(torch_cnn.load(callback_run()[1]), course().X_test)
    return changed_run(scores=evaluation.evaluate(course().y_test, p))


right("1.6.3", in_torch=callback_run)
wrong(
    "1.6.3",
    no_schedule=lambda: changed_run(lambda table: table.assign(learning_rate=0.01)),
    no_early_stopping=lambda: changed_run(lambda table: pd.concat([table] * 40).head(40)),
    a_fixed_number_of_epochs=lambda: changed_run(lambda table: table.head(3)),
    no_such_file=lambda: changed_run(path="nowhere/best.keras"),
    another_kind_of_file=lambda: changed_run(path="best.pt"),
)


# --- 1.6.4 ---

# What twelve runs gave, one of the five starts of `seeds` (the last digit differs by machine).
RUNS = {
    ("adam", 0.1): (0.5, 0.5),
    ("adam", 0.01): (0.862, 0.786),
    ("adam", 0.001): (0.77, 0.758),
    ("sgd", 0.1): (0.757, 0.717),
    ("sgd", 0.01): (0.653, 0.578),
    ("sgd", 0.001): (0.549, 0.53),
}


def optimisation_table():
    rows = [
        (optimizer, rate, batch, auroc)
        for (optimizer, rate), aurocs in RUNS.items()
        for batch, auroc in zip((64, 256), aurocs, strict=True)
    ]
    return pd.DataFrame(rows, columns=["optimizer", "learning_rate", "batch_size", "val_auroc"])


def with_best(table):
    return table, table.loc[table["val_auroc"].idxmax()]


@right("1.6.4")
def a_list_of_dicts_and_one_of_them():
    rows = optimisation_table().to_dict("records")
    rows = [row | {"optimizer": row["optimizer"].title()} for row in rows]
    return rows, max(rows, key=lambda row: row["val_auroc"])


@right("1.6.4")
def a_table_with_an_index():
    table = optimisation_table().set_index(["optimizer", "learning_rate", "batch_size"])
    return table, {"optimizer": "adam", "learning_rate": [0.01], "batch_size": 64.0}


@right("1.6.4")
def rates_in_float32_and_a_table_of_the_best_row():
    table = optimisation_table().astype({"learning_rate": "f4"})
    return table, table.nlargest(1, "val_auroc")


def with_values(values):
    """The table with other values of val AUROC, and its best row."""
    table = optimisation_table()
    return with_best(table.assign(val_auroc=values(table["val_auroc"])))


right("1.6.4", a_table_and_its_row=lambda: with_best(optimisation_table()))
wrong(
    "1.6.4",
    one_value_is_too_good=lambda: with_values(lambda v: [0.99, *v[1:]]),
    a_nan_among_the_values=lambda: with_values(lambda v: [np.nan, *v[1:]]),
    random_values=lambda: with_values(lambda v: np.random.default_rng(1).uniform(0.9, 1, len(v))),
    a_model_that_was_trained_on_and_on=lambda: with_values(lambda v: np.linspace(0.75, 0.93, 12)),
    a_combination_is_missing=lambda: with_best(optimisation_table().drop(index=7)),
    one_batch_size=lambda: with_best(optimisation_table().query("batch_size == 64")),
    the_first_row_is_named=lambda: (optimisation_table(), optimisation_table().iloc[0]),
    only_the_number_of_the_row=lambda: (optimisation_table(), 2),
)


# --- 1.6.5 ---


@right("1.6.5")
def the_same_in_keras():
    model = keras_cnn.build_cnn(best_model().architecture)
    keras_cnn.set_weights(model, torch_cnn.get_weights(best_model()))
    return model.architecture, model


@wrong("1.6.5")
def another_untrained():
    return best_model().architecture, torch_cnn.build_cnn(best_model().architecture)


@wrong("1.6.5")
def knows_the_test_set_by_heart():
    class LooksUp(torch.nn.Module):
        def forward(self, x):
            return torch.from_numpy(course().y_test)

    return best_model().architecture, LooksUp()


right("1.6.5", in_torch_by_matrix=lambda: (best_model().architecture, best_model()))
wrong(
    "1.6.5",
    day_1_untrained=lambda: (DAY1_CNN, torch_cnn.build_cnn(DAY1_CNN)),
    an_architecture_of_another_model=lambda: (DAY1_CNN, best_model()),
    turned_round=lambda: with_weights(lambda name, w: -w if name == "output.kernel" else w),
    weights_that_are_nan=lambda: with_weights(lambda name, w: w * np.nan),
)
