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

from workshop import _answers_wire as wire
from workshop._grading_limits import Watchdog, end_all

__all__ = ["StudentProcess", "environment", "hideable"]

MAX_MESSAGE = 64 * 1024**2
GRACE = 10
"""Seconds that code has to end after it was interrupted."""
PASSED_ON = (
    *("PATH", "LANG", "LANGUAGE", "TZ", "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "USER", "LOGNAME", "TERM"),
)
SECRET = (
    *(".ssh", ".aws", ".azure", ".config", ".docker", ".gnupg", ".huggingface"),
    *(".kaggle", ".kube", ".netrc", ".pypirc", ".git-credentials"),
)
SCRATCH = ("/tmp", "/var/tmp", "/dev/shm")
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
        Whether to use what `workshop._grading_sandbox` offers.

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
        settings = _settings(self.folder, fds) | {"memory": memory, "isolate": isolate}
        settings["hidden"] = [str(path) for path in _secrets() + list(hidden)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workshop._grading_sandbox"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            env=environment(self.folder),
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


def environment(folder):
    """Environment of a student's process: none of the instructor's secrets, all caches its own."""
    passed = {k: v for k, v in os.environ.items() if k in PASSED_ON or k.startswith("LC_")}
    caches = {
        name: str(folder / "home" / name.lower())
        for name in ("MPLCONFIGDIR", "KERAS_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
    }
    return (
        passed
        | caches
        | {
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "IPYTHONDIR": str(folder / "home" / "ipython"),
            "XDG_DATA_HOME": str(folder / "home" / "data"),
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_TARGET": str(folder / "home" / "pip"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "TF_NUM_INTRAOP_THREADS": "1",
            "TF_NUM_INTEROP_THREADS": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "",
            "WORKSHOP_GRADING": "1",
        }
    )


def hideable(path):
    """Whether Python and this course do without a folder."""
    package = Path(__file__).resolve().parent.parent
    needed = [sys.prefix, sys.base_prefix, sys.executable, package, tempfile.gettempdir()]
    needed += [entry for entry in sys.path if entry.endswith("-packages")]
    needed += [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    path = Path(path).resolve()
    return not any(
        one.is_relative_to(path) for name in needed for one in (Path(name), Path(name).resolve())
    )


def _settings(folder, fds):
    places = environment(folder)
    folders = [folder / "work", *(v for k, v in places.items() if k.endswith(("HOME", "DIR")))]
    fonts = _font_list()
    scratch = [place for place in SCRATCH if Path(place).is_dir() and _free(place, folder)]
    return {
        "fds": fds,
        "folder": str(folder),
        "work": str(folder / "work"),
        "folders": list(map(str, folders)),
        "scratch": scratch,
        "copies": [(str(f), str(Path(places["MPLCONFIGDIR"]) / f.name)) for f in fonts],
    }


def _free(place, folder):
    """Whether a folder of temporary files can be replaced by an empty one."""
    return hideable(place) or Path(folder).is_relative_to(Path(place).resolve())


def _secrets():
    home = Path.home()
    return [home] if hideable(home) else [home / name for name in SECRET if (home / name).exists()]


def _font_list():
    """Matplotlib's list of fonts, which takes seconds to make."""
    import matplotlib

    return sorted(Path(matplotlib.get_cachedir()).glob("fontlist-*.json"))


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
