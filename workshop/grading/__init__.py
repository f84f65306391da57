"""Grade a class: run each notebook shut off from all others, judge its answers outside of it.

Three processes a notebook: this one, which only keeps the records; a worker that is trusted and
judges (`workshop.grading.worker`); and the student's, which runs the cells and then gives its
answers as plain data (`workshop.grading.notebook`), inside the walls of
`workshop.grading.isolation`. Points come from the worker alone, so nothing that a notebook prints,
writes or overwrites earns any.
"""

import contextlib
import hashlib
import importlib.util
import secrets
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from workshop._files import whole_file, write_whole
from workshop.grading import gradebook, isolation, limits, results
from workshop.grading.pool import grade_all, usable_cores
from workshop.grading.submissions import as_lines, find_submissions

__all__ = ["NOT_ISOLATED", "Grades", "grade"]

NOT_ISOLATED = (
    "Notebooks run WITHOUT ISOLATION: any of them can read this account's files and the other "
    "submissions, use the network, and change files, the grades too."
)
COUNTED = (
    "Each has a cgroup: its memory (files in memory, too), its processes and its share of the CPU "
    "are counted together."
)
NOT_COUNTED = (
    f"NO cgroup can be made here: each has one core, {limits.FEW_PROCESSES} processes and a low "
    "priority, its CPU time ends with --timeout, and memory is counted process by process. See "
    "GRADING.md."
)
OVERRIDES = "overrides.csv"
LOST = "The process that graded it was killed. Run the same command again."


@dataclass(frozen=True)
class Grades:
    """What `grade` has found and written.

    Parameters
    ----------
    rows : tuple of Row
        One a student: student, points by practice, total, seconds, failed.
    csv, html, record : Path
        The files.
    seed : int
        Pass it as `random_state` to draw the same inputs again.
    n_graded, n_kept : int
        Notebooks graded now, and kept from an earlier run.
    n_lost : int
        Notebooks whose grading itself failed: they are graded by the next run.
    """

    rows: tuple
    csv: Path
    html: Path
    record: Path
    seed: int
    n_graded: int
    n_kept: int
    n_lost: int


def grade(
    submissions,
    *,
    out,
    names=None,
    jobs=None,
    timeout=1200,
    cell_timeout=300,
    memory=4,
    random_state=None,
    again=False,
    feedback=None,
    roster=None,
    isolate=True,
    on_line=print,
):
    """Grade notebooks; go on where an earlier run with the same `out` has stopped.

    Points in ``overrides.csv`` beside `out` take the place of the checks', each time.

    Parameters
    ----------
    submissions : sequence of path
        Notebooks and folders of them; in a folder each sub-folder is a student.
    out : path
        The CSV table; the HTML report and the JSON record lie beside it.
    names : str, optional
        How files are named: ``"canvas"``, ``"moodle"``, ``"blackboard"``, or a regular expression
        with a group ``student``; guessed when left out.
    jobs : int, optional
        Notebooks at a time; as many as there are cores when left out.
    timeout, cell_timeout : float
        Seconds for all cells of a notebook, and for one.
    memory : float
        GB for a notebook.
    random_state : int, optional
        Seed of the checks' inputs, a new one each run when left out.
    again : bool
        Grade all notebooks, those that are in the record, too.
    feedback : path, optional
        Folder for a page a student, named like what they handed in, and a zip of it.
    roster : workshop.grading.gradebook.Roster, optional
        The course system's, written anew beside `out` with the points in it.
    isolate : bool
        Shut the notebooks off with bubblewrap; without it, trust everyone in the class.
    on_line : callable
        Takes a line of progress.

    Returns
    -------
    Grades

    Raises
    ------
    FileNotFoundError
        If a submission does not exist; before any has run.
    ValueError
        If an option is out of range, a file is not named so, or the record is damaged.
    OSError
        If notebooks cannot be shut off here, or another run is writing to `out`.
    """
    out = Path(out)
    options = {"timeout": timeout, "cell_timeout": cell_timeout, "memory": memory}
    _check_options(out, {"jobs": 1 if jobs is None else jobs} | options)
    found = find_submissions(submissions, names)
    if feedback and len({one.name for one in found}) < len(found):
        raise ValueError("Two submissions of one path would have one page: pass one folder.")
    overrides = {}
    if (by_hand := out.with_name(OVERRIDES)).exists():
        students = {one.student for one in found}
        overrides = gradebook.read_overrides(by_hand, students, _practices())
    walls = isolation.require() if isolate else None
    with _alone(out), contextlib.ExitStack() as stack:
        records = results.Records(out.with_suffix(".json"))
        whose = {(one.student, _digest(one.path)): one for one in found}
        paths = {pair: one.path for pair, one in whose.items()}
        todo = {pair: path for pair, path in paths.items() if again or not records.find(*pair)}
        n_kept = len(paths) - len(todo)
        if n_kept:
            on_line(f"{n_kept} of {len(paths)} notebooks are graded already, in {records.path}.")
        seed = secrets.randbits(32) if random_state is None else int(random_state)
        if todo:
            for line in (*as_lines(found), *_first_lines(seed, options, walls)):
                on_line(line)
        options |= {"seed": seed, "isolate": isolate}
        done = grade_all(todo, jobs or len(usable_cores()), options)
        stack.enter_context(contextlib.closing(done))
        try:
            for number, (pair, record) in enumerate(done, start=n_kept + 1):
                what = {"student": pair[0], "sha256": pair[1], "path": str(paths[pair])}
                how = {"version": results.version(), "seed": seed, "complete": record is not None}
                empty = results.empty_record(_practices(), isolated=isolate, problems=[LOST])
                result = what | how | {"record": empty | (record or {})}
                records.add(result)
                on_line(f"[{number}/{len(paths)}] {_line(result)}")
        except KeyboardInterrupt:
            n = sum(records.find(*pair) is not None for pair in paths)
            on_line(f"{n} of {len(paths)} notebooks are graded. The same command goes on there.")
            raise
        final = [records.results[pair] | {"late": one.late} for pair, one in whose.items()]
        rows = tuple(gradebook.with_overrides(results.rows_of(final, _practices()), overrides))
        lines = _write_roster(out, rows, found, roster) if roster else []
        for line in lines:
            on_line(line)
        html = _write(out, rows, lines)
        if feedback:
            _write_feedback(Path(feedback), rows, found)
        n_lost = sum(records.find(*pair) is None for pair in paths)
    return Grades(rows, out, html, records.path, seed, len(todo), n_kept, n_lost)


def _check_options(out, numbers):
    if sys.platform == "win32":
        raise OSError("Grading needs Linux or macOS. On Windows run it in WSL: see GRADING.md.")
    if importlib.util.find_spec("psutil") is None:
        raise ImportError("Grading needs psutil. Install it with: pip install psutil")
    if out.suffix != ".csv" or out.name == OVERRIDES:
        raise ValueError(f"out must be the name of a .csv file; got {out}.")
    for name, value in numbers.items():
        if not value > 0:
            raise ValueError(f"{name} must be more than 0; got {value}.")


@contextlib.contextmanager
def _alone(out):
    """Hold a lock, so that no two runs write the same files."""
    import filelock

    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(out.with_name(f".{out.stem}.lock"), timeout=0):
            yield
    except filelock.Timeout:
        raise BlockingIOError(
            f"Another `workshop grade` is writing {out}. Wait for it, or pass another --out."
        ) from None


def _digest(path):
    """SHA-256 of a file, of which no more is read than counts; the worker says what is wrong."""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read(results.MAX_NOTEBOOK + 1)).hexdigest()
    except OSError:
        return "unreadable"


def _first_lines(seed, options, walls):
    """Seed and limits; what shuts a notebook off and what holds it back, or that nothing does."""
    seconds, of_cell, memory = options.values()
    yield f"Seed {seed}. Limits of a notebook: {seconds:g} s, {of_cell:g} s a cell, {memory:g} GB."
    if walls is None:
        yield f"{NOT_ISOLATED} See GRADING.md."
        return
    yield (
        f"Each notebook runs inside {walls}: it sees Python, its packages and the course's data, "
        "and no other file, process, socket or network."
    )
    group = limits.Group(memory * limits.GIGABYTE)
    yield COUNTED if group.folders else NOT_COUNTED
    group.remove()


def _practices():
    """The practices that give points, by id."""
    from workshop.homework import EXTENDED  # Torch and Keras with it

    return EXTENDED


def _line(result):
    """Line of progress: what a notebook earned, of the days that it is about."""
    record = result["record"]
    days = record["days"] or ["1", "2"]
    points = sum(practice["points"] for practice in record["practices"].values())
    words = [result["student"], Path(result["path"]).name, f"{points} of {50 * len(days)} points"]
    words += [f"{record['seconds']:.0f} s", *record["problems"]]
    if record["failed"]:
        words.append("failed cells: " + ", ".join(str(one["cell"]) for one in record["failed"]))
    return "  ".join(map(results.one_line, words))


def _write(out, rows, lines):
    """Write the table and the report; return the report's path."""
    from workshop.grading.report import to_html

    html = out.with_suffix(".html")
    table = results.table_of(rows, _practices())
    write_whole(out, results.to_csv(table))
    write_whole(html, to_html(rows, table, _practices(), title=out.stem, lines=lines))
    return html


def _write_roster(out, rows, found, roster):
    """Write the course system's table; lines on it."""
    text, lines = roster.filled(rows, found)
    path = out.with_name(f"{out.stem}.{roster.system}.csv")
    write_whole(path, text)
    return [f"To import into {roster.system.title()}: {path}", *lines]


def _write_feedback(folder, rows, found):
    """Write each student's page under the names of their notebooks, and a zip of all pages."""
    from workshop.grading import report

    practices = _practices()
    pages = {row.student: report.feedback(row, practices) for row in rows}
    with (
        whole_file(folder.with_name(f"{folder.name}.zip")) as part,
        zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as file,
    ):
        for one in found:
            name = PurePosixPath(one.name).with_suffix(".html")
            write_whole(folder / name, pages[one.student])
            file.writestr(str(name), pages[one.student])
