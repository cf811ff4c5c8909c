"""Whether a store can be shared: whether of many writers at once exactly one succeeds."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from jobs.store.errors import Missing, StoreRefused
from jobs.store.store import Store

PROBE = ".dreamfarm/probe/"
"""Where the probe's objects lie, for a moment."""


_WRITERS = 8


def check_exclusive(store: Store) -> None:
    """Try whether put_if_absent does what leases rest on.

    Raises StoreRefused, naming what failed, for a store that must not be shared.
    """
    key = f"{PROBE}{uuid.uuid4().hex}"
    try:
        failure = _race(store, key) or _afterthought(store, key)
    finally:
        store.delete([key])
    if failure:
        raise StoreRefused(
            f"{store.address}: conditional writes do nothing here ({failure}): it cannot be "
            "shared; use a store that honours If-None-Match, such as AWS S3 or Ceph"
        )


def _race(store: Store, key: str) -> str | None:
    """Many at once: exactly one may win, and what is there is the winner's."""
    start = Barrier(_WRITERS)

    def write(token: bytes) -> bool:
        start.wait()
        return store.put_if_absent(key, token)

    tokens = [uuid.uuid4().hex.encode() for _ in range(_WRITERS)]
    with ThreadPoolExecutor(_WRITERS) as pool:
        won = [token for token, win in zip(tokens, pool.map(write, tokens), strict=True) if win]
    if len(won) > 1:
        return f"{len(won)} of {_WRITERS} simultaneous writers won"
    held = _content(store, key)
    if held is None:
        return "no simultaneous writer has written"
    # None may know that it won: where an answer is lost the request is sent again.
    if held not in (won or tokens):
        return "a simultaneous writer that lost has written"
    return None


def _afterthought(store: Store, key: str) -> str | None:
    """One more, afterwards: it must be refused, and leave what is there."""
    before = _content(store, key)
    if store.put_if_absent(key, uuid.uuid4().hex.encode()):
        return "a later writer won too"
    if _content(store, key) != before:
        return "a later writer was refused, and has written"
    return None


def _content(store: Store, key: str) -> bytes | None:
    try:
        return store.get(key)
    except Missing:
        return None
