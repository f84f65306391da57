"""Start a student's process shut off from the rest of the machine: ``python -m`` this module.

What Linux allows here is used, each step for itself: a PID namespace (the process sees and signals
only its own descendants, and all die with the first of them), a mount namespace (everything
read-only but an empty working folder; files of others hidden), a network namespace (no network),
no capabilities. See ``man 7 namespaces`` and ``man 7 mount_namespaces``.

Three processes stand in a row: this one, which enters the namespaces; the first process inside,
which ends when the third does; and the third, which becomes the student's.
"""

import contextlib
import ctypes
import json
import os
import signal
import socket
import struct
import sys
from pathlib import Path

from workshop.grading.limits import set_limits

__all__ = ["die_with_parent", "main"]

NEWNS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
WAYS = (NEWPID | NEWNS | NEWNET | NEWIPC, NEWPID | NEWNS | NEWIPC, NEWPID)
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND = 1, 2, 4, 8, 4096
MS_PRIVATE_ALL = (1 << 18) | 16384  # MS_PRIVATE | MS_REC
MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, ATTR_RDONLY = 442, -100, 0x8000, 1
PDEATHSIG, CAPBSET_DROP, NO_NEW_PRIVS, CAP_AMBIENT = 1, 24, 38, 47
CAPABILITIES_VERSION = 0x20080522
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
FOLDER_SIZE = "1g"  # of all that a notebook may have on disk at a time: it is held in memory


def main():
    """Read the settings from stdin, enter the namespaces, become the student's process."""
    settings = json.loads(sys.stdin.buffer.read())
    settings["copies"] = [(to, Path(source).read_bytes()) for source, to in settings["copies"]]
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    active = _enter() if settings["isolate"] and sys.platform == "linux" else []
    die_with_parent()
    if "processes" not in active:
        _become_kernel(settings, active)
    inside = os.fork()  # the first process of the namespace: its end ends all
    if inside:
        _exit_as(os.waitpid(inside, 0)[1])
    die_with_parent()
    if "mounts" in active:
        active.remove("mounts")
        active += _mount(settings)
    if "network" in active:
        _raise_loopback()
    with contextlib.suppress(OSError):
        _drop_capabilities()
        active.append("capabilities")
    kernel = os.fork()
    if not kernel:
        die_with_parent()
        _become_kernel(settings, active)
    for fd in settings["fds"]:
        os.close(fd)
    while True:  # reap orphans, too
        ended, status = os.wait()
        if ended == kernel:
            _exit_as(status)


def die_with_parent():
    """Ask Linux to kill this process when its parent ends."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            _call("prctl", PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _become_kernel(settings, active):
    set_limits(settings["memory"], namespace="processes" in active)
    for name in settings["folders"]:
        Path(name).mkdir(parents=True, exist_ok=True)
    for target, content in settings["copies"]:
        Path(target).write_bytes(content)
    for fd in settings["fds"]:
        os.set_inheritable(fd, True)
    os.chdir(settings["work"])
    words = [sys.executable, "-m", "workshop.grading.notebook", *map(str, settings["fds"])]
    os.execv(sys.executable, [*words, ",".join(active)])


def _exit_as(status):
    """End as the child ended: with its code, or 128 plus its signal."""
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _call(name, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _enter():
    """Enter as many namespaces as we may; return what became active."""
    uid, gid = os.getuid(), os.getgid()
    for own_users in (0, NEWUSER) if uid == 0 else (NEWUSER,):
        for flags in WAYS:
            try:
                _call("unshare", flags | own_users)
            except (OSError, AttributeError):
                continue
            if own_users:
                with contextlib.suppress(OSError):
                    Path("/proc/self/setgroups").write_text("deny")
                with contextlib.suppress(OSError):
                    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
                    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
            found = {"processes": NEWPID, "mounts": NEWNS, "network": NEWNET}
            return [name for name, flag in found.items() if flags & flag]
    return []


def _mount(settings):
    """Make everything read-only but an empty folder in memory, and hide what is others'."""
    active, folder = [], Path(settings["folder"])
    try:
        _call("mount", None, b"/", None, MS_PRIVATE_ALL, None)
        attributes = struct.pack("=QQQQ", ATTR_RDONLY, 0, 0, 0)
        read_only = (MOUNT_SETATTR, AT_FDCWD, b"/", AT_RECURSIVE, attributes, len(attributes))
        _call("syscall", *(ctypes.c_long(a) if isinstance(a, int) else a for a in read_only))
        for place in settings["scratch"]:
            _mount_memory(place, FOLDER_SIZE, mode="1777")
        folder.mkdir(parents=True, exist_ok=True)
        _mount_memory(folder, FOLDER_SIZE)
        active.append("files")
        empty = folder / ".empty"
        empty.touch()
        for hidden in map(Path, settings["hidden"]):
            if hidden.is_dir():
                _mount_memory(hidden, "4k", flags=MS_RDONLY)
            elif hidden.exists():
                _call("mount", bytes(empty), bytes(hidden), None, MS_BIND, None)
        active.append("hidden")
    except OSError:  # a container that allows namespaces but no mounts; the rest still holds
        pass
    with contextlib.suppress(OSError):
        flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC
        _call("mount", b"proc", b"/proc", b"proc", flags, None)
        active.append("proc")
    return active


def _mount_memory(place, size, *, mode="0700", flags=0):
    options = f"size={size},mode={mode},nr_inodes=50k".encode()
    flags |= MS_NOSUID | MS_NODEV
    _call("mount", b"tmpfs", os.fsencode(place), b"tmpfs", flags, options)


def _raise_loopback():
    """Let processes inside talk to each other over 127.0.0.1."""
    import fcntl

    with contextlib.suppress(OSError), socket.socket() as connection:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(connection, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(connection, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def _drop_capabilities():
    """Give up for good whatever root may do: mounting again, above all."""
    _call("prctl", NO_NEW_PRIVS, 1, 0, 0, 0)
    for capability in range(64):
        with contextlib.suppress(OSError):  # those that this kernel does not know
            _call("prctl", CAPBSET_DROP, capability, 0, 0, 0)
    with contextlib.suppress(OSError):
        _call("prctl", CAP_AMBIENT, 4, 0, 0, 0)  # PR_CAP_AMBIENT_CLEAR_ALL
    none = struct.pack("=6I", *[0] * 6)
    _call("capset", struct.pack("=Ii", CAPABILITIES_VERSION, 0), none)


if __name__ == "__main__":
    main()
