"""Where Prometheus asks: an HTTP server that answers `GET /metrics`."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server

from jobs.errors import RequestError

_LOOPBACK = "127.0.0.1"


@contextmanager
def endpoint(asked: str, registry: CollectorRegistry) -> Iterator[str]:
    """Serves a registry at `[HOST:]PORT`, on loopback unless a host is named; gives its URL.

    Port 0 is any free one. Raises RequestError where that is no such place, or none for us.
    """
    host, _, digits = asked.rpartition(":")
    host = host.strip("[]") or _LOOPBACK
    if not digits.isdecimal() or int(digits) > 65_535:
        raise RequestError(f"--metrics {asked}: write a port, as 9464, or HOST:PORT")
    try:
        server, thread = start_http_server(int(digits), host, registry)
    except OSError as error:
        raise RequestError(
            f"--metrics {asked}: nothing can be served there ({error.strerror or error}); "
            "choose another port, or an address of this machine"
        ) from error
    try:
        yield f"http://{_spelled(host)}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _spelled(host: str) -> str:
    return f"[{host}]" if ":" in host else host
