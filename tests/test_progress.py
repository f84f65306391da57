"""The progress line: one line in a notebook, one in a terminal, silence elsewhere."""

import io
import sys
from types import SimpleNamespace

import IPython
import pytest

from workshop import _progress
from workshop._progress import ProgressLine, ProgressShare


@pytest.fixture
def clock(monkeypatch):
    """It tells the module the time: set `now`."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(_progress.time, "monotonic", lambda: clock.now)
    return clock


@pytest.fixture
def stderr(monkeypatch):
    """What the module writes to; pytest would put its own sys.stderr back before the test."""
    stream = io.StringIO()
    monkeypatch.setattr(_progress, "sys", SimpleNamespace(stderr=stream, modules=sys.modules))
    return stream


@pytest.fixture
def notebook(monkeypatch):
    """A kernel, and the list of what was displayed in it."""
    shown = []

    def display(content, *, raw, display_id):
        shown.append(("new", content))
        return SimpleNamespace(update=lambda content, raw: shown.append(("update", content)))

    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel="a kernel"))
    monkeypatch.setattr("IPython.display.display", display)
    return shown


def test_terminal_replaces_its_line_and_ends_it_at_last(clock, stderr, monkeypatch):
    monkeypatch.setattr(stderr, "isatty", lambda: True)
    line = ProgressLine(True)
    for clock.now, text in ((0.0, "one"), (0.05, "too soon"), (0.2, "two"), (0.25, "too soon")):
        line.show(text)
    line.show("three", last=True)
    assert stderr.getvalue() == "\r\x1b[Kone\r\x1b[Ktwo\r\x1b[Kthree\n"


def test_notebook_updates_one_output(clock, stderr, notebook):
    line = ProgressLine(True)
    for clock.now, text in ((0.0, "one"), (0.05, "too soon"), (0.2, "two")):
        line.show(text)
    line.show("three", last=True)
    assert notebook == [
        ("new", {"text/plain": "one"}),
        ("update", {"text/plain": "two"}),
        ("update", {"text/plain": "three"}),
    ]
    assert stderr.getvalue() == ""


def test_silent_where_nobody_looks(clock, stderr, capsys):
    line = ProgressLine(True)  # neither a kernel nor a terminal
    line.show("one")
    line.show("two", last=True)
    assert stderr.getvalue() == ""
    assert capsys.readouterr().out == ""


def test_ipython_in_a_terminal_or_not_loaded_is_no_notebook(monkeypatch):
    assert not _progress._in_notebook()
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(colors="Linux"))
    assert not _progress._in_notebook()
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel="a kernel"))
    assert _progress._in_notebook()
    monkeypatch.delitem(sys.modules, "IPython")
    assert not _progress._in_notebook()


def test_a_share_shows_after_two_seconds_and_ends_at_the_whole(clock, stderr, monkeypatch):
    monkeypatch.setattr(stderr, "isatty", lambda: True)
    share = ProgressShare("mutants", 4, True)
    for clock.now in (1.0, 3.0, 4.0, 5.0):
        share.advance(1)
    shown = ["mutants: 50%", "mutants: 75%", "mutants: 100%\n"]
    assert stderr.getvalue() == "".join("\r\x1b[K" + text for text in shown)
