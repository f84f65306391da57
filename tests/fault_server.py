"""A web server on loopback that fails as the world does, on command.

>>> with FaultServer(folder) as server:  # doctest: +SKIP
...     server.script("a.gz", Reply(503), Reply(cut=1000))  # then as it should be
...     requests.get(server.url("a.gz"))
...     server.requests  # what was asked for, and how much was sent
"""

import contextlib
import hashlib
import itertools
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST, not FIN
PAGE = b"<!DOCTYPE html><html><title>Welcome to our WiFi</title>Please log in.</html>"


@dataclass(frozen=True)
class Reply:
    """How one request is answered; as it stands, with the file or the range asked for."""

    status: int | None = None  # if any, a short page with it instead of the file; 0: no answer
    headers: dict[str, str | None] = field(default_factory=dict)  # added; None: left out
    body: bytes | None = None  # what is served as if it were the file
    ranges: bool = True  # heed `Range`
    shift: int = 0  # a range begins so many bytes beside the one asked for
    confess: bool = True  # and `Content-Range` says so
    ends: int | None = None  # a range ends there at the latest
    chunked: bool = False  # no `Content-Length`
    cut: int | None = None  # stop after so many bytes
    then: str = "close"  # and "close" or "reset" the connection, or "stall" until `server.go_on`
    piece: int = 1 << 14  # bytes written at once
    pause: float = 0  # seconds between two pieces


LOGIN_PAGE = Reply(body=PAGE, ranges=False, headers={"Content-Type": "text/html", "ETag": None})


def redirect(location, status=302):
    """A reply that sends the client to `location`."""
    return Reply(status, headers={"Location": location})


@dataclass
class Request:
    """What a client asked for, and how many bytes of a body it was sent."""

    name: str
    range: str | None
    reply: Reply
    status: int = 0
    sent: int = 0

    @property
    def start(self):
        """First byte of the range that was asked for."""
        return int(self.range.removeprefix("bytes=").split("-")[0]) if self.range else 0


class FaultServer(ThreadingHTTPServer):
    """Serves the files of `folder` on a free port (or on `port`) until the context ends."""

    daemon_threads = False  # closing waits for them: none outlives its test

    def __init__(self, folder, *, port=0):
        super().__init__(("127.0.0.1", port), _Handler)
        self.folder = Path(folder)
        self.requests: list[Request] = []
        self.go_on = threading.Event()
        self.plans: dict[str, Iterator[Reply]] = {}
        self.otherwise = Reply()
        self._connections = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.go_on.set()
        self.shutdown()
        self._thread.join()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def url(self, name):
        """Where `name` is served."""
        return f"http://127.0.0.1:{self.server_port}/{name}"

    def script(self, name, *replies):
        """Answer the next requests for `name` by `replies`, one each; later ones by `otherwise`."""
        self.plans[name] = iter(replies)

    def always(self, name, reply):
        """Answer every request for `name` by `reply`."""
        self.plans[name] = itertools.repeat(reply)

    def sent(self):
        """Bytes of all bodies so far."""
        return sum(request.sent for request in self.requests)

    def next_reply(self, name):
        with self._lock:
            return next(self.plans.get(name, iter(())), self.otherwise)

    def process_request(self, request, client_address):
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        super().shutdown_request(request)
        self._connections.discard(request)

    def handle_error(self, request, client_address):
        with contextlib.suppress(ConnectionError):  # a client that left is no error
            raise


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        name = unquote(self.path).lstrip("/")
        reply = self.server.next_reply(name)
        request = Request(name, self.headers["Range"], reply)
        self.server.requests.append(request)
        file = self.server.folder / name
        if reply.status == 0:
            self.close_connection = True
            return
        if reply.status is not None:
            request.status, headers, body = reply.status, {}, b"no"
        elif reply.body is None and not file.is_file():
            request.status, headers, body = 404, {}, b"not here"
        else:
            content = file.read_bytes() if reply.body is None else reply.body
            request.status, headers, body = self.part_of(content, reply)
        if reply.chunked:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = str(len(body))
        self.send_response(request.status)
        for key, value in (headers | reply.headers).items():
            if value is not None:
                self.send_header(key, value)
        self.end_headers()
        self.send_body(body, reply, request)

    def part_of(self, content, reply):
        """Status, headers and body: all of `content`, or the range that is asked for."""
        headers = {
            "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream",
            "ETag": f'"{hashlib.md5(content).hexdigest()}"',
        }
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers["Range"] or "")
        if self.headers.get("If-Range", headers["ETag"]) != headers["ETag"]:
            asked = None  # another version: all of it
        if not asked or not reply.ranges:
            return 200, headers, content
        start, end = int(asked[1]), min(int(asked[2] or len(content)) + 1, len(content))
        if start >= len(content):
            return 416, {"Content-Range": f"bytes */{len(content)}"}, b""
        body = content[start + reply.shift : min(end, reply.ends or end)]
        first = start + reply.shift * reply.confess
        headers["Content-Range"] = f"bytes {first}-{first + len(body) - 1}/{len(content)}"
        return 206, headers, body

    def send_body(self, body, reply, request):
        until = len(body) if reply.cut is None else reply.cut
        self.send_pieces(body[:until], reply, request)
        if reply.cut is not None and reply.then == "stall":
            self.server.go_on.wait()
            self.send_pieces(body[until:], reply, request)
        elif reply.cut is not None:
            self.close_connection = True
            if reply.then == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                socket.close(self.connection.detach())
            return
        if reply.chunked:
            self.wfile.write(b"0\r\n\r\n")
        if "Content-Length" in reply.headers:  # left out or wrong: only closing ends the body
            self.close_connection = True

    def send_pieces(self, body, reply, request):
        for start in range(0, len(body), reply.piece):
            piece = body[start : start + reply.piece]
            request.sent += len(piece)  # before the client can see it
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if reply.chunked else piece)
            if reply.pause:
                time.sleep(reply.pause)

    def log_message(self, *_):
        pass
