"""The dispatcher, with random sequences of answers, errors and losses."""

from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.dispatcher import Dispatcher
from cluster.errors import MemberLost, Quarantined
from cluster.pool import Pool
from cluster.task import Failed, Finished, Outcome, Task
from tests.support.scripted_pool import ScriptedPool

METHODS = st.lists(st.sampled_from(["pass", "pass", "pass", "stumble", "raise", "kill"]))


@given(
    methods=METHODS,
    size=st.integers(1, 4),
    depth=st.integers(1, 4),
    chance=st.randoms(),
    kills=st.integers(0, 3),
)
def test_every_task_has_one_outcome_and_the_right_one(
    methods: list[str], size: int, depth: int, chance: Random, kills: int
) -> None:
    pulled = 0

    def tasks() -> Iterator[Task]:
        nonlocal pulled
        for number, method in enumerate(methods):
            pulled += 1
            yield Task(number, method)

    outcomes: list[Finished | Failed] = []
    pool = ScriptedPool(size, depth, chance, kills)
    for outcome in pool.run(tasks(), tick=60):
        assert outcome is not None
        outcomes.append(outcome)
        assert pulled <= len(outcomes) + size * depth

    assert Counter(outcome.task_id for outcome in outcomes) == Counter(range(len(methods)))
    for outcome in outcomes:
        match methods[outcome.task_id]:
            case "pass" | "stumble":
                assert isinstance(outcome, Finished)
                assert outcome.value == -outcome.task_id
            case "raise":
                assert isinstance(outcome, Failed)
                assert isinstance(outcome.error, KeyError)
                assert outcome.attempts >= 3
            case "kill":
                assert isinstance(outcome, Failed)
                assert isinstance(outcome.error, Quarantined)
                assert outcome.error.reason == "it was killed"
                assert outcome.attempts >= 2


def outcomes_of(pool: Pool, methods: list[str]) -> dict[int, Finished | Failed]:
    run = pool.run((Task(number, method) for number, method in enumerate(methods)), tick=60)
    return {outcome.task_id: outcome for outcome in run if outcome is not None}


@given(chance=st.randoms(), size=st.integers(1, 5), depth=st.integers(1, 5))
def test_a_run_of_only_deadly_tasks_does_not_blame_the_cluster(
    chance: Random, size: int, depth: int
) -> None:
    outcomes = outcomes_of(ScriptedPool(size, depth, chance, kills=0), ["kill"] * 30)
    assert [type(outcome) for outcome in outcomes.values()] == [Failed] * 30


@given(chance=st.randoms(), depth=st.integers(1, 4))
def test_a_deadly_task_costs_three_members_at_most(chance: Random, depth: int) -> None:
    pool = ScriptedPool(3, depth, chance, kills=0)
    outcomes_of(pool, ["pass"] * 10 + ["kill"] + ["pass"] * 10)
    assert pool.deaths == 3


def dispatcher_with(size: int, depth: int, number: int) -> Dispatcher:
    dispatcher = Dispatcher(size, depth)
    for member in range(size):
        dispatcher.member_started(member)
    dispatcher.set_source(Task(number, "work") for number in range(number))
    return dispatcher


def test_the_first_tasks_are_spread_over_the_members() -> None:
    dispatcher = dispatcher_with(size=3, depth=2, number=10)
    members = [assignment.member for assignment in iter(dispatcher.next_assignment, None)]
    assert members == [0, 1, 2, 0, 1, 2]


def test_a_task_that_raised_waits_for_another_member() -> None:
    dispatcher = dispatcher_with(size=2, depth=1, number=3)
    first, second = iter(dispatcher.next_assignment, None)
    assert dispatcher.task_raised(first.ticket, KeyError()) == ()
    assert dispatcher.next_assignment() is None
    dispatcher.task_returned(second.ticket, None)
    again, third = iter(dispatcher.next_assignment, None)
    assert (again.member, again.task) == (second.member, first.task)
    assert (third.member, third.task.id) == (first.member, 2)


def test_a_single_member_retries_its_own_task() -> None:
    dispatcher = dispatcher_with(size=1, depth=1, number=1)
    for attempt in (1, 2, 3):
        assignment = dispatcher.next_assignment()
        assert assignment is not None
        error = KeyError(attempt)
        given_up = dispatcher.task_raised(assignment.ticket, error)
    assert given_up == (Failed(0, error, member=0, attempts=3),)
    assert dispatcher.members_to_start() == []


def test_an_answer_of_a_lost_member_is_ignored() -> None:
    dispatcher = dispatcher_with(size=2, depth=2, number=4)
    assignments = list(iter(dispatcher.next_assignment, None))
    dispatcher.member_lost(0, "killed")
    late = [assignment for assignment in assignments if assignment.member == 0]
    assert len(late) == 2
    assert [dispatcher.task_returned(assignment.ticket, None) for assignment in late] == [(), ()]
    assert [dispatcher.task_raised(assignment.ticket, KeyError()) for assignment in late] == [
        (),
        (),
    ]
    assert not dispatcher.is_done


def lose_isolated(dispatcher: Dispatcher, *, is_blameless: bool) -> Sequence[Outcome]:
    """The outcomes when the only task loses the member that runs it in isolation."""
    assignment = dispatcher.next_assignment()
    assert assignment is not None
    assert dispatcher.next_assignment() is None
    outcomes = dispatcher.member_lost(assignment.member, "lost", is_blameless=is_blameless)
    for member in dispatcher.members_to_start():
        dispatcher.member_started(member)
    return outcomes


def test_only_losses_that_a_task_may_have_caused_count_against_it() -> None:
    dispatcher = dispatcher_with(size=2, depth=1, number=1)
    lose_isolated(dispatcher, is_blameless=False)
    assert lose_isolated(dispatcher, is_blameless=True) == ()
    assert lose_isolated(dispatcher, is_blameless=True) == ()
    assert lose_isolated(dispatcher, is_blameless=False) == ()
    (outcome,) = lose_isolated(dispatcher, is_blameless=False)
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, Quarantined)
    assert dispatcher.is_done


def test_a_task_finishes_after_any_number_of_blameless_losses() -> None:
    dispatcher = dispatcher_with(size=1, depth=1, number=1)
    for _ in range(3):
        assert lose_isolated(dispatcher, is_blameless=True) == ()
    assignment = dispatcher.next_assignment()
    assert assignment is not None
    assert dispatcher.task_returned(assignment.ticket, "done") == (
        Finished(0, "done", member=0, attempts=4),
    )


def strikes_until_replaced(dispatcher: Dispatcher, finished_in_between: int) -> int | None:
    """How many tasks fail on member 0 and finish on member 1 until member 0 is replaced.

    None if it is not replaced. Member 0 finishes `finished_in_between` other tasks after each.
    """
    ids = iter(range(10_000))
    for strike in range(1, 20):
        dispatcher.set_source([Task(next(ids), "work")])
        assignment = dispatcher.next_assignment()
        while assignment is not None and assignment.member != 0:
            dispatcher.task_returned(assignment.ticket, None)
            dispatcher.set_source([Task(next(ids), "work")])
            assignment = dispatcher.next_assignment()
        assert assignment is not None
        dispatcher.task_raised(assignment.ticket, OSError())
        elsewhere = dispatcher.next_assignment()
        assert elsewhere is not None
        assert elsewhere.member == 1
        dispatcher.task_returned(elsewhere.ticket, None)
        if dispatcher.members_to_start() == [0]:
            return strike
        finished = 0
        while finished < finished_in_between:
            dispatcher.set_source([Task(next(ids), "work")])
            assignment = dispatcher.next_assignment()
            assert assignment is not None
            finished += assignment.member == 0
            dispatcher.task_returned(assignment.ticket, None)
    return None


@pytest.mark.parametrize(("finished_in_between", "strikes"), [(0, 3), (1, None), (2, None)])
def test_a_member_that_fails_more_than_it_finishes_is_replaced(
    finished_in_between: int, strikes: int | None
) -> None:
    assert strikes_until_replaced(dispatcher_with(2, 1, 0), finished_in_between) == strikes


def test_losses_without_an_answer_blame_the_cluster() -> None:
    dispatcher = Dispatcher(size=2, depth=1)
    for _ in range(9):
        assert dispatcher.member_lost(0, "no GPU") == ()
        assert dispatcher.members_to_start() == [0]
    with pytest.raises(MemberLost, match=r"member 0 .* no GPU \(10 losses in a row\)"):
        dispatcher.member_lost(0, "no GPU")
