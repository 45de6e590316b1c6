"""A small hub on localhost: it answers as far as the client of the hub asks when it gets one file."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import huggingface_hub.utils

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SIGNED = "/signed"
"""Path that the hub sends to on another server."""


class Hub:
    """What the server has, and what it was asked.

    Attributes:
        cuts: bytes after which a connection ends, one for each that is to be cut.
        hold: what a connection that was cut waits for before it ends; None for nothing.
        cdn: another server that large files are asked of; empty for none.
        asked: method, Range and Authorization of each request.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.etag = hashlib.sha256(content).hexdigest()
        self.status = 200
        self.error_code = ""
        self.cuts: list[int] = []
        self.hold: threading.Event | None = None
        self.ranges = True
        self.cdn = ""
        self.asked: list[tuple[str, str, str]] = []
        self.url = ""

    @property
    def starts(self) -> list[int]:
        """Where each download began."""
        return [int(wanted[6:-1]) for method, wanted, _ in self.asked if method == "GET"]


class _Handler(BaseHTTPRequestHandler):
    """Resolves every file of every repository to the same content."""

    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        hub = self.hub
        if "/resolve/" not in self.path and self.path != SIGNED:
            self._head(404, {"Content-Length": "0"})  # the client asks for what it thinks useful besides
            return
        wanted = self.headers.get("Range", "")
        hub.asked.append((self.command, wanted, self.headers.get("Authorization", "")))
        if hub.status != 200:
            self._head(hub.status, {"X-Error-Code": hub.error_code, "Content-Length": "0"})
            return
        size = len(hub.content)
        named = {"X-Repo-Commit": COMMIT, "X-Linked-Etag": f'"{hub.etag}"', "X-Linked-Size": str(size)}
        if hub.cdn:
            self._head(302, {**named, "Location": hub.cdn + SIGNED, "Content-Length": "0"})
            return
        partly = bool(wanted) and hub.ranges
        start = int(wanted[6:-1]) if partly else 0
        body = hub.content[start:]
        spread = {"Content-Range": f"bytes {start}-{size - 1}/{size}"} if partly else {}
        self._head(206 if partly else 200, {**named, **spread, "Content-Length": str(len(body))})
        if self.command == "HEAD":
            return
        cut = bool(hub.cuts)
        try:
            self.wfile.write(body[: hub.cuts.pop(0)] if cut else body)
        except (BrokenPipeError, ConnectionResetError):
            cut = True  # who asked has gone
        if cut and hub.hold is not None:
            hub.hold.wait(60)
        self.close_connection |= cut

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def served(content: bytes) -> Iterator[Hub]:
    """A hub for as long as the context lasts."""
    hub = Hub(content)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = False  # so that a leftover one is found
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        huggingface_hub.utils.close_session()  # ends kept connections, and with them their threads
        server.shutdown()
        thread.join()
        server.server_close()
