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
from typing import NamedTuple

from workshop.execution import execute_notebook

ROOT = Path(__file__).resolve().parent.parent / "notebooks"
LIMITS = {"day1_build_cnns.ipynb": 60, "day2_automl_and_interpretation.ipynb": 120}
"""Seconds for each student notebook."""

__all__ = ["LIMITS", "ROOT", "Run", "measure"]


class Run(NamedTuple):
    """One run of a notebook."""

    notebook: str
    """Its path below ``notebooks/``."""
    seconds: float
    """In all, with the start and the end of the kernel."""
    cells: list
    """(number, label, seconds) of each code cell."""

    @property
    def limit(self):
        """Seconds that the run may take; None for a solved notebook."""
        return LIMITS.get(self.notebook)


def measure(paths=tuple(ROOT / name for name in LIMITS)):
    """Run notebooks one after another; return a `Run` of each.

    Raises
    ------
    RuntimeError
        If a cell fails: the seconds up to there would tell nothing.
    """
    runs = []
    for path in map(Path, paths):
        cells = []
        with tempfile.TemporaryDirectory() as folder:
            done = execute_notebook(path, output_dir=folder, on_cell=cells.append)
        if done.failure is not None:
            raise RuntimeError(f"{path.name}: cell {done.failure.number}: {done.failure.error}")
        name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
        runs.append(Run(name, done.seconds, [(c.number, c.label, c.seconds) for c in cells]))
    return runs


def slowest(run, n=10):
    """Lines for the `n` slowest cells of a run, and for what the rest takes."""
    cells = sorted(run.cells, key=lambda cell: cell[2], reverse=True)
    lines = [f"{seconds:6.1f} s  [{number:3}] {label}" for number, label, seconds in cells[:n]]
    rest = sum(seconds for *_, seconds in cells[n:])
    around = run.seconds - sum(seconds for *_, seconds in cells)
    lines.append(f"{rest:6.1f} s  the other {len(cells[n:])} cells")
    lines.append(f"{around:6.1f} s  around them: the kernel's start and end")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--solutions", action="store_true", help="the solved notebooks as well")
    paths = [ROOT / name for name in LIMITS]
    if parser.parse_args().solutions:
        paths += [ROOT / "solutions" / name for name in LIMITS]
    missed = []
    for path in paths:
        before = os.times()
        (run,) = measure([path])
        after = os.times()
        cpu = sum(after[2:4]) - sum(before[2:4])  # of ended child processes: the kernel
        print(f"{run.notebook}: {run.seconds:.1f} s, {cpu:.1f} CPU seconds", end="")
        if run.limit is not None:
            print(f"; has to be under {run.limit} s", end="")
            if run.seconds >= run.limit:
                missed.append(run.notebook)
        print("", *slowest(run), "", sep="\n", flush=True)
    if missed:
        raise SystemExit(f"too slow: {', '.join(missed)}")


if __name__ == "__main__":
    main()
