"""A web server of a store in this process, and a client for it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn

from jobs.store.store import Store
from jobs.web.app import create_app
from jobs.web.farm import Farm
from jobs.web.guard import API, Guard
from jobs.web.server import TimeoutProtocol, listen
from jobs.web.settings import ServeSettings

WRITE, READ = "write-" + "w" * 20, "read-" + "r" * 20
"""Tokens."""


@dataclass(frozen=True)
class WebServer:
    """A running server. client: reaches the API without a login."""

    url: str
    port: int
    farm: Farm
    client: httpx.Client

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.client.get(f"{API}{path}", **more)

    def json(self, path: str, **more: Any) -> Any:
        """The JSON of an answer, which must be a success."""
        answer = self.get(path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, method: str, path: str, body: object = None, **more: Any) -> httpx.Response:
        return self.client.request(method, f"{API}{path}", json=body, **more)


@contextmanager
def web_server(
    store: Store, settings: ServeSettings | None = None, timeout: float = 30.0
) -> Iterator[WebServer]:
    """Serve a store until the block ends. timeout: see `Guard`."""
    farm = Farm(store, settings or ServeSettings(refresh_seconds=0.05))
    app = create_app(farm)
    guard = Guard(app.app, app.logins, timeout)
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    config = uvicorn.Config(
        guard,
        log_level="critical",
        ws="none",
        http=TimeoutProtocol,
        timeout_graceful_shutdown=1,
        lifespan="on",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url, timeout=20, trust_env=False) as client:
            yield WebServer(url, port, farm, client)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
