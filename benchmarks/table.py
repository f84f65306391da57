"""Rows of the suite's table: a median, its spread, what is required of it and whether it holds."""

from typing import NamedTuple

import numpy as np


class Row(NamedTuple):
    """One line of the table."""

    what: str
    median: float
    low: float
    """First quartile."""
    high: float
    """Third quartile."""
    unit: str = "x"
    """x = a ratio."""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def holds(self):
        """Whether the median is within the limits; None where nothing is required."""
        if self.at_least is None and self.at_most is None:
            return None
        low = -np.inf if self.at_least is None else self.at_least
        high = np.inf if self.at_most is None else self.at_most
        return bool(low <= self.median <= high)

    @property
    def requirement(self):
        """In words."""
        limits = (("at least", self.at_least), ("at most", self.at_most))
        return ", ".join(f"{word} {number(limit)}" for word, limit in limits if limit is not None)


def measured(what, values, unit, *, at_least=None, at_most=None):
    """A row of what was measured in each round."""
    low, high = (float(q) for q in np.quantile(values, [0.25, 0.75], method="nearest"))
    return Row(what, float(np.median(values)), low, high, unit, at_least, at_most)


def ratio(what, above, below, *, at_least=None, at_most=None):
    """A row of the ratio of two medians; its quartiles are those of the ratios round by round."""
    with np.errstate(invalid="ignore"):
        rounds = np.divide(above, below)
    spread = measured(what, rounds[~np.isnan(rounds)], "x")
    median = float(np.median(above) / np.median(below))
    return spread._replace(median=median, at_least=at_least, at_most=at_most)


def number(value):
    """Three digits, at most three of them behind the point."""
    if not np.isfinite(value):
        return "not reached"
    digits = min(3, max(0, 2 - int(np.floor(np.log10(abs(value) or 1)))))
    return f"{value:,.{digits}f}"


def as_markdown(rows):
    """Rows, and strings as headings between them, as Markdown that reads well as text, too."""
    verdict = {True: "holds", False: "**MISSED**", None: ""}
    cells = [("", "median", "quartiles", "required", "")]
    for row in rows:
        if isinstance(row, str):
            cells.append((f"**{row}**", "", "", "", ""))
            continue
        unit = "×" if row.unit == "x" else f" {row.unit}"
        spread = f"{number(row.low)}–{number(row.high)}" if row.low != row.high else ""
        median = number(row.median) + (unit if np.isfinite(row.median) else "")
        cells.append((row.what, median, spread, row.requirement, verdict[row.holds]))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
