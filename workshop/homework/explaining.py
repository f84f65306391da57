"""Checks of the extended practices on explanation: 2.6.1, 2.6.2 and 2.6.5."""

from functools import lru_cache, partial
from time import perf_counter  # by name: a notebook that replaces time.perf_counter slows no clock

import numpy as np

from workshop import evaluation, interpret
from workshop.architecture import Conv1D
from workshop.homework import forms, targets
from workshop.homework.answers import ModelAnswer, pack, unpack
from workshop.homework.course_data import WIDTH, course, random_model, random_sequences
from workshop.homework.practice import Rejected, compared_remark, graded_remark, practice, require

_size = partial(np.linalg.norm, axis=(1, 2))  # of each sequence's scores, as a vector


@practice("2.6.1", "Importance on both strands", given="best_model")
def importance(rng, score_all, positive_importance, best_model):
    """Position i is L - 1 - i of the reverse complement: its map has to be turned back.

    Score X and X[:, ::-1, ::-1] with the same function, turn the second result back with
    [:, ::-1], and take the mean of both.
    """
    score = forms.function(score_all, "score_all")
    yes = "score_all equals exact mutagenesis of both strands, of three random networks."
    tried = [(random_model(rng), random_sequences(rng, n)) for n in (1, 4, 6)]
    found = [score(*one) for one in tried]
    yield (by_function := compared_remark(4, yes, _compare_function, found, tried))
    yes = "positive_importance is right, for all 496 positives."
    found = positive_importance, "positive_importance"
    yield compared_remark(3, yes, _compare_test_set, *found, best_model, 1)
    if not by_function.right:
        raise Rejected("The time counts once score_all is right.")
    n, seconds = targets.N_TIMED, min(_seconds(score, rng, n) for n in (5, 20))
    hint = f"{n} sequences take {seconds:.1f} s, not {targets.SECONDS:g}: use what section 5 used."
    yes = f"Fast: {n} sequences take {seconds:.2g} s."
    yield graded_remark(3, seconds <= targets.SECONDS, yes, hint)


def _seconds(score, rng, n):
    """Seconds for `N_TIMED` sequences, as n of them tell: few tell most what a call costs."""
    model, X = random_model(rng), random_sequences(rng, n)
    started = perf_counter()
    found = score(model, X)
    seconds = perf_counter() - started
    _compare_function([found], [(model, X)])
    return seconds * targets.N_TIMED / len(X)


def _compare_function(found, tried):
    for importance, (model, X) in zip(found, tried, strict=True):
        _compare_importance(importance, "what score_all returns", X, _exact(model, X))


def _reject_useless(model):
    """`best_model` must be a model of the twins that knows something."""
    auroc, data = 0.0, course()
    if isinstance(model, ModelAnswer):
        auroc = evaluation.auroc(data.y_test, forms.predictions(model, data.X_test, "best_model"))
    if auroc <= targets.USEFUL_AUROC:
        raise Rejected("best_model is not the search's best model any more: run section 4 again.")


def _exact(model, X):
    """Minus the mean effect of the four letters, of each strand, both in the order of `X`."""
    strands = X, X[:, ::-1, ::-1]
    effects = [interpret.saturation_mutagenesis(model.twin, one, progress=False) for one in strands]
    return -effects[0].mean(axis=2), -effects[1].mean(axis=2)[:, ::-1]


def _test_set(label):
    """Sequences of the test set that have this label."""
    return course().X_test[course().y_test[:, 0] == label]


@lru_cache(maxsize=4)
def _exact_on_test(architecture, weights, label):
    """As `_exact`, of the test sequences with this label, by a model with `pack`ed weights."""
    return _exact(ModelAnswer("torch", architecture, unpack(weights)), _test_set(label))


def _compare_test_set(answer, name, model, label):
    """Compare with exact mutagenesis of the test sequences with this label."""
    _reject_useless(model)
    exact = _exact_on_test(model.architecture, pack(model.weights), label)
    _compare_importance(answer, name, _test_set(label), exact)


def _compare_importance(answer, name, X, exact):
    """Compare with exact mutagenesis of both strands; a mean over the three changes counts, too."""
    if np.shape(answer) == X.shape:
        raise Rejected(f"{name} has four numbers a base, shape {X.shape}; the task asks for one.")
    found, (forward, backward) = forms.array(answer, name, X.shape[:2]), exact
    expected, unturned = (forward + backward) / 2, (forward + backward[:, ::-1]) / 2

    def same(other):
        """Within 0.2 % of the largest, in each sequence; over four letters or three."""
        limit = 2e-3 * np.abs(other).max(axis=1, keepdims=True)
        return any((np.abs(found - factor * other) <= limit).all() for factor in (1, 4 / 3))

    mistakes = (
        (-expected, f"{name} has the wrong sign: positive is where changes lower the logit."),
        (forward, f"{name} is that of the strand as it stands: score the other one as well."),
        (unturned, f"{name} mixes positions: turn the other strand's map back."),
    )
    r = np.corrcoef(found.ravel(), expected.ravel())[0, 1] if found.std() > 0 else 0.0
    hint = (
        f"{name} is not minus the mean effect of the changes of a base on the logit, on both "
        f"strands, with all digits; with it, it correlates at {r:.2f}."
    )
    require(same, expected, hint, mistakes)


@practice("2.6.2", "And in the negatives?", given="best_model", written="my_answer_262")
def negatives(rng, negative_importance, my_claims_262, my_answer_262, best_model):
    """All three numbers follow from one thing: a positive has a motif to break.

    One number a sequence first (axis=1), then np.median over the sequences, for positives and for
    negatives; last the difference of the two medians.
    """
    _reject_useless(best_model)
    yes = "negative_importance equals exact mutagenesis of both strands."
    found = negative_importance, "negative_importance"
    yield compared_remark(4, yes, _compare_test_set, *found, best_model, 0)
    claims = forms.mapping(my_claims_262, "my_claims_262")
    known = best_model.architecture, pack(best_model.weights)
    positive, negative = (sum(_exact_on_test(*known, label)) / 2 for label in (1, 0))
    for claim, statistic, factors in (
        ("largest importance", lambda one: one.max(axis=1), (1, 4 / 3)),
        ("lowest importance", lambda one: one.min(axis=1), (1, 4 / 3)),
        ("share of the best window", _concentration, (1,)),
    ):
        expected = np.median(statistic(positive)) - np.median(statistic(negative))
        yes = f"{claim}: {expected:+.2f}, as we find it."
        wanted = [factor * expected for factor in factors]
        yield compared_remark(2, yes, _compare_claim, claims, claim, wanted)
    words = isinstance(my_answer_262, str) and len(my_answer_262) > 20
    hint = "Say in two or three sentences, in my_answer_262, why they differ."
    yield graded_remark(0, words, "Your instructor reads your explanation.", hint)


def _compare_claim(claims, claim, expected):
    value = forms.number(claims.get(claim), claim)
    if not any(abs(value - one) <= 0.006 + 0.01 * abs(one) for one in expected):
        raise Rejected(f"{claim}: {value:.2f} is not the positives' median minus the negatives'.")


def _concentration(importance):
    """Share of each sequence's positive importance that its best window holds."""
    positive = np.clip(importance, 0, None)
    windows = np.lib.stride_tricks.sliding_window_view(positive, WIDTH, axis=1).sum(axis=2)
    return windows.max(axis=1) / np.maximum(positive.sum(axis=1), 1e-9)


@practice("2.6.5", "Another explanation")
def explanation(rng, explain):
    """The gradient changes on the way from the baseline, so one cannot stand for all of them.

    IntegratedGradients(model).attribute(torch.from_numpy(X), n_steps=256) explains the logit from
    a baseline of zeros; return it with .numpy(force=True).
    """
    call, tried = forms.function(explain, "explain"), []
    for n in (2, 4):
        model, X, change, exact = _curved(rng, n)
        scores = forms.array(call(model, X), "what explain returns")
        if scores.ndim == 4 and scores.shape[-1] == 1:  # SHAP's, with an axis for the outputs
            scores = scores[..., 0]
        scores = forms.array(scores, "what explain returns", X.shape, of=", one score a cell")
        tried.append((scores, change, exact))
    yield graded_remark(2, True, "explain takes any network, and gives a score a cell.", "")
    gaps = np.concatenate([one.sum(axis=(1, 2)) / change - 1 for one, change, _ in tried])
    off, complete = np.abs(gaps).max(), abs(gaps.mean()) <= targets.MEAN_GAP
    yes = f"Complete: in every sequence the scores add up to the change of the logit ({off:.1%})."
    hint = (
        f"The scores of a sequence miss its logit minus that of the baseline by up to {off:.0%}. "
        "Explain the logit, from a baseline of zeros, with enough steps or samples."
    )
    yield graded_remark(4, complete and off <= targets.GAP, yes, hint)
    off = max((_size(scores - exact) / _size(exact)).max() for scores, _, exact in tried)
    yes = f"Exact: every sequence agrees with integrated gradients of very many steps ({off:.1%})."
    hint = (
        f"They differ from exact integrated gradients by up to {off:.0%}: more steps or samples, "
        "of the logit, from a baseline of zeros. One gradient is not enough."
    )
    yield graded_remark(4, off <= targets.SCATTER, yes, hint)


def _curved(rng, n):
    """A random network whose gradient changes much on the way from zeros, and `n` sequences.

    With them come their changes of the logit and the exact scores, which cancel little: what is
    drawn at random, as SHAP's samples are, adds up roughly only.
    """
    while True:
        model = random_model(rng, Conv1D(8, 5, "tanh", padding="same"))
        # Zeros reach no ReLU: a kernel begins to answer somewhere on the way.
        model.weights["0.bias"] -= rng.uniform(0.2, 0.8, 8).astype(np.float32)
        X = random_sequences(rng, 40)
        change = (model.logits(X) - model.logits(np.zeros_like(X[:1])))[:, 0]
        most = np.argsort(-np.abs(change))[:n]  # where there is much to explain
        X, change = X[most], change[most]
        exact = interpret.integrated_gradients(model.twin, X, steps=targets.STEPS, progress=False)
        if (np.abs(change) > 1.5 * _size(exact)).all():
            return model, X, change, exact
