"""Checks of the practices in the text of Day 1.

They earn no points: a value or two computed again, and a hint.
"""

import numpy as np

from workshop.architecture import DAY1_CNN, Architecture, Conv1D, Flatten, MaxPool
from workshop.homework import forms, targets
from workshop.homework.course_data import course, trained
from workshop.homework.practice import Rejected, Remark, graded_remark, practice

PARTS = ("train", "val", "test")


@practice("1.P1.1", "Label proportions", "label_shares")
def label_proportions(rng, label_shares):
    """About half of each part is positive; a model that always says yes is right as often.

    y_train.mean() is the share of positives in train: {"train": y_train.mean(), ...}.
    """
    shares = {part: getattr(course(), f"y_{part}").mean() for part in PARTS}
    yield _shares_remark(label_shares, "label_shares", shares)


@practice("1.P1.2", "Base composition", "base_shares base_shares_by_label")
def base_composition(rng, base_shares, base_shares_by_label):
    """The parts agree, the labels do not: the planted motif brings C and G along.

    X_train.mean(axis=(0, 1)) has four numbers. For one label take its rows first:
    X_train[y_train[:, 0] == 1].
    """
    data, labels = course(), {"negative": 0, "positive": 1}
    sets = {part: getattr(data, f"X_{part}") for part in PARTS}
    by_label = {name: data.X_train[data.y_train[:, 0] == i] for name, i in labels.items()}
    shares, shares_by_label = (
        {name: X.mean(axis=(0, 1), dtype=float) for name, X in one.items()}
        for one in (sets, by_label)
    )
    yield _shares_remark(base_shares, "base_shares", shares)
    yield _shares_remark(base_shares_by_label, "base_shares_by_label", shares_by_label)


def _shares_remark(answer, name, right):
    """Whether shares are right as computed, or rounded to two decimals or more."""
    shares, wrong = forms.mapping(answer, name), []
    for key, expected in right.items():
        found = np.ravel(forms.array(shares.get(key), f"{name}[{key!r}]"))
        rounded = [np.round(expected, decimals) for decimals in (2, 3, 4, 9)]
        close = [np.allclose(found, one, rtol=0, atol=5e-5) for one in rounded]
        if found.size != np.size(expected) or not any(close):
            wrong.append(key)
    hint = f"{name}: look again at {', '.join(wrong)}. A share is a mean, over its own rows only."
    return graded_remark(0, not wrong, f"{name} is right.", hint)


@practice("1.P1.3", "One-hot encoding, both ways", "my_one_hot_encode my_one_hot_decode")
def one_hot(rng, my_one_hot_encode, my_one_hot_decode):
    encode = forms.function(my_one_hot_encode, "my_one_hot_encode")
    decode = forms.function(my_one_hot_decode, "my_one_hot_decode")
    seq = "".join(rng.choice(list("ACGT"), size=40))
    for text, hint in (
        (seq, "my_one_hot_encode puts a 1 in the wrong place: the channels are A, C, G, T."),
        (seq.lower(), "Lower case is not encoded as the task says."),
        (f"{seq}nN", "An N is not encoded as the task says."),
    ):
        expected = np.array([[float(base == one) for base in "ACGT"] for one in text.upper()])
        name, of = "what my_one_hot_encode returns", ", positions x channels"
        if not np.array_equal(forms.array(encode(text), name, expected.shape, of=of), expected):
            raise Rejected(hint)
        found = decode(expected.astype(np.float32))
        if forms.instance(found, str, "what my_one_hot_decode returns", "text") != text.upper():
            raise Rejected("my_one_hot_decode: a letter for each row, upper case; of zeros an N.")
    yield Remark(True, "Both are right, with lower case and N.")


@practice("1.P2.1", "Change the sizes", "my_n_parameters", "my_variant")
def sizes(rng, my_n_parameters, my_variant):
    """Only layers with weights count: the pool has none, so its size changes nothing here."""
    expected = forms.model(my_variant, "my_variant").n_parameters
    if expected == DAY1_CNN.n_parameters():
        raise Rejected("my_variant has Day 1's 961 parameters: choose other sizes.")
    yes = "You predicted the number of parameters."
    hint = (
        "That is not the number of my_variant. Each kernel has kernel_size x 4 weights and a bias; "
        "the dense layer a weight for each filter and a bias."
    )
    yield graded_remark(0, forms.number(my_n_parameters, "my_n_parameters") == expected, yes, hint)


GRID = np.arange(0.01, 1, 0.01)  # thresholds of 1.P4.1
FLATTEN = Architecture((Conv1D(32, 7, "relu", padding="same"), MaxPool(4), Flatten()))


@practice("1.P2.2", "Flatten instead of GAP", "flatten_model")
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


@practice("1.P2.3", "TensorBoard", "lowest_loss_epoch", "keras_history")
def tensorboard(rng, lowest_loss_epoch, keras_history):
    """The loss was lowest at the end: early stopping had nothing to stop."""
    lowest = forms.history(keras_history, "keras_history", "val_loss")["val_loss"].argmin()
    hint = "Look at epoch_loss, the validation curve of the keras run; TensorBoard counts from 0."
    right = forms.number(lowest_loss_epoch, "lowest_loss_epoch") == lowest
    yield graded_remark(0, right, "Read off correctly.", hint)


@practice("1.P3.1", "Understand the PyTorch model", "torch_shapes")
def shapes(rng, torch_shapes):
    """Torch has channels before positions: pooling shortens the last axis, the mean removes it.

    Sequences come first, then kernels, then positions. Pooling by 4 leaves a quarter.
    """
    expected = {"conv": (64, 32, 200), "pool": (64, 32, 50), "mean": (64, 32), "output": (64, 1)}
    found = forms.mapping(torch_shapes, "torch_shapes")
    wrong = [
        name
        for name, shape in expected.items()
        if tuple(np.ravel(forms.array(found.get(name), f"torch_shapes[{name!r}]"))) != shape
    ]
    hint = f"Not yet: {', '.join(wrong)}. What does each step do to the axes that it gets?"
    yield graded_remark(0, not wrong, "All four shapes are right.", hint)


@practice("1.P4.1", "Choose a threshold", "cheapest_threshold", "keras_model")
def cheapest(rng, cheapest_threshold, keras_model):
    """Where a miss is dear, even a probability well below one half is worth a look.

    For each threshold t: missed = (y == 1) & (p < t), alarm = (y == 0) & (p >= t); the cost is
    5 * missed.sum() + alarm.sum(). np.argmin of the costs says which.
    """
    found = forms.number(cheapest_threshold, "cheapest_threshold")
    p = forms.predictions(keras_model, course().X_val, "keras_model")
    positive = course().y_val == 1

    def cost(threshold):
        return 5 * (positive & (p < threshold)).sum() + (~positive & (p >= threshold)).sum()

    mine = min(cost(found), cost(found - 1e-6))  # the score of a sequence may be the threshold
    hint = "Another threshold costs less on val, where a miss counts five times."
    right = mine <= min(map(cost, GRID))
    yield graded_remark(0, right, "No threshold is cheaper on val.", hint)


@practice("1.P3.2", "Improve the model", "improved", also="improved_history")
def improve(rng, improved):
    """One good match is enough for a maximum; a mean is moved little by it.

    Leave convolution and pool, and replace the last of the three layers.
    """
    layers = set(forms.instance(improved, Architecture, "improved", "an Architecture").layers)
    new, gone = layers - set(DAY1_CNN.layers), set(DAY1_CNN.layers) - layers
    if improved == DAY1_CNN or max(len(new), len(gone)) > 1:
        raise Rejected("Change one layer of the Day-1 model, so that you know which one it was.")
    aim = targets.IMPROVED_AUROC
    reached = trained(improved, epochs=20, until=aim)[1].last["val_auroc"]
    yes = f"Trained by the check, its val AUROC rises above {aim}."
    hint = (
        f"Trained by the check for 20 epochs, it ends at a val AUROC of {reached:.3f}. Which step "
        "tells the next layer that the motif was there at all, and which one dilutes it?"
    )
    yield graded_remark(0, reached > aim, yes, hint)


@practice("1.P3.3", "Compare metrics, architectures and settings", "runs", "comparison")
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
