"""`workshop.homework`: right answers in any form get their points, wrong ones a hint."""

import inspect
import math
import re
from collections import Counter
from dataclasses import replace
from functools import partial

import keras
import numpy as np
import pandas as pd
import pytest
import torch
from bs4 import BeautifulSoup
from scipy.special import softmax

from tests import homework_cases_day1, homework_cases_day2
from tests.homework_cases import CASES
from workshop import homework, nas, plot, torch_cnn
from workshop.architecture import DAY1_CNN, Architecture, Conv1D, GlobalMaxPool
from workshop.evaluation import auroc
from workshop.homework import drawings, targets
from workshop.homework.course_data import course
from workshop.training import History

EXTENDED = [key for key, practice in homework.PRACTICES.items() if practice.points]


def cases(kind):
    return [
        pytest.param(key, label, id=f"{key}-{label}")
        for key in EXTENDED
        for label in CASES[key][kind]
    ]


@pytest.fixture(autouse=True)
def fresh_session(monkeypatch):
    monkeypatch.setattr(homework, "_verdicts", {})
    monkeypatch.setattr(homework, "_failures", Counter())
    monkeypatch.delenv("WORKSHOP_GRADING", raising=False)


@pytest.fixture
def seeds(request):
    """One in CI; ten with ``--seeds 10``: points do not depend on the draw, if there is one."""
    n, named = request.config.getoption("--seeds"), getattr(request.node, "callspec", None)
    check = homework.PRACTICES[named.params["practice_id"] if named else "2.P3.3"].check
    return range(n if inspect.getsource(check).count("rng") > 1 else 1)


@pytest.fixture(autouse=True)
def planted(monkeypatch, request):
    """In the cases of Day 2's searches no child is trained; see `homework_cases_day2.plant`."""
    named = getattr(request.node, "callspec", None) and request.node.callspec.params
    if named and named.get("practice_id") in ("2.6.3", "2.6.4"):
        monkeypatch.setattr(torch_cnn, "fit", homework_cases_day2.plant)
        monkeypatch.setattr(targets, "GOOD_AUROC", 0.6)  # half a motif is not worth more


@pytest.mark.parametrize(("practice_id", "label"), cases("right"))
def test_right_answer(practice_id, label, seeds):
    answers = CASES[practice_id]["right"][label]()
    for seed in seeds:
        verdict = homework.check(practice_id, *answers, random_state=seed)
        assert verdict.points == 10, str(verdict)
        assert verdict.passed
        assert verdict.done
        assert sum(remark.out_of for remark in verdict.remarks) == 10


@pytest.mark.parametrize(("practice_id", "label"), cases("wrong"))
def test_wrong_answer(practice_id, label, seeds):
    answers = CASES[practice_id]["wrong"][label]()
    hints = []
    for seed in seeds:
        verdict = homework.check(practice_id, *answers, random_state=seed)
        assert verdict.points < 10, str(verdict)
        assert not verdict.passed
        hints += [remark.text for remark in verdict.remarks if not remark.right]
    assert len(hints) >= len(seeds)
    for hint in hints:
        assert re.fullmatch(r"[A-Za-z0-9].{14,}[.?]", hint), hint
        assert "cannot be read" not in hint  # the last resort: nobody thought of this form


def test_there_are_enough_answers_of_each_kind():
    assert set(CASES) == set(EXTENDED)
    assert len(EXTENDED) == 10
    for key in EXTENDED:
        assert homework.PRACTICES[key].points == 10
        assert len(CASES[key]["wrong"]) >= 25, key
        assert len(CASES[key]["right"]) >= 12, key


def test_practices_stand_in_the_order_of_the_lessons():
    ids = list(homework.PRACTICES)
    assert ids[:3] == ["1.P1.1", "1.P1.2", "1.P1.3"]
    assert ids[8:12] == ["1.P3.3", "1.P4.1", "1.6.1", "1.6.2"]
    assert ids[15] == "2.P1.1"


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("transposed", "exchanged"),
        ("labelled_the_other_way_round", "exchanged"),
        ("strictly_above_a_half", "A score of at least 0.5"),
        ("mistakes_of_either", "shared are those of both"),
        ("where_of_two_axes", "np.where of (N, 1)"),
    ],
)
def test_a_hint_fits_the_mistake(label, words):
    assert words in str(homework.check("1.6.2", *CASES["1.6.2"]["wrong"][label]()))


@pytest.mark.parametrize(
    ("practice_id", "answers"),
    [
        ("1.6.1", (None, None, None, None)),
        ("1.6.2", (lambda y, a, b: (None, None),)),
        ("1.6.2", (lambda y, a, b: None,)),
        ("1.6.3", (None, None, None)),
        ("1.6.4", (None, None)),
        ("1.6.5", (None, None)),
        ("2.6.1", (lambda model, X: None, None, None)),
        ("2.6.2", (None, {"largest importance": None}, "", None)),
        ("2.6.3", (None, None)),
        ("2.6.4", (lambda y_true, y_score: None, None)),
        ("2.6.5", (lambda model, X: None,)),
        ("1.P1.1", ({"train": None, "val": None, "test": None},)),
        ("1.P1.3", (lambda seq: None, lambda x: None)),
        ("2.P2.2", (lambda y_true, y_score, architecture: None, None)),
        ("2.P4.1", (lambda layers: None, lambda layers: None)),
        ("2.P5.1", (lambda theta, action, reward, baseline, learning_rate: None,)),
        ("2.P3.2", (lambda importance, width: None,)),
    ],
)
def test_a_stub_is_not_done_yet(practice_id, answers):
    verdict = homework.check(practice_id, *answers)
    assert not verdict.done
    assert verdict.points == 0
    assert str(verdict).startswith(f"{practice_id}: not done yet.\n  · ")


def test_inputs_are_new_each_time_and_can_be_repeated():
    seen = []

    def answer(y, a, b):
        seen.append(a.copy())
        return homework_cases_day1.two_by_two_array_and_list(y, a, b)

    for seed in (None, None, 7, 7):
        homework.check("1.6.2", answer, random_state=seed)
    first, second, third, fourth = (np.concatenate(seen[i : i + 6]) for i in range(0, 24, 6))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(third, fourth)


def test_answers_are_not_changed():
    table = homework_cases_day1.optimisation_table().head(3)  # rejected before anything is trained
    before = table.copy()
    assert "9 combinations are missing" in str(homework.check("1.6.4", table, None))
    pd.testing.assert_frame_equal(table, before)


def test_a_function_that_raises_or_exits_ends_nothing():
    text = str(homework.check("1.6.2", lambda y, a, b: 1 / 0))
    assert "Your code raised ZeroDivisionError: division by zero" in text
    assert homework.check("1.6.2", lambda y, a, b: exit(3)).points == 0


def test_an_unthought_of_form_costs_points_only():
    class Odd:
        pass

    for practice_id, practice in homework.PRACTICES.items():
        for odd in (Odd(), object, np.zeros((0, 3)), "text", [[]], {1: 2}, float("nan"), [1, "a"]):
            verdict = homework.check(practice_id, *[odd] * len(practice.names))
            assert verdict.points < 3, (practice_id, odd, str(verdict))
            assert not verdict.passed


class Hostile:
    def __repr__(self):
        raise ValueError

    __str__ = __len__ = __repr__


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.zeros((4000, 4000)), r"ndarray of shape \(4000, 4000\): too large"),
        (pd.DataFrame(np.zeros((500_000, 10))), r"DataFrame of shape \(500000, 10\): too large"),
        (torch.zeros(3000, 3000), r"Tensor of shape \(3000, 3000\): too large"),
        ([[0.0] * 3000] * 3000, "list of length 3,000: too large"),
        (range(10**9), "range of length 1,000,000,000: too large"),
        ("x" * 10**8, "str of length 100,000,000: too large"),
        ({"x" * 10**8: 1}, "dict of length 1: too large"),
        (10**4999, "int of 5,000 digits"),
        (10**400, "int of 401 digits"),
        (1j, "type complex"),
        (Hostile(), "type Hostile"),
        (nested(10_000), "a list"),
        ({float("nan"): {Hostile()}}, "cannot be read|dict"),
        (np.array([1j]), "list"),
    ],
    ids=lambda one: one[:12] if isinstance(one, str) else type(one).__name__,
)
def test_an_oversized_or_odd_value_is_named(value, said):
    text = str(homework.check("2.6.5", lambda model, X: value))
    assert re.search(f"what explain returns must be .* it is .*({said})", text), text
    text = str(homework.check("2.6.4", lambda y, s: value, None))
    assert re.search(f"what my_reward returns must be one number; it is .*({said})", text), text


def test_of_two_answers_the_one_that_is_too_large_is_named():
    text = str(homework.check("1.6.2", lambda y, a, b: (np.zeros((4000, 4000)), [])))
    assert "The agreement table must be" in text
    assert "ndarray of shape (4000, 4000): too large" in text


def test_logits_are_named():
    text = str(homework.check("1.6.1", *homework_cases_day1.on_logits()))
    assert text.count("logits (numbers beyond 0 and 1): take their sigmoid first.") == 3


# --- the practices in the text ---


def encode(seq):
    return [[float(base == letter) for base in "ACGT"] for letter in seq.upper()]


def decode(x):
    return "".join("ACGT"[int(np.argmax(row))] if np.any(row) else "N" for row in x)


def focus(importance, width):
    return max(range(len(importance) - width + 1), key=lambda i: sum(importance[i : i + width]))


def by_part(change):
    parts = ("train", "val", "test")
    return {part: change(getattr(course(), f"X_{part}").mean(axis=(0, 1))) for part in parts}


def by_label(**labels):
    data = course()
    return {k: data.X_train[data.y_train[:, 0] == i].mean(axis=(0, 1)) for k, i in labels.items()}


def label_shares(statistic):
    return {part: statistic(getattr(course(), f"y_{part}")) for part in ("train", "val", "test")}


def shapes(conv, pool):
    return {"conv": conv, "pool": pool, "mean": (64, 32), "output": (64, 1)}


RUN = pd.DataFrame({"val_loss": [0.7, 0.5, 0.6], "val_auroc": [0.6, 0.7, 0.9]})
MAX = Architecture((*DAY1_CNN.layers[:2], GlobalMaxPool()))


def flatten_cnn(kernel_size=7):
    conv = keras.layers.Conv1D(32, kernel_size, padding="same", activation="relu")
    pool, dense = keras.layers.MaxPooling1D(4), keras.layers.Dense(1)
    return keras.Sequential([keras.Input((200, 4)), conv, pool, keras.layers.Flatten(), dense])


def runs(sgd_rate):
    """One thing changes from run to run, unless SGD has another rate than the first one."""
    settings = [(DAY1_CNN, "adam", 0.001), (MAX, "adam", 0.001), (MAX, "adam", 0.01)]
    settings.append((DAY1_CNN, "sgd", sgd_rate))
    names = ("architecture", "optimizer", "learning_rate")
    return {str(i): dict(zip(names, row, strict=True)) for i, row in enumerate(settings)}


def comparison(last):
    return pd.DataFrame({"val_auroc": [0.79, 0.94, 0.9, last]}, index=list(runs(0.001)))


def cheapest_threshold(part, miss=5):
    y = getattr(course(), f"y_{part}") == 1
    p = homework_cases_day1.predict(homework_cases_day1.CountsGC(), getattr(course(), f"X_{part}"))
    grid = np.arange(1, 100) / 100
    costs = [miss * np.sum(y & (p < t)) + np.sum(~y & (p >= t)) for t in grid]
    return grid[np.argmin(costs)]


def deeper_space():
    dense = [nas.Operation("dense", units=16, activation="relu"), nas.Operation("identity")]
    space = nas.cnn_model_space()
    return nas.ModelSpace.from_dict([*(space[i] for i in range(4)), dense])


def with_changes(*changes):
    day1 = {"tokens": [0, 0, 6, 1], "optimizer": "adam", "learning_rate": 0.001, "batch_size": 64}
    return {f"run {i}": day1 | change for i, change in enumerate([{}, *changes])}


def reinforced(theta, action, reward, baseline, learning_rate):
    return theta + learning_rate * (reward - baseline) * (
        np.eye(len(theta))[action] - softmax(theta)
    )


TEXT = {  # a right and a wrong answer
    "1.P1.1": (lambda: (label_shares(np.mean),), lambda: (label_shares(np.sum),)),
    "1.P1.2": (
        lambda: (by_part(list), by_label(negative=0, positive=1)),
        lambda: (by_part(lambda one: one[::-1]), by_label(negative=1, positive=0)),
    ),
    "1.P1.3": (lambda: (encode, decode), lambda: (lambda seq: np.array(encode(seq)).T, decode)),
    "1.P2.3": (lambda: (1, History(RUN)), lambda: (2, History(RUN))),
    "1.P3.1": (
        lambda: (shapes([64, 32, 200], (64, 32, 50)),),
        lambda: (shapes((64, 200, 32), (64, 50, 32)),),
    ),
    "1.P2.2": (lambda: (flatten_cnn(),), lambda: (flatten_cnn(kernel_size=9),)),
    "1.P3.2": (
        lambda: (MAX,),
        lambda: (Architecture((Conv1D(2, 7, "relu", padding="same"), *DAY1_CNN.layers[1:])),),
    ),
    "1.P3.3": (
        lambda: (runs(sgd_rate=0.001), comparison(last=0.5688)),
        lambda: (runs(sgd_rate=0.001), comparison(last=0.7675)),  # as at a rate of 0.1
    ),
    "1.P4.1": (
        lambda: (cheapest_threshold("val"), homework_cases_day1.CountsGC()),
        lambda: (cheapest_threshold("val", miss=1), homework_cases_day1.CountsGC()),
    ),
    "2.P1.3": (
        lambda: (deeper_space(), [0, 0, 6, 1, 0]),
        lambda: (deeper_space(), [0, 0, 6, 1, 1]),
    ),
    "2.P1.1": (
        lambda: (
            with_changes({"tokens": [0, 0, 6, 2]}, {"batch_size": 512}, {"optimizer": "sgd"}),
        ),
        lambda: (
            with_changes({"tokens": [1, 0, 6, 2]}, {"batch_size": 512}, {"optimizer": "sgd"}),
        ),
    ),
    "2.P2.2": (
        lambda: (lambda y, s, a: auroc(y, s) - 0.05 * np.log10(a.n_parameters()), None),
        lambda: (lambda y, s, a: auroc(y, s) - 0.05 * np.log(a.n_parameters()), None),
    ),
    "2.P4.1": (
        lambda: (lambda s: math.prod(map(len, s)), lambda s: list(np.ndindex(*map(len, s)))),
        lambda: (lambda s: math.prod(map(len, s)), lambda s: list(np.ndindex(*map(len, s)))[1:]),
    ),
    "2.P5.1": (
        lambda: (reinforced,),
        lambda: (lambda theta, a, R, b, rate: reinforced(theta, a, R, 0, rate),),
    ),
    "2.P3.2": (
        lambda: (focus,),
        lambda: (lambda importance, width: focus(importance[:-1], width),),
    ),
}


def tokens_by_recursion(layers):
    """It takes the list apart, as one may with a list of lists."""
    if layers == []:
        return [()]
    first, rest = layers.copy().pop(0), layers[1:]
    return [(i, *tokens) for i in range(len(first)) for tokens in tokens_by_recursion(rest)]


def reinforced_if(change):
    """The step, with something else for the reward minus the baseline."""
    return lambda theta, a, R, b, rate: reinforced(theta, a, change(R - b), 0, rate)


def focus_of_the_positive(importance, width):
    return focus([max(one, 0) for one in importance], width)


def skips_n(seq):
    x, i = np.zeros((len(seq), 4)), 0
    for letter in seq.upper().replace("N", ""):
        x[i, "ACGT".index(letter)], i = 1, i + 1
    return x


def n_at_the_end(x):
    return "".join("ACGT"[i] for i in np.nonzero(x)[1]).ljust(len(x), "N")


def runs_and_one_batch():
    """One row has a setting that the others leave to fit."""
    more = {"batch": {"architecture": DAY1_CNN, "batch_size": 256}} | runs(sgd_rate=0.001)
    return more, pd.concat([pd.DataFrame({"val_auroc": [0.7]}, ["batch"]), comparison(last=0.5688)])


TABLES = pd.DataFrame(by_part(list)), pd.DataFrame(by_label(negative=0, positive=1))
BY_PLACE = {part: getattr(course(), f"X_{part}").mean(axis=0) for part in by_part(list)}
GUESSED = [one | {"guess": "better"} for one in ({"batch_size": 512}, {"optimizer": "sgd"})]
HALF_TOKEN = {"tokens": [0, 0, 6, 1.7]}
MORE_TEXT = [
    ("1.P1.2", True, lambda: TABLES),
    ("1.P1.2", False, lambda: (BY_PLACE, by_label(negative=0, positive=1))),
    ("1.P1.3", False, lambda: (skips_n, decode)),
    ("1.P1.3", False, lambda: (encode, n_at_the_end)),
    ("1.P3.2", False, lambda: (Architecture((*DAY1_CNN.layers[:2], *DAY1_CNN.layers)),)),
    ("1.P3.3", True, runs_and_one_batch),
    ("2.P1.1", True, lambda: (with_changes({"tokens": [0, 0, 6, 2]}, *GUESSED),)),
    ("2.P4.1", True, lambda: (lambda s: math.prod(map(len, s)), tokens_by_recursion)),
    ("2.P1.1", False, lambda: (with_changes(HALF_TOKEN, *GUESSED),)),
    ("2.P5.1", False, lambda: (reinforced_if(abs),)),
    ("2.P5.1", False, lambda: (reinforced_if(lambda advantage: min(advantage, 0)),)),
    ("2.P5.1", False, lambda: (reinforced_if(lambda advantage: max(advantage, 0)),)),
    ("2.P5.1", False, lambda: (lambda theta, a, *given: reinforced(theta, 1, *given),)),
    ("2.P3.2", False, lambda: (focus_of_the_positive,)),
]


@pytest.mark.parametrize(("practice_id", "right", "answers"), MORE_TEXT)
def test_practices_in_the_text_in_other_styles(practice_id, right, answers, seeds):
    for seed in seeds:
        verdict = homework.check(practice_id, *answers(), random_state=seed)
        assert verdict.passed == right
        assert "cannot be read" not in str(verdict)


@pytest.mark.parametrize("practice_id", TEXT)
def test_practices_in_the_text(practice_id):
    right, wrong = TEXT[practice_id]
    assert homework.check(practice_id, *right()).passed
    verdict = homework.check(practice_id, *wrong())
    assert verdict.done
    assert not verdict.passed
    assert verdict.state == "not yet right"


def test_a_model_keeps_its_mode():
    model = homework_cases_day1.CountsGC().train()
    homework.check("1.6.1", *homework_cases_day1.evaluated(torch_model=model))
    assert model.training


@pytest.mark.parametrize(
    ("broken", "hint"),
    [
        (lambda seq: encode(seq.replace("N", "A")), "An N is not encoded"),
        (lambda seq: [[float(b == s) for b in "ACGT"] for s in seq], "Lower case is not"),
        (lambda seq: [row[::-1] for row in encode(seq)], "the channels are A, C, G, T"),
    ],
)
def test_one_hot_hints(broken, hint):
    assert hint in str(homework.check("1.P1.3", broken, decode))


def test_a_child_that_did_not_finish_is_named():
    text = str(homework.check("2.6.4", *CASES["2.6.4"]["wrong"]["mended_after_its_search"]()))
    assert "Child 1 did not finish: its history has the reason." in text


def test_score_two(seeds):
    def score_two(model, x, first, second, sign=1):
        mutant = x.copy()
        for position, letter in (first, second):
            mutant[position] = np.eye(4)["ACGT".index(letter)]
        before, after = torch_cnn.predict_logits(model, np.stack([x, mutant]))[:, 0]
        return sign * (after - before)

    def one_by_one(model, x, first, second):
        return score_two(model, x, first, first) + score_two(model, x, second, second)

    for seed in seeds:  # drawn so that the two changes interact
        checked = partial(homework.check, "2.P3.3", random_state=seed)
        assert checked(score_two).passed
        assert "sign" in str(checked(lambda *args: score_two(*args, sign=-1)))
        assert "the sum of the two" in str(checked(one_by_one))
        assert not checked(lambda m, x, a, b: score_two(m, x, a, a)).passed


# --- what is shown ---


def test_scoreboard():
    assert homework.scoreboard().out_of == 100
    homework.check("1.6.2", *CASES["1.6.2"]["right"]["where_and_a_set"]())
    homework.check("1.P1.3", encode, lambda x: "A")
    board = homework.scoreboard()
    assert (board.points, board.out_of) == (10, 50)
    assert list(board.table["practice"]) == [key for key in homework.PRACTICES if key[0] == "1"]
    states = dict(zip(board.table["practice"], board.table["state"], strict=True))
    assert states["1.6.2"] == "10 of 10"
    assert states["1.P1.3"] == "not yet right"
    assert states["1.6.1"] == "not done yet"
    assert str(board).splitlines()[-1].endswith("10 of 50 points")
    page = BeautifulSoup(board._repr_html_(), "html.parser")
    rows = page.find_all("tr")
    assert len(rows) == 1 + 15 + 1
    assert " ".join(rows[-1].text.split()) == "total 10 of 50 points"
    homework.check("1.6.2", *CASES["1.6.2"]["wrong"]["constant"]())
    assert homework.scoreboard().points == 0  # the latest answer counts


def test_a_verdict_escapes_what_students_wrote():
    def answer(y, a, b):
        raise ValueError("<script>alert(1)</script>")

    shown = homework.check("1.6.2", answer)._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_unknown_practice_and_wrong_number_of_answers():
    with pytest.raises(ValueError, match=r"must be one of 1\.P1\.1, .*; got '1\.6\.9'"):
        homework.check("1.6.9", 1)
    with pytest.raises(TypeError, match=r'check\("1\.6\.4", optimisation_table, best_setting\)'):
        homework.check("1.6.4", None)


def test_in_a_graders_process_nothing_is_checked(monkeypatch):
    monkeypatch.setenv("WORKSHOP_GRADING", "1")

    def answer(y, a, b):
        raise AssertionError("called")

    verdict = homework.check("1.6.2", answer)
    assert not verdict.done
    assert homework.scoreboard().points == 0


# --- what follows a verdict: why, a last hint, a drawing ---


@pytest.fixture
def told(monkeypatch):
    """A practice whose texts and drawing are known."""
    texts = {"why": "Shares are means.", "last_hint": "Take the mean."}
    changed = replace(homework.PRACTICES["1.P1.1"], **texts)
    monkeypatch.setitem(homework.PRACTICES, "1.P1.1", changed)
    drawing = plot.bars({"train": 1}), "A caption."
    monkeypatch.setitem(drawings.DRAWINGS, "1.P1.1", lambda shares: drawing)


def test_why_and_a_last_hint_after_three_failures(told):
    good, bad = TEXT["1.P1.1"]
    assert str(homework.check("1.P1.1", *good())).endswith("\n  → Shares are means.")
    hints = [str(homework.check("1.P1.1", *bad())).count("→ A last hint: Take") for _ in range(4)]
    assert hints == [0, 0, 1, 1]


def test_a_right_answer_is_drawn_when_it_is_displayed(told, monkeypatch, capsys):
    good, bad = TEXT["1.P1.1"]
    homework.check("1.P1.1", *good())
    homework.check("1.P1.1", *bad())._ipython_display_()
    assert "A caption." not in capsys.readouterr().out
    homework.check("1.P1.1", *good())._ipython_display_()
    assert "A caption." in capsys.readouterr().out
    monkeypatch.setitem(drawings.DRAWINGS, "1.P1.1", lambda shares: 1 / 0)
    homework.check("1.P1.1", *good())._ipython_display_()
    assert "could not be drawn (ZeroDivisionError: division by zero)." in capsys.readouterr().out


def test_a_function_that_changes_what_it_is_given_is_told():
    def answer(y, a, b):
        a[a >= 0.5] = 1
        return homework_cases_day1.two_by_two_array_and_list(y, a, b)

    assert "has been changed: work on a copy" in str(homework.check("1.6.2", answer))


@pytest.mark.parametrize(
    ("practice_id", "label"),
    [
        ("1.P1.2", ""),
        ("1.P4.1", ""),
        ("1.6.3", "of_keras_itself"),
        ("1.6.4", "a_table_with_an_index"),
        ("1.6.4", "a_dict_of_lists"),
    ],
)
def test_a_right_answer_is_drawn_in_any_form(practice_id, label, capsys):
    make = CASES[practice_id]["right"][label] if label else TEXT[practice_id][0]
    plot.show(*drawings.DRAWINGS[practice_id](*make()))
    assert len(capsys.readouterr().out) > 30  # its caption


def test_two_models_are_drawn():
    y = course().y_test
    _, caption = drawings.DRAWINGS["1.6.2"](None, 0.2 + 0.6 * y, 0.8 - 0.6 * y)
    assert caption.endswith("Of 0 shared mistakes 0 would be chance.")
