"""The console: ``workshop run``, ``grade``, ``data`` and ``doctor``."""

import argparse
import sys
from functools import partial
from pathlib import Path

SIMULATED = Path("data") / "ctcf_simulated.tsv.gz"


def main(argv=None):
    """Run one command of the console.

    Parameters
    ----------
    argv : list of str, optional
        The words after ``workshop``; those of the command line when left out.

    Returns
    -------
    int
        Exit code: 0 when all went well, 1 when not, 2 when the command could not be understood,
        130 when it was stopped.
    """
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

    run = commands.add_parser("run", help="run notebooks from the top, each in a fresh kernel")
    run.add_argument(
        "notebooks",
        nargs="*",
        type=Path,
        metavar="NOTEBOOK",
        help="default: all in notebooks/ of the current folder, else the course's own two",
    )
    run.add_argument(
        "--output",
        type=Path,
        default=Path("build"),
        help="folder for the executed notebooks and HTML pages (default: build)",
    )
    run.add_argument(
        "--timeout", type=float, default=600, help="seconds that one cell may take (default: 600)"
    )
    run.set_defaults(command=_run)

    _add_grade(commands)

    data = commands.add_parser("data", help="check or regenerate the shipped data, fetch more")
    actions = data.add_subparsers(required=True, metavar="action")
    simulate = actions.add_parser("simulate", help="write the simulated data set again")
    simulate.add_argument(
        "--out", type=Path, default=SIMULATED, help=f"file to write (default: {SIMULATED})"
    )
    simulate.set_defaults(command=_simulate)
    check = actions.add_parser("check", help="compare the shipped files with their SHA-256")
    check.set_defaults(command=_check)
    _add_fetch(actions)

    doctor = commands.add_parser(
        "doctor",
        help="look at Python, the packages and the GPU",
        description="Look at Python, the packages and the GPU, and say what is off and the line "
        "that mends it. The exit code is 1 when something is off.",
    )
    doctor.set_defaults(command=_doctor)
    return parser


def _add_fetch(actions):
    fetch = actions.add_parser(
        "fetch",
        help="fetch real human chromosomes and CTCF peaks, 63 MB",
        description="Fetch what the optional last sections of the notebooks use: CTCF peaks of "
        "ENCODE and three chromosomes of GRCh38. Stopped, the same command goes on.",
    )
    fetch.add_argument("--chroms", nargs="+", metavar="CHROM", help="default: chr9 chr21 chr22")
    fetch.add_argument(
        "--cache", type=Path, help="folder (default: WORKSHOP_CACHE, or the system's)"
    )
    fetch.set_defaults(command=_fetch)


def _add_grade(commands):
    grade = commands.add_parser(
        "grade",
        help="grade a class: run its notebooks, check the answers",
        description="Run the notebooks of a class, each inside bubblewrap, check the "
        "answers with fresh inputs, write a table, a report (.html) and a record (.json). The "
        "same command again goes on where it was stopped.",
    )
    grade.add_argument(
        "submissions",
        nargs="+",
        type=Path,
        metavar="SUBMISSION",
        help="a notebook, or a folder: each sub-folder a student, or notebooks named by student",
    )
    grade.add_argument("--out", type=Path, required=True, help="the table to write, a .csv file")
    grade.add_argument("--jobs", type=int, help="notebooks at a time (default: number of cores)")
    grade.add_argument(
        "--timeout", type=float, default=1200, help="seconds for a notebook (default: 1200)"
    )
    grade.add_argument(
        "--cell-timeout", type=float, default=300, help="seconds for a cell (default: 300)"
    )
    grade.add_argument("--memory", type=float, default=4, help="GB for a notebook (default: 4)")
    grade.add_argument("--seed", type=int, help="draws the checks' inputs (default: a new one)")
    grade.add_argument("--again", action="store_true", help="grade what is in the record, too")
    grade.add_argument(
        "--no-isolation",
        dest="isolate",
        action="store_false",
        help="run notebooks without walls: only for a class that you trust",
    )
    grade.set_defaults(command=_grade)


def _grade(arguments):
    from workshop import grading

    grades = grading.grade(
        arguments.submissions,
        out=arguments.out,
        jobs=arguments.jobs,
        timeout=arguments.timeout,
        cell_timeout=arguments.cell_timeout,
        memory=arguments.memory,
        random_state=arguments.seed,
        again=arguments.again,
        isolate=arguments.isolate,
        on_line=partial(print, flush=True),
    )
    print(f"{len(grades.rows)} students: {grades.csv}, and to read: {grades.html}")
    if not arguments.isolate:
        print(grading.NOT_ISOLATED)
    if grades.n_lost:
        print(f"{grades.n_lost} notebooks could not be graded: run the same command again.")
    return 1 if grades.n_lost else 0


def _run(arguments):
    from workshop.execution import execute_notebook

    notebooks = arguments.notebooks or _default_notebooks()
    missing = [str(notebook) for notebook in notebooks if not notebook.is_file()]
    if missing:  # before the first of them has run for minutes
        raise FileNotFoundError(f"There is no notebook {', '.join(missing)}.")
    names = [notebook.name for notebook in notebooks]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"{twice[0]} is named more than once, and both would be written to "
            f"{arguments.output / twice[0]}; run them one after the other with different --output."
        )
    results = [
        execute_notebook(notebook, output_dir=arguments.output, timeout=arguments.timeout)
        for notebook in notebooks
    ]
    print()
    for result in results:
        print(_summary(result))
    return 0 if all(result.ok for result in results) else 1


def _default_notebooks():
    from workshop._files import shipped_notebooks

    notebooks = sorted(Path("notebooks").glob("*.ipynb")) or shipped_notebooks()
    if not notebooks:
        raise FileNotFoundError(
            f"There is no notebook in {Path('notebooks').resolve()}, and none was installed with "
            "workshop. Go to the folder of the course, or name them: workshop run NOTEBOOK ..."
        )
    return notebooks


def _summary(result):
    name, page = result.path.stem, result.html_path
    if result.failure is not None:
        failure = result.failure
        return (
            f"{name}: FAILED at code cell {failure.number}, which begins\n"
            f"    {failure.first_line}\n"
            f"  {failure.error}\n"
            f"  What ran up to there: {page}"
        )
    if result.stderr_cells:
        numbers = ", ".join(map(str, result.stderr_cells))
        return (
            f"{name}: ran, but code cell {numbers} wrote to stderr (a warning or a log), which a "
            f"student should not meet. See {page}"
        )
    return f"{name}: ran in {result.seconds:.1f} s. Read it at {page}"


def _simulate(arguments):
    from workshop import datasets

    if not arguments.out.parent.is_dir():
        raise FileNotFoundError(
            f"There is no folder {arguments.out.parent} to write {arguments.out.name} to. Go to "
            "the folder of the course, or name the file: workshop data simulate --out PATH"
        )
    dataset = datasets.simulate_ctcf()
    datasets.write_dataset(dataset, arguments.out)
    print(f"{arguments.out}: {len(dataset.y)} sequences of {dataset.X.shape[1]} bp")
    return 0


def _fetch(arguments):
    from workshop import datasets

    chroms = {"chroms": arguments.chroms} if arguments.chroms else {}
    try:
        table = datasets.fetch_ctcf(**chroms, cache_dir=arguments.cache).table
    except KeyboardInterrupt:
        print("workshop: stopped; the same command goes on where it ended.", file=sys.stderr)
        return 130
    for chrom, rows in table.groupby("chrom", sort=False):
        n_peaks = int(rows["label"].sum())
        print(f"{chrom}: {n_peaks:,} peaks, and as many windows of equal GC content without one")
    for reason, n in table.attrs["left_out"].items():
        if n:
            print(f"{n:,} peaks left out: {reason}")
    return 0


def _check(_):
    from workshop._files import check_shipped

    for name in check_shipped():
        print(f"{name}: as shipped")
    return 0


def _doctor(_):
    from workshop.environment import in_colab
    from workshop.environment.report import COLUMNS, aligned, look

    rows = look(colab=in_colab())
    print(aligned([("", *COLUMNS), *(row[:4] for row in rows)]))
    return 1 if rows[-1].off else 0


if __name__ == "__main__":
    sys.exit(main())
