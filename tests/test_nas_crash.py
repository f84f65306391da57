"""A search survives: kills at any moment, damaged and foreign files, a second search beside it."""

import json
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.search_cases import VAL, same_history, search
from workshop import keras_cnn, nas, torch_cnn
from workshop.nas.results import Record

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
    whole = search(tmp_path / "whole", max_trials=6, **CASES[case])
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
    for write in range(1, 14):  # search.json, then a model and a checkpoint for each trial
        left[0] = write
        folder = tmp_path / f"{write}"
        with pytest.raises(Killed):
            search(folder, max_trials=6, **CASES[case])
        left[0] = 0
        resumed = search(folder, max_trials=6, **CASES[case])
        assert same_history(resumed, whole), f"write {write}"
        assert resumed.token_probabilities.equals(whole.token_probabilities)
    left[0] = 14
    search(tmp_path / "last", max_trials=6, **CASES[case])  # there is no further write


SCRIPT = """
import sys
from tests.search_cases import search
from workshop import nas
settings = nas.ControllerSettings(children_per_step=2, buffering_steps=2, train_pi_iter=2)
print("ready", flush=True)
result = search(sys.argv[1], controller=settings, max_trials=24, epochs=6)
print(result.stopped, len(result.history))
"""


def start(folder):
    """A process that searches in `folder`, as soon as it has imported everything."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


def last_write(folder):
    """When the checkpoint in `folder` was written; None before the first."""
    checkpoint = folder / "checkpoint.npz"
    return checkpoint.stat().st_mtime_ns if checkpoint.exists() else None


@pytest.mark.slow
def test_killed_with_minus_9_and_resumed(tmp_path):
    settings = nas.ControllerSettings(children_per_step=2, buffering_steps=2, train_pi_iter=2)
    arguments = {"controller": settings, "max_trials": 24, "epochs": 6}
    whole = search(tmp_path / "whole", **arguments)
    rng = np.random.default_rng(0)
    kept = 0
    for _ in range(3):
        written = last_write(tmp_path / "killed")
        process = start(tmp_path / "killed")
        deadline = time.monotonic() + 60
        while last_write(tmp_path / "killed") == written and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, whole.seconds / 12))  # within the next trial or two
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        found = nas.read_history(tmp_path / "killed")
        assert len(found) > kept  # nothing is lost, and each process got on
        kept = len(found)
    assert same_history(search(tmp_path / "killed", **arguments), whole)


@pytest.mark.slow
def test_another_process_keeps_its_folder_until_it_dies(tmp_path):
    process = start(tmp_path)
    deadline = time.monotonic() + 60
    while not (tmp_path / "checkpoint.npz").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    with pytest.raises(RuntimeError, match=r"Another search is running in .*two cannot share"):
        search(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with pytest.raises(ValueError, match="holds another search"):  # no longer: is running
        search(tmp_path)


def test_two_searches_cannot_share_a_folder(tmp_path):
    def intrude(trial):
        search(tmp_path)

    with pytest.raises(RuntimeError, match="Another search is running in"):
        search(tmp_path, callbacks=[intrude])
    assert len(search(tmp_path).history) == 4  # the lock is free again


def test_what_a_killed_writer_left_is_swept_up(tmp_path):
    search(tmp_path, max_trials=2)
    leftovers = [tmp_path / ".checkpoint.77.part.npz", tmp_path / "models/.trial-3.77.part.ckpt"]
    for path in leftovers:
        path.write_bytes(b"half")
    search(tmp_path, max_trials=3)
    assert not any(path.exists() for path in leftovers)


@pytest.mark.parametrize("case", CASES)
def test_more_trials_later_are_the_same_as_at_once(tmp_path, case):
    at_once = search(tmp_path / "a", max_trials=9, **CASES[case])
    for trials in (1, 4, 9):
        later = search(tmp_path / "b", max_trials=trials, **CASES[case])
        assert len(later.history) == trials
    assert same_history(later, at_once)
    assert later.entropy.equals(at_once.entropy)
    assert nas.read_history(tmp_path / "b").equals(later.history)
    fewer = search(tmp_path / "b", max_trials=2, **CASES[case])
    assert len(fewer.history) == 9  # nothing is taken away


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
        ({"random_state": 1}, "its random_state is 0, this call says 1"),
        ({"framework": "keras"}, 'its framework is "torch", this call says "keras"'),
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


def test_resume_false_deletes_nothing(tmp_path):
    search(tmp_path, max_trials=2, resume=False)
    with pytest.raises(FileExistsError, match=r"holds a search already. Pass resume=True"):
        search(tmp_path, max_trials=2, resume=False)
    assert len(nas.read_history(tmp_path)) == 2


def accuracy(y_true, y_score, threshold=0.5):
    return np.mean((y_score > threshold) == y_true)


def test_a_reward_that_was_edited_is_another_search(tmp_path):
    def edited(y_true, y_score, threshold=0.6):
        return np.mean((y_score > threshold) == y_true)

    edited.__module__, edited.__qualname__ = accuracy.__module__, accuracy.__qualname__
    edited.__name__ = accuracy.__name__
    search(tmp_path, reward=accuracy, max_trials=2)
    search(tmp_path, reward=accuracy, max_trials=3)
    with pytest.raises(ValueError, match=r"its reward is .*accuracy \w+\", this call says"):
        search(tmp_path, reward=edited, max_trials=3)


def test_other_versions_are_warned_of(tmp_path):
    search(tmp_path, max_trials=2)
    description = json.loads((tmp_path / "search.json").read_text())
    description["versions"]["torch"] = "1.0.0"
    (tmp_path / "search.json").write_text(json.dumps(description))
    with pytest.warns(UserWarning, match='began with torch "1.0.0" and goes on with'):
        assert len(search(tmp_path, max_trials=3).history) == 3


def test_a_folder_without_a_trial_is_free_for_another_search(tmp_path):
    def stop(y_true, y_score):
        raise KeyboardInterrupt

    assert len(search(tmp_path, reward=stop).history) == 0
    assert len(search(tmp_path, max_trials=2, resume=False).history) == 2


def test_the_caller_may_move_to_another_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    result = search("here", callbacks=[lambda trial: monkeypatch.chdir(tmp_path / "elsewhere")])
    assert len(nas.read_history(tmp_path / "here")) == 4
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert nas.load_model(result).architecture == result.best.architecture


def test_a_home_folder_is_meant_by_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    search("~/my search é", max_trials=1)
    assert (tmp_path / "my search é" / "checkpoint.npz").exists()


def test_a_full_disk_is_no_fault_of_the_child(tmp_path, monkeypatch):
    whole = search(tmp_path / "whole", max_trials=6, controller=QUICK)
    save, calls = torch_cnn.save, iter(range(100))

    def full(model, path):
        if next(calls) == 3:
            raise RuntimeError("unexpected pos 1472 vs 1366")  # as Torch says it
        return save(model, path)

    monkeypatch.setattr(torch_cnn, "save", full)
    with pytest.raises(OSError, match=r"model of trial 4 could not be written to .* disk full"):
        search(tmp_path / "full", max_trials=6, controller=QUICK)
    assert len(nas.read_history(tmp_path / "full")) == 3
    assert same_history(search(tmp_path / "full", max_trials=6, controller=QUICK), whole)


# Damaged and foreign files


class Payload:
    """What a malicious pickle does when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def damages(tmp_path):
    """Name to bytes of files that are no checkpoint."""
    good = (tmp_path / "checkpoint.npz").read_bytes()
    np.savez(tmp_path / "pickled.npz", tree=np.array([Payload(tmp_path / "executed")]))
    np.savez(tmp_path / "other.npz", a=np.arange(3))
    return {
        "empty": b"",
        "half": good[: len(good) // 2],
        "a flipped byte": good[:200] + bytes([good[200] ^ 255]) + good[201:],
        "text": b"hello",
        "a pickle": pickle.dumps(Payload(tmp_path / "executed")),
        "pickled arrays": (tmp_path / "pickled.npz").read_bytes(),
        "other arrays": (tmp_path / "other.npz").read_bytes(),
    }


def test_a_damaged_checkpoint_is_named_and_runs_nothing(tmp_path):
    search(tmp_path, max_trials=2)
    for name, content in damages(tmp_path).items():
        (tmp_path / "checkpoint.npz").write_bytes(content)
        for read in (lambda: search(tmp_path, max_trials=2), lambda: nas.read_history(tmp_path)):
            with pytest.raises(ValueError, match=r"checkpoint.npz is damaged, or no search wrote"):
                read()
            assert (tmp_path / "checkpoint.npz").read_bytes() == content, name
    assert not (tmp_path / "executed").exists()
    (tmp_path / "checkpoint.npz").unlink()  # as the message says
    assert len(search(tmp_path, max_trials=2).history) == 2


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"format": "workshop.nas 99", "settings": {}}', "\x00"]
)
def test_a_damaged_description_is_named(tmp_path, content):
    search(tmp_path, max_trials=2)
    (tmp_path / "search.json").write_text(content)
    with pytest.raises(ValueError, match=r"search.json is damaged, or no search wrote it"):
        search(tmp_path, max_trials=2)


def test_a_checkpoint_of_another_search_is_named(tmp_path):
    search(tmp_path / "a", max_trials=2)
    search(tmp_path / "b", max_trials=2, random_state=1)
    (tmp_path / "b/checkpoint.npz").replace(tmp_path / "a/checkpoint.npz")
    with pytest.raises(ValueError, match=r"checkpoint.npz belongs to another search"):
        search(tmp_path / "a", max_trials=2)
    (tmp_path / "a/search.json").unlink()
    with pytest.raises(ValueError, match=r"checkpoint.npz is there without its search.json"):
        search(tmp_path / "a", max_trials=2)


def test_a_model_that_was_replaced_is_named(tmp_path):
    result = search(tmp_path, max_trials=3)
    path = tmp_path / f"models/trial-{result.best.trial}.ckpt"
    good = path.read_bytes()
    for content in (b"", good[:-20], pickle.dumps(Payload(tmp_path / "executed"))):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"is not the file that the search wrote for trial"):
            nas.load_model(result)
    torch.save({"state_dict": Payload(tmp_path / "executed")}, path)
    with pytest.raises(ValueError, match=r"changed or replaced. It was not loaded"):
        nas.load_model(result)
    assert not (tmp_path / "executed").exists()
    path.unlink()
    with pytest.raises(FileNotFoundError, match="No model at"):
        nas.load_model(result)
    path.write_bytes(good)
    assert nas.load_model(result).architecture == result.best.architecture


@pytest.mark.parametrize("damage", ["replaced", "deleted"])
def test_a_survivor_does_not_go_on_from_a_foreign_model(tmp_path, damage):
    halving = {"method": nas.successive_halving, "n_children": 4, "rungs": (1, 3)}
    best = search(tmp_path, max_trials=4, **halving).best
    path = tmp_path / f"models/trial-{best.trial}.ckpt"
    if damage == "replaced":
        torch_cnn.save(torch_cnn.build_cnn(best.architecture), path)
    else:
        path.unlink()
    with pytest.raises((ValueError, FileNotFoundError), match=rf"trial-{best.trial}\.ckpt"):
        search(tmp_path, max_trials=5, **halving)
    assert len(nas.read_history(tmp_path)) == 4


def test_a_checkpoint_of_a_later_version_is_named(tmp_path, monkeypatch):
    row = Record.to_plain

    def later(record):
        plain = row(record)
        return {**plain, "trial": {**plain["trial"], "invented": 1}}

    with monkeypatch.context() as patch:
        patch.setattr(Record, "to_plain", later)
        search(tmp_path, max_trials=2)
    for read in (lambda: search(tmp_path, max_trials=3), lambda: nas.read_history(tmp_path)):
        with pytest.raises(ValueError, match=r"checkpoint.npz cannot be read by this version"):
            read()


def test_other_peoples_files_in_the_folder_stay(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "models").mkdir()
    (tmp_path / "models/old.pkl").write_bytes(pickle.dumps(Payload(tmp_path / "executed")))
    search(tmp_path, max_trials=2)
    search(tmp_path, max_trials=3)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "models/old.pkl").exists()
    assert not (tmp_path / "executed").exists()


def test_a_folder_where_nothing_was_searched(tmp_path):
    with pytest.raises(FileNotFoundError, match="No search has finished a trial in"):
        nas.read_history(tmp_path)


def test_what_is_on_disk_is_plain_data(tmp_path):
    result = search(tmp_path, max_trials=7, controller=QUICK, framework="keras")
    assert {path.name for path in tmp_path.iterdir()} == {
        *("search.json", "checkpoint.npz", "models", "search.lock"),
    }
    json.loads((tmp_path / "search.json").read_text())
    with np.load(tmp_path / "checkpoint.npz", allow_pickle=False) as arrays:
        assert all(array.dtype != object for array in arrays.values())
    assert isinstance(nas.load_model(result), keras_cnn.SequenceCNN)
