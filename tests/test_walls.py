"""The walls around a graded notebook: what it finds when it walks `/`, and twenty that attack.

They need bubblewrap. Where it is missing these tests are skipped, unless WORKSHOP_REQUIRE_WALLS
is set, as in CI: then they fail.
"""

import json
import os
import re
import shutil
import socket
import tempfile
from pathlib import Path

import psutil
import pytest

from tests.hostile import ATTEMPTS, BUSY, CASES, GOOD, attack
from tests.test_grading import MISSING, run, save, table
from workshop.grading import isolation, limits
from workshop.grading.student import StudentProcess
from workshop.grading.worker import grade_notebook

if not os.environ.get("WORKSHOP_REQUIRE_WALLS"):
    pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)

ROOT = Path(__file__).resolve().parent.parent
LIMITS = {"seed": 1, "timeout": 300, "cell_timeout": 120, "memory": 4}

WALK = """
import os, socket, stat

allowed, planted, own = {allowed}, {planted}, ("/proc", "/dev", "/tmp", "/run")
fresh = ("/tmp", "/run", "/dev/shm", "/dev/pts")
devices = {"null", "zero", "full", "random", "urandom", "tty", "ptmx"}
found = []

def below(path, folders):
    return any(path == one or path.startswith(one + "/") for one in folders)

def look(path):
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return
    if stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode) or stat.S_ISBLK(mode):
        found.append("special " + path)
    elif stat.S_ISCHR(mode):
        folder, name = os.path.split(path)
        if folder not in ("/dev", "/dev/pts") or name not in devices:
            found.append("device " + path)
    elif not stat.S_ISDIR(mode) and not stat.S_ISLNK(mode) and not below(path, allowed + own):
        found.append("file " + path)
    elif stat.S_ISDIR(mode) and not below(path, allowed + own):
        if not any(one.startswith(path + "/") for one in allowed):
            found.append("folder " + path)
    elif not stat.S_ISLNK(mode) and not below(path, fresh):
        if os.access(path, os.W_OK):
            found.append("writable " + path)

for fd in os.listdir("/proc/self/fd"):
    try:
        target = os.readlink("/proc/self/fd/" + fd)
    except OSError:
        continue
    if not target.startswith(("pipe:", "socket:", "anon_inode:", "/dev/null", "/proc")):
        found.append("descriptor " + target)
n_seen = 0
for folder, folders, files in os.walk("/"):
    if len(found) > 99:  # that is enough of a leak
        break
    if folder.count("/") == 1 and folder.startswith("/proc"):
        continue
    if folder == "/proc":
        others = [n for n in folders if n.isdigit() and int(n) not in (1, os.getpid())]
        found += ["process " + open("/proc/" + n + "/cmdline").read() for n in others]
        folders[:] = [n for n in folders if not n.isdigit() and n != "self" and n != "thread-self"]
    for name in folders + files:
        n_seen += 1
        look(os.path.join(folder, name))
for path in planted:
    for way in (os.listdir, lambda path: os.open(path, os.O_RDONLY | os.O_NONBLOCK)):
        try:
            way(path)
            found.append("opened " + path)
        except OSError:
            pass
    try:
        socket.socket(socket.AF_UNIX).connect(path)
        found.append("connected " + path)
    except OSError:
        pass
for address in ({abstract}, {tcp}):
    try:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        socket.socket(family).connect(address)
        found.append("connected " + repr(address))
    except OSError:
        pass
try:
    open({terminal}, "w").write("[9/9] mallory: 100 points")
    found.append("terminal")
except OSError:
    pass
assert found or n_seen > 5000
found.sort(key=lambda one: "folder device file process writable".find(one.split()[0]))
my_answer_262 = "found: " + "; ".join(found)[:2500]
"""


@pytest.fixture
def planted(tmp_path):
    """A secret, a fifo and a listening socket in each place that a notebook must not reach."""
    places, servers = [], []
    homes = [tempfile.mkdtemp(prefix=".workshop-walls-", dir=Path.home()), tempfile.mkdtemp()]
    for folder in (*map(Path, homes), tmp_path / "class"):
        folder.mkdir(exist_ok=True)
        (folder / "secret.txt").write_text("the instructor's")
        os.mkfifo(folder / "fifo")
        server = socket.socket(socket.AF_UNIX)
        here = os.open(folder, os.O_RDONLY)  # the name of a socket has at most 107 bytes
        server.bind(f"/proc/self/fd/{here}/socket")
        os.close(here)
        server.listen()
        servers.append(server)
        places += [str(folder / name) for name in ("secret.txt", "fifo", "socket")]
    save(tmp_path / "class" / "other_day1.ipynb", GOOD)
    places += [str(tmp_path / "class" / "other_day1.ipynb"), str(tmp_path)]
    names = ("notebooks/solutions", "notebooks/src", "tests", "benchmarks", ".git", "README.md")
    places += [str(ROOT / name) for name in names]
    abstract, tcp = socket.socket(socket.AF_UNIX), socket.create_server(("127.0.0.1", 0))
    abstract.bind(f"\0workshop-walls-{os.getpid()}")
    abstract.listen()
    servers += [abstract, tcp]
    opened = os.openpty()
    words = {"planted": places, "abstract": abstract.getsockname().decode()}
    yield words | {"tcp": tcp.getsockname(), "terminal": os.ttyname(opened[1])}, opened
    for one in servers:
        one.close()
    for fd in opened:
        os.close(fd)
    for home in homes:
        shutil.rmtree(home)


def walk(folder, words):
    """What a notebook that walks through all it can see has found, by its own answer."""
    source = WALK
    for name, value in (words | {"allowed": tuple(isolation.allowed())}).items():
        source = source.replace(f"{{{name}}}", repr(value))
    record = grade_notebook(save(folder / "class" / "walker.ipynb", source), **LIMITS)
    assert record["failed"] == record["problems"] == [], record
    return record["practices"]["2.6.2"]["written"]


def test_a_notebook_that_walks_finds_nothing_of_the_machine(tmp_path, planted):
    words, (terminal, _) = planted
    os.set_blocking(terminal, False)
    assert walk(tmp_path, words) == "found: "
    with pytest.raises(BlockingIOError):
        os.read(terminal, 1)


def test_the_walk_finds_what_a_read_only_root_leaves_open(tmp_path, planted, monkeypatch):
    argv = isolation.command(["{words}"])
    for option in ("--symlink", "--ro-bind"):  # such a root has it all already
        while option in argv:
            at = argv.index(option)
            del argv[at : at + 3]
    at = argv.index("--proc")
    argv[at:at] = ["--ro-bind", "/", "/"]
    at = argv.index("--dir")
    argv[at:at] = ["--ro-bind", str(ROOT), str(ROOT)]  # a checkout in /tmp would be gone
    monkeypatch.setattr(isolation, "command", lambda words: [*argv[:-1], *words])
    found = walk(tmp_path, planted[0])
    home = re.escape(str(Path.home() / ".workshop-walls-"))
    assert re.search(rf"opened {home}\w+/secret.txt", found)
    assert re.search(rf"opened {home}\w+/fifo", found)
    assert re.search(rf"connected {home}\w+/socket", found)
    assert f"opened {ROOT / 'tests'};" in found
    assert "file /" in found


def test_nothing_but_named_folders_is_allowed(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    paths = [Path(path) for path in isolation.allowed()]
    for name in ("notebooks", "tests", "benchmarks", ".git", "pyproject.toml"):
        assert not any((ROOT / name).is_relative_to(path) for path in paths)
    for place in (ROOT, Path.home(), tmp_path, Path("/"), Path("/etc"), Path("/usr"), Path("/var")):
        assert place not in paths
    for needed in (ROOT / "data", ROOT / "workshop", Path(os.__file__), Path(json.__file__)):
        assert any(needed.is_relative_to(path) for path in paths)


# --- notebooks that attack ---


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    cases = {name: cells for name, (cells, _, _) in CASES.items()}
    for name, cells in (cases | {name: attack(name) for name in ATTEMPTS}).items():
        cells = [cell.replace("{folder}", repr(str(folder))) for cell in cells]
        save(folder / "class" / name / "day1.ipynb", *cells)
    os.environ["INSTRUCTORS_TOKEN"] = "hidden-word"
    try:
        options = {"cell_timeout": 6, "timeout": 60, "isolate": True, "jobs": 4}  # many only wait
        grades, lines = run([folder / "class"], folder / "grades.csv", **options)
    finally:
        del os.environ["INSTRUCTORS_TOKEN"]
    assert "runs inside bubblewrap" in "".join(lines)
    return folder, {row.student: row for row in grades.rows}, grades


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_hostile_notebook_loses_only_its_own(hostile, name):
    _, points, why = CASES[name]
    row = hostile[1][name]
    assert row.total == row.points["1.6.2"] <= 10
    assert points in (None, row.total), row.failed
    assert re.search(why, row.failed), row.failed


@pytest.mark.slow
@pytest.mark.parametrize("name", ATTEMPTS)
def test_an_attack_gains_nothing(hostile, name):
    row = hostile[1][name]
    assert row.best["2.6.2"]["written"] == "gained: ", row
    assert row.total == 10
    assert row.failed == ""


@pytest.mark.slow
def test_nothing_is_left_behind(hostile):
    folder, rows, grades = hostile
    assert set(rows) == {*CASES, *ATTEMPTS}
    assert set(table(grades.csv)) == set(rows)
    assert {path.name for path in folder.iterdir()} == {
        "class", "grades.csv", "grades.html", "grades.json", ".grades.lock",
    }  # fmt: skip
    assert grades.n_lost == 0
    commands = [" ".join(one.info["cmdline"] or []) for one in psutil.process_iter(["cmdline"])]
    assert not [one for one in commands if "sleep 4321" in one or str(folder) in one]
    assert not list(limits.CGROUPS.rglob(f"workshop-grading-{os.getpid()}"))


# --- where no cgroup can be made ---


def test_without_a_cgroup_sixty_busy_sessions_are_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "CGROUPS", tmp_path)
    limited = LIMITS | {"memory": 16}  # GB: forks share memory, and each is counted with all of it
    record = grade_notebook(save(tmp_path / "bob_day1.ipynb", BUSY, GOOD), **limited)
    assert "more than 16 processes" in record["problems"][0]


def test_a_process_has_one_core_and_a_cgroup_of_its_own(tmp_path):
    student = StudentProcess(memory=2**30, core=min(os.sched_getaffinity(0)))
    try:
        student.hello(120)
        python = psutil.Process(student._python)
        assert python.cpu_affinity() == [min(os.sched_getaffinity(0))]
        groups = Path(f"/proc/{python.pid}/cgroup").read_text()
        for folder in student._group.folders:
            assert f"/{folder.name}\n" in groups
    finally:
        student.end()
    assert not any(folder.exists() for folder in student._group.folders)
    assert not psutil.pid_exists(python.pid)


@pytest.fixture
def fake_tree(tmp_path, monkeypatch):
    """A tree as Linux shows it; a new folder has the files that its parent delegates."""
    made = Path.mkdir

    def mkdir(path, *arguments, **options):
        made(path, *arguments, **options)
        control = path.parent / "cgroup.subtree_control"
        for kind in control.read_text().split() if control.exists() else []:
            (path / ("cpu.weight" if kind == "cpu" else f"{kind}.max")).touch()

    own = tmp_path / "user.slice" / "app.slice" / "shell.scope"
    own.mkdir(parents=True)
    for folder, kinds in ((own.parent, "cpu memory pids"), (own, "")):
        (folder / "cgroup.procs").touch()
        (folder / "cgroup.subtree_control").write_text(kinds)
    (tmp_path / "cgroup.controllers").touch()
    (tmp_path / "own").write_text("0::/user.slice/app.slice/shell.scope\n")
    monkeypatch.setattr(Path, "mkdir", mkdir)
    monkeypatch.setattr(limits, "CGROUPS", tmp_path)
    monkeypatch.setattr(limits, "OWN_GROUPS", tmp_path / "own")
    return own.parent


def test_a_group_of_version_2_is_made_where_it_is_delegated(fake_tree):
    group = limits.Group(4 * limits.GIGABYTE)
    (folder,) = group.folders
    assert folder.parent == fake_tree  # not in the shell's own, which delegates nothing
    limits_in = {path.name: path.read_text() for path in folder.iterdir()}
    total = int((4 * 1.25 + 1.3) * 1024**3)
    expected = {"memory.max": str(total), "pids.max": "512", "cpu.weight": "100"}
    assert limits_in == expected | {"memory.swap.max": "0"}


def test_no_group_where_a_limit_is_not_delegated(fake_tree):
    (fake_tree / "cgroup.subtree_control").write_text("memory pids")
    assert limits.Group(1).folders == []
