"""Errors of a bucket: one line, soon, and without secrets."""

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

Request = Callable[[S3Store, Path], object]

REQUESTS: dict[str, Request] = {
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
    """A file that is large enough for an upload in parts."""
    path = tmp_path / "file"
    path.touch()
    os.truncate(path, 9 << 20)
    return path


def new_store(server: Server, bucket: str = BUCKET, **more: str) -> S3Store:
    """A store that has not sent a request yet."""
    with s3_environment(server, **more):
        client = make_client()
    return S3Store(bucket, "p", lambda: client)


def error_of(store: S3Store, request: Request, file: Path, longest: float = 15.0) -> StoreError:
    """The error of a request, which must fail within `longest` seconds."""
    started = time.monotonic()
    with pytest.raises(StoreError) as caught:
        request(store, file)
    assert time.monotonic() - started < longest
    line = str(caught.value)
    assert "\n" not in line
    assert not any(word in line for word in (KEY, SECRET, "testkey", "testsecret", "Signature="))
    assert line.startswith(f"{store.address} at 127.0.0.1:")
    return caught.value


@contextmanager
def silent_endpoint() -> Iterator[str]:
    """An endpoint that accepts connections, and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(100)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def full_endpoint() -> Iterator[str]:
    """An endpoint with a full queue: it neither accepts nor refuses connections."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def closed_port() -> Iterator[str]:
    """An endpoint at a port where nobody listens."""
    yield f"http://127.0.0.1:{free_ports(1)}"


@pytest.mark.parametrize(
    ("timeout", "longest"),
    [("1", 7.0), pytest.param("", 15.0, marks=pytest.mark.slow)],
    ids=["with a timeout of 1 s", "by default"],
)
def test_silent_endpoint_fails_soon(file: Path, timeout: str, longest: float) -> None:
    """All requests run at the same time, because each waits for its timeout."""
    cases = [
        (silent_endpoint, "no answer in time"),
        (full_endpoint, "no connection"),
        (closed_port, "no connection"),
    ]
    first = ["put", "get", "entries", "upload", "download"]
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(len(cases) * len(first)))
        futures = []
        for endpoint, message in cases:
            server = Server(stack.enter_context(endpoint()), KEY, SECRET)
            stores = [new_store(server, DREAMFARM_S3_TIMEOUT=timeout) for _ in first]
            for name, store in zip(first, stores, strict=True):
                futures.append(
                    (message, pool.submit(error_of, store, REQUESTS[name], file, longest))
                )
        for message, response in futures:
            assert type(response.result()) is StoreUnreachable
            assert f"{message}; check that the store is running" in str(response.result())


def test_missing_bucket_is_an_error(moto: Server, file: Path) -> None:
    store = new_store(moto, "nobucket")
    for request in REQUESTS.values():
        failure = error_of(store, request, file)
        assert type(failure) is StoreRefused
        assert "no such bucket; create it" in str(failure)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"AWS_SECRET_ACCESS_KEY": SECRET}, "SignatureDoesNotMatch): wrong secret key; set AWS"),
        ({"AWS_ACCESS_KEY_ID": KEY}, "InvalidAccessKeyId): unknown access key; set AWS"),
    ],
)
def test_wrong_credentials_are_an_error(
    ceph: Server, file: Path, settings: dict[str, str], message: str
) -> None:
    store = new_store(ceph, **settings)
    for request in REQUESTS.values():
        failure = error_of(store, request, file)
        assert type(failure) is StoreRefused
        assert message in str(failure)


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
        store = new_store(moto.behind(proxy.endpoint))
        for response, kind, message in ANSWERS:
            proxy.reset(0)
            proxy.script(*[response] * 3)
            failure = error_of(store, REQUESTS["entries"], file)
            assert type(failure) is kind
            assert message in str(failure)


def test_write_conflict_is_retried(moto: Server) -> None:
    with faulty_proxy(moto.endpoint) as proxy:
        store = new_store(moto.behind(proxy.endpoint))
        proxy.script(*[canned_error(409, "ConditionalRequestConflict")] * 2)
        assert store.put_if_absent("conflict", b"x")
        assert proxy.counts() == {("PUT", "object"): 3}


def test_failed_deletes_are_retried(moto: Server, file: Path) -> None:
    partial = b"<DeleteResult><Error><Key>p/b</Key><Code>%s</Code></Error></DeleteResult>"
    with faulty_proxy(moto.endpoint) as proxy:
        store = new_store(moto.behind(proxy.endpoint))
        for key in ("b", "c"):
            store.put(key, b"x")
        proxy.script(Canned(200, partial % b"InternalError"))
        store.delete(["b", "c"])
        # Only the keys in the answer are deleted again.
        assert not list(store.list_objects("b"))
        assert store.get("c") == b"x"

        proxy.script(*[Canned(200, partial % b"AccessDenied")] * 3)
        failure = error_of(store, REQUESTS["delete"], file)
        assert type(failure) is StoreRefused
        proxy.script(*[Canned(200, partial % b"SlowDown")] * 3)
        failure = error_of(store, REQUESTS["delete"], file)
        assert type(failure) is StoreUnreachable
        store.delete(["c"])


def test_aborting_a_missing_upload_is_ignored(moto: Server) -> None:
    new_store(moto).abort_upload(UnfinishedUpload("a", "no-such-upload", 0.0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"AWS_PROFILE": "nobody"}, "no such profile; correct AWS_PROFILE"),
        ({"AWS_ACCESS_KEY_ID": ""}, "no credentials; set AWS_PROFILE"),
        ({"AWS_ENDPOINT_URL_S3": "localhost:9000"}, "AWS_ENDPOINT_URL_S3: not a URL; write https"),
        ({"DREAMFARM_S3_TIMEOUT": "soon"}, "DREAMFARM_S3_TIMEOUT: must be a number of seconds"),
        ({"DREAMFARM_S3_TIMEOUT": "0"}, "DREAMFARM_S3_TIMEOUT: must be a number of seconds"),
        ({"DREAMFARM_S3_ADDRESSING": "pth"}, "DREAMFARM_S3_ADDRESSING: must be auto, path or"),
    ],
)
def test_invalid_settings_are_errors(settings: dict[str, str], message: str) -> None:
    with (
        s3_environment(Server("http://127.0.0.1:9", KEY, SECRET), **settings),
        pytest.raises(StoreRefused) as caught,
    ):
        S3Store(BUCKET).get("a")
    assert message in str(caught.value)
    assert SECRET not in str(caught.value)
