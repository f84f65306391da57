"""Checks of the practices in the text of Day 1."""

from dataclasses import asdict

import numpy as np
from scipy import special

from workshop.architecture import DAY1_CNN, Architecture, Conv1D, Flatten, MaxPool
from workshop.homework import forms, targets
from workshop.homework.answers import ModelAnswer
from workshop.homework.course_data import course, trained
from workshop.homework.practice import Rejected, graded_remark, practice

PARTS = ("train", "val", "test")


def _same_shares(found, right):
    """Whether shares are right as computed, or rounded to two decimals or more."""
    shares = (right, *(np.round(right, decimals) for decimals in (2, 3, 4)))
    return any(np.allclose(found, one, rtol=0, atol=5e-5) for one in shares)


@practice("1.P1.1", "Label proportions", "label_shares")
def label_proportions(rng, label_shares):
    """About half of each part is positive; a model that always says yes is right as often.

    y_train.mean() is the share of positives in train: {"train": y_train.mean(), ...}.
    """
    shares = forms.mapping(label_shares, "label_shares")
    found = {part: forms.number(shares.get(part), f"label_shares[{part!r}]") for part in PARTS}
    right = {part: getattr(course(), f"y_{part}").mean() for part in PARTS}
    wrong = [part for part in PARTS if not _same_shares(found[part], right[part])]
    hint = f"Look again at {', '.join(wrong)}: the mean of its own labels."
    if all(1 < found[part] <= 100 for part in wrong):
        hint = "These look like percent or counts; a share lies between 0 and 1."
    yield graded_remark(0, not wrong, "All three shares are right.", hint)


@practice("1.P1.2", "Base composition", "base_shares base_shares_by_label")
def base_composition(rng, base_shares, base_shares_by_label):
    """The parts agree, the labels do not: the planted motif brings C and G along.

    X_train.mean(axis=(0, 1)) has four numbers. For one label take its rows first:
    X_train[y_train[:, 0] == 1].
    """
    data = course()
    positive = data.y_train[:, 0] == 1
    by_part = {part: getattr(data, f"X_{part}") for part in PARTS}
    by_label = {"negative": data.X_train[~positive], "positive": data.X_train[positive]}
    yield _shares_remark(base_shares, "base_shares", by_part)
    yield _shares_remark(base_shares_by_label, "base_shares_by_label", by_label)


def _shares_remark(answer, name, sets):
    shares, wrong, hint = forms.mapping(answer, name), [], ""
    for key, X in sets.items():
        of = ", the shares of A, C, G and T"
        found = forms.array(shares.get(key), f"{name}[{key!r}]", (4,), of=of)
        if not _same_shares(found, X.mean(axis=(0, 1), dtype=float)):
            wrong.append(key)
            if not np.isclose(found.sum(), 1, atol=1e-2):
                hint = " Four shares add up to 1: a mean over sequences and positions."
            elif "positive" in sets:
                hint = " Of the training part only: the rows of X_train with this label."
    text = f"{name}: look again at {', '.join(wrong)}.{hint}"
    return graded_remark(0, not wrong, f"{name} is right.", text)


@practice("1.P1.3", "One-hot encoding, both ways", "my_one_hot_encode my_one_hot_decode")
def one_hot(rng, my_one_hot_encode, my_one_hot_decode):
    encode = forms.function(my_one_hot_encode, "my_one_hot_encode")
    decode = forms.function(my_one_hot_decode, "my_one_hot_decode")
    encode("GATTACA"), decode(_one_hot("GATTACA"))  # neither is the stub
    seqs = ["".join(rng.choice(list("ACGT"), size=rng.integers(20, 60))) for _ in range(3)]
    mixed = "".join(rng.choice(list("ACGTacgtNn"), size=50))
    wrong_place = "my_one_hot_encode puts a 1 in the wrong place: the channels are A, C, G, T."
    for seq, hint in (
        *((seq, wrong_place) for seq in seqs),
        (seqs[0].lower(), "Lower case is not encoded as the task says."),
        ("N" + seqs[1], "An N is not encoded as the task says."),
        (mixed, "A mix of lower case and N is not encoded as the task says."),
    ):
        name, of = "what my_one_hot_encode returns", ", positions x channels"
        found = forms.array(encode(seq), name, (len(seq), 4), of=of)
        if not np.array_equal(found, _one_hot(seq)):
            raise Rejected(hint)
    yield graded_remark(0, True, "my_one_hot_encode is right, with lower case and N.", "")
    for seq in (*seqs, mixed):
        found = decode(_one_hot(seq))
        if not isinstance(found, str):
            raise Rejected(
                f"my_one_hot_decode must return a string; it returns {forms.describe(found)}."
            )
        if found != seq.upper():
            hint = "Does it give one letter for each row, in upper case?"
            if found.replace("A", "N") == seq.upper().replace("A", "N"):
                hint = "A row of four zeros is an N."
            raise Rejected(f"my_one_hot_decode does not give the sequence back. {hint}")
    yield graded_remark(0, True, "my_one_hot_decode gives every sequence back.", "")


def _one_hot(seq):
    """Shape (L, 4); the check's own, so that no library function judges itself."""
    rows = {base: [float(base == other) for other in "ACGT"] for base in "ACGT"}
    return np.array([rows.get(letter, [0.0] * 4) for letter in seq.upper()], dtype=np.float32)


@practice("1.P2.1", "Change the sizes", "my_n_parameters", "my_variant")
def sizes(rng, my_n_parameters, my_variant):
    """Only layers with weights count: the pool has none, so its size changes nothing here."""
    expected = forms.model(my_variant, "my_variant").n_parameters
    if expected == DAY1_CNN.n_parameters():
        raise Rejected("my_variant has Day 1's 961 parameters: choose other sizes.")
    layers = [name for name in getattr(my_variant, "layers", ()) if name != "InputLayer"]
    if layers and layers != ["Conv1D", "MaxPooling1D", "GlobalAveragePooling1D", "Dense"]:
        raise Rejected("Change the sizes only: let make_keras_cnn make my_variant.")
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
    X = course().X_val[:8]
    found = forms.outputs(flatten_model, X, "flatten_model")
    n = flatten_model.n_parameters
    if n == 0:
        raise Rejected("It has no input shape yet: begin with keras.Input((200, 4)).")
    layers = getattr(flatten_model, "layers", ("Flatten",))
    same = n == FLATTEN.n_parameters() and "Flatten" in layers and "Dropout" not in layers
    if same and (weights := getattr(flatten_model, "weights", ())):
        named = dict(zip(FLATTEN.weight_shapes(), weights, strict=True))
        logits = ModelAnswer("keras", FLATTEN, named).logits(X)
        same = any(np.allclose(found, f(logits), atol=1e-4) for f in (np.array, special.expit))
    yes = f"One layer has changed, and with it {n:,} parameters are to be learnt."
    hint = (
        f"It has {n:,} parameters. Change one layer of the Day-1 model only: 32 kernels of width "
        "7, ReLU, pooling by 4, then Flatten, and nothing else."
    )
    yield graded_remark(0, same, yes, hint)


@practice("1.P2.3", "TensorBoard", "lowest_loss_epoch", "keras_history")
def tensorboard(rng, lowest_loss_epoch, keras_history):
    """The loss was lowest at the end: early stopping had nothing to stop."""
    losses = forms.history(keras_history, "keras_history", "val_loss")["val_loss"]
    lowest, found = int(losses.argmin()), forms.number(lowest_loss_epoch, "lowest_loss_epoch")
    hint = "Look at epoch_loss, the validation curve of the keras run."
    if found == lowest + 1:
        hint = "That counts from 1; TensorBoard counts from 0."
    yield graded_remark(0, found == lowest, "Read off correctly.", hint)


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
    near = found - 1e-6, found, found + 1e-6  # the score of a sequence itself may be the threshold

    def is_cheapest(part, *, miss):
        y = getattr(course(), f"y_{part}") == 1
        p = forms.predictions(keras_model, getattr(course(), f"X_{part}"), "keras_model")
        costs = [miss * (y & (p < t)).sum() + (~y & (p >= t)).sum() for t in (*near, *GRID)]
        return min(costs[:3]) <= min(costs[3:])

    hint = "Another threshold costs less on val."
    if is_cheapest("test", miss=5):
        hint = "That is the cheapest on test; choose on val."
    elif is_cheapest("val", miss=1) or is_cheapest("val", miss=0.2):
        hint = "That would be right if a miss were not dearer than a false alarm."
    right = is_cheapest("val", miss=5)
    yield graded_remark(0, right, "No threshold is cheaper on val.", hint)


@practice("1.P3.2", "Improve the model", "improved", "improved_history")
def improve(rng, improved, improved_history):
    """One good match is enough for a maximum; a mean is moved little by it.

    Leave convolution and pool, and replace the last of the three layers.
    """
    forms.instance(improved, Architecture, "improved", "an Architecture")
    if improved == DAY1_CNN:
        raise Rejected("improved is still the Day-1 model: change one thing.")
    if (n := _changes(improved.layers, DAY1_CNN.layers)) > 1:
        raise Rejected(f"{n} things have changed: which one was it? Change one.")
    table = forms.history(improved_history, "improved_history", "val_auroc")
    reached, ours = table["val_auroc"].iloc[-1], trained(improved, epochs=20)[1].last["val_auroc"]
    if abs(reached - ours) > 0.03:
        raise Rejected(
            f"improved_history ends at {reached:.3f}, and 20 epochs of improved at {ours:.3f} on "
            "val: run the cell that trains it again."
        )
    yes = f"A val AUROC of {reached:.3f} is above {targets.IMPROVED_AUROC}."
    hint = (
        f"The val AUROC is {reached:.3f}, not yet above {targets.IMPROVED_AUROC}. Which step "
        "tells the next layer that the motif was there at all, and which one dilutes it?"
    )
    yield graded_remark(0, reached > targets.IMPROVED_AUROC, yes, hint)


def _changes(layers, others):
    """How many things differ: a layer more, less or replaced, and each size of a layer."""
    if not layers or not others:
        return len(layers) + len(others)
    (one, *rest), (other, *remaining) = layers, others
    sizes, old = asdict(one), asdict(other)
    differing = sum(sizes[name] != old[name] for name in sizes.keys() & old.keys())
    replaced = differing + (type(one) is not type(other))
    return min(
        replaced + _changes(rest, remaining),
        1 + _changes(rest, others),
        1 + _changes(layers, remaining),
    )


@practice("1.P3.3", "Compare metrics, architectures and settings", "runs", "comparison")
def compare_runs(rng, runs, comparison):
    """With one change a run, each difference has one cause; with two it has none."""
    rows = forms.rows_of(runs, "runs")
    varied = {
        "another architecture": len({str(row.get("architecture")) for row in rows}) > 1,
        "SGD": any("sgd" in str(row.get("optimizer")).lower() for row in rows),
        "another learning rate": len({str(row.get("learning_rate")) for row in rows}) > 1,
    }
    missing = [what for what, there in varied.items() if not there]
    yes = "Architecture, optimiser and learning rate are all compared."
    hint = f"Still missing: {', '.join(missing)}."
    yield graded_remark(0, not missing, yes, hint)
    first = {"architecture": DAY1_CNN, "optimizer": "adam", "learning_rate": 0.001}
    linked, left = [first], [first | row for row in rows]
    while near := [row for row in left if any(_n_differing(row, one) < 2 for one in linked)]:
        linked, left = linked + near, [row for row in left if row not in near]
    hint = f"{len(left)} of the runs differ in two things or more from each of the others."
    yield graded_remark(0, not left, "From run to run one thing changes.", hint)


def _n_differing(run, other):
    names = run.keys() | other.keys()
    return sum(str(run.get(name)).lower() != str(other.get(name)).lower() for name in names)
