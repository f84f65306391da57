"""Checks of the extended practices on explanation: 2.6.1, 2.6.2 and 2.6.5."""

import time

import numpy as np

from workshop import evaluation, interpret
from workshop.homework.answers import ModelAnswer
from workshop.homework.practice import (
    NotDone,
    Unreadable,
    array,
    course,
    function,
    mapping,
    part,
    practice,
    predictions,
    random_model,
    random_sequences,
    unfilled,
)

SECONDS, N_TIMED = 10.0, 40  # two minutes for all 496 positives
LEAST_AUROC = 0.7  # of a model that is worth explaining
WIDTH = 19  # of the motif
LOST = "best_model is not the search's best model any more: run section 4 again."


def _worth_explaining(model):
    """Whether it is a model of the twins, and knows something."""
    data = course()
    return isinstance(model, ModelAnswer) and (
        evaluation.auroc(data.y_test, predictions(model, data.X_test, "best_model")) > LEAST_AUROC
    )


@practice(
    "2.6.1", "Importance of every base", "score_all positive_importance", "best_model", points=10
)
def importance(rng, score_all, positive_importance, best_model):
    score = function(score_all, "score_all")
    model, X = random_model(rng), random_sequences(rng, 5)
    found = score(model, X)
    if found is None:
        raise NotDone("score_all returns None.")
    hint = _importance_hint(found, _exact(model, X), "what score_all returns")
    yield part(4, not hint, "score_all equals exact mutagenesis of a random network.", hint)
    positives = course().X_test[course().y_test[:, 0] == 1]
    known = _worth_explaining(best_model)
    if unfilled(positive_importance):
        yield part(3, False, "", "positive_importance is not there yet.")
    elif not known:
        yield part(3, False, "", LOST)
    else:
        wrong = _importance_hint(
            positive_importance, _exact(best_model, positives), "positive_importance"
        )
        yield part(3, not wrong, "positive_importance is right, for all 496 positives.", wrong)
    if hint:
        yield part(3, False, "", "The time counts once score_all is right.")
        return
    seconds = _seconds(score, best_model if known else model, rng)
    yield part(
        3,
        seconds <= SECONDS,
        f"Fast: {N_TIMED} sequences take {seconds:.2g} s.",
        f"{N_TIMED} sequences take {seconds:.0f} s, and {SECONDS:g} are allowed. Predict many "
        "mutants at once, or use what section 5 used.",
    )


def _seconds(score, model, rng):
    """Seconds for `N_TIMED` sequences; a few tell enough where the answer is clear."""

    def timed(n):
        X = random_sequences(rng, n)
        started = time.perf_counter()
        score(model, X)
        return (time.perf_counter() - started) * N_TIMED / n

    few = timed(4)
    if few <= SECONDS or few > 4 * SECONDS:
        return few
    return min(timed(N_TIMED), timed(N_TIMED))


def _exact(model, X):
    """Importance by exact mutagenesis: minus the mean effect, over all four letters."""
    return -interpret.saturation_mutagenesis(model.twin, X, progress=False).mean(axis=2)


def _importance_hint(found, expected, name):
    """Nothing where `found` is `expected`; a mean over the three changes counts as well."""
    shape = np.shape(found)
    if shape == (*expected.shape, 4):
        return f"{name} has four numbers a base, shape {shape}; the task asks for one."
    try:
        found = array(found, name, expected.shape)
    except Unreadable as form:
        return str(form)
    if not np.isfinite(found).all():
        return f"{name} holds {np.sum(~np.isfinite(found))} numbers that are not finite."
    scale = np.abs(expected).max()
    for factor in (1, 4 / 3):
        if np.allclose(found, factor * expected, atol=2e-3 * scale):
            return ""
        if np.allclose(found, -factor * expected, atol=2e-3 * scale):
            return f"{name} has the wrong sign: positive is where changes would lower the logit."
    r = np.corrcoef(found.ravel(), expected.ravel())[0, 1] if found.std() > 0 else 0.0
    if r > 0.999:
        return (
            f"{name} is right but for a factor, or rounded: take the mean over the changes of a "
            "base, and keep all digits."
        )
    return (
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
    if not _worth_explaining(best_model):
        raise Unreadable(LOST)
    data = course()
    exact = {
        name: _exact(best_model, data.X_test[data.y_test[:, 0] == label])
        for name, label in (("negatives", 0), ("positives", 1))
    }
    if unfilled(negative_importance):
        hint = "negative_importance is not there yet."
    else:
        hint = _importance_hint(negative_importance, exact["negatives"], "negative_importance")
    yield part(5, not hint, "negative_importance equals exact mutagenesis.", hint)
    if my_claims_262 is None or (unfilled(my_claims_262) and not any(my_claims_262.values())):
        yield part(3, False, "", "my_claims_262 is not there yet.")
    elif hint:
        yield part(3, False, "", "my_claims_262 count once negative_importance is right.")
    else:
        yield from _claims_parts(mapping(my_claims_262, "my_claims_262"), exact)
    words = my_answer_262
    if isinstance(words, (list, tuple)):
        words = " ".join(map(str, words))
    yield part(
        2,
        isinstance(words, str) and len(words) >= 40 and len(set(words)) >= 10,
        "Your explanation is there; your instructor reads it.",
        "Explain in two or three sentences, in my_answer_262, why they differ.",
    )


def _claims_parts(claims, exact):
    truth = {
        "largest importance": _higher(exact, lambda one: one.max(axis=1)),
        "most negative importance": _higher(exact, lambda one: -one.min(axis=1)),
        "more concentrated": _higher(exact, _concentration),
    }
    for claim, side in truth.items():
        claimed = str(claims.get(claim)).strip().lower()[:3]
        hint = f"{claim}: the numbers do not agree with you. Compute the two medians."
        if claimed not in ("pos", "neg"):
            hint = f'{claim}: write "positives" or "negatives".'
        yield part(1, claimed == side[:3], f"{claim}: {side}, and the numbers agree.", hint)


def _higher(exact, statistic):
    return max(exact, key=lambda name: np.median(statistic(exact[name])))


def _concentration(importance):
    """Share of each sequence's positive importance that its best window holds."""
    positive = np.clip(importance, 0, None)
    sums = np.cumsum(np.pad(positive, ((0, 0), (1, 0))), axis=1)
    best = (sums[:, WIDTH:] - sums[:, :-WIDTH]).max(axis=1)
    return best / np.maximum(positive.sum(axis=1), 1e-9)


@practice("2.6.5", "Another explanation", "my_explanation", "X_few best_model", points=10)
def explanation(rng, my_explanation, X_few, best_model):
    if not _worth_explaining(best_model):
        raise Unreadable(LOST)
    data = course()
    X = array(X_few, "X_few", (None, 200, 4)).astype(np.float32)
    rows = [np.flatnonzero((data.X_test == x).all(axis=(1, 2))) for x in X]
    known = len(X) >= 3 and all(len(r) and data.y_test[r[0], 0] == 1 for r in rows)
    if not known:
        raise Unreadable("X_few must hold at least three positive test sequences.")
    scores = array(my_explanation, "my_explanation")
    if scores.ndim == 4 and scores.shape[-1] == 1:  # SHAP's, with an axis for the outputs
        scores = scores[..., 0]
    scores = array(scores, "my_explanation", (None, 200, 4), of=", one score a cell")
    n = len(scores)
    if not 3 <= n <= len(X):
        raise Unreadable(f"my_explanation must explain at least three of X_few; it has {n}.")
    X, starts = X[:n], [data.starts_test[r[0]] for r in rows[:n]]
    finite = np.isfinite(scores).all()
    hint = "my_explanation holds numbers that are not finite."
    yield part(2, finite, f"Scores for {n} sequences, a number a cell.", hint)
    if not finite:
        return
    off, scatter = _completeness(best_model, X, scores, rng)
    yield part(
        5,
        off < 0.15 and scatter < 0.3,
        f"Complete: the scores add up to the change of the logit, on average to within {off:.1%}.",
        "The scores of a sequence do not add up to its logit minus that of a baseline: on average "
        f"they miss by {max(off, scatter):.0%}. Explain the logit, with a method that promises "
        "completeness, and take enough steps or samples.",
    )
    found = interpret.localisation((scores * X).sum(axis=2), starts, width=WIDTH).auroc
    yield part(
        3,
        found > 0.65,
        f"It points to the planted motifs: AUROC {found:.2f}.",
        f"It does not point to the planted motifs: AUROC {found:.2f} over the bases.",
    )


def _completeness(model, X, scores, rng):
    """How far scores are from adding up, in units of the change of the logit.

    Tries the usual baselines: all zeros, equal shares, the mean sequence, and the mean over a
    background. Of the best one: the mean over the sequences, and the scatter around it, which a
    method that draws samples cannot avoid.
    """
    data = course()
    background = data.X_train[data.y_train[:, 0] == 0]
    background = background[rng.choice(len(background), size=200, replace=False)]
    flat = np.stack([np.zeros((200, 4)), np.full((200, 4), 0.25), data.X_train.mean(axis=0)])
    usual = [*model.logits(flat.astype(np.float32))[:, 0], model.logits(background).mean()]
    usual.append(model.logits(data.X_train).mean())
    logits = model.logits(X)[:, 0].astype(float)
    implied = logits - scores.sum(axis=(1, 2))  # the baseline's logit, by each sequence
    best = (np.inf, np.inf)
    for baseline in map(float, usual):
        change = max(np.abs(logits - baseline).mean(), 1e-6)
        off, scatter = abs(implied.mean() - baseline) / change, implied.std() / change
        best = min(best, (float(off), float(scatter)), key=sum)
    return best
