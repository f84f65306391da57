"""The trusted end of a student's process: start it, ask it, interrupt it, end it.

Everything that it sends is untrusted, and only ever read as plain data of a bounded size.
"""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from workshop.grading import places
from workshop.grading.limits import Watchdog, end_all
from workshop.homework.answers import wire

__all__ = ["StudentProcess"]

MAX_MESSAGE = 64 * 1024**2
GRACE = 10
"""Seconds that code has to end after it was interrupted."""
SET_CHILD_SUBREAPER = 36


class StudentProcess:
    """A process that runs a student's notebook.

    Parameters
    ----------
    notebook : int
        File descriptor of the notebook, open for reading.
    memory : int
        Bytes of data that the process may hold.
    hidden : list of Path
        Files and folders that it shall not read, where that can be had.
    isolate : bool
        Whether to use what `workshop.grading.sandbox` offers.

    Attributes
    ----------
    reason : str
        Why it is gone; empty as long as it is there.
    """

    def __init__(self, notebook, *, memory, hidden=(), isolate=True):
        self.reason, self._received = "", bytearray()
        self.folder = Path(tempfile.mkdtemp(prefix="workshop-grade-")).resolve()
        _become_subreaper()
        reading, kernel_writes = os.pipe()
        kernel_reads, writing = os.pipe()
        self._reading, self._writing = reading, writing
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)
        fds = [kernel_reads, kernel_writes, notebook]
        settings = places.settings(self.folder, fds) | {"memory": memory, "isolate": isolate}
        settings["hidden"] = [str(path) for path in places.secrets() + list(hidden)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workshop.grading.sandbox"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            env=places.environment(self.folder),
            pass_fds=fds,
            start_new_session=True,
        )
        self.watchdog = Watchdog(self.process.pid, memory=memory)
        self.watchdog.start()
        os.close(kernel_reads)
        os.close(kernel_writes)
        with contextlib.suppress(BrokenPipeError), self.process.stdin as stdin:
            stdin.write(json.dumps(settings).encode())
        self._kernel_pid = None

    def hello(self, seconds):
        """Wait until it has started; return what protects us from it, as words."""
        response = self.ask({"op": "hello"}, seconds)
        self._kernel_pid = _last_in_row(self.process.pid)
        return list(map(str, response["value"]["active"]))

    def ask(self, request, seconds):
        """Send a request, return the response.

        Raises
        ------
        TimeoutError
            If it took longer, and ended when it was interrupted.
        EOFError
            If the process is gone, or was ended because it did not obey; `reason` says why.
        """
        if self.reason:
            raise EOFError(self.reason)
        deadline = time.monotonic() + seconds
        try:
            self._send(request, deadline)
            return self._receive(deadline)
        except TimeoutError:
            pass
        self._interrupt()
        try:
            self._receive(time.monotonic() + GRACE)
        except TimeoutError:
            self.end("It did not stop when it was interrupted.")
            raise EOFError(self.reason) from None
        raise TimeoutError(f"It took longer than {seconds:.0f} s.")

    def end(self, reason="It is over."):
        """End the process and all that it has started; remove its folder."""
        self.watchdog.stop()
        end_all(self.process.pid)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=10)
        self.reason = self.reason or self.watchdog.verdict or reason
        for fd in (self._reading, self._writing):
            with contextlib.suppress(OSError):
                os.close(fd)
        self._reading = self._writing = -1
        shutil.rmtree(self.folder, ignore_errors=True)

    def _send(self, request, deadline):
        data = wire.pack(request)
        left = memoryview(len(data).to_bytes(8, "big") + data)
        while left:
            self._wait(self._writing, select.POLLOUT, deadline)
            try:
                left = left[os.write(self._writing, left) :]
            except BlockingIOError:
                continue
            except OSError:
                self._gone()

    def _receive(self, deadline):
        prefix = 8
        while True:
            if len(self._received) >= prefix:
                size = int.from_bytes(self._received[:prefix], "big")
                if size > MAX_MESSAGE:
                    self._broken()
                if len(self._received) >= prefix + size:
                    break
            self._wait(self._reading, select.POLLIN, deadline)
            try:
                piece = os.read(self._reading, 1 << 20)
            except BlockingIOError:
                continue
            if not piece:
                self._gone()
            self._received += piece
        data = bytes(self._received[prefix : prefix + size])
        del self._received[: prefix + size]
        try:
            response = wire.unpack(data)
        except (ValueError, MemoryError):
            self._broken()
        if not isinstance(response, dict) or not {"value", "error"} & set(response):
            self._broken()
        return response

    def _wait(self, fd, event, deadline):
        """Wait until `fd` is ready; look meanwhile whether the process is still there."""
        poll = select.poll()
        poll.register(fd, event)
        while True:
            gone = self.watchdog.verdict or self.process.poll() is not None
            if poll.poll(0 if gone else 200):
                return
            if gone:
                self._gone()
            if time.monotonic() > deadline:
                raise TimeoutError

    def _interrupt(self):
        with contextlib.suppress(OSError, TypeError):
            os.kill(self._kernel_pid, signal.SIGINT)

    def _gone(self):
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=2)
        self.end(f"Its process ended ({_how(self.process.returncode)}).")
        raise EOFError(self.reason)

    def _broken(self):
        self.end("It wrote to where only the grader's messages belong, and was stopped.")
        raise EOFError(self.reason)


def _become_subreaper():
    """Be the one to whom Linux gives the orphans of our descendants."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _last_in_row(pid):
    """The process that runs the notebook, at the end of a row of only children."""
    import psutil

    with contextlib.suppress(psutil.Error):
        while children := psutil.Process(pid).children():
            pid = children[0].pid
    return pid


def _how(code):
    if code is None:
        return "for an unknown reason"
    number = -code if code < 0 else code - 128
    if number > 0:
        with contextlib.suppress(ValueError):
            return f"by {signal.Signals(number).name}"
    return f"with exit code {code}"
