"""An HTTP proxy that injects faults of networks and busy servers, at a seeded rate."""

import random
import socket
import struct
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_RESET = struct.pack("ii", 1, 0)
_BACKEND_TIMEOUT = 60.0


class Fault(Enum):
    """A fault of a request."""

    DROPPED = "the connection ends before the request is forwarded"
    LOST = "the request is forwarded, and its answer lost"
    ERROR = "500"
    SLOW_DOWN = "503"
    STALL = "the request is forwarded, and no answer comes in time"
    CUT = "half of the answer's body comes"


@dataclass(frozen=True)
class Canned:
    """An answer of the proxy itself; it forwards nothing."""

    status: int
    content: bytes = b""


Fate = Fault | Canned | None
"""The fault of a request, or None."""


@dataclass(frozen=True)
class Asked:
    """A request from a client.

    kind: `list` and `delete` are of many keys, `object` of one; `uploads` begins an upload or lists
    the open ones, `part` sends a part, `upload` completes or aborts it.
    """

    method: str
    kind: str
    key: str


class Proxy:
    """Forwards requests at `endpoint` to a backend, with the Host header that the client signed.

    rate: the fraction of requests with one of `faults`; may change at any time.
    withheld: headers, in lower case, that the proxy removes.
    stall: seconds before a stalled answer. asked: all requests, in order.
    """

    def __init__(self, backend: str, seed: int, stall: float) -> None:
        self.backend = urlsplit(backend).netloc
        self.stall = stall
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self.reset(seed)
        self._server = _Server(self)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def reset(self, seed: int) -> None:
        """Forget all faults and all requests."""
        self.rate = 0.0
        self.faults = tuple(Fault)
        self.withheld: frozenset[str] = frozenset()
        self.asked: list[Asked] = []
        self.out = False
        self._random = random.Random(seed)
        self._scripted: deque[Fate] = deque()

    def script(self, *fates: Fate) -> None:
        """Set the faults of the next requests in order, whatever the rate."""
        with self._lock:
            self._scripted.extend(fates)

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Drop every connection within this context."""
        self.out = True
        try:
            yield
        finally:
            self.out = False

    def counts(self) -> Counter[tuple[str, str]]:
        """The number of requests by method and kind."""
        with self._lock:
            return Counter((asked.method, asked.kind) for asked in self.asked)

    def take(self, asked: Asked) -> Fate:
        """Record a request, and choose its fault."""
        with self._lock:
            self.asked.append(asked)
            if self._scripted:
                return self._scripted.popleft()
            return self._random.choice(self.faults) if self._random.random() < self.rate else None

    @contextmanager
    def running(self) -> Iterator["Proxy"]:
        """Serve in threads within this context."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self.closing.set()
            self._server.shutdown()
            thread.join()
            self._server.close_all()


def canned_error(status: int, code: str) -> Canned:
    """An S3 server's answer to a request that fails."""
    return Canned(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())


_ANSWERS = {
    Fault.ERROR: canned_error(500, "InternalError"),
    Fault.SLOW_DOWN: canned_error(503, "SlowDown"),
}


@contextmanager
def faulty_proxy(backend: str, seed: int = 0, stall: float = 5.0) -> Iterator[Proxy]:
    """A proxy for the backend at this URL, at first without faults."""
    with Proxy(backend, seed, stall).running() as proxy:
        yield proxy


def asked(method: str, target: str) -> Asked:
    """Parse a request to an S3 server at a path `/BUCKET/KEY`."""
    parts = urlsplit(target)
    key = unquote(parts.path).strip("/").partition("/")[2]
    query = parse_qs(parts.query, keep_blank_values=True)
    kinds = {"delete": "delete", "uploads": "uploads", "partNumber": "part", "uploadId": "upload"}
    kind = next((kinds[word] for word in kinds if word in query), "object" if key else "list")
    return Asked(method, kind, key)


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = False

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect."""

    def close_all(self) -> None:
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if proxy.out:
            self._drop()
            return
        fate = proxy.take(asked(self.command, self.path))
        if fate is Fault.DROPPED:
            self._drop()
        elif isinstance(fate, Canned):
            self._answer(fate)
        elif fate in _ANSWERS:
            self._answer(_ANSWERS[fate])
        else:
            self._forward(body, fate)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - http.server's names

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def _forward(self, body: bytes, fault: Fault | None) -> None:
        proxy = self.server.proxy
        backend = HTTPConnection(proxy.backend, timeout=_BACKEND_TIMEOUT)
        try:
            backend.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                # The proxy has already answered `Expect: 100-continue`.
                if name.lower() not in {"connection", "expect", *proxy.withheld}:
                    backend.putheader(name, value)
            backend.endheaders(body)
            answer = backend.getresponse()
            content = answer.read()
        finally:
            backend.close()
        if fault is Fault.STALL:
            proxy.closing.wait(proxy.stall)
        if proxy.out or fault in {Fault.LOST, Fault.STALL}:
            self._drop()
            return
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in {"connection", "content-length", "transfer-encoding"}:
                self.send_header(name, value)
        whole = answer.getheader("Content-Length") if self.command == "HEAD" else len(content)
        self.send_header("Content-Length", str(whole or 0))
        self.end_headers()
        if fault is Fault.CUT:
            self.wfile.write(content[: len(content) // 2])
            self._drop()
            return
        self.wfile.write(content)

    def _answer(self, answer: Canned) -> None:
        content = b"" if self.command == "HEAD" else answer.content
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _drop(self) -> None:
        """Reset the connection, as a crash does."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.connection.close()
