"""Section 7 of both days: on a small genome it shows what it says, without one it is silent."""

import ast
import contextlib
import io
import re
import sys
from functools import partial
from pathlib import Path
from types import ModuleType

import jupytext
import matplotlib.pyplot as plt
import numpy as np
import pytest

from tests.fault_server import FaultServer
from tests.small_genome import small_source, write_genome
from workshop import datasets, motifs, torch_cnn
from workshop.architecture import Architecture, Conv1D, GlobalMaxPool
from workshop.datasets.remote import fetch_ctcf

SOURCES = Path(__file__).resolve().parent.parent / "notebooks" / "src"
CTCF = motifs.load_motif("MA0139.1")
WINNER = Architecture((Conv1D(32, 13, "relu", padding="same"), GlobalMaxPool()))


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """`fetch_ctcf` of a small genome on a loopback server."""
    folder = tmp_path_factory.mktemp("genome")
    write_genome(folder)
    with FaultServer(folder) as server:
        source = small_source(folder, server.address)
        yield partial(fetch_ctcf, source=source, cache_dir=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def winner():
    """A small stand-in for the best model of the search: it knows the forward strand."""
    data = datasets.load_ctcf()
    model = torch_cnn.build_cnn(WINNER, random_state=0)
    torch_cnn.fit(model, data.X, data.y, epochs=3, learning_rate=0.003, progress=False)
    return model


@pytest.fixture
def in_colab(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))


@pytest.fixture
def lesson(winner):
    """What the sections before define, by day."""
    return {
        "day1": {
            "ctcf": CTCF,
            "count_gc": lambda X: X[:, :, 1:3].sum(axis=(1, 2)),
            "readers": {"Day-1 CNN": lambda X: X[:, 0, 0]},
        },
        "day2": {
            "ctcf": CTCF,
            "best_model": winner,
            "winner": WINNER,
            "CHILD": {"epochs": 3, "batch_size": 128, "learning_rate": 0.003},
        },
    }


def cells(day):
    """Code cells that a student has: those of the lesson, of the homework, and of the section."""
    lesson = jupytext.reads((SOURCES / f"{day}.py").read_text("utf-8"), fmt="py:percent").cells
    homework, first = (
        next(i for i, cell in enumerate(lesson) if cell.source.startswith(f"# {section} ·"))
        for section in (6, 7)
    )
    return [
        [
            ast.parse(re.sub(r"^(\s*)%", r"\1# %", cell.source, flags=re.MULTILINE))
            for cell in part
            if cell.cell_type == "code" and "solution" not in cell.metadata.get("tags", [])
        ]
        for part in (lesson[:homework], lesson[homework:first], lesson[first:])
    ]


def run(day, names):
    """Run the section with the lesson's imports; return its names and what it printed."""
    before, _, section = cells(day)  # who skips the homework has nothing of it, imports neither
    names, printed = dict(names), io.StringIO()
    for cell in before:
        _run([one for one in cell.body if _is_import(one) or _named(one, "both_strands")], names)
    with contextlib.redirect_stdout(printed):
        for cell in section:
            _run(cell.body, names)
    assert plt.get_fignums() == []  # each is shown, with its caption
    return names, printed.getvalue()


def _is_import(statement):
    return isinstance(statement, (ast.Import, ast.ImportFrom))


def _named(statement, name):
    return getattr(statement, "name", None) == name


def _run(statements, names):
    exec(compile(ast.Module(statements, []), "cell", "exec"), names)


@pytest.mark.slow
def test_day_1_ranks_the_readers(genome, lesson, monkeypatch, in_colab):
    monkeypatch.setattr(datasets, "fetch_ctcf", genome)
    mine = {"my_architecture": Architecture((Conv1D(32, 15, "relu"), GlobalMaxPool()))}
    names, printed = run("day1", lesson["day1"] | mine)
    chroms = names["human"].table["chrom"]
    parts = [set(chroms.iloc[part]) for part in names["human_split"]]
    assert parts == [{"chr9"}, {"chr21"}, {"chr22"}]
    auroc = {
        name: names["evaluation"].auroc(names["y_human_test"], y_score)
        for name, y_score in names["human_scores"].items()
    }
    assert auroc["CTCF matrix"] > 0.95
    assert auroc["GMP, 19 bp"] > 0.9
    assert auroc["mine"] > 0.9
    assert auroc["Day-1 CNN"] < 0.8
    assert 0.45 < auroc["counting G and C"] < 0.55
    for name, value in auroc.items():
        assert re.search(rf"^{re.escape(name)} +{value:.3f} ", printed, flags=re.MULTILINE)
    gain = auroc["GMP, 19 bp"] - auroc["CTCF matrix"]
    assert re.search(rf"^AUROC, GMP minus matrix: {re.escape(f'{gain:+.3f}')} \(", printed, re.M)
    X = names["X_human_test"]
    either = X[:, 0, 0] + X[:, -1, 3]  # the stand-in likes an A first: here, or on the other strand
    assert names["human_scores"]["Day-1 CNN, simulation"].tolist() == either.clip(max=1).tolist()
    assert "Skipped" not in printed


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"my_architecture": None},
        {"my_architecture": Architecture(WINNER.layers, input_length=100)},
        {"my_architecture": Architecture(WINNER.layers, task="multiclass", n_outputs=2)},
    ],
    ids=["skipped", "stub", "100 bp", "multiclass"],
)
def test_homework_that_does_not_fit_stays_out(lesson, answer, monkeypatch, tmp_path):
    monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path))
    names, _ = run("day1", lesson["day1"] | answer)
    assert list(names["human_architectures"]) == ["Day-1 CNN", "GMP, 19 bp"]


@pytest.mark.slow
def test_without_homework_it_goes_on_to_its_end(genome, lesson, monkeypatch, in_colab):
    data = genome()
    few = data.take(range(0, len(data.X), 5))
    monkeypatch.setattr(datasets, "fetch_ctcf", lambda **_: few)
    names, printed = run("day1", lesson["day1"])
    assert list(names["human_models"]) == ["Day-1 CNN", "GMP, 19 bp"]
    assert "GMP minus matrix" in printed


def test_the_better_strand_counts(lesson, winner, monkeypatch, tmp_path):
    monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path))
    best_strand = run("day1", lesson["day1"])[0]["best_strand"]
    X = np.eye(4, dtype=np.float32)[np.random.default_rng(0).integers(4, size=(5, 200))]
    logits = np.stack([torch_cnn.predict_logits(winner, Z)[:, 0] for Z in (X, X[:, ::-1, ::-1])])
    assert len(set(logits.argmax(axis=0))) == 2  # each strand wins somewhere
    assert best_strand(winner, X) == pytest.approx(logits.max(axis=0), abs=1e-5)


@pytest.mark.slow
def test_day_2_recovers_the_motif_from_turned_peaks_only(genome, lesson, monkeypatch, in_colab):
    monkeypatch.setattr(datasets, "fetch_ctcf", genome)
    names, printed = run("day2", lesson["day2"])
    r = {
        name: motifs.similarity(CTCF, one, min_overlap=15).correlation
        for name, one in names["found"].items()
    }
    assert r["peaks turned"] > 0.95
    assert r["peaks as they lie"] < 0.9  # a palindrome
    assert r["peaks turned, untrained network"] < 0.6
    assert abs(names["hit"] - 91) < 5  # where the small genome plants it
    assert "Skipped" not in printed


@pytest.mark.parametrize("day", ["day1", "day2"])
def test_offline_one_sentence_says_so(day, lesson, monkeypatch, tmp_path):
    monkeypatch.setenv("WORKSHOP_CACHE", str(tmp_path))
    names, printed = run(day, lesson[day])
    assert names["human"] is None
    assert re.fullmatch(r"Skipped: [^\n]*`workshop data fetch`[^\n]*\.\n", printed)
    assert len(re.findall(r"\.(?=\s)", printed)) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("day", ["day1", "day2"])
def test_no_answer_is_overwritten(day):
    lesson, homework, section = cells(day)
    answers = {
        name.id
        for cell in lesson + homework
        for call in ast.walk(cell)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "homework.check"
        for name in ast.walk(call)
        if isinstance(name, ast.Name)
    }
    written = {
        one.id
        for cell in section
        for one in ast.walk(cell)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    assert len(answers) > 10
    assert "human" in written
    assert not answers & written
