"""`workshop.datasets.download`: a file arrives whole or not at all, whatever the network does.

`fault_server` plays the network.
"""

import hashlib
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.fault_server import LOGIN_PAGE, FaultServer, Reply, redirect
from workshop.datasets import download
from workshop.datasets.download import DownloadError, RemoteFile, fetch_file

ROOT = Path(__file__).resolve().parent.parent
NAME = "chr21.fa.gz"
DATA = np.random.default_rng(0).bytes(1_000_000)
OLD = np.random.default_rng(1).bytes(1_000_000)
CUT = 600_000
LOST = 1 << 14  # what came of a chunk that was never whole is not on disk


@pytest.fixture
def web(tmp_path, monkeypatch):
    """A server that has the file; no waits between tries."""
    monkeypatch.setattr(download, "WAITS", (0, 0, 0, 0))
    monkeypatch.setattr(download, "TIMEOUT", (5, 5))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / NAME).write_bytes(DATA)
    with FaultServer(tmp_path / "web") as server:
        yield server


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def remote(web, *, name=NAME):
    return RemoteFile(web.url(name), f"md5:{hashlib.md5(DATA).hexdigest()}")


def files(folder):
    """All that lies in the cache, the lock aside."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


def fetch(web, cache):
    return fetch_file(remote(web), cache, progress=False)


def failure(web, cache):
    """The message of the error; the file is not there."""
    with pytest.raises(DownloadError) as caught:
        fetch(web, cache)
    message = str(caught.value)
    assert NAME in message
    assert "\n" not in message
    assert not (cache / NAME).exists()
    return message


# Faults that pass


PASSING = {
    "none": [],
    "500 once": [Reply(500)],
    "500 four times": [Reply(500)] * 4,
    "429 with a wait": [Reply(429, headers={"Retry-After": "0"})],
    "503 until a date": [Reply(503, headers={"Retry-After": "Fri, 07 Nov 2036 23:59:59 GMT"})],
    "cut": [Reply(cut=CUT)],
    "cut before the first byte": [Reply(cut=0)],
    "cut before the last byte": [Reply(cut=len(DATA) - 1)],
    "cut at each 20 kB": [Reply(cut=20_000)] * 40,
    "cut without an answer": [Reply(0)] * 4,
    "reset": [Reply(cut=CUT, then="reset")],
    "cut, then 500": [Reply(cut=CUT), Reply(500)],
    "cut and chunked": [Reply(cut=CUT, chunked=True)],
    "chunked": [Reply(chunked=True)],
    "the end of the connection ends the file": [Reply(headers={"Content-Length": None})],
    "cut, then ranges ignored": [Reply(cut=CUT), Reply(ranges=False)],
    "cut, then 416": [Reply(cut=CUT), Reply(416)],
    "cut, then another range": [Reply(cut=CUT), Reply(shift=-1000)],
    "cut, then another range under a wrong name": [Reply(cut=CUT), Reply(shift=7, confess=False)],
    "cut, then an unreadable range": [Reply(cut=CUT), Reply(headers={"Content-Range": "bytes ?"})],
    "cut, then another file": [Reply(cut=CUT, body=OLD)],
    "another, longer file": [Reply(cut=len(DATA) + 9, body=OLD + OLD)],
    "trickle": [Reply(pause=0.001, piece=5000)],
    "redirects": [redirect("/a", 301), redirect("/" + NAME, 307)],
}


@pytest.mark.parametrize("replies", PASSING.values(), ids=PASSING)
def test_what_passes_is_not_even_noticed(web, cache, replies):
    web.script(NAME, *replies)
    web.script("a", redirect("/" + NAME, 302))
    assert fetch(web, cache) == cache / NAME
    assert files(cache) == {NAME: DATA}


def test_a_stalled_connection_is_given_up_and_the_file_finished(web, cache, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", (5, 0.5))
    web.script(NAME, Reply(cut=CUT, then="stall"), Reply(cut=0, then="stall"))
    fetch(web, cache)
    assert files(cache) == {NAME: DATA}


def test_what_little_came_before_each_stall_is_kept(web, cache, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", (5, 0.2))
    web.script(NAME, *[Reply(cut=20_000, then="stall")] * 6)
    fetch(web, cache)
    assert files(cache) == {NAME: DATA}


def test_a_range_that_was_not_asked_for_is_not_taken(web, cache):
    web.script(NAME, Reply(cut=CUT), Reply(shift=-1000, cut=0))
    fetch(web, cache)
    assert files(cache) == {NAME: DATA}
    assert [bool(request.range) for request in web.requests] == [False, True, False]


def test_a_gz_that_is_called_gzip_encoded_stays_packed(web, cache):
    web.always(NAME, Reply(headers={"Content-Encoding": "gzip"}))
    fetch(web, cache)
    assert files(cache) == {NAME: DATA}


def test_a_mirror_on_another_port(web, cache, tmp_path):
    with FaultServer(tmp_path / "web") as mirror:
        web.always(NAME, redirect(mirror.url(NAME)))
        mirror.script(NAME, Reply(cut=CUT))
        fetch(web, cache)
        assert files(cache) == {NAME: DATA}
        assert [bool(request.start) for request in mirror.requests] == [False, True]


def test_a_server_that_sends_only_a_part_of_the_range(web, cache):
    web.script(NAME, Reply(cut=CUT), Reply(ends=CUT + 1000))
    fetch(web, cache)
    assert files(cache) == {NAME: DATA}
    assert [request.start for request in web.requests][1:] == [CUT, CUT + 1000]


# Faults that stay


STAYING = {
    "404": (
        Reply(404),
        r"not to be had: the answer is 404 Not Found\. The file may have moved: get the newest",
    ),
    "403": (Reply(403), r"is 403 Forbidden\. It is refused, perhaps by the network: try another"),
    "401": (Reply(401), "Somebody asks for a password, perhaps the network"),
    "407": (Reply(407), "The network's proxy asks for a password: see HTTPS_PROXY"),
    "a status of its own": (Reply(499), r"the answer is 499\."),
    "500": (Reply(500), r"the server answers 500 Internal Server Error. Try again later\."),
    "503": (Reply(503), r"the server answers 503 Service Unavailable. Try again later\."),
    "wrong bytes": (Reply(body=OLD), "was expected, 1,000,000 bytes with another checksum came"),
    "cut short": (Reply(body=DATA[:-9]), "was expected, 999,991 bytes with another checksum came"),
    "nothing": (Reply(body=b""), "an empty file with another checksum came"),
    "login page": (LOGIN_PAGE, "web page instead of the file: perhaps a login page of the network"),
    "redirected in a circle": (redirect("/" + NAME), "Exceeded 30 redirects"),
    "redirected to nowhere": (redirect("http://127.0.0.1:1/"), "refused"),
    "redirected to the disk": (redirect("file:///etc/hostname"), "No connection adapters"),
    "reset": (Reply(cut=0, then="reset"), "connection (aborted|reset).* Try again later"),
    "no answer": (Reply(0), r"connection aborted. Try again later\."),
}


@pytest.mark.parametrize(("reply", "message"), STAYING.values(), ids=STAYING)
def test_what_stays_is_said_in_a_sentence_and_leaves_nothing(web, cache, reply, message):
    web.always(NAME, reply)
    assert re.search(message, failure(web, cache))
    assert not any(files(cache).values())
    web.plans.clear()
    fetch(web, cache)
    assert files(cache) == {NAME: DATA}


def test_the_message_of_a_wrong_file_names_both(web, cache):
    web.always(NAME, Reply(body=OLD))
    assert f"md5:{hashlib.md5(DATA).hexdigest()} was expected" in failure(web, cache)


def test_a_server_that_fails_and_then_is_gone(web, cache):
    web.script(NAME, *[Reply(500)] * 4, redirect("http://127.0.0.1:1/"))
    assert "connection refused" in failure(web, cache)


def test_a_server_that_always_goes_on_with_another_file(web, cache):
    web.plans[NAME] = cycle([Reply(cut=CUT), Reply(body=OLD)])
    assert "another checksum came" in failure(web, cache)
    assert len(web.requests) == 4
    assert files(cache) == {}


def test_a_server_that_speaks_no_tls(web, cache):
    url = web.url(NAME).replace("http:", "https:")
    with pytest.raises(DownloadError, match=r"no secure connection could be made; perhaps a login"):
        fetch_file(RemoteFile(url, "md5:0"), cache, progress=False)


def test_a_proxy_that_is_not_there_is_named(web, cache, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(
        DownloadError, match=r"the proxy .*HTTPS_PROXY names does not let it through"
    ):
        fetch_file(RemoteFile("http://example.org/a.gz", remote(web).hash), cache)


def test_where_a_redirect_led_to_stays_secret(web, cache):
    web.always(NAME, redirect("/elsewhere?token=secret"))
    web.always("elsewhere", Reply(403))
    assert "secret" not in failure(web, cache)


def test_how_long_it_waits_between_tries(web, cache, monkeypatch):
    waits = []
    monkeypatch.setattr(download, "WAITS", (1, 2, 4, 8))
    monkeypatch.setattr(download, "time", SimpleNamespace(sleep=waits.append))
    web.script(NAME, *[Reply(503)] * 2, Reply(503, headers={"Retry-After": "20"}), Reply(cut=CUT))
    fetch(web, cache)
    assert waits == [1, 2, 20, 1]  # what came anew begins the waits anew
    web.always(NAME, Reply(503, headers={"Retry-After": "86400"}))
    (cache / NAME).unlink()
    failure(web, cache)
    assert max(waits) < 60


# Offline


def test_offline_it_says_so_soon(web, cache, monkeypatch):
    waits = []
    monkeypatch.setattr(download, "time", SimpleNamespace(sleep=waits.append))

    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    message = failure(web, cache)
    assert re.search("its name cannot be resolved.*seems to be offline. Connect it, then", message)
    assert len(waits) < 2


def test_a_closed_port(tmp_path, web, cache):
    with FaultServer(tmp_path) as gone:
        pass
    assert re.search(r"127.0.0.1 cannot be reached \(connection refused\)", failure(gone, cache))


def test_a_server_that_never_answers(web, cache, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", (0.1, 0.1))
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/{NAME}"
        with pytest.raises(DownloadError, match=rf"{NAME} .*connection timed out"):
            fetch_file(RemoteFile(url, "md5:0"), cache, progress=False)


def test_offline_in_the_middle_keeps_what_came(web, cache):
    web.script(NAME, Reply(cut=CUT), *[Reply(cut=0, then="reset")] * 9)
    kept = len((cache / f"{NAME}.part").read_bytes()) if failure(web, cache) else 0
    assert CUT - LOST <= kept <= CUT
    assert (cache / f"{NAME}.part").read_bytes() == DATA[:kept]


# Going on


def broken_off(web, cache):
    """A first call that ends in the middle; how much is kept."""
    web.script(NAME, Reply(cut=CUT), *[Reply(500)] * 9)
    message = failure(web, cache)
    (part,) = files(cache).values()
    assert part == DATA[: len(part)]
    assert f"The {len(part):,} bytes that came are kept: the next try goes on there" in message
    web.plans.clear()
    web.requests.clear()
    return len(part)


def test_a_second_call_asks_only_for_the_rest(web, cache):
    kept = broken_off(web, cache)
    assert CUT - LOST <= kept <= CUT
    fetch(web, cache)
    assert files(cache) == {NAME: DATA}
    assert [request.range for request in web.requests] == [f"bytes={kept}-"]
    assert web.sent() == len(DATA) - kept


def test_so_does_a_second_try(web, cache):
    web.script(NAME, Reply(cut=CUT))
    fetch(web, cache)
    first, second = web.requests
    assert first.range is None
    assert CUT - LOST <= second.start <= CUT
    assert web.sent() == CUT + len(DATA) - second.start


def test_a_server_without_ranges_gives_it_whole(web, cache):
    broken_off(web, cache)
    web.always(NAME, Reply(ranges=False))
    fetch(web, cache)
    assert files(cache) == {NAME: DATA}
    assert web.sent() == len(DATA)


PARTS = {
    "whole": (DATA, 0),
    "too large": (DATA + b"x", len(DATA)),
    "of another file": (OLD[:5000], len(DATA)),
    "of another file as long": (OLD, len(DATA)),
    "one wrong byte": (bytes([DATA[0] ^ 1]) + DATA[1:5000], len(DATA)),
    "empty": (b"", len(DATA)),
}


@pytest.mark.parametrize(("part", "sent"), PARTS.values(), ids=PARTS)
def test_a_part_is_good_or_thrown_away(web, cache, part, sent):
    cache.mkdir()
    (cache / f"{NAME}.part").write_bytes(part)
    fetch(web, cache)
    assert files(cache) == {NAME: DATA}
    assert web.requests[-1].sent == sent


def test_a_login_page_does_not_cost_what_came_before(web, cache):
    kept = broken_off(web, cache)
    web.script(NAME, LOGIN_PAGE)
    assert "login page" in failure(web, cache)
    assert files(cache) == {f"{NAME}.part": DATA[:kept]}


# What is there already


def test_a_file_that_is_there_needs_no_network(web, cache):
    fetch(web, cache)
    web.requests.clear()
    assert fetch(web, cache) == cache / NAME
    assert fetch_file(remote(web), cache, download=False) == cache / NAME
    assert web.requests == []


@pytest.mark.parametrize("damage", [OLD, DATA[:-1], DATA + b"x", b""], ids=["1", "2", "3", "4"])
def test_a_damaged_file_is_fetched_again(web, cache, damage):
    cache.mkdir()
    (cache / NAME).write_bytes(damage)
    with pytest.raises(DownloadError, match=rf"{NAME} is damaged, and nothing is downloaded"):
        fetch_file(remote(web), cache, download=False)
    fetch(web, cache)
    assert files(cache) == {NAME: DATA}


def test_a_damaged_file_does_not_outlive_a_try_that_fails(web, cache):
    cache.mkdir()
    (cache / NAME).write_bytes(DATA[:-1])
    web.always(NAME, Reply(404))
    with pytest.raises(DownloadError, match="404"):
        fetch(web, cache)
    assert files(cache) == {}


def test_nothing_is_fetched_unasked(web, cache):
    with pytest.raises(DownloadError, match=rf"{NAME} is not .* `workshop data fetch` brings it"):
        fetch_file(remote(web), cache, download=False)
    assert web.requests == []
    assert not cache.exists()


def test_sha256_and_capital_letters(web, cache):
    one = RemoteFile(web.url(NAME), f"sha256:{hashlib.sha256(DATA).hexdigest().upper()}")
    assert fetch_file(one, cache, progress=False).read_bytes() == DATA
    assert fetch_file(one, cache, download=False) == cache / NAME


def test_the_name_is_the_end_of_the_path(web, cache):
    one = remote(web, name=f"{NAME}?version=3#a/b")
    assert one.name == NAME


# The disk


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 512 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_is_too_small_is_told_before_anything_comes(web, small_disk):
    message = failure(web, small_disk)
    assert re.search(r"disk: 1,000,000 bytes are to come, 524,288 are free. Make room,", message)
    assert files(small_disk) == {}


def test_a_disk_that_fills_up_and_is_then_given_room(web, small_disk):
    web.always(NAME, Reply(chunked=True))  # so that the size is not known before
    message = failure(web, small_disk)
    assert re.search(r"no room for .* in .*disk: No space left .* WORKSHOP_CACHE", message)
    kept = len(files(small_disk)[f"{NAME}.part"])
    assert kept > 400_000
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    fetch(web, small_disk)
    assert files(small_disk) == {NAME: DATA}
    assert web.requests[-1].start == kept


def test_a_limit_on_the_size_of_files(web, cache):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        message = failure(web, cache)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "File too large" in message
    assert files(cache) == {f"{NAME}.part": DATA[:300_000]}
    fetch(web, cache)
    assert files(cache) == {NAME: DATA}


@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_a_folder_that_may_not_be_written(web, mode):
    with tempfile.TemporaryDirectory() as parent:  # tmp_path is closed to all but root
        cache = Path(parent) / "cache"
        cache.mkdir(mode=mode)
        Path(parent).chmod(0o755)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)  # root may write anywhere
        try:
            with pytest.raises(
                DownloadError, match=rf"{NAME} .*Permission denied.* WORKSHOP_CACHE"
            ):
                fetch(web, cache)
        finally:
            os.seteuid(user)


def test_a_file_where_the_folder_should_be(web, cache):
    cache.write_bytes(b"mine")
    with pytest.raises(DownloadError, match=rf"{NAME} cannot be kept in .*cache: .*Name another"):
        fetch(web, cache)
    assert cache.read_bytes() == b"mine"


@pytest.mark.parametrize("name", [NAME, f"{NAME}.part"])
def test_a_folder_where_the_file_should_be(web, cache, name):
    (cache / name).mkdir(parents=True)
    with pytest.raises(DownloadError, match=rf"{NAME} cannot be kept in .*cache: .*Name another"):
        fetch(web, cache)


# Two at once, kills


CHILD = """
import signal, sys
from workshop.datasets import download
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in background
download.WAITS, download.TIMEOUT = (0, 0, 0, 0), (5, 60)
url, hash, folder = sys.argv[1:]
download.fetch_file(download.RemoteFile(url, hash), folder)
"""


def start(web, cache):
    words = [sys.executable, "-c", CHILD, *remote(web), str(cache)]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def stopped_in_the_middle(web, cache):
    """A process that has got more than half of the file and waits for the rest."""
    web.script(NAME, Reply(cut=CUT, then="stall"))
    process = start(web, cache)
    part = cache / f"{NAME}.part"
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size >= CUT - LOST):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    return process


def test_two_processes_at_once_fetch_it_once(web, cache):
    one = stopped_in_the_middle(web, cache)
    two = start(web, cache)
    assert two.stdout.readline().startswith(b"Another process is fetching into the same folder")
    web.go_on.set()
    for process in (one, two):
        assert process.communicate()[1] == b""
        assert process.returncode == 0
    assert files(cache) == {NAME: DATA}
    assert [request.sent for request in web.requests] == [len(DATA)]


def test_so_do_threads(web, cache):
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda _: fetch(web, cache), range(8)))
    assert paths == [cache / NAME] * 8
    assert web.sent() == len(DATA)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_process_ended_in_the_middle_is_taken_over(web, cache, how):
    process = stopped_in_the_middle(web, cache)
    process.send_signal(how)
    errors = process.communicate()[1].decode()
    assert process.returncode == -how
    assert ("KeyboardInterrupt" in errors) == (how == signal.SIGINT)
    kept = files(cache)[f"{NAME}.part"]
    assert kept == DATA[: len(kept)]
    fetch(web, cache)
    assert files(cache) == {NAME: DATA}
    assert web.requests[-1].start == len(kept) >= CUT - LOST


def test_one_who_waits_takes_over_from_one_who_is_killed(web, cache):
    one = stopped_in_the_middle(web, cache)
    two = start(web, cache)
    assert two.stdout.readline().startswith(b"Another process")
    one.kill()
    one.communicate()
    assert two.communicate()[1] == b""
    assert files(cache) == {NAME: DATA}
    assert web.requests[-1].start >= CUT - LOST


def test_what_a_kill_leaves_of_pooch_is_swept_up(web, cache):
    cache.mkdir()
    (cache / "tmpabcdefgh").write_bytes(DATA[:500])
    fetch(web, cache)
    assert files(cache) == {NAME: DATA}


# What is shown


def test_progress_is_shown_on_stdout_or_not_at_all(web, cache, capfd):
    fetch(web, cache)
    assert capfd.readouterr() == ("", "")
    (cache / NAME).unlink()
    web.script(NAME, Reply(cut=CUT))
    fetch_file(remote(web), cache)
    out, errors = capfd.readouterr()
    assert errors == ""
    assert re.search(rf"{NAME}: 100%", out)


@pytest.mark.slow
def test_no_file_is_corrupt_after_random_faults_and_kills():
    words = [sys.executable, ROOT / "benchmarks" / "downloads.py", "--trials", "10"]
    ran = subprocess.run(words, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"corrupt\s+0\b", ran.stdout)
