"""A web server on loopback that fails on command."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class FaultServer(ThreadingHTTPServer):
    """Serve the files of `folder` until the context ends.

    ``faults[name]`` is a list of what comes instead, one a request: a status (int), another file
    (bytes), or the file cut off after so many bytes (float). `asked` are the names asked for.
    """

    daemon_threads = False  # closing waits for them: none outlives its test

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder, self.faults, self.asked = Path(folder), {}, []
        self.address = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.02,)).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.lstrip("/")
        self.server.asked.append(name)
        faults = self.server.faults.get(name)
        fault = faults.pop(0) if faults else None
        if isinstance(fault, int):
            self.send_error(fault)
            return
        body = fault if isinstance(fault, bytes) else (self.server.folder / name).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: int(fault)] if isinstance(fault, float) else body)

    def log_message(self, *_):
        pass
