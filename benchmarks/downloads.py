"""Is a downloaded file ever corrupt? ``python benchmarks/downloads.py``

In each trial, processes fetch files from a server on loopback that cuts connections at random
bytes, stalls, lies and is restarted, while they are killed with SIGKILL at random moments,
sometimes two of them side by side. After every round each file that is there under its own name
must be the right one, to the byte; at the end all must be there, and nothing else. It takes some
minutes; the tests run ten trials.
"""

import argparse
import contextlib
import hashlib
import multiprocessing
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tests.fault_server import LOGIN_PAGE, FaultServer, Reply, redirect
from workshop.datasets import download

N_FILES = 4
FAULTY_ROUNDS = 8
BAD = ("corrupt", "litter", "incomplete", "crashes")  # each must be 0
PAUSE = 0.002  # seconds between two pieces: time to be killed in


def fetch_all(remotes, folder):
    """What is killed: a process that fetches all files."""
    tqdm.set_lock(threading.RLock())  # by default a semaphore, which a kill would leak
    download.WAITS, download.TIMEOUT = (0.01,) * 4, (1, 0.2)
    with contextlib.suppress(download.DownloadError):  # the next round tries again
        for remote in remotes:
            download.fetch_file(remote, folder, progress=False)


def random_reply(rng, content, url):
    """A right answer or a fault; most are cuts."""
    cut = int(rng.integers(len(content)))
    other = rng.bytes(len(content))
    replies = [
        *[Reply()] * 4,
        *[Reply(cut=cut)] * 4,
        *[Reply(cut=cut, then="reset")] * 4,
        Reply(cut=cut, then="stall"),
        Reply(cut=cut, chunked=True),
        Reply(cut=cut, headers={"Content-Length": None}),
        Reply(cut=cut, body=other),
        Reply(body=other),
        Reply(body=content[:cut]),
        Reply(ranges=False),
        Reply(shift=1, confess=False),
        Reply(416),
        Reply(500),
        Reply(0),
        LOGIN_PAGE,
        redirect(url),
    ]
    return replace(replies[rng.integers(len(replies))], pause=PAUSE)


def restarted(server, rng):
    """The same server after a while in which nobody listened."""
    server.__exit__()
    time.sleep(rng.uniform(0, 0.03))
    again = FaultServer(server.folder, port=server.server_port)
    again.requests, again.plans, again.otherwise = server.requests, server.plans, server.otherwise
    return again.__enter__()


def ended(children, counts):
    """Wait for the processes; a kill is no crash."""
    for child in children:
        child.join()
        counts["crashes"] += child.exitcode not in (0, -signal.SIGKILL)


def faulty_round(server, children, contents, rng, counts):
    """Processes fetch from a faulty server and are killed; the server, perhaps another one."""
    for name, content in contents.items():
        server.script(name, *(random_reply(rng, content, server.url(name)) for _ in range(4)))
    for child in children:
        child.start()
    time.sleep(rng.uniform(0, 0.15))
    if rng.random() < 0.2:
        server = restarted(server, rng)
        counts["restarts"] += 1
    for child in children:
        if rng.random() < 0.8 and child.is_alive():
            child.kill()
            counts["kills"] += 1
    ended(children, counts)
    return server


def trial(seed, parent, context):
    """Counts of one trial."""
    rng, counts = np.random.default_rng(seed), Counter(trials=1)
    web, cache = parent / "web", parent / "cache"
    web.mkdir(parents=True)
    contents = {f"{i}.gz": rng.bytes(int(10 ** rng.uniform(3, 6))) for i in range(N_FILES)}
    for name, content in contents.items():
        (web / name).write_bytes(content)

    def found():
        there = {name: (cache / name).read_bytes() for name in contents if (cache / name).exists()}
        counts["corrupt"] += sum(content != contents[name] for name, content in there.items())
        return there

    server = FaultServer(web).__enter__()
    server.otherwise = Reply(pause=PAUSE)
    try:
        remotes = [
            download.RemoteFile(server.url(name), f"md5:{hashlib.md5(content).hexdigest()}")
            for name, content in contents.items()
        ]

        def processes(n):
            return [context.Process(target=fetch_all, args=(remotes, cache)) for _ in range(n)]

        for _ in range(FAULTY_ROUNDS):
            children = processes(1 + (rng.random() < 0.3))
            server = faulty_round(server, children, contents, rng, counts)
            if len(found()) == N_FILES:
                break
        server.plans.clear()
        (undisturbed,) = processes(1)
        undisturbed.start()
        ended([undisturbed], counts)
    finally:
        server.__exit__()
    counts["incomplete"] += len(found()) < N_FILES
    counts["litter"] += len({path.name for path in cache.iterdir()} - {*contents, ".lock"})
    counts["requests"] = len(server.requests)
    counts["cuts"] = sum(request.reply.cut is not None for request in server.requests)
    counts["bytes not asked for again"] = sum(
        request.start for request in server.requests if request.status == 206
    )
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    context = multiprocessing.get_context("forkserver")  # a child starts within milliseconds
    context.set_forkserver_preload(["workshop.datasets.download"])
    total, begin = Counter(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.trials):
            counts = trial([arguments.seed, number], Path(folder) / str(number), context)
            if any(counts[row] for row in BAD):
                print(f"trial {number}: {dict(counts)}")
            total += counts
    total["seconds"] = round(time.monotonic() - begin)
    rows = ("trials", "requests", "cuts", "kills", "restarts", "bytes not asked for again")
    for row in (*rows, *BAD, "seconds"):
        print(f"{row:26}{total[row]:>12,}")
    return int(any(total[row] for row in BAD))


if __name__ == "__main__":
    sys.exit(main())
