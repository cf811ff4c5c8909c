"""Rows and keys of a ledger."""

from typing import Any

from jobs.dataset.ledger.reader import LedgerKeys
from jobs.dataset.ledger.rows import LedgerRow
from tests.support.job_states import JOB

LEDGER_KEYS = LedgerKeys(JOB)


def ledger_row(number: int, **changes: Any) -> LedgerRow:
    """The row of an item: done under lease 1, with these changes."""
    fields: dict[str, Any] = {
        "number": number,
        "key": f"in/{number}.jpg",
        "variant": 0,
        "name": f"in/{number}",
        "state": "done",
        "input": f"/pictures/{number}.jpg",
        "lease": 1,
        "generation": 0,
    }
    return LedgerRow(**fields | changes)


def encode_rows(*rows: LedgerRow) -> bytes:
    """A ledger file with these rows."""
    return b"".join(one.encode() for one in rows)
