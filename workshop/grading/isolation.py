"""What a graded notebook sees of the machine: a list of folders, and nothing else.

The walls are bubblewrap's (``bwrap``, https://github.com/containers/bubblewrap), which builds an
empty root in namespaces of its own and mounts into it what the command line names. So whatever is
forgotten here is missing inside, and not open. What mounts cannot close is closed by a filter of
system calls: sockets other than Unix ones, memory that no limit counts, what the kernel shares out
by account, and the way off the one core that a notebook is given.
"""

import os
import platform
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import workshop
from workshop._files import data_directory

INSTALL = (
    "Install it with: sudo apt-get install bubblewrap (0.8 or newer). Or, if you trust everyone in "
    "the class, run without walls: --no-isolation"
)
INSIDE = "/tmp"
SIZES = {"/tmp": 1024**3, "/dev/shm": 256 * 1024**2, "/run": 1024**2}  # bytes, held in memory
NAMESPACES = (
    "--unshare-user --uid 1000 --gid 1000 --disable-userns --unshare-pid --unshare-net "
    "--unshare-ipc --unshare-uts --unshare-cgroup --hostname grading --cap-drop ALL "
    "--new-session --die-with-parent"
)

# The least that Python, Torch, Keras and a shell command of a lesson start with.
SYSTEM = [
    "/usr/bin",  # `!head data.tsv`
    *("/usr/lib", "/usr/lib32", "/usr/lib64"),  # libc, libstdc++
    *("/etc/ld.so.cache", "/etc/alternatives"),  # where libraries are, BLAS of Debian among them
    *("/usr/share/fonts", "/usr/share/fontconfig", "/etc/fonts"),
    *("/usr/share/zoneinfo", "/etc/localtime", "/usr/lib/locale"),
    "/sys/devices/system/cpu",  # Torch takes its slow kernels where it cannot read this
]
LINKS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64")  # into /usr on today's systems
OF_PREFIX = ("bin", "lib", "lib64", "pyvenv.cfg")  # not all: a checkout may be its own environment


def command(words):
    """Command line that runs `words` inside; seccomp's program is read from descriptor `{fd}`."""
    argv = [shutil.which("bwrap"), *NAMESPACES.split(), "--seccomp", "{fd}"]
    argv += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/dev/pts"]  # no terminal can be made
    argv += ["--dev-bind", "/dev/null", "/dev/zero"]  # mapped, it is memory that nobody counts
    for place, size in SIZES.items():
        argv += ["--size", str(size), "--tmpfs", place]
    for link in map(Path, LINKS):
        if link.is_symlink():
            argv += ["--symlink", str(link.readlink()), str(link)]
    for path in allowed():
        argv += ["--ro-bind", path, path]
    for fonts in _font_lists():
        argv += ["--ro-bind", str(fonts), f"{INSIDE}/home/.cache/matplotlib/{fonts.name}"]
    for folder in ("home", "work"):
        argv += ["--dir", f"{INSIDE}/{folder}"]
    for place in ("/proc", "/dev/pts", "/dev", "/"):  # none of them is a place to write to
        argv += ["--remount-ro", place]
    return [*argv, "--chdir", f"{INSIDE}/work", "--", *words]


def allowed():
    """Paths that can be read inside, under their own names.

    Of `sys.path` only folders for packages count. What else stands on it, by PYTHONPATH or an
    editable install, may be a home or this checkout, with the solved notebooks in it.
    """
    package = Path(workshop.__file__).parent
    paths = [Path(one) for one in SYSTEM]
    paths += [Path(one) for one in LINKS if not Path(one).is_symlink()]
    paths += [Path(p) / name for p in (sys.prefix, sys.base_prefix) for name in OF_PREFIX]
    paths += [Path(entry) for entry in sys.path if entry.endswith("-packages")]
    paths += [package, data_directory(), *_links_of(Path(sys.executable))]
    both = {one for path in paths if path.exists() for one in (path.absolute(), path.resolve())}
    return sorted(str(path) for path in both if not both & set(path.parents))


def _links_of(path):
    """An executable, and what its link and the links behind that one point to."""
    yield path
    while path.is_symlink():
        path = path.parent / path.readlink()
        yield path


def _font_lists():
    """Matplotlib's list of fonts, which takes seconds to make."""
    import matplotlib.font_manager  # makes the list, if there is none

    return sorted(Path(matplotlib.get_cachedir()).glob("fontlist-*.json"))


def start(words, *, groups=(), core=None, **options):
    """Start `words` inside bubblewrap, on one core, and all of it in cgroups, given as folders."""
    reading, writing = os.pipe()
    os.write(writing, seccomp_program())
    os.close(writing)
    argv = [word.replace("{fd}", str(reading)) for word in command(words)]
    if core is not None:
        argv = ["taskset", "--cpu-list", str(core), *argv]
    for folder in groups:
        argv = ["sh", "-c", 'echo $$ > "$0" && exec "$@"', f"{folder}/cgroup.procs", *argv]
    try:
        return subprocess.Popen(argv, pass_fds=[reading], **options)
    finally:
        os.close(reading)


def require():
    """Version of bubblewrap; OSError that says what to do where it is missing or cannot work."""
    if sys.platform != "linux" or platform.machine() not in MACHINES:
        here = f"{sys.platform} on {platform.machine()}"
        raise OSError(
            f"Notebooks can be shut off on Linux ({' or '.join(MACHINES)}), not on {here}."
        )
    if shutil.which("bwrap") is None:
        raise OSError(f"bubblewrap (bwrap) is needed to shut notebooks off, and missing. {INSTALL}")
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with start(["bwrap", "--version"], env={"PATH": os.defpath}, **pipes) as process:
        printed = process.communicate()[0].decode(errors="replace").strip()
    if process.returncode:
        raise OSError(
            f"bubblewrap is there, but too old or forbidden here: {printed[:200]}. See "
            f"GRADING.md, Isolation. {INSTALL}"
        )
    return printed


# --- the filter of system calls (man 2 seccomp), as BPF, which knows numbers only ---

MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # and their names in a filter
SOCKET, SOCKETPAIR, MMAP = (41, 198), (53, 199), (9, 222)
UNIX = 1  # the one family of sockets whose memory is counted and that a mount shuts off
SHARED_ANONYMOUS = 0x21  # of mmap: files in memory without a name and a size
# fmt: off
REFUSED = {
    # memory that no limit counts
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "mq_open": (240, 180),
    "shmget": (29, 194), "semget": (64, 190), "msgget": (68, 186), "vmsplice": (278, 75),
    # bubblewrap's own process, which ends all others when the grader is gone
    "ptrace": (101, 117), "process_vm_writev": (311, 271),
    # what the kernel shares out by account or machine, to the neighbours as well
    "inotify_init": (253, 26), "inotify_init1": (294, 26), "io_setup": (206, 0),
    # other cores, and keys of the user
    "sched_setaffinity": (203, 122), "add_key": (248, 217), "request_key": (249, 218),
    "keyctl": (250, 219),
    # much kernel for no lesson
    "io_uring_setup": (425, 425), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
}
# fmt: on
LOAD, AND, EQUAL, AT_LEAST, RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050001  # the last: EPERM
SECOND_TABLE = 0x40000000  # x86_64 has the same calls again as "x32" from here on


def seccomp_program():
    """Bytes of the filter; a step is its code, how many to skip if true and if not, a number."""
    machine = list(MACHINES).index(platform.machine())
    steps = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, MACHINES[platform.machine()]), (RETURN, 0, 0, KILL)]
    steps += [(LOAD, 0, 0, 0), (AT_LEAST, 0, 1, SECOND_TABLE), (RETURN, 0, 0, REFUSE)]
    for numbers in REFUSED.values():
        steps += [(EQUAL, 0, 1, numbers[machine]), (RETURN, 0, 0, REFUSE)]
    steps += [(EQUAL, 0, 4, MMAP[machine]), (LOAD, 0, 0, 40), (AND, 0, 0, SHARED_ANONYMOUS)]
    steps += [(EQUAL, 5, 0, SHARED_ANONYMOUS), (RETURN, 0, 0, ALLOW)]  # 40: of the 4th argument
    steps += [(EQUAL, 1, 0, SOCKET[machine]), (EQUAL, 0, 3, SOCKETPAIR[machine])]
    steps += [(LOAD, 0, 0, 16), (EQUAL, 1, 0, UNIX), (RETURN, 0, 0, REFUSE)]  # 16: of the first
    steps += [(RETURN, 0, 0, ALLOW)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
