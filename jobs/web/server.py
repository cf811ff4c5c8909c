"""The web server of `dreamfarm serve`."""

import asyncio
import resource
import socket
from collections.abc import Callable

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from jobs.store.retrying import RetryingStore
from jobs.store.store import Store
from jobs.text.errors import RequestError
from jobs.web.app import create_app
from jobs.web.farm import Farm
from jobs.web.settings import ServeSettings

_RETRY_SECONDS = 2.0
"""Seconds for which a request to the store is repeated. Somebody is waiting for the answer."""

_BACKLOG = 512

_MOST_CONNECTIONS = 4000

_TIMEOUT = 60.0
"""Seconds after which a connection is closed that begins no request, or takes nothing."""

_KEEP_ALIVE = 10
"""Seconds after which an idle connection is closed."""

_SHUTDOWN = 2
"""Seconds that open streams get to end."""


def serve(store: Store, settings: ServeSettings, announce: Callable[[str], None]) -> None:
    """Serve a store until a signal asks to stop.

    announce: is called with the URL once the server accepts connections. Raises RequestError.
    """
    settings.check()
    farm = Farm(RetryingStore(store, _RETRY_SECONDS), settings)
    listener = listen(settings.host, settings.port)
    _allow_many_files()
    config = uvicorn.Config(
        create_app(farm),
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_SHUTDOWN,
        h11_max_incomplete_event_size=64 << 10,
        limit_concurrency=_MOST_CONNECTIONS,
        http=TimeoutProtocol,
        ws="none",
    )
    port = listener.getsockname()[1]
    name = f"[{settings.host}]" if ":" in settings.host else settings.host
    announce(f"http://{name}:{port}/")
    uvicorn.Server(config).run(sockets=[listener])


class TimeoutProtocol(H11Protocol):
    """Closes a connection on which no request begins, or no further one."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        super().connection_lost(exc)
        self._end_waiting()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request: uvicorn waits only for its first byte."""
        self._wait()
        super().on_response_complete()

    def _wait(self) -> None:
        self._end_waiting()
        self._waiting = self.loop.call_later(_TIMEOUT, self._close_if_idle, self.cycle)

    def _end_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()

    def _close_if_idle(self, last: RequestResponseCycle | None) -> None:
        """Close the connection if no request has begun since the last one."""
        if self.cycle is last and not self.transport.is_closing():
            self.transport.close()


def listen(host: str, port: int) -> socket.socket:
    """Listen on an address. Raises RequestError if that is not possible."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Connections inherit it: the kernel drops those whose client takes nothing for so long.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(1000 * _TIMEOUT))
    try:
        listener.bind((host.strip("[]"), port))
    except OSError as error:
        listener.close()
        raise RequestError(
            f"--host {host} --port {port}: cannot listen there ({error.strerror or error}); "
            "choose another --port, or an address of this machine"
        ) from error
    listener.listen(_BACKLOG)
    return listener


def _allow_many_files() -> None:
    """Raise the limit of open files as far as allowed: each browser needs one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
