"""Model spaces: tokens select the architecture that they say; what cannot be meant is refused."""

import itertools

import numpy as np
import pytest

from tests.course_space import course_space
from tests.search_cases import Op, make_space
from workshop import nas
from workshop.architecture import (
    DAY1_CNN,
    Architecture,
    AvgPool,
    Conv1D,
    Dense,
    Flatten,
    GlobalMaxPool,
    Identity,
    MaxPool,
)
from workshop.nas.space import layers_of


def without_identity(architecture):
    return Architecture(
        tuple(layer for layer in architecture.layers if not isinstance(layer, Identity))
    )


def test_the_course_space_is_the_378_of_the_curriculum():
    space = nas.cnn_model_space()
    assert space.get_space_size() == 6 * 3 * 7 * 3 == 378
    sizes = [range(len(space[i])) for i in range(len(space))]
    found = [nas.to_architecture(space, tokens) for tokens in itertools.product(*sizes)]
    assert [without_identity(one) for one in course_space()] == found
    assert len(set(found)) == 378


def test_data_and_task_reach_the_architecture():
    assert nas.to_architecture(nas.cnn_model_space(), [0, 0, 6, 1]) == DAY1_CNN
    ends = {"input_length": 50, "n_outputs": 3, "task": "multiclass"}
    architecture = nas.to_architecture(nas.cnn_model_space(), [0, 0, 6, 1], **ends)
    assert architecture == Architecture(DAY1_CNN.layers, **ends)


def test_the_table_lists_each_operation_with_its_place():
    table = nas.space_table(nas.cnn_model_space())
    assert list(table["layer"]) == [0] * 6 + [1] * 3 + [2] * 7 + [3] * 3
    assert list(table["token"]) == [*range(6), *range(3), *range(7), *range(3)]
    assert table["operation"][0] == (
        "conv1d(filters=32, kernel_size=7, activation=relu, padding=same)"
    )
    assert table["operation"][8] == "identity"


def convolutions(filters):
    return [
        Op("conv1d", filters=filters, kernel_size=size, activation=name, padding="same")
        for name in ("relu", "tanh")
        for size in (7, 13)
    ]


@pytest.mark.parametrize(
    ("layer", "short", "shared"),
    [
        (
            [*convolutions(64), Op("identity")],
            ["relu 7", "relu 13", "tanh 7", "tanh 13", "identity"],
            ["conv, filters 64, padding same"] * 4 + [""],
        ),
        ([convolutions(64)[0], Op("identity")], ["conv", "identity"], ["", ""]),
        (
            [Op("maxpool1d", pool_size=4), Op("AvgPool1D", pool_size=2), Op("GlobalMaxPooling1D")],
            ["max 4", "average 2", "GMP"],
            [""] * 3,
        ),
        (
            [convolutions(32)[0], convolutions(64)[1]],
            ["conv f32 k7", "conv f64 k13"],
            ["conv, activation relu, padding same"] * 2,
        ),
        (
            [Op("dense", units=8), Op("dense", units=16), Op("conv1d"), Op("conv1d", rate=1)],
            ["dense 8", "dense 16", "conv", "conv 1"],
            ["dense", "dense", "conv", "conv"],
        ),
        (
            [Op("dense", units=8, activation=None), Op("dense", units=8, activation="relu")],
            ["None", "relu"],
            ["dense, units 8"] * 2,
        ),
    ],
)
def test_short_names_keep_what_differs_in_a_layer(layer, short, shared):
    table = nas.space_table(make_space(layer))
    assert list(table["short"]) == short
    assert list(table["shared"]) == shared


def test_a_space_of_ones_own_with_a_dense_layer_after_flatten():
    space = make_space(
        [Op("conv1d", filters=8, kernel_size=5, activation="relu")],
        [Op("maxpool1d", pool_size=2), Op("maxpool1d", pool_size=8)],  # differ only in size
        [Op("flatten")],
        [Op("dense", units=16, activation="relu"), Op("identity")],
        [Op("dropout", rate=0.5)],
    )
    architecture = nas.to_architecture(space, (0, 1, 0, 0, 0), input_length=20)
    assert architecture.layers[:4] == (
        Conv1D(8, 5, "relu"),
        MaxPool(8),
        Flatten(),
        Dense(16, "relu"),
    )
    assert len(architecture.layers) == 5
    assert len(nas.to_architecture(space, (0, 0, 0, 1, 0), input_length=20).layers) == 4


@pytest.mark.parametrize(
    ("operation", "layer"),
    [
        (Op("conv1d", filters=8, kernel_size=5), Conv1D(8, 5, "linear")),  # no activation
        (Op("conv1d", filters=8, kernel_size=5, activation=None), Conv1D(8, 5, "linear")),
        (Op("Conv1D", filters=np.int64(8), kernel_size=5, activation="elu"), Conv1D(8, 5, "elu")),
        (Op("maxpool1d", filters=32, pool_size=4), MaxPool(4)),  # AMBER's own
        (Op("MaxPooling1D"), MaxPool(2)),
        (Op("averagepooling1d", pool_size=3), AvgPool(3)),
    ],
    ids=str,
)
def test_operations_as_amber_and_keras_write_them(operation, layer):
    space = make_space([operation], [Op("identity", filters=32)], [Op("GlobalMaxPooling1D")])
    assert nas.to_architecture(space, [0, 0, 0]).layers == (layer, GlobalMaxPool())


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([0, 0, 6], r"4 numbers, one a layer; got \[0, 0, 6\]"),
        ([0, 0, 6, 3], r"tokens\[3\] must be from 0 to 2; got 3"),
        ([0.5, 0, 6, 1], "whole numbers, one a layer"),
    ],
)
def test_tokens_of_another_space(tokens, message):
    with pytest.raises(ValueError, match=message):
        nas.to_architecture(nas.cnn_model_space(), tokens)


def test_an_impossible_network_names_its_layer():
    space = make_space([Op("conv1d", filters=4, kernel_size=250)], [Op("flatten")])
    with pytest.raises(ValueError, match="kernel_size 250 is longer than the 200 positions"):
        nas.to_architecture(space, [0, 0])
    layers_of(space)  # the operation itself is none that no network could have


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (Op("lstm", units=3), "layer 0, token 1: operation 'lstm' is none that the twins build"),
        (Op("conv1d", filters=4), r"layer 0, token 1, conv1d\(filters=4\)"),
        (
            Op("conv1d", filters=4, kernel_size=3, strides=2),
            r"layer 0, token 1 takes .*; got \['strides'\]",
        ),
        (Op("maxpool1d", pool_size=4, strides=1), r"takes \['pool_size'\]; got \['strides'\]"),
        (Op("flatten", pool_size=3), r"takes \[\]; got \['pool_size'\]"),
    ],
)
def test_an_operation_that_no_network_could_have(operation, message):
    space = make_space([Op("identity"), operation], [Op("globalmaxpool1d")])
    with pytest.raises(ValueError, match=message):
        layers_of(space)


def test_spaces_that_are_none():
    with pytest.raises(TypeError, match=r"must be a ModelSpace of AMBER; got list"):
        nas.space_table([[Op("flatten")]])
    with pytest.raises(ValueError, match=r"layers 0, 1, 2, ...; got \[\]"):
        nas.space_table(nas.ModelSpace())
    gap = make_space([Op("flatten")])
    gap.add_layer(2, [Op("identity")])
    with pytest.raises(ValueError, match=r"layers 0, 1, 2, ...; got \[0, 2\]"):
        nas.space_table(gap)
    with pytest.raises(ValueError, match="Layer 1 of the space must offer an operation"):
        nas.space_table(make_space([Op("flatten")], []))
    with pytest.raises(TypeError, match=r"Layer 0 must hold nas.Operation"):
        nas.space_table(make_space(["conv1d"]))
