"""The memory of a search does not grow with its trials."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TRIALS = 60
SEARCH = """
import json
from tests.search_cases import search

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1000

peaks = []
search({folder!r}, max_trials={trials}, callbacks=[lambda trial: peaks.append(peak())])
print(json.dumps(peaks))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is Linux's")
def test_the_peak_of_a_search_does_not_grow_with_its_trials(tmp_path):
    script = SEARCH.format(folder=str(tmp_path / "search"), trials=TRIALS)
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    peaks = json.loads(ran.stdout.splitlines()[-1])  # MB after each trial
    assert len(peaks) == TRIALS
    assert peaks[59] <= 1.15 * peaks[9]
    # Torch alone is hundreds of MB, so 15 % would hide 1 MB a trial.
    assert (peaks[59] - peaks[19]) / 40 < 0.5
