"""`datasets.remote`: a file arrives whole or not at all, and one sentence says why not."""

import errno
import gc
import hashlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.fault_server import FaultServer
from workshop.datasets import DownloadError, RemoteFile, remote

NAME = "chr21.fa.gz"
DATA = np.random.default_rng(0).bytes(300_000)
OTHER = np.random.default_rng(1).bytes(300_000)

# pooch leaves a connection that broke to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def web(tmp_path, monkeypatch):
    """A server that has the file; no waits between tries."""
    monkeypatch.setattr("pooch.core.time.sleep", lambda _: None)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / NAME).write_bytes(DATA)
    with FaultServer(tmp_path / "web") as server:
        yield server
    gc.collect()


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def fetch(web, cache, *, download=True, progress=False, algorithm="md5"):
    digest = hashlib.new(algorithm, DATA).hexdigest()
    file = RemoteFile(f"{web.address}/{NAME}", f"{algorithm}:{digest}")
    (path,) = remote._fetch([file], cache, download=download, progress=progress)
    return Path(path)


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


PASSING = {
    "none": [],
    "503 three times": [503] * 3,
    "cut": [0.0, len(DATA) - 1.0],
    "another file": [OTHER],
}


@pytest.mark.parametrize("faults", PASSING.values(), ids=PASSING)
def test_what_passes_is_not_even_noticed(web, cache, faults, capfd):
    web.faults[NAME] = list(faults)
    assert fetch(web, cache) == cache / NAME
    assert files(cache) == {NAME: DATA}
    assert len(web.asked) == 1 + len(faults)
    assert capfd.readouterr() == ("", "")


STAYING = {
    "moved": (404, rf"{NAME} could not be fetched: http://.*/{NAME} answers 404 Not Found\. Try "),
    "cut": (9.0, r"127\.0\.0\.1 gave no full answer \(.*offline\? Connect"),
    "another file": (OTHER, r"gave another file than the course expects, md5:\w{32}, .*login page"),
}


@pytest.mark.parametrize(("fault", "message"), STAYING.values(), ids=STAYING)
def test_what_stays_is_said_in_one_line_and_leaves_nothing(web, cache, fault, message):
    web.faults[NAME] = [fault] * 4
    with pytest.raises(DownloadError, match=message) as caught:
        fetch(web, cache)
    assert NAME in str(caught.value)
    assert "\n" not in str(caught.value)
    assert files(cache) == {}
    fetch(web, cache)
    assert files(cache) == {NAME: DATA}


def test_offline(web, cache, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(DownloadError, match=f"{NAME} could not be .*offline\\? Connect and"):
        fetch(web, cache)


def test_a_file_that_is_there_needs_no_network(web, cache):
    fetch(web, cache)
    for options in ({}, {"download": False}, {"algorithm": "sha256"}):
        assert fetch(web, cache, **options) == cache / NAME
    assert web.asked == [NAME]


def test_a_damaged_file_is_fetched_again(web, cache):
    cache.mkdir()
    (cache / NAME).write_bytes(DATA[:-1])
    with pytest.raises(DownloadError, match=f"{NAME} is not on this computer yet, and nothing is"):
        fetch(web, cache, download=False)
    assert web.asked == []
    fetch(web, cache)
    assert files(cache) == {NAME: DATA}


def test_others_may_read_a_cache_that_is_shared(web, cache):
    assert fetch(web, cache).stat().st_mode & 0o777 == 0o644


def test_a_full_disk(web, cache, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pooch.HTTPDownloader.__call__", full)
    with pytest.raises(DownloadError, match=r"cannot be kept in .*: No space .* Make room"):
        fetch(web, cache)
    assert files(cache) == {}


def test_a_file_where_the_folder_should_be(web, cache):
    cache.write_bytes(b"mine")
    with pytest.raises(DownloadError, match=r"cannot be kept in .*cache: .* or name another"):
        fetch(web, cache)
    assert cache.read_bytes() == b"mine"


def test_a_bar_on_stdout(web, cache, capfd):
    web.faults[NAME] = [200_000.0]
    fetch(web, cache, progress=True)
    out, errors = capfd.readouterr()
    assert errors == ""
    assert f"{NAME}: 100%" in out.replace("\r", "\n").splitlines()[-1]


def test_importing_datasets_loads_nothing_that_downloads():
    code = "import sys, workshop.datasets; print(*{'pooch', 'requests', 'tqdm'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
