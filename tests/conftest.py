"""What every test may ask for."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.faults.fixtures"]

PROJECT = Path(__file__).resolve().parent.parent


def pytest_configure() -> None:
    """What holds for the whole run."""
    # Children can be interrupted: in a shell's background SIGINT is ignored, by them too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Examples are the same in every run, so that what fails is what was changed; `pytest
    # --hypothesis-profile search` looks further. How long one takes is the machine's matter.
    anytime = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("search", anytime)
    settings.register_profile("same", anytime, derandomize=True)
    settings.load_profile("same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take minutes come first: begun last, one core would wait for the other."""
    slow = (PROJECT / "tests" / "cluster", PROJECT / "tests" / "service")
    items.sort(key=lambda item: not any(item.path.is_relative_to(folder) for folder in slow))


@pytest.fixture(scope="session")
def project() -> Path:
    """The root of the checkout."""
    return PROJECT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real weights and pictures: DREAMFARM_SHARED, or ../shared."""
    folder = Path(os.environ.get("DREAMFARM_SHARED", PROJECT.parent / "shared"))
    if not (folder / "weights").is_dir():
        pytest.skip(f"NO REAL WEIGHTS OR PICTURES: {folder} is not there; set DREAMFARM_SHARED")
    return folder


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network for downloads: a proxy that is not there stands for it."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    # urllib remembers the proxies of its first request.
    monkeypatch.setattr("urllib.request._opener", None)
