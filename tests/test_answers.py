"""Answers travel as plain data: what goes in comes out, and nothing hostile does harm."""

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workshop import evaluation, keras_cnn, nas, torch_cnn
from workshop.architecture import DAY1_CNN, Architecture, Conv1D, GlobalMaxPool
from workshop.homework import answers
from workshop.homework.answers import wire
from workshop.homework.answers.served import AnswerServer
from workshop.training import History

ARRAYS = hnp.arrays(
    st.sampled_from(["<f4", "<f8", "<i8", "u1", "?", "<f2", ">f4"]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)
TREES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(), st.text(), ARRAYS
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)


def same(a, b):
    if isinstance(a, np.ndarray):
        return a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return a == b or (a != a and b != b)


@given(TREES)
def test_unpack_undoes_pack(tree):
    assert same(tree, wire.unpack(wire.pack(tree)))


@given(TREES, st.data())
def test_no_damaged_message_does_worse_than_a_value_error(tree, data):
    message = bytearray(wire.pack(tree))
    position = data.draw(st.integers(0, len(message) - 1))
    message[position] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(message)))
    for damaged in (bytes(message), bytes(message[:cut])):
        with contextlib.suppress(ValueError):
            wire.unpack(damaged)


@given(st.binary(max_size=60))
def test_nor_does_garbage(data):
    with pytest.raises(ValueError, match="The message is"):
        wire.unpack(data + b"\xff")


@pytest.mark.parametrize(
    "message",
    [
        *(
            json.dumps({"\0array": dtype, "shape": shape, "data": data})
            for dtype, shape, data in (
                ("|O", [1], "AAAAAAAAAAA="),
                ("<f4", [-1], "AAAAAA=="),
                ("<f4", [1000000000000], "AAAAAA=="),
                ("<f4", [True], "AAAAAA=="),
                ("<f4", "ab", "AAAAAA=="),
                (["<f4"], [1], "AAAAAA=="),
                ("<f4", [0, 1000000000], ""),
                ("<f4", [1] * 33, "AAAAAA=="),
                ("<f4", [2], "AAAAAA=="),
                ("<f4", [1], 7),
            )
        ),
        '{"\\u0000array": "<f4"}',
        "[" * 200_000 + "]" * 200_000,
    ],
    ids=lambda message: message[14:50],
)
def test_hostile_messages(message):
    with pytest.raises(ValueError, match="The message is malformed"):
        wire.unpack(message.encode())


def test_streams():
    stream = io.BytesIO()
    for tree in ({"a": 1}, [np.arange(3)]):
        wire.write_message(stream, tree)
    stream.seek(0)
    assert wire.read_message(stream) == {"a": 1}
    assert wire.read_message(stream)[0].tolist() == [0, 1, 2]
    with pytest.raises(EOFError, match="closed the connection"):
        wire.read_message(stream)
    with pytest.raises(ValueError, match=r"has 1,000,000 bytes, more than the 10 allowed"):
        wire.read_message(io.BytesIO((10**6).to_bytes(8, "big")), limit=10)


# --- values ---


def ask(value):
    return answers.local_answers({"x": value}).get("x")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (np.float32(0.5), 0.5),
        (np.array(3), 3),
        ((1, "a"), [1, "a"]),
        ({"a": [1, None]}, {"a": [1, None]}),
        ({(1, 2): 3}, {"(1, 2)": 3}),
        ({3}, [3]),
        (pd.Index([4, 5]), [4, 5]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array(["a", 2, None], dtype=object), ["a", 2, None]),
        (np.longdouble(0.5), 0.5),
        (np.bool_(True), True),
    ],
)
def test_values(value, expected):
    assert ask(value) == expected


def test_tables_keep_labels_and_names():
    table = pd.DataFrame(
        {"optimizer": ["adam", "sgd"], "rate": [0.1, 0.2], "v": [0.5, 0.25]}
    ).set_index(["optimizer", "rate"])
    pd.testing.assert_frame_equal(ask(table), table)
    pd.testing.assert_series_equal(ask(table["v"]), table["v"], check_names=False)
    crossed = pd.crosstab(np.array(["a", "b"]), np.array([3, 4]))
    assert ask(crossed).to_dict() == {3: {"a": 1, "b": 0}, 4: {"a": 0, "b": 1}}
    empty = ask(pd.DataFrame({"a": []}))
    assert list(empty.columns) == ["a"]
    assert len(empty) == 0


def test_tensors():
    import tensorflow as tf
    import torch

    for tensor in (torch.ones(2, 3, requires_grad=True), tf.ones((2, 3))):
        np.testing.assert_array_equal(ask(tensor), np.ones((2, 3)))


def test_named_tuples_and_histories():
    import keras

    scores = evaluation.evaluate([0, 1], [0.2, 0.8])
    assert ask(scores) == scores._asdict()
    table = pd.DataFrame({"epoch": [1], "loss": [0.5]})
    pd.testing.assert_frame_equal(ask(History(table)), table)
    fitted = keras.callbacks.History()
    fitted.history, fitted.epoch = {"loss": [0.5]}, [0]
    assert ask(fitted)["loss"].tolist() == [0.5]
    fitted.params = {"epochs": 3}
    assert ask(fitted).attrs == {"epochs": 3, "run": 1}


@pytest.mark.parametrize("twin", [torch_cnn, keras_cnn])
def test_models_of_both_twins_predict_alike_on_the_other_side(twin):
    architecture = Architecture((Conv1D(4, 5, "relu"), GlobalMaxPool()), input_length=30)
    model = twin.build_cnn(architecture, random_state=3)
    X = np.eye(4, dtype=np.float32)[np.random.default_rng(0).integers(4, size=(5, 30))]
    answer = ask(model)
    assert answer.architecture == architecture
    np.testing.assert_allclose(answer.logits(X), twin.predict_logits(model, X), atol=1e-5)
    np.testing.assert_allclose(answer.predict(X), twin.predict(model, X), atol=1e-5)


def test_own_layers_predict_where_they_are():
    import keras
    import torch

    X = np.ones((2, 6, 4), dtype=np.float32)
    linear = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Dropout(0.9), torch.nn.Linear(24, 1))
    answer = ask(linear)
    assert answer.n_parameters == 25
    with torch.inference_mode():  # without the dropout of training
        expected = linear.eval()(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(answer.predict(X), expected, atol=1e-6)
    dense = keras.Sequential([keras.Input((6, 4)), keras.layers.Flatten(), keras.layers.Dense(1)])
    assert ask(dense).predict(X).shape == (2, 1)
    assert ask(dense).n_parameters == 25


def test_spaces():
    space = ask(nas.cnn_model_space())
    assert space.size == 378
    assert space.architecture((0, 0, 6, 1)) == DAY1_CNN
    for tokens in ((0, 0), (0, 0, 6, 9), (0, 0, 6, -1), (0, 0, 6, float("nan"))):
        assert space.architecture(tokens) is None


def test_files_of_models(tmp_path):
    model = torch_cnn.build_cnn(DAY1_CNN)
    torch_cnn.save(model, tmp_path / "a.ckpt")
    for path in (tmp_path / "a.ckpt", str(tmp_path / "a.ckpt")):
        assert ask(path)().architecture == DAY1_CNN
    with pytest.raises(answers.AnswerError, match="FileNotFoundError: No model at"):
        ask(Path("nowhere.keras"))()
    assert ask(Path("a.txt")) == "a.txt"


def test_functions_get_copies_and_return_values():
    def double(x, pair, name):
        assert (pair, name) == ((3, "T"), "n")
        return {"x": 2 * x}

    X = np.ones(3)
    assert ask(double)(X, (3, "T"), "n")["x"].tolist() == [2, 2, 2]
    assert X.tolist() == [1, 1, 1]
    model = ask(torch_cnn.build_cnn(DAY1_CNN, random_state=2))
    X = np.zeros((1, 200, 4), dtype=np.float32)
    logits = ask(lambda model, X: torch_cnn.predict_logits(model, X))(model, X)
    np.testing.assert_allclose(logits, model.logits(X), atol=1e-6)


class Hostile(Exception):
    def __str__(self):
        raise KeyError("no")


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (ValueError("shapes\nand more"), "ValueError: shapes"),
        (SystemExit(2), "SystemExit: 2"),
        (RuntimeError(), "RuntimeError: no message"),
        (Hostile(), "Hostile: no message"),
    ],
)
def test_what_a_function_raises(raised, message):
    def fails():
        raise raised

    with pytest.raises(answers.AnswerError, match=rf"^{message}$"):
        ask(fails)()


def test_what_has_no_plain_form_is_named():
    class Breaks:
        def __getattribute__(self, name):
            raise RuntimeError("do not look")

    assert ask(Breaks()) == answers.UnreadableAnswer("object that cannot be read")
    assert ask(i for i in "ab") == answers.UnreadableAnswer("generator")
    assert ask(int) == answers.UnreadableAnswer("type")
    nested = []
    nested.append(nested)
    assert isinstance(ask(nested), list)


@pytest.mark.parametrize(
    "tree",
    [
        {"kind": "table", "columns": 3},
        {"kind": "table", "names": [[], []], "index": [1], "columns": ["a"], "values": [[1, 2]]},
        {"kind": "model", "framework": "torch", "architecture": None, "weights": {}},
        {"kind": "space", "layers": 4},
        {"kind": "__init__"},
        {"kind": "ask"},
        {"kind": ["list"]},
        {"no kind": 1},
        [1, 2],
    ],
)
def test_malformed_trees_are_opaque(tree):
    asked = answers.Answers(lambda request, seconds: {"value": tree})
    assert isinstance(asked.get("x"), answers.UnreadableAnswer)


@pytest.mark.parametrize("response", [None, 3, {}, {"neither": 1}, []])
def test_a_response_that_is_none(response):
    with pytest.raises(ValueError, match="no answer"):
        answers.Answers(lambda request, seconds: response).get("x")


def test_requests_and_responses():
    server = AnswerServer({"f": lambda x, pair: x.sum() + pair[0]})
    assert server.handle({"op": "get", "name": "f"})["value"]["kind"] == "function"
    arguments = [np.arange(3), [1]]
    assert server.handle({"op": "call", "handle": 0, "arguments": arguments}) == {"value": 4}
    assert "KeyError" in server.handle({"op": "nonsense"})["error"]
