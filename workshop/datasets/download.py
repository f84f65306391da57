"""Fetch a file whole or not at all, over a network that cuts, stalls and answers for others.

pooch compares checksums and renames at the end; it hands the transfer to `_Transfer`, which goes on
where a former try, or a former process, ended: what has come so far lies in ``NAME.part``.
"""

import contextlib
import errno
import os
import re
import shutil
import sys
import time
import warnings
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

WAITS = (1, 2, 4, 8)
"""Seconds before each further try; a try that brought new bytes starts them anew."""

TIMEOUT = (10, 30)
"""Seconds to connect, and seconds without a single byte after which a connection is given up."""

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class RemoteFile(NamedTuple):
    """A file in the web that cannot be mistaken for another.

    Examples
    --------
    >>> RemoteFile("https://example.org/a/chr9.fa.gz", "md5:184d").name
    'chr9.fa.gz'
    """

    url: str
    """Where it is."""
    hash: str
    """Its checksum and the algorithm: ``"md5:..."`` or ``"sha256:..."``, in hexadecimal."""

    @property
    def name(self):
        """Last part of the address: the file's name here."""
        return urlsplit(self.url).path.rsplit("/", 1)[-1]


class DownloadError(OSError):
    """A file could not be fetched; the message says why, and what to do."""


def fetch_file(remote, folder, *, download=True, progress=True):
    """Path of `remote` in `folder`, its checksum compared; fetched where it is not there yet.

    Killed at any moment, the same call goes on where it ended. Two processes that ask for one
    folder at once wait for each other.

    Parameters
    ----------
    remote : RemoteFile
    folder : path-like
        Holds files fetched by this function and nothing else; made where missing.
    download : bool
        Whether to fetch what is not there.
    progress : bool
        Show a bar on stdout.

    Returns
    -------
    Path

    Raises
    ------
    DownloadError
        If the file cannot be reached or written, or is another than expected.
    """
    folder = Path(folder)
    path = folder / remote.name
    try:
        if _is(remote, path):
            return path
        if not download:
            state = "is damaged" if path.is_file() else "is not on this computer yet"
            raise DownloadError(
                f"{remote.name} {state}, and nothing is downloaded unasked: `workshop data fetch` "
                "brings it, once."
            )
        folder.mkdir(parents=True, exist_ok=True)
        with _alone_in(folder, progress), _quiet_pooch():
            for litter in folder.glob("tmp????????"):  # of a process that was killed within pooch
                litter.unlink()
            if _is(remote, path):  # another process has brought it meanwhile
                return path
            path.unlink(missing_ok=True)  # damaged on the disk
            _retrieve(remote, path, progress)
    except DownloadError:
        raise
    except (OSError, NotImplementedError) as problem:  # the latter: locks, on some network disks
        reason = getattr(problem, "strerror", None) or problem
        raise DownloadError(
            f"{remote.name} cannot be kept in {folder}: {reason}. Name another "
            "folder: cache_dir=, or the environment variable WORKSHOP_CACHE."
        ) from problem
    return path


def load_pooch():
    """Import pooch, which takes a while, only where something is fetched."""
    with warnings.catch_warnings():
        # About a bar in a notebook that is not used here.
        warnings.filterwarnings("ignore", message="IProgress not found")
        import pooch
    return pooch


def _is(remote, path):
    if not path.is_file():
        return False
    algorithm, _, digest = remote.hash.partition(":")
    return load_pooch().file_hash(path, alg=algorithm) == digest.lower()


@contextlib.contextmanager
def _alone_in(folder, progress):
    lock = FileLock(folder / ".lock", mode=0o666)  # whoever may write there may lock
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if progress:
            print("Another process is fetching into the same folder; waiting for it.", flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _quiet_pooch():
    """Hush pooch, whose log on stderr a notebook shows in red."""
    logger = load_pooch().get_logger()
    level = logger.level
    logger.setLevel("WARNING")
    try:
        yield
    finally:
        logger.setLevel(level)


def _retrieve(remote, path, progress):
    transfer = _Transfer(path.with_name(f"{path.name}.part"), progress)
    for further in (True, False):
        try:
            load_pooch().retrieve(
                remote.url, remote.hash, fname=path.name, path=path.parent, downloader=transfer
            )
            return
        except ValueError as problem:  # the checksum; pooch has removed the file
            if not (transfer.resumed and further):
                came = f"{transfer.n_bytes:,} bytes" if transfer.n_bytes else "an empty file"
                raise DownloadError(
                    f"{remote.url} gave another file than the course expects: {remote.hash} was "
                    f"expected, {came} with another checksum came, and was thrown away. Try again "
                    "from another network. If it stays so, the file in the web was changed: get "
                    "the newest version of the course."
                ) from problem
            # It was put together from several tries: perhaps one of them was wrong. Once more.


class _Transfer:
    """A downloader for pooch that resumes."""

    def __init__(self, part, progress):
        self.part = part
        self.progress = progress
        self.resumed = False
        self.n_bytes = 0
        self.total = None  # bytes of the whole file, where the server said so

    def __call__(self, url, output_file, _pooch):
        self.resumed = self._size() > 0
        most, tries = self._size(), 0
        while True:
            try:
                self._receive(url)
                break
            except _Again as problem:
                if self._size() > most:
                    most, tries = self._size(), 0
                if tries >= (1 if problem.unreachable and not most else len(WAITS)):
                    raise DownloadError(self._gave_up(url, problem)) from problem
                time.sleep(max(WAITS[tries], problem.wait))
                tries += 1
        self.n_bytes = self._size()
        os.replace(self.part, output_file)

    def _size(self):
        return self.part.stat().st_size if self.part.is_file() else 0

    def _gave_up(self, url, problem):
        name, have = self.part.name.removesuffix(".part"), self._size()
        if problem.unreachable and not have:
            return (
                f"{name} could not be fetched, since {urlsplit(url).hostname} cannot be reached "
                f"({problem}): this computer seems to be offline. Connect it, then try again."
            )
        kept = (
            f" The {have:,} bytes that came are kept: the next try goes on there." if have else ""
        )
        return f"{name} could not be fetched from {url}: {problem}. Try again later.{kept}"

    def _receive(self, url):
        """One request: append what is missing to the part, or raise `_Again`."""
        import requests
        import urllib3

        have = self._size()
        # Never unzipped on the way: the checksum is that of the .gz.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        try:
            with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
                have = self._where_it_starts(response, have)
                if have is not None:
                    self._append(response, have)
        except requests.exceptions.ProxyError as problem:
            raise _Again(
                "the proxy that this network or the environment variable HTTPS_PROXY names does "
                "not let it through"
            ) from problem
        except requests.exceptions.SSLError as problem:
            raise _Again(
                "no secure connection could be made; perhaps a login page of the network stands "
                "between: open any page in a browser"
            ) from problem
        except (requests.ConnectionError, requests.Timeout) as problem:
            reason = _reason(problem)
            raise _Again(reason, unreachable=reason != "connection aborted") from problem
        except urllib3.exceptions.HTTPError as problem:
            raise _Again(f"the connection broke ({_reason(problem)})") from problem
        except requests.RequestException as problem:  # a wrong address, endless redirects
            raise DownloadError(f"{url} cannot be fetched: {problem}") from problem

    def _where_it_starts(self, response, have):
        """From which byte on `response` is; None where nothing is missing."""
        status = response.status_code
        asked = (response.history or [response])[0].url  # where it led to may hold a secret
        if status == 200 and "text/html" in response.headers.get("Content-Type", ""):
            raise DownloadError(
                f"{asked} gave a web page instead of the file: perhaps a login page of the "
                "network. Open any page in a browser, then try again."
            )
        self.total = None
        if status == 200:  # all of it, asked for or not
            return 0
        sent = re.fullmatch(
            r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", response.headers.get("Content-Range", "")
        )
        if status == 206 and sent and sent[1] == str(have):
            self.total = None if sent[2] == "*" else int(sent[2])
            return have
        if status == 416 and sent and sent[2] == str(have):
            return None
        if status in (206, 416):  # of another size, or another place: nothing to go on with
            self.part.unlink(missing_ok=True)
            raise _Again(f"the server sent bytes that do not fit the {have:,} that are there")
        said = f"{status} {response.reason}".strip()
        if status in (408, 425, 429) or status >= 500:
            wait = response.headers.get("Retry-After", "")
            raise _Again(
                f"the server answers {said}", wait=min(int(wait), 30) if wait.isdigit() else 0
            )
        why = {
            401: "Somebody asks for a password, perhaps the network: try another one.",
            403: "It is refused, perhaps by the network: try another one.",
            407: "The network's proxy asks for a password: see HTTPS_PROXY.",
        }.get(status, "The file may have moved: get the newest version of the course.")
        raise DownloadError(f"{asked} is not to be had: the answer is {said}. {why}")

    def _append(self, response, have):
        from tqdm import tqdm

        length = response.headers.get("Content-Length", "")
        coming = int(length) if length.isdigit() else None
        free = shutil.disk_usage(self.part.parent).free
        if coming is not None and coming > free:
            raise self._disk_full(f"{coming:,} bytes are to come, {free:,} are free")
        bar = tqdm(
            desc=self.part.name.removesuffix(".part"),
            total=None if coming is None else have + coming,
            initial=have,
            unit="B",
            unit_scale=True,
            file=sys.stdout,
            disable=not self.progress,
        )
        self.resumed |= have > 0
        came = 0
        try:
            with bar, open(self.part, "ab" if have else "wb") as file:
                # Small: what came of a chunk is lost where the connection breaks within it.
                for chunk in response.raw.stream(2**13, decode_content=False):
                    file.write(chunk)
                    came += len(chunk)
                    bar.update(len(chunk))
        except OSError as problem:
            if problem.errno in _DISK:
                raise self._disk_full(problem.strerror) from problem
            raise
        if coming is not None and came != coming:
            raise _Again(f"the connection broke after {came:,} of {coming:,} bytes")
        if self.total is not None and have + came < self.total:
            raise _Again(f"the server sent {have + came:,} of {self.total:,} bytes")

    def _disk_full(self, reason):
        return DownloadError(
            f"There is no room for {self.part.name.removesuffix('.part')} in {self.part.parent}: "
            f"{reason}. Make room, and the next try goes on where this one ended; or name a folder "
            "on another disk: cache_dir=, or the environment variable WORKSHOP_CACHE."
        )


class _Again(Exception):
    """A try failed in a way that another may not."""

    def __init__(self, reason, *, unreachable=False, wait=0):
        super().__init__(reason)
        self.unreachable = unreachable
        self.wait = wait


def _reason(problem):
    """What an error says to a person; its last part, since addresses stand before that."""
    said = str(problem).rpartition(": ")[2]
    for words in ("resolve", "aborted", "reset", "timed out", "refused", "unreachable"):
        if words in said:
            return {"resolve": "its name cannot be resolved"}.get(words, f"connection {words}")
    return type(problem).__name__
