"""What training frees stays in the process until the next batch."""

import os
import platform
import subprocess
import sys

import pytest

LOOP = """
import resource
from workshop.nas.worker import keep_freed_memory

keep_freed_memory()
for _ in range(20):
    block = b"x" * 2**23  # 2,048 pages
    del block  # gone at once, as a batch's are
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the setting is glibc's")
def test_freed_memory_is_used_again_in_a_worker_of_dask():
    as_in_dask = os.environ | {"MALLOC_TRIM_THRESHOLD_": "65536"}
    with_it, without = (
        int(subprocess.check_output([sys.executable, "-c", code], env=as_in_dask))
        for code in (LOOP, LOOP.replace("\nkeep_freed_memory()", ""))
    )
    assert without - with_it > 10 * 2048
