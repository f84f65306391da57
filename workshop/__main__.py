"""The console: ``workshop run``, ``grade``, ``data`` and ``doctor``."""

import argparse
import signal
import sys
from functools import partial
from pathlib import Path

SIMULATED = Path("data") / "ctcf_simulated.tsv.gz"


def main(argv=None):
    """Run one command; return 0 when all went well, 1 when not, 130 when it was stopped."""
    arguments = _parser().parse_args(argv)
    try:
        return arguments.command(arguments)
    except (ValueError, OSError, ImportError) as problem:
        print(f"workshop: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("workshop: stopped; of what was under way nothing is written.", file=sys.stderr)
        return 130


def _parser():
    parser = argparse.ArgumentParser(
        prog="workshop", description="Commands of the course on CNNs and AutoML for genomics."
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    _add_run(commands)
    _add_grade(commands)
    _add_data(commands)
    doctor = commands.add_parser("doctor", help="say what is off here, and the line that mends it")
    doctor.set_defaults(command=_doctor)
    return parser


def _add_run(commands):
    run = commands.add_parser("run", help="run notebooks from the top, each in a fresh kernel")
    default = "default: all in notebooks/ of the current folder, else the course's own two"
    run.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK", help=default)
    run.add_argument("--output", type=Path, default=Path("build"), help="folder (default: build)")
    run.add_argument("--timeout", type=float, default=600, help="seconds for a cell (default: 600)")
    run.set_defaults(command=_run)


def _add_data(commands):
    data = commands.add_parser("data", help="check or regenerate the shipped data, fetch more")
    actions = data.add_subparsers(required=True, metavar="action")
    simulate = actions.add_parser("simulate", help="write the simulated data set again")
    simulate.add_argument("--out", type=Path, default=SIMULATED, help=f"(default: {SIMULATED})")
    simulate.set_defaults(command=_simulate)
    check = actions.add_parser("check", help="compare the shipped files with their SHA-256")
    check.set_defaults(command=_check)
    fetch = actions.add_parser("fetch", help="fetch real chromosomes and CTCF peaks, 63 MB")
    fetch.add_argument("--chroms", nargs="+", metavar="CHROM", help="default: chr9 chr21 chr22")
    fetch.add_argument("--cache", type=Path, help="folder (default: WORKSHOP_CACHE, or a system's)")
    fetch.set_defaults(command=_fetch)


def _add_grade(commands):
    about = (
        "Run the notebooks of a class, each inside bubblewrap, check the answers with fresh "
        "inputs, write a table, a report (.html) and a record (.json). The same command again "
        "goes on where it was stopped."
    )
    grade = commands.add_parser("grade", help="grade a class: run it, check it", description=about)
    what = "a notebook, or a folder: each sub-folder a student, or notebooks named by student"
    grade.add_argument("submissions", nargs="+", type=Path, metavar="SUBMISSION", help=what)
    grade.add_argument("--out", type=Path, required=True, help="the table to write, a .csv file")
    grade.add_argument(
        "--names",
        metavar="HOW",
        help="canvas, moodle, blackboard, or a regular expression with a group (?P<student>...) "
        "(default: guessed)",
    )
    grade.add_argument("--dry-run", action="store_true", help="only say whose each notebook is")
    grade.add_argument("--jobs", type=int, help="notebooks at a time (default: number of cores)")
    for name, default, what in (
        ("--timeout", 1200, "seconds for a notebook"),
        ("--cell-timeout", 300, "seconds for a cell"),
        ("--memory", 4, "GB for a notebook"),
    ):
        grade.add_argument(name, type=float, default=default, help=f"{what} (default: {default})")
    grade.add_argument("--seed", type=int, help="draws the checks' inputs (default: a new one)")
    grade.add_argument(
        "--feedback", type=Path, metavar="FOLDER", help="write a page for each student, and a zip"
    )
    exported = "the gradebook that Canvas exports, or Moodle's grading worksheet, to be filled in"
    grade.add_argument("--roster", type=Path, metavar="FILE.csv", help=exported)
    grade.add_argument("--format", choices=["canvas", "moodle"], help="whose the roster is")
    takes = "that takes the points of Day 1, '1=TITLE', 2 or total (default: what names the day)"
    grade.add_argument("--column", action="append", default=[], help=f"of the roster, {takes}")
    grade.add_argument("--again", action="store_true", help="grade what is in the record, too")
    trust = "run notebooks without walls: only for a class that you trust"
    grade.add_argument("--no-isolation", dest="isolate", action="store_false", help=trust)
    grade.set_defaults(command=_grade)


def _grade(arguments):
    from workshop import grading
    from workshop.grading.gradebook import Roster
    from workshop.grading.submissions import as_lines, find_submissions

    roster = None
    if arguments.roster and arguments.format:
        roster = Roster(arguments.roster, arguments.format, arguments.column)
    elif arguments.roster or arguments.format or arguments.column:
        raise ValueError("--roster FILE.csv and --format canvas or moodle go together.")
    if arguments.dry_run:
        found = find_submissions(arguments.submissions, arguments.names)
        print(*as_lines(found), *(roster.match(found)[1] if roster else ()), sep="\n")
        return 0
    taken = ("submissions", "out", "names", "jobs", "timeout", "cell_timeout", "memory", "again")
    options = {name: getattr(arguments, name) for name in (*taken, "feedback", "isolate")}
    options |= {"random_state": arguments.seed, "roster": roster}
    grades = grading.grade(**options, on_line=partial(print, flush=True))
    print(f"{len(grades.rows)} students: {grades.csv}, and to read: {grades.html}")
    if not arguments.isolate:
        print(grading.NOT_ISOLATED)
    if grades.n_lost:
        print(f"{grades.n_lost} notebooks could not be graded: run the same command again.")
    return 1 if grades.n_lost else 0


def _run(arguments):
    from workshop._files import shipped_notebooks
    from workshop.execution import execute_notebook

    here = sorted(Path("notebooks").glob("*.ipynb"))
    notebooks = arguments.notebooks or here or shipped_notebooks()
    for notebook in notebooks or ["in notebooks/"]:
        if not Path(notebook).is_file():  # before the first of them has run for minutes
            raise FileNotFoundError(f"There is no notebook {notebook}; name one.")
    if len({notebook.name for notebook in notebooks}) < len(notebooks):
        raise ValueError(f"Two notebooks of one name would both be written to {arguments.output}.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the kernel, as Ctrl-C does
    run = partial(execute_notebook, output_dir=arguments.output, timeout=arguments.timeout)
    results = [run(notebook, on_cell=partial(print, flush=True)) for notebook in notebooks]
    print()
    for result in results:
        print(_summary(result))
    return 0 if all(result.ok for result in results) else 1


def _summary(result):
    name, page = result.path.stem, result.html_path
    if result.failure:
        return f"{name}: FAILED at {result.failure}\n  What ran up to there: {page}"
    if result.stderr_cells:
        cells = ", ".join(map(str, result.stderr_cells))
        return f"{name}: ran, but code cell {cells} wrote a warning or a log to stderr. See {page}"
    return f"{name}: ran in {result.seconds:.1f} s. Read it at {page}"


def _simulate(arguments):
    from workshop import datasets

    dataset = datasets.simulate_ctcf()
    datasets.write_dataset(dataset, arguments.out)
    print(f"{arguments.out}: {len(dataset.y)} sequences of {dataset.X.shape[1]} bp")
    return 0


def _fetch(arguments):
    from workshop import datasets

    chroms = {"chroms": arguments.chroms} if arguments.chroms else {}
    table = datasets.fetch_ctcf(**chroms, cache_dir=arguments.cache).table
    for chrom, rows in table.groupby("chrom", sort=False):
        n_peaks = int(rows["label"].sum())
        print(f"{chrom}: {n_peaks:,} peaks, and as many windows of equal GC content without one")
    for reason, n in table.attrs["excluded"].items():
        if n:
            print(f"{n:,} peaks excluded: {reason}")
    return 0


def _check(_):
    from workshop._files import check_shipped

    for name in check_shipped():
        print(f"{name}: as shipped")
    return 0


def _doctor(_):
    from workshop.environment import in_colab
    from workshop.environment.report import as_text, inspect_environment

    rows = inspect_environment(colab=in_colab())
    print(as_text(rows))
    return 1 if rows[-1].off else 0


if __name__ == "__main__":
    sys.exit(main())
