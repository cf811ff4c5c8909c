"""The application of stores in memory, in this process and behind a socket."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.web.settings import ServeSettings, Tokens
from tests.support.counting_store import CountingStore
from tests.support.rendered_poster import RenderedPoster, render_poster
from tests.support.web_client import WebClient, event_loop, web_client
from tests.support.web_server import READ, WRITE


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop in a thread."""
    with event_loop() as running:
        yield running


FINISHED_SETTINGS = ("size=x3", "outputs=[png,deepzoom]")
"""Settings of the poster `finished`: 300 x 204 pixels."""


@pytest.fixture(scope="session")
def finished(
    tmp_path_factory: pytest.TempPathFactory, picture: Path, weights: Path
) -> RenderedPoster:
    """A poster that was rendered. Tests must not change it."""
    return render_poster(picture, weights, tmp_path_factory.mktemp("finished"), *FINISHED_SETTINGS)


@pytest.fixture
def store() -> CountingStore:
    """An empty store in memory."""
    return CountingStore()


@pytest.fixture
def server(store: CountingStore, loop: asyncio.AbstractEventLoop) -> WebClient:
    """The application of the store, without a login."""
    return web_client(store, loop)


@pytest.fixture
def locked(store: CountingStore, loop: asyncio.AbstractEventLoop) -> WebClient:
    """The application of the store, which needs a login."""
    settings = ServeSettings(refresh_seconds=0.0, tokens=Tokens(WRITE, READ))
    return web_client(store, loop, settings)
