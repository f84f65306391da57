"""Back into the course system: corrections by hand, and the table that Canvas or Moodle imports.

A roster is the system's own export. It goes back as it came, but for the cells of points: ids,
order and separator are the system's. What the two read, by their source code:

- Canvas (``lib/gradebook_importer.rb``): Student, ID, ..., Section, then assignments, titled
  "Day 1 (4711)". It knows a student by the ID and an assignment by its number. Other assignments
  are left out, since an import would undo what was graded there after the export.
- Moodle (``mod/assign/feedback/offline``), the sheet of one assignment: Identifier ("Participant
  12"), Full name, ..., Grade, Maximum grade, .... A grade left empty changes nothing.
"""

import csv
import io
import re
import unicodedata
from collections import Counter
from dataclasses import replace
from itertools import compress
from pathlib import Path
from typing import NamedTuple

from workshop.grading.results import one_line
from workshop.grading.submissions import DAY_2

EXPORTS = {"canvas": "gradebook: Student, ID, ...", "moodle": "worksheet: Identifier, ..."}
OUT_OF = {"1": 50, "2": 50, "total": 100}  # what a column may take: Day 1, Day 2, both
DAYS = {"1": re.compile(r"day[ _-]?1(?!\d)|build[ _-]?cnns", re.IGNORECASE), "2": DAY_2}
NUMBER = re.compile(r" \(\d+\)$")  # Canvas's, behind the title of an assignment
CELLS = ["student", "practice", "points", "why"]


def read_overrides(path, students, practices):
    """Points and reason of each correction, by student and practice; ValueError if one is wrong."""
    (header, *rows), _ = _read_csv(path)
    header = [title.strip().casefold() for title in header if title]
    if sorted(header) != sorted(CELLS):
        raise ValueError(f"{path} must have the columns {','.join(CELLS)}; got {','.join(header)}.")
    known, found = {_letters(one): one for one in students}, {}
    for row in rows:
        cell = dict(zip(header, map(str.strip, row), strict=False))
        student, practice = known.get(_letters(cell["student"])), practices.get(cell["practice"])
        most = practice.points if practice else 0
        for wrong, problem in (
            (any(row[len(CELLS) :]), "a text with a comma in it needs quotes"),
            (not student, f"student must be one of {', '.join(sorted(students))}"),
            (not practice, f"practice must be one of {', '.join(practices)}"),
            (cell["points"] not in map(str, range(most + 1)), f"points must be 0, 1, ... {most}"),
            (not cell["why"], "say why: the student reads it"),
            ((student, cell["practice"]) in found, "this practice was corrected above"),
        ):
            if wrong:
                raise ValueError(f"{path}, {','.join(row)!r}: {problem}.")
        found[student, practice.id] = int(cell["points"]), cell["why"]
    return found


def with_overrides(rows, overrides):
    """Rows with the corrections in place of what the checks gave."""
    for row in rows:
        best = dict(row.best)
        for (student, key), (points, why) in overrides.items():
            if student == row.student:
                said = f"{points} points by hand, in place of {best[key]['points']}: {why}"
                best[key] = best[key] | {"points": points, "by_hand": said}
        points = {key: one["points"] for key, one in best.items()}
        yield replace(row, best=best, points=points, total=sum(points.values()))


class Person(NamedTuple):
    """Someone on a roster."""

    row: int
    name: str
    number: str  # Canvas's of the student, Moodle's of the student in one assignment
    keys: set  # what else a file may be named by


class Roster:
    """Who is in the course, and which columns take points; ValueError if that is not clear.

    `columns` are texts such as ``"1=Homework (4711)"``: for Day 1, 2, or ``total``. Without them
    the titles that name a day are taken; the one of Moodle's sheet is the name of its file.
    """

    def __init__(self, path, system, columns=()):
        self.system, (self._table, self._style) = system, _read_csv(path)
        header, exported = self._table[0], f"as {system.title()} exports it"
        try:
            read = {"canvas": _of_canvas, "moodle": _of_moodle}[system]
            self._people, self._n_kept, titles, out_of = read(self._table, Path(path).stem)
        except (ValueError, IndexError):
            got = f"{exported} ({EXPORTS[system]}); got {','.join(header)[:99]!r}."
            raise ValueError(f"{path} must be a table {got}") from None
        self._columns = _chosen(header, titles, columns)
        if not self._columns:
            say = "--column '1=TITLE' for Day 1, '2=TITLE' or 'total=TITLE', each another one of"
            titles = ", ".join(filter(None, header))
            raise ValueError(f"Say which columns of {path} take the points: {say}: {titles}.")
        for part, column in self._columns.items():
            if not re.fullmatch(rf"{OUT_OF[part]}([.,]0+)?", out_of[column].strip()):
                what = f"{header[column]!r} must be out of {OUT_OF[part]} points, as what it takes"
                mend = f"change that in {system.title()}, and export again"
                raise ValueError(f"{what}; {path} has {out_of[column]!r}: {mend}.")

    def match(self, found):
        """The row of each student who is certainly on the roster; and, in lines, who is not."""
        numbers, fits = {(one.student, one.named_by, one.number) for one in found}, {}
        for student in dict.fromkeys(one.student for one in found):
            known = [(student, self.system, person.number) in numbers for person in self._people]
            fits[student] = list(compress(self._people, known))
        free = [p for p in self._people if not any(p in people for people in fits.values())]
        for one in found:
            if not fits[one.student] and not one.named_by == self.system == "canvas":
                keys = _keys(one.student.removesuffix(f" ({one.number})"))
                fits[one.student] = [person for person in free if person.keys & keys]
        times = Counter(person.row for people in fits.values() for person in people)
        sure, unclear = {}, []
        for student, people in fits.items():
            names = " or ".join(f"{person.name} {person.number}" for person in people)
            if len(people) == 1 == times[people[0].row]:
                sure[student] = people[0].row
            elif people:
                unclear.append(f"{student} ({names})")
        absent = [person.name for person in self._people if not times[person.row]]
        strangers = [student for student, people in fits.items() if not people]
        lines = [_listed("On the roster, without a submission", absent)]
        lines.append(_listed("Submitted, but not on the roster", strangers))
        return sure, [*lines, _listed("Not entered, since another could be meant", unclear)]

    def filled(self, rows, found):
        """The table with the points of `rows`, as text; lines on what is in it, and who is not."""
        where, lines = self.match(found)
        table, text = [list(cells) for cells in self._table], io.StringIO(newline="")
        for part, column in self._columns.items():
            left = []
            for row in (row for row in rows if row.student in where):
                cells = table[where[row.student]]
                days = row.days & set("12" if part == "total" else part)
                if days and cells[column].strip() != "EX":  # excused
                    cells[column] = str(sum(n for key, n in row.points.items() if key[0] in days))
                else:
                    left.append(row.student)
            goes = "Both days go" if part == "total" else f"Day {part} goes"
            lines.append(_listed(f"{goes} into {table[0][column]!r}; left as it was for", left))
        kept = sorted({*range(self._n_kept), *self._columns.values()})
        csv.writer(text, **self._style).writerows([cells[i] for i in kept] for cells in table)
        return text.getvalue(), lines


def _of_canvas(rows, _):
    """People, how many columns to keep, titles of assignments, and what each is out of."""
    header = rows[0]
    number, section = header.index("ID"), header.index("Section")
    people = []
    for i, row in enumerate(rows):
        if row[number].isdecimal():  # else it is on points possible, or on posting
            name = ", ".join(row[:number])
            people.append(Person(i, name, row[number], _keys(name, *row[number + 1 : section])))
    (possible,) = (row for row in rows if "Points Possible" in row[0])
    return people, section + 1, {i: t for i, t in enumerate(header) if NUMBER.search(t)}, possible


def _of_moodle(rows, name):
    """The same of a worksheet in any language: what it is out of stands beside the grade."""
    numbers = [re.search(r"\d*$", row[0])[0] for row in rows]
    people = [Person(i, rows[i][1], n, _keys(*rows[i][1:3])) for i, n in enumerate(numbers) if n]
    titles = {i: name for i, title in enumerate(rows[0]) if title == "Grade"}
    return people, len(rows[0]), titles, [*rows[people[0].row][1:], ""]


def _chosen(header, titles, columns):
    """Which column takes what, as it was said or by a day in its title; none if that is unclear."""
    said, bare = [one.partition("=") for one in columns], [NUMBER.sub("", one) for one in header]
    fits = [(day, i) for day, form in DAYS.items() for i in titles if form.search(titles[i])]
    if columns:
        pairs = list(enumerate(zip(header, bare, strict=True)))
        fits = [(part, i) for part, _, title in said for i, names in pairs if title in names]
    found = dict(fits)
    clear = len(set(found.values())) == len(fits) >= len(columns) and set(found) <= set(OUT_OF)
    return found if clear else {}


def _listed(words, names):
    return f"{words}: {'; '.join(map(one_line, names)) or 'nobody'}."


def _keys(*names):
    """What a name is known by: its letters, also those of "Jane Doe" for "Doe, Jane"."""
    turned = (" ".join(reversed(name.split(","))) for name in names)
    return {_letters(name) for name in (*names, *turned)} - {""}


def _letters(text):
    """Letters and digits alone, in one spelling."""
    text = unicodedata.normalize("NFC", text).casefold()
    return "".join(one for one in text if unicodedata.category(one)[0] in "LMN")


def _read_csv(path):
    """Rows of one length, and how they were written."""
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
        style = {"delimiter": max(",;\t", key=text.partition("\n")[0].count)}
        style["lineterminator"] = "\r\n" if "\r\n" in text else "\n"
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), **style) if any(row)]
        most = max(map(len, rows))
    except (ValueError, csv.Error) as problem:
        raise ValueError(f"{path} must be a CSV table, in UTF-8; {problem}.") from None
    return [row + [""] * (most - len(row)) for row in rows], style
