"""A test whether a store supports conditional writes. Leases rely on them."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from jobs.store.errors import ObjectNotFound, StoreRefused
from jobs.store.store import Store

PROBE_PREFIX = ".dreamfarm/probe/"
"""The prefix of the temporary objects of this test."""


_WRITERS = 8


def check_conditional_writes(store: Store) -> None:
    """Test whether put_if_absent lets exactly one of several writers succeed.

    Raises StoreRefused if not, because then several machines must not share the store.
    """
    key = f"{PROBE_PREFIX}{uuid.uuid4().hex}"
    try:
        failure = _write_simultaneously(store, key) or _write_once_more(store, key)
    finally:
        store.delete([key])
    if failure:
        raise StoreRefused(
            f"{store.address}: conditional writes have no effect ({failure}), so the store cannot "
            "be shared; use one that honours If-None-Match, such as AWS S3 or Ceph"
        )


def _write_simultaneously(store: Store, key: str) -> str | None:
    """Write from several threads at once: exactly one may succeed, and its content must be stored.

    Returns a description of the failure, or None.
    """
    start = Barrier(_WRITERS)

    def write(token: bytes) -> bool:
        start.wait()
        return store.put_if_absent(key, token)

    tokens = [uuid.uuid4().hex.encode() for _ in range(_WRITERS)]
    with ThreadPoolExecutor(_WRITERS) as pool:
        winners = [
            token for token, has_won in zip(tokens, pool.map(write, tokens), strict=True) if has_won
        ]
    if len(winners) > 1:
        return f"{len(winners)} of {_WRITERS} simultaneous writers won"
    content = _read_or_none(store, key)
    if content is None:
        return "no simultaneous writer wrote anything"
    # The winner may not know that it won: a request is sent again if its answer is lost.
    if content not in (winners or tokens):
        return "a simultaneous writer lost, but wrote anyway"
    return None


def _write_once_more(store: Store, key: str) -> str | None:
    """Write again: the store must refuse, and change nothing. Returns the failure, or None."""
    before = _read_or_none(store, key)
    if store.put_if_absent(key, uuid.uuid4().hex.encode()):
        return "a later writer won too"
    if _read_or_none(store, key) != before:
        return "a later writer was refused, but wrote anyway"
    return None


def _read_or_none(store: Store, key: str) -> bytes | None:
    try:
        return store.get(key)
    except ObjectNotFound:
        return None
