"""AMBER against its baselines on the course's data: ``python benchmarks/search.py``.

For each seed, AMBER's search, random search and successive halving search the course's space with
the settings of the Day-2 notebook, the same time for each. The table shows medians over the seeds
(and the worst seed) of what it took to reach a validation AUROC of 0.99 and of 0.998, and the
test AUROC of the best model on the held-out chromosomes. One process, one thread.
"""

import argparse
import platform
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from workshop import datasets, evaluation, nas, splits, torch_cnn

CHILD = {"batch_size": 128, "learning_rate": 0.003}  # as in the notebook
METHODS = {
    "AMBER": (nas.search, {"epochs": 3}),
    "random search": (nas.random_search, {"epochs": 3}),
    "successive halving": (nas.successive_halving, {"n_children": 27, "rungs": (1, 2, 3)}),
}
TARGETS = (0.99, 0.998)


def effort(result, target):
    """Seconds and epochs until the reward first reached `target`; infinite if it never did."""
    history = result.history
    reached = np.flatnonzero(history["reward"] >= target)
    if len(reached) == 0:
        return np.inf, np.inf
    until = history.iloc[: reached[0] + 1]
    return until["seconds"].sum(), until["epochs"].sum()


def run(name, data, split, seed, seconds):
    """One search; a row of numbers."""
    method, settings = METHODS[name]
    with tempfile.TemporaryDirectory() as folder:
        result = method(
            nas.cnn_model_space(),
            train=(data.X[split.train], data.y[split.train]),
            val=(data.X[split.val], data.y[split.val]),
            working_dir=Path(folder) / "search",
            time_budget=seconds,
            random_state=seed,
            progress=False,
            **CHILD,
            **settings,
        )
        score = torch_cnn.predict_logits(nas.load_model(result), data.X[split.test])
    row = {"method": name, "seed": seed, "trials": len(result.history)}
    row |= {"epochs": result.history["epochs"].sum(), "best val": result.best.reward}
    for target in TARGETS:
        row[f"s to {target}"], row[f"epochs to {target}"] = effort(result, target)
    return row | {"test": evaluation.auroc(data.y[split.test], score)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60, help="time of each search")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    arguments = parser.parse_args()

    data = datasets.load_ctcf()
    split = splits.split_by_chromosome(
        data.table["chrom"], val_chroms=["chr8", "chr20"], test_chroms=["chr1", "chr3", "chr6"]
    )
    print(f"{platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}")
    rows = []
    for seed in range(arguments.seeds):
        for name in arguments.methods:
            rows.append(run(name, data, split, seed, arguments.seconds))
            print(*(f"{key} {value:.4g}" for key, value in list(rows[-1].items())[1:]), name)
    table = pd.DataFrame(rows).drop(columns="seed").groupby("method", sort=False)
    with pd.option_context("display.width", 200, "display.max_columns", 20):
        print("\nmedians", table.median().round(4), sep="\n")
        worst = {name: "min" if name in ("best val", "test") else "max" for name in table.median()}
        del worst["trials"], worst["epochs"]
        print("\nworst seed", table.agg(worst).round(4), sep="\n")
    reached = table["best val"].agg(lambda best: f"{(best >= 0.99).sum()} of {len(best)}")
    print(f"\nbest val of at least 0.99 in {arguments.seconds:g} s", reached.to_string(), sep="\n")


if __name__ == "__main__":
    main()
