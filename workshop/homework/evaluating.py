"""Checks of the extended practices on evaluation: 1.6.1 and 1.6.2."""

import numpy as np
import pandas as pd
from scipy import special

from workshop import evaluation
from workshop.homework import forms
from workshop.homework.course_data import course
from workshop.homework.practice import NotDone, Rejected, compared_remark, graded_remark, practice

LOGITS = "logits (numbers beyond 0 and 1): take their sigmoid first."
EXACT = 1e-4  # what is recomputed agrees to this; a number copied from the screen does not


@practice(
    "1.6.1",
    "Finish the evaluation of the Torch model",
    "torch_scores sensitive_threshold sensitive_scores",
    "torch_model",
    points=10,
)
def finish_evaluation(rng, torch_scores, sensitive_threshold, sensitive_scores, torch_model):
    """A threshold chosen on val keeps its promise on test only roughly; specificity pays.

    Sort the probabilities of val's positives from the highest down. The threshold is the score
    of the one with which nine in ten are found.
    """
    data = course()
    p_test = forms.predictions(torch_model, data.X_test, "torch_model")
    p_val = forms.predictions(torch_model, data.X_val, "torch_model")

    def compare(name, answer, threshold):
        logits = special.logit(p_test.clip(1e-12, 1 - 1e-12))
        parts = {"test": (data.y_test, p_test), "val": (data.y_val, p_val)}
        parts["logits"] = data.y_test, logits
        expected = {k: evaluation.evaluate(*v, threshold=threshold) for k, v in parts.items()}
        _compare_scores(name, answer, {k: v._asdict() for k, v in expected.items()})

    yes = "agree with our own computation on test."
    yield compared_remark(4, f"torch_scores {yes}", compare, "torch_scores", torch_scores, 0.5)
    threshold = forms.number(sensitive_threshold, "sensitive_threshold")
    positive = np.sort(p_val[data.y_val == 1])[::-1]
    largest = positive[int(np.ceil(0.9 * len(positive))) - 1]  # the strictest that finds 90 %
    found = f"On val, {threshold:.4f} finds {np.mean(positive >= threshold):.1%} of the positives"
    hint = f"{found}: too few." if threshold > largest else f"{found}: a larger one would do."
    if abs(special.expit(threshold) - largest) <= 0.01:
        hint = f"sensitive_threshold is one of {LOGITS}"
    right = abs(threshold - largest) <= 0.01
    yield graded_remark(3, right, "The threshold is right on val.", hint)
    answer = "sensitive_scores", sensitive_scores, threshold
    yield compared_remark(3, f"sensitive_scores {yes}", compare, *answer)


def _compare_scores(name, answer, expected):
    """Compare scores with those recomputed from the student's own model, as on `test`."""
    test = expected["test"]

    def differing(part, tolerance):
        right = expected[part]
        return [k for k, v in values.items() if not forms.same_number(v, right[k], tolerance)]

    found = forms.mapping(answer, name)
    missing = sorted({"sensitivity", "specificity", "accuracy", "auroc"} - set(found))
    if missing:
        raise Rejected(f"{name} lacks {', '.join(missing)}: keep all that evaluate returns.")
    values = {key: forms.number(found[key], f"{name}: {key}") for key in test if key in found}
    wrong = differing("test", EXACT)
    if not wrong:
        return
    if not differing("val", EXACT):
        raise Rejected(f"{name} are the scores on val; the task asks for test.")
    if not differing("logits", EXACT):
        raise Rejected(f"{name} are those of {LOGITS}")
    if not differing("test", 2e-3):
        raise Rejected(
            f"{name} are nearly right: rounded, or of another model. Keep what evaluate returns."
        )
    if "threshold" in wrong:
        used, asked = values["threshold"], test["threshold"]
        raise Rejected(f"{name} belong to the threshold {used:.4f}, not {asked:.4f}.")
    raise Rejected(f"{name} are not those of torch_model on test: look at {', '.join(wrong)}.")


@practice(
    "1.6.2",
    "Do the two models fail on the same sequences?",
    "compare_models",
    also="keras_predictions torch_predictions",
    points=10,
)
def compare_two(rng, compare_models):
    """Two models that learnt the same thing share their mistakes: agreement is no proof.

    Flatten all three to (N,). Then wrong_a = (a >= 0.5) != (y == 1), the same for b; count the
    four combinations of wrong_a and wrong_b, also those that do not occur.
    """
    compare, rounds = forms.function(compare_models, "compare_models"), []
    sizes = rng.integers((989, 20, 30, 2), (1300, 60, 60, 3))  # more and fewer than on test
    for y, a, b in _pairs_of_models(rng, sizes):
        result = compare(y, a, b)
        if isinstance(result, dict):  # as evaluation.compare_predictions has them first
            result = list(result.values())[:2]
        if not isinstance(result, list) or len(result) != 2:
            raise Rejected(
                "compare_models must return two things, the table and the row numbers; it returns "
                f"{forms.describe(result)}."
            )
        if all(one is None for one in result):
            raise NotDone("compare_models returns None.")
        wrong_a, wrong_b = (((score >= 0.5) != (y == 1))[:, 0] for score in (a, b))
        rounds.append((*result, wrong_a, wrong_b))
    yes = "The agreement table is right on random inputs."
    yield compared_remark(6, yes, _compare_tables, rounds)
    yes = "The row numbers of the shared mistakes are right."
    yield compared_remark(4, yes, _compare_mistakes, rounds)


def _pairs_of_models(rng, sizes):
    """Labels and the scores of two models (n, 1), b the weaker; some are exactly 0.5.

    In the last pairs one of the cells, a row, a column, or all but one of the cells are empty.
    """
    for n in sizes:
        y = rng.permutation(np.arange(n) % 2)[:, None].astype(np.float32)  # both classes, always
        noise = rng.normal(size=(n, 1)) + rng.normal(size=(2, n, 1)) * [[[1]], [[4]]]
        scores = special.expit(1.5 * (2 * y - 1) + noise).astype(np.float32)
        scores[rng.random(scores.shape) < 0.15] = 0.5
        yield y, *scores
    y, a, b = (np.repeat(one, 9, axis=0) for one in (y, *scores))
    perfect, inverted = 0.1 + 0.8 * y, 0.9 - 0.8 * y
    yield from ((y, perfect, b), (y, a, perfect), (y, perfect, perfect), (y, inverted, b))


def _compare_tables(rounds):
    for answer, _, wrong_a, wrong_b in rounds:
        pairs = [[(wrong_a == i) & (wrong_b == j) for j in (0, 1)] for i in (0, 1)]
        expected = np.sum(pairs, axis=2)  # (2, 2)
        if isinstance(answer, pd.DataFrame):
            answer = _in_order(answer)
        of = ", also where no sequence is in a row or column"
        found = forms.array(answer, "The agreement table", (2, 2), of=of)
        if np.array_equal(found, expected):
            continue
        if found.sum() != expected.sum():
            raise Rejected(
                f"The table counts {found.sum():g} of {expected.sum()} sequences. Compare shapes: "
                "(N,) and (N, 1)?"
            )
        if np.array_equal(found, expected.T):
            raise Rejected("Rows and columns are exchanged: a has the rows, b the columns.")
        if np.array_equal(found[::-1, ::-1], expected):
            raise Rejected("Right and wrong are exchanged.")
        raise Rejected(
            "The counts are wrong. From 0.5 on a score means positive; right is: it agrees with y."
        )


def _in_order(table):
    """Table with its rows and columns in the order of the task, where they have its labels."""
    table = table.rename(index=_label, columns=_label)
    of_a, of_b = ["a right", "a wrong"], ["b right", "b wrong"]
    if sorted(table.index) == of_a and sorted(table.columns) == of_b:
        table = table.loc[of_a, of_b]
    return table


def _label(value):
    return str(value).strip().lower()


def _compare_mistakes(rounds):
    for _, answer, wrong_a, wrong_b in rounds:
        if isinstance(answer, list) and len(answer) == 2 and isinstance(answer[0], np.ndarray):
            raise Rejected(
                "np.where of (N, 1) gives row numbers and column numbers: take the first."
            )
        found = np.sort(np.ravel(forms.array(answer, "The list of shared mistakes")))
        if np.asarray(answer).dtype == bool:
            raise Rejected("That is a mask; np.flatnonzero(mask) gives the row numbers.")
        if np.array_equal(found, np.flatnonzero(wrong_a & wrong_b)):
            continue
        if np.array_equal(found, np.flatnonzero(wrong_a | wrong_b)):
            raise Rejected("These are the mistakes of either model; shared are those of both.")
        if np.array_equal(found, 1 + np.flatnonzero(wrong_a & wrong_b)):
            raise Rejected("The row numbers count from 0.")
        if np.array_equal(found, np.flatnonzero(~wrong_a & ~wrong_b)):
            raise Rejected("These are the sequences that both get right.")
        raise Rejected("The row numbers are not those of the sequences that both models get wrong.")
