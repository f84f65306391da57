"""Does a search survive ``kill -9``? ``python benchmarks/kills.py``

A search runs once undisturbed. Then it runs again and again in processes of their own, each
killed with SIGKILL at a random moment and started anew; at the end its history must equal the
undisturbed one, and no trial that was on disk may be gone. The tests hold a shorter version.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from workshop import datasets, nas, splits

METHODS = {
    "AMBER": (nas.search, {"epochs": 1}),
    "halving": (nas.successive_halving, {"n_children": 9, "rungs": (1, 2)}),
}
STARTED = "searching"


def search(folder, method, framework):
    """The search that is killed: few sequences, so that it takes seconds."""
    data = datasets.load_ctcf()
    split = splits.split_by_chromosome(
        data.table["chrom"], val_chroms=["chr8", "chr20"], test_chroms=["chr1", "chr3", "chr6"]
    )
    rows = split.train[:500]
    function, settings = METHODS[method]
    return function(
        nas.cnn_model_space(),
        train=(data.X[rows], data.y[rows]),
        val=(data.X[split.val], data.y[split.val]),
        working_dir=folder,
        framework=framework,
        max_trials=24,
        learning_rate=0.003,
        progress=False,
        **settings,
    )


def start(folder, arguments):
    """A process that searches in `folder`, once it has imported everything."""
    words = [__file__, "--in", str(folder), "--method", arguments.method]
    words += ["--framework", arguments.framework]
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.strip() == STARTED:
            return process
    raise RuntimeError("The process that searches ended before it began.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--method", choices=METHODS, default="AMBER")
    parser.add_argument("--framework", choices=["torch", "keras"], default="torch")
    parser.add_argument("--in", dest="folder", help=argparse.SUPPRESS)  # what is killed
    arguments = parser.parse_args()
    if arguments.folder:
        print(STARTED, flush=True)
        search(arguments.folder, arguments.method, arguments.framework)
        return 0

    rng = np.random.default_rng(0)
    equal = 0
    with tempfile.TemporaryDirectory() as parent:
        whole = search(Path(parent) / "whole", arguments.method, arguments.framework)
        expected = whole.history.drop(columns="seconds")
        print(f"undisturbed: {len(expected)} trials in {whole.seconds:.1f} s")
        for number in range(arguments.kills):
            folder = Path(parent) / str(number)
            process = start(folder, arguments)
            moment = rng.uniform(0, whole.seconds)
            time.sleep(moment)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kept = nas.read_history(folder) if (folder / "checkpoint.npz").exists() else None
            again = start(folder, arguments)  # the same call, to its end
            again.communicate()
            if again.returncode:
                raise RuntimeError(f"The search in {folder} could not go on.")
            found = nas.read_history(folder)
            same = found.drop(columns="seconds").equals(expected)
            same &= kept is None or found.iloc[: len(kept)].equals(kept)
            equal += same
            trials = 0 if kept is None else len(kept)
            print(f"killed after {moment:5.2f} s with {trials:2} trials on disk: equal {same}")
    print(f"{equal} of {arguments.kills} histories equal the undisturbed one")
    return 0 if equal == arguments.kills else 1


if __name__ == "__main__":
    sys.exit(main())
