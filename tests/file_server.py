"""A web server of this machine that has one file, and may break off, forget ranges, or have another version."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    """Serves `content` as /log.zip. knows_ranges: whether it goes on in the middle; breaks_after: bytes, once; waits:
    whether it then keeps the connection, as a slow one does; asked: the ranges."""

    knows_ranges = True
    breaks_after: int | None = None
    waits = False
    etag = '"one"'

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = content
        self.asked: list[str | None] = []
        self.ended = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/log.zip"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        if self.path != "/log.zip":
            self.send_error(404)
            return
        is_same = self.headers.get("If-Range") in (None, self.server.etag)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and is_same else 0
        if start > len(self.server.content):
            self.send_error(416)
            return
        start = start if self.server.knows_ranges else 0
        body = self.server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", self.server.etag)
        self.end_headers()
        most, self.server.breaks_after = self.server.breaks_after, None
        self.wfile.write(body[:most])
        if most is not None and self.server.waits:
            self.server.ended.wait()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(content: bytes) -> Iterator[Server]:
    """A server that runs within the context."""
    with Server(content) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.ended.set()
            server.shutdown()
            thread.join()
