"""The HTML report of a class: one page that needs no network, no script and no colour to read."""

import html
import statistics
from datetime import datetime, timezone
from pathlib import Path

__all__ = ["to_html"]

STYLE = """
:root { color-scheme: light; --ink: #1f2933; --soft: #52606d; --line: #d9dfe5; --full: #1b6e3c;
  --part: #b26a00; --none: #c9d1d8; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: #fff;
  max-width: 76rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.75rem; margin: 0; } h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1.1rem; margin: 0; } h4 { font-size: 1rem; margin: 1rem 0 .25rem; display: flex;
  justify-content: space-between; gap: 1rem; } h4 span + span { white-space: nowrap; }
p { margin: .25rem 0; } .soft, small { color: var(--soft); }
a { color: #1a56a8; } a:focus-visible { outline: 3px solid #1a56a8; outline-offset: 2px; }
dl.figures { display: flex; flex-wrap: wrap; gap: 1rem 3rem; margin: 1.5rem 0 0; }
dl.figures div { display: flex; flex-direction: column-reverse; }
dl.figures dd { font-size: 1.9rem; line-height: 1.2; margin: 0;
  font-variant-numeric: tabular-nums; }
dl.figures dt { color: var(--soft); font-size: .875rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); font-size: .875rem; padding-bottom: .5rem; }
th, td { padding: .4rem .6rem; text-align: right; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { font-weight: 600; } tbody th:has(a) { min-width: 8rem; }
thead th { font-size: .875rem; white-space: nowrap; }
.left { text-align: left; } td.why { text-align: left; font-size: .875rem; min-width: 14rem;
  color: var(--soft); overflow-wrap: anywhere; }
td.full { color: var(--full); font-weight: 600; } td.zero { color: #66727e; }
.bar { display: flex; height: .8rem; min-width: 10rem; margin-top: .35rem; background: #fff; }
.bar span { border-right: 2px solid #fff; } .bar span:last-child { border: 0; }
.bar .full { background: var(--full); } .bar .part { background: var(--part); }
.bar .none { background: var(--none); }
article { border-top: 1px solid var(--line); padding: 1.25rem 0; }
article header { display: flex; justify-content: space-between; gap: 1rem; }
ul { list-style: none; margin: 0; padding: 0; } ul.remarks li { padding-left: 1.4rem;
  text-indent: -1.4rem; overflow-wrap: anywhere; }
.mark { display: inline-block; width: 1.4rem; text-indent: 0; } .yes { color: var(--full); }
.no { color: #a33a00; } code { font: .875em ui-monospace, monospace; overflow-wrap: anywhere; }
blockquote { margin: .5rem 0 .5rem 1.4rem; color: var(--soft); white-space: pre-wrap;
  overflow-wrap: anywhere; }
.trouble { border-left: 3px solid var(--part); padding-left: .75rem; margin: .75rem 0; }
@media print { body { max-width: none; padding: 0; font-size: 11pt; }
  article { break-inside: avoid; } a { color: inherit; text-decoration: none; } }
"""


def to_html(rows, *, title):
    """Page of a class.

    Parameters
    ----------
    rows : sequence of Row
    title : str

    Returns
    -------
    str
        Whatever came from a student is escaped.
    """
    practices = _practices()
    heading = "Grades" if title == "grades" else f"Grades: {_text(title)}"
    today = datetime.now(timezone.utc).astimezone().strftime("%d %B %Y, %H:%M").lstrip("0")
    parts = [
        f"<h1>{heading}</h1><p class='soft'>{today}</p>",
        _figures(rows),
        _by_practice(rows, practices),
        _by_student(rows, practices),
        "<h2>What the checks said</h2>",
        *(_student(number, row, practices) for number, row in enumerate(rows)),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{heading}</title><style>{STYLE}</style></head>\n"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _practices():
    from workshop.homework import EXTENDED

    return list(EXTENDED.values())


def _text(value):
    return html.escape(str(value).encode("utf-8", "replace").decode())


def _figures(rows):
    totals = [row.total for row in rows]
    troubled = sum(bool(row.failed) for row in rows)
    shown = {
        "students": len(rows),
        "median of 100": f"{statistics.median(totals):g}",
        "from lowest to highest": f"{min(totals)} – {max(totals)}",
        "with a failed cell or a limit hit": troubled,
    }
    items = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in shown.items())
    return f'<dl class="figures">{items}</dl>'


def _by_practice(rows, practices):
    lines = []
    for practice in practices:
        points = [row.points[practice.id] for row in rows]
        full = sum(one >= practice.points for one in points)
        none = sum(one == 0 for one in points)
        counts = {"full": full, "part": len(points) - full - none, "none": none}
        bar = "".join(
            f'<span class="{kind}" style="flex: {n}"></span>' for kind, n in counts.items() if n
        )
        lines.append(
            f'<tr><th scope="row" class="left">{practice.id}</th>'
            f'<td class="left">{_text(practice.title)}</td>'
            f'<td aria-hidden="true"><div class="bar">{bar}</div></td>'
            + "".join(f"<td>{n}</td>" for n in counts.values())
            + f"<td>{statistics.mean(points):.1f}</td></tr>"
        )
    head = _head(["practice", "task"], ["", "full", "in part", "none", "mean"])
    return (
        "<h2>By practice</h2><div class='wide'><table><caption>How many students have all points "
        "of a practice (green), some (ochre), none (grey); and the mean of 10.</caption>"
        f"{head}<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _head(left, right):
    cells = "".join(f'<th scope="col" class="left">{name}</th>' for name in left)
    for name in right:
        cells += f'<th scope="col">{name}</th>' if name else "<td></td>"
    return f"<thead><tr>{cells}</tr></thead>"


def _by_student(rows, practices):
    lines = []
    for number, row in enumerate(rows):
        cells = ""
        for practice in practices:
            points = row.points[practice.id]
            kind = "full" if points >= practice.points else "zero" if points == 0 else "some"
            cells += f'<td class="{kind}">{points}</td>'
        why = row.failed if len(row.failed) <= 160 else f"{row.failed[:159]}…"
        lines.append(
            f'<tr><th scope="row" class="left"><a href="#s{number}">{_text(row.student)}</a></th>'
            f"{cells}<td><b>{row.total}</b></td><td>{row.seconds:.0f}</td>"
            f'<td class="why">{_text(why)}</td></tr>'
        )
    ids = [practice.id for practice in practices]
    head = _head(["student"], [*ids, "total", "seconds"])
    head = head.replace(
        "</tr></thead>", '<th scope="col" class="left">what failed</th></tr></thead>'
    )
    return (
        "<h2>By student</h2><div class='wide'><table><caption>Points of 10 for each practice, of "
        f"100 in all.</caption>{head}<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _student(number, row, practices):
    """All that was said of a student's answers."""
    parts = [
        f'<article id="s{number}"><header><h3>{_text(row.student)}</h3>'
        f"<b>{row.total} of 100</b></header>",
        *(_notebook(one) for one in row.notebooks),
    ]
    days = {day for one in row.notebooks for day in one.record["days"]} or {"1", "2"}
    for practice in practices:
        found = row.best[practice.id]
        if practice.id[0] not in days and not found["points"]:
            continue
        parts.append(
            f"<h4><span>{practice.id} {_text(practice.title)}</span> "
            f"<span>{found['points']} of {practice.points}</span></h4>"
        )
        parts.append(f'<ul class="remarks">{"".join(map(_remark, found["remarks"]))}</ul>')
        if words := found.get("written"):
            parts.append(f"<blockquote>{_text(words)}</blockquote>")
    return "".join([*parts, "</article>"])


def _remark(remark):
    mark, kind, word = ("✓", "yes", "right") if remark["right"] else ("✗", "no", "not right")
    points = f" <small>{remark['points']} of {remark['out_of']}</small>" if remark["out_of"] else ""
    return (
        f'<li><span class="mark {kind}" role="img" aria-label="{word}">{mark}</span>'
        f"{_text(remark['text'])}{points}</li>"
    )


def _notebook(graded):
    record = graded.record
    said = (
        f"<p class='soft'>{_text(Path(graded.path).name)}: {record['cells']} code cells, "
        f"{record['seconds']:.0f} s, at most {record['peak']:.1f} GB</p>"
    )
    lines = [f"<li>{_text(problem)}</li>" for problem in record["problems"]]
    lines += [
        f"<li>Cell {cell['cell']}, <code>{_text(cell['line'][:80])}</code>: "
        f"{_text(cell['error'])}</li>"
        for cell in record["failed"]
    ]
    return said + (f'<ul class="trouble">{"".join(lines)}</ul>' if lines else "")
