"""What training frees stays in the process until the next batch."""

import os
import platform
import subprocess
import sys

import pytest

LOOP = """
import resource, sys
from workshop._allocator import keep_freed_memory

if sys.argv[1] == "keep":
    keep_freed_memory()
block = b"x" * 2**23  # gone at once, as a batch's are
del block
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    block = b"x" * 2**23
    del block
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(word):
    """Of twenty times 8 MB, in a process that Dask started, so to speak."""
    ran = subprocess.run(
        [sys.executable, "-c", LOOP, word],
        env={**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return int(ran.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the setting is glibc's")
def test_freed_memory_is_used_again():
    assert page_faults("keep") < 100 < page_faults("as it is")
