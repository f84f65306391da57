"""Checks of the extended practices on explanation: 2.6.1, 2.6.2 and 2.6.5."""

import time

import numpy as np

from workshop import evaluation, interpret
from workshop.homework import forms, targets
from workshop.homework.answers import ModelAnswer
from workshop.homework.course_data import LENGTH, WIDTH, course, random_model, random_sequences
from workshop.homework.practice import Rejected, compared_remark, graded_remark, practice


@practice(
    "2.6.1", "Importance of every base", "score_all positive_importance", "best_model", points=10
)
def importance(rng, score_all, positive_importance, best_model):
    score = forms.function(score_all, "score_all")
    model, X = random_model(rng), random_sequences(rng, 5)
    yes = "score_all equals exact mutagenesis of a random network."
    found = score(model, X), "what score_all returns"
    yield (by_function := compared_remark(4, yes, _compare_importance, *found, model, X))
    yes = "positive_importance is right, for all 496 positives."
    found = positive_importance, "positive_importance"
    yield compared_remark(3, yes, _compare_test_set, *found, best_model, 1)
    if not by_function.right:
        raise Rejected("The time counts once score_all is right.")
    seconds = _seconds(score, best_model if isinstance(best_model, ModelAnswer) else model, rng)
    yes = f"Fast: {targets.N_TIMED} sequences take {seconds:.2g} s."
    hint = (
        f"{targets.N_TIMED} sequences take {seconds:.0f} s, and {targets.SECONDS:g} are allowed. "
        "Predict many mutants at once, or use what section 5 used."
    )
    yield graded_remark(3, seconds <= targets.SECONDS, yes, hint)


def _seconds(score, model, rng):
    """Seconds for `N_TIMED` sequences; a few tell enough where the answer is clear."""

    def timed(n):
        X = random_sequences(rng, n)
        started = time.perf_counter()
        found = score(model, X)
        seconds = time.perf_counter() - started
        some, name = rng.choice(n, 3, replace=False), "what score_all returns when it is timed"
        found = forms.array(found, name, X.shape[:2])
        _compare_importance(found[some], name, model, X[some])
        return seconds * targets.N_TIMED / n

    few = timed(4)
    if few <= targets.SECONDS or few > 4 * targets.SECONDS:
        return few
    return min(timed(targets.N_TIMED), timed(targets.N_TIMED))


def _reject_useless(model):
    """`best_model` must be a model of the twins that knows something."""
    auroc, data = 0.0, course()
    if isinstance(model, ModelAnswer):
        auroc = evaluation.auroc(data.y_test, forms.predictions(model, data.X_test, "best_model"))
    if auroc <= targets.USEFUL_AUROC:
        raise Rejected("best_model is not the search's best model any more: run section 4 again.")


def _test_set(label):
    """Sequences of the test set that have this label."""
    return course().X_test[course().y_test[:, 0] == label]


def _exact(model, X):
    """Importance by exact mutagenesis: minus the mean effect, over all four letters."""
    return -interpret.saturation_mutagenesis(model.twin, X, progress=False).mean(axis=2)


def _compare_test_set(answer, name, model, label):
    """Compare with exact mutagenesis of the test sequences with this label."""
    _reject_useless(model)
    _compare_importance(answer, name, model, _test_set(label))


def _compare_importance(answer, name, model, X):
    """Compare with exact mutagenesis; a mean over the three changes counts as well."""
    if np.shape(answer) == X.shape:
        raise Rejected(f"{name} has four numbers a base, shape {X.shape}; the task asks for one.")
    found, expected = forms.array(answer, name, X.shape[:2]), _exact(model, X)
    if not np.isfinite(found).all():
        n = np.sum(~np.isfinite(found))
        raise Rejected(f"{name} holds {n} numbers that are not finite.")
    tolerance = 2e-3 * np.abs(expected).max()
    if any(np.allclose(found, factor * expected, atol=tolerance) for factor in (1, 4 / 3)):
        return
    if any(np.allclose(found, factor * expected, atol=tolerance) for factor in (-1, -4 / 3)):
        raise Rejected(
            f"{name} has the wrong sign: positive is where changes would lower the logit."
        )
    r = np.corrcoef(found.ravel(), expected.ravel())[0, 1] if found.std() > 0 else 0.0
    if r > 0.999:
        raise Rejected(
            f"{name} is right but for a factor, or rounded: take the mean over the changes of a "
            "base, and keep all digits."
        )
    raise Rejected(
        f"{name} is not minus the mean effect of the changes on the logit; with it, it correlates "
        f"at {r:.2f}."
    )


@practice(
    "2.6.2",
    "And in the negatives?",
    "negative_importance my_claims_262 my_answer_262",
    "best_model",
    points=10,
    written="my_answer_262",
)
def negatives(rng, negative_importance, my_claims_262, my_answer_262, best_model):
    _reject_useless(best_model)
    yes = "negative_importance equals exact mutagenesis."
    found = negative_importance, "negative_importance"
    yield (numbers := compared_remark(5, yes, _compare_test_set, *found, best_model, 0))
    words = my_answer_262
    yes = "Your explanation is there; your instructor reads it."
    hint = "Explain in two or three sentences, in my_answer_262, why they differ."
    right = isinstance(words, str) and len(words) >= 40 and len(set(words)) >= 10
    yield graded_remark(2, right, yes, hint)
    if not numbers.right:
        raise Rejected("my_claims_262 count once negative_importance is right.")
    claims = forms.mapping(my_claims_262, "my_claims_262")
    exact = {"negatives": _exact(best_model, _test_set(0))}
    exact["positives"] = _exact(best_model, _test_set(1))
    for claim, statistic in (
        ("largest importance", lambda one: one.max(axis=1)),
        ("most negative importance", lambda one: -one.min(axis=1)),
        ("more concentrated", _concentration),
    ):
        medians = {name: np.median(statistic(one)) for name, one in exact.items()}
        side, claimed = max(medians, key=medians.get), str(claims.get(claim)).strip().lower()[:3]
        hint = f"{claim}: the numbers do not agree with you. Compute the two medians."
        if claimed not in ("pos", "neg"):
            hint = f'{claim}: write "positives" or "negatives".'
        yes = f"{claim}: {side}, and the numbers agree."
        yield graded_remark(1, claimed == side[:3], yes, hint)


def _concentration(importance):
    """Share of each sequence's positive importance that its best window holds."""
    positive = np.clip(importance, 0, None)
    windows = np.lib.stride_tricks.sliding_window_view(positive, WIDTH, axis=1).sum(axis=2)
    return windows.max(axis=1) / np.maximum(positive.sum(axis=1), 1e-9)


@practice("2.6.5", "Another explanation", "my_explanation", "X_few best_model", points=10)
def explanation(rng, my_explanation, X_few, best_model):
    _reject_useless(best_model)
    data = course()
    X = forms.array(X_few, "X_few", (None, LENGTH, 4)).astype(np.float32)
    rows = [np.flatnonzero((data.X_test == x).all(axis=(1, 2))) for x in X]
    if len(X) < 3 or not all(len(r) and data.y_test[r[0], 0] == 1 for r in rows):
        raise Rejected("X_few must hold at least three positive test sequences.")
    scores = forms.array(my_explanation, "my_explanation")
    if scores.ndim == 4 and scores.shape[-1] == 1:  # SHAP's, with an axis for the outputs
        scores = scores[..., 0]
    scores = forms.array(scores, "my_explanation", (None, LENGTH, 4), of=", one score a cell")
    n = len(scores)
    if not 3 <= n <= len(X):
        raise Rejected(f"my_explanation must explain at least three of X_few; it has {n}.")
    if not np.isfinite(scores).all():
        raise Rejected("my_explanation holds numbers that are not finite.")
    yield graded_remark(2, True, f"Scores for {n} sequences, a number a cell.", "")
    X, starts = X[:n], [data.starts_test[r[0]] for r in rows[:n]]
    off, scatter = _completeness(best_model, X, scores, rng)
    gradient = interpret.saliency(best_model.twin, X) * X
    is_gradient = np.allclose(scores, gradient, rtol=0, atol=1e-3 * np.abs(gradient).max())
    yes = f"Complete: the scores add up to the change of the logit, on average to within {off:.1%}."
    hint = (
        "The scores of a sequence do not add up to its logit minus that of a baseline: on average "
        f"they miss by {max(off, scatter):.0%}. Explain the logit, with a method that promises "
        "completeness, and take enough steps or samples."
    )
    if is_gradient:
        hint = (
            f"That is gradient times input, which promises nothing: it misses by {off:.0%}. {hint}"
        )
    gap = targets.EXACT_GAP if is_gradient else targets.GAP
    yield graded_remark(5, off < gap and scatter < targets.SCATTER, yes, hint)
    found = interpret.localisation((scores * X).sum(axis=2), starts, width=WIDTH).auroc
    yes = f"It points to the planted motifs: AUROC {found:.2f}."
    hint = f"It does not point to the planted motifs: AUROC {found:.2f} over the bases."
    yield graded_remark(3, found > targets.POINTING_AUROC, yes, hint)


def _completeness(model, X, scores, rng):
    """How far scores are from adding up, in units of the change of the logit: mean and scatter.

    Scores that are 0 off the letters are differences to zeros; of others the baseline is the one of
    these that fits best.
    """
    data = course()
    background = data.X_train[data.y_train[:, 0] == 0]
    background = background[rng.choice(len(background), size=200, replace=False)]
    mean = data.X_train.mean(axis=0)
    flat = np.stack([np.zeros_like(mean), np.full_like(mean, 0.25), mean])  # (3, L, 4)
    means = [model.logits(one).mean() for one in (background, data.X_train)]
    baselines = np.array([*model.logits(flat)[:, 0], *means], dtype=float)
    if not scores[X == 0].any():
        baselines = baselines[:1]
    logits = model.logits(X)[:, :1].astype(float)  # (n, 1)
    implied = logits[:, 0] - scores.sum(axis=(1, 2))  # the baseline's logit, by each sequence
    change = np.maximum(np.abs(logits - baselines).mean(axis=0), 1e-6)
    off, scatter = np.abs(implied.mean() - baselines) / change, implied.std() / change
    best = np.argmin(off + scatter)  # a method that draws samples cannot avoid some scatter
    return off[best], scatter[best]
