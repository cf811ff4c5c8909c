"""When a notice is sent, how often, and by whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.notify.attempts import Attempt, AttemptLog, Outcome, Result, Rules, next_step
from jobs.text.errors import InvalidRecord
from tests.support.memory_store import ForgetfulStore, MemoryStore

RULES = Rules(dead_after=60, first_delay=10, growth=3, most_attempts=5)


def attempts(*results: Result | None) -> list[Attempt]:
    return [
        Attempt(nonce="n", token="t", holder="here:1", time="now", result=one) for one in results
    ]


def step(*results: Result | None, age: float) -> float | None:
    """The seconds until the next attempt; None if there is none."""
    found = next_step(attempts(*results), age, RULES)
    return None if found.is_over else found.wait


@pytest.mark.parametrize(
    ("results", "age", "wait"),
    [
        ((), 0, 0),
        (("sent",), 999, None),
        (("rejected",), 999, None),
        (("refused",), 4, 6),
        (("refused",), 11, 0),
        (("refused", "refused"), 0, 30),
        (("unanswered",), 0, 10),
        (("unanswered", "unanswered"), 999, None),
        (("unanswered", "refused", "unanswered"), 999, None),
        ((None,), 59, 1),
        ((None,), 61, 0),
        ((None, None), 59, 1),
        ((None, None), 61, None),
        (("refused", None), 61, 0),
        (("sent", None), 1, None),
        (("refused",) * 5, 10_000, None),
    ],
)
def test_the_next_attempt_follows_from_those_before(
    results: tuple[Result | None, ...], age: float, wait: float | None
) -> None:
    assert step(*results, age=age) == wait


@given(
    st.lists(st.sampled_from(["sent", "refused", "unanswered", "rejected", None]), max_size=20),
    st.floats(0, 1e5),
)
def test_no_more_than_two_messages_may_arrive(ends: list[Result | None], age: float) -> None:
    made: list[Result | None] = []
    for end in ends:
        if step(*made, age=1e6) is None:
            break
        made.append(end)
    assert sum(one.may_have_arrived for one in attempts(*made)) <= RULES.most_messages
    assert len(made) <= RULES.most_attempts


@pytest.mark.parametrize("kind", [MemoryStore, ForgetfulStore])
def test_one_of_two_senders_begins_an_attempt(kind: type[MemoryStore]) -> None:
    store = kind()
    logs = [AttemptLog(store, "jobs/a/notified/", holder, "n") for holder in ("here:1", "there:2")]
    begun = [log.begin(1) for log in logs]
    assert [attempt is not None for attempt in begun] == [True, False]
    assert begun[0] is not None
    ended = logs[0].end(1, begun[0], Outcome("refused", "answered 503"))
    store.now += 7
    assert logs[1].read() == ([ended], 7)
    assert (ended.result, ended.detail) == ("refused", "answered 503")


def test_too_many_attempts_are_no_records_of_ours() -> None:
    store = MemoryStore()
    (attempt,) = attempts("refused")
    for number in range(1, 102):
        store.put(f"jobs/a/notified/{number}.json", attempt.encode())
    with pytest.raises(InvalidRecord, match="has 100 attempts or more"):
        AttemptLog(store, "jobs/a/notified/", "here:1", "n").read()
