"""Right and wrong answers to the extended practices of Day 2, without a notebook."""

import warnings
from functools import lru_cache
from itertools import product
from unittest import mock

import numpy as np
import pandas as pd
import torch

from tests.homework_cases import (
    best_model,
    give_the_matrix,
    matrix_model,
    new_folder,
    right,
    with_weights,
    wrong,
)
from workshop import evaluation, interpret, nas, torch_cnn
from workshop.homework.course_data import course
from workshop.training import History

# --- 2.6.1 ---


def exact_importance(model, X):
    effects = interpret.saturation_mutagenesis(model, X, progress=False)
    return interpret.base_importance(effects, X)


def positives():
    return course().X_test[course().y_test[:, 0] == 1]


@lru_cache(maxsize=2)
def importance_of(label):
    return exact_importance(best_model(), course().X_test[course().y_test[:, 0] == label])


@right("2.6.1")
def by_hand_in_batches():
    def score_all(model, X):
        importance = np.zeros(X.shape[:2])
        for i, x in enumerate(X):
            mutants = np.repeat(x[None], 800, axis=0)
            for p, base in product(range(200), range(4)):
                mutants[4 * p + base, p] = np.eye(4)[base]
            logits = torch_cnn.predict_logits(model, mutants)[:, 0].reshape(200, 4)
            before = torch_cnn.predict_logits(model, x[None])[0, 0]
            importance[i] = -(logits - before).sum(axis=1) / 3  # a mean over the three changes
        return importance.tolist()

    return score_all, pd.DataFrame(4 / 3 * importance_of(1)), best_model()


@wrong("2.6.1")
def of_a_model_that_knows_nothing():
    _, model = with_weights(lambda name, w: 0 * w)
    return exact_importance, np.zeros((len(positives()), 200)), model


@wrong("2.6.1")
def wrong_axis():
    def score_all(model, X):
        return interpret.saturation_mutagenesis(model, X, progress=False).mean(axis=1)

    return score_all, importance_of(1), best_model()


@wrong("2.6.1")
def too_slow():
    import time

    def score_all(model, X):
        time.sleep(len(X) * 1.1)
        return exact_importance(model, X)

    return score_all, importance_of(1), best_model()


def scored_by(score_all):
    """The function, and what it gives for the positives."""
    return score_all, score_all(best_model(), positives()), best_model()


right("2.6.1", by_the_library=lambda: (exact_importance, importance_of(1), best_model()))
wrong(
    "2.6.1",
    wrong_sign=lambda: scored_by(lambda model, X: -exact_importance(model, X)),
    shifted_by_one=lambda: scored_by(lambda model, X: np.roll(exact_importance(model, X), 1, 1)),
    random_numbers=lambda: scored_by(lambda model, X: np.random.default_rng(0).random(X.shape[:2])),
    the_input_itself=lambda: scored_by(lambda model, X: X),
    saliency_instead=lambda: scored_by(
        lambda model, X: (interpret.saliency(model, X) * X).sum(axis=2)
    ),
    negatives_instead_of_positives=lambda: (exact_importance, importance_of(0), best_model()),
    nothing_where_it_is_timed=lambda: scored_by(
        lambda model, X: np.zeros(X.shape[:2]) if len(X) in (4, 40) else exact_importance(model, X)
    ),
)


# --- 2.6.2 ---

# Of the matrix as a model, which looks at its best match only, in positives and negatives alike.
CLAIMS = {
    "largest importance": "positives",
    "most negative importance": "negatives",
    "more concentrated": "negatives",
}
WORDS = (
    "A positive holds a motif, and breaking it lowers the logit, so the importance is positive and "
    "in one place. A negative has none to break."
)


def on_negatives(change=lambda importance: importance, claims=CLAIMS, words=WORDS):
    return change(importance_of(0).copy()), claims, words, best_model()


right(
    "2.6.2",
    true_claims=on_negatives,
    a_list_and_a_series=lambda: on_negatives(
        np.ndarray.tolist, pd.Series({key: side.upper()[:-1] for key, side in CLAIMS.items()})
    ),
)
wrong(
    "2.6.2",
    importance_of_the_positives=lambda: on_negatives(lambda _: importance_of(1)),
    nan_in_one_place=lambda: on_negatives(lambda one: np.where(one == one.max(), np.nan, one)),
    one_row_for_all=lambda: on_negatives(lambda one: np.broadcast_to(one.mean(axis=0), one.shape)),
    transposed_importance=lambda: on_negatives(np.transpose),
    one_claim_is_false=lambda: on_negatives(claims=CLAIMS | {"more concentrated": "positives"}),
    no_words=lambda: on_negatives(words="They differ."),
)


# --- 2.6.3 and 2.6.4 ---

KERNELS = (19, 21, 23, 25)


def pruned_space(kernels=KERNELS):
    return nas.ModelSpace.from_dict(
        [
            [
                nas.Operation("conv1d", filters=1, kernel_size=k, activation="relu", padding="same")
                for k in kernels
            ],
            [nas.Operation("maxpool1d", pool_size=4), nas.Operation("identity")],
            [nas.Operation("globalmaxpool1d")],
        ]
    )


def made_search(*, n=9, reward="auroc", noise=0.0):
    """The result of a search whose children are not trained, but given the matrix."""

    def fit(model, X, y, *, random_state, **options):
        give_the_matrix(model, noise=noise, seed=random_state)
        return History(pd.DataFrame({"loss": [np.nan], "accuracy": [np.nan], "auroc": [np.nan]}))

    data = course()
    with mock.patch.object(torch_cnn, "fit", fit):
        return nas.random_search(
            pruned_space(),
            train=(data.X_train, data.y_train),
            val=(data.X_val, data.y_val),
            reward=reward,
            max_trials=n,
            working_dir=new_folder(),
            progress=False,
        )


class Boastful(nas.SearchResult):
    """A result that claims more than its models can do."""

    @property
    def history(self):
        return super().history.assign(val_auroc=lambda table: table["val_auroc"] + 0.2)

    @property
    def ranking(self):
        return super().ranking.assign(val_auroc=lambda table: table["val_auroc"] + 0.2)


right(
    "2.6.3",
    a_small_space_of_good_ones=lambda: (pruned_space(), made_search()),
    more_trials_than_asked=lambda: (pruned_space(), made_search(n=12)),
)


@wrong("2.6.3")
def rewards_that_are_not_the_models(kind=Boastful):
    result = object.__new__(kind)
    vars(result).update(vars(made_search(noise=8.0)))
    return pruned_space(), result


@wrong("2.6.3")
def a_history_that_no_model_bears_out():
    ranking = property(lambda self: nas.SearchResult.ranking.fget(self).head(0))
    return rewards_that_are_not_the_models(type("Empty", (Boastful,), {"ranking": ranking}))


wrong(
    "2.6.3",
    nothing_pruned=lambda: (nas.cnn_model_space(), made_search()),
    pruned_to_one=lambda: (pruned_space(KERNELS[:1]), made_search()),
    too_few_trials=lambda: (pruned_space(), made_search(n=5)),
    the_good_ones_are_gone=lambda: (pruned_space(), made_search(noise=8.0)),
    a_search_of_another_space=lambda: (pruned_space((5, 7, 9, 11)), made_search()),
    no_search=lambda: (pruned_space(), None),
)


def negative_loss(y_true, y_score):
    p = np.clip(np.asarray(y_score, dtype=float), 1e-7, 1 - 1e-7)
    return float(np.mean(y_true * np.log(p) + (1 - y_true) * np.log(1 - p)))


def accuracy(y_true, y_score):
    pairs = zip(y_true.ravel().tolist(), y_score.ravel().tolist(), strict=True)
    return np.float32(sum((s >= 0.5) == (y == 1) for y, s in pairs) / len(y_true))


def brier_as_a_tensor(y_true, y_score):
    return -torch.mean((torch.from_numpy(y_true) - torch.from_numpy(y_score)) ** 2)


def infinite_loss(y_true, y_score):
    with np.errstate(all="ignore"):
        return np.mean(y_true * np.log(y_score) + (1 - y_true) * np.log(1 - y_score))


def rewarded(reward):
    """The reward, and a search that it has driven."""
    return reward, made_search(reward=reward)


right(
    "2.6.4",
    minus_the_loss=lambda: rewarded(negative_loss),
    accuracy_in_plain_python=lambda: rewarded(accuracy),
    minus_the_squared_error_as_a_tensor=lambda: rewarded(brier_as_a_tensor),
)
wrong(
    "2.6.4",
    auroc_again=lambda: rewarded(evaluation.auroc),
    auroc_in_disguise=lambda: rewarded(lambda y, s: round(2 * evaluation.auroc(y, s) - 1, 3)),
    loss_without_the_minus=lambda: rewarded(lambda y, s: -negative_loss(y, s)),
    n_by_n=lambda: rewarded(lambda y, s: np.mean((s[:, 0] >= 0.5) == (y == 1))),
    always_one=lambda: rewarded(lambda y, s: 1.0),
    infinite_at_the_ends=lambda: (infinite_loss, made_search(reward=negative_loss)),
    one_number_a_row=lambda: (lambda y, s: -((y - s) ** 2), made_search(reward=negative_loss)),
    another_reward_but_the_search_by_auroc=lambda: (evaluation.auprc, made_search(noise=3.0)),
    searched_with_another_reward=lambda: (negative_loss, made_search()),
)


# --- 2.6.5 ---


def few(n=6):
    return positives()[:n]


def explained(score, change=lambda scores: scores):
    """Scores by a function of model and sequences, changed."""
    return change(score(best_model(), few())), few(), best_model()


def integrated(model, X):
    return interpret.integrated_gradients(model, X, progress=False)


def mutated(model, X):
    return interpret.saturation_mutagenesis(model, X, progress=False)


def captum(model, X):
    from captum.attr import IntegratedGradients

    return IntegratedGradients(model).attribute(torch.from_numpy(X), n_steps=128)


@right("2.6.5")
def shap_from_zeros():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what SHAP asks of matplotlib
        import shap

    explainer = shap.GradientExplainer(best_model(), torch.zeros(1, 200, 4))
    scores = explainer.shap_values(torch.from_numpy(few()), nsamples=200, rseed=0)
    assert scores.shape == (6, 200, 4, 1)  # the last axis is that of the outputs
    return scores, few(), best_model()


def in_random_places(scores):
    order = np.random.default_rng(0).permutation(200)
    placed = np.zeros_like(scores)
    placed[few() == 1] = scores.sum(axis=2)[:, order].ravel()
    return placed


class Probability(torch.nn.Module):
    def forward(self, x):
        return torch.sigmoid(best_model()(x))


def bent(method, **options):
    """Scores of Captum for a model of which zeros do not reach the ReLU: it is not linear."""
    from captum import attr

    model, X = matrix_model(bias=-4.0), torch.from_numpy(few())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Captum's, of hooks and of gradients that it sets
        scores = getattr(attr, method)(model).attribute(X, **options)
    return scores.detach().numpy(), few(), model


right(
    "2.6.5",
    our_gradients=lambda: explained(integrated),
    captum=lambda: explained(captum),
    gradient_times_input_of_a_linear_model=lambda: explained(
        lambda model, X: interpret.saliency(model, X) * X
    ),
    deep_lift=lambda: bent("DeepLift", baselines=torch.zeros(1, 200, 4)),
    integrated_gradients_of_it=lambda: bent("IntegratedGradients", n_steps=100),
)
wrong(
    "2.6.5",
    gradient_times_input=lambda: bent("InputXGradient"),
    ablation=lambda: bent("FeatureAblation"),
    scaled=lambda: explained(integrated, lambda scores: 1.5 * scores),
    sign_turned=lambda: explained(integrated, lambda scores: -scores),
    right_sums_in_random_places=lambda: explained(integrated, in_random_places),
    channels_first=lambda: explained(integrated, lambda scores: scores.swapaxes(1, 2)),
    nan_everywhere=lambda: explained(integrated, lambda scores: scores * np.nan),
    mutagenesis_again=lambda: explained(mutated),
    the_gradient_only=lambda: explained(interpret.saliency),
    sequences_copied=lambda: explained(lambda model, X: X),
    of_the_probability=lambda: explained(lambda model, X: captum(Probability(), X).detach()),
)
