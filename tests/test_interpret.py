"""`workshop.interpret`: identities that must hold, an independent library, and hostile input."""

import itertools
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import captum.attr
import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info

from tests.mutants import LETTERS, sequences
from workshop import datasets, interpret, keras_cnn, motifs, torch_cnn
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
from workshop.interpret import layer_steps
from workshop.interpret.mutagenesis import brute_force
from workshop.sequences import one_hot_encode
from workshop.torch_cnn.loop import one_thread

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


@pytest.fixture(scope="module")
def detector():
    """A model of few seconds that finds a planted word, with sequences and where the word is."""
    rng, n = np.random.default_rng(0), 600
    X = LETTERS[rng.integers(0, 4, (n, 40))]
    starts = [(int(rng.integers(0, 33)),) if i % 2 == 0 else () for i in range(n)]
    for x, places in zip(X, starts, strict=True):
        for start in places:
            x[start : start + 7] = one_hot_encode(["GATTACA"])[0]
    y = (np.arange(n) % 2 == 0).astype(np.float32)[:, None]
    model = torch_cnn.build_cnn(
        Architecture((Conv1D(16, 9, "relu", "same"), GlobalMaxPool()), 40), random_state=0
    )
    torch_cnn.fit(model, X, y, epochs=8, learning_rate=0.01, progress=False)
    return model, X, starts


def by_brute_force(predict, model, X, positions=range(LENGTH), *, task=0):
    return brute_force(lambda X: predict(model, X)[:, task], X, positions)


# --- saturation mutagenesis ---------------------------------------------------------------------


def test_brute_force_is_a_prediction_for_each_mutant():
    X, w = sequences(3, LENGTH), np.random.default_rng(0).normal(0, 0.1, (LENGTH, 4))

    def predict(X):
        return np.tanh((X * w).sum(axis=(1, 2)))

    effects = brute_force(predict, X, [3, 12, 20])
    for i, row, letter in np.ndindex(3, 3, 4):
        mutant = X[i].copy()
        mutant[[3, 12, 20][row]] = LETTERS[letter]
        expected = predict(mutant[None]) - predict(X[i : i + 1])
        assert effects[i, row, letter] == pytest.approx(expected[0], abs=1e-6)


def test_a_model_goes_through_the_engine_and_not_through_its_framework(small_model, monkeypatch):
    seen = []
    predict_logits = torch_cnn.predict_logits

    def counted(model, X, **options):
        seen.append(len(X))
        return predict_logits(model, X, **options)

    monkeypatch.setattr(torch_cnn, "predict_logits", counted)
    interpret.saturation_mutagenesis(small_model, sequences(30, LENGTH))
    few = sum(seen)
    assert few < 100, "to see whether model and weights still agree"
    interpret.saturation_mutagenesis(small_model, sequences(300, LENGTH))
    assert sum(seen) == 2 * few


@pytest.mark.parametrize(("batch_size", "most"), [(None, 64), (2, 2)])
def test_a_function_never_gets_more_than_a_batch(batch_size, most):
    sizes = []

    def model(X):
        sizes.append(len(X))
        return X[:, :, 0].sum(axis=1)

    interpret.saturation_mutagenesis(model, sequences(20, LENGTH), batch_size=batch_size)
    assert max(sizes) <= most
    assert sum(sizes) < 20 * (LENGTH * 3 + 5) + 4 * LENGTH  # no mutant that is none


@pytest.mark.parametrize(("start", "end"), [(0, None), (-5, None), (2, -3), (20, 999)])
def test_a_part_is_the_part_of_the_whole(small_model, start, end):
    X = sequences(3, LENGTH)
    whole = interpret.saturation_mutagenesis(small_model, X)
    assert (whole.shape, whole.dtype) == ((3, LENGTH, 4), np.float32)
    part = interpret.saturation_mutagenesis(small_model, X, start=start, end=end)
    np.testing.assert_allclose(part, whole[:, start:end], atol=1e-6)
    function = interpret.saturation_mutagenesis(
        lambda X: torch_cnn.predict_logits(small_model, X), X, start=start, end=end
    )
    assert function.dtype == np.float32
    np.testing.assert_allclose(function, part, atol=1e-6)


def test_a_linear_model_gives_the_difference_of_its_weights(twin):
    model, X = twin.build_cnn(LINEAR, random_state=1), sequences(4, LENGTH)
    w = linear_weights(model, twin)
    scores = interpret.saturation_mutagenesis(model, X)
    here = (X * w).sum(axis=2, keepdims=True)  # 0 at N
    np.testing.assert_allclose(scores, np.where(X == 1, 0, w - here), atol=1e-6)


def test_task_chooses_the_output():
    architecture = Architecture((Conv1D(5, 3, "relu"), GlobalAvgPool()), LENGTH, 3, "multilabel")
    model, X = torch_cnn.build_cnn(architecture), sequences(2, LENGTH)
    for task in range(3):
        expected = by_brute_force(torch_cnn.predict_logits, model, X, task=task)
        for asked in (model, lambda X: torch_cnn.predict_logits(model, X)):
            scores = interpret.saturation_mutagenesis(asked, X, task=task)
            np.testing.assert_allclose(scores, expected, atol=1e-6)


DENIES = "does not compute what its architecture and weights say"


@pytest.mark.parametrize("factor", [-2.0, 1.01])
@pytest.mark.parametrize("scale", [1.0, 1e-4])
def test_a_model_that_its_owner_changed_is_still_explained_right(twin, factor, scale):
    """Weights and architecture no longer say what it computes: brute force, not a wrong answer."""
    model = twin.build_cnn(SMALL, random_state=3)
    weights = twin.get_weights(model)
    for name in ("output.kernel", "output.bias"):  # also of an output that hardly moves
        weights[name] = weights[name] * scale
    twin.set_weights(model, weights)
    X = sequences(3, LENGTH)
    X[:2] = 0  # nor do its first sequences tell much
    plain = interpret.saturation_mutagenesis(model, X)
    if twin is torch_cnn:
        model.output.register_forward_hook(lambda module, inputs, output: factor * output)
    else:
        call = model.call
        model.call = lambda *args, **options: factor * call(*args, **options)
    with pytest.warns(UserWarning, match=DENIES):
        scores = interpret.saturation_mutagenesis(model, X)
    np.testing.assert_allclose(scores, factor * plain, atol=1e-5 * scale)


def test_what_overflows_is_refused_as_brute_force_refuses_it():
    """Nobody gets infinities or NumPy's warnings: a mutant's exponential is beyond float32."""
    model = torch_cnn.build_cnn(
        Architecture((Conv1D(1, 1, "exponential"), GlobalMaxPool()), LENGTH)
    )
    weights = torch_cnn.get_weights(model)
    weights["0.kernel"] = np.float32([[[1], [1], [1], [100]]])
    torch_cnn.set_weights(model, weights)
    X = one_hot_encode(["A" * LENGTH] * 3)
    for asked in (model, lambda X: torch_cnn.predict_logits(model, X)):
        with pytest.raises(ValueError, match="must return finite numbers"):
            interpret.saturation_mutagenesis(asked, X)


def test_products_run_on_one_thread_and_the_others_come_back(small_model, monkeypatch):
    def threads():
        return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]

    seen = []
    change = layer_steps.Conv.change

    def watched(self, *args):
        seen.append(max(threads()))
        return change(self, *args)

    monkeypatch.setattr(layer_steps.Conv, "change", watched)
    before = threads()
    with ThreadPoolExecutor(3) as pool:
        X = sequences(20, LENGTH)
        list(pool.map(lambda _: interpret.saturation_mutagenesis(small_model, X), range(3)))
    assert set(seen) == {1}
    assert threads() == before


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
    def writes(X):
        X *= 0.5
        return torch.from_numpy(X).requires_grad_().sum(dim=1)

    X = sequences(3, LENGTH)
    X.flags.writeable = False
    scores = interpret.saturation_mutagenesis(writes, X, task=2)
    assert scores[0, 0, 2] == (0 if X[0, 0, 2] else 0.5)
    interpret.saturation_mutagenesis(small_model, X)
    interpret.pairwise_mutagenesis(small_model, X, end=3)
    interpret.integrated_gradients(small_model, X, steps=4)


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


def test_long_work_says_how_much_is_done(small_model, monkeypatch):
    shown = []
    monkeypatch.setattr(
        "workshop._progress.ProgressLine.show",
        lambda self, text, *, last=False: shown.append((text, last)),
    )
    clock = itertools.count(step=3)
    monkeypatch.setattr("workshop._progress.time.monotonic", lambda: next(clock))
    interpret.saturation_mutagenesis(small_model, sequences(40, LENGTH))
    interpret.saturation_mutagenesis(lambda X: X[:, 0, 0], sequences(2, LENGTH))
    interpret.pairwise_mutagenesis(small_model, sequences(3, LENGTH), end=4)
    interpret.integrated_gradients(small_model, sequences(2, LENGTH), steps=2)
    assert [text.split(" (")[0] for text, _ in shown] == [
        *("mutagenesis: 40%", "mutagenesis: 80%", "mutagenesis: 100%"),
        *("mutagenesis: 50%", "mutagenesis: 100%"),
        *("pairs: 40%", "pairs: 70%", "pairs: 90%", "pairs: 100%"),
        *("integrated gradients: 50%", "integrated gradients: 100%"),
        "integrated gradients: the scores sum to the change of the logit",
    ]
    assert sum(last for _, last in shown) == 5


# --- pairs --------------------------------------------------------------------------------------


def test_pairs_are_the_double_mutants(twin):
    model, X = twin.build_cnn(SMALL, random_state=3), sequences(2, LENGTH)
    window = range(8, 14)  # with the N of the second sequence
    pairs = interpret.pairwise_mutagenesis(model, X, start=8, end=14)
    singles = interpret.saturation_mutagenesis(model, X)[:, 8:14]
    np.testing.assert_allclose(pairs.single, singles, atol=1e-6)
    for p, letter in np.ndindex(6, 4):
        mutants = X.copy()
        mutants[:, window[p]] = LETTERS[letter]
        first = twin.predict_logits(model, mutants) - twin.predict_logits(model, X)  # (2, 1)
        expected = by_brute_force(twin.predict_logits, model, mutants, window) + first[:, :, None]
        expected[:, p] = 0
        np.testing.assert_allclose(pairs.double[:, p, letter], expected, atol=2e-6)
    by_function = interpret.pairwise_mutagenesis(
        lambda X: twin.predict_logits(model, X), X, start=8, end=14
    )
    np.testing.assert_allclose(by_function.double, pairs.double, atol=2e-6)


def test_interaction_is_double_minus_singles_and_symmetric(small_model):
    X = sequences(3, LENGTH)
    single, double, interaction = interpret.pairwise_mutagenesis(small_model, X, start=5, end=12)
    np.testing.assert_array_equal(interaction, interaction.transpose(0, 3, 4, 1, 2))
    np.testing.assert_array_equal(double, double.transpose(0, 3, 4, 1, 2))
    difference = double - single[:, :, :, None, None] - single[:, None, None]
    difference[:, np.arange(7), :, np.arange(7)] = 0  # a position with itself is no pair
    np.testing.assert_allclose(interaction, difference, atol=1e-6)
    assert not interaction[X[:, 5:12] == 1].any(), "what replaces itself interacts with nothing"
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


@pytest.mark.parametrize(
    "layers",
    [
        (Conv1D(32, 7, "relu", "same"), MaxPool(4), GlobalAvgPool()),
        (Conv1D(32, 7, "relu", "same"), MaxPool(4), Conv1D(64, 7, "relu"), GlobalMaxPool()),
        (Flatten(), Dense(20, "relu")),
    ],
    ids=["Day 1", "two convolutions", "dense"],
)
def test_integrated_gradients_are_complete_and_say_how_far(layers, monkeypatch):
    """Also where gradients jump: to 4 % of the change of the logit, and better with more steps."""
    said = []
    monkeypatch.setattr(
        "workshop._progress.ProgressLine.show", lambda self, text, **_: said.append(text)
    )
    data = datasets.load_ctcf()
    model = torch_cnn.build_cnn(Architecture(layers))
    torch_cnn.fit(
        model, data.X[:1000], data.y[:1000], epochs=3, learning_rate=0.003, progress=False
    )
    said.clear()
    X = data.X[data.y[:, 0] == 1][:12]
    for baseline in (None, [0.3, 0.2, 0.2, 0.3]):
        start = np.broadcast_to(np.zeros(4) if baseline is None else baseline, X.shape)
        change = (torch_cnn.predict_logits(model, X) - torch_cnn.predict_logits(model, start))[:, 0]
        errors = []
        for steps in (16, 256):
            scores = interpret.integrated_gradients(model, X, baseline=baseline, steps=steps)
            errors.append(np.abs(scores.sum(axis=(1, 2)) - change).max())
            size = np.abs(change).mean()
            assert said[-1] == (
                "integrated gradients: the scores sum to the change of the logit "
                f"({size:.3g} on average) to within {errors[-1]:.2g}"
            )
        assert errors[1] < 0.04 * size
        assert errors[1] < errors[0] / 4


def test_gradients_of_a_linear_model_are_its_weights(twin):
    model, X = twin.build_cnn(LINEAR, random_state=1), sequences(3, LENGTH)
    w = linear_weights(model, twin)
    np.testing.assert_allclose(interpret.saliency(model, X), [w] * 3, atol=1e-6)
    background = np.array([0.3, 0.2, 0.2, 0.3])
    whole = np.broadcast_to(background, X.shape)
    for baseline in (background, whole[0], whole):
        np.testing.assert_allclose(
            interpret.integrated_gradients(model, X, baseline=baseline, steps=3),
            w * (X - background),
            atol=1e-6,
        )


def test_integrated_gradients_agree_with_captum():
    """Its rule is another one, Gauss-Legendre; with many steps both reach the integral."""
    data = datasets.load_ctcf()
    model = torch_cnn.build_cnn(DAY1_CNN)
    torch_cnn.fit(model, data.X[:1000], data.y[:1000], epochs=2, progress=False)
    X = data.X[:3]
    with one_thread():
        theirs = captum.attr.IntegratedGradients(model).attribute(
            torch.from_numpy(X), n_steps=256, internal_batch_size=256
        )
    ours = interpret.integrated_gradients(model, X, steps=256)
    np.testing.assert_allclose(ours, theirs.detach().numpy(), atol=2e-4)
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


def test_scores_of_small_types_do_not_overflow():
    scores = np.array([[60000, -60000, -60000, -60000]])
    assert interpret.zero_mean(scores.astype(np.float16)).tolist() == [
        [90000, -30000] + [-30000] * 2
    ]
    assert interpret.zero_mean(np.array([[200, 0, 0, 0]], np.uint8)).tolist() == [
        [150, -50, -50, -50]
    ]


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
        found = interpret.motif_from_scores(scores, X, width=width)
        assert len(found) == width
        assert "GATTACA" in found.consensus
        assert motifs.similarity(word, found).correlation > 0.95
        assert found.counts.sum() == len(X) * width


def test_windows_move_together_to_where_the_importance_is():
    """From sequence to sequence other letters of the motif count, the outermost at its edges."""
    rng = np.random.default_rng(1)
    word = one_hot_encode(["GATTACATTAGC"])[0]
    X = LETTERS[rng.integers(0, 4, (200, 60))]
    scores = np.zeros(X.shape)
    for x, score in zip(X, scores, strict=True):
        start = rng.integers(0, 49)
        x[start : start + 12] = word
        weight = np.where(rng.random(12) < 0.6, rng.random(12), 0) + 0.1
        weight[rng.integers(8, 12)] += 2  # draws the first window away to the right
        score[start : start + 12] = weight[:, None] * (word - 1)
    found = interpret.motif_from_scores(scores, X, width=12)
    aligned = motifs.similarity(motifs.Motif("word", "word", word * 10), found)
    assert (aligned.offset, aligned.overlap) == (0, 12)
    assert aligned.correlation > 0.99
    assert found.consensus == "GATTACATTAGC"


def test_both_frames_of_reference_give_one_motif(detector):
    model, X, _ = detector
    scores = interpret.saturation_mutagenesis(model, X[::2])
    constant = np.random.default_rng(0).normal(size=(*scores.shape[:2], 1))
    moved = [scores, interpret.zero_mean(scores), scores + constant]
    counts = [interpret.motif_from_scores(each, X[::2], width=7).counts for each in moved]
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
    # One of 19 within is above all others, which are equal; a uint8 ends before the motif does.
    scores = interpret.localisation(np.eye(1, 300, 260), [(np.uint8(250),)], width=19)
    assert scores.auroc == pytest.approx((1 + 18 / 2) / 19)


# --- hostile input ------------------------------------------------------------------------------


X_GOOD = sequences(3, LENGTH)
VERBS = {
    "saturation": interpret.saturation_mutagenesis,
    "pairwise": interpret.pairwise_mutagenesis,
    "saliency": interpret.saliency,
    "integrated": interpret.integrated_gradients,
}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_bad_sequences_task_and_batch_size_are_refused(small_model, verb):
    with pytest.raises(ValueError, match=r"got \(3, 4, 24\)\. If it is channels-first, pass X"):
        verb(small_model, X_GOOD.swapaxes(1, 2))
    with pytest.raises(ValueError, match="X must hold at least one sequence; got none"):
        verb(small_model, X_GOOD[:0])
    with pytest.raises(ValueError, match=r"X must have 24 positions.*; got 23"):
        verb(small_model, X_GOOD[:, 1:])
    for task in (1, -1, 0.5, None, True, False):
        with pytest.raises(ValueError, match=r"task must be a column of the output, 0 to 0; got"):
            verb(small_model, X_GOOD, task=task)
    with pytest.raises(ValueError, match="batch_size must be a whole number, 1 or more; got 0"):
        verb(small_model, X_GOOD, batch_size=0)


@pytest.mark.parametrize("verb", [interpret.saturation_mutagenesis, interpret.pairwise_mutagenesis])
def test_start_must_lie_before_end(small_model, verb):
    for start, end in ((5, 5), (9, 3), (24, None), (-1, -2)):
        with pytest.raises(ValueError, match=f"before end, within 24; got {start} and {end}"):
            verb(small_model, X_GOOD, start=start, end=end)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda X: X[1:, 0, 0], r"shape \(3,\) or \(3, T\); got float32 of shape \(2,\)"),
        (lambda X: X[:3, 0, 0], r"\(64,\) or \(64, T\); got float32 of shape \(3,\)"),  # mutants
        (lambda X: X, r"got float32 of shape \(3, 24, 4\)\. Of several outputs"),
        (lambda X: ["yes"] * len(X), r"got <U3 of shape \(3,\)"),
        (lambda X: X[:, 0, 0] * np.nan, "must return finite numbers.*diverged"),
        (lambda X: None, r"got object of shape \(\)"),
        (lambda X: np.ma.array(X[:, 0, 0], mask=True), "what model returns must have no masked"),
    ],
)
def test_what_a_function_returns_is_checked(function, message):
    with pytest.raises((TypeError, ValueError), match=message):
        interpret.saturation_mutagenesis(function, X_GOOD)


def test_a_diverged_model_is_refused(twin):
    model = twin.build_cnn(SMALL)
    weights = twin.get_weights(model)
    twin.set_weights(model, weights | {"output.bias": np.array([np.nan])})
    with pytest.raises(ValueError, match="must return finite numbers"):
        interpret.saturation_mutagenesis(model, X_GOOD)


def test_what_is_no_model_is_refused():
    for wrong in (None, "model.ckpt", torch_cnn.SequenceCNN, {"a": 1}):
        with pytest.raises(TypeError, match="model must be of keras_cnn or torch_cnn, or a f"):
            interpret.saturation_mutagenesis(wrong, X_GOOD)
    with pytest.raises(TypeError, match=r"Torch module.*Linear.*torch\.from_numpy\(X\)"):
        interpret.saturation_mutagenesis(torch.nn.Linear(4, 1), X_GOOD)
    for verb in (interpret.saliency, interpret.integrated_gradients):
        with pytest.raises(TypeError, match=r"a gradient needs its framework.*; got .*function"):
            verb(lambda X: X[:, 0, 0], X_GOOD)


def test_settings_are_checked(small_model):
    with pytest.raises(ValueError, match="at least two positions; got start=3 and end=4"):
        interpret.pairwise_mutagenesis(small_model, X_GOOD, start=3, end=4)
    with pytest.raises(ValueError, match="task must be a column of the output, 0 to 1; got 2"):
        interpret.saturation_mutagenesis(lambda X: X[:, 0, :2], X_GOOD, task=2)
    with pytest.raises(ValueError, match=r"baseline must have shape \(4,\), \(24, 4\) or"):
        interpret.integrated_gradients(small_model, X_GOOD, baseline=np.zeros((24,)))
    with pytest.raises(ValueError, match="baseline must hold values from 0 to 1"):
        interpret.integrated_gradients(small_model, X_GOOD, baseline=[0, 0, 0, 2])
    with pytest.raises(ValueError, match="steps must be a whole number, 1 or more; got 0"):
        interpret.integrated_gradients(small_model, X_GOOD, steps=0)


def test_bad_scores():
    scores = np.zeros(X_GOOD.shape)
    with pytest.raises(ValueError, match=r"\(\.\.\., 4\); got \(3, 4, 24\)\. If they are channels"):
        interpret.zero_mean(scores.swapaxes(1, 2))
    with pytest.raises(ValueError, match="scores must hold finite numbers; got NaN"):
        interpret.zero_mean(scores * np.nan)
    masked = np.ma.array(scores, mask=X_GOOD == 1)
    for verb in (interpret.zero_mean, lambda s: interpret.base_importance(s, X_GOOD)):
        with pytest.raises(TypeError, match="scores must have no masked values"):
            verb(masked)
    with pytest.raises(TypeError, match="importance must have no masked values"):
        interpret.localisation(masked[:, :, 0], [(), (), (1,)], width=3)
    with pytest.raises(ValueError, match=r"one shape; got \(3, 20, 4\) and \(3, 24, 4\)"):
        interpret.project(scores[:, :20], X_GOOD)
    with pytest.raises(ValueError, match=r"X must be one-hot.*Scores come first, then X"):
        interpret.base_importance(X_GOOD, scores + 0.5)
    with pytest.raises(ValueError, match="scores must not all be 0"):
        interpret.motif_from_scores(scores, X_GOOD, width=5)
    with pytest.raises(ValueError, match="width must be at most 24, the length of X; got 25"):
        interpret.motif_from_scores(scores, X_GOOD, width=25)


def test_bad_places():
    importance = np.zeros((2, LENGTH))
    wrong = {
        r"shape \(N, L\); got shape \(2, 24, 4\)": (X_GOOD[:2], [(), ()]),
        "importance must be finite": (importance * np.nan, [(1,), ()]),
        "needs 2 entries; got 1": (importance, [(1,)]),
        "leave 7 bp; got 18, sequence 1": (importance, [(), (18,)]),
        "leave 7 bp; got -1, sequence 0": (importance, [(-1,), ()]),
        "at least one motif; got none": (importance, [(), ()]),
    }
    for message, (scores, starts) in wrong.items():
        with pytest.raises(ValueError, match=message):
            interpret.localisation(scores, starts, width=7)
