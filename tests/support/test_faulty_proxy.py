"""The faulty proxy injects the faults that a test asks for."""

from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.faulty_proxy import Asked, Canned, Fault, Proxy, asked, faulty_proxy

TIMEOUT = 0.3


class Backend(ThreadingHTTPServer):
    """Echoes each request, and records it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Echo)
        self.got: list[tuple[str, str]] = []


class _Echo(BaseHTTPRequestHandler):
    server: Backend

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.headers["Host"], self.path))
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture
def backend() -> Iterator[Backend]:
    with Backend() as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(backend: Backend) -> Iterator[Proxy]:
    with faulty_proxy(f"http://127.0.0.1:{backend.server_port}", stall=4 * TIMEOUT) as proxy:
        yield proxy


def put(proxy: Proxy) -> tuple[int, bytes]:
    """Send a PUT through the proxy, with the Host header `cloud`."""
    connection = HTTPConnection(urlsplit(proxy.endpoint).netloc, timeout=TIMEOUT)
    try:
        connection.request("PUT", "/b/k", b"0123456789", {"Host": "cloud"})
        answer: HTTPResponse = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_without_a_fault_it_changes_nothing(backend: Backend, proxy: Proxy) -> None:
    assert put(proxy) == (200, b"0123456789")
    assert backend.got == [("cloud", "/b/k")]


@pytest.mark.parametrize(
    ("fault", "forwarded"),
    [(Fault.DROPPED, 0), (Fault.LOST, 1), (Fault.STALL, 1), (Fault.CUT, 1)],
)
def test_a_fault_leaves_no_answer(
    backend: Backend, proxy: Proxy, fault: Fault, forwarded: int
) -> None:
    proxy.script(fault)
    with pytest.raises((OSError, HTTPException)):
        put(proxy)
    assert len(backend.got) == forwarded
    assert put(proxy) == (200, b"0123456789")


@pytest.mark.parametrize(
    ("fate", "status"), [(Fault.ERROR, 500), (Fault.SLOW_DOWN, 503), (Canned(409), 409)]
)
def test_a_fault_answers_for_the_backend(
    backend: Backend, proxy: Proxy, fate: Fault | Canned, status: int
) -> None:
    proxy.script(fate)
    assert put(proxy)[0] == status
    assert not backend.got


def test_no_request_passes_during_an_outage(backend: Backend, proxy: Proxy) -> None:
    with proxy.outage(), pytest.raises(OSError):
        put(proxy)
    assert not backend.got
    assert put(proxy)[0] == 200


def test_faults_come_at_their_rate(proxy: Proxy) -> None:
    proxy.rate, proxy.faults = 0.3, (Fault.ERROR,)
    failed = sum(put(proxy)[0] == 500 for _ in range(200))
    assert 40 <= failed <= 80
    assert proxy.counts() == {("PUT", "object"): 200}


@pytest.mark.parametrize(
    ("method", "target", "kind", "key"),
    [
        ("GET", "/b?list-type=2&prefix=a%2F", "list", ""),
        ("GET", "/b/a/b%40c", "object", "a/b@c"),
        ("POST", "/b?delete", "delete", ""),
        ("POST", "/b/a?uploads", "uploads", "a"),
        ("PUT", "/b/a?partNumber=3&uploadId=x", "part", "a"),
        ("POST", "/b/a?uploadId=x", "upload", "a"),
    ],
)
def test_requests_are_classified(method: str, target: str, kind: str, key: str) -> None:
    assert asked(method, target) == Asked(method, kind, key)
