"""Hold a notebook to limits: memory, processes, size of files, and its share of the machine.

Where a cgroup can be made, the kernel counts all that a notebook's processes take together, files
in memory included. Where not, each process has a limit of its own, and a thread adds them up.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

GIGABYTE = 1024**3
MAX_TASKS = 512  # processes and threads; TensorFlow starts dozens
MAX_PROCESSES, FEW_PROCESSES = 64, 16  # in a cgroup, and without one
HEADROOM = 1.25  # of all processes together, so that one meets its MemoryError before it is killed
IN_MEMORY = 1.3 * GIGABYTE  # what a cgroup counts beside: /tmp and /dev/shm, see isolation
POLL_SECONDS = 0.1

NAME = "workshop-grading-"  # and the worker's id
CGROUPS, OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def limit(name, value):
    """Limit this process and its children, where the system knows this limit and has no lower."""
    import resource  # not on Windows

    with contextlib.suppress(AttributeError, OSError, ValueError):
        resource.setrlimit(getattr(resource, name), (int(value), int(value)))


def limit_notebook(memory, *, isolated):
    """Limit this process before it runs a student's code: `memory` bytes of data each."""
    limit("RLIMIT_DATA", memory)
    limit("RLIMIT_FSIZE", GIGABYTE)
    limit("RLIMIT_CORE", 0)
    limit("RLIMIT_NOFILE", 1024)  # a pipe or a socket holds memory, too
    if isolated:  # else the user's other processes count as well
        limit("RLIMIT_NPROC", MAX_TASKS)
    os.nice(5)


class Group:
    """A cgroup for one notebook: a limit of memory and of tasks, a fair share of the CPU.

    It is made within the caller's own group, or the nearest above it that allows one: as root, in
    a session that systemd has delegated, or in a container that may. Version 1 of cgroups keeps a
    tree for each kind of limit. `folders` is empty if none can be made.
    """

    def __init__(self, memory):
        total, self.folders = int(HEADROOM * memory + IN_MEMORY), []
        trees = {"memory": {"memory.limit_in_bytes": total}, "pids": {"pids.max": MAX_TASKS}}
        trees["cpu"] = {"cpu.shares": 1024}
        if (CGROUPS / "cgroup.controllers").exists():  # version 2
            trees = {"": {"memory.max": total, "pids.max": MAX_TASKS, "cpu.weight": 100}}
        for tree, settings in trees.items():
            folder = _make_group(tree, settings)
            if folder is None:
                self.remove()
                self.folders = []
                return
            self.folders.append(folder)
        with contextlib.suppress(OSError):  # version 2, where the machine has swap
            (self.folders[0] / "memory.swap.max").write_text("0")

    def remove(self):
        """Remove it; the processes in it have been ended, and take a moment to go."""
        deadline = time.monotonic() + 5
        while any(map(Path.exists, self.folders)) and time.monotonic() < deadline:
            for folder in self.folders:
                with contextlib.suppress(OSError):
                    folder.rmdir()
            time.sleep(0.02)


def _make_group(tree, settings):
    """A new group in our own of this tree or above it; None where none can be made or joined."""
    lines = [line.split(":", 2) for line in OWN_GROUPS.read_text().splitlines()]
    (own,) = [path for _, kinds, path in lines if tree in kinds.split(",")] or ["/"]
    root = CGROUPS / tree
    start = root / own.strip("/")
    for parent in (start, *start.parents):
        if not parent.is_relative_to(root) or not os.access(parent / "cgroup.procs", os.W_OK):
            return None
        folder = parent / f"{NAME}{os.getpid()}"
        for old in parent.glob(f"{NAME}*"):  # of a worker that was killed
            if not Path("/proc", old.name.removeprefix(NAME)).exists():
                with contextlib.suppress(OSError):
                    old.rmdir()
        with contextlib.suppress(OSError):
            folder.mkdir(exist_ok=True)
            try:
                for name, value in settings.items():
                    with open(folder / name, "r+") as file:  # missing where it is not delegated
                        file.write(str(value))
                return folder
            except OSError:
                folder.rmdir()
    return None


def family_of(process):
    """A child of ours and its descendants; nothing once it has ended."""
    import psutil

    with contextlib.suppress(psutil.Error):
        if process.poll() is None:  # else its id may be another's by now
            first = psutil.Process(process.pid)
            return [first, *first.children(recursive=True)]
    return []


def end_all(process):
    """Kill a child and its descendants: inside bubblewrap all of them, else those in sight."""
    for one in family_of(process):
        with contextlib.suppress(Exception):  # it has gone
            one.kill()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def describe_exit(code):
    """A process's end in words; bubblewrap's code is 128 plus the signal that ended what it ran."""
    if code is None:
        return "for an unknown reason"
    number = -code if code < 0 else code - 128
    if number > 0:
        with contextlib.suppress(ValueError):
            return f"by {signal.Signals(number).name}"
    return f"with exit code {code}"
