"""Checks of the practices in the text of Day 2."""

import numpy as np

from workshop.architecture import DAY1_CNN, Architecture, Dense
from workshop.homework.answers import ModelAnswer, SearchAnswer, SpaceAnswer
from workshop.homework.practice import (
    NotDone,
    Unreadable,
    array,
    course,
    function,
    kind,
    mapping,
    number,
    part,
    practice,
    random_model,
    random_sequences,
)

SIZES = (6, 3, 7, 3)  # operations in each layer of the course's space


@practice("2.P1.1", "Other tokens, other settings", "my_runs")
def other_tokens(rng, my_runs):
    rows = [mapping(row, "a row of my_runs") for row in mapping(my_runs, "my_runs").values()]
    if len(rows) < 4:
        raise NotDone(f"my_runs has {len(rows)} of at least 4 rows.")
    tokens = [tuple(array(row.get("tokens"), "tokens", (4,)).astype(int)) for row in rows]
    impossible = [t for t in tokens if any(not 0 <= k < n for k, n in zip(t, SIZES, strict=True))]
    if impossible:
        hint = f"{list(map(int, impossible[0]))} selects nothing: the layers offer {SIZES} each."
        yield part(0, False, "", hint)
        return
    settings = {
        str([row.get(k) for k in ("optimizer", "learning_rate", "batch_size")]) for row in rows
    }
    yield part(0, len(set(tokens)) > 1, "You vary the tokens.", "Vary the tokens too.")
    yield part(
        0,
        len(settings) > 1,
        "You vary the settings.",
        "Vary a setting too: optimizer, learning_rate or batch_size.",
    )


@practice("2.P1.2", "Switch the framework", "keras_child", "torch_child")
def switch_child(rng, keras_child, torch_child):
    if not isinstance(keras_child, ModelAnswer) or keras_child.framework != "keras":
        raise Unreadable(
            f"keras_child must be a model of keras_cnn.build_cnn; it is {kind(keras_child)}."
        )
    if not isinstance(torch_child, ModelAnswer):
        raise Unreadable("torch_child is not there any more: run the cell above again.")
    same = keras_child.architecture == torch_child.architecture
    yield part(
        0,
        same,
        "The same tokens, the same architecture.",
        "Its architecture is another than torch_child's: take the same tokens.",
    )
    if same:
        X = course().X_val
        logits = (keras_child.logits(X)[:, 0], torch_child.logits(X)[:, 0])
        r = np.corrcoef(*logits)[0, 1]
        yield part(
            0,
            r > 0.95,
            f"The twins agree: their logits correlate at {r:.3f}.",
            f"Their logits correlate at {r:.2f} only: the same random_state and CHILD for both?",
        )


@practice("2.P1.3", "Add a layer to the space", "deeper_space deeper_tokens")
def add_layer(rng, deeper_space, deeper_tokens):
    if not isinstance(deeper_space, SpaceAnswer):
        raise Unreadable(f"deeper_space must be a ModelSpace; it is {kind(deeper_space)}.")
    yield part(
        0,
        deeper_space.size == 756,
        "756 architectures: twice as many.",
        f"{deeper_space.size} architectures; one more layer with two choices makes 756.",
    )
    tokens = array(deeper_tokens, "deeper_tokens", (len(deeper_space.layers),))
    try:
        found = deeper_space.architecture([int(token) for token in tokens])
    except (IndexError, ValueError):
        found = None
    yield part(
        0,
        found == Architecture((*DAY1_CNN.layers, Dense(16, "relu"))),
        "The tokens select the Day-1 model with the dense layer.",
        "The tokens select another network: Day 1's four, then the dense layer.",
    )


@practice("2.P2.1", "Switch the framework", "keras_result", "result")
def switch_search(rng, keras_result, result):
    if not isinstance(keras_result, SearchAnswer):
        raise Unreadable(f"keras_result must be what a search returns; it is {kind(keras_result)}.")
    yield part(
        0,
        keras_result.framework == "keras" and len(keras_result.history) >= 6,
        "Six children were trained in Keras.",
        f"{len(keras_result.history)} children in {keras_result.framework}: the task asks for 6 in "
        "Keras.",
    )
    if isinstance(result, SearchAnswer):
        first = [list(found.history["tokens"][:3]) for found in (keras_result, result)]
        yield part(
            0,
            first[0] == first[1],
            "The first step proposes the same tokens in both frameworks.",
            "Its first children are others than the Torch search's: random_state=0, same space?",
        )


@practice("2.P2.2", "Another reward", "accuracy_reward")
def another_reward(rng, accuracy_reward):
    reward = function(accuracy_reward, "accuracy_reward")
    for n in (60, 80, 40):
        y = rng.integers(0, 2, (n, 1)).astype(np.float32)
        score = rng.random((n, 1)).astype(np.float32)
        score[rng.permutation(n)[:9]] = 0.5
        if (found := reward(y, score)) is None:
            raise NotDone("accuracy_reward returns None.")
        found, calls = number(found, "what accuracy_reward returns"), score >= 0.5
        if not np.isclose(found, np.mean(calls == (y == 1))):
            hint = "It is not the share of right calls; from 0.5 on, a score means positive."
            if np.isclose(found, np.mean(calls[:, 0] == (y == 1))):
                hint = "It compares every label with every score: (N, 1) with (N,) makes N x N."
            yield part(0, False, "", hint)
            return
    yield part(0, True, "The accuracy is right on random inputs.", "")


@practice("2.P3.1", "Is the second-best model the same?", "second_model", "result")
def second_best(rng, second_model, result):
    if not isinstance(second_model, ModelAnswer):
        raise Unreadable(f"second_model must be a model; it is {kind(second_model)}.")
    if not isinstance(result, SearchAnswer):
        raise Unreadable("result must be the search's; run section 3 again.")
    X = course().X_val
    best, second = (result.load(rank).logits(X) for rank in (0, 1))
    found = second_model.logits(X)
    hint = (
        "That is the best model; ranks count from 0."
        if np.allclose(found, best, atol=1e-3)
        else "That is not the search's second-best model."
    )
    yield part(0, np.allclose(found, second, atol=1e-3), "It is the second-best.", hint)


@practice("2.P3.2", "Is the focus region the motif?", "focus_region")
def focus(rng, focus_region):
    region = function(focus_region, "focus_region")
    for n, width in ((200, 19), (50, 7), (60, 9), (40, 5), (30, 1), (12, 12)):
        importance = rng.normal(size=n)
        if n in (50, 40):  # the best window is the last one
            importance[-width:] += 5
        if (found := region(importance, width)) is None:
            raise NotDone("focus_region returns None.")
        found = number(found, "what focus_region returns")
        expected = int(np.argmax([importance[i : i + width].sum() for i in range(n - width + 1)]))
        if found != expected:
            hint = "That is not the start of the window with the highest total."
            if found == expected + width // 2 and width > 1:
                hint = "That is the middle of the window; the task asks for its start."
            elif found == np.argmax(importance):
                hint = "That is the highest single position; sum over the window."
            yield part(0, False, "", hint)
            return
    yield part(0, True, "It finds the best window of random numbers.", "")


@practice("2.P3.3", "Two letters at once", "score_two")
def two_letters(rng, score_two):
    score = function(score_two, "score_two")
    for _ in range(3):
        model, x, first, second, (before, one, other, after) = _interacting(rng)
        found = score(model, x, first, second)
        if found is None:
            raise NotDone("score_two returns None.")
        found = number(found, "what score_two returns")
        if not np.isclose(found, after - before, atol=2e-4):
            hint = "That is not logit(both letters) - logit(x)."
            if np.isclose(found, before - after, atol=2e-4):
                hint = "The sign is the other way round: after minus before."
            elif np.isclose(found, one + other - 2 * before, atol=2e-4):
                hint = "That is the sum of the two alone; put both letters in place, then predict."
            yield part(0, False, "", hint)
            return
    yield part(0, True, "It agrees with our own mutants of a random network.", "")


def _interacting(rng):
    """Two changes within one kernel that do more, or less, than the sum of each alone.

    Returns a model, a sequence, the changes as (position, letter), and the logits before, with
    either, and with both.
    """
    while True:  # until a random network has such a pair
        model, x, n = random_model(rng), random_sequences(rng, 1)[0], 400
        first = rng.integers(200 - 5, size=n)
        places = np.stack([first, first + rng.integers(1, 5, size=n)])  # (2, n)
        bases = (x[places].argmax(axis=2) + rng.integers(1, 4, size=(2, n))) % 4
        mutants = np.tile(x, (3, n, 1, 1))  # first, second, both
        for k in range(2):
            for mutant in (k, 2):
                mutants[mutant, np.arange(n), places[k]] = np.eye(4)[bases[k]]
        before = float(model.logits(x[None])[0, 0])
        logits = model.logits(mutants.reshape(-1, 200, 4))[:, 0].reshape(3, n).astype(float)
        one, other, both = logits
        differences = [both - one, both - other, both - before, one + other - before - both]
        sizes = np.abs(differences).min(axis=0)
        if sizes.max() > 0.02:
            i = sizes.argmax()
            pairs = [(int(places[k, i]), "ACGT"[bases[k, i]]) for k in range(2)]
            return model, x, *pairs, (before, *logits[:, i])
