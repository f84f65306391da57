"""Does the memory of a search grow with its trials? ``python benchmarks/memory.py``

Real children, a process of its own for each framework: random search of the course's space on the
shipped data, one epoch a child. What counts is the most memory that the process ever held: after
60 children, against after 10. What Keras keeps of a model that is gone shows there first.
Linux only: the peak is the kernel's.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile

TRIALS, EARLY, SETTLED = 60, 10, 20
LIMIT = 1.15
LINE = "memory of each trial: "


def measure(framework):
    """Search in a fresh process and watch its memory.

    Parameters
    ----------
    framework : str
        ``"torch"`` or ``"keras"``.

    Returns
    -------
    dict of str to float
        ``early`` and ``late``: peak in MB after 10 and after 60 children; ``ratio`` of the two;
        ``growth``: MB that the peak rose a trial from trial 20 on; ``slower``: median seconds of
        the last 20 children over those of trials 21 to 40.
    """
    ran = subprocess.run(
        [sys.executable, __file__, "--framework", framework, "--here"],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    line = next(line for line in ran.stdout.splitlines() if line.startswith(LINE))
    peaks, seconds = json.loads(line.removeprefix(LINE))
    return {
        "early": peaks[EARLY - 1],
        "late": peaks[-1],
        "ratio": peaks[-1] / peaks[EARLY - 1],
        "growth": (peaks[-1] - peaks[SETTLED - 1]) / (TRIALS - SETTLED),
        "slower": statistics.median(seconds[-20:]) / statistics.median(seconds[-40:-20]),
    }


def search(framework):
    """Search in this process; return its peak in MB after each trial, and each trial's seconds."""
    from workshop import datasets, nas, splits  # here: who only starts processes stays small

    X, y, table = datasets.load_ctcf()[:3]
    train, val, _ = splits.split_by_chromosome(
        table["chrom"], val_chroms=["chr8", "chr20"], test_chroms=["chr1", "chr3", "chr6"]
    )
    peaks = []
    with tempfile.TemporaryDirectory() as folder:
        result = nas.random_search(
            nas.cnn_model_space(),
            train=(X[train], y[train]),
            val=(X[val], y[val]),
            working_dir=folder,
            framework=framework,
            epochs=1,
            max_trials=TRIALS,
            callbacks=[lambda trial: peaks.append(peak())],
            progress=False,
        )
    return peaks, result.history["seconds"].tolist()


def peak():
    """The most memory that this process has held so far, in MB.

    Not `getrusage`: a process inherits that peak from the one that started it.
    """
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--framework", choices=["torch", "keras"], help="only this one")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        print(LINE + json.dumps(search(options.framework)))
        return 0
    print(f"{'':6} MB after 10  after 60  MB a trial  ratio (at most {LIMIT})")
    ratios = []
    for framework in [options.framework] if options.framework else ["torch", "keras"]:
        m = measure(framework)
        ratios.append(m["ratio"])
        sizes = f"{m['early']:12.0f}{m['late']:10.0f}{m['growth']:12.2f}"
        print(f"{framework:6}{sizes}{m['ratio']:7.2f}")
    return 1 if max(ratios) > LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
