"""The trusted end of a student's process: start it, ask it, interrupt it, end it.

Everything that it sends is untrusted, and only ever read as plain data of a bounded size. The two
ends of the pipe are its stdin and stdout, and all that it has of the grader.
"""

import contextlib
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import workshop
from workshop.grading import isolation, limits
from workshop.homework import GRADING
from workshop.homework.answers import wire

MAX_MESSAGE = 16 * 1024**2
GRACE = 10  # seconds that code has to end after it was interrupted
PASSED_ON = ("LANG", "LANGUAGE", "LC_ALL", "TZ", "VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH")
SETTINGS = {
    "PYTHONPATH": str(Path(workshop.__file__).parents[1]),
    "PYTHONDONTWRITEBYTECODE": "1",
    "USER": "student",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PIP_NO_INDEX": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    **dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"),
    GRADING: "1",
}


class Ended(EOFError):
    """The process ended by itself: it was killed by its own code, or has crashed."""


class StudentProcess:
    """A process that runs a student's notebook; `reason` says why it is gone, once it is."""

    def __init__(self, *, memory, isolate=True, core=None):
        self.reason, self._memory, self._python = "", memory, None
        self._group = limits.Group(memory) if isolate else None
        self._folder = Path(isolation.INSIDE if isolate else tempfile.mkdtemp())
        words = [sys.executable, "-m", "workshop.grading.notebook", str(memory), str(int(isolate))]
        options = {"env": _environment(self._folder), "bufsize": 0, "start_new_session": True}
        options |= dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
        options["stderr"] = subprocess.DEVNULL
        if isolate:
            options |= {"core": core, "groups": self._group.folders}
            self.process = isolation.start(words, **options)
        else:
            for name in ("home", "work"):
                (self._folder / name).mkdir()
            self.process = subprocess.Popen(words, cwd=self._folder / "work", **options)
        self._responses = queue.Queue(maxsize=1)  # more than it was asked for waits in the pipe
        for work in (self._read, self._watch):
            threading.Thread(target=work, daemon=True).start()

    def hello(self, seconds):
        """Wait until it has started."""
        self.ask({"op": "hello"}, seconds)
        self._python = limits.family_of(self.process)[-1].pid  # of a row of only children

    def ask(self, request, seconds):
        """Send a request, return the response.

        TimeoutError if it took longer, and ended when it was interrupted; EOFError if the process
        is gone, or was ended because it did not obey; of these `Ended` if it went by itself.
        """
        if self.reason:
            raise EOFError(self.reason)
        self._writer = threading.Thread(target=self._write, args=(request,), daemon=True)
        self._writer.start()
        with contextlib.suppress(queue.Empty):
            return self._receive(seconds)
        with contextlib.suppress(OSError, TypeError):
            os.kill(self._python, signal.SIGINT)
        try:
            self._receive(GRACE)
        except queue.Empty:
            self._end_because("It did not stop when it was interrupted.")
        raise TimeoutError(f"It took longer than {seconds:.0f} s.")

    def end(self, reason="It is over."):
        """End the process and all that it has started; remove its folder."""
        self.reason = self.reason or reason
        limits.end_all(self.process)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=10)
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        if self._group is None:
            shutil.rmtree(self._folder, ignore_errors=True)
        else:
            self._group.remove()

    def _write(self, request):
        with contextlib.suppress(OSError, ValueError):  # it has ended: the reader will say so
            wire.write_message(self.process.stdin, request)

    def _read(self):
        """Read responses, of this form or another; None at the end."""
        while True:
            try:
                response = wire.read_message(self.process.stdout, limit=MAX_MESSAGE)
            except (EOFError, OSError):
                response = None
            except (ValueError, MemoryError):
                response = "malformed"
            self._responses.put(response)
            if not isinstance(response, dict):
                return

    def _receive(self, seconds):
        response = self._responses.get(timeout=seconds)
        if response is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=2)
            ended = EOFError if self.reason else Ended
            how = limits.describe_exit(self.process.returncode)
            self.end(f"Its process ended ({how}).")
            raise ended(self.reason)
        self._writer.join(GRACE)
        unasked = self._writer.is_alive()  # an answer before the question was read
        if unasked or not isinstance(response, dict) or not {"value", "error"} & set(response):
            self._end_because("It wrote to where only the grader's messages belong.")
        return response

    def _end_because(self, reason):
        self.end(reason)
        raise EOFError(self.reason)

    def _watch(self):
        """Look at all its processes until they have gone; end them when they take too much."""
        few = self._group is not None and not self._group.folders
        most = limits.FEW_PROCESSES if few else limits.MAX_PROCESSES
        while not self.reason and (family := limits.family_of(self.process)):
            used = 0
            for one in family:
                with contextlib.suppress(Exception):  # it has gone
                    used += one.memory_info().rss
            if len(family) > most:
                self.end(f"It started more than {most} processes and was stopped.")
            elif used > limits.HEADROOM * self._memory:
                self.end(f"It used more than {self._memory / limits.GIGABYTE:g} GB of memory.")
            time.sleep(limits.POLL_SECONDS)


def _environment(folder):
    """Environment of a student's process: nothing of the instructor's but language and Python."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"])
    return kept | SETTINGS | {"PATH": path, "HOME": f"{folder}/home", "TMPDIR": str(folder)}
