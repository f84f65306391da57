"""Whose notebook is it? A folder of a class, as it comes from a course system, and its students."""

import re
from dataclasses import dataclass
from pathlib import Path

LESSON = re.compile(
    r"(?<![a-z])(copy[ _-]of"
    r"|(build[ _-]?cnns|automl[ _-]?and[ _-]?interpretation)(-\d+(?!\d))?"
    r"|day[ _-]?[12](?!\d))(?![a-z])"
    r"|\(\d+\)|(?<=[ _-])copy$",
    flags=re.IGNORECASE,
)
SEPARATORS = " _.,-"


@dataclass(frozen=True)
class Submission:
    """A notebook and whose it is."""

    student: str
    path: Path


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


def find_submissions(submissions):
    """Find all notebooks and their students: by student, then path, each notebook once.

    In a folder each sub-folder is a student with all notebooks in it, and a notebook lying directly
    in it belongs to whom its name says, or else the folder's. FileNotFoundError if a path does not
    exist or a folder holds no notebook, ValueError if a file is not called ``.ipynb``.
    """
    found = {}
    for path in map(Path, submissions):
        if path.is_dir():
            inside = list(_in_folder(path))
            if not inside:
                raise FileNotFoundError(f"There is no notebook (.ipynb) in {path}.")
        elif not path.is_file():
            raise FileNotFoundError(f"There is no {path}: a notebook or a folder is needed.")
        elif path.suffix.lower() != ".ipynb":
            raise ValueError(f"A submission must be a notebook (.ipynb) or a folder; got {path}.")
        else:
            inside = [_by_name(path)]
        for one in inside:
            found.setdefault(one.path.resolve(), one)
    return sorted(found.values(), key=lambda one: (one.student.casefold(), str(one.path)))


def _by_name(path):
    return Submission(student_of(path.stem) or path.resolve().parent.name, path)


def _in_folder(folder):
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink() and not path.name.startswith("."):
            if student_of(path.name):
                inside = sorted(path.rglob("*"))
                yield from (Submission(path.name, one) for one in inside if _counts(one, path))
            else:  # "day1": a folder of the lesson, not of a student
                yield from _in_folder(path)
        elif _counts(path, folder):
            yield _by_name(path)


def _counts(path, folder):
    """Whether it is a notebook by its name, not hidden, and no link, to a neighbour's, say."""
    return (
        path.suffix.lower() == ".ipynb"
        and path.is_file()
        and not path.is_symlink()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
