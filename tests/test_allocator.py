"""What training frees stays in the process until the next batch."""

import os
import platform
import subprocess
import sys

import pytest

LOOP = """
import resource, sys
from workshop.environment.allocator import keep_freed_memory

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


HOLES = """
from workshop.environment.allocator import give_back_freed_memory, keep_freed_memory

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

keep_freed_memory()
blocks = [b"x" * 2**16 for _ in range(3000)]
between = blocks[::100]  # nothing can be cut off at the end
del blocks
before = resident()
give_back_freed_memory()
print(before - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the function is glibc's")
def test_holes_are_given_back():
    ran = subprocess.run([sys.executable, "-c", HOLES], check=True, stdout=subprocess.PIPE)
    assert int(ran.stdout) > 150_000  # kB of 196,000
