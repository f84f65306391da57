"""A student's process: runs the cells that it is given, then answers for the notebook.

``python -m workshop.grading.notebook MEMORY ISOLATED``: bytes, and whether bubblewrap shuts it off.
Whoever grades is at the other ends of stdin and stdout, decides which cell runs when and for how
long, and believes nothing that comes from here.
"""

import contextlib
import io
import os
import signal
import sys

from workshop.grading.colab import pretend_colab, tame
from workshop.grading.limits import limit_notebook
from workshop.grading.results import one_line


def main():
    """Serve until the other side closes the pipe."""
    limit_notebook(int(sys.argv[1]), isolated=sys.argv[2] == "1")
    reading, writing = os.dup(0), os.dup(1)  # which no descendant inherits
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    from workshop.homework.answers import wire
    from workshop.homework.answers.served import AnswerServer

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pretend_colab()
    shell = _new_shell()
    server = AnswerServer(shell.user_ns)
    handlers = {"hello": lambda request: {"value": ""}, "run": lambda request: _run(shell, request)}
    source = io.FileIO(reading)
    sink = io.BufferedWriter(io.FileIO(writing, "w"))  # a pipe may take less than it is given
    while True:
        try:
            request = wire.read_message(source)
        except EOFError:
            os._exit(0)  # whatever threads and exit handlers a notebook has left
        response = {"error": "KeyboardInterrupt: it took too long"}
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            response = handlers.get(request["op"], server.handle)(request)
        except KeyboardInterrupt:
            pass
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        wire.write_message(sink, response)


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


def _run(shell, request):
    """Run a cell; what it raised, in a line, or an empty text."""
    if not request["source"].strip():
        return {"value": ""}
    result = shell.run_cell(request["source"])
    error = result.error_before_exec or result.error_in_exec
    if error is None:
        return {"value": ""}
    try:
        text = str(error).strip().partition("\n")[0]
    except Exception:  # a student's own exception may not even have a text
        text = ""
    return {"value": f"{type(error).__name__}: {one_line(text)}"}


if __name__ == "__main__":
    main()
