"""Hold a student's processes to limits: memory, number, size of files; and end all of them."""

import contextlib
import os
import signal
import sys
import threading
import time

__all__ = ["GIGABYTE", "MAX_PROCESSES", "Watchdog", "end_all", "set_limits"]

GIGABYTE = 1024**3
MAX_PROCESSES = 64
MAX_FILE = GIGABYTE
MAX_TASKS = 1024  # processes and threads where Linux counts them for a namespace
HEADROOM = 1.25  # of all processes together, so that one meets its MemoryError before it is killed
POLL_SECONDS = 0.1
ROUNDS = 50


def set_limits(memory, *, namespace=False):
    """Limit this process and its children: `memory` bytes of data each, files, no core dumps."""
    import resource

    wanted = {"RLIMIT_DATA": memory, "RLIMIT_FSIZE": MAX_FILE, "RLIMIT_CORE": 0}
    if namespace and os.getuid():  # elsewhere the user's other processes count as well
        wanted["RLIMIT_NPROC"] = MAX_TASKS
    for name, value in wanted.items():
        with contextlib.suppress(AttributeError, OSError, ValueError):  # macOS lacks some
            hard = resource.getrlimit(getattr(resource, name))[1]
            value = int(value) if hard == resource.RLIM_INFINITY else min(int(value), hard)
            resource.setrlimit(getattr(resource, name), (value, value))
    with contextlib.suppress(OSError):
        os.nice(5)


class Watchdog(threading.Thread):
    """Look at a process and its descendants all the time; end them when they take too much.

    Parameters
    ----------
    pid : int
    memory : int
        Bytes that they may use together, with some headroom.

    Attributes
    ----------
    verdict : str
        Why they were ended; empty as long as they were not.
    peak : int
        The most memory they used together, in bytes.
    """

    def __init__(self, pid, *, memory):
        super().__init__(daemon=True)
        self.pid, self.memory = pid, memory
        self.verdict, self.peak = "", 0
        self._stopped = threading.Event()

    def run(self):
        import psutil

        while not self._stopped.wait(POLL_SECONDS):
            with contextlib.suppress(psutil.Error):
                self._look(psutil)
            if self.verdict:
                end_all(self.pid)
                return

    def _look(self, psutil):
        first = psutil.Process(self.pid)
        family = [first, *first.children(recursive=True), *_orphans(psutil, first)]
        if len(family) > MAX_PROCESSES:
            self.verdict = f"It started more than {MAX_PROCESSES} processes and was stopped."
            return
        used = 0
        for one in family:
            with contextlib.suppress(psutil.Error):
                used += one.memory_info().rss
        self.peak = max(self.peak, used)
        if used > HEADROOM * self.memory:
            self.verdict = (
                f"It used more than {self.memory / GIGABYTE:g} GB of memory and was stopped."
            )

    def stop(self):
        """Look no more."""
        self._stopped.set()


def end_all(pid):
    """Kill a process, its descendants, and orphans that came to this process: none escapes.

    They are stopped first, so that none starts another while we go through them.
    """
    import psutil

    with contextlib.suppress(psutil.Error):
        first = psutil.Process(pid)
        if first.ppid() == os.getpid():
            first.kill()  # in a namespace of their own this ends all of them at once
            _end_children(psutil, first)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _end_children(psutil, first):
    for _ in range(ROUNDS):
        family = [first, *first.children(recursive=True), *_orphans(psutil, first)]
        alive = []
        for one in family:
            with contextlib.suppress(psutil.Error):
                if one.status() != psutil.STATUS_ZOMBIE:
                    alive.append(one)
        if not alive:
            return
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for one in alive:
                with contextlib.suppress(psutil.Error):
                    one.send_signal(number)
        time.sleep(0.01)


def _orphans(psutil, first):
    """What a dead descendant left behind: Linux hands it to us, who asked for it."""
    if sys.platform != "linux":
        return []
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error, ChildProcessError):
            if child == first:
                continue
            if child.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(child.pid, os.WNOHANG)
            else:
                found += [child, *child.children(recursive=True)]
    return found
