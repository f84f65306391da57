"""Write the benchmark of the course's model space again: ``make benchmark-table``.

``data/nas_benchmark.tsv.gz``: each of the 378 networks, trained for 20 epochs with two learning
rates and three seeds, on two cores for some hours. Each finished training is on disk at once, in
``build/nas_benchmark.tsv``, and what is there or in ``data/`` is not trained again: stop the
command when you like, it goes on where it ended. It trains seed by seed, and what is shipped are
whole seeds; the rest waits in ``benchmarks/nas_table_rest.tsv.gz``. ``data/nas_searches.tsv.gz``:
a hundred searches on that table by each of the methods that take too long for a lesson, AMBER and
Optuna's TPE; they are searched again where the rows that they look up have changed.

``--from FILE ...`` takes the trainings that are in these tables, or wait, and trains none.
"""

import argparse
import collections
import concurrent.futures
import functools
import gzip
import itertools
import multiprocessing
import os
import re
import time
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

from workshop._files import data_directory, gzipped, sha256, write_whole

REST = Path("benchmarks", "nas_table_rest.tsv.gz")  # trainings of seeds that are not whole yet
RATES, SEEDS, EPOCHS = (0.003, 0.01), (0, 1, 2), 20
SIZES = (6, 3, 7, 3)
SPACE = ["-".join(map(str, tokens)) for tokens in itertools.product(*map(range, SIZES))]
TESTED = (3, EPOCHS)  # epochs after which a network is scored on test, too
TABLE = "tokens learning_rate random_state epoch val_auroc val_loss test_auroc seconds n_parameters"
SEARCHES = "method random_state trial tokens epochs val_auroc"
SEARCH_SEEDS, TRIALS, CHILD_EPOCHS = range(100), 60, 3
STEERED = {"buffering_steps": 1, "tanh_constant": 2.5, "buffer_size": 6}  # as in Day 2
STEERED |= {"lstm_size": 256, "lstm_num_layers": 1}


def blocks(path, columns, size):
    """The whole blocks of a table, as text: those of `size` lines that begin with equal columns."""
    lines = collections.defaultdict(list)
    if path.is_file():
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
            for line in file:
                lines[tuple(line.split("\t", columns)[:columns])].append(line)
    return {key: "".join(rows) for key, rows in lines.items() if len(rows) == size}


def fill(part, jobs, function, *, size, done=()):
    """Append the blocks of all jobs to the file `part`, but of those in `done`; return all of it.

    A job is its block's first columns; `function` returns the block. Two processes share the work.
    """
    there = blocks(part, len(jobs[0]), size)
    write_whole(part, "".join(there.values()))  # without what a killed process left half
    missing = [job for job in jobs if tuple(map(str, job)) not in {*there, *done}]
    print(f"{part}: {len(jobs) - len(missing)} of {len(jobs)} are there", flush=True)
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=spawn) as pool, part.open("a") as out:
        futures = [pool.submit(function, *job) for job in missing]
        try:
            for future in concurrent.futures.as_completed(futures):
                out.write(future.result())
                out.flush()
        finally:
            pool.shutdown(cancel_futures=True)
    return blocks(part, len(jobs[0]), size)


@functools.cache
def course_data():
    from workshop import datasets, splits

    data = datasets.load_ctcf()
    return data.X, data.y, splits.split_by_chromosome(data.table["chrom"])


def train(tokens, rate, seed):
    """Train one network; `seconds` are the processor's, which others do not slow down."""
    import pytorch_lightning as pl

    from workshop import evaluation, nas, torch_cnn

    X, y, parts = course_data()
    test = {}

    class TestScore(pl.Callback):
        def on_train_epoch_end(self, trainer, pl_module):
            if (epoch := trainer.current_epoch + 1) in TESTED:
                logits = torch_cnn.predict_logits(pl_module, X[parts.test])
                test[epoch] = evaluation.auroc(y[parts.test], logits)

    architecture = nas.to_architecture(nas.cnn_model_space(), list(map(int, tokens.split("-"))))
    model, began = torch_cnn.build_cnn(architecture, random_state=seed), time.process_time()
    history = torch_cnn.fit(
        model,
        X[parts.train],
        y[parts.train],
        X_val=X[parts.val],
        y_val=y[parts.val],
        epochs=EPOCHS,
        batch_size=128,
        learning_rate=rate,
        random_state=seed,
        callbacks=[TestScore()],
        progress=False,
    )
    seconds, size = time.process_time() - began, architecture.n_parameters()
    return "".join(
        f"{tokens}\t{rate}\t{seed}\t{row.epoch}\t{row.val_auroc:.5f}\t{row.val_loss:.5f}\t"
        f"{test.get(row.epoch, float('nan')):.5f}\t{seconds:.1f}\t{size}\n"
        for row in history.table.itertuples()
    )


@functools.cache
def benchmark():
    from workshop import nas
    from workshop.nas.benchmark import read_table

    return nas.Benchmark(read_table("nas_benchmark.tsv.gz"), searches=None)


def by_amber(seed, **settings):
    from workshop import nas

    result = nas.search(
        nas.cnn_model_space(),
        benchmark=benchmark(),
        controller=nas.ControllerSettings(**settings),
        learning_rate=RATES[0],
        epochs=CHILD_EPOCHS,
        max_trials=TRIALS,
        random_state=seed,
    )
    return [(trial.tokens, trial.reward) for trial in result.trials]


def by_tpe(seed):
    """TPE with its defaults proposes; it hears what our own searches would hear."""
    import optuna

    def objective(trial):
        tokens = tuple(trial.suggest_categorical(str(i), range(n)) for i, n in enumerate(SIZES))
        trials.append((tokens, benchmark().training(tokens, RATES[0], seed)["val_auroc"][last]))
        return trials[-1][1]

    trials, last = [], CHILD_EPOCHS - 1
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed)
    optuna.create_study(direction="maximize", sampler=sampler).optimize(objective, TRIALS)
    return trials


METHODS = {
    "AMBER": functools.partial(by_amber, **STEERED),
    "AMBER, default settings": by_amber,
    "Optuna TPE": by_tpe,
}


def search(method, seed):
    return "".join(
        f"{method}\t{seed}\t{number}\t{'-'.join(map(str, tokens))}\t{CHILD_EPOCHS}\t{auroc:.5f}\n"
        for number, (tokens, auroc) in enumerate(METHODS[method](seed), start=1)
    )


def ship(path, columns, rows):
    """Write a file of ``data/``, and its sum to the two lists beside it."""
    write_whole(path, gzipped("".join([columns.replace(" ", "\t") + "\n", *rows]).encode()))
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB", flush=True)
    sums, readme = path.parent / "SHA256SUMS", path.parent / "README.md"
    digests = dict(reversed(line.split()) for line in sums.read_text().splitlines())
    digests[path.name] = sha256(path)
    text = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
    write_whole(sums, text)
    block = r"(?<=## SHA-256\n\n```\n).*?(?=```)"
    prose = readme.read_text(encoding="utf-8")
    write_whole(readme, re.sub(block, text, prose, flags=re.DOTALL))


def searched(trainings):
    """Those that the searches look up: of the first learning rate."""
    return {key: rows for key, rows in trainings.items() if key[1] == str(RATES[0])}


def keep_rest(done, shipped):
    """Write the trainings that are not shipped to `REST`; none, no file."""
    rest = [rows for key, rows in done.items() if key not in shipped]
    if rest:
        write_whole(REST, gzipped("".join(rest).encode()))
    else:
        REST.unlink(missing_ok=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--from", dest="tables", nargs="+", type=Path, help="then train none")
    tables, build = parser.parse_args().tables, Path("build")
    table, searches = (
        data_directory() / f"nas_{name}.tsv.gz" for name in ("benchmark", "searches")
    )
    done, before = {}, blocks(table, 3, EPOCHS)
    for known in (REST, *(tables or [table])):  # what waits is never lost
        done |= blocks(known, 3, EPOCHS)
    if tables is None:
        jobs = [(tokens, rate, seed) for seed in SEEDS for rate in RATES for tokens in SPACE]
        done |= fill(build / "nas_benchmark.tsv", jobs, train, size=EPOCHS, done=done)
    groups = [[(t, str(rate), str(seed)) for t in SPACE] for seed in SEEDS for rate in RATES]
    whole = [group for group in groups if set(group) <= set(done)]
    if not whole:
        raise SystemExit(f"No seed is whole: {len(done)} trainings are there.")
    rows = {key: done[key] for group in whole for key in group}
    if searched(rows) != searched(before):
        searches.unlink(missing_ok=True)  # now: who stops the command here finds no stale ones
    ship(table, TABLE, rows.values())
    keep_rest(done, rows)
    if searches.is_file():
        return

    jobs = list(itertools.product(METHODS, SEARCH_SEEDS))
    found = fill(build / f"nas_searches-{sha256(table)[:12]}.tsv", jobs, search, size=TRIALS)
    ship(searches, SEARCHES, [found[method, str(seed)] for method, seed in jobs])


if __name__ == "__main__":
    main()
