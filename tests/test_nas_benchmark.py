"""The benchmark of the model space: its rows, searches on it, and the command that makes it."""

import gzip
import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import nas_table
from tests.search_cases import TRAIN, VAL, make_space
from workshop import datasets, evaluation, nas, splits, torch_cnn
from workshop.nas import methods
from workshop.nas.worker import Trained

ROOT = Path(__file__).resolve().parent.parent
SPACE = nas.cnn_model_space()
TOKENS = list(itertools.product(range(6), range(3), range(7), range(3)))
STEERED = nas.ControllerSettings(**nas_table.STEERED)
ON = {"learning_rate": 0.003, "max_trials": 40}


@pytest.fixture(scope="module")
def shipped():
    return nas.load_benchmark()


def made_up(seeds=1):
    """A benchmark of drawn scores; those of seed 1 are above 2, so that one can tell."""
    rng = np.random.default_rng(0)
    rows = [
        (tokens, 0.003, seed, epoch, rng.random() + 2 * seed, rng.random() + 2 * seed, 40.0)
        for tokens in TOKENS
        for seed in range(seeds)
        for epoch in range(1, 21)
    ]
    names = "tokens learning_rate random_state epoch val_auroc val_loss seconds"
    return nas.Benchmark(pd.DataFrame(rows, columns=names.split()), searches=None)


# The shipped files


def test_every_training_is_there_once_and_whole(shipped):
    table = shipped.table
    keys = ["learning_rate", "random_state", "tokens", "epoch"]
    assert not table.duplicated(keys).any()
    whole = pd.MultiIndex.from_product([TOKENS, range(1, 21)])
    for _, rows in table.groupby(["learning_rate", "random_state"]):
        assert set(zip(rows["tokens"], rows["epoch"], strict=True)) == set(whole)
    assert {(0.003, 0), (0.01, 0), (0.003, 1), (0.01, 1)} <= set(
        zip(table["learning_rate"], table["random_state"], strict=True)
    )
    sizes = {tokens: nas.to_architecture(SPACE, tokens).n_parameters() for tokens in TOKENS}
    assert (table["n_parameters"] == table["tokens"].map(sizes)).all()
    assert table[["val_auroc", "test_auroc"]].stack().dropna().between(0, 1).all()
    assert (table["test_auroc"].notna() == table["epoch"].isin([3, 20])).all()
    assert np.isfinite(table["val_loss"]).all()
    assert (table["seconds"] > 0).all()
    assert (ROOT / "data" / "nas_benchmark.tsv.gz").stat().st_size < 1.5e6


@pytest.mark.parametrize("tokens", [(0, 0, 6, 1), (3, 0, 6, 2), (2, 1, 2, 2)])
def test_rows_are_what_training_gives_again(shipped, tokens):
    data = datasets.load_ctcf()
    parts = splits.split_by_chromosome(data.table["chrom"])
    train, val, test = ((data.X[rows], data.y[rows]) for rows in parts)
    rows = shipped.table[shipped.table["tokens"] == tokens].query("epoch <= 3")
    for (rate, seed), known in list(rows.groupby(["learning_rate", "random_state"]))[-2:]:
        model = torch_cnn.build_cnn(nas.to_architecture(SPACE, tokens), random_state=seed)
        how = {"learning_rate": rate, "random_state": seed, "batch_size": 128, "progress": False}
        history = torch_cnn.fit(model, *train, X_val=val[0], y_val=val[1], epochs=3, **how)
        for score in ("val_auroc", "val_loss"):
            np.testing.assert_allclose(history.table[score], known[score], atol=1e-3)
        found = evaluation.auroc(test[1], torch_cnn.predict_logits(model, test[0]))
        assert found == pytest.approx(known["test_auroc"].iloc[2], abs=1e-3)


def test_the_shipped_searches_are_on_the_shipped_table(shipped):
    searches = shipped.searches
    assert set(searches["method"]) == {"AMBER", "AMBER, default settings", "Optuna TPE"}
    for _, rows in searches.groupby("method"):
        assert list(rows["random_state"]) == [r for r in range(100) for _ in range(60)]
        assert list(rows["trial"]) == [*range(1, 61)] * 100
    table = shipped.table.query("learning_rate == 0.003 and epoch == 3")
    known = set(zip(table["tokens"], table["val_auroc"], strict=True))
    assert set(zip(searches["tokens"], searches["val_auroc"], strict=True)) <= known
    first = searches.query("method == 'AMBER' and random_state == 0").head(12)
    settings = {"controller": STEERED, "epochs": 3, "benchmark": shipped, **ON, "max_trials": 12}
    again = nas.search(SPACE, **settings).history
    assert list(again["tokens"]) == list(first["tokens"])
    np.testing.assert_array_equal(again["val_auroc"], first["val_auroc"])


# Searches


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        (nas.random_search, {"epochs": 3}),
        (nas.successive_halving, {"n_children": 9, "rungs": (1, 3, 20), "reward": "loss"}),
        (nas.search, {"epochs": 3, "controller": STEERED}),
        (nas.search, {"epochs": 5, "controller": STEERED, "rungs": (1, 2)}),
    ],
)
def test_a_search_proposes_what_it_would_with_real_children(
    tmp_path, monkeypatch, method, settings
):
    """Children that are trained, but earn what the table says, lead to the same search."""
    benchmark = made_up()
    table = benchmark.table.set_index(["tokens", "epoch"])
    by_architecture = {nas.to_architecture(SPACE, t): t for t in TOKENS}

    def train(data, jobs):
        for job in jobs:
            tokens, more = by_architecture[job.architecture], job.settings["epochs"]
            epochs = job.epochs_before + more
            row = table.loc[[(tokens, epochs)]].iloc[0]
            scores = {name: row[name] for name in ("val_auroc", "val_loss")}
            yield Trained(epochs=more, scores=scores, model=b"")

    on_table = method(SPACE, benchmark=benchmark, random_state=3, **settings, **ON)
    monkeypatch.setattr(methods, "_train_here", train)
    data = datasets.simulate_ctcf(40, random_state=0)
    real = {"train": (data.X, data.y), "val": (data.X, data.y), "working_dir": tmp_path}
    real = method(SPACE, **real, random_state=3, progress=False, **settings, **ON)
    same = ["trial", "step", "tokens", "reward", "epochs", "total_epochs", "status"]
    pd.testing.assert_frame_equal(on_table.history[same], real.history[same])
    pd.testing.assert_frame_equal(on_table.token_probabilities, real.token_probabilities)
    assert (on_table.history["seconds"] == 2 * on_table.history["epochs"]).all()  # of 40 for 20
    assert set(on_table.history["status"]) == {"ok"}


def test_a_child_that_trains_on_is_the_same_training():
    benchmark = made_up(seeds=2)
    found = {}
    for seed in range(4):
        how = {"benchmark": benchmark, "rungs": (1, 3, 9), "random_state": seed, **ON}
        history = nas.successive_halving(SPACE, **how).history
        seeds = (history["reward"] > 2).groupby(history["tokens"]).agg(set)
        assert seeds.map(len).max() == 1
        assert history["tokens"].duplicated().any()
        found |= {(seed, tokens): next(iter(one)) for tokens, one in seeds.items()}
    assert 0.3 < np.mean(list(found.values())) < 0.7  # both seeds, about equally often


def test_a_part_of_the_space_is_a_space():
    gmp = make_space(*(list(SPACE[i]) for i in range(3)), [SPACE[3][2]])
    benchmark = made_up()
    result = nas.random_search(gmp, benchmark=benchmark, epochs=20, **ON)
    last = benchmark.table.query("epoch == 20").set_index("tokens")["val_auroc"]
    expected = [last[[(*tokens[:3], 2)]].iloc[0] for tokens in result.history["tokens"]]
    np.testing.assert_array_equal(result.history["reward"], expected)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"benchmark": "data"}, TypeError, r"come from load_benchmark\(\); got 'data'"),
        ({"train": TRAIN, "val": VAL}, TypeError, "on the benchmark takes no train, val: .* one"),
        ({"working_dir": "here", "batch_size": 64}, TypeError, "takes no working_dir, batch_size"),
        ({"time_budget": 3, "framework": "keras"}, TypeError, "takes no framework, time_budget"),
        ({"learning_rate": 0.001}, ValueError, r"the benchmark must be 0.003; got 0.001"),
        ({"epochs": 21}, ValueError, "epochs on the benchmark are 20 at most; got 21"),
        ({"reward": "accuracy"}, ValueError, r"must be 'auroc' or 'loss': .*; got 'accuracy'"),
        ({"reward": evaluation.auroc}, ValueError, "and no predictions; got <function"),
        ({"space": make_space(SPACE[0])}, ValueError, "its four layers; got 1 layers"),
        (
            {"space": make_space(*(list(SPACE[i]) for i in (0, 1, 0, 3)))},
            ValueError,
            r"got 4 layers, with Conv1D\(32, 7",
        ),
        ({"max_trials": None}, ValueError, "A search needs an end"),
    ],
)
def test_what_is_not_on_the_benchmark_is_refused(settings, error, message):
    settings = {"space": SPACE, "benchmark": made_up(), **ON, **settings}
    with pytest.raises(error, match=message):
        nas.random_search(settings.pop("space"), **settings)


def test_there_are_no_weights_and_no_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = nas.random_search(SPACE, benchmark=made_up(), **ON)
    with pytest.raises(ValueError, match=r"scores and no weights: train the child"):
        nas.load_model(result)
    assert not list(tmp_path.iterdir())


# The command

STAND_IN = """
import time
from pathlib import Path

from benchmarks import nas_table as n

n.SPACE, n.RATES, n.SEEDS, n.EPOCHS = ["0-0", "0-1", "1-0"], (0.003,), (0, 1), 2
n.TRIALS, n.SEARCH_SEEDS = 1, range(2)
n.METHODS = {"one": lambda seed: [((seed, 0), 0.5)]}
n.data_directory = lambda: Path("data")


def train(tokens, rate, seed):
    time.sleep(0.2)
    with open("trained", "a") as log:
        log.write(f"{tokens} {seed}\\n")
    row = f"{tokens}\\t{rate}\\t{seed}"
    return "".join(f"{row}\\t{epoch}\\t0.9\\t0.1\\tnan\\t1.0\\t9\\n" for epoch in (1, 2))


n.train = train
if __name__ == "__main__":
    n.main()
"""


def test_the_command_goes_on_where_it_was_killed_and_ships_whole_seeds(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "command.py").write_text(STAND_IN)
    names = ("nas_benchmark.tsv.gz", "nas_searches.tsv.gz")
    (tmp_path / "data" / "SHA256SUMS").write_text("12  nas_benchmark.tsv.gz\n34  a.tsv\n")
    (tmp_path / "data" / "README.md").write_text("## SHA-256\n\n```\nold\n```\n")
    command = [sys.executable, "command.py"]
    where = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
    part = tmp_path / "build" / "nas_benchmark.tsv"

    process = subprocess.Popen(command, start_new_session=True, **where)
    while not (part.is_file() and part.read_text().count("\n") >= 4):
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = list(nas_table.blocks(part, 3, 2))
    with part.open("a") as file:
        file.write("1-0\t0.003\t1\t1\t0.9")  # a half line, as of a process that died
    (tmp_path / "trained").unlink()
    subprocess.run(command, check=True, **where)
    trained = (tmp_path / "trained").read_text().splitlines()
    everything = [(t, "0.003", str(r)) for r in (0, 1) for t in ("0-0", "0-1", "1-0")]
    assert sorted(trained) == sorted(f"{t} {r}" for t, _, r in set(everything) - set(before))
    table = tmp_path / "data" / names[0]
    assert gzip.decompress(table.read_bytes()).decode().startswith("tokens\tlearning_rate\trandom")
    assert list(nas_table.blocks(table, 3, 2)) == everything
    searches = gzip.decompress((tmp_path / "data" / names[1]).read_bytes()).decode().splitlines()
    assert searches[1:] == ["one\t0\t1\t0-0\t3\t0.50000", "one\t1\t1\t1-0\t3\t0.50000"]
    sums = [f"{nas_table.sha256(tmp_path / 'data' / name)}  {name}" for name in names]
    sums = "\n".join(["34  a.tsv", *sums, ""])
    assert (tmp_path / "data" / "SHA256SUMS").read_text() == sums
    assert (tmp_path / "data" / "README.md").read_text() == f"## SHA-256\n\n```\n{sums}```\n"

    whole = table.read_bytes()
    (tmp_path / "others.tsv").write_text("".join(part.read_text().splitlines(keepends=True)[:-2]))
    table.unlink()
    subprocess.run([*command, "--from", "others.tsv"], check=True, **where)
    shipped = list(nas_table.blocks(table, 3, 2))
    assert len(shipped) == 3
    assert len({seed for _, _, seed in shipped}) == 1  # the other seed lacks a network
    rest = tmp_path / nas_table.REST
    assert {*shipped, *nas_table.blocks(rest, 3, 2)} == set(everything[:-1])
    subprocess.run([*command, "--from", part], check=True, **where)
    assert table.read_bytes() == whole
    assert not rest.exists()

    (tmp_path / "data" / names[1]).write_bytes(b"as before")  # nothing new to search on
    subprocess.run([*command, "--from", part], check=True, **where)
    assert (tmp_path / "data" / names[1]).read_bytes() == b"as before"
