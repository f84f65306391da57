"""Checks of the practices in the text of Day 1."""

import numpy as np
import pandas as pd

from workshop.architecture import DAY1_CNN, Architecture
from workshop.homework.answers import ModelAnswer, PredictorAnswer
from workshop.homework.practice import (
    NotDone,
    Unreadable,
    array,
    course,
    function,
    history,
    kind,
    mapping,
    number,
    part,
    practice,
    predictions,
    same_number,
)

PARTS = ("train", "val", "test")


@practice("1.P1.1", "Label proportions", "label_shares")
def label_proportions(rng, label_shares):
    shares = mapping(label_shares, "label_shares")
    wrong = []
    for name in PARTS:
        share = number(shares.get(name), f"label_shares[{name!r}]")
        if not same_number(share, getattr(course(), f"y_{name}").mean(), 6e-3):
            wrong.append((name, share))
    if wrong and all(1 < share <= 100 for _, share in wrong):
        hint = "These look like percent or counts; a share lies between 0 and 1."
    else:
        hint = f"Look again at {', '.join(name for name, _ in wrong)}: the mean of its labels."
    yield part(0, not wrong, "All three shares are right.", hint)


@practice("1.P1.2", "Base composition", "base_shares base_shares_by_label")
def base_composition(rng, base_shares, base_shares_by_label):
    data = course()
    positive = data.y_train[:, 0] == 1
    for name, answer, sets in (
        ("base_shares", base_shares, {p: getattr(data, f"X_{p}") for p in PARTS}),
        (
            "base_shares_by_label",
            base_shares_by_label,
            {"negative": data.X_train[~positive], "positive": data.X_train[positive]},
        ),
    ):
        shares, wrong, hint = mapping(answer, name), [], ""
        for key, X in sets.items():
            one = shares.get(key)
            if isinstance(one, (dict, pd.Series)):
                one = [mapping(one, name).get(base) for base in "ACGT"]
            found = array(one, f"{name}[{key!r}]", (4,), of=", the shares of A, C, G and T")
            if not np.allclose(found, X.mean(axis=(0, 1)), atol=6e-3):
                wrong.append(key)
                if not np.isclose(found.sum(), 1, atol=1e-2):
                    hint = " Four shares add up to 1: a mean over sequences and positions."
        text = f"{name}: look again at {', '.join(wrong)}.{hint}"
        yield part(0, not wrong, f"{name} is right.", text)


@practice("1.P1.3", "One-hot encoding, both ways", "my_one_hot_encode my_one_hot_decode")
def one_hot(rng, my_one_hot_encode, my_one_hot_decode):
    encode = function(my_one_hot_encode, "my_one_hot_encode")
    decode = function(my_one_hot_decode, "my_one_hot_decode")
    if (first := encode("GATTACA")) is None:
        raise NotDone("my_one_hot_encode returns None.")
    if decode(_one_hot("GATTACA")) is None:
        raise NotDone("my_one_hot_decode returns None.")
    first = array(first, 'my_one_hot_encode("GATTACA")', (7, 4), of=", positions x channels")
    seqs = ["".join(rng.choice(list("ACGT"), size=rng.integers(20, 60))) for _ in range(3)]
    mixed = "".join(rng.choice(list("ACGTacgtNn"), size=50))
    for seq, what in zip(
        [*seqs, seqs[0].lower(), "N" + seqs[1], mixed],
        ["", "", "", "Lower case", "An N", "A mix of lower case and N"],
        strict=True,
    ):
        found = array(encode(seq), "what my_one_hot_encode returns", (len(seq), 4))
        hint = (
            f"{what} is not encoded as the task says."
            if what
            else ("my_one_hot_encode puts a 1 in the wrong place: the channels are A, C, G, T.")
        )
        if not np.array_equal(found, _one_hot(seq)):
            yield part(0, False, "", hint)
            return
    yield part(0, True, "my_one_hot_encode is right, with lower case and N.", "")
    for seq in (*seqs, mixed):
        found = decode(_one_hot(seq))
        if not isinstance(found, str):
            raise Unreadable(f"my_one_hot_decode must return a string; it returns {kind(found)}.")
        if found != seq.upper():
            hint = (
                "A row of four zeros is an N."
                if found.replace("A", "N") == seq.upper().replace("A", "N")
                else "Does it give one letter for each row, in upper case?"
            )
            yield part(0, False, "", f"my_one_hot_decode does not give the sequence back. {hint}")
            return
    yield part(0, True, "my_one_hot_decode gives every sequence back.", "")


@practice("1.P2.1", "Change the sizes", "my_n_parameters", "my_variant")
def sizes(rng, my_n_parameters, my_variant):
    if not isinstance(my_variant, (PredictorAnswer, ModelAnswer)):
        raise Unreadable(f"my_variant must be a model; it is {kind(my_variant)}.")
    expected = (
        my_variant.n_parameters
        if isinstance(my_variant, PredictorAnswer)
        else my_variant.architecture.n_parameters()
    )
    if expected == DAY1_CNN.n_parameters():
        yield part(0, False, "", "my_variant has Day 1's 961 parameters: choose other sizes.")
        return
    yield part(
        0,
        number(my_n_parameters, "my_n_parameters") == expected,
        "You predicted the number of parameters.",
        "That is not the number of my_variant. Each kernel has kernel_size x 4 weights and a bias; "
        "the dense layer a weight for each filter and a bias.",
    )


@practice("1.P2.2", "Flatten instead of GAP", "flatten_model")
def flatten(rng, flatten_model):
    p = predictions(flatten_model, course().X_val[:8], "flatten_model")
    n = (
        flatten_model.n_parameters
        if isinstance(flatten_model, PredictorAnswer)
        else flatten_model.architecture.n_parameters()
    )
    if n == 0:
        yield part(0, False, "", "It has no input shape yet: begin with keras.Input((200, 4)).")
        return
    if not ((p >= 0) & (p <= 1)).all():
        yield part(0, False, "", "Its output must be a probability: a Dense(1) with a sigmoid.")
        return
    yield part(
        0,
        n == 32 * (7 * 4 + 1) + 50 * 32 + 1,
        "Flatten passes all 50 x 32 numbers on, each with a weight of its own.",
        f"It has {n:,} parameters. Change one layer of the Day-1 model only: 32 kernels of width "
        "7, pooling by 4, then Flatten.",
    )


@practice("1.P2.3", "TensorBoard", "lowest_loss_epoch", "keras_history")
def tensorboard(rng, lowest_loss_epoch, keras_history):
    lowest = int(history(keras_history, "keras_history", "val_loss")["val_loss"].argmin())
    found = number(lowest_loss_epoch, "lowest_loss_epoch")
    hint = (
        "That counts from 1; TensorBoard counts from 0."
        if found == lowest + 1
        else "Look at epoch_loss, the validation curve of the keras run."
    )
    yield part(0, found == lowest, "Read off correctly.", hint)


@practice("1.P3.1", "Understand the PyTorch model", "torch_shapes")
def shapes(rng, torch_shapes):
    expected = {"conv": (64, 32, 200), "pool": (64, 32, 50), "mean": (64, 32), "output": (64, 1)}
    found = mapping(torch_shapes, "torch_shapes")
    wrong = [
        name
        for name, shape in expected.items()
        if tuple(np.ravel(array(found.get(name), f"torch_shapes[{name!r}]"))) != shape
    ]
    hint = f"Not yet: {', '.join(wrong)}. The comments in `forward` say the shapes."
    yield part(0, not wrong, "All four shapes are right.", hint)


@practice("1.P3.2", "Improve the model", "improved", "improved_history")
def improve(rng, improved, improved_history):
    if not isinstance(improved, Architecture):
        raise Unreadable(f"improved must be an Architecture; it is {kind(improved)}.")
    reached = history(improved_history, "improved_history", "val_auroc")["val_auroc"].iloc[-1]
    if improved == DAY1_CNN:
        yield part(0, False, "", "improved is still the Day-1 model: change one thing.")
        return
    yield part(
        0,
        reached > 0.85,
        f"A val AUROC of {reached:.3f} is above 0.85.",
        f"The val AUROC is {reached:.3f}, not yet above 0.85. Which step tells the next layer that "
        "the motif was there at all, and which one dilutes it?",
    )


@practice("1.P3.3", "Compare metrics, architectures and settings", "runs", "comparison")
def compare_runs(rng, runs, comparison):
    rows = [mapping(row, "a row of runs") for row in mapping(runs, "runs").values()]
    if len(rows) < 4:
        raise NotDone(f"runs has {len(rows)} of at least 4 rows.")
    missing = [
        what
        for what, varied in (
            ("another architecture", len({str(r.get("architecture")) for r in rows}) > 1),
            ("SGD", any("sgd" in str(r.get("optimizer")).lower() for r in rows)),
            ("another learning rate", len({str(r.get("learning_rate")) for r in rows}) > 1),
        )
        if not varied
    ]
    yield part(
        0,
        not missing,
        "Architecture, optimiser and learning rate are all compared.",
        f"Still missing: {', '.join(missing)}.",
    )


def _one_hot(seq):
    """Shape (L, 4); the check's own, so that no library function judges itself."""
    rows = {base: [float(base == other) for other in "ACGT"] for base in "ACGT"}
    return np.array([rows.get(letter, [0.0] * 4) for letter in seq.upper()], dtype=np.float32)
