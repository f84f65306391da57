"""Right and wrong answers to the ten extended practices, without a notebook.

`best_model` here is no trained network: its one kernel is the CTCF matrix, so that its answers are
known. Each case is a function, made when its test runs: ``CASES[id]["right"][label]()`` gives what
`homework.check` takes.
"""

import tempfile
import warnings
from functools import lru_cache
from itertools import product
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import torch

from workshop import evaluation, interpret, keras_cnn, motifs, nas, torch_cnn
from workshop.architecture import DAY1_CNN, Architecture, Conv1D, GlobalMaxPool
from workshop.homework.course_data import course
from workshop.training import History

CASES = {}
FOLDER = tempfile.TemporaryDirectory(prefix="workshop-test-")  # of this module; goes with it


def new_folder():
    return Path(tempfile.mkdtemp(dir=FOLDER.name))


def right(practice_id, kind="right", **made):
    """Enter right answers: functions by label, or the one that is decorated."""
    cases = CASES.setdefault(practice_id, {"right": {}, "wrong": {}})[kind]
    cases.update(made)

    def enter(make):
        cases[make.__name__] = make
        return make

    return enter


def wrong(practice_id, **made):
    """Enter wrong answers."""
    return right(practice_id, "wrong", **made)


# --- models whose answers are known ---


def matrix_model(kernel_size=19, **options):
    """A network whose kernel is the log-odds matrix of CTCF: it finds the motif anywhere."""
    layers = (Conv1D(1, kernel_size, "relu", padding="same"), GlobalMaxPool())
    return give_the_matrix(torch_cnn.build_cnn(Architecture(layers)), **options)


def give_the_matrix(model, *, noise=0.0, seed=0, bias=20.0):
    """Let a network of one kernel, at least as wide as the motif, find it."""
    kernel = np.zeros(model.architecture.weight_shapes()["0.kernel"], dtype=np.float32)
    kernel[:19, :, 0] = motifs.load_motif("MA0139.1").log_odds()
    kernel += noise * np.random.default_rng(seed).normal(size=kernel.shape)
    names = list(model.architecture.weight_shapes())
    values = [kernel, np.full(1, bias), np.full((1, 1), 0.4), np.full(1, -10.0)]
    torch_cnn.set_weights(model, dict(zip(names, values, strict=True)))
    return model


@lru_cache(maxsize=1)
def best_model():
    return matrix_model()


class CountsGC(torch.nn.Module):
    """Scores between 0 and 1 that know something: a logistic function of the count of G and C."""

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(0.15))

    def forward(self, x):  # (N, 200, 4)
        return torch.sigmoid(self.scale * (x[:, :, 1:3].sum(dim=(1, 2)) - 85))[:, None]


def predict(model, X):
    with torch.inference_mode():
        return model(torch.from_numpy(X)).numpy()


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


def with_weights(change):
    """The architecture and the model of the matrix, its weights changed one by one."""
    model = matrix_model()
    weights = torch_cnn.get_weights(model)
    torch_cnn.set_weights(model, {name: change(name, w) for name, w in weights.items()})
    return model.architecture, model


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


# --- 2.6.1 ---


def exact_importance(model, X):
    effects = interpret.saturation_mutagenesis(model, X, progress=False)
    return interpret.base_importance(effects, X)


def positives():
    return course().X_test[course().y_test[:, 0] == 1]


@lru_cache(maxsize=2)
def importance_of(label):
    return exact_importance(best_model(), course().X_test[course().y_test[:, 0] == label])


@right("2.6.1")
def by_hand_in_batches():
    def score_all(model, X):
        importance = np.zeros(X.shape[:2])
        for i, x in enumerate(X):
            mutants = np.repeat(x[None], 800, axis=0)
            for p, base in product(range(200), range(4)):
                mutants[4 * p + base, p] = np.eye(4)[base]
            logits = torch_cnn.predict_logits(model, mutants)[:, 0].reshape(200, 4)
            before = torch_cnn.predict_logits(model, x[None])[0, 0]
            importance[i] = -(logits - before).sum(axis=1) / 3  # a mean over the three changes
        return importance.tolist()

    return score_all, pd.DataFrame(4 / 3 * importance_of(1)), best_model()


@wrong("2.6.1")
def of_a_model_that_knows_nothing():
    _, model = with_weights(lambda name, w: 0 * w)
    return exact_importance, np.zeros((len(positives()), 200)), model


@wrong("2.6.1")
def wrong_axis():
    def score_all(model, X):
        return interpret.saturation_mutagenesis(model, X, progress=False).mean(axis=1)

    return score_all, importance_of(1), best_model()


@wrong("2.6.1")
def too_slow():
    import time

    def score_all(model, X):
        time.sleep(len(X) * 1.1)
        return exact_importance(model, X)

    return score_all, importance_of(1), best_model()


def scored_by(score_all):
    """The function, and what it gives for the positives."""
    return score_all, score_all(best_model(), positives()), best_model()


right("2.6.1", by_the_library=lambda: (exact_importance, importance_of(1), best_model()))
wrong(
    "2.6.1",
    wrong_sign=lambda: scored_by(lambda model, X: -exact_importance(model, X)),
    shifted_by_one=lambda: scored_by(lambda model, X: np.roll(exact_importance(model, X), 1, 1)),
    random_numbers=lambda: scored_by(lambda model, X: np.random.default_rng(0).random(X.shape[:2])),
    the_input_itself=lambda: scored_by(lambda model, X: X),
    saliency_instead=lambda: scored_by(
        lambda model, X: (interpret.saliency(model, X) * X).sum(axis=2)
    ),
    negatives_instead_of_positives=lambda: (exact_importance, importance_of(0), best_model()),
    nothing_where_it_is_timed=lambda: scored_by(
        lambda model, X: np.zeros(X.shape[:2]) if len(X) in (4, 40) else exact_importance(model, X)
    ),
)


# --- 2.6.2 ---

# Of the matrix as a model, which looks at its best match only, in positives and negatives alike.
CLAIMS = {
    "largest importance": "positives",
    "most negative importance": "negatives",
    "more concentrated": "negatives",
}
WORDS = (
    "A positive holds a motif, and breaking it lowers the logit, so the importance is positive and "
    "in one place. A negative has none to break."
)


def on_negatives(change=lambda importance: importance, claims=CLAIMS, words=WORDS):
    return change(importance_of(0).copy()), claims, words, best_model()


right(
    "2.6.2",
    true_claims=on_negatives,
    a_list_and_a_series=lambda: on_negatives(
        np.ndarray.tolist, pd.Series({key: side.upper()[:-1] for key, side in CLAIMS.items()})
    ),
)
wrong(
    "2.6.2",
    importance_of_the_positives=lambda: on_negatives(lambda _: importance_of(1)),
    nan_in_one_place=lambda: on_negatives(lambda one: np.where(one == one.max(), np.nan, one)),
    one_row_for_all=lambda: on_negatives(lambda one: np.broadcast_to(one.mean(axis=0), one.shape)),
    transposed_importance=lambda: on_negatives(np.transpose),
    one_claim_is_false=lambda: on_negatives(claims=CLAIMS | {"more concentrated": "positives"}),
    no_words=lambda: on_negatives(words="They differ."),
)


# --- 2.6.3 and 2.6.4 ---

KERNELS = (19, 21, 23, 25)


def pruned_space(kernels=KERNELS):
    return nas.ModelSpace.from_dict(
        [
            [
                nas.Operation("conv1d", filters=1, kernel_size=k, activation="relu", padding="same")
                for k in kernels
            ],
            [nas.Operation("maxpool1d", pool_size=4), nas.Operation("identity")],
            [nas.Operation("globalmaxpool1d")],
        ]
    )


def made_search(*, n=9, reward="auroc", noise=0.0):
    """The result of a search whose children are not trained, but given the matrix."""

    def fit(model, X, y, *, random_state, **options):
        give_the_matrix(model, noise=noise, seed=random_state)
        return History(pd.DataFrame({"loss": [np.nan], "accuracy": [np.nan], "auroc": [np.nan]}))

    data = course()
    with mock.patch.object(torch_cnn, "fit", fit):
        return nas.random_search(
            pruned_space(),
            train=(data.X_train, data.y_train),
            val=(data.X_val, data.y_val),
            reward=reward,
            max_trials=n,
            working_dir=new_folder(),
            progress=False,
        )


class Boastful(nas.SearchResult):
    """A result that claims more than its models can do."""

    @property
    def history(self):
        return super().history.assign(val_auroc=lambda table: table["val_auroc"] + 0.2)

    @property
    def ranking(self):
        return super().ranking.assign(val_auroc=lambda table: table["val_auroc"] + 0.2)


right(
    "2.6.3",
    a_small_space_of_good_ones=lambda: (pruned_space(), made_search()),
    more_trials_than_asked=lambda: (pruned_space(), made_search(n=12)),
)


@wrong("2.6.3")
def rewards_that_are_not_the_models(kind=Boastful):
    result = object.__new__(kind)
    vars(result).update(vars(made_search(noise=8.0)))
    return pruned_space(), result


@wrong("2.6.3")
def a_history_that_no_model_bears_out():
    ranking = property(lambda self: nas.SearchResult.ranking.fget(self).head(0))
    return rewards_that_are_not_the_models(type("Empty", (Boastful,), {"ranking": ranking}))


wrong(
    "2.6.3",
    nothing_pruned=lambda: (nas.cnn_model_space(), made_search()),
    pruned_to_one=lambda: (pruned_space(KERNELS[:1]), made_search()),
    too_few_trials=lambda: (pruned_space(), made_search(n=5)),
    the_good_ones_are_gone=lambda: (pruned_space(), made_search(noise=8.0)),
    a_search_of_another_space=lambda: (pruned_space((5, 7, 9, 11)), made_search()),
    no_search=lambda: (pruned_space(), None),
)


def negative_loss(y_true, y_score):
    p = np.clip(np.asarray(y_score, dtype=float), 1e-7, 1 - 1e-7)
    return float(np.mean(y_true * np.log(p) + (1 - y_true) * np.log(1 - p)))


def accuracy(y_true, y_score):
    pairs = zip(y_true.ravel().tolist(), y_score.ravel().tolist(), strict=True)
    return np.float32(sum((s >= 0.5) == (y == 1) for y, s in pairs) / len(y_true))


def brier_as_a_tensor(y_true, y_score):
    return -torch.mean((torch.from_numpy(y_true) - torch.from_numpy(y_score)) ** 2)


def infinite_loss(y_true, y_score):
    with np.errstate(all="ignore"):
        return np.mean(y_true * np.log(y_score) + (1 - y_true) * np.log(1 - y_score))


def rewarded(reward):
    """The reward, and a search that it has driven."""
    return reward, made_search(reward=reward)


right(
    "2.6.4",
    minus_the_loss=lambda: rewarded(negative_loss),
    accuracy_in_plain_python=lambda: rewarded(accuracy),
    minus_the_squared_error_as_a_tensor=lambda: rewarded(brier_as_a_tensor),
)
wrong(
    "2.6.4",
    auroc_again=lambda: rewarded(evaluation.auroc),
    auroc_in_disguise=lambda: rewarded(lambda y, s: round(2 * evaluation.auroc(y, s) - 1, 3)),
    loss_without_the_minus=lambda: rewarded(lambda y, s: -negative_loss(y, s)),
    n_by_n=lambda: rewarded(lambda y, s: np.mean((s[:, 0] >= 0.5) == (y == 1))),
    always_one=lambda: rewarded(lambda y, s: 1.0),
    infinite_at_the_ends=lambda: (infinite_loss, made_search(reward=negative_loss)),
    one_number_a_row=lambda: (lambda y, s: -((y - s) ** 2), made_search(reward=negative_loss)),
    another_reward_but_the_search_by_auroc=lambda: (evaluation.auprc, made_search(noise=3.0)),
    searched_with_another_reward=lambda: (negative_loss, made_search()),
)


# --- 2.6.5 ---


def few(n=6):
    return positives()[:n]


def explained(score, change=lambda scores: scores):
    """Scores by a function of model and sequences, changed."""
    return change(score(best_model(), few())), few(), best_model()


def integrated(model, X):
    return interpret.integrated_gradients(model, X, progress=False)


def mutated(model, X):
    return interpret.saturation_mutagenesis(model, X, progress=False)


def captum(model, X):
    from captum.attr import IntegratedGradients

    return IntegratedGradients(model).attribute(torch.from_numpy(X), n_steps=128)


@right("2.6.5")
def shap_from_zeros():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what SHAP asks of matplotlib
        import shap

    explainer = shap.GradientExplainer(best_model(), torch.zeros(1, 200, 4))
    scores = explainer.shap_values(torch.from_numpy(few()), nsamples=200, rseed=0)
    assert scores.shape == (6, 200, 4, 1)  # the last axis is that of the outputs
    return scores, few(), best_model()


def in_random_places(scores):
    order = np.random.default_rng(0).permutation(200)
    placed = np.zeros_like(scores)
    placed[few() == 1] = scores.sum(axis=2)[:, order].ravel()
    return placed


class Probability(torch.nn.Module):
    def forward(self, x):
        return torch.sigmoid(best_model()(x))


def bent(method, **options):
    """Scores of Captum for a model of which zeros do not reach the ReLU: it is not linear."""
    from captum import attr

    model, X = matrix_model(bias=-4.0), torch.from_numpy(few())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Captum's, of hooks and of gradients that it sets
        scores = getattr(attr, method)(model).attribute(X, **options)
    return scores.detach().numpy(), few(), model


right(
    "2.6.5",
    our_gradients=lambda: explained(integrated),
    captum=lambda: explained(captum),
    gradient_times_input_of_a_linear_model=lambda: explained(
        lambda model, X: interpret.saliency(model, X) * X
    ),
    deep_lift=lambda: bent("DeepLift", baselines=torch.zeros(1, 200, 4)),
    integrated_gradients_of_it=lambda: bent("IntegratedGradients", n_steps=100),
)
wrong(
    "2.6.5",
    gradient_times_input=lambda: bent("InputXGradient"),
    ablation=lambda: bent("FeatureAblation"),
    scaled=lambda: explained(integrated, lambda scores: 1.5 * scores),
    sign_turned=lambda: explained(integrated, lambda scores: -scores),
    right_sums_in_random_places=lambda: explained(integrated, in_random_places),
    channels_first=lambda: explained(integrated, lambda scores: scores.swapaxes(1, 2)),
    nan_everywhere=lambda: explained(integrated, lambda scores: scores * np.nan),
    mutagenesis_again=lambda: explained(mutated),
    the_gradient_only=lambda: explained(interpret.saliency),
    sequences_copied=lambda: explained(lambda model, X: X),
    of_the_probability=lambda: explained(lambda model, X: captum(Probability(), X).detach()),
)
