"""A line that says how far something long has come: in a notebook, and in a terminal."""

import sys
import time

import numpy as np


class ProgressLine:
    """One line that replaces itself: in a notebook, and in a terminal.

    Silent where nobody looks (a log file, a test) and where ``enabled=False``.
    """

    def __init__(self, enabled):
        self._handle = None
        self._shown = -np.inf
        self._write = lambda text, last: None
        if enabled and _in_notebook():
            self._write = self._notebook
        elif enabled and sys.stderr.isatty():
            self._write = self._terminal

    def show(self, text, *, last=False):
        """Replace the line by `text`, at most ten times a second; the last text always shows."""
        if last or time.monotonic() - self._shown > 0.1:
            self._shown = time.monotonic()
            self._write(text, last)

    def _terminal(self, text, last):
        sys.stderr.write("\r\x1b[K" + text + ("\n" if last else ""))
        sys.stderr.flush()

    def _notebook(self, text, last):
        from IPython.display import display

        if self._handle is None:
            self._handle = display({"text/plain": text}, raw=True, display_id=True)
        else:
            self._handle.update({"text/plain": text}, raw=True)


class ProgressShare:
    """A line that says how much of `total` is done, once it has taken two seconds."""

    def __init__(self, what, total, enabled):
        self.what, self.total, self.done = what, total, 0
        self.line, self.began = ProgressLine(enabled), time.monotonic()

    def advance(self, amount):
        """Count `amount` more."""
        self.done += amount
        if time.monotonic() - self.began > 2:
            last = self.done > self.total * (1 - 1e-6)  # parts of one may not sum to it exactly
            self.line.show(f"{self.what}: {self.done / self.total:.0%}", last=last)


def _in_notebook():
    """Whether a Jupyter or Colab kernel runs this, rather than a terminal."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")
