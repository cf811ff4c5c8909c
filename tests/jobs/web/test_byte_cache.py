"""The cache of pictures."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from jobs.web.byte_cache import ByteCache


def test_what_was_used_last_stays() -> None:
    cache, made = ByteCache(30), []

    def get(key: str) -> bytes:
        def make() -> bytes:
            made.append(key)
            return bytes(10)

        return cache.get(key, make)

    for key in ("a", "b", "c", "a", "d", "a", "b"):
        assert get(key) == bytes(10)
    assert made == ["a", "b", "c", "d", "b"]


def test_what_is_larger_than_the_cache_is_made_each_time() -> None:
    cache = ByteCache(5)
    assert [cache.get("a", lambda: bytes(6)) for _ in range(2)] == [bytes(6)] * 2
    assert cache.get("b", lambda: b"12345") == b"12345"


def test_many_who_want_the_same_wait_for_one() -> None:
    cache, made, begin = ByteCache(100), [], threading.Barrier(8)

    def make() -> bytes:
        made.append(1)
        threading.Event().wait(0.1)
        return b"x"

    def ask(_: int) -> bytes:
        begin.wait()
        return cache.get("a", make)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [b"x"] * 8
    assert made == [1]


def test_an_error_is_told_and_not_remembered() -> None:
    cache = ByteCache(100)

    def fail() -> bytes:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cache.get("a", fail)
    assert cache.get("a", lambda: b"yes") == b"yes"
