"""Memory that the next batch needs again stays in the process; what a model leaves does not."""

import contextlib
import ctypes
import functools

M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -3, -1  # of glibc's <malloc.h>


@functools.cache
def keep_freed_memory():
    """Let glibc keep up to 256 MB that this process has freed; elsewhere nothing happens.

    Each batch frees what the next one asks for. By default glibc may give it back to the system in
    between, and where MALLOC_TRIM_THRESHOLD_ is small it always does: so it is in Dask's workers,
    where children then spend more time on getting memory than on training.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):  # Windows, macOS, musl
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, 32 * 2**20)
        mallopt(M_TRIM_THRESHOLD, 256 * 2**20)


def give_back_freed_memory():
    """Let glibc give back what this process has freed, holes between what it uses included.

    Models of different sizes leave holes that do not fit the next, and the process grows.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
