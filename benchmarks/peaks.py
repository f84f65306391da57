"""How long a whole chromosome takes to become a data set, and how much memory.

Chromosomes are generated: 40 Mbp with 1,000 peaks, and one of the size of human chr9 with 2,000.

    python benchmarks/peaks.py

Exits 1 where the first takes 10 s or 1 GB.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.small_genome import write_genome  # noqa: E402

SIZES = {"40 Mbp": (40_000_000, 1000), "as chr9": (138_394_717, 2000)}
LIMITS = {"seconds": 10, "GB": 1}

MEASURE = """
import time
from workshop import datasets
started = time.perf_counter()
data = datasets.read_peaks({folder!r} + "/chr9.fa.gz", {folder!r} + "/peaks.bed.gz")
seconds = time.perf_counter() - started
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
print(len(data.y), seconds, peak / 1e6)
"""


def main():
    print(f"{'chromosome':12}{'windows':>8}{'seconds':>9}{'GB':>6}")
    too_much = False
    for name, (size, n_peaks) in SIZES.items():
        with tempfile.TemporaryDirectory() as folder:
            write_genome(folder, lengths={"chr9": size}, n_peaks={"chr9": n_peaks})
            ran = subprocess.run(  # a process of its own: its peak is this task's
                [sys.executable, "-c", MEASURE.format(folder=folder)],
                cwd=ROOT, check=True, capture_output=True, text=True,
            )  # fmt: skip
        n, seconds, gigabytes = map(float, ran.stdout.split())
        print(f"{name:12}{n:8.0f}{seconds:9.2f}{gigabytes:6.2f}")
        if name == "40 Mbp":
            too_much = seconds >= LIMITS["seconds"] or gigabytes >= LIMITS["GB"]
    return 1 if too_much else 0


if __name__ == "__main__":
    sys.exit(main())
