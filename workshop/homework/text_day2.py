"""Checks of the practices in the text of Day 2."""

import numpy as np

from workshop.architecture import DAY1_CNN, Architecture, Dense
from workshop.homework import forms, targets
from workshop.homework.answers import ModelAnswer
from workshop.homework.course_data import LENGTH, course, random_model, random_sequences
from workshop.homework.practice import Rejected, graded_remark, practice


@practice("2.P1.1", "Other tokens, other settings", "my_runs")
def other_tokens(rng, my_runs):
    rows, settings = forms.rows_of(my_runs, "my_runs"), ("optimizer", "learning_rate", "batch_size")
    tokens = [forms.array(row.get("tokens"), "tokens", (4,)).astype(int).tolist() for row in rows]
    for one in tokens:
        if any(not 0 <= token < n for token, n in zip(one, targets.SPACE_SIZES, strict=True)):
            raise Rejected(f"{one} selects nothing: the layers offer {targets.SPACE_SIZES} each.")
    varied = {str([row.get(name) for name in settings]) for row in rows}
    right = any(one != tokens[0] for one in tokens)
    yield graded_remark(0, right, "You vary the tokens.", "Vary the tokens too.")
    yes = "You vary the settings."
    hint = "Vary a setting too: optimizer, learning_rate or batch_size."
    yield graded_remark(0, len(varied) > 1, yes, hint)


@practice("2.P1.2", "Switch the framework", "keras_child", "torch_child")
def switch_child(rng, keras_child, torch_child):
    wanted = "a model of keras_cnn.build_cnn"
    if forms.instance(keras_child, ModelAnswer, "keras_child", wanted).framework != "keras":
        raise Rejected(f"keras_child must be {wanted}; it is one of torch_cnn.")
    if not isinstance(torch_child, ModelAnswer):
        raise Rejected("torch_child is not there any more: run the cell above again.")
    same = keras_child.architecture == torch_child.architecture
    yes = "The same tokens, the same architecture."
    hint = "Its architecture is another than torch_child's: take the same tokens."
    yield graded_remark(0, same, yes, hint)
    if same:
        logits = [child.logits(course().X_val)[:, 0] for child in (keras_child, torch_child)]
        r = np.corrcoef(*logits)[0, 1]
        yes = f"The twins agree: their logits correlate at {r:.3f}."
        hint = f"Their logits correlate at {r:.2f} only: the same random_state and CHILD for both?"
        yield graded_remark(0, r > 0.95, yes, hint)


@practice("2.P1.3", "Add a layer to the space", "deeper_space deeper_tokens")
def add_layer(rng, deeper_space, deeper_tokens):
    size = forms.space(deeper_space, "deeper_space").size
    yes = "756 architectures: twice as many."
    hint = f"{size} architectures; one more layer with two choices makes 756."
    yield graded_remark(0, size == 756, yes, hint)
    tokens = forms.array(deeper_tokens, "deeper_tokens", (len(deeper_space.layers),))
    yes = "The tokens select the Day-1 model with the dense layer."
    hint = "The tokens select another network: Day 1's four, then the dense layer."
    right = deeper_space.architecture(tokens) == Architecture((*DAY1_CNN.layers, Dense(16, "relu")))
    yield graded_remark(0, right, yes, hint)


@practice("2.P2.1", "Switch the framework", "keras_result", "result")
def switch_search(rng, keras_result, result):
    n = len(forms.search(keras_result, "keras_result").history)
    yes = "Six children were trained in Keras."
    hint = f"{n} children in {keras_result.framework}: the task asks for 6 in Keras."
    yield graded_remark(0, keras_result.framework == "keras" and n >= 6, yes, hint)
    results = (keras_result, forms.search(result, "result"))
    first = [list(found.history["tokens"][:3]) for found in results]
    yes = "The first step proposes the same tokens in both frameworks."
    hint = "Its first children are others than the Torch search's: random_state=0, same space?"
    yield graded_remark(0, first[0] == first[1], yes, hint)


@practice("2.P2.2", "Another reward", "accuracy_reward")
def another_reward(rng, accuracy_reward):
    reward = forms.function(accuracy_reward, "accuracy_reward")
    for n in (60, 80, 40):
        y = rng.integers(0, 2, (n, 1)).astype(np.float32)
        score = rng.random((n, 1)).astype(np.float32)
        score[rng.permutation(n)[:9]] = 0.5
        found, calls = forms.number(reward(y, score), "what accuracy_reward returns"), score >= 0.5
        if np.isclose(found, np.mean(calls == (y == 1))):
            continue
        if np.isclose(found, np.mean(calls[:, 0] == (y == 1))):
            raise Rejected(
                "It compares every label with every score: (N, 1) with (N,) makes N x N."
            )
        raise Rejected("It is not the share of right calls; from 0.5 on, a score means positive.")
    yield graded_remark(0, True, "The accuracy is right on random inputs.", "")


@practice("2.P3.1", "Is the second-best model the same?", "second_model", "result")
def second_best(rng, second_model, result):
    X = course().X_val
    found = forms.instance(
        second_model, ModelAnswer, "second_model", "a model of the search"
    ).logits(X)
    best, second = (forms.search(result, "result").load(rank).logits(X) for rank in (0, 1))
    hint = "That is not the search's second-best model."
    if np.allclose(found, best, atol=1e-3):
        hint = "That is the best model; ranks count from 0."
    yield graded_remark(0, np.allclose(found, second, atol=1e-3), "It is the second-best.", hint)


@practice("2.P3.2", "Is the focus region the motif?", "focus_region")
def focus(rng, focus_region):
    region = forms.function(focus_region, "focus_region")
    for n, width in ((200, 19), (50, 7), (60, 9), (40, 5), (30, 1), (12, 12)):
        importance = rng.normal(size=n)
        if n in (50, 40):  # the best window is the last one
            importance[-width:] += 5
        found = forms.number(region(importance, width), "what focus_region returns")
        right = int(np.argmax([importance[i : i + width].sum() for i in range(n - width + 1)]))
        if found == right:
            continue
        if found == right + width // 2:
            raise Rejected("That is the middle of the window; the task asks for its start.")
        if found == np.argmax(importance):
            raise Rejected("That is the highest single position; sum over the window.")
        raise Rejected("That is not the start of the window with the highest total.")
    yield graded_remark(0, True, "It finds the best window of random numbers.", "")


@practice("2.P3.3", "Two letters at once", "score_two")
def two_letters(rng, score_two):
    score = forms.function(score_two, "score_two")
    for _ in range(3):
        model, x, first, second, (before, one, other, after) = _interacting(rng)
        found = forms.number(score(model, x, first, second), "what score_two returns")
        if np.isclose(found, after - before, atol=2e-4):
            continue
        if np.isclose(found, before - after, atol=2e-4):
            raise Rejected("The sign is the other way round: after minus before.")
        if np.isclose(found, one + other - 2 * before, atol=2e-4):
            raise Rejected(
                "That is the sum of the two alone; put both letters in place, then predict."
            )
        raise Rejected("That is not logit(both letters) - logit(x).")
    yield graded_remark(0, True, "It agrees with our own mutants of a random network.", "")


def _interacting(rng):
    """A model, a sequence, two changes within one kernel that interact, and the four logits."""
    while True:  # until a random network has such a pair
        model, x, n = random_model(rng), random_sequences(rng, 1)[0], 400
        first = rng.integers(LENGTH - 5, size=n)
        places = np.stack([first, first + rng.integers(1, 5, size=n)])  # (2, n)
        bases = (x[places].argmax(axis=2) + rng.integers(1, 4, size=(2, n))) % 4
        mutants = np.tile(x, (3, n, 1, 1))  # first, second, both
        for k in range(2):
            for mutant in (k, 2):
                mutants[mutant, np.arange(n), places[k]] = np.eye(4)[bases[k]]
        before = float(model.logits(x[None])[0, 0])
        logits = model.logits(mutants.reshape(-1, LENGTH, 4))[:, 0].reshape(3, n).astype(float)
        one, other, both = logits
        differences = [both - one, both - other, both - before, one + other - before - both]
        sizes = np.abs(differences).min(axis=0)
        if sizes.max() > 0.02:
            i = sizes.argmax()
            pairs = [(int(places[k, i]), "ACGT"[bases[k, i]]) for k in range(2)]
            return model, x, *pairs, (before, *logits[:, i])
