"""Settings and fixtures of all tests; `tests/README.md` explains them."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# On every CPU `precision: auto` is float32 in tests. oneDNN reads this, in child processes too.
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX512_CORE")

pytest_plugins = ["tests.support.s3_fixtures"]

PROJECT = Path(__file__).resolve().parent.parent

_SLOW_FOLDERS = tuple(PROJECT / "tests" / name for name in ("cluster", "service", "soak"))
_SERVER_FIXTURES = {"ray_crew", "moto", "ceph", "seaweedfs"}
_SERVER_PARAMETERS = {"ray", "moto", "ceph", "seaweedfs"}


def pytest_configure() -> None:
    """Set up signals and Hypothesis for the whole run."""
    # A shell's background jobs ignore SIGINT, and so would their children. Tests interrupt some.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Each run has the same examples, so that only a change of the code makes a test fail;
    # `pytest --hypothesis-profile search` draws others, and `many` draws 2,000. Examples
    # have no deadline.
    anytime = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("search", anytime)
    settings.register_profile("same", anytime, derandomize=True)
    settings.register_profile("many", anytime, max_examples=2000)
    settings.load_profile("same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that need a server, and put the files that take minutes first.

    If a slow file came last, one core would wait for the other.
    """
    for item in items:
        if _needs_server(item):
            item.add_marker(pytest.mark.server)
    items.sort(key=lambda item: not any(map(item.path.is_relative_to, _SLOW_FOLDERS)))


def _needs_server(item: pytest.Item) -> bool:
    """Whether a test starts Ray or an S3 server, by its fixtures and its parameters."""
    call = getattr(item, "callspec", None)
    parameters = call.params.values() if call else ()
    fixtures = set(getattr(item, "fixturenames", ()))
    # Fixtures such as `kind` request a server by the value of a parameter.
    named = {value for value in parameters if isinstance(value, str)}
    return bool(fixtures & _SERVER_FIXTURES or named & _SERVER_PARAMETERS)


@pytest.fixture(scope="session")
def project() -> Path:
    """The root of the checkout."""
    return PROJECT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real weights and pictures: DREAMFARM_SHARED, or ../shared."""
    folder = Path(os.environ.get("DREAMFARM_SHARED", PROJECT.parent / "shared"))
    if not (folder / "weights").is_dir():
        pytest.skip(f"NO REAL WEIGHTS OR PICTURES: {folder} does not exist; set DREAMFARM_SHARED")
    return folder


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make downloads fail: set a proxy at which nothing listens."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    # urllib keeps the proxies of its first request.
    monkeypatch.setattr("urllib.request._opener", None)
