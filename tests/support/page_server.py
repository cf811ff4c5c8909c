"""Serves a store to a browser, and reads the store a few times a second."""

from collections.abc import Iterator
from contextlib import contextmanager

from jobs.store.store import Store
from jobs.web.settings import ServeSettings
from tests.support.web_server import web_server

_REFRESH_SECONDS = 0.3
"""Short, because a test waits for what the page shows; not so short that reading costs much."""


@contextmanager
def serving(store: Store) -> Iterator[str]:
    """Serve a store within this context; gives the address of the page."""
    with web_server(store, ServeSettings(refresh_seconds=_REFRESH_SECONDS)) as server:
        yield f"{server.url}/"
