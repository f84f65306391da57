"""How long imports take, each in fresh processes: ``python benchmarks/imports.py``

Seconds until a Python that does nothing else has ended, and of those the ones in which a core was
busy. Only `import workshop` has a limit: everybody who opens a notebook waits for it.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

from benchmarks.table import as_markdown, measured

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 3
MODULES = sorted(path.stem for path in (ROOT / "workshop").glob("[a-z]*.py"))
OTHERS = ["tensorflow", "torch", "pytorch_lightning", "torchmetrics", "sklearn.metrics", "amber"]
STATEMENTS = {
    "nothing": "pass",
    "import workshop": "import workshop",
    **{f"import workshop.{name}": f"import workshop.{name}" for name in MODULES},
    **{f"import {name}": f"import {name}" for name in OTHERS},
    "import amber": "import workshop.nas.amber",  # as it is, it does not load on today's stack
}


def cpu_seconds():
    """Of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def seconds(statement):
    """Wall-clock and CPU seconds of a process that does nothing else."""
    start, cpu = time.perf_counter(), cpu_seconds()
    subprocess.run([sys.executable, "-c", statement], check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start, cpu_seconds() - cpu


def measure(rounds=ROUNDS):
    """Rows for the suite."""
    spent = {name: [] for name in STATEMENTS}
    for _ in range(rounds):
        for name, statement in STATEMENTS.items():
            spent[name].append(seconds(statement))
    rows = []
    for name, pairs in spent.items():
        wall, cpu = zip(*pairs, strict=True)
        limit = 0.2 if name == "import workshop" else None
        text = f"{name} (CPU {statistics.median(cpu):.2f} s)"
        rows.append(measured(text, wall, "s", at_most=limit))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    print(as_markdown(measure(parser.parse_args().rounds)))


if __name__ == "__main__":
    main()
