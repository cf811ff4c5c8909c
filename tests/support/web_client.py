"""A client of the web application in this process, without a socket."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from jobs.store.store import Store
from jobs.web.app import create_app
from jobs.web.farm import Farm
from jobs.web.guard import API
from jobs.web.settings import ServeSettings

URL = "http://127.0.0.1:8787"


class WebClient:
    """Sends requests to the application of a farm; it keeps cookies."""

    def __init__(self, farm: Farm, loop: asyncio.AbstractEventLoop) -> None:
        self.farm = farm
        self._loop = loop
        transport = httpx.ASGITransport(create_app(farm), client=("127.0.0.1", 4711))
        self._client = httpx.AsyncClient(transport=transport, base_url=URL)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request to a whole path."""
        sending = self._client.request(method, path, **more)
        return asyncio.run_coroutine_threadsafe(sending, self._loop).result(60)

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Get something of the API."""
        return self.request("GET", f"{API}{path}", **more)

    def json(self, path: str, **more: Any) -> Any:
        """The JSON of an answer of the API, which must be a success."""
        answer = self.get(path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, method: str, path: str, body: object = None, **more: Any) -> httpx.Response:
        """Send JSON to the API."""
        return self.request(method, f"{API}{path}", json=body, **more)

    def upload(self, path: str, content: Any, **more: Any) -> httpx.Response:
        """Send a file to the API."""
        headers = {"Content-Type": "application/octet-stream"}
        return self.request("POST", f"{API}{path}", content=content, headers=headers, **more)


@contextmanager
def event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def web_client(
    store: Store, loop: asyncio.AbstractEventLoop, settings: ServeSettings | None = None
) -> WebClient:
    """A client for the application of a store."""
    return WebClient(Farm(store, settings or ServeSettings(refresh_seconds=0.0)), loop)
