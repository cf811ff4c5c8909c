"""A real HTTP server that takes messages, and answers as the test says."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET_PATH = "/hook-t0ken-of-the-operator"
"""Part of the addresses of tests; it must be found in no log, record or message."""


@dataclass
class Taken:
    """A request that the server took. headers: by names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class WebhookServer:
    """A server of this process.

    answers: the status of each next answer; then 204. delay: seconds before each answer. location:
    where a redirect leads.
    """

    port: int = 0
    answers: list[int] = field(default_factory=list)
    delay: float = 0.0
    location: str = ""
    taken: list[Taken] = field(default_factory=list)

    @property
    def url(self) -> str:
        """An address of this server, with a secret."""
        return f"http://127.0.0.1:{self.port}{SECRET_PATH}"

    @property
    def place(self) -> str:
        """The host and port."""
        return f"127.0.0.1:{self.port}"

    def wait_for(self, count: int, timeout: float = 20) -> Sequence[Taken]:
        """All requests, as soon as there are so many."""
        deadline = time.monotonic() + timeout
        while len(self.taken) < count:
            assert time.monotonic() < deadline, f"{len(self.taken)} of {count} messages came"
            time.sleep(0.01)
        return self.taken


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients of these tests are killed, or do not wait."""


@contextmanager
def webhook_server() -> Iterator[WebhookServer]:
    """Run a server within this context."""
    known = WebhookServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = known.answers.pop(0) if known.answers else 204
            headers = {name.lower(): value for name, value in self.headers.items()}
            known.taken.append(Taken(self.path, headers, body))
            time.sleep(known.delay)
            self.send_response(status)
            if known.location:
                self.send_header("Location", known.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - http.server names it; a redirect would lead here

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Print nothing."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        known.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield known
        finally:
            server.shutdown()
            thread.join()
