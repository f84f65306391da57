"""Checks of the extended practices on search: 2.6.3 and 2.6.4."""

import numpy as np

from workshop import evaluation
from workshop.homework import forms, targets
from workshop.homework.course_data import course
from workshop.homework.practice import Rejected, compared_remark, graded_remark, practice


@practice("2.6.3", "Prune the model space", "pruned_space pruned_result", points=10)
def prune(rng, pruned_space, pruned_result):
    size, full = forms.space(pruned_space, "pruned_space").size, np.prod(targets.SPACE_SIZES)
    small = targets.FEWEST <= size <= targets.MOST
    hint = f"{size} architectures; at most {targets.MOST} are allowed."
    if size < targets.FEWEST:
        hint = f"{size} architectures leave nothing to search: keep at least {targets.FEWEST}."
    yield graded_remark(3, small, f"Pruned from {full} to {size} architectures.", hint)
    history = forms.search(pruned_result, "pruned_result").history
    found = _found_again(pruned_result, pruned_space)
    yield graded_remark(3, True, f"The search tried {len(history)} children of your space.", "")
    good, wanted = targets.GOOD_AUROC, targets.GOOD_TRIALS
    tokens = history["tokens"][history["val_auroc"] >= good]
    right = small and sum(one in found for one in tokens) >= wanted
    found = f"{len(tokens)} of {len(history)} children reach a val AUROC of {good}"
    yes = f"{found}; of the full space one in six does."
    hint = (
        f"{found} (best {history['val_auroc'].max():.4f}); the target is {wanted}. Which "
        "operations were never among the best?"
    )
    yield graded_remark(4, right, yes, hint)


def _found_again(result, pruned_space):
    """Tokens of the best children, which are what the search says of them; look at its length."""
    n, data = len(result.history), course()
    if not targets.TRIALS <= n <= 2 * targets.TRIALS:
        raise Rejected(f"The search has {n} trials; the task asks for max_trials={targets.TRIALS}.")
    best = result.ranking.reset_index(drop=True).nlargest(targets.GOOD_TRIALS, "val_auroc")
    for rank, tokens, claimed in best[["tokens", "val_auroc"]].itertuples(name=None):
        model = result.load(rank)
        if pruned_space.architecture(tokens) != model.architecture:
            raise Rejected(f"The child with tokens {tokens} does not come from pruned_space.")
        found = evaluation.auroc(data.y_val, model.logits(data.X_val))
        if not abs(found - claimed) <= 5e-3:  # nor nan
            raise Rejected(
                f"The history gives the best children other scores than we find ({found:.4f})."
            )
    return list(best["tokens"])


@practice("2.6.4", "A reward of your own", "my_reward my_reward_result", points=10)
def own_reward(rng, my_reward, my_reward_result):
    call = forms.function(my_reward, "my_reward")

    def reward(y_true, y_score):
        return forms.number(call(y_true, y_score), "what my_reward returns")

    _reject_infinite(reward, rng)
    yield graded_remark(2, True, "my_reward returns one finite number.", "")
    yes = "It prefers better predictions, whatever the order of rows."
    yield compared_remark(3, yes, _compare_predictions, reward, rng)
    hint = "This is AUROC, which the search has had before: choose another."
    yield graded_remark(1, not _is_auroc(reward), "It is another reward than AUROC.", hint)
    n = len(forms.search(my_reward_result, "my_reward_result").history)
    data, best = course(), my_reward_result.ranking.head(3)
    models = [my_reward_result.load(rank) for rank in range(len(best))]
    ours = [reward(data.y_val, model.predict(data.X_val)) for model in models]
    hint = f"The search has {n} trials; the task asks for {targets.TRIALS}."
    if n >= targets.TRIALS:
        hint = (
            f"The best child's reward is {best['reward'].iloc[0]:.4f} in the history, but "
            f"my_reward gives it {ours[0]:.4f}: was the search run with this my_reward?"
        )
    driven = np.allclose(best["reward"].to_numpy(float), ours, atol=1e-5, rtol=1e-4)
    yes = f"The search was driven by it: we recomputed the rewards of the best {len(best)}."
    yield graded_remark(4, n >= targets.TRIALS and driven and not _constant(reward, rng), yes, hint)


def _labels(rng, n):
    return rng.permutation(np.arange(n) % 2)[:, None].astype(np.float32)


def _graded(rng, y, quality):
    """Scores (N, 1) that agree with the labels: 1 well, 0 not at all, -1 the wrong way."""
    noise = rng.uniform(0.05, 0.95, y.shape)
    right = 0.5 + 0.4 * (2 * y - 1) * np.sign(quality)
    return ((1 - abs(quality)) * noise + abs(quality) * right).astype(np.float32)


def _reject_infinite(reward, rng):
    y = _labels(rng, 60)
    if not np.isfinite(first := reward(y, _graded(rng, y, 0.5))):
        raise Rejected(f"my_reward returns {first}.")
    if not all(np.isfinite(reward(y, sure)) for sure in (y, 1 - y)):
        raise Rejected(
            "Scores of exactly 0 and 1 make it infinite or nan: keep them away from both, and not "
            "by 1e-8, since 1 - 1e-8 is 1 in float32."
        )


def _compare_predictions(reward, rng):
    """Good predictions must earn more than fair and wrong ones, in any order of the rows."""
    if _constant(reward, rng):
        raise Rejected("It returns the same number for good and bad predictions.")
    for _ in range(4):
        y = _labels(rng, 80)
        scores = [_graded(rng, y, quality) for quality in (0.9, 0.3, -0.9)]
        good, fair, bad = (reward(y, score) for score in scores)
        if good < fair < bad:
            raise Rejected("It prefers wrong predictions: larger must mean better.")
        order = rng.permutation(len(y))
        if np.isclose(good, reward(y, scores[0][order]), rtol=1e-6, atol=1e-9):
            raise Rejected(
                "It does not notice which score belongs to which label. Compare the shapes: (N, 1) "
                "with (N,) makes N x N."
            )
        if not np.isclose(good, reward(y[order], scores[0][order]), rtol=1e-4, atol=1e-6):
            raise Rejected("The order of the rows changes it; it must not.")
        if not (good >= fair >= bad and good > bad):
            raise Rejected("Better predictions do not get larger rewards.")


def _constant(reward, rng):
    y = _labels(rng, 40)
    values = [reward(y, _graded(rng, y, quality)) for quality in (0.9, 0.2, -0.9)]
    return max(values) - min(values) < 1e-9


def _is_auroc(reward):
    """Whether it is a function of AUROC: equal for two rankings of equal AUROC."""
    score = np.concatenate([np.linspace(0.95, 0.6, 10), np.linspace(0.45, 0.05, 30)])[:, None]
    values = [
        reward(np.repeat(order, (10, 20, 10))[:, None].astype(np.float32), score.astype(np.float32))
        for order in ([1, 0, 1], [0, 1, 0])  # positives at both ends, or in the middle
    ]
    return bool(np.isclose(*values, rtol=1e-6, atol=1e-9))
