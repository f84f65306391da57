"""The HTML report of a class: one page that needs no network, no script and no colour to read."""

import html
from datetime import datetime, timezone
from pathlib import Path

import pandas as pd

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


def to_html(rows, table, practices, *, title, lines=()):
    """Page of a class: the CSV's table, `lines` on the roster; what students wrote is escaped."""
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    body = (
        f"{_without_walls(rows)}<h2>By practice</h2>"
        "<p>How many students have all points, some, none; and the mean.</p>"
        f"{_by_practice(table, practices)}"
        "<h2>By student</h2><p>Points of 10 for each practice, of 100 in all.</p>"
        f"{_in_html(table.set_index('student').rename_axis(None))}"
        f"{f'<h2>Roster</h2><ul>{items}</ul>' if lines else ''}"
        f"<h2>What the checks said</h2>{''.join(_student(row, practices) for row in rows)}"
    )
    return _page("Grades" if title == "grades" else f"Grades: {title}", body)


def feedback(row, practices):
    """Page for a student: their points and what was said of their answers, and of nobody else's."""
    return _page("Feedback", f"<h2>What the checks said</h2>{_student(row, practices)}")


def _page(title, body):
    today = datetime.now(timezone.utc).astimezone().strftime("%d %B %Y, %H:%M").lstrip("0")
    page = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><main><h1>{html.escape(title)}</h1><p>{today}</p>{body}</main></body></html>\n"
    )
    return page.encode("utf-8", "replace").decode()  # half of a letter is not one


def _without_walls(rows):
    """Whose notebooks ran without isolation, and what that means."""
    names = [r.student for r in rows if not all(n["record"]["isolated"] for n in r.notebooks)]
    if not names:
        return ""
    names = "all notebooks" if len(names) == len(rows) else ", ".join(names)
    return f"<p class='trouble'>{html.escape(OPEN.format(names=names))}</p>"


def _by_practice(table, practices):
    points = table[list(practices)]
    out_of = [practice.points for practice in practices.values()]
    counts = {"all": (points >= out_of).sum(), "none": (points == 0).sum()}
    counts = {"all": counts["all"], "some": len(table) - sum(counts.values())} | counts
    titles = [practice.title for practice in practices.values()]
    return _in_html(pd.DataFrame({"task": titles} | counts | {"mean": points.mean().round(1)}))


def _in_html(table):
    with pd.option_context("display.max_colwidth", 160):
        return table.to_html(border=0, justify="left")


def _student(row, practices):
    """All that was said of a student's answers."""
    parts = [f"<article><h3>{html.escape(row.student)}: {row.total} of 100</h3>"]
    parts += [_notebook(one) for one in row.notebooks]
    days = row.days or {"1", "2"}
    for practice in practices.values():
        found = row.best[practice.id]
        if practice.id[0] not in days and not found["points"]:
            continue
        title = f"{practice.id} {practice.title}: {found['points']} of {practice.points}"
        remarks = "".join(map(_remark, found["remarks"]))
        parts.append(f"<h4>{html.escape(title)}</h4><ul>{remarks}</ul>")
        if said := found.get("by_hand"):
            parts.append(f"<p><strong>{html.escape(said)}</strong></p>")
        if words := found.get("written"):
            parts.append(f"<blockquote>{html.escape(words)}</blockquote>")
    return "".join([*parts, "</article>"])


def _remark(remark):
    mark, word = ("✓", "right") if remark["right"] else ("✗", "not right")
    points = f" <small>{remark['points']} of {remark['out_of']}</small>" if remark["out_of"] else ""
    mark = f'<span role="img" aria-label="{word}">{mark}</span>'
    return f"<li>{mark} {html.escape(remark['text'])}{points}</li>"


def _notebook(result):
    """How a notebook ran, and what went wrong."""
    name, record = Path(result["path"]).name, result["record"]
    said = f"{name}: {record['cells']} code cells, {record['seconds']:.0f} s"
    lines = [f"<li>{html.escape(problem)}</li>" for problem in record["problems"]]
    for cell in record["failed"]:
        where = f"Cell {cell['cell']}, <code>{html.escape(cell['line'])}</code>"
        lines.append(f"<li>{where}: {html.escape(cell['error'])}</li>")
    trouble = f'<ul class="trouble">{"".join(lines)}</ul>' if lines else ""
    return f"<p>{html.escape(said)}</p>{trouble}"
