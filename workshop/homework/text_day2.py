"""Checks of the practices in the text of Day 2."""

from itertools import product

import numpy as np

from workshop import evaluation
from workshop.architecture import DAY1_CNN, Architecture, Conv1D, Dense, GlobalMaxPool
from workshop.homework import forms, targets
from workshop.homework.answers import ModelAnswer
from workshop.homework.course_data import LENGTH, course, random_model, random_sequences
from workshop.homework.practice import Rejected, graded_remark, practice
from workshop.homework.searching import reward_of

AS_DAY1 = {"optimizer": "adam", "learning_rate": 0.001, "batch_size": 64}


def _compare(rows, hints, tolerance=1e-6):
    """Compare results with the right ones; a hint is given only where it explains them all.

    A row holds what was found, what is right, and what each mistake would give; the last hint is
    for all others.
    """
    columns = [np.array(row, dtype=float).reshape(len(row), -1) for row in rows]
    found, right, *mistakes = np.concatenate(columns, axis=1)
    for hint, other in zip(("", *hints[:-1]), (right, *mistakes), strict=True):
        if np.allclose(found, other, rtol=tolerance, atol=tolerance):
            if hint:
                raise Rejected(hint)
            return
    raise Rejected(hints[-1])


@practice(
    "2.P4.1",
    "Count a space",
    "count_space list_tokens",
    why="Each layer multiplies: that is why spaces grow so fast, and why nobody lists large ones.",
    last_hint="itertools.product(range(6), range(3)) yields all pairs; with *, of any number.",
)
def count(rng, count_space, list_tokens):
    counted, listed = (
        forms.function(one, name)
        for one, name in ((count_space, "count_space"), (list_tokens, "list_tokens"))
    )
    sizes = [rng.integers(1, 6, size=n).tolist() for n in (1, 2, 3, 4, 5)]
    spaces = [[[f"operation {i}" for i in range(n)] for n in one] for one in sizes]
    numbers = [forms.number(counted(one), "what count_space returns") for one in spaces]
    _compare(
        [(number, np.prod(one), sum(one)) for number, one in zip(numbers, sizes, strict=True)],
        (
            "That is the sum of the choices; they multiply.",
            "count_space is wrong: how many ways are there to choose one operation in each layer?",
        ),
    )
    yield graded_remark(0, True, "The numbers are right, for five random spaces.", "")
    for layers, one in zip(spaces, sizes, strict=True):
        found = forms.instance(
            listed(layers), (list, np.ndarray), "what list_tokens returns", "a list"
        )
        found = [tuple(forms.array(tokens, "tokens", (len(one),))) for tokens in found]
        every = set(product(*map(range, one)))
        if {tuple(t + 1 for t in tokens) for tokens in every} == set(found) != every:
            raise Rejected("Tokens count from 0.")
        if len(found) != len(set(found)):
            raise Rejected("Some tokens stand in the list twice.")
        hint = f"A space of {one} has {len(every)} lists of tokens; yours are others."
        if set(found) != every:
            raise Rejected(hint)
    yield graded_remark(0, True, "All tokens are there, each once.", "")


@practice(
    "2.P1.1",
    "Other tokens, other settings",
    "my_runs",
    why="Where two things change at once, nobody can say which of them it was.",
)
def other_tokens(rng, my_runs):
    rows = [AS_DAY1 | row for row in forms.rows_of(my_runs, "my_runs")]
    for row in rows:
        row["tokens"] = forms.array(row.get("tokens"), "tokens", (4,)).tolist()
        sizes = targets.SPACE_SIZES
        if any(t not in range(n) for t, n in zip(row["tokens"], sizes, strict=True)):
            raise Rejected(f"{row['tokens']} selects nothing: the layers offer {sizes} each.")
        if unknown := set(row) - {"tokens", *AS_DAY1}:
            raise Rejected(f"Vary tokens, {', '.join(AS_DAY1)} only; not {', '.join(unknown)}.")
        if row["optimizer"] not in ("adam", "sgd"):
            raise Rejected(f'optimizer is "adam" or "sgd"; got {row["optimizer"]!r}.')
        for name in ("learning_rate", "batch_size"):
            if not forms.number(row[name], name) > 0:
                raise Rejected(f"{name} must be a positive number.")
    for number, row in enumerate(rows[1:], start=1):
        if min(_changes(row, before) for before in rows[:number]) != 1:
            raise Rejected(
                f"Row {number + 1} must differ from a row before it in one thing: one token, or "
                "one setting."
            )
    yield graded_remark(0, True, "You change one thing at a time.", "")
    first = rows[0]
    tokens = any(row["tokens"] != first["tokens"] for row in rows)
    yield graded_remark(0, tokens, "You vary the tokens.", "Vary a token, too.")
    settings = any(row[name] != first[name] for row in rows for name in AS_DAY1)
    hint = "Vary a setting, too: optimizer, learning_rate or batch_size."
    yield graded_remark(0, settings, "You vary the settings.", hint)


def _changes(row, other):
    """In how many things two runs differ."""
    tokens = sum(a != b for a, b in zip(row["tokens"], other["tokens"], strict=True))
    return tokens + sum(row[name] != other[name] for name in AS_DAY1)


@practice(
    "2.P1.2",
    "Switch the framework",
    "keras_child",
    "torch_child",
    why="A network is its architecture and its weights; the framework only does the sums.",
    last_hint="keras_cnn.set_weights(keras_child, torch_cnn.get_weights(torch_child))",
)
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
        ours, theirs = (child.logits(course().X_val) for child in (keras_child, torch_child))
        off = np.abs(ours - theirs).max()
        yes = f"No logit of the 350 val sequences differs by more than {off:.0e}."
        hint = f"A logit differs by {off:.2g}: carry the trained weights over, and do not train."
        yield graded_remark(0, off < 1e-4, yes, hint)


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


@practice(
    "2.P5.1",
    "The bandit's baseline and learning rate",
    "reinforce_step",
    why="Without a baseline every reward is positive, so whatever was drawn becomes more likely; a "
    "large learning rate turns that into a decision before the better arm was ever tried.",
    last_hint="theta + learning_rate * (reward - baseline) * (np.eye(len(theta))[action] - P), "
    "where P is the softmax of theta.",
)
def bandit(rng, reinforce_step):
    step, rows = forms.function(reinforce_step, "reinforce_step"), []
    for n in (2, 3, 5):
        theta, action = rng.normal(size=n), int(rng.integers(n))
        R, b, rate = rng.uniform(0.3, 2, size=3).tolist()
        found = forms.array(step(theta, action, R, b, rate), "what reinforce_step returns", (n,))
        drawn, p = np.eye(n)[action], np.exp(theta) / np.exp(theta).sum()
        move = rate * (R - b) * (drawn - p)
        no_baseline, no_p = theta + rate * R * (drawn - p), theta + rate * (R - b) * drawn
        rows.append((found, theta + move, theta - move, no_baseline, move, no_p))
    hints = (
        "It goes downhill: add, since larger rewards are better.",
        "The baseline has no effect: take the reward minus the baseline.",
        "That is the step alone: return theta plus the step.",
        "The probabilities are missing: the gradient is one-hot(action) minus P.",
        "It is not theta + learning_rate (R - b) (one-hot(action) - P).",
    )
    _compare(rows, hints)
    yield graded_remark(0, True, "The step is right, for random bandits of 2, 3 and 5 arms.", "")


@practice(
    "2.P2.1",
    "Switch the framework",
    "keras_result",
    "result",
    why="Before its first update the controller hears nothing, and later it hears nearly the same.",
)
def switch_search(rng, keras_result, result):
    files = forms.search(keras_result, "keras_result").files
    theirs = forms.search(result, "result").files
    if files is None or theirs is None:
        raise Rejected("Its files are gone: search again, in a working_dir of its own.")
    n, framework = len(files["trials"]), files["settings"]["framework"]
    yes = "Six children were trained in Keras."
    hint = f"{n} children in {framework}: the task asks for 6 in Keras."
    yield graded_remark(0, framework == "keras" and n >= 6, yes, hint)
    names = files["settings"] | theirs["settings"]
    other = [k for k in names if files["settings"].get(k) != theirs["settings"].get(k)]
    other = [name.partition("[")[0] for name in other if name != "framework"]
    yes = "Nothing but the framework differs from the search in Torch."
    other = ", ".join(dict.fromkeys(other))
    hint = f"Not as in the search in Torch: {other}. Change the framework only."
    yield graded_remark(0, not other, yes, hint)
    tokens = [list(one["tokens"]) for one in files["trials"]]
    yes, hint = "Its history is that of its files.", "Its history is not that of its files."
    said = [list(one) for one in keras_result.history["tokens"]]
    yield graded_remark(0, said == tokens, yes, hint)


@practice(
    "2.P2.2",
    "Another reward",
    "frugal_reward",
    "result",
    why="Ten times the parameters must now buy 0.05 of AUROC, or the smaller network wins.",
    last_hint="evaluation.auroc(y_true, y_score) - 0.05 * np.log10(architecture.n_parameters())",
)
def another_reward(rng, frugal_reward, result):
    reward, rows = reward_of(frugal_reward, "frugal_reward"), []
    for n in (60, 80, 40):
        y = (rng.permutation(n) % 2)[:, None].astype(np.float32)
        score = rng.random((n, 1)).astype(np.float32)
        layers = (Conv1D(int(rng.integers(4, 200)), 7, "relu", padding="same"), GlobalMaxPool())
        network = Architecture(layers)
        auroc, size = evaluation.auroc(y, score), network.n_parameters()
        price, natural = 0.05 * np.log10(size), 0.05 * np.log(size)
        found = reward(y, score, network)
        rows.append((found, auroc - price, auroc - natural, auroc + price, auroc))
    hints = (
        "That is the natural logarithm; take np.log10.",
        "It rewards size: subtract the price.",
        "That is AUROC: size has no price yet.",
        "It is not AUROC - 0.05 log10(parameters).",
    )
    _compare(rows, hints)
    yield graded_remark(0, True, "It is right, for random scores and three networks.", "")


@practice("2.P3.1", "Is the second-best model the same?", "second_model", "result", also="x sites")
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


@practice(
    "2.P3.2",
    "Is the focus region the motif?",
    "focus_region",
    also="importance motif_starts",
    last_hint='np.convolve(importance, np.ones(width), mode="valid") is the total of each window.',
)
def focus(rng, focus_region):
    region, rows = forms.function(focus_region, "focus_region"), []
    for n, width in ((200, 19), (50, 7), (60, 9), (40, 5), (30, 1), (12, 12)):
        importance = rng.normal(size=n)
        if n in (50, 40):  # the best window is the last one
            importance[-width:] += 5
        found = forms.number(region(importance, width), "what focus_region returns")
        totals = np.lib.stride_tricks.sliding_window_view(importance, width).sum(axis=1)
        right, early = totals.argmax(), totals[: max(len(totals) - 1, 1)].argmax()
        highest = importance.argmax()
        rows.append((found, right, right + width // 2, right + width, highest, early))
    hints = (
        "That is the middle of the window; the task asks for its start.",
        "That is the end of the window; the task asks for its start.",
        "That is the highest single position; sum over the window.",
        "It never looks at the last window: there are L - width + 1.",
        "That is not the start of the window with the highest total.",
    )
    _compare(rows, hints)
    yield graded_remark(0, True, "It finds the best window of random numbers.", "")


@practice("2.P3.3", "Two letters at once", "score_two", also="best_model x region")
def two_letters(rng, score_two):
    score, rows = forms.function(score_two, "score_two"), []
    for _ in range(3):
        model, x, first, second, (before, one, other, both) = _interacting(rng)
        found = forms.number(score(model, x, first, second), "what score_two returns")
        alone = one - before, other - before
        rows.append((found, both - before, before - both, sum(alone), *alone, both))
    hints = (
        "The sign is the other way round: after minus before.",
        "That is the sum of the two alone; put both letters in place, then predict.",
        "Only the first letter is in place.",
        "Only the second letter is in place.",
        "That is the logit with both letters; subtract that of x.",
        "That is not logit(both letters) - logit(x).",
    )
    _compare(rows, hints, tolerance=2e-4)
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
