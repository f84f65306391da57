"""`workshop.architecture` and `workshop.layers`: shapes and weights derived by hand."""

import itertools
import json
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from workshop.architecture import (
    ACTIVATIONS,
    DAY1_CNN,
    TASKS,
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
    check_weights,
    initial_weights,
)
from workshop.layers import LAYERS, Layer

# One of each layer. By hand: 30 bp; a valid convolution of 5 leaves 26; padded ones keep 26; pools
# of 4 leave 6 (two of the 26 positions are left over); pools of 3 leave 2.
EACH = Architecture(
    (
        Conv1D(8, 5, "relu"),  # 5 x 4 x 8 + 8 = 168
        BatchNorm(),  # 2 x 8 = 16
        Conv1D(6, 4, "tanh", padding="same"),  # 4 x 8 x 6 + 6 = 198
        MaxPool(4),
        Dropout(0.5),
        AvgPool(3),
        Identity(),
        Flatten(),  # 2 x 6
        Dense(10, "elu"),  # 12 x 10 + 10 = 130
        BatchNorm(),  # 2 x 10 = 20
    ),
    input_length=30,
    n_outputs=3,  # 10 x 3 + 3 = 33
    task="multiclass",
)
SHAPES = [(26, 8), (26, 8), (26, 6), (6, 6), (6, 6), (2, 6), (2, 6), (12,), (10,), (10,), (3,)]
PARAMETERS = [168, 16, 198, 0, 0, 0, 0, 0, 130, 20, 33]


# --- shapes and numbers of parameters -----------------------------------------------------------


def test_shapes_and_parameters_of_each_layer_by_hand():
    assert EACH.output_shapes() == SHAPES
    assert EACH.n_parameters_by_layer() == PARAMETERS
    assert EACH.n_parameters() == sum(PARAMETERS) == 565
    assert EACH.weight_shapes() == {
        "0.kernel": (5, 4, 8), "0.bias": (8,),
        "1.gamma": (8,), "1.beta": (8,), "1.mean": (8,), "1.variance": (8,),
        "2.kernel": (4, 8, 6), "2.bias": (6,),
        "8.kernel": (12, 10), "8.bias": (10,),
        "9.gamma": (10,), "9.beta": (10,), "9.mean": (10,), "9.variance": (10,),
        "output.kernel": (10, 3), "output.bias": (3,),
    }  # fmt: skip
    assert list(EACH.weight_shapes())[-1] == "output.bias"


@given(length=st.integers(1, 40), size=st.integers(1, 12))
def test_windows_are_those_that_one_can_count(length, size):
    fitting = [start for start in range(length) if start + size <= length]
    side_by_side = [start for start in fitting if start % size == 0]
    layers = [(Conv1D(3, size), fitting), (MaxPool(size), side_by_side)]
    for layer, windows in [*layers, (AvgPool(size), side_by_side)]:
        if windows:
            assert layer.output_shape((length, 3)) == (len(windows), 3)
        else:
            with pytest.raises(ValueError, match=f"_size {size} is longer than the {length} "):
                layer.output_shape((length, 3))
    assert Conv1D(3, size, padding="same").output_shape((length, 4)) == (length, 3)


def test_the_378_architectures_of_the_course_by_formula():
    kernels, pools = (7, 13, 3), (MaxPool(4), AvgPool(4), Identity())
    seconds = [None, *itertools.product(("relu", "tanh"), kernels)]
    reductions = (Flatten(), GlobalAvgPool(), GlobalMaxPool())
    choices = (("relu", "tanh"), kernels, pools, seconds, reductions)
    checked = 0
    for activation, kernel_size, pool, second, reduction in itertools.product(*choices):
        length = 200 if pool == Identity() else 50
        expected = [kernel_size * 4 * 32 + 32, 0]
        if second is None:
            layer, channels = Identity(), 32
            expected.append(0)
        else:
            layer, channels = Conv1D(64, second[1], second[0], padding="same"), 64
            expected.append(second[1] * 32 * 64 + 64)
        features = channels * length if reduction == Flatten() else channels
        expected += [0, features + 1]
        first = Conv1D(32, kernel_size, activation, padding="same")
        cnn = Architecture((first, pool, layer, reduction))
        assert cnn.n_parameters_by_layer() == expected
        assert cnn.output_shapes() == [
            (200, 32), (length, 32), (length, channels), (features,), (1,)
        ]  # fmt: skip
        checked += 1
    assert checked == 378


# --- the impossible -----------------------------------------------------------------------------


TOO_LATE = "but only 8 features are left: a layer before it has flattened or pooled all positions"


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ((Conv1D(8, 21), Flatten()), r"layer 0, Conv1D\(8, 21\): kernel_size 21 is longer than"),
        ((MaxPool(6), Conv1D(8, 4), Flatten()), r"layer 1, .* than the 3 positions that reach it"),
        ((MaxPool(20), AvgPool(2), Flatten()), r"layer 1, AvgPool\(2\): pool_size 2 is longer"),
        ((Conv1D(8, 3), MaxPool(2)), "layers end with 9 positions x 8 channels; .* Add Flatten"),
        ((), "end with 20 positions x 4 channels"),
        (
            (Conv1D(8, 3), Dense(4)),
            r"Dense\(4\): needs features, but gets 18 positions x 8",
        ),
        *(
            ((Conv1D(8, 3), GlobalMaxPool(), late), f"layer 2, {type(late).__name__}.* {TOO_LATE}")
            for late in (Conv1D(2, 3), MaxPool(2), AvgPool(2), Flatten(), GlobalAvgPool())
        ),
    ],
)
def test_impossible_architecture_names_layer_and_lengths(layers, message):
    with pytest.raises(ValueError, match=message):
        Architecture(layers, input_length=20)


def test_what_is_no_layer_or_no_tuple_of_them():
    for layer in (Conv1D, "Conv1D", None):
        with pytest.raises(TypeError, match="layer 1 must be a layer such as Conv1D"):
            Architecture((Identity(), layer))
    with pytest.raises(TypeError, match=r"must be a tuple; got one layer. Write \(Flatten\(\),"):
        Architecture(Flatten())


@pytest.mark.parametrize("value", [0, 2.0, "3", True, None])
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("Conv1D: filters", lambda value: Conv1D(value, 3)),
        ("Conv1D: kernel_size", lambda value: Conv1D(3, value)),
        ("MaxPool: pool_size", lambda value: MaxPool(value)),
        ("AvgPool: pool_size", lambda value: AvgPool(value)),
        ("Dense: units", lambda value: Dense(value)),
        ("input_length", lambda value: Architecture((Flatten(),), input_length=value)),
        ("n_outputs", lambda value: Architecture((Flatten(),), n_outputs=value)),
    ],
)
def test_sizes_must_be_positive_whole_numbers(name, make, value):
    message = f"{name} must be a whole number, 1 or more; got {value!r}."
    with pytest.raises(ValueError, match=re.escape(message)):
        make(value)


def test_sizes_of_numpy_become_pythons():
    layer = Conv1D(np.int64(8), np.uint8(3))
    assert layer == Conv1D(8, 3)
    assert type(layer.filters) is type(layer.kernel_size) is int
    assert json.dumps(Architecture((Flatten(),), input_length=np.int32(5)).to_dict())


FLAT = (Flatten(),)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv1D(2, 3, "swish"), "Conv1D: activation must be one of .*; got 'swish'"),
        (lambda: Dense(2, None), "Dense: activation must be one of .'linear', 'relu'.*; got None"),
        (
            lambda: Conv1D(2, 3, padding="causal"),
            "Conv1D: padding must be one of .'valid'.*; got",
        ),
        (lambda: Dropout(1), r"Dropout\(1\): rate must be from 0 to below 1"),
        (lambda: Dropout(math.nan), r"Dropout\(nan\): rate must be from 0 to below 1"),
        (lambda: BatchNorm(momentum=1), r"BatchNorm\(momentum=1\): momentum must be from 0"),
        (lambda: BatchNorm(epsilon=0), r"BatchNorm\(epsilon=0\): .* epsilon above 0"),
        (lambda: Architecture(FLAT, task="ranking"), "task must be one of bin.*; got 'ranking'"),
        (lambda: Architecture(FLAT, n_outputs=2), "task 'binary' has 1 output; got n_outputs=2"),
        (lambda: Architecture(FLAT, task="multiclass"), "needs n_outputs >= 2; got 1"),
    ],
)
def test_settings_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_layers_and_architectures_are_frozen_values():
    for thing, name in ((Conv1D(2, 3), "filters"), (EACH, "layers")):
        with pytest.raises(AttributeError, match=f"cannot assign to field '{name}'"):
            setattr(thing, name, 4)
    assert MaxPool(2) != AvgPool(2)
    assert GlobalMaxPool() == GlobalMaxPool() != GlobalAvgPool()
    assert len({EACH, Architecture.from_dict(EACH.to_dict()), DAY1_CNN}) == 2
    listed = Architecture([Conv1D(2, 3), Flatten()])
    assert listed.layers == (Conv1D(2, 3), Flatten())


# --- to_dict and from_dict ----------------------------------------------------------------------


any_layer = st.one_of(
    st.builds(
        Conv1D,
        st.integers(1, 9),
        st.integers(1, 9),
        st.sampled_from(ACTIVATIONS),
        st.sampled_from(["valid", "same"]),
    ),
    *(st.builds(kind, st.integers(1, 4)) for kind in (MaxPool, AvgPool)),
    st.builds(Dropout, st.floats(0, 0.99)),
    st.builds(BatchNorm, st.floats(0, 0.99), st.floats(1e-6, 1)),
    st.just(Identity()),
)


@given(
    st.lists(any_layer, max_size=4),
    st.sampled_from([Flatten(), GlobalAvgPool(), GlobalMaxPool()]),
    st.lists(st.builds(Dense, st.integers(1, 9), st.sampled_from(ACTIVATIONS)), max_size=2),
    st.sampled_from(sorted(TASKS)),
)
def test_description_makes_the_same_architecture_again(first, reduction, last, task):
    outputs = 1 if task == "binary" else 3
    layers = (*first, reduction, *last)
    architecture = Architecture(layers, input_length=10**4, n_outputs=outputs, task=task)
    text = json.dumps(architecture.to_dict())
    again = Architecture.from_dict(json.loads(text))
    assert again == architecture
    assert again.weight_shapes() == architecture.weight_shapes()
    assert len(again.output_shapes()) == len(layers) + 1
    assert architecture.n_parameters() == sum(
        math.prod(shape)
        for name, shape in architecture.weight_shapes().items()
        if name.split(".")[1] not in ("mean", "variance")
    )


def test_description_by_hand():
    assert Architecture((Flatten(), Dropout(0.5)), input_length=7).to_dict() == {
        "layers": [{"kind": "Flatten"}, {"kind": "Dropout", "rate": 0.5}],
        "input_length": 7,
        "n_outputs": 1,
        "task": "binary",
    }
    description = DAY1_CNN.to_dict()
    Architecture.from_dict(description)
    assert description == DAY1_CNN.to_dict()  # reading changes nothing


def test_every_layer_can_be_described():
    kinds = {kind for kind in Layer.__subclasses__() if not kind.__subclasses__()}
    kinds |= {kind for parent in Layer.__subclasses__() for kind in parent.__subclasses__()}
    assert kinds == set(LAYERS.values())


@pytest.mark.parametrize(
    "description",
    [
        None,
        {"layers": ["Flatten"]},
        {"layers": [{"units": 3}]},
        {"layers": [{"kind": "os.system"}]},
        {"layers": [{"kind": "Flatten", "rate": 3}]},
        {"layers": [{"kind": "Flatten"}], "colour": "red"},
        {"layers": [{"kind": "Dropout", "rate": "a"}]},
    ],
)
def test_what_is_no_description(description):
    with pytest.raises(
        ValueError, match=r"description must be what Architecture\.to_dict\(\) ret.*got"
    ):
        Architecture.from_dict(description)


# --- weights ------------------------------------------------------------------------------------


def test_initial_weights_have_the_promised_names_shapes_and_type():
    weights = initial_weights(EACH, random_state=0)
    assert {name: weight.shape for name, weight in weights.items()} == EACH.weight_shapes()
    assert list(weights) == list(EACH.weight_shapes())
    for name, weight in weights.items():
        assert weight.dtype == np.float32
        if name.endswith(("bias", "beta", "mean")):
            assert not weight.any()
        elif name.endswith(("gamma", "variance")):
            assert (weight == 1).all()


@pytest.mark.parametrize(
    ("name", "fan_in", "fan_out"),
    [("0.kernel", 9 * 4, 9 * 100), ("2.kernel", 100, 80), ("output.kernel", 80, 40)],
)
def test_initial_kernels_are_glorot_uniform(name, fan_in, fan_out):
    layers = (Conv1D(100, 9), GlobalMaxPool(), Dense(80))
    architecture = Architecture(layers, n_outputs=40, task="multilabel")
    kernel = initial_weights(architecture, random_state=3)[name].ravel()
    limit = math.sqrt(6 / (fan_in + fan_out))
    assert np.abs(kernel).max() <= limit * (1 + 1e-6)
    assert kstest((kernel / limit + 1) / 2, "uniform").pvalue > 1e-3
    assert kernel.var() == pytest.approx(2 / (fan_in + fan_out), rel=0.1)


def test_initial_weights_are_seeded():
    first, again = (initial_weights(DAY1_CNN, random_state=1)["0.kernel"] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, initial_weights(DAY1_CNN, random_state=2)["0.kernel"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.pop("0.bias"), r"0\.bias must have shape \(32,\); got none\."),
        (
            lambda w: w.update({"9.bias": np.zeros(3)}),
            r"9\.bias must have shape none; got \(3,\)\.",
        ),
        (
            lambda w: w.update({"0.kernel": np.zeros((32, 4, 7))}),
            r"of another architecture: 0\.kernel must have shape \(7, 4, 32\); got \(32, 4, 7\)",
        ),
    ],
)
def test_check_weights_of_another_architecture(change, message):
    weights = initial_weights(DAY1_CNN)
    change(weights)
    with pytest.raises(ValueError, match=message):
        check_weights(DAY1_CNN, weights)


def test_a_layer_is_written_as_one_types_it():
    layers = (Conv1D(32, 7, "relu", padding="same"), MaxPool(4), Flatten())
    texts = ["Conv1D(32, 7, activation='relu', padding='same')", "MaxPool(4)", "Flatten()"]
    assert [repr(layer) for layer in layers] == texts
    assert tuple(eval(text) for text in texts) == layers
