"""The keys of the ledger: making and parsing them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.dataset.ledger.reader import LedgerCopy
from jobs.store.key import is_key
from tests.support.job_states import JOB
from tests.support.ledger_rows import LEDGER_KEYS

item_numbers = st.integers(0, 10**8)


def test_the_format_of_keys() -> None:
    assert LEDGER_KEYS.partial(7, 2) == f"jobs/{JOB}/ledger/000007/000002.jsonl"
    assert LEDGER_KEYS.complete(7, 12) == f"jobs/{JOB}/ledger/000007/000012.complete.jsonl"


@given(item_numbers, item_numbers)
def test_the_key_of_a_copy_is_parsed(n: int, lease: int) -> None:
    partial, complete = LEDGER_KEYS.partial(n, lease), LEDGER_KEYS.complete(n, lease)

    assert LEDGER_KEYS.parse(partial) == LedgerCopy(n, lease, is_complete=False)
    assert LEDGER_KEYS.parse(complete) == LedgerCopy(n, lease, is_complete=True)
    assert all(
        is_key(key) and key.startswith(LEDGER_KEYS.file_prefix(n)) for key in (partial, complete)
    )


@pytest.mark.parametrize(
    "rest",
    [
        "000001",
        "000001/000001.json",
        "000001/000001.partial.jsonl",
        "1/000001.jsonl",
        "0000001/000001.jsonl",
        "000001/0000001.jsonl",
        "000001/000001.jsonl/x",
        "000001/x/000001.jsonl",
        "000001/٠٠٠٠٠١.jsonl",
    ],
)
def test_other_keys_are_not_copies(rest: str) -> None:
    assert LEDGER_KEYS.parse(f"{LEDGER_KEYS.prefix}{rest}") is None


def test_copies_of_another_job_are_not_parsed() -> None:
    assert LEDGER_KEYS.parse("jobs/other-0123456789ab/ledger/000001/000001.jsonl") is None
