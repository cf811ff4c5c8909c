"""Who is handed what, and what follows: all that can happen, drawn by chance."""

from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.dispatcher import Dealer
from cluster.errors import MemberLost
from cluster.pool import Failed, Finished, Pool, Quarantined, Task
from cluster.task import Outcome
from tests.cluster.scripted_pool import ScriptedPool

METHODS = st.lists(st.sampled_from(["pass", "pass", "pass", "stumble", "raise", "kill"]))


@given(
    methods=METHODS,
    size=st.integers(1, 4),
    depth=st.integers(1, 4),
    chance=st.randoms(),
    kills=st.integers(0, 3),
)
def test_every_task_ends_once_as_it_deserves(
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
def test_a_dataset_of_nothing_but_poison_is_no_fault_of_the_cluster(
    chance: Random, size: int, depth: int
) -> None:
    outcomes = outcomes_of(ScriptedPool(size, depth, chance, kills=0), ["kill"] * 30)
    assert [type(outcome) for outcome in outcomes.values()] == [Failed] * 30


@given(chance=st.randoms(), depth=st.integers(1, 4))
def test_a_deadly_task_costs_three_members_at_most(chance: Random, depth: int) -> None:
    pool = ScriptedPool(3, depth, chance, kills=0)
    outcomes_of(pool, ["pass"] * 10 + ["kill"] + ["pass"] * 10)
    assert pool.deaths == 3


def dealer_of(size: int, depth: int, number: int) -> Dealer:
    dealer = Dealer(size, depth)
    for member in range(size):
        dealer.welcome(member)
    dealer.feed(Task(number, "work") for number in range(number))
    return dealer


def test_the_first_tasks_are_spread_over_the_members() -> None:
    dealer = dealer_of(size=3, depth=2, number=10)
    members = [deal.member for deal in iter(dealer.deal, None)]
    assert members == [0, 1, 2, 0, 1, 2]


def test_a_task_that_raised_waits_for_another_member() -> None:
    dealer = dealer_of(size=2, depth=1, number=3)
    first, second = iter(dealer.deal, None)
    assert dealer.raised(first.ticket, KeyError()) == ()
    assert dealer.deal() is None
    dealer.returned(second.ticket, None)
    again, third = iter(dealer.deal, None)
    assert (again.member, again.task) == (second.member, first.task)
    assert (third.member, third.task.id) == (first.member, 2)


def test_a_member_alone_in_the_world_tries_again_itself() -> None:
    dealer = dealer_of(size=1, depth=1, number=1)
    for attempt in (1, 2, 3):
        deal = dealer.deal()
        assert deal is not None
        error = KeyError(attempt)
        given_up = dealer.raised(deal.ticket, error)
    assert given_up == (Failed(0, error, member=0, attempts=3),)
    assert dealer.vacated() == []


def test_an_answer_of_the_dead_is_not_heard() -> None:
    dealer = dealer_of(size=2, depth=2, number=4)
    deals = list(iter(dealer.deal, None))
    dealer.lost(0, "killed")
    late = [deal for deal in deals if deal.member == 0]
    assert len(late) == 2
    assert [dealer.returned(deal.ticket, None) for deal in late] == [(), ()]
    assert [dealer.raised(deal.ticket, KeyError()) for deal in late] == [(), ()]
    assert not dealer.is_done


def lose_alone(dealer: Dealer, *, is_blameless: bool) -> Sequence[Outcome]:
    """What follows when the only task there is loses the member that it has for itself."""
    deal = dealer.deal()
    assert deal is not None
    assert dealer.deal() is None
    outcomes = dealer.lost(deal.member, "lost", is_blameless=is_blameless)
    for member in dealer.vacated():
        dealer.welcome(member)
    return outcomes


def test_only_losses_that_a_task_may_have_caused_are_held_against_it() -> None:
    dealer = dealer_of(size=2, depth=1, number=1)
    lose_alone(dealer, is_blameless=False)
    assert lose_alone(dealer, is_blameless=True) == ()
    assert lose_alone(dealer, is_blameless=True) == ()
    assert lose_alone(dealer, is_blameless=False) == ()
    (outcome,) = lose_alone(dealer, is_blameless=False)
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, Quarantined)
    assert dealer.is_done


def test_a_task_passes_that_has_lost_its_members_for_no_fault_of_its_own() -> None:
    dealer = dealer_of(size=1, depth=1, number=1)
    for _ in range(3):
        assert lose_alone(dealer, is_blameless=True) == ()
    deal = dealer.deal()
    assert deal is not None
    assert dealer.returned(deal.ticket, "done") == (Finished(0, "done", member=0, attempts=4),)


def strikes_until_replaced(dealer: Dealer, finished_in_between: int) -> int | None:
    """How many tasks may fail at member 0 and pass at member 1; None: any number.

    Member 0 finishes so many of its own after each.
    """
    ids = iter(range(10_000))
    for strike in range(1, 20):
        dealer.feed([Task(next(ids), "work")])
        deal = dealer.deal()
        while deal is not None and deal.member != 0:
            dealer.returned(deal.ticket, None)
            dealer.feed([Task(next(ids), "work")])
            deal = dealer.deal()
        assert deal is not None
        dealer.raised(deal.ticket, OSError())
        elsewhere = dealer.deal()
        assert elsewhere is not None
        assert elsewhere.member == 1
        dealer.returned(elsewhere.ticket, None)
        if dealer.vacated() == [0]:
            return strike
        finished = 0
        while finished < finished_in_between:
            dealer.feed([Task(next(ids), "work")])
            deal = dealer.deal()
            assert deal is not None
            finished += deal.member == 0
            dealer.returned(deal.ticket, None)
    return None


@pytest.mark.parametrize(("finished_in_between", "strikes"), [(0, 3), (1, None), (2, None)])
def test_a_member_is_replaced_that_fails_more_than_it_finishes(
    finished_in_between: int, strikes: int | None
) -> None:
    assert strikes_until_replaced(dealer_of(2, 1, 0), finished_in_between) == strikes


def test_losses_without_an_answer_are_the_clusters_fault() -> None:
    dealer = Dealer(size=2, depth=1)
    for _ in range(9):
        assert dealer.lost(0, "no GPU") == ()
        assert dealer.vacated() == [0]
    with pytest.raises(MemberLost, match=r"member 0 .* no GPU \(10 losses in a row\)"):
        dealer.lost(0, "no GPU")
