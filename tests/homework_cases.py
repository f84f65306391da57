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

import numpy as np
import pandas as pd
import torch

from workshop import evaluation, interpret, keras_cnn, motifs, nas, torch_cnn
from workshop.architecture import DAY1_CNN, Architecture, Conv1D, GlobalMaxPool, MaxPool
from workshop.homework.practice import course
from workshop.nas.results import SearchResult
from workshop.nas.trial import Trial

CASES = {}
FOLDER = tempfile.TemporaryDirectory(prefix="workshop-test-")  # of this module; goes with it


def new_folder():
    return Path(tempfile.mkdtemp(dir=FOLDER.name))


def case(practice_id, kind, label=None):
    def enter(make):
        cases = CASES.setdefault(practice_id, {"right": {}, "wrong": {}})[kind]
        cases[label or make.__name__] = make
        return make

    return enter


def right(practice_id):
    return case(practice_id, "right")


def wrong(practice_id):
    return case(practice_id, "wrong")


# --- models whose answers are known ---


def matrix_model(kernel_size=19, *, pool=False, noise=0.0, seed=0):
    """A network whose kernel is the log-odds matrix of CTCF: it finds the motif anywhere."""
    layers = [Conv1D(1, kernel_size, "relu", padding="same"), GlobalMaxPool()]
    if pool:
        layers.insert(1, MaxPool(4))
    model = torch_cnn.build_cnn(Architecture(tuple(layers)))
    kernel = np.zeros((kernel_size, 4, 1), dtype=np.float32)
    kernel[:19, :, 0] = motifs.load_motif("MA0139.1").log_odds()
    kernel += noise * np.random.default_rng(seed).normal(size=kernel.shape)
    names = list(model.architecture.weight_shapes())
    values = [kernel, np.full(1, 20.0), np.full((1, 1), 0.4), np.full(1, -10.0)]
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


def evaluation_answers(*, threshold=None, part="test", **changes):
    model, data = CountsGC(), course()
    X, y = getattr(data, f"X_{part}"), getattr(data, f"y_{part}")
    p, threshold = predict(model, X), sensitive(model) if threshold is None else threshold
    return {
        "torch_scores": evaluation.evaluate(y, p),
        "sensitive_threshold": threshold,
        "sensitive_scores": evaluation.evaluate(y, p, threshold=threshold),
        "torch_model": model,
    } | changes


@right("1.6.1")
def as_the_solution():
    return tuple(evaluation_answers().values())


@right("1.6.1")
def dicts_and_a_grid_of_thresholds():
    model, data = CountsGC(), course()
    p_val = predict(model, data.X_val)[:, 0]
    grid = np.arange(0, 1, 0.005)
    found = [np.mean(p_val[data.y_val[:, 0] == 1] >= t) for t in grid]
    threshold = np.array([grid[np.array(found) >= 0.9].max()])
    answers = evaluation_answers(threshold=float(threshold[0]))
    return (
        answers["torch_scores"]._asdict(),
        threshold,
        pd.Series(answers["sensitive_scores"]._asdict()),
        model,
    )


@right("1.6.1")
def threshold_rounded_to_two_decimals():
    return tuple(evaluation_answers(threshold=round(sensitive(CountsGC()), 2)).values())


@wrong("1.6.1")
def scores_on_val():
    return tuple(evaluation_answers(part="val").values())


@wrong("1.6.1")
def hard_coded_from_the_printed_output():
    answers = evaluation_answers()
    for name in ("torch_scores", "sensitive_scores"):
        answers[name] = {key: round(v, 3) for key, v in answers[name]._asdict().items()}
    return tuple(answers.values())


@wrong("1.6.1")
def threshold_left_at_a_half():
    return tuple(evaluation_answers(threshold=0.5).values())


@wrong("1.6.1")
def far_too_low_a_threshold():
    return tuple(evaluation_answers(threshold=0.01).values())


@wrong("1.6.1")
def one_minus_the_score():
    answers, data = evaluation_answers(), course()
    turned = 1 - predict(answers["torch_model"], data.X_test)
    return tuple((answers | {"torch_scores": evaluation.evaluate(data.y_test, turned)}).values())


@wrong("1.6.1")
def nan_for_the_threshold():
    return tuple(evaluation_answers(sensitive_threshold=float("nan")).values())


@wrong("1.6.1")
def only_the_first_part():
    return evaluation_answers()["torch_scores"], None, None, CountsGC()


# --- 1.6.2 ---


def compare(y, a, b, *, cut=np.greater_equal):
    y, a, b = (np.ravel(one) for one in (y, a, b))
    wrong_a, wrong_b = cut(a, 0.5) != (y == 1), cut(b, 0.5) != (y == 1)
    table = np.array([[np.sum((wrong_a == i) & (wrong_b == j)) for j in (0, 1)] for i in (0, 1)])
    return table, wrong_a, wrong_b


@right("1.6.2")
def two_by_two_array_and_list():
    def answer(y, a, b):
        table, wrong_a, wrong_b = compare(y, a, b)
        return table.tolist(), [i for i in range(len(y)) if wrong_a[i] and wrong_b[i]]

    return (answer,)


@right("1.6.2")
def crosstab_with_other_order_of_rows():
    def answer(y, a, b):
        frame = pd.DataFrame({"y": y[:, 0] == 1, "a": a[:, 0] >= 0.5, "b": b[:, 0] >= 0.5})
        names = {True: "right", False: "wrong"}
        of_a = (frame["a"] == frame["y"]).map(lambda one: f"a {names[one]}")
        of_b = (frame["b"] == frame["y"]).map(lambda one: f"b {names[one]}")
        table = pd.crosstab(of_a, of_b).reindex(
            index=["a wrong", "a right"], columns=["b wrong", "b right"], fill_value=0
        )
        return table, frame.index[(of_a == "a wrong") & (of_b == "b wrong")]

    return (answer,)


@right("1.6.2")
def where_and_a_set():
    def answer(y, a, b):
        table, wrong_a, wrong_b = compare(y, a, b)
        return pd.DataFrame(table), set(np.where(wrong_a & wrong_b)[0].tolist())

    return (answer,)


@right("1.6.2")
def crosstab_without_the_cells_that_are_empty():
    def answer(y, a, b):
        _, wrong_a, wrong_b = compare(y, a, b)
        of_a, of_b = (
            np.where(wrong_a, "A wrong", "A right"),
            np.where(wrong_b, "B wrong", "B right"),
        )
        return pd.crosstab(of_a, of_b), np.flatnonzero(wrong_a & wrong_b)

    return (answer,)


@wrong("1.6.2")
def transposed():
    def answer(y, a, b):
        table, wrong_a, wrong_b = compare(y, a, b)
        return table.T, np.flatnonzero(wrong_a & wrong_b)

    return (answer,)


@wrong("1.6.2")
def strictly_above_a_half():
    def answer(y, a, b):
        table, wrong_a, wrong_b = compare(y, a, b, cut=np.greater)
        return table, np.flatnonzero(wrong_a & wrong_b)

    return (answer,)


@wrong("1.6.2")
def mistakes_of_either():
    def answer(y, a, b):
        table, wrong_a, wrong_b = compare(y, a, b)
        return table, np.flatnonzero(wrong_a | wrong_b)

    return (answer,)


@wrong("1.6.2")
def counted_from_one():
    def answer(y, a, b):
        table, wrong_a, wrong_b = compare(y, a, b)
        return table, 1 + np.flatnonzero(wrong_a & wrong_b)

    return (answer,)


@wrong("1.6.2")
def broadcast_to_n_by_n():
    def answer(y, a, b):
        wrong_a = (a[:, 0] >= 0.5) != (y == 1)  # (N, N)
        wrong_b = (b[:, 0] >= 0.5) != (y == 1)
        table = [[np.sum((wrong_a == i) & (wrong_b == j)) for j in (0, 1)] for i in (0, 1)]
        return table, np.flatnonzero((wrong_a & wrong_b)[:, 0])

    return (answer,)


@wrong("1.6.2")
def constant():
    return (lambda y, a, b: (np.array([[10, 2], [3, 25]]), [1, 4]),)


@wrong("1.6.2")
def no_table_at_all():
    return (lambda y, a, b: np.flatnonzero(compare(y, a, b)[1]),)


@wrong("1.6.2")
def raises():
    return (lambda y, a, b: 1 / 0,)


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


@right("1.6.3")
def in_torch():
    return callback_run()


@right("1.6.3")
def in_keras_as_tables():
    history, path, scores = callback_run("keras")
    return history.table.to_dict("list"), Path(path), scores._asdict()


@wrong("1.6.3")
def no_schedule():
    history, path, scores = callback_run()
    return history.table.assign(learning_rate=0.01), path, scores


@wrong("1.6.3")
def no_early_stopping():
    history, path, scores = callback_run()
    more = pd.concat([history.table] * 40, ignore_index=True).head(40)
    return more, path, scores


@wrong("1.6.3")
def a_fixed_number_of_epochs():
    table = callback_run()[0].table.head(3).copy()
    return table, *callback_run()[1:]


@wrong("1.6.3")
def checkpoint_of_another_run():
    history, path, _ = callback_run()
    model = torch_cnn.build_cnn(DAY1_CNN, random_state=5)
    torch_cnn.save(model, other := Path(path).with_name("other.ckpt"))
    p = torch_cnn.predict(model, course().X_val)
    return history, str(other), evaluation.evaluate(course().y_val, p)


@wrong("1.6.3")
def random_history():
    history, path, scores = callback_run()
    table = history.table.copy()
    table[["val_loss", "val_auroc"]] = np.random.default_rng(0).random((len(table), 2))
    return table, path, scores


@wrong("1.6.3")
def scores_on_test():
    history, path, _ = callback_run()
    p = torch_cnn.predict(torch_cnn.load(path), course().X_test)
    return history, path, evaluation.evaluate(course().y_test, p)


@wrong("1.6.3")
def no_such_file():
    return callback_run()[0], "nowhere/best.keras", callback_run()[2]


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
    return pd.DataFrame(
        [
            {
                "optimizer": optimizer,
                "learning_rate": rate,
                "batch_size": batch,
                "val_auroc": aurocs[i],
            }
            for (optimizer, rate), aurocs in RUNS.items()
            for i, batch in enumerate((64, 256))
        ]
    )


def with_best(table):
    return table, table.loc[table["val_auroc"].idxmax()]


@right("1.6.4")
def a_table_and_its_row():
    return with_best(optimisation_table())


@right("1.6.4")
def a_list_of_dicts_and_a_tuple():
    rows = optimisation_table().to_dict("records")
    return [row | {"optimizer": row["optimizer"].title()} for row in rows], ("Adam", 0.01, 64)


@right("1.6.4")
def a_table_with_an_index():
    table = optimisation_table().set_index(["optimizer", "learning_rate", "batch_size"])
    return table, {"optimizer": "adam", "learning_rate": [0.01], "batch_size": 64.0}


@right("1.6.4")
def rates_in_float32_and_the_label_of_the_best_row():
    table = optimisation_table().astype({"learning_rate": "f4"})
    table = table.sort_values("val_auroc", ascending=False)
    return table, table["val_auroc"].idxmax()


@wrong("1.6.4")
def one_value_is_too_good():
    table = optimisation_table()
    table.loc[0, "val_auroc"] = 0.99
    return with_best(table)


@wrong("1.6.4")
def a_combination_is_missing():
    return with_best(optimisation_table().drop(index=7))


@wrong("1.6.4")
def one_batch_size():
    return with_best(optimisation_table().query("batch_size == 64"))


@wrong("1.6.4")
def random_values():
    table = optimisation_table()
    return with_best(table.assign(val_auroc=np.random.default_rng(1).uniform(0.9, 1, len(table))))


@wrong("1.6.4")
def the_worst_is_named():
    table = optimisation_table()
    return table, table.loc[table["val_auroc"].idxmin()]


@wrong("1.6.4")
def the_first_row_is_named():
    return optimisation_table(), optimisation_table().iloc[0]


@wrong("1.6.4")
def a_nan_among_the_values():
    table = optimisation_table()
    table.loc[3, "val_auroc"] = np.nan
    return with_best(table)


@wrong("1.6.4")
def a_model_that_was_trained_on_and_on():
    table = optimisation_table()
    return with_best(table.assign(val_auroc=np.linspace(0.75, 0.93, len(table))))


# --- 1.6.5 ---


@right("1.6.5")
def in_torch_by_matrix():
    return best_model().architecture, best_model()


@right("1.6.5")
def the_same_in_keras():
    model = keras_cnn.build_cnn(best_model().architecture)
    keras_cnn.set_weights(model, torch_cnn.get_weights(best_model()))
    return model.architecture, model


@wrong("1.6.5")
def day_1_untrained():
    return DAY1_CNN, torch_cnn.build_cnn(DAY1_CNN)


@wrong("1.6.5")
def another_untrained():
    return best_model().architecture, torch_cnn.build_cnn(best_model().architecture)


@wrong("1.6.5")
def turned_round():
    model = matrix_model()
    weights = torch_cnn.get_weights(model)
    torch_cnn.set_weights(model, weights | {"output.kernel": -weights["output.kernel"]})
    return model.architecture, model


@wrong("1.6.5")
def an_architecture_of_another_model():
    return DAY1_CNN, best_model()


@wrong("1.6.5")
def knows_the_test_set_by_heart():
    class LooksUp(torch.nn.Module):
        def forward(self, x):
            return torch.from_numpy(course().y_test)

    return best_model().architecture, LooksUp()


@wrong("1.6.5")
def weights_that_are_nan():
    model = matrix_model()
    weights = torch_cnn.get_weights(model)
    torch_cnn.set_weights(model, {name: w * np.nan for name, w in weights.items()})
    return model.architecture, model


# --- 2.6.1 ---


def exact_importance(model, X):
    effects = interpret.saturation_mutagenesis(model, X, progress=False)
    return interpret.base_importance(effects, X)


def positives():
    return course().X_test[course().y_test[:, 0] == 1]


def negatives():
    return course().X_test[course().y_test[:, 0] == 0]


@lru_cache(maxsize=2)
def importance_of(label):
    return exact_importance(best_model(), positives() if label else negatives())


@right("2.6.1")
def by_the_library():
    return exact_importance, importance_of(1), best_model()


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
    model = matrix_model()
    weights = torch_cnn.get_weights(model)
    torch_cnn.set_weights(model, {name: 0 * w for name, w in weights.items()})
    return exact_importance, np.zeros((len(positives()), 200)), model


@wrong("2.6.1")
def wrong_sign():
    return (lambda model, X: -exact_importance(model, X)), -importance_of(1), best_model()


@wrong("2.6.1")
def wrong_axis():
    def score_all(model, X):
        return interpret.saturation_mutagenesis(model, X, progress=False).mean(axis=1)

    return score_all, importance_of(1), best_model()


@wrong("2.6.1")
def shifted_by_one():
    def score_all(model, X):
        return np.roll(exact_importance(model, X), 1, axis=1)

    return score_all, np.roll(importance_of(1), 1, axis=1), best_model()


@wrong("2.6.1")
def random_numbers():
    def score_all(model, X):
        return np.random.default_rng(0).normal(size=X.shape[:2])

    return score_all, score_all(None, positives()), best_model()


@wrong("2.6.1")
def the_input_itself():
    return (lambda model, X: X), positives(), best_model()


@wrong("2.6.1")
def saliency_instead():
    def score_all(model, X):
        return (interpret.saliency(model, X) * X).sum(axis=2)

    return score_all, score_all(best_model(), positives()), best_model()


@wrong("2.6.1")
def negatives_instead_of_positives():
    return exact_importance, importance_of(0), best_model()


@wrong("2.6.1")
def too_slow():
    import time

    def score_all(model, X):
        time.sleep(len(X) * 1.1)
        return exact_importance(model, X)

    return score_all, importance_of(1), best_model()


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


@right("2.6.2")
def true_claims():
    return importance_of(0), CLAIMS, WORDS, best_model()


@right("2.6.2")
def a_list_and_a_series():
    claims = pd.Series({key: side.upper().rstrip("S") for key, side in CLAIMS.items()})
    return importance_of(0).tolist(), claims, WORDS.split(". "), best_model()


@wrong("2.6.2")
def importance_of_the_positives():
    return importance_of(1), CLAIMS, WORDS, best_model()


@wrong("2.6.2")
def nan_in_one_place():
    broken = importance_of(0).copy()
    broken[3, 5] = np.nan
    return broken, CLAIMS, WORDS, best_model()


@wrong("2.6.2")
def one_claim_is_false():
    false = CLAIMS | {"more concentrated": "positives"}
    return importance_of(0), false, WORDS, best_model()


@wrong("2.6.2")
def no_words():
    return importance_of(0), CLAIMS, "They differ.", best_model()


@wrong("2.6.2")
def one_row_for_all():
    constant = np.repeat(importance_of(0).mean(axis=0, keepdims=True), len(negatives()), axis=0)
    return constant, CLAIMS, WORDS, best_model()


@wrong("2.6.2")
def transposed_importance():
    return importance_of(0).T, CLAIMS, WORDS, best_model()


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


def made_search(*, n=9, reward=evaluation.auroc, noise=0.0, claimed=0.0):
    """The result of a search as if it had tried `n` children of `pruned_space`."""
    folder = new_folder()
    data, trials = course(), []
    for trial in range(1, n + 1):
        tokens = (trial % 4, trial // 4 % 2, 0)
        model = matrix_model(KERNELS[tokens[0]], pool=tokens[1] == 0, noise=noise, seed=trial)
        torch_cnn.save(model, folder / "models" / f"trial-{trial}.ckpt")
        p = torch_cnn.predict(model, data.X_val)
        auroc = evaluation.auroc(data.y_val, p)
        scores = {"loss": np.nan, "auroc": auroc, "val_loss": np.nan, "val_auroc": auroc + claimed}
        made = Trial(
            trial,
            step=trial,
            tokens=tokens,
            operations=("conv1d", "pool", "globalmaxpool1d"),
            architecture=model.architecture,
            reward=float(reward(data.y_val, p)) + claimed,
            scores=scores,
            epochs=3,
            total_epochs=3,
            seconds=1.0,
            status="ok",
            reason="",
            probabilities=[],
        )
        trials.append(made)
    return SearchResult(
        "AMBER",
        "torch",
        folder,
        "max_trials",
        9.0,
        [],
        ("loss", "auroc", "val_loss", "val_auroc"),
        trials,
    )


@right("2.6.3")
def a_small_space_of_good_ones():
    return pruned_space(), made_search()


@right("2.6.3")
def more_trials_than_asked():
    return pruned_space(), made_search(n=12)


@wrong("2.6.3")
def nothing_pruned():
    return nas.cnn_model_space(), made_search()


@wrong("2.6.3")
def pruned_to_one():
    return pruned_space(KERNELS[:1]), made_search()


@wrong("2.6.3")
def too_few_trials():
    return pruned_space(), made_search(n=5)


@wrong("2.6.3")
def the_good_ones_are_gone():
    return pruned_space(), made_search(noise=8.0)


@wrong("2.6.3")
def rewards_that_are_not_the_models():
    return pruned_space(), made_search(noise=8.0, claimed=0.2)


@wrong("2.6.3")
def a_search_of_another_space():
    return pruned_space((5, 7, 9, 11)), made_search()


@wrong("2.6.3")
def no_search():
    return pruned_space(), None


def negative_loss(y_true, y_score):
    p = np.clip(np.asarray(y_score, dtype=float), 1e-7, 1 - 1e-7)
    return float(np.mean(y_true * np.log(p) + (1 - y_true) * np.log(1 - p)))


@right("2.6.4")
def minus_the_loss():
    return negative_loss, made_search(reward=negative_loss)


@right("2.6.4")
def accuracy_in_plain_python():
    def accuracy(y_true, y_score):
        pairs = zip(y_true.ravel().tolist(), y_score.ravel().tolist(), strict=True)
        return np.float32(sum((s >= 0.5) == (y == 1) for y, s in pairs) / len(y_true))

    return accuracy, made_search(reward=accuracy)


@right("2.6.4")
def minus_the_squared_error_as_a_tensor():
    def brier(y_true, y_score):
        return -torch.mean((torch.from_numpy(y_true) - torch.from_numpy(y_score)) ** 2)

    return brier, made_search(reward=brier)


@wrong("2.6.4")
def loss_without_the_minus():
    def loss(y_true, y_score):
        return -negative_loss(y_true, y_score)

    return loss, made_search(reward=loss)


@wrong("2.6.4")
def n_by_n():
    def accuracy(y_true, y_score):
        return np.mean((y_score[:, 0] >= 0.5) == (y_true == 1))

    return accuracy, made_search(reward=accuracy)


@wrong("2.6.4")
def infinite_at_the_ends():
    def loss(y_true, y_score):
        with np.errstate(all="ignore"):
            return np.mean(y_true * np.log(y_score) + (1 - y_true) * np.log(1 - y_score))

    return loss, made_search(reward=negative_loss)


@wrong("2.6.4")
def auroc_again():
    return evaluation.auroc, made_search()


@wrong("2.6.4")
def auroc_in_disguise():
    def gini(y_true, y_score):
        return round(2 * evaluation.auroc(y_true, y_score) - 1, 3)

    return gini, made_search(reward=gini)


@wrong("2.6.4")
def another_reward_but_the_search_by_auroc():
    return evaluation.auprc, made_search(noise=3.0)


@wrong("2.6.4")
def always_one():
    return (lambda y_true, y_score: 1.0), made_search(reward=lambda y_true, y_score: 1.0)


@wrong("2.6.4")
def one_number_a_row():
    def losses(y_true, y_score):
        return -((y_true - y_score) ** 2)

    return losses, made_search(reward=negative_loss)


@wrong("2.6.4")
def searched_with_another_reward():
    return negative_loss, made_search()


# --- 2.6.5 ---


def few(n=6):
    return positives()[:n]


@right("2.6.5")
def our_integrated_gradients():
    scores = interpret.integrated_gradients(best_model(), few(), progress=False)
    return scores, few(), best_model()


@right("2.6.5")
def captum():
    from captum.attr import IntegratedGradients

    scores = IntegratedGradients(best_model()).attribute(torch.from_numpy(few()), n_steps=128)
    return scores, few(), best_model()


@right("2.6.5")
def shap_from_zeros():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what SHAP asks of matplotlib
        import shap

    explainer = shap.GradientExplainer(best_model(), torch.zeros(1, 200, 4))
    scores = explainer.shap_values(torch.from_numpy(few()), nsamples=200, rseed=0)
    assert scores.shape == (6, 200, 4, 1)  # the last axis is that of the outputs
    return scores, few(), best_model()


@wrong("2.6.5")
def scaled():
    scores, X, model = our_integrated_gradients()
    return 1.5 * scores, X, model


@wrong("2.6.5")
def mutagenesis_again():
    scores = interpret.saturation_mutagenesis(best_model(), few(), progress=False)
    return scores, few(), best_model()


@wrong("2.6.5")
def the_gradient_only():
    return interpret.saliency(best_model(), few()), few(), best_model()


@wrong("2.6.5")
def sign_turned():
    scores, X, model = our_integrated_gradients()
    return -scores, X, model


@wrong("2.6.5")
def sequences_copied():
    return few(), few(), best_model()


@wrong("2.6.5")
def right_sums_in_random_places():
    scores, X, model = our_integrated_gradients()
    order = np.random.default_rng(0).permutation(200)
    placed = np.zeros_like(scores)
    placed[X == 1] = scores.sum(axis=2)[:, order].ravel()
    return placed, X, model


@wrong("2.6.5")
def channels_first():
    scores, X, model = our_integrated_gradients()
    return scores.swapaxes(1, 2), X, model


@wrong("2.6.5")
def nan_everywhere():
    return np.full((6, 200, 4), np.nan), few(), best_model()


@wrong("2.6.5")
def of_the_probability():
    class Probability(torch.nn.Module):
        def forward(self, x):
            return torch.sigmoid(best_model()(x))

    from captum.attr import IntegratedGradients

    scores = IntegratedGradients(Probability()).attribute(torch.from_numpy(few()), n_steps=128)
    return scores.numpy(force=True), few(), best_model()
