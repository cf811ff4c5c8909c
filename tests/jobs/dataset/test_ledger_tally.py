"""The tally: counts as numbers do."""

from hypothesis import given
from hypothesis import strategies as st

from jobs.dataset.ledger.rows import Row, Tally
from tests.jobs.dataset.ledgers import row

failures = st.sampled_from(["infra", "memory", "input", "bug"])
some_rows = st.lists(
    st.builds(row, st.integers(0, 9))
    | st.builds(row, st.integers(0, 9), state=st.just("failed"), failure=failures)
)


@given(some_rows, some_rows)
def test_tallies_of_parts_add_up_and_come_apart_again(one: list[Row], other: list[Row]) -> None:
    whole = Tally.of([*one, *other])

    assert Tally.of(one) + Tally.of(other) == whole
    assert whole - Tally.of(other) == Tally.of(one)
    assert whole.ended == len(one) + len(other)


def test_what_is_counted() -> None:
    rows = [
        row(0),
        row(1),
        row(2, state="failed", failure="input"),
        row(3, state="failed", failure="infra"),
        row(4, state="failed", failure="input"),
        row(5, state="failed"),
    ]
    tally = Tally(items=10) + Tally.of(rows)

    assert (tally.ended, tally.left) == (6, 4)
    assert tally.document() == {
        "items": 10,
        "done": 2,
        "failed": {"infra": 1, "memory": 0, "input": 2, "bug": 1},
    }


def test_adding_changes_neither() -> None:
    one = Tally.of([row(0, state="failed", failure="input")])
    total = one + one - one

    assert one == total == Tally.of([row(1, state="failed", failure="input")])
