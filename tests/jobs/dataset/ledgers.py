"""Rows and keys for the tests of the ledger."""

from typing import Any

from jobs.dataset.ledger.reading import LedgerKeys
from jobs.dataset.ledger.rows import Row
from tests.jobs.lifecycle.scene import JOB

KEYS = LedgerKeys(JOB)


def row(number: int, **changes: Any) -> Row:
    """A row of that item, done under lease 1 unless told otherwise."""
    usual: dict[str, Any] = {
        "number": number,
        "key": f"in/{number}.jpg",
        "variant": 0,
        "name": f"in/{number}",
        "state": "done",
        "input": f"/pictures/{number}.jpg",
        "lease": 1,
        "generation": 0,
    }
    return Row(**usual | changes)


def encoded(*rows: Row) -> bytes:
    """A copy of a page."""
    return b"".join(one.encoded() for one in rows)
