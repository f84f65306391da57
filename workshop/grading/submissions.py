"""Whose notebook is it? A folder of a class, as it comes from a course system, and its students.

One student is one row: under each name that a course system or Colab makes of a file, in either
Unicode form, in capitals or not. What is guessed can be read before anything runs.
"""

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

SYSTEMS = {  # how the name of a file, or of the folder around it, begins when it is downloaded
    "canvas": r"(?P<student>[^_]+)_(?P<late>LATE_)?(?P<number>\d+)_\d{3,}_",
    "moodle": r"(?P<student>.+)_(?P<number>\d+)_assignsubmission_(file|onlinetext)(_|$)",
    "blackboard": r".+_(?P<student>[^_]+)_attempt_\d{4}(-\d\d){5}(_|$)",
}
# What Colab calls a copy, in the ten languages that most people speak, and in a few more.
COPY_OF = (
    r"copy[ _-]of|copia[ _]d[ei]|c[oó]pia[ _]de|copie[ _]de|kopie[ _]v[ao]n|копия([ _]блокнота)?"
    r"|نسخة[ _]من"
)
COPY = r"的副本|[ _]की[ _]कॉपी|[ _-]?এর[ _]কপি|[ _]کی[ _]کاپی|[ _]のコピー|의[ _]사본"
LESSON = re.compile(
    rf"(?<![^\W_])({COPY_OF}"
    r"|(build[ _-]?cnns|automl[ _-]?and[ _-]?interpretation)(-\d+(?!\d))?"
    r"|day[ _-]?[12](?!\d))(?![a-z])"
    rf"|{COPY}|\.ipynb|\(\d+\)|(?<=[ _-])copy$",
    flags=re.IGNORECASE,
)
DAY_2 = re.compile(r"day[ _-]?2(?!\d)|automl", flags=re.IGNORECASE)
SEPARATORS = ' _.,“”„"«»「」-'


@dataclass(frozen=True)
class Submission:
    """A notebook and whose it is."""

    path: Path
    name: str
    """Its path from the folder that was named."""
    student: str
    named_by: str
    """A course system, the file, a folder, the whole folder (nothing names it), or ``--names``."""
    late: bool = False
    """Whether the system says so."""
    number: str = ""
    """The system's, of the student (Canvas) or of one submission (Moodle)."""


def student_of(name):
    """What is left of a file's or folder's name without the parts that name the lesson.

    Examples
    --------
    >>> [
    ...     student_of(name)
    ...     for name in ("alice_day1", "Copy of day1_build_cnns - bob", "student_07", "day2")
    ... ]
    ['alice', 'bob', 'student_07', '']
    """
    gap = "\0"
    marked = re.sub(f"[{gap}{SEPARATORS}]*{gap}[{gap}{SEPARATORS}]*", gap, LESSON.sub(gap, name))
    return marked.strip(gap + SEPARATORS).replace(gap, "_")


def find_submissions(submissions, names=None):
    """Find all notebooks and their students: by student, then path, each notebook once.

    `names` is a course system, or a regular expression with the group ``student`` that is looked
    for in the path below the folder; else each name is guessed: a system's; in a folder each
    sub-folder is a student with all notebooks in it, and a notebook lying directly in it belongs to
    whom its name says, or else the folder's. FileNotFoundError if a path does not exist or a folder
    holds no notebook, ValueError if a file is not called ``.ipynb`` or has no such name.
    """
    read, found = _reader(names), {}
    for path in map(Path, submissions):
        if path.is_dir():
            inside = [one for one in sorted(path.rglob("*")) if _counts(one, path)]
            if not inside:
                raise FileNotFoundError(f"There is no notebook (.ipynb) in {path}.")
        elif not path.is_file():
            raise FileNotFoundError(f"There is no {path}: a notebook or a folder is needed.")
        elif path.suffix.lower() != ".ipynb":
            raise ValueError(f"A submission must be a notebook (.ipynb) or a folder; got {path}.")
        else:
            inside = [path]
        folder = path if path.is_dir() else path.parent
        for one in inside:
            below = one.relative_to(folder)
            whose = read([_clean(part) for part in (folder.resolve().name, *below.parts)])
            if not whose:
                raise ValueError(
                    f"{one} has no name of the form {names!r}; without --names it is guessed."
                )
            found.setdefault(one.resolve(), Submission(one, below.as_posix(), *whose))
    return sorted(_one_name_each(found.values()), key=lambda s: (s.student.casefold(), str(s.path)))


def as_lines(found):
    """A table of what was found, to be read before anything runs."""
    rows = [("student", "named by", "notebook")]
    rows += [(s.student, s.named_by + ", late" * s.late, s.name) for s in found]
    widths = [max(len(row[i]) for row in rows) for i in (0, 1)]
    return [f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}" for row in rows]


def _reader(names):
    """Make the function that says of the parts of a path whose it is, and by what; None if not."""
    if names is None:
        return _guess
    if names in SYSTEMS:
        return partial(_by_system, forms={names: SYSTEMS[names]})
    try:
        form = re.compile(names)
    except re.error as problem:
        raise ValueError(
            f"--names must be a regular expression; got {names!r}: {problem}."
        ) from None
    if "student" not in form.groupindex:
        raise ValueError(
            f"--names must be one of {', '.join(SYSTEMS)}, or a regular expression with a group "
            f"(?P<student>...); got {names!r}."
        )
    return lambda parts: _said(form.search("/".join(parts[1:])), "--names")


def _guess(parts):
    if named := _by_system(parts, SYSTEMS):
        return named
    folder, *between, file = parts
    for part in between:
        if student_of(part):  # else a folder of the lesson, "day1", not of a student
            return part, "folder"
    name = student_of(file.rpartition(".")[0])
    return (name, "file") if name else (folder, "whole folder")


def _by_system(parts, forms):
    matches = (_said(re.match(forms[one], part), one) for part in parts for one in forms)
    return next(filter(None, matches), None)


def _said(match, named_by):
    """What a match says: student, by what, whether it is late, and a number."""
    if not match:
        return None
    groups = match.groupdict()
    return groups["student"].strip(), named_by, bool(groups.get("late")), groups.get("number") or ""


def _clean(text):
    """Text in the composed Unicode form (macOS has the other), without marks that nobody sees."""
    seen = (one for one in unicodedata.normalize("NFC", text) if unicodedata.category(one) != "Cf")
    return "".join(seen)


def _one_name_each(found):
    """Submissions under one spelling of each name, and with a number where two students share it.

    A number of Canvas is the student's. One of Moodle is a submission's: two of them on one day are
    two students.
    """
    spelling, numbers = {}, defaultdict(set)
    for one in found:
        spelling.setdefault(one.student.casefold(), one.student)
        if one.number:
            day = one.named_by == "moodle" and bool(DAY_2.search(one.name))
            numbers[one.student.casefold(), day].add(one.number)
    shared = {name for (name, _), several in numbers.items() if len(several) > 1}
    for one in found:
        name = one.student.casefold()
        number = f" ({one.number})" if name in shared and one.number else ""
        yield replace(one, student=spelling[name] + number)


def _counts(path, folder):
    """Whether it is a notebook by its name, not hidden, and no link, to a neighbour's, say."""
    return (
        path.suffix.lower() == ".ipynb"
        and path.is_file()
        and not path.is_symlink()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
