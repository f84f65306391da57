"""Checks of the practices in the text of Day 1."""

import numpy as np

from workshop.architecture import DAY1_CNN, Architecture
from workshop.homework import forms, targets
from workshop.homework.course_data import course
from workshop.homework.practice import Rejected, graded_remark, practice

PARTS = ("train", "val", "test")


@practice("1.P1.1", "Label proportions", "label_shares")
def label_proportions(rng, label_shares):
    shares = forms.mapping(label_shares, "label_shares")
    found = {part: forms.number(shares.get(part), f"label_shares[{part!r}]") for part in PARTS}
    right = {part: getattr(course(), f"y_{part}").mean() for part in PARTS}
    wrong = [part for part in PARTS if not forms.same_number(found[part], right[part], 6e-3)]
    hint = f"Look again at {', '.join(wrong)}: the mean of its labels."
    if all(1 < found[part] <= 100 for part in wrong):
        hint = "These look like percent or counts; a share lies between 0 and 1."
    yield graded_remark(0, not wrong, "All three shares are right.", hint)


@practice("1.P1.2", "Base composition", "base_shares base_shares_by_label")
def base_composition(rng, base_shares, base_shares_by_label):
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
        if not np.allclose(found, X.mean(axis=(0, 1)), atol=6e-3):
            wrong.append(key)
            if not np.isclose(found.sum(), 1, atol=1e-2):
                hint = " Four shares add up to 1: a mean over sequences and positions."
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
    expected = forms.model(my_variant, "my_variant").n_parameters
    if expected == DAY1_CNN.n_parameters():
        raise Rejected("my_variant has Day 1's 961 parameters: choose other sizes.")
    yes = "You predicted the number of parameters."
    hint = (
        "That is not the number of my_variant. Each kernel has kernel_size x 4 weights and a bias; "
        "the dense layer a weight for each filter and a bias."
    )
    yield graded_remark(0, forms.number(my_n_parameters, "my_n_parameters") == expected, yes, hint)


@practice("1.P2.2", "Flatten instead of GAP", "flatten_model")
def flatten(rng, flatten_model):
    p = forms.outputs(flatten_model, course().X_val[:8], "flatten_model")
    n = flatten_model.n_parameters
    if n == 0:
        raise Rejected("It has no input shape yet: begin with keras.Input((200, 4)).")
    if not ((p >= 0) & (p <= 1)).all():
        raise Rejected("Its output must be a probability: a Dense(1) with a sigmoid.")
    yes = "Flatten passes all 50 x 32 numbers on, each with a weight of its own."
    hint = (
        f"It has {n:,} parameters. Change one layer of the Day-1 model only: 32 kernels of width "
        "7, pooling by 4, then Flatten."
    )
    yield graded_remark(0, n == 32 * (7 * 4 + 1) + 50 * 32 + 1, yes, hint)


@practice("1.P2.3", "TensorBoard", "lowest_loss_epoch", "keras_history")
def tensorboard(rng, lowest_loss_epoch, keras_history):
    lowest = int(forms.history(keras_history, "keras_history", "val_loss")["val_loss"].argmin())
    found = forms.number(lowest_loss_epoch, "lowest_loss_epoch")
    hint = "Look at epoch_loss, the validation curve of the keras run."
    if found == lowest + 1:
        hint = "That counts from 1; TensorBoard counts from 0."
    yield graded_remark(0, found == lowest, "Read off correctly.", hint)


@practice("1.P3.1", "Understand the PyTorch model", "torch_shapes")
def shapes(rng, torch_shapes):
    expected = {"conv": (64, 32, 200), "pool": (64, 32, 50), "mean": (64, 32), "output": (64, 1)}
    found = forms.mapping(torch_shapes, "torch_shapes")
    wrong = [
        name
        for name, shape in expected.items()
        if tuple(np.ravel(forms.array(found.get(name), f"torch_shapes[{name!r}]"))) != shape
    ]
    hint = f"Not yet: {', '.join(wrong)}. The comments in `forward` say the shapes."
    yield graded_remark(0, not wrong, "All four shapes are right.", hint)


@practice("1.P3.2", "Improve the model", "improved", "improved_history")
def improve(rng, improved, improved_history):
    forms.instance(improved, Architecture, "improved", "an Architecture")
    reached = forms.history(improved_history, "improved_history", "val_auroc")["val_auroc"].iloc[-1]
    if improved == DAY1_CNN:
        raise Rejected("improved is still the Day-1 model: change one thing.")
    yes = f"A val AUROC of {reached:.3f} is above {targets.IMPROVED_AUROC}."
    hint = (
        f"The val AUROC is {reached:.3f}, not yet above {targets.IMPROVED_AUROC}. Which step "
        "tells the next layer that the motif was there at all, and which one dilutes it?"
    )
    yield graded_remark(0, reached > targets.IMPROVED_AUROC, yes, hint)


@practice("1.P3.3", "Compare metrics, architectures and settings", "runs", "comparison")
def compare_runs(rng, runs, comparison):
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
