"""Checks of the practices in the text of both days.

They earn no points: a value or two computed again, and a hint.
"""

from collections import Counter
from functools import partial
from itertools import product

import numpy as np
from scipy import special

from workshop import evaluation, interpret
from workshop.architecture import DAY1_CNN, Architecture, Dense, Flatten
from workshop.homework import forms, targets
from workshop.homework.answers import ModelAnswer
from workshop.homework.course_data import course, random_model, random_sequences, trained
from workshop.homework.practice import Rejected, Remark, graded_remark, practice, require
from workshop.homework.searching import reward_of

PARTS = ("train", "val", "test")
GRID = np.arange(0.01, 1, 0.01)  # thresholds of 1.P4.1
SETTINGS = {"optimizer": "adam", "learning_rate": 0.001, "batch_size": 64, "epochs": 5}  # of 2.P1.1
FLATTEN = Architecture((*DAY1_CNN.layers[:2], Flatten()))


def _equals(found, other, tolerance=1e-6):
    return np.allclose(found, other, rtol=tolerance, atol=tolerance)


# --- Day 1 ---


@practice("1.P1.1", "Label proportions")
def label_proportions(rng, label_shares):
    """About half of each part is positive; a model that always says yes is right as often.

    y_train.mean() is the share of positives in train: {"train": y_train.mean(), ...}.
    """
    sets = {part: getattr(course(), f"y_{part}") for part in PARTS}
    yield _shares_remark(label_shares, "label_shares", sets)


@practice("1.P1.2", "Base composition")
def base_composition(rng, base_shares, base_shares_by_label):
    """The parts agree, the labels do not: the planted motif brings C and G along.

    X_train.mean(axis=(0, 1)) has four numbers. For one label take its rows first:
    X_train[y_train[:, 0] == 1].
    """
    X, y = course().X_train, course().y_train[:, 0]
    sets = {part: getattr(course(), f"X_{part}") for part in PARTS}
    by_label = {"negative": X[y == 0], "positive": X[y == 1]}
    yield _shares_remark(base_shares, "base_shares", sets, axis=(0, 1))
    yield _shares_remark(base_shares_by_label, "base_shares_by_label", by_label, axis=(0, 1))


def _shares_remark(answer, name, sets, axis=None):
    """Whether shares are the means of their sets, with two decimals or more."""
    shares, wrong = forms.mapping(answer, name), []
    for key, values in sets.items():
        expected = np.mean(values, axis=axis, dtype=float)
        found = np.ravel(forms.array(shares.get(key), f"{name}[{key!r}]"))
        close = (np.allclose(found, expected.round(n), rtol=0, atol=5e-5) for n in (2, 3, 4, 9))
        if found.size != expected.size or not any(close):
            wrong.append(key)
    hint = f"{name}: look again at {', '.join(wrong)}. A share is a mean, over its own rows only."
    return graded_remark(0, not wrong, f"{name} is right.", hint)


@practice("1.P1.3", "One-hot encoding, both ways")
def one_hot(rng, my_one_hot_encode, my_one_hot_decode):
    encode = forms.function(my_one_hot_encode, "my_one_hot_encode")
    decode = forms.function(my_one_hot_decode, "my_one_hot_decode")
    seq = "".join(rng.choice(list("ACGT"), size=40))
    for text, hint in (
        (seq, "my_one_hot_encode puts a 1 in the wrong place: the channels are A, C, G, T."),
        (seq.lower(), "Lower case is not encoded as the task says."),
        (f"{seq[:9]}nN{seq[9:]}", "An N is not encoded as the task says."),
    ):
        expected = np.array([[float(base == one) for base in "ACGT"] for one in text.upper()])
        name, of = "what my_one_hot_encode returns", ", positions x channels"
        if not np.array_equal(forms.array(encode(text), name, expected.shape, of=of), expected):
            raise Rejected(hint)
        found = decode(expected.astype(np.float32))
        if forms.instance(found, "what my_one_hot_decode returns", str, "text") != text.upper():
            raise Rejected("my_one_hot_decode: a letter for each row, upper case; of zeros an N.")
    yield Remark(True, "Both are right, with lower case and N.")


@practice("1.P2.1", "Change the sizes", given="my_variant")
def sizes(rng, my_n_parameters, my_variant):
    """Only layers with weights count: the pool has none, so its size changes nothing here."""
    expected = forms.model(my_variant, "my_variant").n_parameters
    if expected == DAY1_CNN.n_parameters():
        raise Rejected("my_variant has Day 1's 961 parameters: choose other sizes.")
    yes = "You predicted the number of parameters."
    hint = (
        "A kernel has kernel_size x 4 weights and a bias; the dense layer one a filter and a bias."
    )
    yield graded_remark(0, forms.number(my_n_parameters, "my_n_parameters") == expected, yes, hint)


@practice("1.P2.2", "Flatten instead of GAP")
def flatten(rng, flatten_model):
    """Each of the 50 x 32 numbers now has a weight of its own: the model can learn places.

    Copy the cell of the Day-1 model and change one line: keras.layers.Flatten().
    """
    n = forms.model(flatten_model, "flatten_model").n_parameters
    yes = f"One layer has changed, and with it {n:,} parameters are to be learnt."
    hint = (
        f"It has {n:,} parameters. Begin with keras.Input((200, 4)) and change one layer of the "
        "Day-1 model only: 32 kernels of width 7, pooling by 4, then Flatten."
    )
    yield graded_remark(0, n == FLATTEN.n_parameters(), yes, hint)


@practice("1.P2.3", "TensorBoard", given="keras_history")
def tensorboard(rng, lowest_loss_epoch, keras_history):
    """The loss was lowest at the end: early stopping had nothing to stop."""
    lowest = forms.history(keras_history, "keras_history", "val_loss")["val_loss"].argmin()
    hint = "Look at epoch_loss, the validation curve of the keras run; TensorBoard counts from 0."
    right = forms.number(lowest_loss_epoch, "lowest_loss_epoch") == lowest
    yield graded_remark(0, right, "Read off correctly.", hint)


@practice("1.P3.1", "Understand the PyTorch model")
def shapes(rng, torch_shapes):
    """Torch has channels before positions: pooling shortens the last axis, the mean removes it.

    Sequences come first, then kernels, then positions. Pooling by 4 leaves a quarter.
    """
    expected = {"conv": (64, 32, 200), "pool": (64, 32, 50), "mean": (64, 32), "output": (64, 1)}
    found, wrong = forms.mapping(torch_shapes, "torch_shapes"), []
    for name, shape in expected.items():
        if tuple(np.ravel(forms.array(found.get(name), f"torch_shapes[{name!r}]"))) != shape:
            wrong.append(name)
    hint = f"Not yet: {', '.join(wrong)}. What does each step do to the axes that it gets?"
    yield graded_remark(0, not wrong, "All four shapes are right.", hint)


@practice("1.P4.1", "Choose a threshold", given="keras_model")
def cheapest(rng, cheapest_threshold, keras_model):
    """Where a miss is dear, even a probability well below one half is worth a look.

    For each threshold t: missed = (y == 1) & (p < t), alarm = (y == 0) & (p >= t); the cost is
    5 * missed.sum() + alarm.sum(). np.argmin of the costs says which.
    """
    found = forms.number(cheapest_threshold, "cheapest_threshold")
    cost = costs(keras_model, "val")
    mine = min(cost(found), cost(found - 1e-6))  # the score of a sequence may be the threshold
    hint = "Another threshold costs less on val, where a miss counts five times."
    right = mine <= min(map(cost, GRID))
    yield graded_remark(0, right, "No threshold is cheaper on val.", hint)


def costs(model, part):
    """A function: what a threshold costs on a part of the data."""
    p = forms.predictions(model, getattr(course(), f"X_{part}"), "keras_model")
    positive = getattr(course(), f"y_{part}") == 1
    return lambda t: 5 * (positive & (p < t)).sum() + (~positive & (p >= t)).sum()


@practice("1.P3.2", "Improve the model")
def improve(rng, improved):
    """One good match is enough for a maximum; a mean is moved little by it.

    Leave convolution and pool, and replace the last of the three layers.
    """
    layers = Counter(forms.instance(improved, "improved", Architecture, "an Architecture").layers)
    new, gone = layers - Counter(DAY1_CNN.layers), Counter(DAY1_CNN.layers) - layers
    if improved == DAY1_CNN or max(new.total(), gone.total()) > 1:
        raise Rejected("Change one layer of the Day-1 model, so that you know which one it was.")
    aim = targets.IMPROVED_AUROC
    reached = trained(improved, epochs=20, until=aim)[1].last["val_auroc"]
    yes = f"Trained by the check, its val AUROC rises above {aim}."
    hint = (
        f"Trained by the check for 20 epochs, it ends at a val AUROC of {reached:.3f}. Which step "
        "tells the next layer that the motif was there at all, and which one dilutes it?"
    )
    yield graded_remark(0, reached > aim, yes, hint)


@practice("1.P3.3", "Compare metrics, architectures and settings", given="comparison")
def compare_runs(rng, runs, comparison):
    """With one change a run, each difference has one cause; with two it has none."""
    day1 = {"architecture": DAY1_CNN, "optimizer": "adam", "learning_rate": 0.001}
    rows = [day1, *(day1 | row for row in forms.rows_of(runs, "runs"))]
    missing = [name for name in day1 if len({str(row[name]) for row in rows}) == 1]
    hint = f"The same in all runs: {', '.join(missing)}."
    yield graded_remark(0, not missing, f"You vary {', '.join(day1)}.", hint)
    forms.require_single_changes(rows)
    yield Remark(True, "From run to run one thing changes.")
    table = forms.table(comparison, "comparison", ["val_auroc"])
    settings = {"epochs": 10} | rows[-1]
    ours = trained(settings.pop("architecture"), **settings)[1].last["val_auroc"]
    named = list(map(str, table.index)) == list(forms.mapping(runs, "runs"))
    same = named and abs(forms.number(table["val_auroc"].iloc[-1], "val_auroc") - ours) <= 0.01
    yes = "comparison is of these runs; the last one, trained again, ends where yours did."
    hint = "comparison is not that of these runs: run the cell above again."
    yield graded_remark(0, same, yes, hint)


# --- Day 2 ---


@practice("2.P4.1", "Count a space")
def count(rng, count_space, list_tokens):
    """Each layer multiplies: that is why spaces grow so fast, and nobody lists large ones.

    itertools.product(range(6), range(3)) yields all pairs; with *, of any number.
    """
    counted = forms.function(count_space, "count_space")
    listed = forms.function(list_tokens, "list_tokens")
    sizes = rng.integers(2, 6, size=4).tolist()
    space = [[f"operation {i}" for i in range(n)] for n in sizes]
    same = partial(_equals, forms.number(counted(space), "what count_space returns"))
    hint = "count_space: in how many ways can one choose one operation in each layer?"
    added = sum(sizes), "That is the sum of the choices; they multiply."
    require(same, np.prod(sizes), hint, [added])
    yield Remark(True, "The number is right, for a random space.")
    found = forms.array(listed(space), "what list_tokens returns", (None, len(sizes)))
    right = list(product(*map(range, sizes)))
    yes = "All tokens are there, each once."
    hint = f"A space of {sizes} has {len(right)} lists of tokens, counted from 0; yours are others."
    yield graded_remark(0, sorted(map(tuple, found.tolist())) == right, yes, hint)


@practice("2.P1.1", "Other tokens, other settings")
def other_tokens(rng, my_runs):
    """Where two things change at once, nobody can say which of them it was."""
    rows, day1 = [], dict(enumerate((0, 0, 6, 1)))
    for row in forms.rows_of(my_runs, "my_runs"):
        tokens = forms.array(row.pop("tokens", None), "tokens", (4,)).tolist()
        if any(t not in range(n) for t, n in zip(tokens, targets.SPACE_SIZES, strict=True)):
            raise Rejected(f"{tokens} selects nothing: the layers offer {targets.SPACE_SIZES}.")
        row = {key: row.get(key, one) for key, one in SETTINGS.items()}  # and no guess
        rows.append(row | dict(enumerate(map(int, tokens))))
    forms.require_single_changes([SETTINGS | day1, *rows])
    yield Remark(True, "You change one thing at a time.")
    for what, names in (("tokens", day1), ("settings", SETTINGS)):
        varied = any(row[name] != rows[0][name] for row in rows for name in names)
        yield graded_remark(0, varied, f"You vary the {what}.", f"Vary the {what}, too.")


@practice("2.P1.2", "Switch the framework", given="torch_child")
def switch_child(rng, keras_child, torch_child):
    """A network is its architecture and its weights; the framework only does the sums.

    keras_cnn.set_weights(keras_child, torch_cnn.get_weights(torch_child))
    """
    forms.instance(keras_child, "keras_child", ModelAnswer, "a model of keras_cnn.build_cnn")
    forms.instance(torch_child, "torch_child", ModelAnswer, "the model of the cell above")
    if keras_child.framework != "keras":
        raise Rejected("keras_child is a model of torch_cnn; it must be one of keras_cnn.")
    if keras_child.architecture != torch_child.architecture:
        raise Rejected("Its architecture is another than torch_child's: take the same tokens.")
    ours, theirs = (child.logits(course().X_val) for child in (keras_child, torch_child))
    off = np.abs(ours - theirs).max()
    yes = "With its weights both give the same logits, for the 350 val sequences."
    hint = f"A logit differs by {off:.2g}: carry the trained weights over, and do not train."
    yield graded_remark(0, off < 1e-4, yes, hint)


@practice("2.P1.3", "Add a layer to the space")
def add_layer(rng, deeper_space, deeper_tokens):
    size = forms.space(deeper_space, "deeper_space").size
    hint = f"{size} architectures; one more layer with two choices makes 756."
    yield graded_remark(0, size == 756, "756 architectures: twice as many.", hint)
    tokens = forms.array(deeper_tokens, "deeper_tokens", (len(deeper_space.layers),))
    hint = "The tokens select another network: Day 1's four, then the dense layer."
    right = deeper_space.architecture(tokens) == Architecture((*DAY1_CNN.layers, Dense(16, "relu")))
    yield graded_remark(0, right, "The tokens select the Day-1 model with the dense layer.", hint)


@practice("2.P5.1", "The bandit's baseline and learning rate")
def bandit(rng, reinforce_step):
    """Without a baseline every positive reward makes what was drawn more likely, good or not.

    theta + learning_rate * (reward - baseline) * (np.eye(len(theta))[action] - P), where P is the
    softmax of theta.
    """
    step, theta = forms.function(reinforce_step, "reinforce_step"), rng.normal(size=3)
    low, high, rate = np.sort(rng.uniform(0.3, 2, size=3)).tolist()
    for action, (R, b) in enumerate(((low, high), (high, low), (low, high))):
        found = step(theta, action, R, b, rate)
        same = partial(_equals, forms.array(found, "what reinforce_step returns", (3,)))
        gradient = rate * (np.eye(3)[action] - special.softmax(theta))
        mistakes = (
            (theta - (R - b) * gradient, "It goes downhill: add, larger rewards are better."),
            (theta + R * gradient, "The baseline has no effect: take the reward minus it."),
            ((R - b) * gradient, "That is the step alone: return theta plus the step."),
        )
        hint = "It is not theta + learning_rate (R - b) (one-hot(action) - P)."
        require(same, theta + (R - b) * gradient, hint, mistakes)
    yield Remark(True, "The step is right, for a random bandit of three arms.")


@practice("2.P2.1", "Switch the framework", given="result")
def switch_search(rng, keras_result, result):
    """Before its first update the controller hears nothing, and later it hears nearly the same."""
    files = forms.search(keras_result, "keras_result").files
    theirs = forms.search(result, "result").files
    if files is None or theirs is None:
        raise Rejected("Its files are gone: search again, in a working_dir of its own.")
    n, settings = len(files["trials"]), files["settings"]
    hint = f"{n} children in {settings['framework']}: the task asks for 6 in Keras."
    right = settings["framework"] == "keras" and n >= 6
    yield graded_remark(0, right, f"{n} children were trained in Keras.", hint)
    other = [name for name, value in theirs["settings"].items() if settings.get(name) != value]
    yes = "Nothing but the framework differs from the search in Torch."
    hint = f"Change the framework only; these differ from the search in Torch: {', '.join(other)}."
    yield graded_remark(0, set(other) <= {"framework"}, yes, hint)


@practice("2.P2.2", "Another reward", given="result")
def another_reward(rng, frugal_reward, result):
    """Ten times the parameters must now buy 0.05 of AUROC, or the smaller network wins.

    evaluation.auroc(y_true, y_score) - 0.05 * np.log10(architecture.n_parameters())
    """
    y = rng.permutation(np.arange(60) % 2)[:, None].astype(np.float32)
    score = rng.random(y.shape).astype(np.float32)
    network = random_model(rng).architecture
    same = partial(_equals, reward_of(frugal_reward, "frugal_reward")(y, score, network))
    auroc, size = evaluation.auroc(y, score), network.n_parameters()
    price = 0.05 * np.log10(size)
    mistakes = (
        (auroc - 0.05 * np.log(size), "That is the natural logarithm; take np.log10."),
        (auroc + price, "It rewards size: subtract the price."),
        (auroc, "That is AUROC: size has no price yet."),
    )
    require(same, auroc - price, "It is not AUROC - 0.05 log10(parameters).", mistakes)
    yield Remark(True, "It is right, for random scores and a random network.")


@practice("2.P3.1", "Is the second-best model the same?", given="result")
def second_best(rng, second_model, result):
    wanted, X = "a model of the search", course().X_val
    found = forms.instance(second_model, "second_model", ModelAnswer, wanted).logits(X)
    best, second = (forms.search(result, "result").load(rank).logits(X) for rank in (0, 1))
    mistakes = [(best, "That is the best model; ranks count from 0.")]
    same = partial(_equals, found, tolerance=1e-3)
    require(same, second, "That is not the search's second-best model.", mistakes)
    yield Remark(True, "It is the second-best.")


@practice("2.P3.2", "Is the focus region the motif?")
def focus(rng, focus_region):
    """The total of a window asks for all of its positions; one high position alone is no motif.

    np.convolve(importance, np.ones(width), mode="valid") is the total of each window.
    """
    region, width = forms.function(focus_region, "focus_region"), 7
    for last in (*[0] * 19, 5):  # at random, and the best window is the last one
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


@practice("2.P3.3", "Two letters at once")
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
