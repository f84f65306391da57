"""The report of the runtime as a DataFrame that a notebook shows whole."""

import pandas as pd

from workshop.environment.report import COLUMNS, aligned

__all__ = ["RuntimeTable"]


class RuntimeTable(pd.DataFrame):
    """A DataFrame of words: left-aligned, and no line cut at 50 letters, wherever it is shown."""

    @classmethod
    def of(cls, rows):
        """Make the table of the rows of the report."""
        return cls([row[1:4] for row in rows], index=[row.what for row in rows], columns=COLUMNS)

    def __repr__(self):
        return aligned([("", *self.columns), *self.itertuples(name=None)])

    def _repr_html_(self):
        with pd.option_context("display.max_colwidth", None):
            table = self.to_html(justify="left", border=0)
        return table.replace("<td>", '<td style="text-align: left">').replace(
            "<th>", '<th style="text-align: left">'
        )
