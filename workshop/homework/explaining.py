"""Checks of the extended practices on explanation: 2.6.1, 2.6.2 and 2.6.5."""

from time import perf_counter  # by name: a notebook that replaces time.perf_counter slows no clock

import numpy as np

from workshop import evaluation, interpret
from workshop.architecture import Architecture, Conv1D, GlobalMaxPool, MaxPool, initial_weights
from workshop.homework import forms, targets
from workshop.homework.answers import ModelAnswer
from workshop.homework.course_data import LENGTH, WIDTH, course, random_model, random_sequences
from workshop.homework.practice import Rejected, compared_remark, graded_remark, practice


@practice(
    "2.6.1",
    "Importance on both strands",
    "score_all positive_importance",
    "best_model",
    also="motif_starts",
    points=10,
    why="Position i of a sequence is position L - 1 - i of its reverse complement, so the second "
    "map has to be turned back before the two are averaged.",
    last_hint="Score X and X[:, ::-1, ::-1] with the same function, turn the second result back "
    "with [:, ::-1], and take the mean of both.",
)
def importance(rng, score_all, positive_importance, best_model):
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
    seconds = _seconds(score, rng)
    yes = f"Fast: {targets.N_TIMED} sequences take {seconds:.2g} s."
    hint = (
        f"{targets.N_TIMED} sequences take {seconds:.0f} s, and {targets.SECONDS:g} are allowed. "
        "Predict many mutants at once, or use what section 5 used."
    )
    yield graded_remark(3, seconds <= targets.SECONDS, yes, hint)


def _compare_function(found, tried):
    for importance, (model, X) in zip(found, tried, strict=True):
        _compare_importance(importance, "what score_all returns", X, _exact(model, X))


def _seconds(score, rng):
    """Seconds for `N_TIMED` sequences; a few tell enough where the answer is clear."""

    def timed(n):
        model, X = random_model(rng), random_sequences(rng, n)
        started = perf_counter()
        found = score(model, X)
        seconds = perf_counter() - started
        name = "what score_all returns when it is timed"
        _compare_importance(found, name, X, _exact(model, X))
        return seconds * targets.N_TIMED / n

    few = timed(5)
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
    """Minus the mean effect of the four letters, of each strand, both in the order of `X`."""
    strands = X, X[:, ::-1, ::-1]
    effects = [interpret.saturation_mutagenesis(model.twin, one, progress=False) for one in strands]
    return -effects[0].mean(axis=2), -effects[1].mean(axis=2)[:, ::-1]


def _compare_test_set(answer, name, model, label):
    """Compare with exact mutagenesis of the test sequences with this label."""
    _reject_useless(model)
    _compare_importance(answer, name, _test_set(label), _exact_on_test(model, label))


def _exact_on_test(model, label):
    """As `_exact`, of the test sequences with this label; kept for the next check."""
    key = (model.architecture, label, *(one.tobytes() for one in model.weights.values()))
    if key not in _known:
        while len(_known) > 3:
            _known.pop(next(iter(_known)))
        _known[key] = _exact(model, _test_set(label))
    return _known[key]


_known = {}  # by model and label


def _compare_importance(answer, name, X, exact):
    """Compare with exact mutagenesis of both strands; a mean over the three changes counts, too."""
    if np.shape(answer) == X.shape:
        raise Rejected(f"{name} has four numbers a base, shape {X.shape}; the task asks for one.")
    found, (forward, backward) = forms.array(answer, name, X.shape[:2]), exact
    if not np.isfinite(found).all():
        n = np.sum(~np.isfinite(found))
        raise Rejected(f"{name} holds {n} numbers that are not finite.")
    expected = (forward + backward) / 2

    def equals(other):
        """Within 0.2 % of the largest, in each sequence; over four letters or three."""
        limit = 2e-3 * np.abs(other).max(axis=1, keepdims=True)
        return any((np.abs(found - factor * other) <= limit).all() for factor in (1, 4 / 3))

    if equals(expected):
        return
    for mistake, hint in (
        (-expected, "has the wrong sign: positive is where changes would lower the logit."),
        (forward, "is that of the strand as it stands: score the other strand as well."),
        (backward, "is that of the other strand alone: take the mean of both."),
        ((forward + backward[:, ::-1]) / 2, "mixes positions: turn the other strand's map back."),
        (forward + backward, "is the sum of both strands: take the mean."),
    ):
        if equals(mistake):
            raise Rejected(f"{name} {hint}")
    r = np.corrcoef(found.ravel(), expected.ravel())[0, 1] if found.std() > 0 else 0.0
    if r > 0.999:
        raise Rejected(
            f"{name} is right but for a factor, or rounded: take the mean over the changes of a "
            "base, and keep all digits."
        )
    raise Rejected(
        f"{name} is not minus the mean effect of the changes on the logit, on both strands; with "
        f"it, it correlates at {r:.2f}."
    )


@practice(
    "2.6.2",
    "And in the negatives?",
    "negative_importance my_claims_262 my_answer_262",
    "best_model",
    also="positive_importance",
    points=10,
    written="my_answer_262",
    why="All three numbers follow from one thing: a positive has a motif to break.",
    last_hint="One number a sequence first (axis=1), then np.median over the sequences, for "
    "positives and for negatives; last the difference of the two medians.",
)
def negatives(rng, negative_importance, my_claims_262, my_answer_262, best_model):
    _reject_useless(best_model)
    yes = "negative_importance equals exact mutagenesis of both strands."
    found = negative_importance, "negative_importance"
    yield compared_remark(4, yes, _compare_test_set, *found, best_model, 0)
    claims = forms.mapping(my_claims_262, "my_claims_262")
    exact = [sum(_exact_on_test(best_model, label)) / 2 for label in (1, 0)]
    for claim, statistic in (
        ("largest importance", lambda one: one.max(axis=1)),
        ("lowest importance", lambda one: one.min(axis=1)),
        ("share of the best window", _concentration),
    ):
        expected = -np.diff([np.median(statistic(one)) for one in exact]).item()
        hint = f"{claim}: {claims.get(claim)!r} is not the difference of the two medians."
        close = False
        if not forms.unfilled(claims.get(claim)):
            value = forms.number(claims[claim], claim)
            factors = (1, 4 / 3) if claim.endswith("importance") else (1,)
            close = any(abs(value - f * expected) <= 0.006 + 0.01 * abs(expected) for f in factors)
            if abs(value + expected) <= 0.006 + 0.01 * abs(expected):
                hint = f"{claim}: the sign is turned; take positives minus negatives."
        yield graded_remark(2, close, f"{claim}: {expected:+.2f}, as we find it.", hint)
    words = isinstance(my_answer_262, str) and len(my_answer_262.split()) > 7
    hint = "Say in two or three sentences, in my_answer_262, why they differ."
    yield graded_remark(0, words, "Your instructor reads your explanation.", hint)


def _concentration(importance):
    """Share of each sequence's positive importance that its best window holds."""
    positive = np.clip(importance, 0, None)
    windows = np.lib.stride_tricks.sliding_window_view(positive, WIDTH, axis=1).sum(axis=2)
    return windows.max(axis=1) / np.maximum(positive.sum(axis=1), 1e-9)


@practice(
    "2.6.5",
    "Another explanation",
    "explain",
    also="best_model X_positive motif_starts",
    points=10,
    why="The gradient changes on the way from the baseline, so one gradient, or two, cannot stand "
    "for all of them; the mean over the way can, and adds up to the change of the logit.",
    last_hint="IntegratedGradients(model).attribute(torch.from_numpy(X), n_steps=256) explains "
    "the logit from a baseline of zeros; return it with .numpy(force=True).",
)
def explanation(rng, explain):
    call = forms.function(explain, "explain")
    tried = []
    for n in (2, 4):
        model, X = _curved(rng, n)
        scores = forms.array(call(model, X), "what explain returns")
        if scores.ndim == 4 and scores.shape[-1] == 1:  # SHAP's, with an axis for the outputs
            scores = scores[..., 0]
        scores = forms.array(scores, "what explain returns", X.shape, of=", one score a cell")
        if not np.isfinite(scores).all():
            raise Rejected("explain returns numbers that are not finite.")
        exact = interpret.integrated_gradients(model.twin, X, steps=targets.STEPS, progress=False)
        tried.append((model, X, scores, exact))
    yield graded_remark(2, True, "explain takes any network, and gives a score a cell.", "")
    off = max(map(_incompleteness, tried))
    yes = f"Complete: in every sequence the scores add up to the change of the logit ({off:.1%})."
    hint = (
        f"The scores of a sequence miss its logit minus that of the baseline by up to {off:.0%}. "
        "Explain the logit, from a baseline of zeros, with enough steps or samples."
    )
    yield graded_remark(4, off <= targets.GAP, yes, hint)
    off = max(_distance(scores, exact).max() for _, _, scores, exact in tried)
    yes = f"Exact: every sequence agrees with integrated gradients of very many steps ({off:.1%})."
    hint = f"They differ from exact integrated gradients by up to {off:.0%}"
    hint += _named(tried) or ": more steps or samples, of the logit, from a baseline of zeros."
    yield graded_remark(4, off <= targets.SCATTER, yes, hint)


def _curved(rng, n):
    """A random network whose gradient changes much on the way from zeros, and `n` sequences."""
    layers = (Conv1D(8, int(rng.integers(5, 12)), "relu", padding="same"), MaxPool(4))
    layers += (Conv1D(8, 5, "tanh", padding="same"), GlobalMaxPool())
    architecture = Architecture(layers, input_length=LENGTH)
    weights = initial_weights(architecture, random_state=rng)
    weights = {name: 3 * values for name, values in weights.items()}
    # Zeros reach no ReLU: a kernel begins to answer somewhere on the way.
    weights["0.bias"] -= rng.uniform(0.2, 0.8, 8).astype(np.float32)
    model, X = ModelAnswer("torch", architecture, weights), random_sequences(rng, 40)
    return model, X[np.argsort(-np.abs(_change(model, X)))[:n]]  # where there is much to explain


def _change(model, X):
    """By how much each logit differs from that of zeros."""
    return (model.logits(X) - model.logits(np.zeros_like(X[:1])))[:, 0]


def _incompleteness(tried):
    """How far the worst sequence is from adding up, as a share of its change."""
    model, X, scores, _ = tried
    change = _change(model, X)
    return np.abs(scores.sum(axis=(1, 2)) / change - 1).max()


def _distance(scores, exact):
    """Distance of each sequence's scores from the exact ones, as a share of these."""
    off, size = (np.sqrt((one**2).sum(axis=(1, 2))) for one in (scores - exact, exact))
    return off / size


def _named(tried):
    """What the scores are instead, where it has a name."""
    for name, other in (
        ("gradient times input", lambda model, X: interpret.saliency(model, X) * X),
        ("the gradient alone", interpret.saliency),
        ("mutagenesis", lambda m, X: interpret.saturation_mutagenesis(m, X, progress=False)),
    ):
        if all(_distance(scores, other(m.twin, X)).max() < 1e-3 for m, X, scores, _ in tried):
            return f": they are {name}."
    return ""
