"""A bucket that cannot be used says so: in one line, soon, and with no secret in it."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from jobs.store.errors import StoreError, StoreRefused, StoreUnreachable
from jobs.store.s3 import S3Store
from jobs.store.s3_client import make_client
from jobs.store.store import UnfinishedUpload
from tests.support.faulty_proxy import Canned, canned_error, faulty_proxy
from tests.support.s3_servers import BUCKET, Server, free_ports, s3_environment

KEY, SECRET = "AKIAVERYPRIVATE", "very/private/secret"

Ask = Callable[[S3Store, Path], object]

REQUESTS: dict[str, Ask] = {
    "put": lambda store, file: store.put("a", b"x"),
    "claim": lambda store, file: store.put_if_absent("a", b"x"),
    "get": lambda store, file: store.get("a"),
    "range": lambda store, file: store.get_range("a", 0, 1),
    "aged": lambda store, file: store.get_with_age("a"),
    "entries": lambda store, file: list(store.list_objects("")),
    "folders": lambda store, file: list(store.list_folders("")),
    "delete": lambda store, file: store.delete(["a"]),
    "upload": lambda store, file: store.upload(file, "a"),
    "download": lambda store, file: store.download("a", file.with_name(f"{time.monotonic_ns()}")),
    "unfinished": lambda store, file: list(store.unfinished_uploads("")),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Large enough for an upload in parts."""
    path = tmp_path / "file"
    path.touch()
    os.truncate(path, 9 << 20)
    return path


def fresh(server: Server, bucket: str = BUCKET, **more: str) -> S3Store:
    """A store that has asked nothing yet."""
    with s3_environment(server, **more):
        client = make_client()
    return S3Store(bucket, "p", lambda: client)


def told(store: S3Store, ask: Ask, file: Path, most: float = 15.0) -> StoreError:
    """What a request says when it fails, which it must within so many seconds."""
    started = time.monotonic()
    with pytest.raises(StoreError) as caught:
        ask(store, file)
    assert time.monotonic() - started < most
    line = str(caught.value)
    assert "\n" not in line
    assert not any(word in line for word in (KEY, SECRET, "testkey", "testsecret", "Signature="))
    assert line.startswith(f"{store.address} at 127.0.0.1:")
    return caught.value


@contextmanager
def silent() -> Iterator[str]:
    """Takes connections, and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(100)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def black_hole() -> Iterator[str]:
    """Takes no connection, and refuses none: its queue is full."""
    with ExitStack() as held:
        listening = held.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def closed() -> Iterator[str]:
    """Nobody is there."""
    yield f"http://127.0.0.1:{free_ports(1)}"


@pytest.mark.parametrize(
    ("timeout", "most"),
    [("1", 7.0), pytest.param("", 15.0, marks=pytest.mark.slow)],
    ids=["with a timeout of 1 s", "by default"],
)
def test_silent_endpoint_fails_soon(file: Path, timeout: str, most: float) -> None:
    """All at once, for it takes its time."""
    cases = [
        (silent, "no answer in time"),
        (black_hole, "no connection"),
        (closed, "no connection"),
    ]
    first = ["put", "get", "entries", "upload", "download"]
    with ExitStack() as held:
        pool = held.enter_context(ThreadPoolExecutor(len(cases) * len(first)))
        asked = []
        for dead, words in cases:
            server = Server(held.enter_context(dead()), KEY, SECRET)
            stores = [fresh(server, DREAMFARM_S3_TIMEOUT=timeout) for _ in first]
            for name, store in zip(first, stores, strict=True):
                asked.append((words, pool.submit(told, store, REQUESTS[name], file, most)))
        for words, answer in asked:
            assert type(answer.result()) is StoreUnreachable
            assert f"{words}; check that the store is running" in str(answer.result())


def test_missing_bucket_is_an_error(moto: Server, file: Path) -> None:
    store = fresh(moto, "nobucket")
    for ask in REQUESTS.values():
        failure = told(store, ask, file)
        assert type(failure) is StoreRefused
        assert "no such bucket; create it" in str(failure)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"AWS_SECRET_ACCESS_KEY": SECRET}, "SignatureDoesNotMatch): wrong secret key; set AWS"),
        ({"AWS_ACCESS_KEY_ID": KEY}, "InvalidAccessKeyId): unknown access key; set AWS"),
    ],
)
def test_wrong_credentials_are_an_error(
    ceph: Server, file: Path, wrong: dict[str, str], words: str
) -> None:
    store = fresh(ceph, **wrong)
    for ask in REQUESTS.values():
        failure = told(store, ask, file)
        assert type(failure) is StoreRefused
        assert words in str(failure)


ANSWERS: list[tuple[Canned, type[StoreError], str]] = [
    (canned_error(403, "AccessDenied"), StoreRefused, "access denied; allow these credentials"),
    (canned_error(400, "ExpiredToken"), StoreRefused, "the credentials have expired"),
    (canned_error(403, "RequestTimeTooSkewed"), StoreRefused, "this machine's clock is wrong"),
    (canned_error(501, "NotImplemented"), StoreRefused, "the store does not support this request"),
    (canned_error(400, "Something New"), StoreRefused, "refused (400): see the manual"),
    (canned_error(400, "SomethingNew"), StoreRefused, "refused (400 SomethingNew)"),
    (Canned(404, b"<html>nginx</html>"), StoreRefused, "no such bucket"),
    (Canned(403), StoreRefused, "access denied"),
    (Canned(429), StoreUnreachable, "the store failed (429); try again later"),
    (Canned(502, b"<html>nginx</html>"), StoreUnreachable, "the store failed (502); try again"),
    (canned_error(503, "SlowDown"), StoreUnreachable, "the store failed (503 SlowDown)"),
    (canned_error(409, "ConditionalRequestConflict"), StoreUnreachable, "the store failed (409"),
    (Canned(200, b"<html>nginx"), StoreUnreachable, "the store failed (500)"),
]


def test_error_answers_are_translated(moto: Server, file: Path) -> None:
    with faulty_proxy(moto.endpoint) as proxy:
        store = fresh(moto.behind(proxy.endpoint))
        for answer, kind, words in ANSWERS:
            proxy.reset(0)
            proxy.script(*[answer] * 3)
            failure = told(store, REQUESTS["entries"], file)
            assert type(failure) is kind
            assert words in str(failure)


def test_write_conflict_is_retried(moto: Server) -> None:
    with faulty_proxy(moto.endpoint) as proxy:
        store = fresh(moto.behind(proxy.endpoint))
        proxy.script(*[canned_error(409, "ConditionalRequestConflict")] * 2)
        assert store.put_if_absent("conflict", b"x")
        assert proxy.counts() == {("PUT", "object"): 3}


def test_failed_deletes_are_retried(moto: Server, file: Path) -> None:
    partly = b"<DeleteResult><Error><Key>p/b</Key><Code>%s</Code></Error></DeleteResult>"
    with faulty_proxy(moto.endpoint) as proxy:
        store = fresh(moto.behind(proxy.endpoint))
        for key in ("b", "c"):
            store.put(key, b"x")
        proxy.script(Canned(200, partly % b"InternalError"))
        store.delete(["b", "c"])
        # Only what was named in the answer is asked for again.
        assert not list(store.list_objects("b"))
        assert store.get("c") == b"x"

        proxy.script(*[Canned(200, partly % b"AccessDenied")] * 3)
        failure = told(store, REQUESTS["delete"], file)
        assert type(failure) is StoreRefused
        proxy.script(*[Canned(200, partly % b"SlowDown")] * 3)
        failure = told(store, REQUESTS["delete"], file)
        assert type(failure) is StoreUnreachable
        store.delete(["c"])


def test_aborting_a_missing_upload_is_ignored(moto: Server) -> None:
    fresh(moto).abort_upload(UnfinishedUpload("a", "no-such-upload", 0.0))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"AWS_PROFILE": "nobody"}, "no such profile; correct AWS_PROFILE"),
        ({"AWS_ACCESS_KEY_ID": ""}, "no credentials; set AWS_PROFILE"),
        ({"AWS_ENDPOINT_URL_S3": "localhost:9000"}, "AWS_ENDPOINT_URL: not a URL; write https://"),
        ({"DREAMFARM_S3_TIMEOUT": "soon"}, "DREAMFARM_S3_TIMEOUT: must be a number of seconds"),
        ({"DREAMFARM_S3_TIMEOUT": "0"}, "DREAMFARM_S3_TIMEOUT: must be a number of seconds"),
        ({"DREAMFARM_S3_ADDRESSING": "pth"}, "DREAMFARM_S3_ADDRESSING: must be auto, path or"),
    ],
)
def test_invalid_settings_are_errors(wrong: dict[str, str], words: str) -> None:
    with (
        s3_environment(Server("http://127.0.0.1:9", KEY, SECRET), **wrong),
        pytest.raises(StoreRefused) as caught,
    ):
        S3Store(BUCKET).get("a")
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)
