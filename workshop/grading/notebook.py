"""A student's process: runs the cells that it is told to, then answers for the notebook.

``python -m workshop.grading.notebook READ WRITE NOTEBOOK ACTIVE``: three file descriptors, and what
`workshop.grading.sandbox` made active. Whoever grades is at the other end of the pipes, decides
which cell runs when and for how long, and believes nothing that comes from here.
"""

import contextlib
import io
import os
import re
import signal
import sys
import warnings

from workshop.grading.colab import pretend_colab, tame

__all__ = ["main"]

MAX_TEXT = 200


def main():
    """Serve until the other side closes the pipe."""
    reading, writing, notebook = map(int, sys.argv[1:4])
    for fd in (reading, writing, notebook):
        os.set_inheritable(fd, False)  # no descendant keeps a pipe open
    from workshop.homework.answers import wire

    interrupt = _Interrupt()
    signal.signal(signal.SIGINT, interrupt)
    kernel = _Kernel(notebook, sys.argv[4])
    with open(reading, "rb", buffering=0) as source, open(writing, "wb", buffering=0) as sink:
        whole = io.BufferedWriter(sink)  # a pipe may take less than it is given
        while True:
            try:
                request = wire.read_message(source)
            except EOFError:
                os._exit(0)  # whatever threads and exit handlers a notebook has left
            response = {"error": "KeyboardInterrupt: it took too long"}
            try:
                with interrupt:
                    response = kernel.handle(request)
            except KeyboardInterrupt:
                pass
            wire.write_message(whole, response)


class _Interrupt:
    """Let SIGINT raise KeyboardInterrupt while a student's code runs, and only then."""

    def __init__(self):
        self.allowed = False

    def __enter__(self):
        self.allowed = True

    def __exit__(self, *_):
        self.allowed = False

    def __call__(self, number, frame):
        if self.allowed:
            raise KeyboardInterrupt


class _Kernel:
    """Requests ``hello``, ``load``, ``run``; ``get`` and ``call`` go to the answers' server."""

    def __init__(self, notebook, active):
        self.notebook, self.active = notebook, active.split(",") if active else []
        self.shell = self.server = None
        self.sources = []

    def handle(self, request):
        if request["op"] == "hello":
            return {"value": {"active": self.active}}
        if request["op"] == "load":
            return self._load(request["ids"])
        if request["op"] == "run":
            return self._run(request["cell"])
        if self.server is None:
            from workshop.homework.answers.served import AnswerServer

            self.server = AnswerServer(self.shell.user_ns if self.shell else {})
        return self.server.handle(request)

    def _load(self, ids):
        """Read the notebook; say how many cells it has, and which of `ids` its text names."""
        import nbformat

        with open(self.notebook, "rb") as file:
            data = file.read()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # missing cell ids: Colab writes none
                content = nbformat.reads(data.decode("utf-8-sig"), as_version=4)
            cells = [cell for cell in content.cells if cell.cell_type == "code"]
            language = content.metadata.get("kernelspec", {}).get("language", "python")
        except RecursionError:
            return {"error": "It is nested too deeply to be a notebook."}
        except Exception as problem:  # nbformat raises a different type for each kind of damage
            return {"error": f"It is not a Jupyter notebook: {_first_line(problem)}"}
        if language != "python":
            return {"error": f"It is a notebook for {language[:20]}, not for Python."}
        for cell in cells:
            skipped = "skip-execution" in cell.metadata.get("tags", [])
            self.sources.append("" if skipped else str(cell.source))
        text = "\n".join(self.sources)
        named = [one for one in ids if re.search(rf"(?<![\w.]){re.escape(one)}(?!\w)", text)]
        pretend_colab()
        self.shell = _new_shell()
        lines = [_first_line(source) for source in self.sources]
        return {"value": {"lines": lines, "named": named}}

    def _run(self, number):
        source = self.sources[number]
        if not source.strip():
            return {"value": ""}
        result = self.shell.run_cell(source)
        error = result.error_before_exec or result.error_in_exec
        if error is None:
            return {"value": ""}
        return {"value": f"{type(error).__name__}: {_first_line(error)}"}


def _new_shell():
    """IPython without terminal, history and pictures."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    settings = Config()
    settings.HistoryManager.enabled = False
    settings.InteractiveShell.colors = "NoColor"
    shell = InteractiveShell.instance(config=settings)
    shell.display_formatter.active_types = ["text/plain"]
    shell._tee = lambda channel: contextlib.nullcontext()  # IPython 9 keeps all that is printed
    shell.showtraceback = shell.showsyntaxerror = lambda *_, **__: None  # nobody would read it
    tame(shell)
    return shell


def _first_line(text):
    try:
        lines = [line.strip() for line in str(text).splitlines() if line.strip()]
    except Exception:  # a student's own exception may not even have a text
        lines = []
    return lines[0][:MAX_TEXT] if lines else ""


if __name__ == "__main__":
    main()
