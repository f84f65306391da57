"""How long a student waits, cell by cell: ``python benchmarks/notebooks.py``

Each notebook runs from the top in a fresh kernel, as `workshop run` does it. On two quiet cores
Day 1 has to end within 60 seconds and Day 2 within 120, the start of the kernel included. The CPU
seconds beside them grow less when something else uses the machine. ``--solutions`` adds the solved
notebooks, for which there is no limit.
"""

import argparse
import os
import tempfile
from pathlib import Path

from workshop.execution import execute_notebook

ROOT = Path(__file__).resolve().parent.parent / "notebooks"
LIMITS = {"day1_build_cnns.ipynb": 60, "day2_automl_and_interpretation.ipynb": 120}  # seconds


def measure(path):
    """Seconds of a whole run, with the kernel's start and end; its cells, the slowest first."""
    cells = []
    with tempfile.TemporaryDirectory() as folder:
        done = execute_notebook(path, output_dir=folder, on_cell=cells.append)
    if done.failure:  # the seconds up to there would tell nothing
        raise RuntimeError(f"{path.name}: {done.failure}")
    return done.seconds, sorted(cells, key=lambda cell: -cell.seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--solutions", action="store_true", help="the solved notebooks as well")
    names = list(LIMITS)
    if parser.parse_args().solutions:
        names += [f"solutions/{name}" for name in LIMITS]
    missed = []
    for name in names:
        before = os.times()
        seconds, cells = measure(ROOT / name)
        after = os.times()
        cpu = sum(after[2:4]) - sum(before[2:4])  # of ended child processes: the kernel
        limit = LIMITS.get(name, float("inf"))
        print(f"{name}: {seconds:.1f} s (at most {limit}), {cpu:.1f} CPU seconds")
        for cell in cells[:10]:
            print(f"{cell.seconds:6.1f} s  [{cell.number:3}] {cell.label}")
        rest = seconds - sum(cell.seconds for cell in cells[:10])
        print(f"{rest:6.1f} s  the other cells, and the kernel\n", flush=True)
        if seconds >= limit:
            missed.append(name)
    if missed:
        raise SystemExit(f"too slow: {', '.join(missed)}")


if __name__ == "__main__":
    main()
