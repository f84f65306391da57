"""`workshop.evaluation` against values by hand, counts of pairs, scikit-learn and scipy."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn import metrics

from workshop.evaluation import (
    Interval,
    auprc,
    auroc,
    bootstrap_interval,
    compare_predictions,
    evaluate,
)

predictions = st.integers(2, 40).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 1), min_size=n, max_size=n),
        st.lists(st.sampled_from(np.linspace(0, 1, 11).tolist()), min_size=n, max_size=n),
    )
)


# --- evaluate ---------------------------------------------------------------------------------


def test_scores_by_hand():
    y_true = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    y_score = [0.9, 0.8, 0.5, 0.2, 0.6, 0.4, 0.3, 0.1, 0.1, 0.0]
    scores = evaluate(y_true, y_score)
    assert (scores.tp, scores.fn, scores.fp, scores.tn) == (3, 1, 1, 5)  # 0.5 counts as positive
    assert scores.threshold == 0.5
    assert scores.sensitivity == 3 / 4
    assert scores.specificity == 5 / 6
    assert scores.precision == 3 / 4
    assert scores.accuracy == 8 / 10
    assert scores.f1 == 3 / 4
    # Of 24 pairs the positive wins 6 + 6 + 5 + 3.
    assert scores.auroc == pytest.approx(20 / 24)
    # Found at ranks 1, 2, 4 and 7: precisions 1, 1, 3/4 and 4/7.
    assert scores.auprc == pytest.approx((1 + 1 + 3 / 4 + 4 / 7) / 4)


@given(predictions, st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_scores_equal_sklearns(prediction, threshold):
    y_true, y_score = (np.array(values) for values in prediction)
    positive = y_score >= threshold
    scores = evaluate(y_true, y_score, threshold=threshold)
    tn, fp, fn, tp = metrics.confusion_matrix(y_true, positive, labels=[0, 1]).ravel()
    assert (scores.tn, scores.fp, scores.fn, scores.tp) == (tn, fp, fn, tp)
    nan = {"zero_division": np.nan}
    expected = {
        "sensitivity": metrics.recall_score(y_true, positive, **nan),
        "specificity": metrics.recall_score(y_true, positive, pos_label=0, **nan),
        "precision": metrics.precision_score(y_true, positive, **nan),
        "accuracy": metrics.accuracy_score(y_true, positive),
        "f1": metrics.f1_score(y_true, positive, **nan),
    }
    assert {name: getattr(scores, name) for name in expected} == pytest.approx(
        expected, nan_ok=True
    )


@given(predictions)
def test_auroc_is_the_chance_that_a_positive_scores_above_a_negative(prediction):
    y_true, y_score = prediction
    positive = [score for label, score in zip(y_true, y_score, strict=True) if label]
    negative = [score for label, score in zip(y_true, y_score, strict=True) if not label]
    wins = [(p > n) + (p == n) / 2 for p in positive for n in negative]
    found = auroc(y_true, y_score)
    assert found == pytest.approx(np.mean(wins)) if wins else math.isnan(found)


@given(predictions)
def test_auprc_is_the_mean_precision_where_positives_are_found(prediction):
    y_true, y_score = (np.array(values) for values in prediction)
    found = auprc(y_true, y_score)
    if y_true.all() or not y_true.any():
        assert math.isnan(found)
        return
    precisions = [y_true[y_score >= score].mean() for score in y_score[y_true == 1]]
    assert found == pytest.approx(np.mean(precisions))


def test_undefined_scores_are_nan_and_the_others_are_there():
    scores = evaluate([0, 0], [0.1, 0.2])
    assert (scores.specificity, scores.accuracy) == (1.0, 1.0)
    undefined = (scores.sensitivity, scores.precision, scores.f1, scores.auroc, scores.auprc)
    assert all(math.isnan(score) for score in undefined)


def test_columns_lists_and_logits():
    y_true, logits = np.array([0, 1, 1]), np.array([-2.0, 0.0, 3.0])
    expected = evaluate(y_true, logits, threshold=0)
    assert (expected.tp, expected.tn) == (2, 1)
    assert evaluate(y_true[:, None], logits[:, None], threshold=0) == expected
    assert evaluate(y_true.astype(bool), logits.astype(np.float32), threshold=0) == expected
    assert evaluate(y_true.tolist(), logits.tolist(), threshold=0) == expected


FEW = {"n_resamples": 20}
FUNCTIONS = [
    evaluate,
    auroc,
    auprc,
    lambda y_true, y_score: bootstrap_interval(y_true, y_score, **FEW),
    lambda y_true, y_score: compare_predictions(y_true, y_score, y_score, **FEW),
]
NAMES = ["evaluate", "auroc", "auprc", "bootstrap", "compare"]


@pytest.mark.parametrize("function", FUNCTIONS, ids=NAMES)
@pytest.mark.parametrize(
    ("y_true", "y_score", "message"),
    [
        (
            np.zeros(3),
            np.zeros((3, 1)),
            r"y_true and (y_score|a) must have one shape; got \(3,\) and \(3, 1\)\. Index a column "
            r"with \[:, 0\], or add an axis with \[:, None\]\.",
        ),
        (
            np.zeros((3, 2)),
            np.zeros((3, 2)),
            r"y_true must have shape \(N,\) or \(N, 1\), one task; got \(3, 2\)\.",
        ),
        (0, 0.5, r"one task; got \(\)"),
        ([], [], "y_true must hold at least one value; got none"),
        (
            [0.3, 0.9],
            [0, 1],
            r"y_true must hold 0 and 1; got 0\.3\. Do the scores come second",
        ),
        ([0, 1], [0.1, math.nan], "(y_score|a) must be finite; got nan in row 1. Has training"),
        ([[0], [1]], [[math.inf], [0]], "(y_score|a) must be finite; got inf in row 0"),
    ],
)
def test_bad_input(function, y_true, y_score, message):
    with pytest.raises(ValueError, match=message):
        function(y_true, y_score)


@pytest.mark.parametrize("function", FUNCTIONS, ids=NAMES)
def test_masked_values_are_refused_and_others_of_any_kind_are_served(function):
    y_true, y_score, mask = [0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9], [0, 0, 0, 1]
    for masked in (
        np.ma.array(y_score, mask=mask),
        pd.array([0.1, 0.6, 0.4, None], dtype="Float64"),
    ):
        with pytest.raises(TypeError, match=r"(y_score|a) must have no masked values"):
            function(y_true, masked)
    with pytest.raises(TypeError, match="y_true must have no masked values"):
        function(np.ma.array(y_true, mask=mask), y_score)
    with pytest.raises(TypeError, match="y_true must have no masked values"):
        function([np.ma.array([one], mask=one) for one in y_true], np.reshape(y_score, (4, 1)))
    expected = repr(function(y_true, y_score))
    tensor = torch.tensor(y_score, dtype=torch.float64, requires_grad=True)
    for y, scores in (
        (np.ma.array(y_true), np.ma.array(y_score)),
        (pd.Series(y_true, dtype=object), pd.Series(y_score, index=[3, 3, 1, 0])),
        (torch.tensor(y_true, dtype=torch.uint8), tensor),
    ):
        assert repr(function(y, scores)) == expected


def test_an_infinite_threshold_is_that_of_a_roc_curve():
    assert evaluate([0, 1], [0.1, 0.9], threshold=math.inf)[1:5] == (0, 0, 1, 1)


# --- bootstrap --------------------------------------------------------------------------------


def share_right(y_true, y_score):
    return float(np.mean((y_score > 0.5) == y_true))


def test_bootstrap_of_an_accuracy_is_the_binomial_distribution():
    y_true = np.arange(200) % 2
    y_score = np.where(np.arange(200) < 140, y_true, 1 - y_true)  # 70 % right
    for level in (0.5, 0.8, 0.95):
        found = bootstrap_interval(
            y_true, y_score, metric=share_right, level=level, n_resamples=4000, random_state=1
        )
        assert found.estimate == 0.7
        expected = binom.ppf([(1 - level) / 2, (1 + level) / 2], 200, 0.7) / 200
        np.testing.assert_allclose(found[1:], expected, atol=0.011)


@settings(max_examples=10)
@given(predictions.filter(lambda p: 0 < sum(p[0]) < len(p[0])), st.integers(0, 99))
def test_bootstrap_interval_is_ordered_and_inside_the_metrics_range(prediction, seed):
    options = {"n_resamples": 20, "random_state": seed}
    found = bootstrap_interval(*prediction, **options)
    wider = bootstrap_interval(*prediction, level=0.99, **options)
    assert 0 <= wider.low <= found.low <= found.high <= wider.high <= 1
    assert found.estimate == auroc(*prediction)
    assert bootstrap_interval(*prediction, **options) == found


def test_resamples_of_one_class_do_not_count():
    y_true, y_score = [1, *[0] * 9], [0.5, *np.linspace(0, 0.4, 9)]
    found = bootstrap_interval(y_true, y_score, n_resamples=50)
    assert found == Interval(1.0, 1.0, 1.0)


def test_bootstrap_without_any_number():
    with pytest.raises(ValueError, match=r"metric was nan on all resamples\. Are both"):
        bootstrap_interval([1, 1], [0.1, 0.2], n_resamples=20)


@pytest.mark.parametrize("options", [{"level": 0}, {"level": 95}, {"n_resamples": 0}])
def test_bootstrap_settings_out_of_range(options):
    with pytest.raises(ValueError, match=r"Need 0 < level < 1 and n_resamples > 0; got .* and"):
        bootstrap_interval([0, 1], [0, 1], **options)


# --- comparison -------------------------------------------------------------------------------


@settings(max_examples=25)
@given(predictions, st.data())
def test_comparison_equals_a_loop_over_rows(prediction, data):
    y_true, a = prediction
    b = data.draw(st.permutations(a))
    threshold = data.draw(st.sampled_from([0.2, 0.5]))
    found = compare_predictions(y_true, a, b, threshold=threshold, n_resamples=5)
    if not 0 < sum(y_true) < len(y_true):  # of one class only the AUROC is not known
        assert np.isnan(found.auroc_difference).all()
    else:
        difference = auroc(y_true, a) - auroc(y_true, b)
        assert found.auroc_difference.estimate == pytest.approx(difference)
    kinds = {}
    for i, (truth, x, z) in enumerate(zip(y_true, a, b, strict=True)):
        kinds.setdefault(((x >= threshold) == truth, (z >= threshold) == truth), []).append(i)
    assert found.shared_mistakes.tolist() == kinds.get((False, False), [])
    expected = [[len(kinds.get((i, j), [])) for j in (True, False)] for i in (True, False)]
    assert found.agreement.to_numpy().tolist() == expected


def test_a_model_does_not_differ_from_itself():
    y_true, a = [0, 1, 0, 1, 1], [0.1, 0.6, 0.7, 0.4, 0.9]
    found = compare_predictions(y_true, a, a, n_resamples=20)
    assert found.auroc_difference == Interval(0.0, 0.0, 0.0)


def test_paired_difference_is_narrower_than_the_models_own_intervals():
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 2, 200)
    a = y_true + rng.normal(0, 1.5, 200)
    b = a + rng.normal(0, 0.2, 200)
    own = bootstrap_interval(y_true, a, n_resamples=100)
    paired = compare_predictions(y_true, a, b, n_resamples=100).auroc_difference
    assert paired.high - paired.low < (own.high - own.low) / 2
    assert paired.low <= paired.estimate <= paired.high


def test_comparison_names_the_model_at_fault():
    with pytest.raises(
        ValueError, match=r"y_true and b must have one shape; got \(2,\) and \(2, 1\)"
    ):
        compare_predictions([0, 1], [0.1, 0.2], [[0.1], [0.2]])
    with pytest.raises(ValueError, match="b must be finite; got nan in row 1"):
        compare_predictions([0, 1], [0.1, 0.2], [0.1, math.nan])


@pytest.mark.parametrize(
    "threshold", [None, "0.5", [0.5], np.array([0.5, 0.6]), math.nan, np.float32("nan"), True]
)
def test_threshold_must_be_one_number(threshold):
    with pytest.raises(ValueError, match="threshold must be one number; got"):
        evaluate([0, 1], [0.1, 0.9], threshold=threshold)
    with pytest.raises(ValueError, match="threshold must be one number; got"):
        compare_predictions([0, 1], [0.1, 0.9], [0.1, 0.9], threshold=threshold)
