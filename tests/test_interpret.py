"""`workshop.interpret`: identities that must hold, an independent library, and hostile input."""

import tracemalloc

import captum.attr
import numpy as np
import pytest
import torch

from tests.mutants import BASES, one_by_one, sequences
from workshop import (
    _model_effects,
    datasets,
    interpret,
    keras_cnn,
    motifs,
    torch_cnn,
)
from workshop.architecture import (
    DAY1_CNN,
    Architecture,
    Conv1D,
    Dense,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool,
)
from workshop.sequences import one_hot_encode

TWINS = {"keras": keras_cnn, "torch": torch_cnn}
LENGTH = 24
SMALL = Architecture(
    (Conv1D(6, 5, "tanh", "same"), MaxPool(2), Conv1D(4, 3, "relu"), GlobalMaxPool()), LENGTH
)
LINEAR = Architecture((Flatten(),), LENGTH)


@pytest.fixture(scope="module", params=TWINS)
def twin(request):
    return TWINS[request.param]


@pytest.fixture(scope="module")
def small_model():
    return torch_cnn.build_cnn(SMALL, random_state=3)


def linear_weights(model, twin):
    return twin.get_weights(model)["output.kernel"].reshape(LENGTH, 4)


def train_detector(architecture, *, n=600, motif="GATTACA"):
    """A model of few seconds that finds a planted word, with sequences and where the word is."""
    rng = np.random.default_rng(0)
    X = BASES[rng.integers(0, 4, (n, 40))]
    starts = [()] * n
    for i in range(0, n, 2):
        start = int(rng.integers(0, 40 - len(motif)))
        X[i, start : start + len(motif)] = one_hot_encode([motif])[0]
        starts[i] = (start,)
    y = (np.arange(n) % 2 == 0).astype(np.float32)[:, None]
    model = torch_cnn.build_cnn(architecture)
    torch_cnn.fit(model, X, y, epochs=8, learning_rate=0.01, progress=False)
    return model, X, starts


@pytest.fixture(scope="module")
def detector():
    return train_detector(Architecture((Conv1D(16, 9, "relu", "same"), GlobalMaxPool()), 40))


# --- saturation mutagenesis ---------------------------------------------------------------------


def test_a_model_and_a_function_give_the_same(twin):
    model = twin.build_cnn(SMALL, random_state=3)
    X = sequences(3, LENGTH)
    by_engine = interpret.saturation_mutagenesis(model, X)
    by_function = interpret.saturation_mutagenesis(lambda X: twin.predict_logits(model, X), X)
    assert by_engine.dtype == by_function.dtype == np.float32
    assert by_engine.shape == by_function.shape == (3, LENGTH, 4)
    np.testing.assert_allclose(by_engine, by_function, atol=1e-6)
    expected = one_by_one(lambda X: twin.predict_logits(model, X)[:, 0], X, range(LENGTH))
    np.testing.assert_allclose(by_engine, expected, atol=1e-6)


def test_a_model_goes_through_the_engine_and_not_through_its_framework(small_model, monkeypatch):
    seen = []
    predict_logits = torch_cnn.predict_logits

    def counted(model, X, **options):
        seen.append(len(X))
        return predict_logits(model, X, **options)

    monkeypatch.setattr(torch_cnn, "predict_logits", counted)
    interpret.saturation_mutagenesis(small_model, sequences(30, LENGTH))
    assert sum(seen) <= 4, "a few, to see whether model and weights still agree"


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_batch_size_changes_nothing(small_model, batch_size):
    X = sequences(5, LENGTH)
    expected = interpret.saturation_mutagenesis(small_model, X)
    for model in (small_model, lambda X: torch_cnn.predict_logits(small_model, X)):
        scores = interpret.saturation_mutagenesis(model, X, batch_size=batch_size)
        np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_a_function_never_gets_more_than_a_batch():
    sizes = []

    def model(X):
        sizes.append(len(X))
        return X[:, :, 0].sum(axis=1)

    interpret.saturation_mutagenesis(model, sequences(20, LENGTH))
    assert max(sizes) <= 64
    assert sum(sizes) < 20 * (LENGTH * 3 + 5) + 4 * LENGTH  # no mutant that is none


@pytest.mark.parametrize(
    ("start", "end"), [(0, None), (3, 9), (-5, None), (2, -3), (20, 999), (23, 24)]
)
def test_a_part_is_the_part_of_the_whole(small_model, start, end):
    X = sequences(3, LENGTH)
    whole = interpret.saturation_mutagenesis(small_model, X)
    part = interpret.saturation_mutagenesis(small_model, X, start=start, end=end)
    np.testing.assert_allclose(part, whole[:, start:end], atol=1e-6)
    function = interpret.saturation_mutagenesis(
        lambda X: torch_cnn.predict_logits(small_model, X), X, start=start, end=end
    )
    np.testing.assert_allclose(function, part, atol=1e-6)


def test_a_linear_model_gives_the_difference_of_its_weights(twin):
    model, X = twin.build_cnn(LINEAR, random_state=1), sequences(4, LENGTH)
    w = linear_weights(model, twin)
    scores = interpret.saturation_mutagenesis(model, X)
    here = (X * w).sum(axis=2, keepdims=True)  # 0 at N
    np.testing.assert_allclose(scores, np.where(X == 1, 0, w - here), atol=1e-6)
    known = X.any(axis=2)
    np.testing.assert_allclose(
        interpret.zero_mean(scores)[known],
        interpret.zero_mean(interpret.saliency(model, X))[known],
        atol=1e-6,
    )


def test_probability_is_the_change_of_what_predict_says(twin):
    model, X = twin.build_cnn(SMALL, random_state=3), sequences(3, LENGTH)
    scores = interpret.saturation_mutagenesis(model, X, scale="probability")
    expected = one_by_one(lambda X: twin.predict(model, X)[:, 0], X, range(LENGTH))
    np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_task_chooses_the_output():
    architecture = Architecture((Conv1D(5, 3, "relu"), GlobalAvgPool()), LENGTH, 3, "multilabel")
    model, X = torch_cnn.build_cnn(architecture), sequences(2, LENGTH)
    for task in range(3):
        expected = one_by_one(
            lambda X, task=task: torch_cnn.predict_logits(model, X)[:, task], X, range(LENGTH)
        )
        for asked in (model, lambda X: torch_cnn.predict_logits(model, X)):
            scores = interpret.saturation_mutagenesis(asked, X, task=task)
            np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_a_model_that_its_owner_changed_is_still_explained_right(twin):
    """Weights and architecture no longer say what it computes: brute force, not a wrong answer."""
    X = sequences(3, LENGTH)
    if twin is torch_cnn:
        model = torch_cnn.build_cnn(SMALL, random_state=3)
        model.output.register_forward_hook(lambda module, inputs, output: 2 * output + 1)
    else:
        model = keras_cnn.build_cnn(SMALL, random_state=3)
        call = model.call
        model.call = lambda *args, **options: 2 * call(*args, **options) + 1
    expected = one_by_one(lambda X: twin.predict_logits(model, X)[:, 0], X, range(LENGTH))
    scores = interpret.saturation_mutagenesis(model, X)
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    plain = interpret.saturation_mutagenesis(twin.build_cnn(SMALL, random_state=3), X)
    np.testing.assert_allclose(scores, 2 * plain, atol=1e-5)


def test_a_subclass_may_compute_something_else():
    class Doubled(torch_cnn.SequenceCNN):
        def forward(self, x):
            return 2 * super().forward(x)

    model, X = Doubled(SMALL), sequences(2, LENGTH)
    plain = torch_cnn.build_cnn(SMALL, random_state=3)
    torch_cnn.set_weights(model, torch_cnn.get_weights(plain))
    np.testing.assert_allclose(
        interpret.saturation_mutagenesis(model, X),
        2 * interpret.saturation_mutagenesis(plain, X),
        atol=1e-5,
    )


def test_a_hand_written_keras_model_is_a_function_too():
    keras = keras_cnn.keras
    model = keras.Sequential(
        [keras.Input((LENGTH, 4)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    w = model.layers[-1].kernel.numpy().reshape(LENGTH, 4)
    X = sequences(3, LENGTH)[:1]
    expected = w - (X * w).sum(axis=2, keepdims=True)
    np.testing.assert_allclose(interpret.saturation_mutagenesis(model, X), expected, atol=1e-6)


def test_nothing_is_written_to_the_input(small_model):
    X = sequences(3, LENGTH)
    before = X.copy()
    X.flags.writeable = False
    interpret.saturation_mutagenesis(small_model, X)
    interpret.saturation_mutagenesis(lambda X: X.sum(axis=(1, 2)), X)
    interpret.pairwise_mutagenesis(small_model, X, end=3)
    interpret.integrated_gradients(small_model, X, steps=4)
    np.testing.assert_array_equal(X, before)


def test_memory_grows_by_the_result_alone():
    """Twice 1,000 sequences need twice the result, and no more beside it."""
    model = torch_cnn.build_cnn(DAY1_CNN)
    beside = []
    for n in (1000, 2000):
        X = np.tile(sequences(10, 200), (n // 10, 1, 1))
        tracemalloc.start()
        scores = interpret.saturation_mutagenesis(model, X, start=90, end=110)
        beside.append(tracemalloc.get_traced_memory()[1] - scores.nbytes)
        tracemalloc.stop()
    assert beside[1] < beside[0] + 2e6
    assert max(beside) < 100e6


def test_long_work_counts_its_sequences(small_model, monkeypatch):
    shown = []
    monkeypatch.setattr(
        "workshop._mutagenesis.ProgressLine.show",
        lambda self, text, *, last=False: shown.append((text, last)),
    )
    interpret.saturation_mutagenesis(small_model, sequences(40, LENGTH))
    assert not shown, "short work says nothing"
    clock = iter(range(0, 1000, 3))
    monkeypatch.setattr("workshop._mutagenesis.time.monotonic", lambda: next(clock))
    interpret.saturation_mutagenesis(small_model, sequences(40, LENGTH))
    assert shown == [
        ("mutated 16 of 40", False),
        ("mutated 32 of 40", False),
        ("mutated 40 of 40", True),
    ]


# --- pairs --------------------------------------------------------------------------------------


def test_pairs_are_the_double_mutants(twin):
    model, X = twin.build_cnn(SMALL, random_state=3), sequences(2, LENGTH)
    start, end = 8, 14  # with the N of the second sequence
    pairs = interpret.pairwise_mutagenesis(model, X, start=start, end=end)
    np.testing.assert_allclose(
        pairs.single, interpret.saturation_mutagenesis(model, X)[:, start:end], atol=1e-6
    )
    before = twin.predict_logits(model, X)[:, 0]
    for i in range(end - start):
        for j in range(end - start):
            for a in range(4):
                mutants = np.repeat(X, 4, axis=0).reshape(2, 4, LENGTH, 4)
                mutants[:, :, start + i] = BASES[a]
                mutants[:, np.arange(4), start + j] = BASES
                logits = twin.predict_logits(model, mutants.reshape(-1, LENGTH, 4))
                expected = logits.reshape(2, 4) - before[:, None]
                expected = expected if i != j else np.zeros((2, 4))
                np.testing.assert_allclose(pairs.double[:, i, a, j], expected, atol=2e-6)
    np.testing.assert_allclose(
        interpret.pairwise_mutagenesis(
            lambda X: twin.predict_logits(model, X), X, start=start, end=end
        ).double,
        pairs.double,
        atol=2e-6,
    )


def test_interaction_is_double_minus_singles_and_symmetric(small_model):
    X = sequences(3, LENGTH)
    single, double, interaction = interpret.pairwise_mutagenesis(small_model, X, start=5, end=12)
    assert interaction.shape == double.shape == (3, 7, 4, 7, 4)
    np.testing.assert_array_equal(interaction, interaction.transpose(0, 3, 4, 1, 2))
    np.testing.assert_array_equal(double, double.transpose(0, 3, 4, 1, 2))
    apart = ~np.eye(7, dtype=bool)
    sums = single[:, :, :, None, None] + single[:, None, None]
    difference = (double - sums - interaction).transpose(1, 3, 0, 2, 4)
    assert np.abs(difference[apart]).max() < 1e-6
    assert not interaction.transpose(1, 3, 0, 2, 4)[~apart].any()
    here = X[:, 5:12] == 1
    assert not interaction[here].any(), "a letter that replaces itself interacts with nothing"
    assert np.abs(interaction).max() > 0.01


def test_a_linear_model_has_no_interactions_but_a_product_has():
    X = sequences(3, LENGTH)
    linear = torch_cnn.build_cnn(LINEAR)
    assert np.abs(interpret.pairwise_mutagenesis(linear, X).interaction).max() < 1e-5

    def either(X):  # two ways to be positive: losing one matters only without the other
        return np.maximum(X[:, 0, 0], X[:, 1, 1])

    X = one_hot_encode(["ACGT"])
    pairs = interpret.pairwise_mutagenesis(either, X)
    assert pairs.single[0, 0, 2] == pairs.single[0, 1, 3] == 0
    assert pairs.double[0, 0, 2, 1, 3] == pairs.interaction[0, 0, 2, 1, 3] == -1


# --- gradients ----------------------------------------------------------------------------------


def test_saliency_equals_finite_differences(twin):
    architecture = Architecture((Conv1D(6, 5, "tanh"), Conv1D(4, 3, "tanh"), Flatten()), LENGTH)
    model = twin.build_cnn(architecture, random_state=2)
    X = 0.5 + 0.1 * np.random.default_rng(0).uniform(-1, 1, (2, LENGTH, 4)).astype(np.float32)
    gradient = interpret.saliency(model, X)
    step = 1e-2
    for position, base in ((0, 0), (11, 2), (23, 3), (7, 1)):
        ahead, behind = X.copy(), X.copy()
        ahead[:, position, base] += step
        behind[:, position, base] -= step
        rise = twin.predict_logits(model, ahead) - twin.predict_logits(model, behind)
        np.testing.assert_allclose(
            gradient[:, position, base], rise[:, 0] / (2 * step), rtol=2e-3, atol=2e-5
        )


@pytest.mark.parametrize(
    "layers",
    [
        (Conv1D(32, 7, "relu", "same"), MaxPool(4), GlobalAvgPool()),
        (Conv1D(32, 7, "relu", "same"), MaxPool(4), Conv1D(64, 7, "relu"), GlobalMaxPool()),
        (Conv1D(32, 7, "tanh", "same"), Conv1D(64, 13, "tanh", "same"), GlobalMaxPool()),
        (Flatten(), Dense(20, "relu")),
    ],
    ids=["Day 1", "two convolutions", "the search's best", "dense"],
)
def test_integrated_gradients_are_complete(layers):
    """Also of gradients that jump: less than 1e-3 of the difference of the logits."""
    data = datasets.load_ctcf()
    model = torch_cnn.build_cnn(Architecture(layers))
    X, y = data.X[:1000], data.y[:1000]
    torch_cnn.fit(model, X, y, epochs=1, learning_rate=0.003, progress=False)
    X = data.X[data.y[:, 0] == 1][:12]
    for baseline in (None, [0.3, 0.2, 0.2, 0.3]):
        begin = np.broadcast_to(np.zeros(4) if baseline is None else baseline, X.shape)
        rise = torch_cnn.predict_logits(model, X) - torch_cnn.predict_logits(model, begin)
        attributions = interpret.integrated_gradients(model, X, baseline=baseline)
        error = np.abs(attributions.sum(axis=(1, 2)) - rise[:, 0])
        assert (error < 1e-3 * np.abs(rise[:, 0]) + 1e-6).all()


def test_integrated_gradients_of_a_linear_model_are_weights_times_difference(twin):
    model, X = twin.build_cnn(LINEAR, random_state=1), sequences(3, LENGTH)
    w = linear_weights(model, twin)
    background = np.array([0.3, 0.2, 0.2, 0.3])
    whole = np.broadcast_to(background, X.shape)
    for baseline in (background, whole[0], whole):
        np.testing.assert_allclose(
            interpret.integrated_gradients(model, X, baseline=baseline, steps=3),
            w * (X - background),
            atol=1e-6,
        )


def test_integrated_gradients_agree_between_twins():
    X = sequences(3, LENGTH)
    models = [twin.build_cnn(SMALL, random_state=3) for twin in TWINS.values()]
    keras_scores, torch_scores = (interpret.integrated_gradients(m, X, steps=64) for m in models)
    np.testing.assert_allclose(keras_scores, torch_scores, atol=1e-4)


def test_integrated_gradients_agree_with_captum():
    """Captum's own rule errs where the gradient jumps; with many steps both reach the integral."""
    data = datasets.load_ctcf()
    model = torch_cnn.build_cnn(DAY1_CNN)
    torch_cnn.fit(model, data.X[:1000], data.y[:1000], epochs=2, progress=False)
    X = data.X[:3]
    with torch_cnn.one_thread():
        theirs = captum.attr.IntegratedGradients(model).attribute(
            torch.from_numpy(X), n_steps=256, internal_batch_size=256
        )
    ours = interpret.integrated_gradients(model, X, steps=256)
    np.testing.assert_allclose(ours, theirs.detach().numpy(), atol=1e-4)
    assert np.abs(ours).max() > 1e-2


# --- frames of reference ------------------------------------------------------------------------


def test_zero_mean_and_project():
    scores = np.random.default_rng(0).normal(size=(3, LENGTH, 4))
    centred = interpret.zero_mean(scores)
    np.testing.assert_allclose(centred.sum(axis=2), 0, atol=1e-12)
    np.testing.assert_allclose(interpret.zero_mean(centred), centred)
    X = sequences(3, LENGTH)
    kept = interpret.project(scores, X)
    np.testing.assert_array_equal(kept[X == 1], scores[X == 1])
    assert not kept[X == 0].any()


def test_importance_is_minus_the_mean_effect(small_model):
    X = sequences(2, LENGTH)
    scores = interpret.saturation_mutagenesis(small_model, X)
    importance = interpret.base_importance(scores, X)
    assert importance.shape == (2, LENGTH)
    known = X.any(axis=2)
    np.testing.assert_allclose(importance[known], -scores.mean(axis=2)[known], atol=1e-6)
    assert not importance[~known].any()


# --- motifs and places --------------------------------------------------------------------------


@pytest.mark.parametrize("width", [7, 9, 11])
def test_the_planted_word_is_recovered(detector, width):
    model, X, _ = detector
    X = X[::2]
    word = motifs.Motif("word", "GATTACA", one_hot_encode(["GATTACA"])[0] * 10)
    for scores in (interpret.saturation_mutagenesis(model, X), interpret.saliency(model, X)):
        found = interpret.motif_from_scores(X, scores, width=width)
        assert len(found) == width
        assert "GATTACA" in found.consensus
        assert motifs.similarity(word, found).correlation > 0.95
        assert found.counts.sum() == len(X) * width


def test_both_frames_of_reference_give_one_motif(detector):
    model, X, _ = detector
    scores = interpret.saturation_mutagenesis(model, X[::2])
    constant = np.random.default_rng(0).normal(size=(*scores.shape[:2], 1))
    moved = [scores, interpret.zero_mean(scores), scores + constant]
    counts = [interpret.motif_from_scores(X[::2], each, width=7).counts for each in moved]
    np.testing.assert_array_equal(counts[0], counts[1])
    np.testing.assert_array_equal(counts[0], counts[2])


def test_localisation_finds_the_planted_word(detector):
    model, X, starts = detector
    importance = interpret.base_importance(interpret.saturation_mutagenesis(model, X), X)
    found = interpret.localisation(importance, starts, width=7)
    assert found.auroc > 0.95
    assert found.auprc > 0.9
    assert found.n_sequences == 300
    assert found.share == 7 / 40
    blind = np.random.default_rng(0).normal(size=importance.shape)
    assert abs(interpret.localisation(blind, starts, width=7).auroc - 0.5) < 0.03


def test_localisation_by_hand():
    # Sorted by size: in, out, in, out. A pair in > out is right in three of four cases.
    scores = interpret.localisation([[4, -3, 2, 1], [9, 9, 9, 9]], [(0, 2), ()], width=1)
    assert scores == interpret.Localisation(0.75, (1 + 2 / 3) / 2, 0.5, 1)


# --- hostile input ------------------------------------------------------------------------------


X_GOOD = sequences(3, LENGTH)


def with_value(value):
    X = X_GOOD.copy()
    X[1, 2, 3] = value
    return X


BAD_X = {
    "one sequence": (X_GOOD[0], r"X must have shape \(N, L, 4\); got \(24, 4\)\. For one sequence"),
    "channels first": (
        X_GOOD.swapaxes(1, 2),
        r"got \(3, 4, 24\)\. If it is channels-first, pass X\.swapaxes\(1, 2\)",
    ),
    "NaN": (with_value(np.nan), r"X must hold values from 0 to 1; got .*nan.* in sequence 1"),
    "infinity": (with_value(np.inf), r"X must hold values from 0 to 1; got .*inf.* in sequence 1"),
    "none": (X_GOOD[:0], r"X must hold at least one sequence; got none"),
}
VERBS = {
    "saturation": interpret.saturation_mutagenesis,
    "pairwise": interpret.pairwise_mutagenesis,
    "saliency": interpret.saliency,
    "integrated": interpret.integrated_gradients,
}


@pytest.mark.parametrize(("X", "message"), BAD_X.values(), ids=BAD_X)
@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_bad_sequences_are_refused(small_model, verb, X, message):
    with pytest.raises(ValueError, match=message):
        verb(small_model, X)
    if verb in (interpret.saturation_mutagenesis, interpret.pairwise_mutagenesis):
        with pytest.raises(ValueError, match=message):
            verb(lambda X: X.sum(axis=(1, 2)), X)


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_wrong_length_task_and_batch_size_are_refused(small_model, verb):
    with pytest.raises(ValueError, match=r"X must have 24 positions.*; got 23"):
        verb(small_model, X_GOOD[:, 1:])
    for task in (1, -1, 0.5, None):
        with pytest.raises(ValueError, match=r"task must be a column of the output, 0 to 0; got"):
            verb(small_model, X_GOOD, task=task)
    with pytest.raises(ValueError, match="batch_size must be a positive whole number; got 0"):
        verb(small_model, X_GOOD, batch_size=0)


@pytest.mark.parametrize(
    ("start", "end"), [(5, 5), (9, 3), (24, None), (0, 0), (-1, -2), (100, 200)]
)
@pytest.mark.parametrize("verb", [interpret.saturation_mutagenesis, interpret.pairwise_mutagenesis])
def test_start_must_lie_before_end(small_model, verb, start, end):
    with pytest.raises(
        ValueError, match=rf"start must lie before end, within 24.*start={start} and end={end}"
    ):
        verb(small_model, X_GOOD, start=start, end=end)


@pytest.mark.parametrize(("start", "end"), [(1.5, None), ("a", 3), (0, 2.5), (None, 4)])
def test_start_and_end_must_be_whole(small_model, start, end):
    with pytest.raises(TypeError, match="start and end must be whole numbers, or end None; got"):
        interpret.saturation_mutagenesis(small_model, X_GOOD, start=start, end=end)


def test_a_pair_needs_two_positions(small_model):
    with pytest.raises(ValueError, match="at least two positions; got 3 to 4"):
        interpret.pairwise_mutagenesis(small_model, X_GOOD, start=3, end=4)


BAD_FUNCTIONS = {
    "one row too few": (lambda X: X[1:, 0, 0], r"shape \(3,\) or \(3, T\); got \(2,\)"),
    "a single number": (lambda X: X.sum(), r"one row a sequence.*; got \(\)"),
    "too many axes": (lambda X: X, r"shape \(3,\) or \(3, T\); got \(3, 24, 4\)"),
    "NaN": (lambda X: X[:, 0, 0] * np.nan, "must return finite numbers.*diverged"),
    "None": (lambda X: None, r"one row a sequence.*; got \(\)"),
}


@pytest.mark.parametrize(("function", "message"), BAD_FUNCTIONS.values(), ids=BAD_FUNCTIONS)
def test_what_a_function_returns_is_checked(function, message):
    with pytest.raises(ValueError, match=message):
        interpret.saturation_mutagenesis(function, X_GOOD)


def test_a_function_that_errs_on_mutants_only_is_caught():
    def model(X):
        return X[:3, 0, 0]  # right for three sequences, wrong for a batch of mutants

    with pytest.raises(ValueError, match=r"shape \(64,\) or \(64, T\); got \(3,\)"):
        interpret.saturation_mutagenesis(model, X_GOOD)


def test_task_of_a_function_is_checked():
    with pytest.raises(ValueError, match="task must be a column of the output, 0 to 1; got 2"):
        interpret.saturation_mutagenesis(lambda X: X[:, 0, :2], X_GOOD, task=2)


def test_a_diverged_model_is_refused(twin):
    model = twin.build_cnn(SMALL)
    weights = twin.get_weights(model)
    twin.set_weights(model, weights | {"output.bias": np.array([np.nan])})
    with pytest.raises(ValueError, match="must return finite numbers"):
        interpret.saturation_mutagenesis(model, X_GOOD)


def test_what_is_no_model_is_refused():
    for wrong in (None, "model.ckpt", torch_cnn.SequenceCNN, {"a": 1}):
        with pytest.raises(TypeError, match="model must come from keras_cnn or torch_cnn, or be a"):
            interpret.saturation_mutagenesis(wrong, X_GOOD)
    with pytest.raises(TypeError, match=r"Torch module.*Linear.*torch\.from_numpy\(X\)"):
        interpret.saturation_mutagenesis(torch.nn.Linear(4, 1), X_GOOD)
    for verb in (interpret.saliency, interpret.integrated_gradients):
        with pytest.raises(TypeError, match="a gradient needs its framework; got builtins"):
            verb(lambda X: X[:, 0, 0], X_GOOD)


def test_scale_is_checked(small_model):
    with pytest.raises(ValueError, match="scale must be one of logit, probability; got 'log'"):
        interpret.saturation_mutagenesis(small_model, X_GOOD, scale="log")
    with pytest.raises(ValueError, match=r"scale='probability' needs a model.*; got a function"):
        interpret.pairwise_mutagenesis(lambda X: X[:, 0, 0], X_GOOD, scale="probability")


def test_bad_baselines_and_steps(small_model):
    with pytest.raises(ValueError, match=r"baseline must have shape \(4,\), \(24, 4\) or"):
        interpret.integrated_gradients(small_model, X_GOOD, baseline=np.zeros((24,)))
    with pytest.raises(ValueError, match="baseline must hold values from 0 to 1"):
        interpret.integrated_gradients(small_model, X_GOOD, baseline=[0, 0, 0, 2])
    with pytest.raises(ValueError, match="steps must be a positive whole number; got 0"):
        interpret.integrated_gradients(small_model, X_GOOD, steps=0)


def test_bad_scores():
    scores = np.zeros(X_GOOD.shape)
    with pytest.raises(ValueError, match=r"\(\.\.\., 4\); got \(3, 4, 24\)\. If they are channels"):
        interpret.zero_mean(scores.swapaxes(1, 2))
    with pytest.raises(ValueError, match="scores must hold finite numbers; got NaN"):
        interpret.zero_mean(scores * np.nan)
    with pytest.raises(ValueError, match=r"one shape; got \(3, 20, 4\) and \(3, 24, 4\)"):
        interpret.project(scores[:, :20], X_GOOD)
    with pytest.raises(ValueError, match="scores must not all be 0"):
        interpret.motif_from_scores(X_GOOD, scores, width=5)
    with pytest.raises(ValueError, match="width must be at most 24, the length of X; got 25"):
        interpret.motif_from_scores(X_GOOD, scores, width=25)
    with pytest.raises(ValueError, match="at least one sequence; got none"):
        interpret.motif_from_scores(X_GOOD[:0], scores[:0], width=5)


def test_bad_places():
    importance = np.zeros((2, LENGTH))
    wrong = {
        r"shape \(N, L\); got \(2, 24, 4\)\. Pass base_importance": (
            np.zeros((2, LENGTH, 4)),
            [(), ()],
        ),
        "an entry for each of the 2 sequences; got 1": (importance, [(1,)]),
        "leave room for 7 bp in 24; got 18 in sequence 1": (importance, [(), (18,)]),
        "leave room for 7 bp in 24; got -1 in sequence 0": (importance, [(-1,), ()]),
        "at least one motif; got none": (importance, [(), ()]),
        "importance must hold finite numbers": (importance * np.nan, [(1,), ()]),
    }
    for message, (scores, starts) in wrong.items():
        with pytest.raises(ValueError, match=message):
            interpret.localisation(scores, starts, width=7)


def test_twin_of_imports_no_framework():
    assert _model_effects.twin_of(object()) is None
    assert _model_effects.twin_of(torch_cnn.build_cnn(SMALL)) is torch_cnn
