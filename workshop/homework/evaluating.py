"""Checks of the extended practices on evaluation: 1.6.1 and 1.6.2."""

import numpy as np
import pandas as pd

from workshop import evaluation
from workshop.homework.practice import (
    NotDone,
    Unreadable,
    array,
    course,
    function,
    kind,
    mapping,
    number,
    part,
    practice,
    predictions,
    same_number,
    unfilled,
)

EXACT = 1e-4  # what is recomputed agrees to this; a number copied from the screen does not


@practice(
    "1.6.1",
    "Finish the evaluation of the Torch model",
    "torch_scores sensitive_threshold sensitive_scores",
    "torch_model",
    points=10,
)
def finish_evaluation(rng, torch_scores, sensitive_threshold, sensitive_scores, torch_model):
    data = course()
    p_test = predictions(torch_model, data.X_test, "torch_model")
    p_val = predictions(torch_model, data.X_val, "torch_model")
    yield _scores_part(4, torch_scores, "torch_scores", p_test, p_val, 0.5)
    if unfilled(sensitive_threshold):
        yield part(3, False, "", "sensitive_threshold is not there yet.")
        return
    threshold = number(sensitive_threshold, "sensitive_threshold")
    positive = np.sort(p_val[data.y_val == 1])[::-1]
    largest = positive[int(np.ceil(0.9 * len(positive))) - 1]  # the strictest that finds 90 %
    sensitivity = np.mean(positive >= threshold)
    found = f"On val, {threshold:.4f} finds {sensitivity:.1%} of the positives"
    hint = f"{found}: too few." if threshold > largest else f"{found}: a larger one would do."
    yield part(3, abs(threshold - largest) <= 0.01, "The threshold is right on val.", hint)
    yield _scores_part(3, sensitive_scores, "sensitive_scores", p_test, p_val, threshold)


def _scores_part(points, answer, name, p_test, p_val, threshold):
    """Compare scores with those recomputed from the student's own model."""
    if unfilled(answer):
        return part(points, False, "", f"{name} is not there yet.")
    try:
        data, found = course(), mapping(answer, name)
    except Unreadable as form:
        return part(points, False, "", str(form))
    expected = evaluation.evaluate(data.y_test, p_test, threshold=threshold)._asdict()
    missing = {"sensitivity", "specificity", "accuracy", "auroc"} - set(found)
    if missing:
        hint = f"{name} lacks {', '.join(sorted(missing))}: keep all that evaluate returns."
        return part(points, False, "", hint)
    values = {key: number(found[key], f"{name}: {key}") for key in expected if key in found}
    wrong = [key for key, value in values.items() if not same_number(value, expected[key], EXACT)]
    on_val = evaluation.evaluate(data.y_val, p_val, threshold=threshold)._asdict()
    if all(same_number(value, on_val[key], EXACT) for key, value in values.items()):
        hint = f"{name} are the scores on val; the task asks for test."
    elif all(same_number(values[key], expected[key], 2e-3) for key in wrong):
        hint = f"{name} are nearly right: rounded, or of another model. Keep what evaluate returns."
    elif "threshold" in wrong:
        hint = f"{name} belong to the threshold {values['threshold']:.4f}, not {threshold:.4f}."
    else:
        hint = f"{name} are not those of torch_model on test: look at {', '.join(wrong)}."
    return part(points, not wrong, f"{name} agree with our own computation on test.", hint)


@practice("1.6.2", "Do the two models fail on the same sequences?", "compare_models", points=10)
def compare_two(rng, compare_models):
    compare = function(compare_models, "compare_models")
    table_hint = mistakes_hint = ""
    for n in (40, 57, 23, 1, 30):
        y, a, b = _two_models(rng, n, perfect=n == 30)
        result = compare(y, a, b)
        if result is None:
            raise NotDone("compare_models returns None.")
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise Unreadable(
                "compare_models must return two things, the table and the row numbers; it returns "
                f"{kind(result)}."
            )
        if result[0] is None and result[1] is None:
            raise NotDone("compare_models returns None.")
        wrong_a, wrong_b = ((s >= 0.5) != (y == 1) for s in (a, b))
        wrong_a, wrong_b = wrong_a[:, 0], wrong_b[:, 0]
        expected = np.array(
            [
                [np.sum(~wrong_a & ~wrong_b), np.sum(~wrong_a & wrong_b)],
                [np.sum(wrong_a & ~wrong_b), np.sum(wrong_a & wrong_b)],
            ]
        )
        table_hint = table_hint or _hint_of(_table_hint, result[0], expected, n)
        mistakes_hint = mistakes_hint or _hint_of(_mistakes_hint, result[1], wrong_a, wrong_b)
    yield part(6, not table_hint, "The agreement table is right on random inputs.", table_hint)
    yield part(
        4, not mistakes_hint, "The row numbers of the shared mistakes are right.", mistakes_hint
    )


def _hint_of(find, *answers):
    """Hint for one of two answers; a form that cannot be read costs only that one."""
    try:
        return find(*answers)
    except Unreadable as form:
        return str(form)


def _two_models(rng, n, *, perfect):
    """Labels and the scores of two models (n, 1); some scores are exactly 0.5."""
    y = rng.integers(0, 2, (n, 1)).astype(np.float32)
    if perfect:  # one of them makes no mistake: nothing is shared
        return y, y * 0.8 + 0.1, rng.random((n, 1), dtype=np.float32)
    common = rng.normal(size=(n, 1))
    scores = []
    for _ in range(2):
        logit = 1.2 * (2 * y - 1) + common + rng.normal(size=(n, 1))
        score = (1 / (1 + np.exp(-logit))).astype(np.float32)
        score[rng.random((n, 1)) < 0.15] = 0.5
        scores.append(score)
    return y, *scores


def _table_hint(answer, expected, n):
    if answer is None:
        return "The agreement table is not there yet."
    if isinstance(answer, pd.DataFrame):
        answer = _in_order(answer)
    found = array(answer, "the agreement table", (2, 2), of=", also where a model errs nowhere")
    if np.array_equal(found, expected):
        return ""
    if found.sum() != n:
        return (
            f"The table counts {found.sum():g} of {n} sequences. Compare shapes: (N,) and (N, 1)?"
        )
    if np.array_equal(found, expected.T):
        return "Rows and columns are exchanged: a has the rows, b the columns."
    if np.array_equal(found[::-1, ::-1], expected):
        return "Right and wrong are exchanged."
    return "The counts are wrong. From 0.5 on a score means positive; right is: it agrees with y."


def _in_order(table):
    """Table with its rows and columns in the order of the task, where they are labelled."""
    table = table.rename(index=_label, columns=_label)
    of_a, of_b = (["a right", "a wrong"], ["b right", "b wrong"])
    if set(table.index) <= set(of_b) and set(table.columns) <= set(of_a):
        table = table.T
    if set(table.index) <= set(of_a) and set(table.columns) <= set(of_b):
        table = table.reindex(index=of_a, columns=of_b, fill_value=0)
    return table


def _label(value):
    return str(value).strip().lower()


def _mistakes_hint(answer, wrong_a, wrong_b):
    if answer is None:
        return "The shared mistakes are not there yet."
    if isinstance(answer, tuple) and len(answer) == 1:  # as np.where returns it
        answer = answer[0]
    if isinstance(answer, pd.Series) or (isinstance(answer, np.ndarray) and answer.dtype == bool):
        answer = np.asarray(answer)
        if answer.dtype == bool:
            answer = np.flatnonzero(answer)
    if isinstance(answer, tuple) and len(answer) == 2:
        return "np.where of (N, 1) gives row numbers and column numbers: take the first."
    found = np.sort(np.ravel(array(answer, "the shared mistakes")))
    if np.array_equal(found, np.flatnonzero(wrong_a & wrong_b)):
        return ""
    if np.array_equal(found, np.flatnonzero(wrong_a | wrong_b)):
        return "These are the mistakes of either model; shared are those of both."
    if np.array_equal(found, 1 + np.flatnonzero(wrong_a & wrong_b)):
        return "The row numbers count from 0."
    if np.array_equal(found, np.flatnonzero(~wrong_a & ~wrong_b)):
        return "These are the sequences that both get right."
    return "The row numbers are not those of the sequences that both models get wrong."
