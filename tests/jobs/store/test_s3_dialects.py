"""S3 as other services speak it: what they refuse, and what they call their errors."""

import base64
import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from jobs.dataset.inputs.s3 import object_size, s3_client
from jobs.services.doctor.store_checks import check_store
from jobs.store.errors import ObjectNotFound, StoreRefused, StoreUnreachable
from jobs.store.retrying import RetryingStore
from jobs.store.s3 import S3Store
from jobs.store.s3_client import make_client
from jobs.store.store import ObjectInfo
from jobs.text.errors import RequestError
from tests.support.faulty_proxy import Canned, Proxy, canned_error, faulty_proxy
from tests.support.memory_store import MemoryStore
from tests.support.s3_servers import BUCKET, Server, free_ports, s3_environment


def open_bucket(server: Server, prefix: str) -> S3Store:
    with s3_environment(server):
        client = make_client()
    return S3Store(BUCKET, f"dialects/{prefix}", lambda: client)


@contextmanager
def proxied(moto: Server, prefix: str) -> Iterator[tuple[S3Store, Proxy]]:
    """A store behind a proxy that answers in place of moto where a test tells it to."""
    with faulty_proxy(moto.endpoint) as proxy:
        yield open_bucket(moto.behind(proxy.endpoint), prefix), proxy


def keys(store: S3Store) -> list[str]:
    return [entry.key for entry in store.list_objects("")]


class _StrictServer:
    """An S3 server, as a WSGI application, at a base path; it wants Content-MD5 on bulk deletes."""

    def __init__(self, base: str) -> None:
        self._moto: Any = DomainDispatcherApplication(create_backend_app)
        self._base = base
        self.digests: list[str] = []

    def __call__(self, environment: dict[str, Any], start: Any) -> Any:
        if not environment["PATH_INFO"].startswith(self._base):
            start("404 Not Found", [("Content-Type", "text/html")])
            return [b"<html>nothing here</html>"]
        for name in ("PATH_INFO", "RAW_URI", "REQUEST_URI"):
            if name in environment:
                environment[name] = environment[name].replace(self._base, "", 1)
        if environment["REQUEST_METHOD"] == "POST" and "delete" in environment["QUERY_STRING"]:
            self.digests.append(environment.get("HTTP_CONTENT_MD5", ""))
            assert not [name for name in environment if "CHECKSUM" in name]
            if not self.digests[-1]:
                start("400 Bad Request", [("Content-Type", "application/xml")])
                return [b"<Error><Code>MissingContentMD5</Code></Error>"]
        return self._moto(environment, start)


@pytest.fixture(params=["", "/s3", "/storage/v1/s3"])
def strict(request: pytest.FixtureRequest) -> Iterator[tuple[S3Store, _StrictServer]]:
    """A store on a server with a base path that wants Content-MD5."""
    app, port = _StrictServer(request.param), free_ports(1)
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        place = Server(f"http://127.0.0.1:{port}{request.param}")
        place.create_bucket(f"{BUCKET}{len(request.param)}")
        with s3_environment(place):
            client = make_client()
        yield S3Store(f"{BUCKET}{len(request.param)}", "p", lambda: client), app
    finally:
        server.shutdown()
        thread.join()


def test_bulk_deletes_carry_content_md5(
    strict: tuple[S3Store, _StrictServer], tmp_path: Path
) -> None:
    store, app = strict
    assert [finding.verdict for finding in check_store(store)] == ["ok"] * 4
    for number in range(3):
        store.put(f"a/{number}", b"x")
    store.delete(["a/0", "a/2", "missing"])
    assert keys(store) == ["a/1"]
    assert app.digests
    assert all(len(base64.b64decode(one)) == hashlib.md5(b"").digest_size for one in app.digests)

    file = tmp_path / "file"
    file.write_bytes(b"12345" * 1000)
    store.upload(file, "b")
    store.download("b", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    "refusal",
    [
        canned_error(400, "MissingContentMD5"),
        canned_error(400, "InvalidRequest"),
        canned_error(403, "AccessDenied"),
        canned_error(405, "MethodNotAllowed"),
        canned_error(501, "NotImplemented"),
    ],
)
def test_objects_are_deleted_one_by_one_where_bulk_is_refused(moto: Server, refusal: Any) -> None:
    with proxied(moto, "one-by-one") as (store, proxy):
        names = [f"a/{number}" for number in range(20)]
        for name in names:
            store.put(name, b"x")
        proxy.script(refusal)
        store.delete([*names[1:], "missing"])
        assert keys(store) == ["a/0"]
        store.delete(["a/0"])
        assert keys(store) == []
        counts = proxy.counts()
        # The refusal is remembered.
        assert counts["POST", "delete"] == 1
        assert counts["DELETE", "object"] == len(names) + 1


def test_a_transient_error_of_a_bulk_delete_is_no_refusal(moto: Server) -> None:
    with proxied(moto, "transient") as (store, proxy):
        proxy.script(*[canned_error(503, "SlowDown")] * 3)
        with pytest.raises(StoreUnreachable):
            store.delete(["a"])
        store.delete(["a"])
        assert proxy.counts()["DELETE", "object"] == 0


@pytest.mark.parametrize(
    ("status", "code"),
    [
        *((501, "NotImplemented"), (405, "MethodNotAllowed"), (400, "InvalidArgument")),
        *((400, "UnsupportedOperation"), (501, ""), (405, "")),
    ],
)
def test_a_store_that_cannot_list_uploads_has_none(moto: Server, status: int, code: str) -> None:
    with proxied(moto, "uploads") as (store, proxy):
        proxy.script(canned_error(status, code))
        assert list(store.unfinished_uploads("")) == []
        proxy.script(canned_error(403, "AccessDenied"))
        with pytest.raises(StoreRefused):
            list(store.unfinished_uploads(""))


@pytest.mark.parametrize(("status", "code"), [(404, "NoSuchObject"), (404, "NotFound")])
def test_other_words_for_a_missing_object(moto: Server, status: int, code: str) -> None:
    with proxied(moto, "words") as (store, proxy):
        proxy.script(canned_error(status, code))
        with pytest.raises(ObjectNotFound):
            store.get("a")


@pytest.mark.parametrize(
    ("status", "code"),
    [(412, "ConditionNotMet"), (412, ""), (409, "ObjectAlreadyExists"), (409, "KeyAlreadyExists")],
)
def test_other_words_for_an_object_that_exists(moto: Server, status: int, code: str) -> None:
    with proxied(moto, "words") as (store, proxy):
        proxy.script(canned_error(status, code))
        assert not store.put_if_absent("a", b"x")


CONFLICTS = [canned_error(409, "ConditionalRequestConflict")] * 3
"""The client sends the request three times."""


@pytest.mark.parametrize(
    "conflicts",
    [
        CONFLICTS,
        *([canned_error(409, code)] for code in ("OperationAborted", "Conflict", "")),
    ],
)
def test_a_conflict_that_lasts_is_settled_by_the_object(
    moto: Server, conflicts: list[Canned]
) -> None:
    with proxied(moto, uuid.uuid4().hex) as (store, proxy):
        store.put("taken", b"theirs")
        proxy.script(*conflicts)
        assert not store.put_if_absent("taken", b"mine")
        assert store.get("taken") == b"theirs"
        assert proxy.counts()["HEAD", "object"] == 1


def test_a_conflict_over_a_free_key_is_tried_again(moto: Server) -> None:
    with proxied(moto, uuid.uuid4().hex) as (store, proxy):
        proxy.script(*CONFLICTS)
        with pytest.raises(StoreUnreachable, match="the store failed"):
            store.put_if_absent("free", b"mine")
        proxy.script(*CONFLICTS)
        assert RetryingStore(store, 60, lambda _: None).put_if_absent("free", b"mine")
        assert store.get("free") == b"mine"


def test_a_conflict_whose_object_cannot_be_asked_for_is_no_answer(moto: Server) -> None:
    with proxied(moto, uuid.uuid4().hex) as (store, proxy):
        store.put("taken", b"theirs")
        proxy.script(*CONFLICTS, *[canned_error(503, "SlowDown")] * 3)
        with pytest.raises(StoreUnreachable):
            store.put_if_absent("taken", b"mine")


def test_other_words_for_a_range_that_is_too_long(moto: Server) -> None:
    with proxied(moto, "words") as (store, proxy):
        proxy.script(canned_error(416, "RequestedRangeNotSatisfiable"))
        with pytest.raises(ValueError, match="shorter"):
            store.get_range("a", 5, 5)


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (400, "AccessDenied", "refused (400 AccessDenied): access denied; allow these"),
        (400, "Forbidden", "refused (400 Forbidden): access denied; allow these"),
        (400, "", "refused (400): the store gives no reason; check the credentials"),
        (404, "BucketNotFound", "refused (404 BucketNotFound): no such bucket; create it"),
        (405, "MethodNotAllowed", "refused (405 MethodNotAllowed): the store does not support"),
    ],
)
def test_refusals_in_other_words(moto: Server, status: int, code: str, said: str) -> None:
    with proxied(moto, "words") as (store, proxy):
        proxy.script(canned_error(status, code))
        with pytest.raises(StoreRefused) as caught:
            keys(store)
        assert said in str(caught.value)


def test_throttling_in_other_words_is_transient(moto: Server) -> None:
    with proxied(moto, "words") as (store, proxy):
        proxy.script(*[canned_error(400, "TooManyRequests")] * 3)
        with pytest.raises(StoreUnreachable):
            keys(store)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_an_input_that_may_not_be_read_is_an_error_of_its_address(
    moto: Server, status: int
) -> None:
    with faulty_proxy(moto.endpoint) as proxy, s3_environment(moto.behind(proxy.endpoint)):
        s3_client.cache_clear()
        try:
            proxy.script(*[canned_error(status, "")] * 3)
            with pytest.raises(RequestError, match="access denied, or not found"):
                object_size(f"s3://{BUCKET}/a.tar")
        finally:
            s3_client.cache_clear()


class _FolderOrder(MemoryStore):
    """Lists each folder whole, as SeaweedFS does, and fails once after some items."""

    fail_after = -1

    def list_objects(self, prefix: str) -> Iterator[ObjectInfo]:
        found = sorted(super().list_objects(prefix), key=lambda one: one.key.split("/"))
        for number, one in enumerate(found):
            if number == self.fail_after:
                self.fail_after = -1
                raise StoreUnreachable("gone")
            yield one


NAMES = ["a-b", "a.b", "a/b-c", "a/b.c", "a/b/c", "a/b/d", "a/b0", "a/c", "a0", "a=", "aA", "b"]


@pytest.mark.parametrize("fail_after", range(len(NAMES)))
def test_a_listing_by_folder_is_resumed_where_it_failed(fail_after: int) -> None:
    store = _FolderOrder()
    for name in NAMES:
        store.put(name, b"x")
    store.fail_after = fail_after
    listed = [one.key for one in RetryingStore(store, 60, lambda _: None).list_objects("")]
    assert listed == sorted(NAMES, key=lambda name: name.split("/"))
    assert all(one != other for one, other in pairwise(listed))
