"""Checks of the extended practices on search: 2.6.3 and 2.6.4."""

import numpy as np

from workshop import evaluation
from workshop.homework.answers import SearchAnswer, SpaceAnswer
from workshop.homework.practice import (
    NotDone,
    Unreadable,
    course,
    function,
    kind,
    number,
    part,
    practice,
    unfilled,
)

FULL, HALF = 378, 189  # architectures
TRIALS, WANTED, TARGET = 9, 3, 0.99


@practice("2.6.3", "Prune the model space", "pruned_space pruned_result", points=10)
def prune(rng, pruned_space, pruned_result):
    if not isinstance(pruned_space, SpaceAnswer):
        raise Unreadable(f"pruned_space must be a nas.ModelSpace; it is {kind(pruned_space)}.")
    size = pruned_space.size
    small = 4 <= size <= HALF
    hint = (
        f"{size} architectures; at most {HALF} are allowed."
        if size > HALF
        else f"{size} architectures leave nothing to search: keep at least 4."
    )
    yield part(3, small, f"Pruned from {FULL} to {size} architectures.", hint)
    if unfilled(pruned_result):
        yield part(3, False, "", "pruned_result is not there yet.")
        return
    if not isinstance(pruned_result, SearchAnswer):
        raise Unreadable(
            f"pruned_result must be what nas.search returns; it is {kind(pruned_result)}."
        )
    hint = _search_hint(pruned_result, pruned_space)
    history = pruned_result.history
    yield part(3, not hint, f"The search tried {len(history)} children of your space.", hint)
    if hint:
        return
    reached = int((history["val_auroc"] >= TARGET).sum())
    yield part(
        4,
        small and reached >= WANTED,
        f"{reached} of {len(history)} children reach a val AUROC of {TARGET}; of the full space "
        "one in six does.",
        f"{reached} of {len(history)} children reach a val AUROC of {TARGET} (best "
        f"{history['val_auroc'].max():.4f}); the target is {WANTED}. Which operations were never "
        "among the best?",
    )


def _search_hint(result, space):
    """What is wrong with a search: its length, its children, or what it says of them."""
    n, data = len(result.history), course()
    if not TRIALS <= n <= 2 * TRIALS:
        return f"The search has {n} trials; the task asks for max_trials={TRIALS}."
    best = result.ranking.head(WANTED)
    for rank, (tokens, claimed) in enumerate(zip(best["tokens"], best["val_auroc"], strict=True)):
        model = result.load(rank)
        try:
            same = space.architecture(tokens) == model.architecture
        except (IndexError, ValueError):
            same = False
        if not same:
            return f"The child with tokens {list(tokens)} does not come from pruned_space."
        found = evaluation.auroc(data.y_val, model.logits(data.X_val))
        if abs(found - claimed) > 5e-3:
            return f"The history gives the best children other scores than we find ({found:.4f})."
    return ""


@practice("2.6.4", "A reward of your own", "my_reward my_reward_result", points=10)
def own_reward(rng, my_reward, my_reward_result):
    call, y = function(my_reward, "my_reward"), _labels(rng, 60)
    if call(y, rng.random(y.shape).astype(np.float32)) is None:
        raise NotDone("my_reward returns None.")

    def reward(y_true, y_score):
        return number(call(y_true, y_score), "what my_reward returns")

    hint = _form_hint(reward, y, _graded(rng, y, 0.5))
    yield part(2, not hint, "my_reward returns one finite number.", hint)
    if hint:
        return
    hint = _meaning_hint(reward, rng)
    yield part(3, not hint, "It prefers better predictions, whatever the order of rows.", hint)
    yield part(
        1,
        not _is_auroc(reward),
        "It is another reward than AUROC.",
        "This is AUROC, which the search has had before: choose another.",
    )
    if unfilled(my_reward_result):
        yield part(4, False, "", "my_reward_result is not there yet.")
        return
    if not isinstance(my_reward_result, SearchAnswer):
        raise Unreadable(
            f"my_reward_result must be what nas.search returns; it is {kind(my_reward_result)}."
        )
    data, n = course(), len(my_reward_result.history)
    best = my_reward_result.ranking.head(3)
    models = [my_reward_result.load(rank) for rank in range(len(best))]
    ours = [reward(data.y_val, model.predict(data.X_val)) for model in models]
    hint = f"The search has {n} trials; the task asks for {TRIALS}."
    if n >= TRIALS:
        hint = (
            f"The best child's reward is {best['reward'].iloc[0]:.4f} in the history, but "
            f"my_reward gives it {ours[0]:.4f}: was the search run with this my_reward?"
        )
    driven = np.allclose(best["reward"].to_numpy(float), ours, atol=1e-5, rtol=1e-4)
    yield part(
        4,
        n >= TRIALS and driven and not _constant(reward, rng),
        f"The search was driven by it: we recomputed the rewards of the best {len(best)}.",
        hint,
    )


def _labels(rng, n):
    return rng.permutation(np.arange(n) % 2)[:, None].astype(np.float32)


def _graded(rng, y, quality):
    """Scores (N, 1) that agree with the labels: 1 well, 0 not at all, -1 the wrong way."""
    noise = rng.uniform(0.05, 0.95, y.shape)
    right = 0.5 + 0.4 * (2 * y - 1) * np.sign(quality)
    return ((1 - abs(quality)) * noise + abs(quality) * right).astype(np.float32)


def _form_hint(reward, y, scores):
    if not np.isfinite(first := reward(y, scores)):
        return f"my_reward returns {first}."
    if not all(np.isfinite(reward(y, sure)) for sure in (y, 1 - y)):
        return (
            "Scores of exactly 0 and 1 make it infinite or nan: keep them away from both, and not "
            "by 1e-8, since 1 - 1e-8 is 1 in float32."
        )
    return ""


def _meaning_hint(reward, rng):
    if _constant(reward, rng):
        return "It returns the same number for good and bad predictions."
    for _ in range(4):
        y = _labels(rng, 80)
        good, fair, bad = (_graded(rng, y, quality) for quality in (0.9, 0.3, -0.9))
        values = [reward(y, one) for one in (good, fair, bad)]
        if values[0] < values[1] < values[2]:
            return "It prefers wrong predictions: larger must mean better."
        order = rng.permutation(len(y))
        if np.isclose(reward(y, good), reward(y, good[order]), rtol=1e-6, atol=1e-9):
            return (
                "It does not notice which score belongs to which label. Compare the shapes: (N, 1) "
                "with (N,) makes N x N."
            )
        if not np.isclose(reward(y, good), reward(y[order], good[order]), rtol=1e-4, atol=1e-6):
            return "The order of the rows changes it; it must not."
        if not (values[0] >= values[1] >= values[2] and values[0] > values[2]):
            return "Better predictions do not get larger rewards."
    return ""


def _constant(reward, rng):
    y = _labels(rng, 40)
    values = [reward(y, _graded(rng, y, quality)) for quality in (0.9, 0.2, -0.9)]
    return max(values) - min(values) < 1e-9


def _is_auroc(reward):
    """Whether it is a function of AUROC: equal for two rankings of equal AUROC."""
    score = np.concatenate([np.linspace(0.95, 0.6, 10), np.linspace(0.45, 0.05, 30)])[:, None]
    ends, middle = (
        np.repeat(order, (10, 20, 10))[:, None].astype(np.float32)
        for order in ([1, 0, 1], [0, 1, 0])
    )
    values = [reward(y, score.astype(np.float32)) for y in (ends, middle)]
    return bool(np.isclose(*values, rtol=1e-6, atol=1e-9))
