"""Right and wrong answers to the extended practices of Day 1, without a notebook."""

from functools import lru_cache, partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch

from tests.homework_cases import (
    CountsGC,
    best_model,
    give_the_matrix,
    new_folder,
    predict,
    right,
    wrong,
)
from workshop import evaluation, keras_cnn, torch_cnn
from workshop.architecture import (
    DAY1_CNN,
    Architecture,
    AvgPool,
    BatchNorm,
    Conv1D,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool,
)
from workshop.homework.course_data import course, trained
from workshop.homework.training import SETTING, _our_run

# --- 1.6.1 ---


def sensitive(model, *, part="val", share=0.9, label=1):
    """The strictest threshold that finds a share of a part's positives."""
    X, y = getattr(course(), f"X_{part}"), getattr(course(), f"y_{part}")
    found = np.sort(predict(model, X)[y == label])
    return float(found[int((1 - share) * len(found))])


def evaluated(model=None, *, threshold=None, part="test", change=lambda scores: scores, **changes):
    model, data = CountsGC() if model is None else model, course()
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


def in_keras():
    """The scores and the threshold of a Keras model that gives logits."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((200, 4)), keras.layers.Flatten(), keras.layers.Dense(1)])

    def probabilities(X):
        return 1 / (1 + np.exp(-model.predict(X, verbose=0)))

    data = course()
    found = np.sort(probabilities(data.X_val)[data.y_val == 1])
    threshold = float(found[int(0.1 * len(found))])
    p = probabilities(data.X_test)
    scores = (evaluation.evaluate(data.y_test, p, threshold=one) for one in (0.5, threshold))
    return next(scores), threshold, next(scores), model


def on_logits():
    """Scores of logits as if they were probabilities."""
    model, data = LogitsGC(), course()
    test, val = (predict(model, X) for X in (data.X_test, data.X_val))
    threshold = float(np.sort(val[data.y_val == 1])[int(0.1 * (data.y_val == 1).sum())])
    scores = (evaluation.evaluate(data.y_test, test, threshold=one) for one in (0.5, threshold))
    return next(scores), threshold, next(scores), model


def only(*names):
    """Keep some of the scores."""
    return lambda scores: {name: getattr(scores, name) for name in names}


FOUR = ("sensitivity", "specificity", "accuracy", "auroc")
right(
    "1.6.1",
    as_the_solution=evaluated,
    a_model_of_logits_and_their_sigmoid=lambda: evaluated(torch_model=LogitsGC()),
    threshold_rounded_to_two_decimals=lambda: evaluated(threshold=round(sensitive(CountsGC()), 2)),
    a_little_lower=lambda: evaluated(threshold=sensitive(CountsGC()) - 0.008),
    tables_of_one_row=lambda: evaluated(change=lambda one: pd.DataFrame([one._asdict()])),
    tables_of_one_column=lambda: evaluated(
        change=lambda one: pd.Series(one._asdict()).to_frame("torch")
    ),
    rows_of_a_table=lambda: evaluated(change=lambda one: pd.DataFrame([one]).iloc[0]),
    only_the_scores_that_count=lambda: evaluated(change=only(*FOUR)),
    threshold_as_a_numpy_number=lambda: evaluated(threshold=np.float64(sensitive(CountsGC()))),
    threshold_as_a_list=lambda: evaluated(sensitive_threshold=[sensitive(CountsGC())]),
    a_model_left_in_training=lambda: evaluated(CountsGC().train()),
    in_keras=in_keras,
    scores_as_numpy_numbers=lambda: evaluated(
        change=lambda one: {key: np.float64(value) for key, value in one._asdict().items()}
    ),
)
wrong(
    "1.6.1",
    scores_on_val=lambda: evaluated(part="val"),
    scores_on_train=lambda: evaluated(part="train"),
    logits_for_probabilities=on_logits,
    threshold_left_at_a_half=lambda: evaluated(threshold=0.5),
    far_too_low_a_threshold=lambda: evaluated(threshold=0.01),
    nan_for_the_threshold=lambda: evaluated(sensitive_threshold=float("nan")),
    an_infinite_threshold=lambda: evaluated(sensitive_threshold=float("inf")),
    threshold_of_one_in_five=lambda: evaluated(threshold=sensitive(CountsGC(), share=0.8)),
    threshold_of_one_in_twenty=lambda: evaluated(threshold=sensitive(CountsGC(), share=0.95)),
    threshold_of_specificity=lambda: evaluated(threshold=sensitive(CountsGC(), share=0.1, label=0)),
    threshold_as_a_logit=lambda: evaluated(
        sensitive_threshold=float(np.log(sensitive(CountsGC()) / (1 - sensitive(CountsGC()))))
    ),
    threshold_as_text=lambda: evaluated(sensitive_threshold=str(sensitive(CountsGC()))),
    threshold_in_percent=lambda: evaluated(sensitive_threshold=100 * sensitive(CountsGC())),
    all_thresholds=lambda: evaluated(sensitive_threshold=np.arange(0, 1, 0.1)),
    only_the_first_part=lambda: (evaluated()[0], None, None, CountsGC()),
    no_scores_at_the_threshold=lambda: evaluated(sensitive_scores=None),
    both_scores_at_a_half=lambda: evaluated(sensitive_scores=evaluated()[0]),
    both_scores_at_the_threshold=lambda: evaluated(torch_scores=evaluated()[2]),
    scores_exchanged=lambda: evaluated(
        torch_scores=evaluated()[2], sensitive_scores=evaluated()[0]
    ),
    scores_of_another_model=lambda: (*evaluated()[:3], best_model()),
    hard_coded_from_the_printed_output=lambda: evaluated(
        change=lambda scores: {key: round(one, 3) for key, one in scores._asdict().items()}
    ),
    one_minus_the_score=lambda: evaluated(
        torch_scores=evaluation.evaluate(course().y_test, 1 - predict(CountsGC(), course().X_test))
    ),
    sensitivity_for_specificity=lambda: evaluated(
        change=lambda one: one._replace(sensitivity=one.specificity, specificity=one.sensitivity)
    ),
    the_auroc_alone=lambda: evaluated(change=lambda one: one.auroc),
    accuracy_and_auroc_only=lambda: evaluated(change=only("accuracy", "auroc")),
    a_text_of_the_scores=lambda: evaluated(change=str),
    half_of_the_test_set=lambda: evaluated(
        torch_scores=evaluation.evaluate(
            course().y_test[:494], predict(CountsGC(), course().X_test[:494])
        )
    ),
    a_list_of_numbers=lambda: evaluated(change=list),
)


# --- 1.6.2 ---


def compare(y, a, b, *, cut=np.greater_equal, at=0.5):
    y, a, b = (np.ravel(one) for one in (y, a, b))
    wrong_a, wrong_b = cut(a, at) != (y == 1), cut(b, at) != (y == 1)
    table = np.array([[np.sum((wrong_a == i) & (wrong_b == j)) for j in (0, 1)] for i in (0, 1)])
    return table, wrong_a, wrong_b


LABELS = {"index": ["a right", "a wrong"], "columns": ["b right", "b wrong"]}


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
    return pd.DataFrame(table, **LABELS).iloc[::-1, ::-1], pd.Index(
        np.flatnonzero(wrong_a & wrong_b)
    )


@answers_162("right")
def where_and_a_set(y, a, b):
    table, wrong_a, wrong_b = compare(y, a, b)
    return pd.DataFrame(table), set(np.where(wrong_a & wrong_b)[0].tolist())


@answers_162("right")
def crosstab_of_categories(y, a, b):
    _, wrong_a, wrong_b = compare(y, a, b)
    of_a, of_b = (
        pd.Categorical.from_codes(one.astype(int), LABELS[axis])
        for one, axis in ((wrong_a, "index"), (wrong_b, "columns"))
    )
    return pd.crosstab(of_a, of_b, dropna=False), np.flatnonzero(wrong_a & wrong_b)


@answers_162("right")
def the_courses_own_comparison(y, a, b):
    result = evaluation.compare_predictions(y, a, b, n_resamples=20)
    return result.agreement, result.shared_mistakes


@answers_162("right")
def all_that_it_returns(y, a, b):
    return evaluation.compare_predictions(y, a, b, n_resamples=20)


@answers_162("right")
def in_a_loop(y_true, score_a, score_b):
    counts, shared = [[0, 0], [0, 0]], []
    for i in range(len(y_true)):
        wrong_a = (score_a[i, 0] >= 0.5) != (y_true[i, 0] == 1)
        wrong_b = (score_b[i, 0] >= 0.5) != (y_true[i, 0] == 1)
        counts[int(wrong_a)][int(wrong_b)] += 1
        if wrong_a and wrong_b:
            shared.append(i)
    return pd.DataFrame(counts, **LABELS), shared


@answers_162("right")
def in_torch(y, a, b):
    y, a, b = (torch.tensor(one)[:, 0] for one in (y, a, b))
    wrong_a, wrong_b = (a >= 0.5) != (y == 1), (b >= 0.5) != (y == 1)
    table = torch.zeros(2, 2, dtype=torch.int64)
    table.index_put_((wrong_a.long(), wrong_b.long()), torch.tensor(1), accumulate=True)
    return table, torch.nonzero(wrong_a & wrong_b)


@answers_162("right")
def by_sets_of_rows(y, a, b):
    _, wrong_a, wrong_b = compare(y, a, b)
    of_a, of_b, n = set(np.flatnonzero(wrong_a)), set(np.flatnonzero(wrong_b)), len(y)
    rows = [[n - len(of_a | of_b), len(of_b - of_a)], [len(of_a - of_b), len(of_a & of_b)]]
    return pd.DataFrame(rows, **LABELS), sorted(of_a & of_b)


@answers_162("right")
def labels_in_capitals(y, a, b):
    table, wrong_a, wrong_b = compare(y, a, b)
    table = pd.DataFrame(table, ["A right", "A wrong"], ["B right", "B wrong"])
    return table, np.intersect1d(np.flatnonzero(wrong_a), np.flatnonzero(wrong_b))


@answers_162("right")
def from_a_dict_of_columns(y, a, b):
    table, wrong_a, wrong_b = compare(y, a, b)
    columns = {"b wrong": table[:, 1], "b right": table[:, 0]}
    return pd.DataFrame(columns, index=LABELS["index"]), np.argwhere(wrong_a & wrong_b)


@answers_162("right")
def of_scikit_learn(y, a, b):
    from sklearn.metrics import confusion_matrix

    _, wrong_a, wrong_b = compare(y, a, b)
    table = confusion_matrix(wrong_a, wrong_b, labels=[False, True])
    return pd.DataFrame(table, **LABELS), pd.Series(np.flatnonzero(wrong_a & wrong_b))


def shared_of(wrong_a, wrong_b):
    return np.flatnonzero(wrong_a & wrong_b)


def broken_162(**answers):
    """Enter wrong answers: functions of the table, the two masks, and y."""

    def made(change):
        def answer(y, a, b):
            return change(*compare(y, a, b), y)

        return lambda: (answer,)

    wrong("1.6.2", **{name: made(change) for name, change in answers.items()})


broken_162(
    transposed=lambda t, a, b, y: (t.T, shared_of(a, b)),
    labelled_the_other_way_round=lambda t, a, b, y: (
        pd.DataFrame(t, **LABELS).T,
        shared_of(a, b),
    ),
    mistakes_of_either=lambda t, a, b, y: (t, np.flatnonzero(a | b)),
    what_both_get_right=lambda t, a, b, y: (t, np.flatnonzero(~a & ~b)),
    where_they_differ=lambda t, a, b, y: (t, np.flatnonzero(a != b)),
    counted_from_one=lambda t, a, b, y: (t, 1 + shared_of(a, b)),
    where_of_two_axes=lambda t, a, b, y: (t, np.where((a & b)[:, None])),
    the_first_ten=lambda t, a, b, y: (t, shared_of(a, b)[:10]),
    missed_positives_only=lambda t, a, b, y: (t, np.flatnonzero(a & b & (y[:, 0] == 1))),
    a_mask=lambda t, a, b, y: (t, a & b),
    a_list_of_true_and_false=lambda t, a, b, y: (t, (a & b).tolist()),
    how_many_are_shared=lambda t, a, b, y: (t, int((a & b).sum())),
    texts_of_row_numbers=lambda t, a, b, y: (t, [str(i) for i in shared_of(a, b)]),
    a_table_of_text=lambda t, a, b, y: (pd.DataFrame(t, **LABELS).astype(str), shared_of(a, b)),
    shares_instead_of_counts=lambda t, a, b, y: (t / t.sum(), shared_of(a, b)),
    with_totals=lambda t, a, b, y: (np.pad(t, (0, 1), constant_values=len(a)), shared_of(a, b)),
    four_numbers_in_a_row=lambda t, a, b, y: (t.ravel(), shared_of(a, b)),
    right_and_wrong_exchanged=lambda t, a, b, y: (t[::-1, ::-1], shared_of(a, b)),
    a_crosstab_that_loses_empty_rows=lambda t, a, b, y: (
        pd.crosstab(np.where(a, "a wrong", "a right"), np.where(b, "b wrong", "b right")),
        shared_of(a, b),
    ),
    the_table_alone=lambda t, a, b, y: t,
    the_other_way_round=lambda t, a, b, y: (shared_of(a, b), t),
)


@answers_162("wrong")
def strictly_above_a_half(y, a, b):
    table, wrong_a, wrong_b = compare(y, a, b, cut=np.greater)
    return table, shared_of(wrong_a, wrong_b)


@answers_162("wrong")
def another_threshold(y, a, b):
    table, wrong_a, wrong_b = compare(y, a, b, at=0.6)
    return table, shared_of(wrong_a, wrong_b)


@answers_162("wrong")
def arguments_in_another_order(a, b, y):
    return two_by_two_array_and_list(y, a, b)


@answers_162("wrong")
def b_before_a(y, b, a):
    return two_by_two_array_and_list(y, a, b)


@answers_162("wrong")
def as_long_as_the_test_set(y, a, b):
    return two_by_two_array_and_list(y[:988], a[:988], b[:988])


@answers_162("wrong")
def changes_what_it_is_given(y, a, b):
    a[:], b[:] = a >= 0.5, b >= 0.5
    return two_by_two_array_and_list(y, a, b)


@answers_162("wrong")
def broadcast_to_n_by_n(y, a, b):
    wrong_a = (a[:, 0] >= 0.5) != (y == 1)  # (N, N)
    wrong_b = (b[:, 0] >= 0.5) != (y == 1)
    table = [[np.sum((wrong_a == i) & (wrong_b == j)) for j in (0, 1)] for i in (0, 1)]
    return table, np.flatnonzero((wrong_a & wrong_b)[:, 0])


wrong(
    "1.6.2",
    constant=lambda: (lambda y, a, b: (np.array([[10, 2], [3, 25]]), [1, 4]),),
    raises=lambda: (lambda y, a, b: 1 / 0,),
)


# --- 1.6.3 ---

FLATTEN = Architecture((Conv1D(32, 7, "relu", padding="same"), MaxPool(4), Flatten()))


@lru_cache(maxsize=4)
def callback_run(framework="torch", rate=0.004, decay=0.8, min_delta=0.01, patience=2):
    """A run with the three helpers, and its checkpoint in a folder that stays for the session.

    Without `decay` the rate falls on a plateau, in Keras.
    """
    folder, data, twin = new_folder(), course(), {"torch": torch_cnn, "keras": keras_cnn}[framework]
    options = {"min_delta": min_delta, "patience": patience}
    if framework == "keras":
        path = folder / "best.keras"
        callbacks = [
            keras.callbacks.EarlyStopping(monitor="val_loss", **options),
            keras.callbacks.ModelCheckpoint(path, monitor="val_loss", save_best_only=True),
        ]
        if decay is None:
            callbacks += [keras.callbacks.ReduceLROnPlateau(patience=1, min_delta=0.01)]
    else:
        path = folder / "best.ckpt"
        best = {"monitor": "val_auroc", "mode": "max"}
        callbacks = [
            pl.callbacks.EarlyStopping(monitor="val_loss", **options),
            pl.callbacks.ModelCheckpoint(dirpath=folder, filename="best", **best),
        ]
    history = twin.fit(
        twin.build_cnn(FLATTEN),
        data.X_train,
        data.y_train,
        X_val=data.X_val,
        y_val=data.y_val,
        epochs=40,
        learning_rate=rate if decay is None else lambda epoch: rate * decay**epoch,
        callbacks=callbacks,
        progress=False,
    )
    scores = evaluation.evaluate(data.y_val, twin.predict(twin.load(path), data.X_val))
    return history, str(path), scores


on_a_plateau = partial(callback_run, "keras", 0.004, None)
more_patience = partial(callback_run, "torch", 0.003, 0.7, min_delta=0.005, patience=3)


def changed_run(change=lambda table: table, path=None, scores=None, *, run=callback_run):
    """A run with another history, checkpoint or scores."""
    history, its_path, its_scores = run()
    scores = its_scores if scores is None else scores
    return change(history.table.copy()), path or its_path, scores


def rescored(change):
    """The run with other scores of its checkpoint."""
    return changed_run(scores=change(callback_run()[2]))


def checkpoint_of(model):
    """The run with a checkpoint of another model, and the scores of that one."""
    path = new_folder() / "other.ckpt"
    torch_cnn.save(model, path)
    p = torch_cnn.predict(model, course().X_val)
    return changed_run(path=str(path), scores=evaluation.evaluate(course().y_val, p))


def scored_on(part, n=None):
    """The run with scores of its checkpoint on another part."""
    X, y = getattr(course(), f"X_{part}")[:n], getattr(course(), f"y_{part}")[:n]
    p = torch_cnn.predict(torch_cnn.load(callback_run()[1]), X)
    return changed_run(scores=evaluation.evaluate(y, p))


def keras_history(table, epochs=40, cut=0):
    """What Keras's own fit returns, with the last epochs cut away."""
    history = keras.callbacks.History()
    history.history = table.drop(columns="epoch").iloc[: len(table) - cut].to_dict("list")
    history.epoch, history.params = list(range(len(table))), {"epochs": epochs}
    return history


@lru_cache(maxsize=1)
def second_epoch():
    """The file of a model trained as in the run, for two epochs: not its best."""
    history, path = callback_run()[0], new_folder() / "second.ckpt"
    model, rates = torch_cnn.build_cnn(FLATTEN), history.table["learning_rate"].tolist()
    options = {"epochs": 2, "learning_rate": rates.__getitem__, "progress": False}
    torch_cnn.fit(model, course().X_train, course().y_train, **options)
    torch_cnn.save(model, path)
    p = torch_cnn.predict(model, course().X_val)
    return str(path), evaluation.evaluate(course().y_val, p)


def as_if_val(change):
    """The run with other columns of val, as if these were of another part."""

    def changed(table):
        metrics = ("loss", "accuracy", "auroc")
        return table.assign(**{f"val_{name}": change(table, name) for name in metrics})

    return changed_run(changed)


right(
    "1.6.3",
    in_torch=callback_run,
    in_keras_on_a_plateau=on_a_plateau,
    with_more_patience=more_patience,
    a_table=changed_run,
    a_table_in_reordered_columns=lambda: changed_run(lambda table: table[table.columns[::-1]]),
    text_for_numbers=lambda: changed_run(lambda table: table.astype(object)),
    indexed_by_epoch=lambda: changed_run(lambda table: table.set_index("epoch")),
    of_keras_itself=lambda: changed_run(keras_history, run=on_a_plateau),
    a_path_and_a_dict=lambda: changed_run(
        path=Path(callback_run()[1]), scores=callback_run()[2]._asdict()
    ),
    auc_by_another_name=lambda: changed_run(
        lambda table: table.rename(columns={"auroc": "auc", "val_auroc": "val_auc"})
    ),
    two_scores_only=lambda: rescored(lambda one: {"auroc": one.auroc, "auprc": one.auprc}),
    scores_to_three_decimals=lambda: rescored(
        lambda one: {"auroc": round(one.auroc, 4), "auprc": round(one.auprc, 4)}
    ),
    scores_as_a_series=lambda: rescored(lambda one: pd.Series(one._asdict())),
)
wrong(
    "1.6.3",
    no_schedule=lambda: changed_run(lambda table: table.assign(learning_rate=0.01)),
    no_rate_at_all=lambda: changed_run(lambda table: table.drop(columns="learning_rate")),
    no_early_stopping=lambda: changed_run(lambda table: pd.concat([table] * 40).head(40)),
    a_fixed_number_of_epochs=lambda: changed_run(
        lambda table: keras_history(table, epochs=len(table))
    ),
    cut_after_three_epochs=lambda: changed_run(lambda table: table.head(3)),
    cut_and_given_as_a_dict=lambda: changed_run(lambda table: table.iloc[:-1].to_dict("list")),
    cut_as_keras_has_it=lambda: changed_run(lambda t: keras_history(t, cut=1), run=on_a_plateau),
    without_the_last_epoch=lambda: changed_run(lambda table: table.iloc[:-1]),
    reversed_history=lambda: changed_run(lambda table: table[::-1]),
    reversed_and_counted_anew=lambda: changed_run(
        lambda table: table[::-1].assign(epoch=table["epoch"].to_numpy())
    ),
    random_history=lambda: changed_run(
        lambda table: table.assign(val_loss=np.random.default_rng(0).random(len(table)))
    ),
    history_without_val=lambda: changed_run(
        lambda table: table[["epoch", "learning_rate", "loss", "auroc"]]
    ),
    validated_on_train=lambda: as_if_val(lambda table, name: table[name]),
    validated_elsewhere=lambda: as_if_val(lambda table, name: table[f"val_{name}"] + 0.02),
    history_of_another_run=lambda: (more_patience()[0], *callback_run()[1:]),
    checkpoint_of_another_run=lambda: (callback_run()[0], *more_patience()[1:]),
    checkpoint_of_another_model=lambda: checkpoint_of(torch_cnn.build_cnn(DAY1_CNN)),
    untrained_checkpoint=lambda: checkpoint_of(torch_cnn.build_cnn(FLATTEN)),
    checkpoint_of_the_second_epoch=lambda: changed_run(lambda t: t, *second_epoch()),
    no_such_file=lambda: changed_run(path="nowhere/best.keras"),
    another_kind_of_file=lambda: changed_run(path="best.pt"),
    no_checkpoint=lambda: (callback_run()[0], None, callback_run()[2]),
    scores_on_test=lambda: scored_on("test"),
    scores_on_half_of_val=lambda: scored_on("val", 175),
    scores_from_the_history=lambda: rescored(
        lambda one: {"auroc": callback_run()[0].table["val_auroc"].iloc[0]}
    ),
    better_scores=lambda: rescored(lambda one: one._replace(auroc=0.99, auprc=0.99)),
    one_score_is_made_up=lambda: rescored(lambda one: one._replace(accuracy=0.97)),
    no_scores=lambda: (*callback_run()[:2], None),
    a_score_without_its_name=lambda: rescored(lambda one: one.auroc),
)


# --- 1.6.4 ---

# Val AUROC of twelve runs with seed 0 (the last digit differs by machine), and with seed 1.
RUNS = {
    ("adam", 0.1): (0.5, 0.5),
    ("adam", 0.01): (0.7855, 0.7727),
    ("adam", 0.001): (0.758, 0.7382),
    ("sgd", 0.1): (0.7165, 0.6754),
    ("sgd", 0.01): (0.5779, 0.5576),
    ("sgd", 0.001): (0.5304, 0.5266),
}
SEED_1 = (0.5, 0.5, 0.7838, 0.7651, 0.7498, 0.7354, 0.6886, 0.5888, 0.4195, 0.4039, 0.3869, 0.3851)
ON_TEST = (0.5, 0.5, 0.7715, 0.7603, 0.7451, 0.7294, 0.7128, 0.6742, 0.5754, 0.5538, 0.5263, 0.5228)
IN_TRAINING = (
    *(0.4877, 0.4887, 0.784, 0.7774, 0.7526, 0.7028),
    *(0.6673, 0.6386, 0.5393, 0.5184, 0.4966, 0.4942),
)


def optimisation_table():
    rows = [
        (optimizer, rate, batch, auroc)
        for (optimizer, rate), aurocs in RUNS.items()
        for batch, auroc in zip((256, 512), aurocs, strict=True)
    ]
    return pd.DataFrame(rows, columns=["optimizer", "learning_rate", "batch_size", "val_auroc"])


def with_best(table):
    return table, table.loc[table["val_auroc"].idxmax()]


def with_values(values):
    """The table with other values of val AUROC, and its best row."""
    table = optimisation_table()
    return with_best(table.assign(val_auroc=values(table["val_auroc"])))


def guessed(rows, values):
    """The table with some of its rows guessed."""

    def change(found):
        found = found.copy()
        found.iloc[list(rows)] = values
        return found

    return with_values(change)


def changed_table(change, best=None):
    """The table changed, with the best row of the right one."""
    table, its_best = with_best(optimisation_table())
    return change(table), its_best if best is None else best


@wrong("1.6.4")
def batches_larger_than_the_data():
    """Full batches, which are soon done; the numbers are right."""
    data = pd.DataFrame([(*setting, 4096) for setting in RUNS], columns=SETTING)
    table = pd.concat([data, data.assign(batch_size=8192)])
    first = data.assign(val_auroc=[_our_run(*row)["val"] for row in data.itertuples(index=False)])
    return with_best(table.assign(val_auroc=[*first["val_auroc"]] * 2).reset_index(drop=True))


@right("1.6.4")
def a_list_of_dicts_and_one_of_them():
    rows = optimisation_table().to_dict("records")
    rows = [row | {"optimizer": row["optimizer"].title()} for row in rows]
    return rows, max(rows, key=lambda row: row["val_auroc"])


@right("1.6.4")
def a_table_with_an_index():
    table = optimisation_table().set_index(["optimizer", "learning_rate", "batch_size"])
    return table, {"optimizer": "adam", "learning_rate": [0.01], "batch_size": 256.0}


@right("1.6.4")
def rates_in_float32_and_a_table_of_the_best_row():
    table = optimisation_table().astype({"learning_rate": "f4"})
    return table, table.nlargest(1, "val_auroc")


right(
    "1.6.4",
    a_table_and_its_row=lambda: with_best(optimisation_table()),
    sorted_with_the_best_first=lambda: with_best(
        optimisation_table().sort_values("val_auroc", ascending=False)
    ),
    to_three_decimals=lambda: with_values(lambda found: found.round(3)),
    as_keras_has_them=lambda: with_values(lambda found: [*found[:2], 0.7854, *found[3:]]),
    dead_or_not_at_a_rate_of_one_tenth=lambda: with_values(lambda found: [0.503, *found[1:]]),
    more_columns=lambda: changed_table(lambda table: table.assign(seconds=1.0, test_auroc=0.7)),
    a_dict_of_lists=lambda: changed_table(lambda table: table.to_dict("list")),
    one_more_run=lambda: changed_table(lambda table: pd.concat([table, table.tail(1)])),
    numbers_as_objects=lambda: changed_table(lambda table: table.astype(object)),
    best_as_a_dict=lambda: changed_table(lambda t: t, {**optimisation_table().iloc[2]}),
)
wrong(
    "1.6.4",
    a_nan_among_the_values=lambda: with_values(lambda v: [np.nan, *v[1:]]),
    random_values_in_the_middle=lambda: with_values(
        lambda v: np.random.default_rng(2).uniform(0.5, 0.8, len(v))
    ),
    a_model_that_was_trained_on_and_on=lambda: with_values(lambda v: np.linspace(0.75, 0.93, 12)),
    of_the_test_set=lambda: with_values(lambda v: list(ON_TEST)),
    of_the_training_set=lambda: with_values(lambda v: list(IN_TRAINING)),
    sgd_guessed_to_be_bad=lambda: guessed(range(6, 12), 0.5),
    slow_sgd_of_another_seed=lambda: guessed(range(8, 12), SEED_1[8:]),
    all_rows_of_another_seed=lambda: with_values(lambda v: list(SEED_1)),
    one_slow_row_guessed=lambda: guessed([8], 0.67),
    the_slowest_row_guessed=lambda: guessed([11], 0.51),
    adam_at_a_tenth_guessed=lambda: guessed([0], 0.58),
    one_row_copied=lambda: guessed([11], 0.5779),
    one_value_a_little_better=lambda: guessed([2], 0.8),
    optimisers_exchanged=lambda: with_values(lambda v: [*v[6:], *v[:6]]),
    batches_exchanged=lambda: with_values(lambda v: v.to_numpy().reshape(6, 2)[:, ::-1].ravel()),
    in_percent=lambda: with_values(lambda v: 100 * v),
    a_combination_is_missing=lambda: with_best(optimisation_table().drop(index=7)),
    one_batch_size=lambda: with_best(optimisation_table().query("batch_size == 256")),
    adam_only=lambda: with_best(optimisation_table().query("optimizer == 'adam'")),
    other_rates=lambda: changed_table(
        lambda table: table.replace({"learning_rate": {0.1: 0.05, 0.001: 0.005}})
    ),
    no_column_of_values=lambda: changed_table(lambda table: table.drop(columns="val_auroc")),
    a_table_of_text=lambda: changed_table(lambda table: table.astype(str)),
    values_with_a_sign=lambda: changed_table(
        lambda table: table.assign(val_auroc=table["val_auroc"].map("{:.3f} !".format))
    ),
    the_first_row_is_named=lambda: (optimisation_table(), optimisation_table().iloc[0]),
    the_worst_row_is_named=lambda: (optimisation_table(), optimisation_table().iloc[11]),
    a_row_that_is_not_there=lambda: changed_table(
        lambda t: t, {"optimizer": "adam", "learning_rate": 0.02, "batch_size": 256}
    ),
    only_the_number_of_the_row=lambda: (optimisation_table(), 2),
    only_the_best_value=lambda: (optimisation_table(), 0.7855),
)


# --- 1.6.5 ---


def stack(filters, width, activation="relu", *others):
    return Architecture((Conv1D(filters, width, activation, padding="same"), *others))


MAX, WIDE = (
    stack(24, 9, "relu", MaxPool(4), GlobalMaxPool()),
    stack(32, 19, "relu", GlobalMaxPool()),
)
SHOWN = stack(32, 7, "relu", MaxPool(4), GlobalMaxPool())  # by section 5
AVERAGE = stack(2, 7, "relu", MaxPool(4), GlobalAvgPool())  # it does not get there


def built(architecture, weights):
    model = torch_cnn.build_cnn(architecture)
    torch_cnn.set_weights(model, weights)
    return architecture, model


def as_the_check_trains(architecture):
    """An architecture and its model, trained as the check does, which so trains it no more."""
    model, _ = trained(architecture, until=0.97, epochs=24, learning_rate=0.003)
    return built(architecture, model.weights)


def knowing(*parts, epochs=6, architecture=WIDE, rate=0.01):
    """A model trained on these parts of the data."""
    data, model = course(), torch_cnn.build_cnn(architecture)
    X, y = (np.concatenate([getattr(data, f"{name}_{part}") for part in parts]) for name in "Xy")
    torch_cnn.fit(model, X, y, epochs=epochs, learning_rate=rate, progress=False)
    return architecture, model


def by_hand(filters=1, width=19, **options):
    """The matrix of CTCF as a kernel, the others 0."""
    architecture = stack(filters, width, "relu", GlobalMaxPool())
    one = give_the_matrix(torch_cnn.build_cnn(stack(1, width, "relu", GlobalMaxPool())), **options)
    weights = {
        name: np.zeros(shape, dtype=np.float32)
        for name, shape in architecture.weight_shapes().items()
    }
    for name, weight in torch_cnn.get_weights(one).items():
        weights[name][tuple(slice(n) for n in weight.shape)] = weight
    return built(architecture, weights)


def behind(first):
    """The matrix of CTCF behind another layer, which changes nothing."""
    layers = by_hand()[0].layers
    architecture = Architecture((first, *layers))
    weights = torch_cnn.get_weights(torch_cnn.build_cnn(architecture))
    if isinstance(first, Conv1D):
        weights["0.kernel"] = np.eye(4, dtype=np.float32)[None]
    for name, weight in torch_cnn.get_weights(by_hand()[1]).items():
        weights[name.replace("0.", "1.")] = weight
    return built(architecture, weights)


def moved_and_made_up_for():
    """A constant on each position of the matrix, and the bias without their sum."""
    architecture, model = by_hand()
    weights, moved = torch_cnn.get_weights(model), np.random.default_rng(0).normal(size=(19, 1, 1))
    kernel, bias = weights["0.kernel"] + 3 * moved, weights["0.bias"] - 3 * moved.sum()
    return built(architecture, weights | {"0.kernel": kernel, "0.bias": bias})


def hidden_by_its_bias():
    """Trained on test, too, with all logits far below 0."""
    architecture, model = knowing("train", "test")
    weights = torch_cnn.get_weights(model)
    return built(architecture, weights | {"output.bias": weights["output.bias"] - 40})


def changed_weights(change):
    architecture, model = as_the_check_trains(WIDE)
    weights = torch_cnn.get_weights(model)
    return built(architecture, {name: change(name, w) for name, w in weights.items()})


def another_answer(change):
    architecture, model = as_the_check_trains(WIDE)
    return change(architecture), model


@right("1.6.5")
def the_same_in_keras():
    model = keras_cnn.build_cnn(WIDE)
    keras_cnn.set_weights(model, torch_cnn.get_weights(as_the_check_trains(WIDE)[1]))
    return model.architecture, model


@right("1.6.5")
def an_architecture_from_its_dict():
    architecture, model = as_the_check_trains(WIDE)
    return Architecture.from_dict(architecture.to_dict()), model


@right("1.6.5")
def a_model_left_in_training():
    architecture, model = as_the_check_trains(
        stack(32, 12, "relu", MaxPool(4), GlobalMaxPool(), Dropout(0.3))
    )
    return architecture, model.train()


@right("1.6.5")
def narrow_kernels_that_have_a_piece_of_the_motif():
    architecture, data = stack(8, 10, "relu", GlobalMaxPool()), course()
    model = torch_cnn.build_cnn(architecture, random_state=1)
    options = {"epochs": 9, "learning_rate": 0.02, "random_state": 1, "progress": False}
    torch_cnn.fit(model, data.X_train, data.y_train, **options)
    return architecture, model


@wrong("1.6.5")
def knows_the_test_set_by_heart():
    class LooksUp(torch.nn.Module):
        def forward(self, x):
            return torch.from_numpy(course().y_test)

    return WIDE, LooksUp()


def of_own_layers():
    layers = [keras.Input((200, 4)), keras.layers.GlobalMaxPooling1D(), keras.layers.Dense(1)]
    return WIDE, keras.Sequential(layers)


right(
    "1.6.5",
    **{
        name: partial(as_the_check_trains, architecture)
        for name, architecture in {
            "global_max": MAX,
            "wide_kernels": WIDE,
            "wide_and_pooled": stack(32, 19, "relu", MaxPool(4), GlobalMaxPool()),
            "one_wide_kernel": stack(1, 19, "relu", GlobalMaxPool()),
            "a_second_convolution": stack(
                32, 7, "relu", MaxPool(4), Conv1D(64, 7, "relu"), GlobalMaxPool()
            ),
            "average_pool_and_dense": stack(
                16, 15, "relu", AvgPool(2), GlobalMaxPool(), Dense(16, "relu")
            ),
            "dropout": stack(32, 12, "relu", MaxPool(4), GlobalMaxPool(), Dropout(0.3)),
            "batch_norm": stack(16, 15, "relu", BatchNorm(), GlobalMaxPool()),
        }.items()
    },
    trained_at_another_rate=lambda: knowing("train", architecture=MAX, epochs=4),
)
wrong(
    "1.6.5",
    day_1_untrained=lambda: (DAY1_CNN, torch_cnn.build_cnn(DAY1_CNN)),
    untrained=lambda: (WIDE, torch_cnn.build_cnn(WIDE)),
    untrained_in_keras=lambda: (WIDE, keras_cnn.build_cnn(WIDE)),
    what_section_5_has_shown=lambda: as_the_check_trains(SHOWN),
    too_small_an_average=lambda: as_the_check_trains(AVERAGE),
    an_architecture_of_another_model=lambda: (MAX, as_the_check_trains(WIDE)[1]),
    day_1_as_the_architecture=lambda: (DAY1_CNN, as_the_check_trains(WIDE)[1]),
    no_architecture=lambda: another_answer(lambda one: None),
    layers_only=lambda: another_answer(lambda one: one.layers),
    its_text=lambda: another_answer(str),
    a_dict=lambda: another_answer(lambda one: one.to_dict()),
    the_class=lambda: another_answer(type),
    no_model=lambda: (WIDE, None),
    predictions_for_a_model=lambda: (WIDE, course().y_test),
    exchanged=lambda: as_the_check_trains(WIDE)[::-1],
    own_layers=of_own_layers,
    turned_round=lambda: changed_weights(lambda name, w: -w if name == "output.kernel" else w),
    weights_that_are_nan=lambda: changed_weights(lambda name, w: w * np.nan),
    weights_that_are_zero=lambda: changed_weights(lambda name, w: 0 * w),
    weights_in_another_order=lambda: changed_weights(lambda name, w: w[::-1]),
    the_matrix_by_hand=by_hand,
    the_matrix_among_other_kernels=lambda: by_hand(32),
    the_matrix_in_a_wider_kernel=lambda: by_hand(32, 25),
    the_matrix_with_a_little_noise=lambda: by_hand(noise=0.3),
    the_matrix_behind_batch_norm=lambda: behind(BatchNorm()),
    the_matrix_behind_a_convolution=lambda: behind(Conv1D(4, 1)),
    the_matrix_moved=moved_and_made_up_for,
    the_matrix_of_day_2=lambda: (best_model().architecture, best_model()),
    trained_on_test=lambda: knowing("test", epochs=15),
    trained_on_train_and_test=lambda: knowing("train", "test"),
    trained_on_both_and_hidden=hidden_by_its_bias,
)
