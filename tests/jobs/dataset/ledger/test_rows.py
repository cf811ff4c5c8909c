"""Counting the rows of items."""

from hypothesis import given
from hypothesis import strategies as st

from jobs.dataset.ledger.rows import LedgerCounts, LedgerRow
from tests.support.ledger_rows import ledger_row

failures = st.sampled_from(["infra", "memory", "input", "bug"])
some_rows = st.lists(
    st.builds(ledger_row, st.integers(0, 9))
    | st.builds(ledger_row, st.integers(0, 9), state=st.just("failed"), failure=failures)
)


@given(some_rows, some_rows)
def test_counts_of_parts_add_and_subtract(one: list[LedgerRow], other: list[LedgerRow]) -> None:
    whole = LedgerCounts.of_rows([*one, *other])

    assert LedgerCounts.of_rows(one) + LedgerCounts.of_rows(other) == whole
    assert whole - LedgerCounts.of_rows(other) == LedgerCounts.of_rows(one)
    assert whole.recorded == len(one) + len(other)


def test_counts_by_state_and_failure() -> None:
    rows = [
        ledger_row(0),
        ledger_row(1),
        ledger_row(2, state="failed", failure="input"),
        ledger_row(3, state="failed", failure="infra"),
        ledger_row(4, state="failed", failure="input"),
        ledger_row(5, state="failed"),
    ]
    counts = LedgerCounts(items=10) + LedgerCounts.of_rows(rows)

    assert (counts.recorded, counts.remaining) == (6, 4)
    assert counts.document() == {
        "items": 10,
        "done": 2,
        "failed": {"infra": 1, "memory": 0, "input": 2, "bug": 1},
    }


def test_adding_does_not_change_the_operands() -> None:
    one = LedgerCounts.of_rows([ledger_row(0, state="failed", failure="input")])
    total = one + one - one

    assert one == total == LedgerCounts.of_rows([ledger_row(1, state="failed", failure="input")])
