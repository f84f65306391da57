"""Checks of the extended practices on search: 2.6.3 and 2.6.4.

What is said of a search is read from its files, and not believed there either: its proposals are
made again from its seed, and the children that count are trained again.
"""

from functools import lru_cache
from itertools import islice, product

import numpy as np

from workshop import evaluation, nas
from workshop.architecture import DAY1_CNN, Architecture
from workshop.homework import forms, targets
from workshop.homework.course_data import course, trained
from workshop.homework.practice import Rejected, compared_remark, graded_remark, practice

SEED = 0  # random_state of all searches of the homework


@practice("2.6.3", "Prune the model space")
def prune(rng, pruned_space, pruned_result):
    """One choice, made from what the first search found, moved the whole distribution.

    In section 4, sort the children by reduction: one of the three has all the best.
    """
    size, full, offered = forms.space(pruned_space, "pruned_space").size, len(_course_space()), {}
    if size <= full:
        every = product(*(range(len(layer)) for layer in pruned_space.layers))
        offered = {tokens: pruned_space.architecture(tokens) for tokens in every}
        size = len(set(offered.values()))  # an operation that is there twice counts once
        if not set(offered.values()) <= set(_course_space().values()):
            raise Rejected("It offers networks that the full space lacks: only leave out.")
    small = targets.FEWEST <= size <= targets.MOST
    hint = f"{size} architectures; from {targets.FEWEST} to {targets.MOST} are allowed."
    yield graded_remark(3, small, f"Pruned from {full} to {size} architectures.", hint)
    trials = _honest_trials(pruned_result, "pruned_result", offered)
    yes = f"An honest search: from its seed we proposed the same {len(trials)} children."
    yield graded_remark(3, True, yes, "")
    if not small:
        raise Rejected("How good the children are counts once the space has the right size.")
    good, wanted = targets.GOOD_AUROC, targets.GOOD_TRIALS
    aurocs = [trial["scores"]["val_auroc"] for trial in trials]
    found = f"{sum(one >= good for one in aurocs)} of {len(trials)} children reach {good}"
    for number in np.argsort(aurocs)[::-1][:wanted]:
        if aurocs[number] >= good:
            _train_again(pruned_result, trials[number], number + 1)
    hint = f"{found} (best {max(aurocs):.4f}); the target is {wanted}. Which reduction never won?"
    yes = f"{found}, and so did those that we trained again."
    yield graded_remark(4, sum(one >= good for one in aurocs) >= wanted, yes, hint)


@lru_cache(maxsize=1)
def _course_space():
    """Architectures of the course's space by their tokens."""
    space, every = nas.cnn_model_space(), product(*map(range, targets.SPACE_SIZES))
    return {tokens: nas.to_architecture(space, tokens) for tokens in every}


def _honest_trials(result, name, offered):
    """The first trials as the search's files have them: as prescribed, and from its seed.

    `offered` are the architectures of its space by their tokens.
    """
    from workshop.nas.folder import fingerprint  # here, since it loads Torch

    files, data, n = forms.search(result, name).files, course(), targets.TRIALS
    if files is None:
        raise Rejected(f"{name} has no files: run the search again, in a working_dir of its own.")
    settings, trials = files["settings"], files["trials"]
    if len(trials) < n:
        raise Rejected(f"The search has {len(trials)} trials; the task asks for max_trials={n}.")
    for key, value in {**targets.CHILD, "random_state": SEED}.items():
        if settings.get(key) != value:
            raise Rejected(f"The search has {key}={settings.get(key)}; the task asks for {value}.")
    if settings["data"] != fingerprint((data.X_train, data.y_train, data.X_val, data.y_val)):
        raise Rejected("It saw other data: train=(X_train, y_train), val=(X_val, y_val).")
    said = result.history[["tokens", "reward", "val_auroc"]].to_numpy().tolist()
    there = [[one["tokens"], one["reward"], one["scores"].get("val_auroc")] for one in trials]
    if str([[list(one[0]), *one[1:]] for one in said]) != str(there):
        raise Rejected(f"{name} says something else than its files: run the search again.")
    for one in (trials := trials[:n]):
        one["architecture"] = one["architecture"] and Architecture.from_dict(one["architecture"])
        if one["architecture"] != offered.get(tuple(one["tokens"])):
            raise Rejected(f"The child with tokens {one['tokens']} comes from another space.")
    if [one["tokens"] for one in trials] != [list(one) for one in _proposed(settings, trials)]:
        raise Rejected(f"{name} holds other children than its seed proposes: run it again.")
    return trials


def _proposed(settings, trials):
    """Tokens that a search proposes that hears the rewards of these trials."""
    from workshop.nas.strategies import random_tokens

    sizes = [len(settings[key]) for key in sorted(settings) if key.startswith("space[")]
    if settings["method"] == "random search":
        return list(islice(random_tokens(sizes, SEED), len(trials)))
    if settings["method"] != "AMBER" or settings["rungs"] is not None:
        raise Rejected("The task asks for nas.search or nas.random_search, without rungs.")
    given = {k.partition(".")[2]: v for k, v in settings.items() if k.startswith("controller.")}
    if max(v or 0 for k, v in given.items() if not k.startswith("buffer")) > 512:
        raise Rejected("Its controller is too large: leave out controller=.")
    space = nas.ModelSpace.from_dict([[nas.Operation("identity")] * size for size in sizes])
    controller = nas.Controller(space, nas.ControllerSettings(**given), random_state=SEED)
    tokens = []
    while len(tokens) < len(trials):
        proposals = controller.propose()
        step = trials[len(tokens) : len(tokens) + len(proposals)]
        tokens += [one.tokens for one in proposals][: len(step)]
        if len(step) == len(proposals):
            controller.update([one["reward"] for one in step])
    return tokens


def _train_again(result, trial, number):
    """Reject a child whose val AUROC is not what our own training gives."""
    from workshop.nas.trial import child_seed

    seed = child_seed(SEED, int(number))
    model = trained(trial["architecture"], random_state=seed, **targets.CHILD)[0]
    found = evaluation.auroc(course().y_val, model.predict(course().X_val))
    claimed = trial["scores"]["val_auroc"]
    if not abs(found - claimed) <= targets.TRAINED_AGAIN[result.framework]:  # nor nan
        both = f"{claimed:.4f} in the history, and trained again {found:.4f}"
        raise Rejected(f"Child {number} has a val AUROC of {both}.")


def reward_of(function, name):
    """A student's reward as a function of labels, scores and architecture."""
    call = forms.function(function, name)

    def reward(y_true, y_score, architecture=DAY1_CNN):
        value = call(y_true, y_score, *(architecture,) * function.takes_network)
        undefined = isinstance(value, float) and value != value
        return value if undefined else forms.number(value, f"what {name} returns")

    return reward


@practice("2.6.4", "A reward of your own")
def own_reward(rng, my_reward, my_reward_result):
    """A search ranks by its reward, so the reward has to say all that you want.

    Minus the loss: np.mean of y log p + (1 - y) log(1 - p), with p clipped at 1e-6.
    """
    reward = reward_of(my_reward, "my_reward")
    y = _labels(rng, 60)
    if not all(np.isfinite(reward(y, score)) for score in (_graded(rng, y, 0.5), y, 1 - y)):
        hint = "keep them away from both, not by 1e-8 (1 - 1e-8 is 1 in float32)."
        raise Rejected(f"my_reward is infinite or nan, at the latest at scores of 0 and 1: {hint}")
    yield graded_remark(2, True, "my_reward returns one finite number.", "")
    yes = "It prefers better predictions, whatever the order of rows."
    yield compared_remark(3, yes, _compare_predictions, reward, rng)
    hint = "It orders networks as AUROC does, which the search has had before: choose another."
    yield graded_remark(1, not _is_auroc(reward), "It is another reward than AUROC.", hint)
    trials = _honest_trials(my_reward_result, "my_reward_result", _course_space())
    _reject_another_reward(my_reward_result, trials, reward)
    yes = "Its children were ranked by it: we computed the best three rewards again."
    hint = "A reward that is the same for good and bad predictions cannot rank any network."
    steered = len({trial["reward"] for trial in trials}) > 1
    yield graded_remark(4, steered, yes, hint)


def _reject_another_reward(result, trials, reward):
    """Compare the best rewards with those of the models, and the models with our own."""
    named = result.files["settings"]["reward"]
    if named in ("auroc", "accuracy", "loss"):
        raise Rejected(f'The search was run with reward="{named}": pass reward=my_reward.')
    data, ranked = course(), [list(tokens) for tokens in result.ranking["tokens"]]
    for number in np.argsort([-one["reward"] for one in trials], kind="stable")[:3]:
        trial = trials[number]
        same = [one["reward"] for one in trials if one["tokens"] == trial["tokens"]]
        if trial["reward"] < max(same):
            continue  # its architecture came twice, and the ranking has the other model
        if trial["tokens"] not in ranked:
            raise Rejected(f"Child {number + 1} did not finish: its history has the reason.")
        model = result.load(ranked.index(trial["tokens"]))
        score = model.predict(data.X_val)
        off = abs(evaluation.auroc(data.y_val, score) - trial["scores"]["val_auroc"])
        if model.architecture != trial["architecture"] or not off <= 1e-3:
            raise Rejected("Its files hold other models than its history: run the search again.")
        _train_again(result, trial, number + 1)
        ours = reward(data.y_val, score, trial["architecture"])
        if not np.isclose(trial["reward"], ours, atol=1e-5, rtol=1e-4):
            both = f"{trial['reward']:.4f} in the history, and {ours:.4f} by my_reward"
            raise Rejected(f"Child {number + 1} has {both}: was the search run with this one?")


def _labels(rng, n):
    return rng.permutation(np.arange(n) % 2)[:, None].astype(np.float32)


def _graded(rng, y, quality):
    """Scores (N, 1) that agree with the labels: 1 well, 0 not at all, -1 the wrong way."""
    noise = rng.uniform(0.05, 0.95, y.shape)
    right = 0.5 + 0.4 * (2 * y - 1) * np.sign(quality)
    return ((1 - abs(quality)) * noise + abs(quality) * right).astype(np.float32)


def _compare_predictions(reward, rng):
    """Good predictions must earn more than fair and wrong ones, in any order of the rows."""
    for _ in range(4):
        y = _labels(rng, 350)  # as many as of val
        scores = [_graded(rng, y, quality) for quality in (0.9, 0.3, -0.9)]
        good, fair, bad = (reward(y, score) for score in scores)
        if good < fair < bad:
            raise Rejected("It prefers wrong predictions: larger must mean better.")
        if not (good >= fair >= bad and good > bad):
            raise Rejected("Better predictions do not get larger rewards.")
        moved = scores[0][order := rng.permutation(len(y))]
        by_chance = np.isclose(good, reward(y, moved), rtol=1e-6, atol=1e-9)
        if by_chance or not np.isclose(good, reward(y[order], moved), rtol=1e-4, atol=1e-6):
            raise Rejected(
                "It must notice which score belongs to which label, and not the order of the rows. "
                "Compare the shapes: (N, 1) with (N,) makes N x N."
            )


def _is_auroc(reward):
    """Whether it is a function of AUROC: equal for all orders of equal AUROC, and all networks."""
    score = np.linspace(0.99, 0.1, 350)[:, None].astype(np.float32) ** 2  # not evenly spaced
    y = np.random.default_rng(0).permuted(np.tile(np.arange(350) % 2, (300, 1)), axis=1)
    order = np.argsort(y @ np.arange(350), kind="stable")  # by the sum of ranks, which is AUROC
    ties = np.flatnonzero(np.diff((y @ np.arange(350))[order]) == 0)[:12]
    y = y[order, :, None].astype(np.float32)
    pairs = [(reward(y[i], score), reward(y[i + 1], score)) for i in ties]
    every, at_day1 = list(_course_space().values())[::5], reward(y[0], score)
    pairs += [(at_day1, reward(y[0], score, one)) for one in every]
    return np.allclose(*np.transpose(pairs), rtol=1e-6, atol=1e-9)
