"""One browser, one server and one store with jobs of many kinds, for all tests of the page."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from jobs.store.folder import FolderStore
from tests.jobs.web.browser.example_jobs import Examples, write_examples
from tests.support.page_server import serving

_POLICY = "Content Security Policy"

_PATIENCE_MS = 30_000
"""How long the screen may take to show what a test waits for."""


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("NO CHROMIUM: install Debian's package chromium to test the page")
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        # As root, Chromium starts only without its sandbox.
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="package")
def examples(tmp_path_factory: pytest.TempPathFactory, picture: Path, weights: Path) -> Examples:
    """A store with jobs in all states. Tests must not change them."""
    return write_examples(tmp_path_factory.mktemp("farm"), picture, weights)


@pytest.fixture(scope="package")
def site(examples: Examples) -> Iterator[str]:
    """The address of a server of the examples."""
    with serving(FolderStore(examples.store)) as address:
        yield address


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """An empty store."""
    (tmp_path / "store").mkdir()
    return FolderStore(tmp_path / "store")


@pytest.fixture
def empty_site(store: FolderStore) -> Iterator[str]:
    """The address of a server of the empty store."""
    with serving(store) as address:
        yield address


def _collect_complaints(page: Page) -> list[str]:
    """A list that grows: scripts of the page that failed, and what its policy refused."""
    complaints: list[str] = []

    def take(message: ConsoleMessage) -> None:
        # The browser reports each answer of 4xx, too; some tests ask for such answers.
        is_answer = message.text.startswith("Failed to load resource")
        if _POLICY in message.text or (message.type == "error" and not is_answer):
            complaints.append(message.text)

    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", take)
    return complaints


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page, which must run without errors and without breaking its own policy."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.set_default_timeout(_PATIENCE_MS)
    opened = context.new_page()
    complaints = _collect_complaints(opened)
    yield opened
    context.close()
    assert complaints == []
