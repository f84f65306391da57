"""Right and wrong answers to the extended practices of Day 2, without a notebook.

No child of a search is trained here: `plant` gives each network the CTCF matrix, as far as its
kernels are wide enough, so that networks with a maximum are good, and others are not.
"""

import copy
import json
import shutil
import warnings
from collections import namedtuple
from functools import cache, lru_cache, partial
from itertools import product

import numpy as np
import pandas as pd
import torch

from tests.homework_cases import best_model, new_folder, right, with_weights, wrong
from workshop import evaluation, interpret, motifs, nas, sequences, torch_cnn
from workshop.architecture import GlobalMaxPool
from workshop.homework import targets
from workshop.homework.course_data import course
from workshop.training import History

# --- 2.6.1 ---


def one_strand(model, X):
    return interpret.base_importance(interpret.saturation_mutagenesis(model, X, progress=False), X)


def both_strands(model, X):
    return (one_strand(model, X) + one_strand(model, X[:, ::-1, ::-1])[:, ::-1]) / 2


def positives():
    return course().X_test[course().y_test[:, 0] == 1]


@lru_cache(maxsize=2)
def importance_of(label):
    return both_strands(best_model(), course().X_test[course().y_test[:, 0] == label])


def by_hand(model, X):
    """A mean over the three changes, of all mutants of a sequence at once."""
    importance = np.zeros(X.shape[:2])
    for i, x in enumerate(X):
        for strand, step in ((x, 1), (x[::-1, ::-1], -1)):
            mutants = np.repeat(strand[None], 800, axis=0)
            for p, base in product(range(200), range(4)):
                mutants[4 * p + base, p] = np.eye(4)[base]
            logits = torch_cnn.predict_logits(model, mutants)[:, 0].reshape(200, 4)
            before = torch_cnn.predict_logits(model, strand[None])[0, 0]
            importance[i] -= (logits - before).sum(axis=1)[::step] / 6
    return importance.tolist()


def stacked(model, X):
    both = np.concatenate([X, sequences.reverse_complement(X)])
    maps = interpret.saturation_mutagenesis(model, both, progress=False)
    forward, backward = -maps.mean(axis=2).reshape(2, *X.shape[:2])
    return np.mean([forward, np.fliplr(backward)], axis=0)


def turned_with_its_bases(model, X):
    strands = X, sequences.reverse_complement(X)
    maps = [interpret.saturation_mutagenesis(model, one, progress=False) for one in strands]
    return -(maps[0] + maps[1][:, ::-1, ::-1]).sum(axis=2) / 8


def by_a_callable(model, X):
    def logits(seqs):
        return torch_cnn.predict_logits(model, seqs)

    return both_strands(model, X) + 0 * logits(X)


def one_by_one(model, X):
    return np.concatenate([both_strands(model, x[None]) for x in X])


def mutant_by_mutant(model, X):
    """Of all sequences at once: a call for each of the 800 mutants, however many sequences."""
    strands, means = (X, X[:, ::-1, ::-1]), []
    for strand in map(np.ascontiguousarray, strands):
        importance = torch_cnn.predict_logits(model, strand).repeat(200, axis=1)
        for p, b in np.ndindex(200, 4):
            mutants = strand.copy()
            mutants[:, p] = np.eye(4)[b]
            importance[:, p] -= torch_cnn.predict_logits(model, mutants)[:, 0] / 4
        means.append(importance)
    return (means[0] + means[1][:, ::-1]) / 2


def answers_261(score_all, given=lambda importance: importance, label=1):
    return score_all, given(importance_of(label).copy()), best_model()


right(
    "2.6.1",
    by_the_library=lambda: answers_261(both_strands),
    by_hand_in_batches=lambda: answers_261(by_hand, lambda one: pd.DataFrame(4 / 3 * one)),
    both_strands_stacked=lambda: answers_261(stacked),
    bases_turned_too=lambda: answers_261(turned_with_its_bases),
    with_a_callable=lambda: answers_261(by_a_callable),
    one_by_one=lambda: answers_261(one_by_one),
    mutant_by_mutant=lambda: answers_261(mutant_by_mutant),
    in_float32=lambda: answers_261(lambda m, X: both_strands(m, X).astype("f4"), np.float32),
    as_a_tensor=lambda: answers_261(lambda m, X: torch.tensor(both_strands(m, X)), torch.tensor),
    as_lists=lambda: answers_261(lambda m, X: both_strands(m, X).tolist(), np.ndarray.tolist),
    as_tables=lambda: answers_261(lambda m, X: pd.DataFrame(both_strands(m, X)), pd.DataFrame),
    over_three_letters=lambda: answers_261(lambda m, X: 4 / 3 * both_strands(m, X)),
    of_a_copy=lambda: answers_261(lambda m, X: both_strands(m, X.copy())),
    row_by_row=lambda: answers_261(lambda m, X: list(both_strands(m, X)), list),
)


@wrong("2.6.1")
def of_a_model_that_knows_nothing():
    _, model = with_weights(lambda name, w: 0 * w)
    return both_strands, np.zeros((len(positives()), 200)), model


@wrong("2.6.1")
def too_slow():
    import time

    def score_all(model, X):
        time.sleep(0.26 * len(X) if len(X) in (5, 20) else 0)  # in the calls that are timed
        return both_strands(model, X)

    return answers_261(score_all)


def scored_by(change):
    """What a function of the exact importance makes of it, in the function and in the array."""
    return lambda: (
        lambda model, X: change(both_strands(model, X)),
        change(importance_of(1).copy()),
        best_model(),
    )


def by(score_all):
    return lambda: (score_all, importance_of(1), best_model())


rng = np.random.default_rng(0)
wrong(
    "2.6.1",
    wrong_sign=scored_by(lambda one: -one),
    shifted_by_one=scored_by(lambda one: np.roll(one, 1, axis=1)),
    doubled=scored_by(lambda one: 2 * one),
    rounded=scored_by(lambda one: np.round(one, 1)),
    absolute=scored_by(np.abs),
    only_positive_values=scored_by(lambda one: np.clip(one, 0, None)),
    between_zero_and_one=scored_by(lambda one: one / np.abs(one).max()),
    random_numbers=scored_by(lambda one: rng.random(one.shape)),
    nan_where_it_is_zero=scored_by(lambda one: np.where(np.abs(one) < 1e-6, np.nan, one)),
    rows_in_another_order=scored_by(lambda one: one[::-1]),
    transposed=scored_by(np.transpose),
    one_row_for_all=scored_by(lambda one: np.broadcast_to(one.mean(axis=0), one.shape)),
    all_but_the_last=scored_by(lambda one: one[:-1]),
    smoothed=scored_by(lambda one: (one + np.roll(one, 1, 1) + np.roll(one, -1, 1)) / 3),
    one_strand_only=by(one_strand),
    the_other_strand_only=by(lambda m, X: one_strand(m, X[:, ::-1, ::-1])[:, ::-1]),
    not_turned_back=by(lambda m, X: (one_strand(m, X) + one_strand(m, X[:, ::-1, ::-1])) / 2),
    reversed_but_no_complement=by(
        lambda m, X: (one_strand(m, X) + one_strand(m, X[:, ::-1])[:, ::-1]) / 2
    ),
    complement_but_not_reversed=by(
        lambda m, X: (one_strand(m, X) + one_strand(m, X[:, :, ::-1])) / 2
    ),
    the_maximum_of_both=by(
        lambda m, X: np.maximum(one_strand(m, X), one_strand(m, X[:, ::-1, ::-1])[:, ::-1])
    ),
    four_numbers_a_base=by(lambda m, X: interpret.saturation_mutagenesis(m, X, progress=False)),
    the_input_itself=by(lambda m, X: X),
    saliency_instead=by(lambda m, X: (interpret.saliency(m, X) * X).sum(axis=2)),
    the_worst_change=by(
        lambda m, X: -interpret.saturation_mutagenesis(m, X, progress=False).min(axis=2)
    ),
    of_best_model_whatever_comes=by(lambda m, X: both_strands(best_model(), X)),
    nothing_where_it_is_timed=by(
        lambda m, X: np.zeros(X.shape[:2]) if len(X) in (5, 40) else both_strands(m, X)
    ),
    negatives_instead_of_positives=lambda: answers_261(both_strands, label=0),
    a_single_number=by(lambda m, X: 1.0),
)


# --- 2.6.2 ---


def share_of_the_best_window(one):
    positive = np.clip(one, 0, None)
    windows = np.lib.stride_tricks.sliding_window_view(positive, 19, axis=1).sum(axis=2)
    return windows.max(axis=1) / positive.sum(axis=1)


def measured(average=np.median, scale=1.0):
    parts = importance_of(1) * scale, importance_of(0) * scale
    of = {
        "largest importance": lambda one: one.max(axis=1),
        "lowest importance": lambda one: one.min(axis=1),
        "share of the best window": share_of_the_best_window,
    }
    return {k: float(average(f(parts[0])) - average(f(parts[1]))) for k, f in of.items()}


WORDS = (
    "A positive holds a motif, and breaking it lowers the logit, so the importance is positive and "
    "in one place. A negative has none to break."
)
Claims = namedtuple("Claims", ["largest", "lowest", "share"])


def on_negatives(change=lambda one: one, claims=dict, words=WORDS):
    return change(importance_of(0).copy()), claims(measured()), words, best_model()


def claimed(change):
    """One claim after the other, changed."""
    return lambda: on_negatives(claims=lambda one: {k: change(v) for k, v in one.items()})


right(
    "2.6.2",
    as_asked=on_negatives,
    rounded_to_two_decimals=claimed(lambda v: round(v, 2)),
    numpy_numbers=claimed(np.float32),
    arrays_of_one=claimed(lambda v: np.array([v])),
    lists_of_one=claimed(lambda v: [v]),
    a_series=lambda: on_negatives(claims=pd.Series),
    a_table_of_one_row=lambda: on_negatives(claims=lambda one: pd.DataFrame([one])),
    importance_as_lists=lambda: on_negatives(np.ndarray.tolist),
    importance_as_a_table=lambda: on_negatives(pd.DataFrame),
    importance_as_a_tensor=lambda: on_negatives(torch.tensor),
    over_three_letters=lambda: (
        4 / 3 * importance_of(0),
        measured(scale=4 / 3),
        WORDS,
        best_model(),
    ),
    more_claims_than_asked=lambda: on_negatives(claims=lambda one: one | {"mean": 0.0}),
    other_words=lambda: on_negatives(words="Nothing can be broken where no motif is, I think."),
)


def one_claim(name, value):
    return lambda: on_negatives(claims=lambda one: one | {name: value})


wrong(
    "2.6.2",
    importance_of_the_positives=lambda: on_negatives(lambda _: importance_of(1)),
    one_strand_only=lambda: on_negatives(
        lambda _: one_strand(best_model(), course().X_test[course().y_test[:, 0] == 0])
    ),
    nan_in_one_place=lambda: on_negatives(lambda one: np.where(one == one.max(), np.nan, one)),
    one_row_for_all=lambda: on_negatives(lambda one: np.broadcast_to(one.mean(axis=0), one.shape)),
    transposed_importance=lambda: on_negatives(np.transpose),
    importance_scaled=lambda: on_negatives(lambda one: 1.5 * one),
    importance_rounded=lambda: on_negatives(np.round),
    zeros=lambda: on_negatives(lambda one: 0 * one),
    the_first_hundred=lambda: on_negatives(lambda one: one[:100]),
    sign_of_the_importance=lambda: on_negatives(lambda one: -one),
    negatives_minus_positives=claimed(lambda v: -v),
    ten_times=claimed(lambda v: 10 * v),
    all_zero=claimed(lambda v: 0.0),
    all_one=claimed(lambda v: 1.0),
    words_for_numbers=claimed(lambda v: "positives"),
    true_for_numbers=claimed(lambda v: True),
    nan_for_numbers=claimed(lambda v: float("nan")),
    infinite=claimed(lambda v: float("inf")),
    as_text=claimed(str),
    pairs_of_medians=claimed(lambda v: (v, 0.0)),
    largest_is_wrong=one_claim("largest importance", 0.1),
    lowest_is_wrong=one_claim("lowest importance", -3.0),
    share_in_percent=one_claim("share of the best window", 100 * 0.3),
    share_missing=lambda: on_negatives(
        claims=lambda one: {k: v for k, v in one.items() if "share" not in k}
    ),
    a_list_of_numbers=lambda: on_negatives(claims=lambda one: list(one.values())),
    a_tuple_with_other_names=lambda: on_negatives(claims=lambda one: Claims(*one.values())),
    means_of_the_largest=lambda: on_negatives(
        claims=lambda one: one | {"largest importance": measured()["largest importance"] + 0.4}
    ),
)


# --- 2.6.3 and 2.6.4 ---


def plant(model, X, y, *, random_state=0, **options):
    """Instead of training: the middle of the CTCF matrix as first kernel, and a way to the end."""
    rng, layers = np.random.default_rng(random_state), model.architecture.layers
    shapes = model.architecture.weight_shapes()
    weights = {k: 1e-4 * rng.normal(size=shape).astype("f4") for k, shape in shapes.items()}
    width, matrix = layers[0].kernel_size, motifs.load_motif("MA0139.1").log_odds()
    weights["0.kernel"][:, :, 0] = 0.05 * matrix[10 - width // 2 :][:width]
    for name in shapes:
        if name.endswith(".kernel") and name not in ("0.kernel", "output.kernel"):
            weights[name][shapes[name][0] // 2, 0, 0] = 1
    if isinstance(layers[-1], GlobalMaxPool):
        weights["output.kernel"][0, 0] = 4
    weights["output.bias"] -= 2
    torch_cnn.set_weights(model, weights)
    return History(pd.DataFrame({"loss": [np.nan], "accuracy": [np.nan], "auroc": [np.nan]}))


def part_of_the_space(*kept):
    """A model space of these tokens of the course's layers."""
    full = nas.cnn_model_space()
    kept = [own or range(len(full[i])) for i, own in enumerate(kept or 4 * [None])]
    return nas.ModelSpace.from_dict([[full[i][t] for t in own] for i, own in enumerate(kept)])


MAX_ONLY = (None, None, None, (2,))


def made(space, *, method=nas.search, parts=("train", "val"), **options):
    """A search of planted children."""
    data = {
        name: tuple(getattr(course(), f"{one}_{part}") for one in "Xy")
        for name, part in zip(("train", "val"), parts, strict=True)
    }
    given = {**targets.CHILD, "max_trials": 9, "random_state": 0, "progress": False}
    return method(space, **data, **given | options, working_dir=new_folder())


@cache
def searched(*kept, **options):
    """The search of a part of the space; of cases that ask for the same, once."""
    return made(part_of_the_space(*kept), **options)


def pruned(*kept, **options):
    """A part of the space, and its search."""
    return lambda: (part_of_the_space(*kept), searched(*kept, **options))


def copied(result):
    """The same search, in a folder of its own."""
    other, folder = copy.copy(result), new_folder() / "search"
    shutil.copytree(other.working_dir, folder)
    object.__setattr__(other, "working_dir", folder)
    return other


def by_layers():
    space = nas.ModelSpace()
    for i, layer in enumerate(part_of_the_space(None, [0], None, [2]).state_space.values()):
        space.add_layer(i, list(layer))
    return space, made(space)


def without_the_layer():
    """Where only identity would be left, the layer can go."""
    full = nas.cnn_model_space()
    space = nas.ModelSpace.from_dict([list(full[0]), list(full[2]), [full[3][2]]])
    return space, made(space)


right(
    "2.6.3",
    maximum_only=pruned(*MAX_ONLY),
    maximum_and_wide_kernels=pruned((0, 1, 3, 4), None, None, (2,)),
    relu_only=pruned((0, 1), None, None, (2,)),
    tanh_only=pruned((3, 4), None, None, (2,)),
    without_average_pooling=pruned(None, (0, 2), None, (2,)),
    no_second_convolution=pruned((0, 1, 3), None, (6,), (2,)),
    widest_first=pruned((1, 4), None, (6, 0), (2,)),
    random_search=pruned(*MAX_ONLY, method=nas.random_search),
    more_trials_than_asked=pruned(*MAX_ONLY, max_trials=12),
    steered_as_in_the_lesson=pruned(
        *MAX_ONLY,
        controller=nas.ControllerSettings(
            buffering_steps=1, tanh_constant=2.5, lstm_size=256, lstm_num_layers=1, buffer_size=6
        ),
    ),
    with_a_time_budget=pruned(*MAX_ONLY, time_budget="00:05:00"),
    rewarded_by_the_loss=pruned(*MAX_ONLY, reward="loss"),
    added_layer_by_layer=by_layers,
    without_the_layer_of_pools=without_the_layer,
)


def disguised(result, **claims):
    """A result of a class of its own, which says something else than its files."""
    names = {k: property(lambda self, one=one: one(self)) for k, one in claims.items()}
    other = object.__new__(type("Boastful", (nas.SearchResult,), names))
    vars(other).update(vars(result))
    return other


def told(change, *, kept=MAX_ONLY):
    """A search that tells another history."""

    def history(self):
        return change(nas.SearchResult.history.fget(self)).reset_index(drop=True)

    return lambda: (part_of_the_space(*kept), disguised(searched(*kept), history=history))


def described(beside=lambda: part_of_the_space(*MAX_ONLY), result=None, **changes):
    """A search whose files say that it was another: its settings were edited."""

    def make():
        other = copied(result() if result else searched(*MAX_ONLY))
        file = other.working_dir / "search.json"
        content = json.loads(file.read_text())
        content["settings"] |= changes
        file.write_text(json.dumps(content))
        return beside(), other

    return make


def edited(change, *, kept=MAX_ONLY, **options):
    """A search whose files were edited: `change` gets the list of its trials."""

    def make():
        other = copied(searched(*kept, **options))
        file = other.working_dir / "trials.json"
        content = json.loads(file.read_text())
        content["trials"] = change(content["trials"])
        file.write_text(json.dumps(content))
        trials = [nas.Trial.from_plain(one) for one in content["trials"]]
        object.__setattr__(other, "trials", trials)
        return part_of_the_space(*kept), other

    return make


def better(trials):
    for one in trials:
        one["scores"]["val_auroc"] = one["reward"] = 0.97 + 0.001 * one["trial"]
    return trials


def files_gone():
    result = copied(searched(*MAX_ONLY))
    shutil.rmtree(result.working_dir)
    return part_of_the_space(*MAX_ONLY), result


def of_another_run():
    other = searched(*MAX_ONLY, random_state=1)
    mine = disguised(searched(*MAX_ONLY), working_dir=lambda self: other.working_dir)
    return part_of_the_space(*MAX_ONLY), mine


def new_operations():
    kernels = [
        nas.Operation("conv1d", filters=32, kernel_size=k, activation="relu", padding="same")
        for k in (19, 21, 23, 25)
    ]
    space = nas.ModelSpace.from_dict([kernels, [nas.Operation("globalmaxpool1d")]])
    return space, made(space)


AVERAGE_ONLY = (None, None, None, (1,))
wrong(
    "2.6.3",
    nothing_pruned=pruned(),
    pruned_to_one=pruned((0,), (0,), (0,), (2,)),
    pruned_to_two=pruned((0, 1), (0,), (0,), (2,)),
    one_operation_four_times=pruned((1,), (0,), (6,), (2, 2, 2, 2)),
    too_few_trials=pruned(*MAX_ONLY, max_trials=5),
    average_only=pruned(*AVERAGE_ONLY),
    flatten_only=pruned(None, None, None, (0,)),
    another_seed=pruned(*MAX_ONLY, random_state=1),
    another_seed_that_says_0=described(
        result=lambda: searched(*MAX_ONLY, random_state=1), random_state=0
    ),
    other_epochs=described(epochs=2),
    other_batches=described(batch_size=64),
    another_rate=described(learning_rate=0.01),
    other_data=described(data="[[1, 2]] 0123456789abcdef"),
    trained_on_test=pruned(*MAX_ONLY, parts=("test", "val")),
    halving=described(method="successive halving"),
    with_rungs=described(rungs=[1, 3]),
    another_space=lambda: (part_of_the_space(*MAX_ONLY), searched(*AVERAGE_ONLY)),
    larger_space=lambda: (part_of_the_space(*MAX_ONLY), searched()),
    new_operations=new_operations,
    no_search=lambda: (part_of_the_space(*MAX_ONLY), None),
    only_its_history=lambda: (part_of_the_space(*MAX_ONLY), searched(*MAX_ONLY).history),
    only_its_folder=lambda: (part_of_the_space(*MAX_ONLY), str(searched(*MAX_ONLY).working_dir)),
    a_list_for_a_space=lambda: ([[1, 2], [3, 4]], searched(*MAX_ONLY)),
    history_says_more=told(lambda t: t.assign(val_auroc=t["val_auroc"] + 0.2), kept=AVERAGE_ONLY),
    history_of_the_best_alone=told(lambda t: t.assign(val_auroc=0.999)),
    history_reversed=told(lambda t: t[::-1]),
    history_sorted=told(lambda t: t.sort_values("val_auroc")),
    history_cut=told(lambda t: t.head(5)),
    files_say_more=edited(better, kept=AVERAGE_ONLY),
    files_say_more_of_a_random_search=edited(better, kept=AVERAGE_ONLY, method=nas.random_search),
    files_reversed=edited(lambda trials: trials[::-1]),
    files_with_the_best_repeated=edited(lambda trials: [trials[1]] * 9),
    files_gone=files_gone,
    files_of_another_run=of_another_run,
)


def negative_loss(y_true, y_score):
    p = np.clip(np.asarray(y_score, dtype=float), 1e-7, 1 - 1e-7)
    return float(np.mean(y_true * np.log(p) + (1 - y_true) * np.log(1 - p)))


def accuracy(y_true, y_score):
    pairs = zip(y_true.ravel().tolist(), y_score.ravel().tolist(), strict=True)
    return np.float32(sum((s >= 0.5) == (y == 1) for y, s in pairs) / len(y_true))


def brier_as_a_tensor(y_true, y_score):
    return -torch.mean((torch.from_numpy(y_true) - torch.from_numpy(y_score)) ** 2)


def youden(y_true, y_score, architecture):
    y, p = y_true[:, 0], y_score[:, 0]
    return max(np.mean(p[y == 1] >= t) - np.mean(p[y == 0] >= t) for t in np.unique(p))


def accuracy_at_the_best_threshold(y_true, y_score):
    return max(np.mean((y_score >= t) == (y_true == 1)) for t in np.unique(y_score))


def frugal(y_true, y_score, architecture, price=0.05):
    return evaluation.auroc(y_true, y_score) - price * np.log10(architecture.n_parameters())


def frugal_loss(y_true, y_score, architecture):
    return negative_loss(y_true, y_score) - 0.01 * np.log10(architecture.n_parameters())


def difference_of_means(y_true, y_score, network):
    return y_score[y_true == 1].mean() - y_score[y_true == 0].mean()


def by_layers_left_out(y_true, y_score, architecture):
    return evaluation.auroc(y_true, y_score) - 0.01 * len(architecture.layers)


def f1(y_true, y_score):
    return np.array([evaluation.evaluate(y_true, y_score).f1])


def margin_with_auroc(y_true, y_score, architecture=None):
    return evaluation.auroc(y_true, y_score) + 0.5 * difference_of_means(y_true, y_score, None)


def at_a_threshold_of_its_own(y_true, y_score, threshold=0.4):
    return float(np.mean((y_score >= threshold) == (y_true == 1)))


def frugal_if_it_hears_of_a_network(y_true, y_score, architecture=None):
    return frugal(y_true, y_score, architecture) if architecture else 0.0


def hits_of_100(y_true, y_score):
    return y_true[np.argsort(-y_score[:, 0])[:100]].mean()


def within_a_budget(y_true, y_score, architecture):
    return evaluation.auroc(y_true, y_score) - 0.1 * (architecture.n_parameters() > 10_000)


def narrow_first(y_true, y_score, architecture):
    return evaluation.auroc(y_true, y_score) - 0.002 * architecture.layers[0].kernel_size


def rewarded(reward, **options):
    """The reward, and a search that it has steered."""
    return lambda: (reward, searched(reward=reward, **options))


right(
    "2.6.4",
    minus_the_loss=rewarded(negative_loss),
    accuracy_in_plain_python=rewarded(accuracy),
    minus_the_squared_error_as_a_tensor=rewarded(brier_as_a_tensor),
    youdens_j=rewarded(youden),
    accuracy_at_the_best_threshold=rewarded(accuracy_at_the_best_threshold),
    average_precision=rewarded(evaluation.auprc),
    a_price_for_size=rewarded(frugal),
    a_small_price=rewarded(partial(frugal, price=0.001)),
    loss_and_price=rewarded(frugal_loss),
    difference_of_means=rewarded(difference_of_means),
    a_price_for_layers=rewarded(by_layers_left_out),
    f1_as_an_array=rewarded(f1),
    a_mixture=rewarded(margin_with_auroc),
    by_random_search=rewarded(negative_loss, method=nas.random_search),
    a_threshold_of_its_own=rewarded(at_a_threshold_of_its_own),
    a_network_by_name=rewarded(frugal_if_it_hears_of_a_network),
    hits_of_100=rewarded(hits_of_100),
    within_a_budget=rewarded(within_a_budget),
    a_price_for_the_width=rewarded(narrow_first),
    a_large_buffer=rewarded(negative_loss, controller=nas.ControllerSettings(buffer_size=1000)),
)


def infinite_loss(y_true, y_score):
    with np.errstate(all="ignore"):
        return np.mean(y_true * np.log(y_score) + (1 - y_true) * np.log(1 - y_score))


by_the_loss = (lambda: negative_loss), (lambda: searched(reward=negative_loss))


def no_number(y_true, y_score):
    """No child finishes."""
    return y_true.count()


def alone(reward):
    """A reward beside a search by another."""
    return lambda: (reward, searched(reward=negative_loss))


def flattered():
    """Files that say the reward that the models do not earn."""
    _, result = edited(better, kept=(), reward=negative_loss)()
    return negative_loss, result


wrong(
    "2.6.4",
    auroc_again=rewarded(evaluation.auroc),
    auroc_in_disguise=rewarded(lambda y, s: round(2 * evaluation.auroc(y, s) - 1, 3)),
    log_of_auroc=rewarded(lambda y, s: np.log(evaluation.auroc(y, s) + 0.01)),
    auroc_of_ranks=rewarded(lambda y, s: evaluation.auroc(y, s.argsort(axis=0).argsort(axis=0))),
    auroc_with_a_network_that_is_not_used=rewarded(lambda y, s, a: evaluation.auroc(y, s)),
    loss_without_the_minus=alone(lambda y, s: -negative_loss(y, s)),
    squared_error=alone(lambda y, s: np.mean((y - s) ** 2)),
    n_by_n=alone(lambda y, s: np.mean((s[:, 0] >= 0.5) == (y == 1))),
    always_one=rewarded(lambda y, s: 1.0),
    size_only=alone(lambda y, s, a: -a.n_parameters()),
    mean_of_the_scores=alone(lambda y, s: s.mean()),
    random=alone(lambda y, s: rng.random()),
    first_ten_rows=alone(lambda y, s: negative_loss(y[:10], s[:10])),
    infinite_at_the_ends=alone(infinite_loss),
    nan=alone(lambda y, s: float("nan")),
    one_number_a_row=alone(lambda y, s: -((y - s) ** 2)),
    two_numbers=alone(lambda y, s: (negative_loss(y, s), 1)),
    a_text=alone(lambda y, s: "0.9"),
    true=alone(lambda y, s: True),
    raises=alone(lambda y, s: 1 / 0),
    four_arguments=alone(lambda y, s, a, b: negative_loss(y, s)),
    exchanged_arguments=alone(lambda s, y: -np.mean(np.abs(np.log(np.clip(y, 0.01, 1)) - s))),
    searched_with_another_reward=alone(accuracy),
    another_price=lambda: (frugal, searched(reward=partial(frugal, price=0.2))),
    mended_after_its_search=lambda: (negative_loss, searched(reward=no_number)),
    searched_by_auroc=lambda: (negative_loss, searched()),
    searched_by_accuracy=lambda: (accuracy, searched(reward="accuracy")),
    another_seed=described(*by_the_loss, random_state=5),
    other_epochs=described(*by_the_loss, epochs=1),
    rewarded_on_test=rewarded(negative_loss, parts=("train", "test")),
    too_few_trials=rewarded(negative_loss, max_trials=6),
    a_part_of_the_space=lambda: (negative_loss, searched(*MAX_ONLY, reward=negative_loss)),
    no_search=lambda: (negative_loss, None),
    files_say_more=flattered,
)


# --- 2.6.5 ---


def integrated(model, X, **options):
    return interpret.integrated_gradients(model, X, progress=False, **options)


def mutated(model, X):
    return interpret.saturation_mutagenesis(model, X, progress=False)


def captum(model, X, explainer="IntegratedGradients", **options):
    from captum import attr

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Captum's, of hooks and of gradients that it sets
        return getattr(attr, explainer)(model).attribute(torch.from_numpy(X), **options).detach()


def steps(n, **options):
    return partial(captum, n_steps=n, **options)


def shap_values(model, X, n=200):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what SHAP asks of matplotlib
        import shap

    explainer = shap.GradientExplainer(model, torch.zeros(1, 200, 4))
    return explainer.shap_values(torch.from_numpy(X), nsamples=n, rseed=0)


def own_loop(model, X):
    inputs, total = torch.from_numpy(X), 0
    for share in (np.arange(100) + 0.5) / 100:
        point = (inputs * float(share)).requires_grad_()
        total = total + torch.autograd.grad(model(point).sum(), point)[0]
    return total / 100 * inputs


def explained(change, of=integrated):
    """Exact scores, changed: a function of the scores, or of scores and sequences."""
    return lambda: (lambda model, X: change(np.array(of(model, X))),)


right(
    "2.6.5",
    captum_256=lambda: (steps(256),),
    captum_64=lambda: (steps(64),),
    captum_as_it_comes=lambda: (captum,),
    captum_trapezoid=lambda: (lambda m, X: captum(m, X, n_steps=128, method="riemann_trapezoid"),),
    captum_in_small_batches=lambda: (steps(100, internal_batch_size=32),),
    captum_from_given_zeros=lambda: (steps(100, baselines=torch.zeros(1, 200, 4)),),
    captum_with_a_target=lambda: (steps(100, target=0),),
    captum_as_numpy=lambda: (lambda model, X: steps(100)(model, X).numpy(),),
    ours=lambda: (integrated,),
    ours_with_fewer_steps=lambda: (partial(integrated, steps=64),),
    shap=lambda: (shap_values,),
    shap_with_more_samples=lambda: (partial(shap_values, n=400),),
    own_loop=lambda: (own_loop,),
    as_lists=explained(np.ndarray.tolist),
)


def in_random_places(scores):
    order = np.random.default_rng(0).permutation(200)
    return (scores != 0) * scores.sum(axis=2)[:, order][:, :, None]


def spread_over_windows(scores):
    each = scores.sum(axis=2)
    spread = np.stack([np.convolve(one, np.ones(19) / 19, "same") for one in each])
    spread *= each.sum(axis=1, keepdims=True) / spread.sum(axis=1, keepdims=True)
    return (scores != 0) * spread[:, :, None]


def evenly(scores):
    return (scores != 0) * scores.mean(axis=(1, 2), keepdims=True) * 4


def smooth(model, X):
    noise = np.random.default_rng(0).normal(0, 0.1, (10, *X.shape))
    points = [np.clip(X + one, 0, 1).astype("f4") for one in noise]
    return np.mean([interpret.saliency(model, one) for one in points], axis=0) * X


def scaled_to_the_sum(model, X):
    """Gradient times input, scaled so that each sequence adds up."""
    scores = interpret.saliency(model, X) * X
    change = torch_cnn.predict_logits(model, X) - torch_cnn.predict_logits(model, 0 * X)
    return scores * (change[:, 0] / scores.sum(axis=(1, 2)))[:, None, None]


class Probability(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return torch.sigmoid(self.model(x))


wrong(
    "2.6.5",
    times_one_and_a_half=explained(lambda one: 1.5 * one),
    halved=explained(lambda one: 0.5 * one),
    times_four_fifths=explained(lambda one: 0.8 * one),
    times_nine_tenths=explained(lambda one: 0.9 * one),
    a_tenth_more=explained(lambda one: 1.1 * one),
    rounded_to_integers=explained(np.round),
    sign_turned=explained(lambda one: -one),
    absolute=explained(np.abs),
    right_sums_in_random_places=explained(in_random_places),
    spread_over_windows=explained(spread_over_windows),
    spread_evenly=explained(evenly),
    shifted_by_one=explained(lambda one: np.roll(one, 1, axis=1)),
    letters_turned=explained(lambda one: one[:, :, ::-1]),
    sequences_in_another_order=explained(lambda one: one[::-1]),
    nothing_but_the_largest=explained(lambda one: one * (np.abs(one) > 0.5 * np.abs(one).max())),
    channels_first=explained(lambda one: one.swapaxes(1, 2)),
    one_number_a_base=explained(lambda one: one.sum(axis=2)),
    the_first_sequence_only=explained(lambda one: one[:1]),
    nan_everywhere=explained(lambda one: one * np.nan),
    zeros=explained(lambda one: 0 * one),
    two_steps=lambda: (steps(2),),
    three_steps=lambda: (steps(3),),
    gradient_times_input=lambda: (partial(captum, explainer="InputXGradient"),),
    gradient_times_input_scaled_to_the_sum=lambda: (scaled_to_the_sum,),
    smoothed_gradient_times_input=lambda: (smooth,),
    the_gradient_only=lambda: (interpret.saliency,),
    captums_saliency=lambda: (partial(captum, explainer="Saliency"),),
    mutagenesis_again=lambda: (mutated,),
    of_the_probability=lambda: (lambda model, X: captum(Probability(model), X),),
    of_best_model_whatever_comes=lambda: (lambda model, X: integrated(best_model(), X),),
    from_a_quarter_of_each=lambda: (partial(integrated, baseline=np.full(4, 0.25)),),
    sequences_copied=lambda: (lambda model, X: X,),
    an_array_for_a_function=lambda: (integrated(best_model(), positives()[:6]),),
)
