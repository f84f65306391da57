"""The twins match: same shapes, parameters, predictions, gradients and training."""

import keras
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from sklearn.utils.class_weight import compute_class_weight

from tests.course_space import course_space
from workshop import keras_cnn, torch_cnn
from workshop.architecture import (
    DAY1_CNN,
    Architecture,
    AvgPool,
    BatchNorm,
    Conv1D,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    Identity,
    MaxPool,
)
from workshop.layers import ACTIVATIONS
from workshop.torch_cnn.modules import Conv1d


def sequences(n, length, *, seed=0):
    """Random one-hot sequences; the second holds a run of N, the last is N everywhere."""
    X = np.eye(4, dtype=np.float32)[np.random.default_rng(seed).integers(0, 4, (n, length))]
    X[1, length // 4 : length // 3] = 0
    X[-1] = 0
    return X


def targets(architecture, n, *, seed=0):
    rng = np.random.default_rng(seed)
    shape = (n, architecture.n_outputs)
    if architecture.task == "regression":
        return rng.normal(size=shape).astype(np.float32)
    if architecture.task == "multiclass":
        return np.eye(shape[1], dtype=np.float32)[rng.integers(0, shape[1], n)]
    return rng.integers(0, 2, shape).astype(np.float32)


def build_pair(architecture, *, random_state=0):
    """A Keras model, and a Torch model of other weights that then gets the Keras ones."""
    keras_model = keras_cnn.build_cnn(architecture, random_state=random_state)
    torch_model = torch_cnn.build_cnn(architecture, random_state=random_state + 1)
    torch_cnn.set_weights(torch_model, keras_cnn.get_weights(keras_model))
    return keras_model, torch_model


def torch_shapes(model, X):
    """Shape after each layer as (L, C) or (F,), observed with hooks."""
    shapes = []

    def observe(module, inputs, output):
        rest = output.shape[1:]
        shapes.append(tuple(reversed(rest)))

    hooks = [module.register_forward_hook(observe) for module in (*model.layers, model.output)]
    torch_cnn.predict_logits(model, X)
    for hook in hooks:
        hook.remove()
    return shapes


def test_all_378_architectures_match():
    X, space = sequences(3, 200), course_space()
    assert len(set(space)) == 378
    for i, architecture in enumerate(space):
        keras_model, torch_model = build_pair(architecture, random_state=i)
        n = architecture.n_parameters()
        assert keras_model.count_params() == n
        assert sum(p.numel() for p in torch_model.parameters()) == n
        shapes = architecture.output_shapes()
        assert [layer.output.shape[1:] for layer in keras_model.layers] == shapes
        assert torch_shapes(torch_model, X) == shapes

        logits = keras_cnn.predict_logits(keras_model, X)
        np.testing.assert_allclose(torch_cnn.predict_logits(torch_model, X), logits, atol=1e-4)
        # And the other way round: weights drawn for Torch, copied to Keras.
        torch_cnn.set_weights(
            torch_model, torch_cnn.get_weights(torch_cnn.build_cnn(architecture, random_state=999))
        )
        keras_cnn.set_weights(keras_model, torch_cnn.get_weights(torch_model))
        there = torch_cnn.predict_logits(torch_model, X)
        assert abs(there - logits).max() > 1e-4 or i == 0  # the copy did change the model
        np.testing.assert_allclose(keras_cnn.predict_logits(keras_model, X), there, atol=1e-4)
        if i % 9 == 0:  # 42 of them
            np.testing.assert_allclose(
                keras_cnn.input_gradient(keras_model, X),
                torch_cnn.input_gradient(torch_model, X),
                atol=1e-4,
            )


UNUSUAL = {
    "even kernels, same": Architecture(
        (Conv1D(3, 4, "relu", "same"), Conv1D(2, 6, "tanh", "same"), Flatten()), 17
    ),
    "pools drop the rest": Architecture((MaxPool(4), AvgPool(3), Flatten()), 31),
    "kernel longer than the sequence, same": Architecture(
        (Conv1D(2, 9, padding="same"), GlobalMaxPool()), 5
    ),
    "kernel of one": Architecture((Conv1D(2, 1, "relu"), GlobalAvgPool()), 5),
    "dense layers": Architecture(
        (Flatten(), Dense(5, "relu"), Dropout(0.5), Dense(3, "tanh"), BatchNorm()), 8
    ),
    "batch norm": Architecture(
        (BatchNorm(0.8, 1e-2), Conv1D(3, 3), BatchNorm(), MaxPool(2), GlobalMaxPool()), 12
    ),
    "several labels": Architecture((Conv1D(4, 3, "relu"), GlobalMaxPool()), 9, 3, "multilabel"),
    "several classes": Architecture((Conv1D(4, 3, "elu"), GlobalAvgPool()), 9, 5, "multiclass"),
    "regression": Architecture((Conv1D(4, 3, "sigmoid"), Flatten()), 9, 2, "regression"),
    "no layer but flatten": Architecture((Identity(), Flatten()), 6),
    **{
        f"activation {name}": Architecture(
            (Conv1D(4, 3, name), GlobalMaxPool(), Dense(3, name)), 10
        )
        for name in ACTIVATIONS
    },
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_architectures_match(name):
    architecture = UNUSUAL[name]
    X = sequences(4, architecture.input_length)
    keras_model, torch_model = build_pair(architecture)
    shapes = architecture.output_shapes()
    assert [layer.output.shape[1:] for layer in keras_model.layers] == shapes
    assert torch_shapes(torch_model, X) == shapes
    trained = sum(int(np.prod(w.shape)) for w in keras_model.trainable_weights)
    assert trained == sum(p.numel() for p in torch_model.parameters())
    assert trained == architecture.n_parameters()
    for function in ("predict_logits", "predict", "input_gradient"):
        np.testing.assert_allclose(
            getattr(keras_cnn, function)(keras_model, X),
            getattr(torch_cnn, function)(torch_model, X),
            atol=1e-5,
            err_msg=function,
        )


@st.composite
def architectures(draw):
    """Random stacks; those that are impossible are drawn again."""
    sizes, activations = st.integers(1, 6), st.sampled_from(ACTIVATIONS)
    paddings = st.sampled_from(("valid", "same"))
    convolution = st.builds(Conv1D, sizes, sizes, activations, paddings)
    pool = st.sampled_from((MaxPool, AvgPool)).flatmap(lambda kind: st.builds(kind, sizes))
    middle = st.lists(
        st.one_of(convolution, pool, st.builds(BatchNorm), st.builds(Dropout, st.floats(0, 0.9))),
        max_size=4,
    )
    reduction = st.sampled_from((Flatten(), GlobalAvgPool(), GlobalMaxPool()))
    dense = st.lists(st.builds(Dense, sizes, activations), max_size=2)
    layers = (*draw(middle), draw(reduction), *draw(dense))
    try:
        return Architecture(layers, draw(st.integers(4, 40)), draw(st.integers(1, 3)), "multilabel")
    except ValueError:
        return Architecture((Flatten(),), 10, 2, "multilabel")


@given(architectures())
@settings(max_examples=25, deadline=None)
def test_random_architectures_match(architecture):
    X = sequences(3, architecture.input_length)
    keras_model, torch_model = build_pair(architecture)
    logits = keras_cnn.predict_logits(keras_model, X)
    # exp of exp grows fast: compare relative to the size of the logits
    scale = max(1.0, float(abs(logits).max()))
    np.testing.assert_allclose(
        torch_cnn.predict_logits(torch_model, X) / scale, logits / scale, atol=1e-4
    )


def test_same_random_state_gives_the_same_model():
    a, b = (twin.get_weights(twin.build_cnn(DAY1_CNN)) for twin in (keras_cnn, torch_cnn))
    other = torch_cnn.get_weights(torch_cnn.build_cnn(DAY1_CNN, random_state=1))
    assert list(a) == list(b) == list(DAY1_CNN.weight_shapes())
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])
    assert (a["0.kernel"] != other["0.kernel"]).all()


@pytest.mark.parametrize("kernel_size", [1, 4, 7])
def test_our_convolution_gives_the_numbers_of_torchs(kernel_size):
    ours, theirs = Conv1d(4, 6, kernel_size), torch.nn.Conv1d(4, 6, kernel_size)
    theirs.weight.data, theirs.bias.data = ours.weight.data.squeeze(2), ours.bias.data
    x = torch.randn(3, 20, 4).swapaxes(1, 2).requires_grad_(True)
    results = []
    for convolution in (ours, theirs):
        x.grad = None
        y = convolution(x)
        y.square().sum().backward()
        results.append([y, x.grad, convolution.weight.grad.flatten(), convolution.bias.grad])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


TASKS = {
    "binary": DAY1_CNN,
    "multilabel": UNUSUAL["several labels"],
    "multiclass": UNUSUAL["several classes"],
    "regression": UNUSUAL["regression"],
    "batch norm": UNUSUAL["batch norm"],
}


@pytest.mark.parametrize("steps", [1, 3])
def test_adam_takes_the_same_steps_where_gradients_are_small(steps):
    """Epsilon is as large as these gradients: where it is added decides how long a step is."""
    convolutions = (Conv1D(32, 7, "relu", padding="same"), Conv1D(64, 3, "relu", padding="same"))
    architecture = Architecture((*convolutions, Flatten()))
    X, y = sequences(128, 200), targets(architecture, 128)
    start = torch_cnn.get_weights(torch_cnn.build_cnn(architecture))
    start["output.kernel"] *= 1e-5
    weights = []
    for twin in (keras_cnn, torch_cnn):
        model = twin.build_cnn(architecture)
        twin.set_weights(model, start)
        twin.fit(model, X, y, epochs=steps, batch_size=128, learning_rate=0.003)
        weights.append(twin.get_weights(model))
    for name in start:
        np.testing.assert_allclose(weights[0][name], weights[1][name], atol=2e-5, err_msg=name)


@pytest.mark.parametrize("task", TASKS)
def test_training_matches_batch_by_batch(task):
    """Shuffled batches, a last one that is smaller, validation data: the same run in both."""
    architecture = TASKS[task]
    # The bias before a batch norm has a gradient of zero but for rounding, and Adam would blow
    # that up to full steps, in another direction in each framework.
    optimizer = "sgd" if task == "batch norm" else "adam"
    X, y = sequences(50, architecture.input_length), targets(architecture, 50)
    tables, weights = [], []
    for twin in (keras_cnn, torch_cnn):
        model = twin.build_cnn(architecture)
        history = twin.fit(
            model,
            X[:40],
            y[:40],
            X_val=X[40:],
            y_val=y[40:],
            epochs=3,
            batch_size=12,
            optimizer=optimizer,
        )
        tables.append(history.table)
        weights.append(twin.get_weights(model))
    assert list(tables[0]) == list(tables[1])
    for column in tables[0]:
        if column != "auroc":  # while training, Keras estimates it from 200 thresholds
            np.testing.assert_allclose(
                tables[0][column], tables[1][column], atol=1e-4, err_msg=column
            )
    for name in weights[0]:
        np.testing.assert_allclose(weights[0][name], weights[1][name], atol=1e-3, err_msg=name)


@pytest.mark.parametrize("class_weight", ["balanced", "a dict"])
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_class_weights_match_each_other_and_kerass_own(task, class_weight):
    architecture = TASKS[task]
    X, y = sequences(50, architecture.input_length), targets(architecture, 50)
    labels = y.argmax(axis=1) if task == "multiclass" else y[:, 0].astype(int)
    if class_weight == "balanced":
        weights = compute_class_weight("balanced", classes=np.unique(labels), y=labels)
        plain = dict(enumerate(weights))
    else:
        class_weight = plain = {k: 0.5 + 2 * k for k in range(labels.max() + 1)}
    settings = {"X_val": X[40:], "y_val": y[40:], "epochs": 3, "batch_size": 12}
    tables = [
        twin.fit(twin.build_cnn(architecture), X, y, class_weight=class_weight, **settings).table
        for twin in (keras_cnn, torch_cnn)
    ]
    for column in tables[0].columns.drop("auroc", errors="ignore"):
        np.testing.assert_allclose(tables[0][column], tables[1][column], atol=1e-4, err_msg=column)
    model = keras_cnn.build_cnn(architecture)
    table = keras_cnn.fit(model, X, y, epochs=1, batch_size=50, class_weight=class_weight).table
    model = keras_cnn.build_cnn(architecture)
    loss = "Binary" if task == "binary" else "Categorical"
    model.compile("sgd", getattr(keras.losses, f"{loss}Crossentropy")(from_logits=True))
    history = model.fit(X, y, batch_size=50, class_weight=plain, verbose=0).history
    assert table["loss"][0] == pytest.approx(history["loss"][0], rel=1e-5)


def test_validation_columns_are_exact():
    """The last row's validation figures equal those of the returned model."""
    X, y = sequences(60, 200), targets(DAY1_CNN, 60)
    for twin in (keras_cnn, torch_cnn):
        model = twin.build_cnn(DAY1_CNN)
        last = twin.fit(model, X[:40], y[:40], X_val=X[40:], y_val=y[40:], epochs=2).last
        p = twin.predict(model, X[40:]).astype(np.float64)
        loss = -np.mean(y[40:] * np.log(p) + (1 - y[40:]) * np.log(1 - p))
        assert last["val_loss"] == pytest.approx(loss, abs=1e-5)
        assert last["val_accuracy"] == pytest.approx(np.mean((p >= 0.5) == y[40:]))
        assert last["val_auroc"] == pytest.approx(roc_auc_score(y[40:], p))


def test_loss_agrees_with_a_hand_computed_step():
    """One SGD step of a model with only an output layer: w <- w - lr * mean((p - y) x)."""
    architecture = Architecture((Flatten(),), input_length=2)
    X = np.array([[[1, 0, 0, 0], [0, 0, 0, 1]], [[0, 1, 0, 0], [0, 0, 0, 1]]], np.float32)
    y = np.array([[1], [0]], np.float32)
    zeros = {"output.kernel": np.zeros((8, 1)), "output.bias": np.zeros(1)}
    for twin in (keras_cnn, torch_cnn):
        model = twin.build_cnn(architecture)
        twin.set_weights(model, zeros)
        twin.fit(model, X, y, epochs=1, batch_size=2, optimizer="sgd", learning_rate=1.0)
        kernel = twin.get_weights(model)["output.kernel"][:, 0]
        # p = 0.5 for both: gradients (-0.5 x0 + 0.5 x1) / 2
        np.testing.assert_allclose(kernel, [0.25, -0.25, 0, 0, 0, 0, 0, 0], atol=1e-6)
