"""`interpret.incremental`: the engine gives what `brute_force` gives, a prediction each mutant."""

import numpy as np
import pytest

from tests.course_space import course_space
from tests.mutants import sequences
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
    initial_weights,
)
from workshop.interpret.incremental import IncrementalISM
from workshop.interpret.mutagenesis import brute_force
from workshop.layers import ACTIVATIONS

TWINS = {"keras": keras_cnn, "torch": torch_cnn}


def busy_weights(architecture, *, random_state=0):
    """Weights of which none is 0 or 1, so that each of them matters; some scales are negative."""
    rng = np.random.default_rng(random_state)
    weights = initial_weights(architecture, random_state=random_state)
    for name, weight in weights.items():
        kind = name.split(".")[1]
        if kind in ("bias", "beta", "mean"):
            weights[name] = rng.normal(0, 0.2, weight.shape).astype(np.float32)
        elif kind == "gamma":
            weights[name] = rng.normal(0, 1, weight.shape).astype(np.float32)
        elif kind == "variance":
            weights[name] = rng.uniform(0.3, 2, weight.shape).astype(np.float32)
    return weights


def both_ways(architecture, twin, X, positions, *, random_state=0):
    """The engine's effects of the last output, and those by brute force with a framework."""
    weights = busy_weights(architecture, random_state=random_state)
    model = twin.build_cnn(architecture)
    twin.set_weights(model, weights)
    task = architecture.n_outputs - 1
    effects = IncrementalISM(architecture, weights, task=task).effects(X, 0, X.shape[1])
    assert (effects[X == 1] == 0).all()
    return effects[:, positions], brute_force(
        lambda X: twin.predict_logits(model, X)[:, task], X, positions
    )


def assert_exact(*args, **options):
    effects, expected = both_ways(*args, **options)
    np.testing.assert_allclose(effects, expected, rtol=1e-4, atol=1e-5)
    assert np.abs(expected).max() > 0


EDGES_AND_PHASES = [0, 1, 6, 97, 98, 99, 100, 193, 198, 199]


def test_all_378_architectures_are_exact():
    """Ten positions each, ends and every phase of the pool: benchmarks/ism.py --exact does all."""
    X = sequences(3, 200)
    X[1, 98] = 0
    for i, architecture in enumerate(course_space()):
        assert_exact(architecture, torch_cnn, X, EDGES_AND_PHASES, random_state=i)
        if i % 9 == 0:  # 42 of them: the engine sees weights, and these are the same
            assert_exact(architecture, keras_cnn, X, EDGES_AND_PHASES, random_state=i)


def test_every_position_of_the_day_1_model_is_exact():
    assert_exact(DAY1_CNN, torch_cnn, sequences(3, 200), range(200))


def random_architecture(rng):
    """Deeper than the course's: 3 or 4 convolutions, any pools, norms and Dense layers."""
    layers = []

    def maybe(*choices):
        if rng.random() < 0.3:
            layers.append(choices[rng.integers(len(choices))])

    activations = [name for name in ACTIVATIONS if name != "exponential"]  # it overflows in depth
    for _ in range(rng.integers(3, 5)):
        maybe(BatchNorm())
        layers.append(
            Conv1D(
                *(int(size) for size in rng.integers(1, 9, 2)),
                activations[rng.integers(5)],
                ("same", "valid")[rng.integers(2)],
            )
        )
        maybe(BatchNorm(), Dropout(0.3), Identity())
        for _ in range(rng.integers(0, 2)):
            layers.append((MaxPool, AvgPool)[rng.integers(2)](int(rng.integers(1, 4))))
            maybe(BatchNorm(), MaxPool(2))
    layers.append((Flatten(), GlobalAvgPool(), GlobalMaxPool())[rng.integers(3)])
    maybe(BatchNorm())
    maybe(Dense(5, activations[rng.integers(5)]))
    maybe(BatchNorm())
    try:
        return Architecture(layers, input_length=60, n_outputs=3, task="regression")
    except ValueError:  # the sequence has become too short: draw again
        return random_architecture(rng)


@pytest.mark.parametrize("framework", TWINS)
def test_20_deeper_architectures_are_exact(framework):
    rng = np.random.default_rng(4)
    X = sequences(3, 60)
    for i in range(20):
        assert_exact(random_architecture(rng), TWINS[framework], X, range(60), random_state=i)


def test_float64_is_exact_to_its_own_rounding():
    rng = np.random.default_rng(5)
    X = sequences(3, 60)
    for i in range(60):
        architecture = random_architecture(rng)
        weights = {
            name: weight.astype(np.float64)
            for name, weight in busy_weights(architecture, random_state=i).items()
        }
        engine = IncrementalISM(architecture, weights)
        effects = engine.effects(X, 0, 60)
        assert effects.dtype == np.float64
        mutants = np.tile(X[:, None, None], (60, 4, 1, 1))  # (3, 60, 4, 60, 4)
        for position, letter in np.ndindex(60, 4):
            mutants[:, position, letter, position] = np.eye(4)[letter]
        outputs = engine.logits(mutants.reshape(-1, 60, 4)).reshape(3, 60, 4)
        expected = outputs - engine.logits(X)[:, None, None]
        np.testing.assert_allclose(effects, expected, rtol=1e-11, atol=1e-12)


UNUSUAL = {
    "no convolution": (Flatten(),),
    "linear by averages": (GlobalAvgPool(),),
    "pool of the letters": (MaxPool(3), GlobalMaxPool()),
    "two maxima in a row": (Conv1D(3, 4, "tanh"), MaxPool(4), GlobalMaxPool()),
    "a maximum after a falling scale": (Conv1D(4, 3, "relu"), BatchNorm(), MaxPool(3), Flatten()),
    "averages of maxima": (Conv1D(3, 1, "relu"), MaxPool(4), AvgPool(3), Flatten()),
    "windows wider than the layer": (
        *(Conv1D(3, 5, "tanh", "same"), MaxPool(4), Conv1D(3, 5, "relu", "same"), MaxPool(4)),
        *(Conv1D(3, 7, "elu", "same"), GlobalAvgPool()),
    ),
    "features that are normalised": (
        *(Flatten(), BatchNorm(), Dropout(0.1), BatchNorm(), Dense(4, "sigmoid"), BatchNorm()),
        *(Dense(3, "exponential"), BatchNorm()),
    ),
}


@pytest.mark.parametrize("layers", UNUSUAL.values(), ids=UNUSUAL)
@pytest.mark.parametrize("length", [33, 40])
def test_unusual_architectures_are_exact(layers, length):
    architecture = Architecture(layers, input_length=length)
    assert_exact(architecture, torch_cnn, sequences(3, length), range(length))


def test_what_a_pool_leaves_over_at_the_end_has_no_effect():
    architecture = Architecture((Conv1D(2, 1, "tanh"), AvgPool(5), Flatten()), input_length=23)
    weights = busy_weights(architecture)
    effects = IncrementalISM(architecture, weights).effects(sequences(2, 23), 0, 23)
    assert effects[0, :20].any(axis=1).all()
    assert not effects[0, 20:].any()


def test_blocks_and_parts_change_nothing(monkeypatch):
    architecture = Architecture(
        (Conv1D(6, 5, "relu", "same"), MaxPool(3), Conv1D(4, 3, "tanh"), GlobalMaxPool()), 60
    )
    X, weights = sequences(5, 60), busy_weights(architecture)
    whole = IncrementalISM(architecture, weights).effects(X, 0, 60)
    monkeypatch.setattr("workshop.interpret.incremental.BLOCK_SIZE", 1)  # one place a block
    engine = IncrementalISM(architecture, weights)
    np.testing.assert_allclose(engine.effects(X, 0, 60), whole, atol=1e-6)
    np.testing.assert_allclose(engine.effects(X, 7, 8), whole[:, 7:8], atol=1e-6)
    np.testing.assert_allclose(engine.effects(X[3:4], 50, 60), whole[3:4, 50:], atol=1e-6)


def test_soft_rows_are_replaced_by_whole_letters():
    X = np.full((2, 200, 4), 0.25, dtype=np.float32)
    X[1, :, 0], X[1, :, 1] = 1, 0.5  # neither a letter, although a value is 1
    X[1, 9] = [0, 1, 0, 0]
    model = torch_cnn.build_cnn(DAY1_CNN)
    expected = brute_force(lambda X: torch_cnn.predict_logits(model, X)[:, 0], X, [8, 9])
    effects = IncrementalISM(DAY1_CNN, torch_cnn.get_weights(model)).effects(X, 8, 10)
    np.testing.assert_allclose(effects, expected, atol=1e-6)
    assert effects[1, 0, 0] != 0
    assert effects[1, 1, 1] == 0
