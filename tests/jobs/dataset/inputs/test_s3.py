"""Inputs in a bucket: listing them, and errors."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from jobs.dataset.inputs.s3 import s3_client
from jobs.store.errors import StoreError, StoreRefused, StoreUnreachable
from jobs.text.errors import RequestError
from tests.support.faulty_proxy import Canned, Proxy, canned_error, faulty_proxy
from tests.support.listed_inputs import S3Prefix, list_inputs, list_keys
from tests.support.s3_servers import BUCKET, Server, free_ports, s3_environment

KEYS = ["a b.jpg", "ä/ö.png", "c+d=e&f?.webp", "g%20h.tif", "i'\"<>.jpg", "j//k.jpg", "l\tm.jpg"]


def test_keys_are_relative_to_the_prefix_and_have_any_characters(prefix: S3Prefix) -> None:
    for key in KEYS:
        prefix.put(f"p/{key}")
    prefix.put("p/n.txt")
    prefix.put("p/.hidden/o.jpg")
    prefix.put("p/folder.jpg/", b"")
    prefix.put("p-2/q.jpg")
    for path in (f"{prefix.address}/p", f"{prefix.address}/p/"):
        listed = list_inputs(path)
        assert [one.key for one in listed] == sorted(KEYS)
        assert [one.place.address for one in listed] == [
            f"{prefix.address}/p/{key}" for key in sorted(KEYS)
        ]


def test_globs_and_single_pictures_are_found(prefix: S3Prefix) -> None:
    for key in ("2019/a.jpg", "2019/b/c.jpg", "2020/d.jpg", "2020/d.jpg.old/e.jpg", "2020/f.png"):
        prefix.put(key)
    assert list_keys(f"{prefix.address}/20*/*.jpg") == ["2019/a.jpg", "2020/d.jpg"]
    assert list_keys(f"{prefix.address}/**/*.jpg") == [
        "2019/a.jpg",
        "2019/b/c.jpg",
        "2020/d.jpg",
        "2020/d.jpg.old/e.jpg",
    ]
    assert list_keys(f"{prefix.address}/2020/d.jpg") == ["d.jpg"]


@pytest.mark.parametrize("count", [3, pytest.param(1003, marks=pytest.mark.slow)])
def test_a_whole_bucket_is_listed_page_by_page(prefix: S3Prefix, count: int) -> None:
    bucket = f"whole-{prefix.name[-8:]}"
    s3_client().create_bucket(Bucket=bucket)
    names = [f"{number:04}.jpg" for number in range(count)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda name: s3_client().put_object(Bucket=bucket, Key=name), names))
    for path in (f"s3://{bucket}", f"s3://{bucket}/"):
        assert list_keys(path) == names


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (f"s3://{BUCKET}/nowhere", "no pictures there"),
        (f"s3://{BUCKET}/nowhere/*.jpg", "no pictures there"),
        ("s3://no-such-bucket/a", "s3://no-such-bucket/a: no such bucket"),
        (f"s3://{BUCKET}/nowhere.csv", "nowhere.csv: no such object"),
        (f"s3://{BUCKET}/nowhere.tar", "nowhere.tar: no such object"),
        ("s3://No_Bucket/a", "a bucket name has"),
        ("s3://", "s3:"),
        ("s3://buck*/a.jpg", "s3:"),
    ],
)
def test_a_missing_address_is_a_one_line_error(prefix: S3Prefix, path: str, words: str) -> None:
    with pytest.raises(RequestError) as caught:
        list_inputs(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.fixture
def proxy(moto: Server) -> Iterator[Proxy]:
    """A proxy between the client and the server."""
    s3_client.cache_clear()
    with faulty_proxy(moto.endpoint) as proxy, s3_environment(moto.behind(proxy.endpoint)):
        yield proxy
    s3_client.cache_clear()


ANSWERS: list[tuple[Canned, type[Exception], str]] = [
    (canned_error(403, "AccessDenied"), RequestError, "access denied"),
    (canned_error(403, "SignatureDoesNotMatch"), StoreRefused, "wrong secret key"),
    (canned_error(503, "SlowDown"), StoreUnreachable, "the store failed (503 SlowDown)"),
]


def test_errors_of_a_bucket_contain_no_secrets(proxy: Proxy) -> None:
    for answer, kind, words in ANSWERS:
        proxy.reset(0)
        proxy.script(*[answer] * 3)
        with pytest.raises((RequestError, StoreError)) as caught:
            list_inputs(f"s3://{BUCKET}/p")
        assert type(caught.value) is kind
        assert str(caught.value).startswith(f"s3://{BUCKET}/p")
        assert words in str(caught.value)
        assert "testsecret" not in str(caught.value)


def test_the_error_without_a_connection_contains_no_password() -> None:
    s3_client.cache_clear()
    endpoint = f"http://user:password@127.0.0.1:{free_ports(1)}"
    with s3_environment(Server(endpoint)), pytest.raises(StoreUnreachable) as caught:
        list_inputs(f"s3://{BUCKET}/p")
    assert "no connection" in str(caught.value)
    assert "password" not in str(caught.value)
    s3_client.cache_clear()
