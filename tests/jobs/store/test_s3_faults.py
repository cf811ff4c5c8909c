"""A bucket behind a faulty network: no object is lost, and no request takes effect twice."""

import os
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jobs.store.errors import ObjectNotFound, StoreUnreachable
from jobs.store.retrying import RetryingStore
from jobs.store.s3 import S3Store
from jobs.store.s3_client import make_client
from jobs.store.store import Store
from tests.support.faulty_proxy import Canned, Fault, Proxy, faulty_proxy
from tests.support.s3_servers import BUCKET, Server, s3_environment

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TIMEOUT = 0.5
RETRY_TIMEOUT = 60.0


@pytest.fixture(scope="module")
def shared_proxy(moto: Server) -> Iterator[Proxy]:
    with faulty_proxy(moto.endpoint, stall=4 * TIMEOUT) as proxy:
        yield proxy


@pytest.fixture(params=[1, 2])
def proxy(shared_proxy: Proxy, request: pytest.FixtureRequest) -> Proxy:
    """A proxy with seeded random faults."""
    shared_proxy.reset(request.param)
    return shared_proxy


@pytest.fixture
def scripted_proxy(shared_proxy: Proxy) -> Proxy:
    """A proxy without random faults, for scripted ones."""
    shared_proxy.reset(0)
    return shared_proxy


def make_short_timeout_client(proxy: Proxy) -> "S3Client":
    """A client with a short timeout for each request through the proxy."""
    with s3_environment(Server(proxy.endpoint), DREAMFARM_S3_TIMEOUT=str(TIMEOUT)):
        return make_client()


@pytest.fixture
def client(shared_proxy: Proxy) -> "S3Client":
    """A new client for each test: botocore retries less and less after many failures."""
    return make_short_timeout_client(shared_proxy)


@pytest.fixture
def bucket(client: "S3Client") -> S3Store:
    """An empty store that sends its requests through the proxy."""
    return S3Store(BUCKET, f"faults/{uuid.uuid4().hex}", lambda: client)


@pytest.fixture
def store(bucket: S3Store) -> RetryingStore:
    """The same store, with retries."""
    return RetryingStore(bucket, RETRY_TIMEOUT)


def wins_claim(store: Store, key: str) -> bool:
    """Whether this claim wins: after a refusal, the stored token decides."""
    token = uuid.uuid4().hex.encode()
    return store.put_if_absent(key, token) or store.get(key) == token


def test_objects_stay_complete_under_faults(store: RetryingStore, proxy: Proxy) -> None:
    proxy.rate = 0.1
    names = [f"a/{number:02}" for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: store.put(name, name.encode() * 100), names))
        assert list(pool.map(store.get, names)) == [name.encode() * 100 for name in names]
        assert {*pool.map(lambda name: store.get_range(name, 5, 3), names)} == {
            (name.encode() * 100)[5:8] for name in names
        }
        assert all(age <= 60 for _, age in pool.map(store.get_with_age, names))
        for _ in range(5):
            assert [entry.key for entry in store.list_objects("a/")] == names
    with pytest.raises(ObjectNotFound):
        store.get("b")
    store.delete(names)
    assert list(store.list_objects("")) == []
    # Faults have happened.
    assert sum(proxy.counts().values()) > 4 * len(names) + 10


def test_files_stay_complete_under_faults(
    store: RetryingStore, proxy: Proxy, tmp_path: Path
) -> None:
    proxy.rate = 0.1
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom((12 << 20) + 1))
    for _ in range(3):
        store.upload(source, "big")
        store.download("big", target)
        assert target.read_bytes() == source.read_bytes()
    assert sorted(tmp_path.iterdir()) == [source, target]
    assert sum(proxy.counts().values()) > 3 * 6
    for upload in store.unfinished_uploads(""):
        store.abort_upload(upload)
    assert list(store.unfinished_uploads("")) == []


def test_one_claim_wins_despite_lost_answers(store: RetryingStore, proxy: Proxy) -> None:
    proxy.rate, proxy.faults = 0.2, (Fault.LOST, Fault.DROPPED)
    with ThreadPoolExecutor(8) as pool:
        for turn in range(10):
            key = f"lease/{turn}"
            won = list(pool.map(lambda _, key=key: wins_claim(store, key), range(8)))
            assert won.count(True) == 1


def test_claim_with_lost_answer_is_recognised_by_its_token(
    bucket: S3Store, scripted_proxy: Proxy
) -> None:
    scripted_proxy.script(Fault.LOST)
    assert not bucket.put_if_absent("a", b"mine")
    assert bucket.get("a") == b"mine"
    assert scripted_proxy.counts() == {("PUT", "object"): 2, ("GET", "object"): 1}


@pytest.mark.parametrize("fault", Fault)
def test_single_fault_is_retried_by_the_client(
    bucket: S3Store, scripted_proxy: Proxy, fault: Fault
) -> None:
    bucket.put("a", b"0123456789")
    scripted_proxy.script(fault)
    assert bucket.get("a") == b"0123456789"
    scripted_proxy.script(fault)
    assert bucket.get_range("a", 2, 5) == b"23456"
    scripted_proxy.script(fault)
    assert [entry.key for entry in bucket.list_objects("")] == ["a"]
    scripted_proxy.script(fault)
    bucket.put("a", b"new")
    # Half of an answer without a body is the whole answer.
    puts = 2 if fault is Fault.CUT else 3
    assert scripted_proxy.counts() == {
        ("PUT", "object"): puts,
        ("GET", "object"): 4,
        ("GET", "list"): 2,
    }


@pytest.mark.parametrize("fault", Fault)
def test_lasting_fault_raises_store_unreachable(scripted_proxy: Proxy, fault: Fault) -> None:
    client = make_short_timeout_client(scripted_proxy)
    bucket = S3Store(BUCKET, "faults", lambda: client)
    bucket.put("a", b"0123456789")
    scripted_proxy.rate, scripted_proxy.faults = 1.0, (fault,)
    with pytest.raises(StoreUnreachable):
        bucket.get("a")
    with pytest.raises(StoreUnreachable):
        bucket.get_range("a", 2, 5)
    # The client retries neither forever, nor three times in each of two layers.
    assert scripted_proxy.counts()["GET", "object"] == 6


def test_failed_upload_keeps_the_old_object(
    bucket: S3Store, scripted_proxy: Proxy, tmp_path: Path
) -> None:
    bucket.put("big", b"before")
    source = tmp_path / "source"
    source.write_bytes(bytes(9 << 20))
    parts, attempts = 2, 3
    scripted_proxy.script(None, *[Fault.ERROR] * parts * attempts)
    with pytest.raises(StoreUnreachable):
        bucket.upload(source, "big")
    assert bucket.get("big") == b"before"
    assert list(bucket.unfinished_uploads("")) == []
    assert scripted_proxy.counts()["DELETE", "upload"]


def test_failed_download_keeps_the_old_file(
    bucket: S3Store, scripted_proxy: Proxy, tmp_path: Path
) -> None:
    bucket.put("a", b"0123456789")
    target = tmp_path / "target"
    target.write_bytes(b"before")
    scripted_proxy.rate, scripted_proxy.faults = 1.0, (Fault.CUT,)
    with pytest.raises(StoreUnreachable):
        bucket.download("a", target)
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


def test_outage_is_waited_out(bucket: S3Store, scripted_proxy: Proxy) -> None:
    bucket.put("a", b"x")
    with scripted_proxy.outage():
        with pytest.raises(StoreUnreachable):
            bucket.get("a")
        with pytest.raises(StoreUnreachable):
            RetryingStore(bucket, 0.5).put("a", b"y")
        began = threading.Event()

        def wait(seconds: float) -> None:
            began.set()
            time.sleep(seconds)

        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(RetryingStore(bucket, RETRY_TIMEOUT, wait).get, "a")
            assert began.wait(RETRY_TIMEOUT)
            assert not waiting.done()
            scripted_proxy.out = False
            assert waiting.result(RETRY_TIMEOUT) == b"x"


def test_paged_listing_continues_after_faults(store: RetryingStore, scripted_proxy: Proxy) -> None:
    """The second page fails more often than boto3 retries."""
    place = store.address.partition(f"{BUCKET}/")[2]

    def page(names: list[str], end: str) -> Canned:
        date = "<LastModified>2026-01-01T00:00:00Z</LastModified>"
        found = "".join(
            f"<Contents><Key>{place}/{name}</Key>{date}<Size>1</Size></Contents>" for name in names
        )
        return Canned(200, f"<ListBucketResult>{found}{end}</ListBucketResult>".encode())

    more = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
    first, second = page(["a", "b"], more), page(["c", "d"], "")
    scripted_proxy.script(first, *[Fault.ERROR] * 3, first, second)
    assert [entry.key for entry in store.list_objects("")] == ["a", "b", "c", "d"]
    assert scripted_proxy.counts() == {("GET", "list"): 6}
