"""AMBER against its baselines on the course's data: ``python benchmarks/search.py``.

For each seed, AMBER's search, without and with rungs, random search, successive halving and
Optuna's TPE search the course's space until a child reaches a validation AUROC of 0.998. A full
child trains five epochs, as `nas.search` has it, the rest is as in the Day-2 notebook. The table
shows medians over the seeds of what it took to reach 0.99 and 0.998. A search that has trained for
150 epochs gives up: it counts as one that needs longer than all others.

Each search has one process and one thread; two seeds run side by side. Optuna keeps no model and
writes nothing; ours save every child.
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import optuna

from benchmarks.table import as_markdown, measured, ratio
from workshop import datasets, evaluation, nas, splits, torch_cnn

SEEDS = 10
EPOCHS = 5
CHILD = {"batch_size": 128, "learning_rate": 0.003}  # as in the notebook
TARGETS = (0.99, 0.998)
ENOUGH = 150  # epochs


class Watch:
    """Called after each trial; True ends the search."""

    def __init__(self):
        self.start = time.perf_counter()
        self.log, self.children = [(0.0, 0, -np.inf)], 0  # seconds and epochs so far, reward

    def __call__(self, trial):
        return self.add(trial.reward, trial.epochs, new=trial.epochs == trial.total_epochs)

    def add(self, reward, epochs, *, new=True):
        """`new`: the trial began a child, rather than trained one on."""
        self.children += new
        epochs += self.log[-1][1]
        self.log.append((time.perf_counter() - self.start, epochs, reward))
        return reward >= TARGETS[-1] or epochs >= ENOUGH

    def until(self, target):
        """Seconds and epochs until the reward first reached `target`; infinite if never."""
        reached = (spent for *spent, reward in self.log if reward >= target)
        return next(reached, (np.inf, np.inf))

    def children_per_minute(self):
        return 60 * self.children / self.log[-1][0]


def by_workshop(method, **settings):
    settings |= {**CHILD, "max_trials": 1000, "progress": False}

    def run(data, seed, watch):
        with tempfile.TemporaryDirectory() as folder:
            here = {"working_dir": folder, "random_state": seed, "callbacks": [watch]}
            method(nas.cnn_model_space(), **data, **settings, **here)

    return run


def by_optuna(data, seed, watch):
    """TPE proposes the tokens; children are built, trained and rewarded as in our searches."""
    space = nas.cnn_model_space()

    def objective(trial):
        choices = enumerate(map(len, space))
        tokens = [trial.suggest_categorical(f"layer {i}", range(size)) for i, size in choices]
        random_state = int(np.random.SeedSequence([seed, trial.number + 1]).generate_state(1)[0])
        model = torch_cnn.build_cnn(nas.to_architecture(space, tokens), random_state=random_state)
        how = {"epochs": EPOCHS, "random_state": random_state, "progress": False, **CHILD}
        torch_cnn.fit(model, *data["train"], **how)
        X_val, y_val = data["val"]
        return evaluation.auroc(y_val, torch_cnn.predict_logits(model, X_val))

    def ended(study, trial):
        if watch.add(trial.value, EPOCHS):
            study.stop()

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed)  # the default, with a seed
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.optimize(objective, callbacks=[ended])


METHODS = {
    "AMBER": by_workshop(nas.search, epochs=EPOCHS),
    "AMBER with rungs": by_workshop(nas.search, epochs=EPOCHS, rungs=(1, 2)),
    "random search": by_workshop(nas.random_search, epochs=EPOCHS),
    "successive halving": by_workshop(nas.successive_halving, n_children=9, rungs=(1, 2, EPOCHS)),
    "Optuna TPE": by_optuna,
}


def course_data():
    data = datasets.load_ctcf()
    split = splits.split_by_chromosome(
        data.table["chrom"], val_chroms=["chr8", "chr20"], test_chroms=["chr1", "chr3", "chr6"]
    )
    return {part: (data.X[rows], data.y[rows]) for part, rows in split._asdict().items()}


def watched(seed):
    """A watch for each method; who begins differs from seed to seed."""
    data = course_data()
    del data["test"]  # no search sees it
    watches = {}
    for i in range(len(METHODS)):
        name = list(METHODS)[(seed + i) % len(METHODS)]
        watches[name] = Watch()
        METHODS[name](data, seed, watches[name])
        seconds, epochs, reward = watches[name].log[-1]
        print(f"seed {seed}, {name}: {seconds:.1f} s, {epochs} epochs, {reward}", file=sys.stderr)
    return watches


def warm_up():
    """What a first search loads."""
    data = {part: (X[:256], y[:256]) for part, (X, y) in course_data().items() if part != "test"}
    for method in METHODS.values():
        watch = Watch()
        watch.add = lambda *_, **__: True
        method(data, 0, watch)


def measure(seeds=SEEDS):
    """Rows for the suite."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context, initializer=warm_up) as pool:
        runs = list(pool.map(watched, range(seeds)))
    rows, seconds, epochs = [], {}, {}
    for name in METHODS:
        watches = [run[name] for run in runs]
        rates = [watch.children_per_minute() for watch in watches]
        rows.append(measured(f"{name}: children", rates, "a minute"))
        for target in TARGETS:
            seconds[name], epochs[name] = zip(*(w.until(target) for w in watches), strict=True)
            missed = np.isinf(epochs[name]).sum()
            text = f"{name}: to {target}" + (f" ({missed} of {seeds} gave up)" if missed else "")
            rows.append(measured(text, seconds[name], "s"))
            rows.append(measured(text, epochs[name], "epochs"))
    halving, random, tpe = "successive halving", "random search", "Optuna TPE"
    return [
        *rows,
        ratio(f"{halving} / {random}: epochs", epochs[halving], epochs[random], at_most=0.5),
        ratio(f"{halving} / {tpe}: seconds", seconds[halving], seconds[tpe], at_most=1),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seeds", type=int, default=SEEDS)
    print(as_markdown(measure(parser.parse_args().seeds)))


if __name__ == "__main__":
    main()
