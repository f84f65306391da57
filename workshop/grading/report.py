"""The HTML report of a class: one page that needs no network, no script and no colour to read."""

import html
import statistics
from datetime import datetime, timezone
from pathlib import Path

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: auto; padding: 2rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { padding: .3rem .6rem; text-align: left; border-bottom: 1px solid #d9dfe5; }
article { border-top: 1px solid #d9dfe5; padding: 1rem 0; } ul { list-style: none; padding: 0; }
li, td, blockquote { overflow-wrap: anywhere; } blockquote { white-space: pre-wrap; }
.trouble { border-left: 3px solid #b26a00; padding-left: .75rem; }
@media print { article { break-inside: avoid; } }
"""
OPEN = (
    "Graded WITHOUT ISOLATION: {names}. A notebook run so could read this account's files and the "
    "other submissions, use the network, and change files, these grades too. Points of this page "
    "are proof only if everyone in the class is trusted."
)


def to_html(rows, practices, *, title):
    """Page of a class; whatever came from a student is escaped."""
    heading = "Grades" if title == "grades" else f"Grades: {_text(title)}"
    today = datetime.now(timezone.utc).astimezone().strftime("%d %B %Y, %H:%M").lstrip("0")
    students = "".join(_student(number, row, practices) for number, row in enumerate(rows))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{heading}</title><style>{STYLE}</style></head>\n"
        f"<body><main><h1>{heading}</h1><p>{today}</p>{_without_walls(rows)}"
        f"{_by_practice(rows, practices)}{_by_student(rows, practices)}"
        f"<h2>What the checks said</h2>{students}</main></body></html>\n"
    )


def _text(value):
    return html.escape(str(value).encode("utf-8", "replace").decode())


def _without_walls(rows):
    """Whose notebooks ran without isolation, and what that means."""
    names = [r.student for r in rows if not all(n["isolated"] for n in r.notebooks)]
    if not names:
        return ""
    names = "all notebooks" if len(names) == len(rows) else ", ".join(names)
    return f"<p class='trouble'>{_text(OPEN.format(names=names))}</p>"


def _by_practice(rows, practices):
    lines = []
    for practice in practices:
        points = [row.points[practice.id] for row in rows]
        full = sum(one >= practice.points for one in points)
        none = sum(one == 0 for one in points)
        counts = [full, len(points) - full - none, none, f"{statistics.mean(points):.1f}"]
        lines.append([practice.id, _text(practice.title), *counts])
    caption = "How many students have all points of a practice, some, none; and the mean of 10."
    names = ["practice", "task", "all", "some", "none", "mean"]
    return f"<h2>By practice</h2>{_table(caption, names, lines)}"


def _by_student(rows, practices):
    lines = []
    for number, row in enumerate(rows):
        name = f'<a href="#s{number}">{_text(row.student)}</a>'
        points = [row.points[practice.id] for practice in practices]
        why = row.failed if len(row.failed) <= 160 else f"{row.failed[:159]}…"
        lines.append([name, *points, row.total, f"{row.seconds:.0f}", _text(why)])
    caption = "Points of 10 for each practice, of 100 in all."
    names = ["student", *(one.id for one in practices), "total", "seconds", "what failed"]
    return f"<h2>By student</h2>{_table(caption, names, lines)}"


def _table(caption, names, lines):
    """A table; the first cell of each line is its head."""
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    body = ""
    for first, *rest in lines:
        cells = "".join(f"<td>{cell}</td>" for cell in rest)
        body += f'<tr><th scope="row">{first}</th>{cells}</tr>'
    return (
        f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def _student(number, row, practices):
    """All that was said of a student's answers."""
    parts = [f'<article id="s{number}"><h3>{_text(row.student)}</h3><b>{row.total} of 100</b>']
    parts += [_notebook(one) for one in row.notebooks]
    days = {day for one in row.notebooks for day in one["days"]} or {"1", "2"}
    for practice in practices:
        found = row.best[practice.id]
        if practice.id[0] not in days and not found["points"]:
            continue
        title = f"{practice.id} {practice.title}: {found['points']} of {practice.points}"
        remarks = "".join(map(_remark, found["remarks"]))
        parts.append(f"<h4>{_text(title)}</h4><ul>{remarks}</ul>")
        if words := found.get("written"):
            parts.append(f"<blockquote>{_text(words)}</blockquote>")
    return "".join([*parts, "</article>"])


def _remark(remark):
    mark, word = ("✓", "right") if remark["right"] else ("✗", "not right")
    points = f" <small>{remark['points']} of {remark['out_of']}</small>" if remark["out_of"] else ""
    mark = f'<span role="img" aria-label="{word}">{mark}</span>'
    return f"<li>{mark} {_text(remark['text'])}{points}</li>"


def _notebook(result):
    """How a notebook ran, and what went wrong."""
    name = Path(result["path"]).name
    said = f"{name}: {result['cells']} code cells, {result['seconds']:.0f} s"
    lines = [f"<li>{_text(problem)}</li>" for problem in result["problems"]]
    for cell in result["failed"]:
        where = f"Cell {cell['cell']}, <code>{_text(cell['line'])}</code>"
        lines.append(f"<li>{where}: {_text(cell['error'])}</li>")
    trouble = f'<ul class="trouble">{"".join(lines)}</ul>' if lines else ""
    return f"<p>{_text(said)}</p>{trouble}"
