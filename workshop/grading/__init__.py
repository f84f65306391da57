"""Grade a class: run each notebook shut off from all others, judge its answers outside of it.

Three processes a notebook: this one, which only keeps the records; a worker that is trusted and
judges (`workshop.grading.worker`); and the student's, which runs the cells and then gives its
answers as plain data (`workshop.grading.sandbox`, `workshop.grading.notebook`). Points come from
the worker alone, so nothing that a notebook prints, writes or overwrites earns any.
"""

import contextlib
import hashlib
import importlib.util
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

from workshop._files import write_whole
from workshop.grading.places import hidden
from workshop.grading.pool import Pool, practice_ids, probe
from workshop.grading.record import Graded, Records, version
from workshop.grading.rows import rows_of, to_csv
from workshop.grading.submissions import find_submissions

__all__ = ["Grades", "grade", "protections"]

PROTECTIONS = {
    "processes": "it sees and can end no processes but its own",
    "files": "it can write only to an empty folder of its own",
    "hidden": "it cannot read the other submissions",
    "network": "it has no network",
    "capabilities": "it has none of root's rights",
}


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
    jobs=None,
    timeout=1200,
    cell_timeout=300,
    memory=4,
    random_state=None,
    again=False,
    isolate=True,
    on_line=print,
):
    """Grade notebooks; go on where an earlier run with the same `out` has stopped.

    Parameters
    ----------
    submissions : sequence of path
        Notebooks and folders of them; in a folder each sub-folder is a student.
    out : path
        The CSV table; the HTML report and the JSON record lie beside it.
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
    isolate : bool
        Use all that Linux offers to shut the notebooks off; leave it so.
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
        If an option is out of range, or the record is damaged.
    OSError
        On Windows; or if another run is writing to `out`.
    """
    _check_options(out=out, jobs=jobs, timeout=timeout, cell_timeout=cell_timeout, memory=memory)
    found = find_submissions(submissions)
    out = Path(out)
    with _alone(out), contextlib.ExitStack() as stack:
        records = Records(out.with_suffix(".json"))
        digests = [_digest(one.path) for one in found]
        paths = {
            (one.student, digest): one.path for one, digest in zip(found, digests, strict=True)
        }
        todo = [pair for pair in paths if again or records.find(*pair) is None]
        n_kept = len(paths) - len(todo)
        if n_kept:
            on_line(f"{n_kept} of {len(paths)} notebooks are graded already, in {records.path}.")
        seed = secrets.randbits(32) if random_state is None else int(random_state)
        options = {"timeout": timeout, "cell_timeout": cell_timeout, "memory": memory}
        options |= {"seed": seed, "isolate": isolate, "hidden": hidden(submissions, found, out)}
        if todo:
            on_line(f"Seed {seed}. {_limits(options)}")
            on_line(_in_words(probe(isolate)))
        pool = Pool(jobs or _n_cores(), options)
        try:
            done = stack.enter_context(contextlib.closing(pool.run(todo, paths)))
            for number, (pair, record, complete) in enumerate(done, start=1):
                path = str(paths[pair])
                records.add(Graded(pair[0], path, pair[1], version(), seed, complete, record))
                on_line(f"[{n_kept + number}/{len(paths)}] {_line(pair[0], path, record)}")
        except KeyboardInterrupt:
            n = sum(records.find(*pair) is not None for pair in paths)
            on_line(f"{n} of {len(paths)} notebooks are graded. The same command goes on there.")
            raise
        rows, html = _write(out, records, list(paths))
        n_lost = sum(records.find(*pair) is None for pair in paths)
    return Grades(rows, out, html, records.path, seed, len(todo), n_kept, n_lost)


def protections(*, isolate=True):
    """What this machine offers to shut a notebook off.

    Returns
    -------
    dict of str to bool
        By sentence.
    """
    active = probe(isolate)
    return {sentence: name in active for name, sentence in PROTECTIONS.items()}


def _check_options(*, out, jobs, **numbers):
    if sys.platform == "win32":
        raise OSError(
            "Grading needs Linux or macOS, whose processes can be held to limits. On Windows run "
            "it in WSL or in a container: see INSTRUCTOR.md."
        )
    for name in ("nbformat", "psutil"):
        if importlib.util.find_spec(name) is None:
            raise ImportError(f"Grading needs {name}. Install it with: pip install {name}")
    if Path(out).suffix != ".csv":
        raise ValueError(f"out must be the name of a .csv file; got {out}.")
    if jobs is not None and jobs < 1:
        raise ValueError(f"jobs must be 1 or more; got {jobs}.")
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
    """SHA-256 of a file of any size; of one that cannot be read the worker will say so."""
    try:
        with open(path, "rb") as file:
            digest = hashlib.sha256()
            while piece := file.read(1 << 20):
                digest.update(piece)
            return digest.hexdigest()
    except OSError:
        return "unreadable"


def _n_cores():
    with contextlib.suppress(AttributeError):  # macOS has no affinity
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _line(student, path, record):
    """Line of progress: what a notebook earned, of the days that it is about."""
    days = record["days"] or ["1", "2"]
    points = sum(practice["points"] for practice in record["practices"].values())
    trouble = [*record["problems"]]
    if record["failed"]:
        cells = ", ".join(str(cell["cell"]) for cell in record["failed"][:5])
        trouble.append(f"failed cells: {cells}{', ...' if len(record['failed']) > 5 else ''}")
    parts = f"{student}  {Path(path).name}", f"{points} of {50 * len(days)} points"
    line = "  ".join([*parts, f"{record['seconds']:.0f} s", *trouble])
    return "".join(letter if letter.isprintable() else "?" for letter in line)


def _limits(options):
    return (
        f"Limits of a notebook: {options['timeout']:g} s, {options['cell_timeout']:g} s a cell, "
        f"{options['memory']:g} GB."
    )


def _in_words(active):
    """What shuts a notebook off, and what does not."""
    there = [sentence for name, sentence in PROTECTIONS.items() if name in active]
    lacking = [sentence for name, sentence in PROTECTIONS.items() if name not in active]
    words = f"Each notebook runs in a process of its own: {'; '.join(there)}." if there else ""
    if lacking:
        words += f" NOT so here: {'; '.join(lacking)}. See INSTRUCTOR.md, and use a container."
    return words.strip()


def _write(out, records, pairs):
    """Write the table and the report; return the rows and the report's path."""
    from workshop.grading.report import to_html

    rows, html = rows_of(records.of(pairs), practice_ids()), out.with_suffix(".html")
    write_whole(out, to_csv(rows, practice_ids()))
    write_whole(html, to_html(rows, title=out.stem))
    return tuple(rows), html
