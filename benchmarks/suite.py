"""All benchmarks in one table: ``make bench``, or ``python benchmarks/suite.py --only ism search``

Each section runs in a process of its own, one after the other, so that none disturbs another;
within a section, what is compared takes turns. A ratio is that of two medians, its quartiles are
those of the ratios round by round. The table goes to standard output, and to build/bench.md and
build/bench.json; progress goes to standard error. Exits 1 where a requirement is missed or a
section fails. It takes three quarters of an hour on two cores that have nothing else to do.
"""

import argparse
import importlib.metadata
import json
import math
import multiprocessing
import os
import platform
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from benchmarks.table import as_markdown, measured

BUILD = Path(__file__).resolve().parent.parent / "build"
PACKAGES = [
    "numpy", "torch", "pytorch-lightning", "tensorflow", "keras", "amber-automl",
    "tangermeme", "captum", "seqpro", "optuna", "loky", "distributed",
]  # fmt: skip
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


# A section imports what it measures when it runs, in its own process.


def one_hot():
    from benchmarks import onehot

    return onehot.measure()


def ism():
    from benchmarks import ism

    return ism.measure()


def training():
    from benchmarks import training

    return training.measure()


def search():
    from benchmarks import search

    return search.measure()


def workers():
    from benchmarks import workers

    return workers.measure()


def notebooks():
    from benchmarks import notebooks

    rows = []
    for name, limit in notebooks.LIMITS.items():
        seconds, cells = notebooks.measure(notebooks.ROOT / name)
        rows.append(measured(name, [seconds], "s", at_most=limit))
        rows += [measured(f"cell {c.number}: {c.label}", [c.seconds], "s") for c in cells[:5]]
        rest = seconds - sum(cell.seconds for cell in cells[:5])
        rows.append(measured("all other cells, and the kernel", [rest], "s"))
    return rows


class Section(NamedTuple):
    title: str
    rows: object
    """The function that measures."""
    environment: dict
    """Variables of its process; those of `ONE_THREAD` are unset otherwise."""


SECTIONS = {
    "onehot": Section("One-hot encoding", one_hot, ONE_THREAD),
    "ism": Section("Saturation mutagenesis", ism, ONE_THREAD),
    "training": Section("Training, Day-1 model, 3,600 × 200 bp, batch 64", training, {}),
    "search": Section("Search until a validation AUROC, 10 seeds", search, ONE_THREAD),
    "workers": Section("Search on workers", workers, ONE_THREAD),
    "notebooks": Section("Notebooks, cold start included", notebooks, {}),
}


def run(section):
    """Rows of a section, measured in a fresh process."""
    for name in ONE_THREAD:
        os.environ.pop(name, None)
    os.environ.update(section.environment)
    with ProcessPoolExecutor(
        1, mp_context=multiprocessing.get_context("spawn"), initializer=os.dup2, initargs=(2, 1)
    ) as process:  # what a section prints is progress: standard output becomes standard error
        return process.submit(section.rows).result()


def machine():
    """Processor, system and versions."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = (line.split(":", 1)[1] for line in cpuinfo.open() if line.startswith("model name"))
        model = next(names, model).strip()
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{package: importlib.metadata.version(package) for package in PACKAGES},
    }


def as_plain(row):
    """A row as JSON has it: no infinity, and the verdict."""
    plain = {
        k: None if isinstance(v, float) and math.isinf(v) else v for k, v in row._asdict().items()
    }
    return plain | {"holds": row.holds}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--only", nargs="+", choices=SECTIONS, help="only these sections")
    names = parser.parse_args().only or list(SECTIONS)

    table, sections, missed, failed = [], [], [], []
    started = time.perf_counter()
    for name in names:
        section, start = SECTIONS[name], time.perf_counter()
        print(f"{name} ...", file=sys.stderr)
        try:
            rows = run(section)
        except Exception:
            traceback.print_exc()
            rows = []
            failed.append(name)
        seconds = time.perf_counter() - start
        print(f"{name}: {seconds:.0f} s", file=sys.stderr)
        table += [
            f"{section.title} ({seconds:.0f} s)" if rows else f"{section.title}: FAILED",
            *rows,
        ]
        sections.append({"section": name, "seconds": seconds, "rows": [*map(as_plain, rows)]})
        missed += [f"{name}: {row.what}" for row in rows if row.holds is False]

    about = machine()
    ends = f"{(time.perf_counter() - started) / 60:.0f} minutes. "
    ends += f"Missed: {'; '.join(missed) or 'nothing'}. Failed: {', '.join(failed) or 'nothing'}."
    text = "\n\n".join([", ".join(f"{k} {v}" for k, v in about.items()), as_markdown(table), ends])
    print(text)
    BUILD.mkdir(exist_ok=True)
    (BUILD / "bench.md").write_text(text + "\n", encoding="utf-8")
    record = {"machine": about, "sections": sections, "failed": failed}
    (BUILD / "bench.json").write_text(
        json.dumps(record, indent=1, allow_nan=False), encoding="utf-8"
    )
    return 1 if missed or failed else 0


if __name__ == "__main__":
    sys.exit(main())
