"""A search survives: kills at any moment, damaged and foreign files, a second search beside it."""

import functools
import json
import pickle
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.search_cases import VAL, same_history, search
from workshop import keras_cnn, nas
from workshop.nas.reward import reward_name

ROOT = Path(__file__).resolve().parent.parent
QUICK = nas.ControllerSettings(children_per_step=2, buffering_steps=1, train_pi_iter=1)
CASES = {
    "AMBER": {"controller": QUICK},
    "AMBER with rungs": {"controller": QUICK, "rungs": (1,), "epochs": 2},
    "random": {"method": nas.random_search},
    "halving": {"method": nas.successive_halving, "n_children": 4, "rungs": (1, 2)},
}


class Killed(BaseException):
    """Stands for a kill: nothing in the search catches it."""


# Kills


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("case", CASES)
def test_cut_off_around_each_write_it_ends_with_the_same_history(tmp_path, monkeypatch, case, when):
    trials = 6 if case == "halving" else 4  # two steps, or rungs
    settings = CASES[case] | {"max_trials": trials}
    whole = search(tmp_path / "whole", **settings)
    replace, left = Path.replace, [0]

    def cut(self, target):
        if not target.is_relative_to(tmp_path):  # a file on its way from a worker
            return replace(self, target)
        left[0] -= 1
        if left[0] == 0 and when == "before":
            raise Killed
        moved = replace(self, target)
        if left[0] == 0:
            raise Killed
        return moved

    monkeypatch.setattr(Path, "replace", cut)
    for write in range(1, 2 * trials + 2):  # search.json; for each trial a model and the trials
        left[0] = write
        folder = tmp_path / f"{write}"
        with pytest.raises(Killed):
            search(folder, **settings)
        left[0] = 0
        resumed = search(folder, **settings)
        assert same_history(resumed, whole), f"write {write}"
        assert resumed.token_probabilities.equals(whole.token_probabilities)
    left[0] = 2 * trials + 2
    search(tmp_path / "last", **settings)  # there is no further write


SCRIPT = """
import sys
from tests.search_cases import search
from tests.test_nas_crash import LONG
print("ready", flush=True)
search(sys.argv[1], **LONG)
"""
LONG = {
    "controller": nas.ControllerSettings(children_per_step=2, buffering_steps=2, train_pi_iter=2),
    "max_trials": 16,
    "epochs": 6,
}


def start(folder):
    """A process that searches in `folder` and has just finished a trial."""
    trials = folder / "trials.json"
    before = trials.stat().st_mtime_ns if trials.exists() else None
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    while not trials.exists() or trials.stat().st_mtime_ns == before:
        assert process.poll() is None
        time.sleep(0.01)
    return process


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.slow
def test_killed_with_minus_9_and_resumed(tmp_path):
    whole = search(tmp_path / "whole", **LONG)
    rng, folder, kept = np.random.default_rng(0), tmp_path / "killed", 0
    for _ in range(3):
        process = start(folder)
        with pytest.raises(RuntimeError, match=r"Another search is running in "):
            search(folder, **LONG)
        time.sleep(rng.uniform(0, whole.seconds / 8))  # within the next trial or two
        kill(process)
        assert len(nas.read_history(folder)) > kept  # nothing is lost, and each got on
        kept = len(nas.read_history(folder))
    assert same_history(search(folder, **LONG), whole)


def test_what_a_killed_writer_left_is_swept_up(tmp_path):
    search(tmp_path, max_trials=2)
    leftovers = [
        tmp_path / ".trials.77.part.json",
        tmp_path / "models/.trial-3.77.part.ckpt",
        tmp_path / ".data-0123.npz",
    ]
    for path in leftovers:
        path.write_bytes(b"half")
    search(tmp_path, max_trials=3)
    assert not any(path.exists() for path in leftovers)


@pytest.mark.parametrize("case", CASES)
def test_more_trials_later_are_the_same_as_at_once(tmp_path, monkeypatch, case):
    at_once = search(tmp_path / "a", max_trials=9, **CASES[case])
    for trials in (1, 4, 9):
        later = search(tmp_path / "b", max_trials=trials, **CASES[case])
        assert len(later.history) == trials
    assert same_history(later, at_once)
    assert nas.read_history(tmp_path / "b").equals(later.history)
    monkeypatch.setattr(nas.Controller, "propose", None)  # finished: it is not even replayed
    fewer = search(tmp_path / "b", max_trials=2, **CASES[case])
    assert len(fewer.history) == 9  # nothing is taken away
    with pytest.raises(FileExistsError, match=r"holds a search. Pass resume=True"):
        search(tmp_path / "b", max_trials=9, resume=False, **CASES[case])


@pytest.mark.parametrize("case", CASES)
def test_a_search_that_is_proposed_differently_here_is_refused(tmp_path, case):
    """As with another Torch, whose update gives other weights."""
    search(tmp_path, max_trials=3, **CASES[case])
    described, file = tmp_path / "search.json", tmp_path / "trials.json"
    described.write_text(described.read_text().replace(torch.__version__, "1.0.0"))
    content = json.loads(file.read_text())
    content["trials"][1]["tokens"] = [1 - token for token in content["trials"][1]["tokens"]]
    file.write_text(json.dumps(content))
    with pytest.raises(
        ValueError, match=r"its trial 2 has the tokens .* began with .*1\.0\.0.*; he"
    ):
        search(tmp_path, max_trials=4, **CASES[case])
    assert json.loads(file.read_text()) == content
    assert len(nas.read_history(tmp_path)) == 3


def test_failures_survive_as_well(tmp_path):
    def moody(y_true, y_score):
        if y_score.mean() > 0.5:
            raise RuntimeError("too sure")
        return 0.7

    whole = search(tmp_path / "a", reward=moody, max_trials=8)
    search(tmp_path / "b", reward=moody, max_trials=5)
    again = search(tmp_path / "b", reward=moody, max_trials=8)
    assert set(whole.history["status"]) == {"ok", "failed"}
    assert same_history(again, whole)


# Another search in the folder


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"epochs": 2}, "its epochs is 1, this call says 2"),
        ({"reward": "loss"}, 'its reward is "auroc", this call says "loss"'),
        ({"method": nas.random_search}, 'its method is "AMBER", this call says "random search"'),
        ({"val": (VAL[0], 1 - VAL[1])}, r'its data is "\[\(64, 24, 4\)'),
        ({"controller": QUICK}, "its controller.children_per_step is 3, this call says 2"),
        ({"space": nas.cnn_model_space()}, r"its space is|its space\[0\]"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_another_search_is_named_and_left_alone(tmp_path, changed, message):
    search(tmp_path, max_trials=2)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match=f"holds another search: {message}"):
        search(tmp_path, max_trials=2, **changed)
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before


def weighted(y_true, y_score, *, weight=1.0):
    return float(weight * np.mean((y_score > 0.5) == y_true))


CHANGED = {  # what stands for W is 1 in one reward and 2 in the other
    "source": "def reward(y, p): return W",
    "lambda": "reward = [lambda y, p: sum(W for _ in p), lambda y, p: 3][0]",
    "global": "w = W\ndef reward(y, p): return w",
    "in a comprehension": "w = W\ndef reward(y, p): return [w for _ in p]",
    "array": "w = np.arange(5000) * W\ndef reward(y, p): return w.sum()",
    "dict": "w = {'a': (W,)}\ndef reward(y, p): return w['a'][0]",
    "enclosed": "def make(w): return lambda y, p: w\nreward = make(W)",
    "built in": "w = [str.lower, str.upper][W - 1]\ndef reward(y, p): return w",
    "default": "w = W\ndef reward(y, p, w=w): return w",
    "keyword": "w = W\ndef reward(y, p, *, w=w): return w",
    "function": "def g(): return W\ndef f(): return g()\ndef reward(y, p): return f()",
    "cached": "@functools.cache\ndef f(): return W\ndef reward(y, p): return f()",
    "wrapper": """
def twice(f):
    @functools.wraps(f)
    def g(y, p): return W * f(y, p)
    return g
@twice
def reward(y, p): return 1""",
    "partial": "def f(y, p, w): return w.sum()\nreward = functools.partial(f, w=np.ones(3000) * W)",
    "attribute": "class R:\n w = W\n def __call__(self, y, p): return self.w\nreward = R()",
    "instance": """
class R:
    def __init__(self, w): self.w = w
    def score(self, y, p): return self.w
reward = R(W).score""",
    "base": "class A:\n w = W\nclass R(A):\n def __call__(s, y, p): return s.w\nreward = R()",
    "set": "w = {'a', 'b', 'cW'}\ndef reward(y, p): return len(w)",
}


@pytest.mark.parametrize("kind", CHANGED)
def test_a_reward_is_known_by_its_source_and_what_it_looks_up(tmp_path, kind):
    def name(w):
        text = "import functools\nimport numpy as np\n" + CHANGED[kind].replace("W", w)
        (tmp_path / "mine.py").write_text(text)
        return reward_name(runpy.run_path(tmp_path / "mine.py", run_name="mine")["reward"])

    assert name("1") == name("1") != name("2")
    assert name("1").startswith("mine.")


def test_the_name_of_a_reward_is_the_same_in_another_session(tmp_path):
    lines = [
        "import torch, functools, numpy as np",
        "from sklearn.metrics import roc_auc_score",
        "from workshop.nas.reward import reward_name",
        "log, names, net, rng = [object()], {'a', 'b', 'c'}, torch.nn.Linear(2, 1), iter([])",
        "def reward(y, p, *more): return roc_auc_score(y, p), names, log, net, next(rng), np.mean",
        "print(reward_name(functools.partial(reward, np.random.default_rng(), print)))",
    ]
    (tmp_path / "mine.py").write_text("\n".join(lines))
    run = functools.partial(subprocess.check_output, [sys.executable, tmp_path / "mine.py"])
    one, other = (run(env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}) for seed in "12")
    assert one == other


def test_another_reward_does_not_go_on_with_a_search_but_one_that_keeps_a_log_does(tmp_path):
    half, whole = (functools.partial(weighted, weight=weight) for weight in (0.5, 1.0))
    search(tmp_path / "s", reward=half, max_trials=1)
    with pytest.raises(ValueError, match=r"its reward is .*weighted \w+\", this call"):
        search(tmp_path / "s", reward=whole, max_trials=1)

    log = []

    def reward(y_true, y_score):
        log.append(y_score)
        return len(log)

    for trials in (1, 2):
        assert len(search(tmp_path / "l", reward=reward, max_trials=trials).history) == trials


def test_a_folder_without_a_trial_is_free_for_another_search(tmp_path):
    def stop(y_true, y_score):
        raise KeyboardInterrupt

    assert len(search(tmp_path, reward=stop).history) == 0
    with pytest.raises(FileNotFoundError, match="No search has finished a trial in"):
        nas.read_history(tmp_path)
    assert len(search(tmp_path, max_trials=2, resume=False).history) == 2


def test_the_caller_may_move_to_another_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    result = search("here", callbacks=[lambda trial: monkeypatch.chdir(tmp_path / "elsewhere")])
    assert len(nas.read_history(tmp_path / "here")) == 4
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert nas.load_model(result).architecture == result.best.architecture


def test_a_full_disk_is_no_fault_of_the_child(tmp_path, monkeypatch):
    whole = search(tmp_path / "whole", max_trials=6, controller=QUICK)
    save, calls = torch.save, iter(range(100))

    def full(checkpoint, path):
        if next(calls) == 3:
            raise RuntimeError("unexpected pos 1472 vs 1366")  # as Torch says it
        return save(checkpoint, path)

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match=r"trial-4\.ckpt could not be written .* disk full"):
        search(tmp_path / "full", max_trials=6, controller=QUICK)
    assert len(nas.read_history(tmp_path / "full")) == 3
    assert same_history(search(tmp_path / "full", max_trials=6, controller=QUICK), whole)


# Damaged and foreign files


@pytest.mark.parametrize("content", ["", "[]", "half", "later", "gone"])
@pytest.mark.parametrize("name", ["trials.json", "search.json"])
def test_a_damaged_file_is_named_and_left_alone(tmp_path, name, content):
    search(tmp_path, max_trials=2)
    file, good = tmp_path / name, (tmp_path / name).read_text()
    later = good.replace('"step"', '"invented"').replace("workshop.nas", "workshop.new")
    content = {"half": good[: len(good) // 2], "later": later}.get(content, content)
    file.write_text(content)
    if content == "gone":
        file.unlink()
    if (name, content) == ("trials.json", "gone"):  # as the message says: it begins anew
        assert len(search(tmp_path, max_trials=1).history) == 1
        return
    with pytest.raises(ValueError, match=rf"{name} is damaged, or no search of this version"):
        search(tmp_path, max_trials=3)
    assert content == "gone" or file.read_text() == content
    if name == "trials.json":
        with pytest.raises(ValueError, match=r"trials\.json is damaged"):
            nas.read_history(tmp_path)


def test_a_damaged_model_is_named(tmp_path):
    result = search(tmp_path, max_trials=3)
    path = tmp_path / f"models/trial-{result.best.trial}.ckpt"
    good = path.read_bytes()
    for content in (b"", good[:-20], pickle.dumps(print)):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=path.name):
            nas.load_model(result)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="No model at"):
        nas.load_model(result)


def test_a_survivor_without_its_model(tmp_path):
    halving = {"method": nas.successive_halving, "n_children": 4, "rungs": (1, 3)}
    best = search(tmp_path, max_trials=4, **halving).best
    (tmp_path / f"models/trial-{best.trial}.ckpt").unlink()
    with pytest.raises(FileNotFoundError, match=rf"trial-{best.trial}\.ckpt"):
        search(tmp_path, max_trials=5, **halving)


def test_what_is_on_disk_is_plain_data(tmp_path):
    result = search(tmp_path, max_trials=3, controller=QUICK, framework="keras")
    assert {path.name for path in tmp_path.iterdir()} == {
        *("search.json", "trials.json", "models", "search.lock"),
    }
    plain = json.loads((tmp_path / "trials.json").read_text())["trials"]
    assert [one["tokens"] for one in plain] == [list(t) for t in result.history["tokens"]]
    assert [one["reward"] for one in plain] == list(result.history["reward"])
    assert isinstance(nas.load_model(result), keras_cnn.SequenceCNN)
