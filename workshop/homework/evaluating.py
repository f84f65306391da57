"""Checks of the extended practices on evaluation: 1.6.1 and 1.6.2."""

from functools import partial

import numpy as np
import pandas as pd
from scipy import special

from workshop import evaluation
from workshop.homework import forms
from workshop.homework.course_data import course
from workshop.homework.practice import Rejected, compared_remark, graded_remark, practice, require

LOGITS = "logits (numbers beyond 0 and 1): take their sigmoid first."
LABELS = ["a right", "a wrong"], ["b right", "b wrong"]  # 1.6.2, of rows and columns
EXACT = 1e-4  # what is recomputed agrees to this; a number copied from the screen does not


@practice("1.6.1", "Finish the evaluation of the Torch model", given="torch_model")
def finish_evaluation(rng, torch_scores, sensitive_threshold, sensitive_scores, torch_model):
    """A threshold chosen on val keeps its promise on test only roughly; specificity pays.

    Sort the probabilities of val's positives from the highest down. The threshold is the score
    of the one with which nine in ten are found.
    """
    data = course()
    p_test = forms.predictions(torch_model, data.X_test, "torch_model")
    p_val = forms.predictions(torch_model, data.X_val, "torch_model")
    logits = special.logit(p_test.clip(1e-12, 1 - 1e-12))

    def compare(name, answer, threshold):
        parts = (data.y_test, p_test), (data.y_val, p_val), (data.y_test, logits)
        expected = [evaluation.evaluate(*part, threshold=threshold)._asdict() for part in parts]
        found = forms.mapping(answer, name)
        if missing := {"sensitivity", "specificity", "accuracy", "auroc"} - found.keys():
            lacks = ", ".join(sorted(missing))
            raise Rejected(f"{name} lacks {lacks}: keep all that evaluate returns.")
        wrong = [forms.differing_scores(found, one, EXACT, name) for one in expected]
        looked_at = ", ".join(wrong[0])
        hint = f"{name} are not those of torch_model on test, with all digits: look at {looked_at}."
        mistakes = (
            (1, f"{name} are the scores on val; the task asks for test."),
            (2, f"{name} are those of {LOGITS}"),
        )
        require(lambda i: not wrong[i], 0, hint, mistakes)

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


@practice("1.6.2", "Do the two models fail on the same sequences?")
def compare_two(rng, compare_models):
    """Two models that learnt the same thing share their mistakes: agreement is no proof.

    Flatten all three to (N,). Then wrong_a = (a >= 0.5) != (y == 1), the same for b; count the
    four combinations of wrong_a and wrong_b, also those that do not occur.
    """
    compare, tables, rows, wrong = forms.function(compare_models, "compare_models"), [], [], []
    for y, *scores in _pairs_of_models(rng):
        found = compare(y, *scores)
        if isinstance(found, dict):  # as evaluation.compare_predictions has them first
            found = list(found.values())[:2]
        if not isinstance(found, list) or len(found) != 2:
            got = forms.describe(found)
            raise Rejected(f"compare_models must return a table and row numbers; it returns {got}.")
        tables.append(found[0])
        rows.append(found[1])
        wrong.append([((score >= 0.5) != (y == 1))[:, 0] for score in scores])
    yes = "The agreement table is right on random inputs."
    yield compared_remark(6, yes, _compare_tables, tables, wrong)
    yes = "The row numbers of the shared mistakes are right."
    yield compared_remark(4, yes, _compare_mistakes, rows, wrong)


def _pairs_of_models(rng):
    """Labels and the scores of two models (n, 1), b the weaker; some are exactly 0.5.

    In the last pairs a row or a column of the table, or all but one of its cells are empty.
    """
    for n in rng.integers((989, 20), (1300, 60)):  # more and fewer than on test
        y = rng.permutation(np.arange(n) % 2)[:, None].astype(np.float32)
        noise = rng.normal(size=(n, 1)) + rng.normal(size=(2, n, 1)) * [[[1]], [[4]]]
        scores = special.expit(1.5 * (2 * y - 1) + noise).astype(np.float32)
        scores[rng.random(scores.shape) < 0.15] = 0.5
        yield y, *scores
    (a, b), perfect, inverted = scores, 0.1 + 0.8 * y, 0.9 - 0.8 * y
    yield from ((y, perfect, b), (y, a, perfect), (y, perfect, perfect), (y, inverted, b))


def _compare_tables(tables, wrong):
    of, found = ", also where no sequence is in a row or column", []
    for table in tables:
        if isinstance(table, pd.DataFrame):  # in the order of the task, where it has its labels
            rows, columns = ([str(one).strip().lower() for one in axis] for axis in table.axes)
            if (sorted(rows), sorted(columns)) == LABELS:
                table = table.set_axis(rows).set_axis(columns, axis=1).loc[LABELS]
        found.append(forms.array(table, "The agreement table", (2, 2), of=of))
    right = [[[np.sum((a == i) & (b == j)) for j in (0, 1)] for i in (0, 1)] for a, b in wrong]
    right = np.array(right)
    hint = (
        "The counts are wrong. A score of at least 0.5 means positive; right is: it agrees with y, "
        "of the same shape, (N,) or (N, 1)."
    )
    mistakes = (
        (right.swapaxes(1, 2), "Rows and columns are exchanged: a has the rows, b the columns."),
        (right[:, ::-1, ::-1], "Right and wrong are exchanged."),
    )
    require(partial(np.array_equal, found), right, hint, mistakes)


def _compare_mistakes(answers, wrong):
    found = []
    for answer in answers:
        if isinstance(answer, list) and len(answer) == 2 and isinstance(answer[0], np.ndarray):
            raise Rejected("np.where of (N, 1) gives row and column numbers: take the first.")
        found.append(np.sort(np.ravel(forms.array(answer, "The list of shared mistakes"))))
        if np.asarray(answer).dtype == bool:
            raise Rejected("That is a mask; np.flatnonzero(mask) gives the row numbers.")
    both = [np.flatnonzero(a & b) for a, b in wrong]
    either = [np.flatnonzero(a | b) for a, b in wrong]
    hint = "The row numbers, from 0, are not those of the sequences that both models get wrong."
    mistakes = [(either, "These are the mistakes of either model; shared are those of both.")]
    require(lambda rows: all(map(np.array_equal, found, rows)), both, hint, mistakes)
