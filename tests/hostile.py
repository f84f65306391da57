"""Notebooks of a few lines that a grader must survive: what each does and what it may earn.

`tests/test_walls.py` runs all of them, `benchmarks/grading.py` grades some within a class.
"""

# The whole answer to 1.6.2, which needs no model: 10 points within a second.
GOOD = """
import numpy as np


def compare_models(y_true, score_a, score_b):
    y = y_true.ravel() == 1
    a, b = ((score.ravel() >= 0.5) != y for score in (score_a, score_b))
    table = [[int(np.sum((a == i) & (b == j))) for j in (0, 1)] for i in (0, 1)]
    return table, np.flatnonzero(a & b)
"""
TRANSPOSED = GOOD.replace("(a == i) & (b == j)", "(a == j) & (b == i)")  # 4 points
ENDLESS = "while True:\n    pass"
PATCHER = """
from workshop import homework
from workshop.homework.answers import served
class Verdict:
    points, passed, done, out_of, remarks = 10, True, True, 10, ()
homework.check = homework.judge = homework.scoreboard = lambda *_, **__: Verdict()
for practice in homework.PRACTICES.values():
    object.__setattr__(practice, "check", lambda *_: iter(()))
served.AnswerServer.handle = lambda self, request: {"value": {"points": 10, "right": True}}
"""
PIPES = """
import os
pipes = []
for fd in range(3, 64):
    try:
        pipes += [fd] if os.readlink(f"/proc/self/fd/{fd}").startswith("pipe:") else []
    except OSError:
        pass
"""
FORGED = f"""{PIPES}
from workshop.homework.answers import wire
message = wire.pack({{"value": {{"points": 10, "kind": "list", "items": []}}}})
for fd in pipes:
    for _ in range(5):
        try:
            os.write(fd, len(message).to_bytes(8, "big") + message)
        except OSError:
            pass
"""
GARBAGE = f"""{PIPES}
for fd in pipes:
    try:
        os.write(fd, b"x" * 9999)
    except OSError:
        pass
"""
MUTE = f"""{FORGED}
while True:
    for fd in pipes:
        try:
            os.write(fd, len(message).to_bytes(8, "big") + message)
        except OSError:
            pass
"""
SHAPES = f"""{PIPES}
shape = ",".join(["9" * 4300] * 3600)  # their product takes an hour
text = b'{{"array": "<f8", "shape": [' + shape.encode() + b"]}}"
message = len(text).to_bytes(8, "big") + text
message = len(message).to_bytes(8, "big") + message
for fd in pipes:
    sent = 0
    while sent < len(message):
        try:
            sent += os.write(fd, message[sent:])
        except OSError:
            break
"""
WIDE = """
optimisation_table = [{str(i): 0} for i in range(30_000)]
best_setting = {"optimizer": "adam"}
"""
PICKLED = """
import builtins, pickle
class Pickle:
    def __reduce__(self):
        return builtins.open, ({folder} + "/pwned", "w")
    def __array__(self, *_, **__):
        raise SystemExit
def compare_models(*_):
    return Pickle(), pickle.dumps(Pickle())
my_importance = pickle.dumps(Pickle())
"""
FAKER = """
import glob, os
for place in [{folder}, "..", "../..", *glob.glob("/proc/[0-9]*/cwd"), *glob.glob("/proc/1/fd/*")]:
    for path in (place, *(os.path.join(place, f"grades.{kind}") for kind in ("csv", "json"))):
        try:
            with open(path, "w") as file:
                file.write("student,total\\nfaker,100\\n")
        except OSError:
            pass
print("total 100 of 100 points")
"""
BUSY = """
import os
for _ in range(60):
    if os.fork() == 0:
        os.setsid()
        while True:
            pass
"""
HOARDER = """
import os, time
for _ in range(8):
    if os.fork() == 0:
        x = b"x" * (2 * 2**30)
        time.sleep(99)
time.sleep(99)
"""
DEAF = f"import signal\nsignal.signal(2, signal.SIG_IGN)\n{ENDLESS}"
DAEMON = "import subprocess\nsubprocess.Popen(['sleep', '4321'], start_new_session=True)"
DEEP = "compare_models = []\nfor _ in range(10**5):\n    compare_models = [compare_models]"
LIAR = "import numpy as np\nnp.array_equal = np.allclose = lambda *_, **__: True"

CASES = {  # cells, points of 1.6.2 (None: its own affair), what the row says
    "exits": (["import os\nos._exit(3)", GOOD], 10, "cell 1: .*exit code 3"),
    "segfault": (["import ctypes\nctypes.string_at(0)", GOOD], 10, "cell 1: .*by SIGSEGV"),
    "sysexit": (["import sys\nsys.exit(1)", GOOD], 10, "cell 1: SystemExit"),
    "endless": ([ENDLESS, GOOD], 10, "cell 1: it ran for more than . s and was stopped"),
    "deaf": ([DEAF, GOOD], 0, "did not stop when it was interrupted"),
    "slow": (["def compare_models(*_):\n    while True:\n        pass"], 0, ""),
    "bomb": (["import os\nwhile True:\n    os.fork()", GOOD], 0, "more than \\d+ processes|ended"),
    "busy": ([BUSY, GOOD], None, ""),
    "greedy": (["import numpy as np\nx = np.ones(int(50e9) // 8)", GOOD], 10, "cell 1: .*Memory"),
    "hoarder": ([HOARDER, GOOD], None, ""),
    "chatty": (["while True:\n    print('x' * 1_000_000)", GOOD], 10, "cell 1: it ran for more"),
    "patcher": ([PATCHER], 0, ""),
    "faker": ([FAKER], 0, ""),
    "closer": (["import os\nos.closerange(0, 4096)", GOOD], 10, "cell 1: .*ended"),
    "garbage": ([GARBAGE, GOOD], 0, "only the grader's messages"),
    "forger": ([FORGED], 0, ""),
    "mute": ([MUTE, *["#" * 999] * 300], 0, "only the grader's messages"),
    "shapes": ([SHAPES, GOOD], 0, "only the grader's messages"),
    "wide": ([WIDE, GOOD], 10, "^$"),
    "stopped": (["import os\nos.kill(os.getpid(), 19)", GOOD], 0, "did not stop when it was"),
    "pickler": ([PICKLED], 0, ""),
    "daemon": ([DAEMON, GOOD], 10, "^$"),
    "numpy": ([LIAR, TRANSPOSED], 4, "^$"),
    "deep": ([DEEP], 0, ""),
    "huge": (["import numpy as np\ncompare_models = np.zeros(10**8)"], 0, ""),
    "honest": ([GOOD], 10, "^$"),
}

ATTEMPT = """
import ctypes, glob, os, socket, stat
gained = []
libc = ctypes.CDLL(None, use_errno=True)

def attempt(what, *arguments, **options):
    try:
        what(*arguments, **options)
        gained.append(f"{what} {arguments}"[:99])
    except OSError:
        pass

def call(name, *arguments):
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)
"""
ATTEMPTS = {  # none may succeed; the honest answer after it must still earn ten points
    "sockets": """
for family in (40, 38, 31, 17, 16, 10, 2):  # vsock, ciphers, bluetooth, packets, netlink, IP
    attempt(socket.socket, family, socket.SOCK_STREAM)
    attempt(socket.socket, family, socket.SOCK_RAW)
attempt(socket.create_connection, ("1.1.1.1", 80), 2)
""",
    "uncounted_memory": """
import mmap
attempt(os.memfd_create, "x")
attempt(mmap.mmap, -1, 2**20)
attempt(lambda: mmap.mmap(os.open("/dev/zero", os.O_RDWR), 2**20))
attempt(call, "shmget", 0, 2**30, 0o1600)
attempt(call, "msgget", 0, 0o1600)
attempt(call, "semget", 0, 32000, 0o1600)
attempt(call, "mq_open", b"/x", os.O_CREAT | os.O_RDWR, 0o600, None)
""",
    "full_disks": """
def fill(folder, size):
    for number in range(size // 2**26):
        with open(f"{folder}/{number}.full", "wb") as file:
            file.write(bytes(2**26))
for folder, size in (("/tmp", 1.1 * 2**30), ("/dev/shm", 2**29), ("/run", 2**26)):
    attempt(fill, folder, int(size))
attempt(fill, "/dev", 2**26)
attempt(fill, "/", 2**26)
for name in glob.glob("/tmp/*.full") + glob.glob("/dev/shm/*.full"):
    os.remove(name)
""",
    "terminals": """
import fcntl
for place in ("/dev/tty", "/dev/console", "/dev/ptmx", *glob.glob("/dev/pts/*")):
    attempt(open, place, "w")
for fd in range(3):
    attempt(fcntl.ioctl, fd, 0x5412, b"x")  # TIOCSTI
""",
    "package": """
import numpy, workshop
folder = os.path.dirname(workshop.__file__)
for path in (workshop.__file__, numpy.__file__, os.path.dirname(folder) + "/data/SHA256SUMS"):
    attempt(open, path, "a")
    attempt(os.chmod, path, 0o777)
attempt(os.rename, folder, folder + "2")
attempt(os.remove, os.__file__)
""",
    "accounts": """
attempt(call, "inotify_init")
attempt(call, "inotify_init1", 0)
attempt(call, "syscall", 206, 1000, ctypes.byref(ctypes.c_long(0)))  # io_setup
attempt(lambda: [os.open("/dev/null", 0) for _ in range(2000)])
os.closerange(100, 2000)  # a process without a descriptor left cannot give its own answers
""",
    "namespaces": """
for flag in (0x10000000, 0x20000, 0x40000000, 0x20000000):
    attempt(call, "unshare", flag)
attempt(call, "mount", b"none", b"/tmp", b"tmpfs", 0, None)
attempt(call, "mount", b"/", b"/tmp", None, 4096, None)
attempt(call, "umount2", b"/proc", 2)
attempt(call, "chroot", b"/tmp")
""",
    "devices": """
for kind in (stat.S_IFBLK, stat.S_IFCHR):
    attempt(os.mknod, "/tmp/disk", kind | 0o600, os.makedev(8, 0))
for path in ("/dev/kmsg", "/proc/kcore", "/proc/kmsg"):
    attempt(open, path, "rb")
for path in ("/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/self/oom_score_adj"):
    attempt(open, path, "w")
attempt(os.nice, -5)
""",
    "environments": """
for number in (1, os.getppid(), os.getpid()):
    for name in ("environ", "cmdline", "mountinfo"):
        text = open(f"/proc/{number}/{name}").read()
        if "hidden-word" in text or {folder} in text:
            gained.append(name)
""",
    "other_cores": """
for core in range(64):
    attempt(os.sched_setaffinity, 0, {core})
if len(os.sched_getaffinity(0)) > 1:
    gained.append("cores")
""",
    "links": """
import shutil
for target in ("/", {folder}, "/proc/1/root", "/proc/1/cwd"):
    os.symlink(target, "link")
    for name in ("class", "grades.json", "root/.ssh", "etc/passwd"):
        attempt(os.stat, "link/" + name)
    os.remove("link")
os.chdir("/")
shutil.rmtree("/tmp/work")
os.symlink("/", "/tmp/work")
""",
    "kernel": """
attempt(call, "syscall", 250, 0, -4, 1)  # keyctl
attempt(call, "syscall", 248, b"user", b"x", b"y", 1, -4)  # add_key
attempt(call, "syscall", 425, 8, None)  # io_uring_setup
attempt(call, "syscall", 298, None, 0, -1, -1, 0)  # perf_event_open
attempt(call, "syscall", 321, 0, None, 0)  # bpf
attempt(call, "syscall", 0x40000000 | 41, 40, 1, 0)  # a vsock, by the x32 table
""",
    "killer": """
attempt(os.kill, 4321, 9)
for number in (1, os.getppid(), 4321):
    attempt(call, "ptrace", 0x4206, number, 0, 0)
    attempt(open, f"/proc/{number}/mem", "r+b")
try:
    os.kill(-1, 9)
except OSError:
    pass
""",
}


def attack(name):
    """Cells of an attempt: what it gained stands in an answer that the report shows."""
    said = "my_answer_262 = 'gained: ' + '; '.join(gained)"
    return [f"{ATTEMPT}{ATTEMPTS[name]}\n{said}", GOOD]
