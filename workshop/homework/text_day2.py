"""Checks of the practices in the text of Day 2.

They earn no points: a value or two computed again, and a hint.
"""

from functools import partial
from itertools import product

import numpy as np
from scipy import special

from workshop import evaluation, interpret
from workshop.architecture import DAY1_CNN, Architecture, Conv1D, Dense, GlobalMaxPool
from workshop.homework import forms, targets
from workshop.homework.answers import ModelAnswer
from workshop.homework.course_data import course, random_model, random_sequences
from workshop.homework.practice import Rejected, Remark, graded_remark, practice, require
from workshop.homework.searching import reward_of


def _equals(found, other, tolerance=1e-6):
    return np.allclose(found, other, rtol=tolerance, atol=tolerance)


@practice("2.P4.1", "Count a space", "count_space list_tokens")
def count(rng, count_space, list_tokens):
    """Each layer multiplies: that is why spaces grow so fast, and nobody lists large ones.

    itertools.product(range(6), range(3)) yields all pairs; with *, of any number.
    """
    counted = forms.function(count_space, "count_space")
    listed = forms.function(list_tokens, "list_tokens")
    sizes = rng.integers(2, 6, size=4).tolist()
    space = [[f"operation {i}" for i in range(n)] for n in sizes]
    number = forms.number(counted(space), "what count_space returns")
    hint = "count_space: in how many ways can one choose one operation in each layer?"
    added = sum(sizes), "That is the sum of the choices; they multiply."
    require(partial(_equals, number), np.prod(sizes), hint, [added])
    yield Remark(True, "The number is right, for a random space.")
    found = forms.array(listed(space), "what list_tokens returns", (None, len(sizes)))
    right = list(product(*map(range, sizes)))
    yes = "All tokens are there, each once."
    hint = f"A space of {sizes} has {len(right)} lists of tokens, counted from 0; yours are others."
    yield graded_remark(0, sorted(map(tuple, found.tolist())) == right, yes, hint)


@practice("2.P1.1", "Other tokens, other settings", "my_runs")
def other_tokens(rng, my_runs):
    """Where two things change at once, nobody can say which of them it was."""
    settings = {"optimizer": "adam", "learning_rate": 0.001, "batch_size": 64}
    rows, day1 = [], dict(enumerate((0, 0, 6, 1)))
    for row in forms.rows_of(my_runs, "my_runs"):
        tokens = forms.array(row.pop("tokens", None), "tokens", (4,)).astype(int).tolist()
        if any(t not in range(n) for t, n in zip(tokens, targets.SPACE_SIZES, strict=True)):
            raise Rejected(f"{tokens} selects nothing: the layers offer {targets.SPACE_SIZES}.")
        rows.append(settings | row | dict(enumerate(tokens)))
    forms.require_single_changes([settings | day1, *rows])
    yield Remark(True, "You change one thing at a time.")
    for what, names in (("tokens", day1), ("settings", settings)):
        varied = any(row[name] != rows[0][name] for row in rows for name in names)
        yield graded_remark(0, varied, f"You vary the {what}.", f"Vary the {what}, too.")


@practice("2.P1.2", "Switch the framework", "keras_child", "torch_child")
def switch_child(rng, keras_child, torch_child):
    """A network is its architecture and its weights; the framework only does the sums.

    keras_cnn.set_weights(keras_child, torch_cnn.get_weights(torch_child))
    """
    wanted = "a model of keras_cnn.build_cnn"
    if forms.instance(keras_child, ModelAnswer, "keras_child", wanted).framework != "keras":
        raise Rejected(f"keras_child must be {wanted}; it is one of torch_cnn.")
    forms.instance(torch_child, ModelAnswer, "torch_child", "the model of the cell above")
    if keras_child.architecture != torch_child.architecture:
        raise Rejected("Its architecture is another than torch_child's: take the same tokens.")
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


@practice("2.P5.1", "The bandit's baseline and learning rate", "reinforce_step")
def bandit(rng, reinforce_step):
    """Without a baseline every positive reward makes what was drawn more likely, good or not.

    theta + learning_rate * (reward - baseline) * (np.eye(len(theta))[action] - P), where P is the
    softmax of theta.
    """
    theta, (R, b, rate) = rng.normal(size=3), rng.uniform(0.3, 2, size=3).tolist()
    found = forms.function(reinforce_step, "reinforce_step")(theta, 1, R, b, rate)
    same = partial(_equals, forms.array(found, "what reinforce_step returns", (3,)))
    gradient = np.eye(3)[1] - special.softmax(theta)
    mistakes = (
        (theta - rate * (R - b) * gradient, "It goes downhill: add, larger rewards are better."),
        (theta + rate * R * gradient, "The baseline has no effect: take the reward minus it."),
        (rate * (R - b) * gradient, "That is the step alone: return theta plus the step."),
    )
    hint = "It is not theta + learning_rate (R - b) (one-hot(action) - P)."
    require(same, theta + rate * (R - b) * gradient, hint, mistakes)
    yield Remark(True, "The step is right, for a random bandit of three arms.")


@practice("2.P2.1", "Switch the framework", "keras_result", "result")
def switch_search(rng, keras_result, result):
    """Before its first update the controller hears nothing, and later it hears nearly the same."""
    files = forms.search(keras_result, "keras_result").files
    theirs = forms.search(result, "result").files
    if files is None or theirs is None:
        raise Rejected("Its files are gone: search again, in a working_dir of its own.")
    n, settings = len(files["trials"]), files["settings"]
    hint = f"{n} children in {settings['framework']}: the task asks for 6 in Keras."
    right = settings["framework"] == "keras" and n >= 6
    yield graded_remark(0, right, "Six children were trained in Keras.", hint)
    other = [name for name, value in theirs["settings"].items() if settings.get(name) != value]
    yes = "Nothing but the framework differs from the search in Torch."
    hint = f"Change the framework only; these differ from the search in Torch: {', '.join(other)}."
    yield graded_remark(0, set(other) <= {"framework"}, yes, hint)


@practice("2.P2.2", "Another reward", "frugal_reward", "result")
def another_reward(rng, frugal_reward, result):
    """Ten times the parameters must now buy 0.05 of AUROC, or the smaller network wins.

    evaluation.auroc(y_true, y_score) - 0.05 * np.log10(architecture.n_parameters())
    """
    y = rng.permutation(np.arange(60) % 2)[:, None].astype(np.float32)
    score = rng.random(y.shape).astype(np.float32)
    network = Architecture((Conv1D(int(rng.integers(4, 200)), 7, "relu"), GlobalMaxPool()))
    same = partial(_equals, reward_of(frugal_reward, "frugal_reward")(y, score, network))
    auroc, size = evaluation.auroc(y, score), network.n_parameters()
    mistakes = (
        (auroc - 0.05 * np.log(size), "That is the natural logarithm; take np.log10."),
        (auroc + 0.05 * np.log10(size), "It rewards size: subtract the price."),
        (auroc, "That is AUROC: size has no price yet."),
    )
    hint = "It is not AUROC - 0.05 log10(parameters)."
    require(same, auroc - 0.05 * np.log10(size), hint, mistakes)
    yield Remark(True, "It is right, for random scores and a random network.")


@practice("2.P3.1", "Is the second-best model the same?", "second_model", "result", also="x sites")
def second_best(rng, second_model, result):
    wanted, X = "a model of the search", course().X_val
    found = forms.instance(second_model, ModelAnswer, "second_model", wanted).logits(X)
    best, second = (forms.search(result, "result").load(rank).logits(X) for rank in (0, 1))
    mistakes = [(best, "That is the best model; ranks count from 0.")]
    same = partial(_equals, found, tolerance=1e-3)
    require(same, second, "That is not the search's second-best model.", mistakes)
    yield Remark(True, "It is the second-best.")


@practice(
    "2.P3.2", "Is the focus region the motif?", "focus_region", also="importance motif_starts"
)
def focus(rng, focus_region):
    """The total of a window asks for all of its positions; one high position alone is no motif.

    np.convolve(importance, np.ones(width), mode="valid") is the total of each window.
    """
    region, width = forms.function(focus_region, "focus_region"), 7
    for last in (0, 5):  # at random, and the best window is the last one
        importance = rng.normal(size=50)
        importance[-width:] += last
        found = forms.number(region(importance, width), "what focus_region returns")
        right = np.convolve(importance, np.ones(width), mode="valid").argmax()
        mistakes = (
            (right + width // 2, "That is the middle of the window; the task asks for its start."),
            (importance.argmax(), "That is the highest single position; sum over the window."),
        )
        hint = "That is not the start of the best of the L - width + 1 windows."
        require(partial(_equals, found), right, hint, mistakes)
    yield Remark(True, "It finds the best window of random numbers.")


@practice("2.P3.3", "Two letters at once", "score_two", also="best_model x region")
def two_letters(rng, score_two):
    score, rows = forms.function(score_two, "score_two"), []
    for _ in range(3):
        *given, right, added = _interacting(rng)
        rows.append((forms.number(score(*given), "what score_two returns"), right, added))
    found, right, added = np.transpose(rows)
    mistakes = (
        (-right, "The sign is the other way round: after minus before."),
        (added, "That is the sum of the two alone; put both letters in place, then predict."),
    )
    same = partial(_equals, found, tolerance=2e-4)
    require(same, right, "That is not logit(both letters) - logit(x).", mistakes)
    yield Remark(True, "It agrees with our own mutants of random networks.")


def _interacting(rng):
    """A model, a sequence, two changes of it, their effect, and the sum of their own effects."""
    while True:  # until some pair differs enough from each of the two and from their sum
        model, x, start = random_model(rng), random_sequences(rng, 1)[0], int(rng.integers(180))
        window = {"start": start, "end": start + 12, "progress": False}
        found = interpret.pairwise_mutagenesis(model.twin, x[None], **window)
        double, one, other = found.double[0], found.single[0][:, :, None, None], found.single[0]
        gaps = np.abs([double, double - one, double - other, double - one - other]).min(axis=0)
        if gaps.max() > 0.02:
            p, a, q, b = np.unravel_index(gaps.argmax(), gaps.shape)
            places = (int(start + p), "ACGT"[a]), (int(start + q), "ACGT"[b])
            return model, x, *places, double[p, a, q, b], (one + other)[p, a, q, b]
