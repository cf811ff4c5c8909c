"""Which task goes to which member, and what follows from an answer or a loss.

Knows no processes and no clock: `Pool` acts, this decides.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

from cluster.errors import MemberLost
from cluster.task import Failed, Finished, Outcome, Quarantined, Task

_RAISES = 3
"""Attempts that end in an error of the method's own before its task is given up."""


_LOSSES_ALONE = 2
"""Members that a task may lose while alone; one loss could be a kill from outside."""


_STRIKES = 3
"""Of a member: tasks, more than it has finished since, that failed there and passed elsewhere."""


class Deal(NamedTuple):
    """Hand `task` to `member`; the answer is told by `ticket`, which no other deal has."""

    member: int
    ticket: int
    task: Task


class Dealer:
    """Deals tasks to the members of a pool and keeps account of both.

    Whatever waits to be tried again counts as in flight, so never more than size * depth tasks
    are pulled and unfinished.
    """

    def __init__(self, size: int, depth: int) -> None:
        self._depth = depth
        self._seats = [_Seat(member) for member in range(size)]
        self._source: Iterator[Task] = iter(())
        self._is_exhausted = True
        self._at: dict[int, _Seat] = {}
        self._suspects: deque[_Load] = deque()
        self._again: deque[_Load] = deque()
        self._vacant: list[int] = []
        self._losses_in_a_row = 0
        self._tickets = count()

    def feed(self, tasks: Iterable[Task]) -> None:
        """Take tasks from here, one by one, each when a member has room for it."""
        self._source = iter(tasks)
        self._is_exhausted = False

    @property
    def is_done(self) -> bool:
        """Whether every task that there was has its outcome."""
        return self._is_exhausted and not self._unfinished

    @property
    def has_members(self) -> bool:
        """Whether any member is there to be dealt to."""
        return any(seat.is_taken for seat in self._seats)

    def vacated(self) -> Sequence[int]:
        """Members that are to be made anew, each told once."""
        vacant, self._vacant = self._vacant, []
        return vacant

    def welcome(self, member: int) -> None:
        """The member is there now."""
        self._seats[member].is_taken = True

    def deal(self) -> Deal | None:
        """The next task to hand over; None while there is none or nobody has room."""
        return self._deal_suspect() or self._deal_others()

    def returned(self, ticket: int, value: Any) -> Sequence[Outcome]:
        """What is over now that a method has returned; nothing for the ticket of a lost member."""
        seat = self._at.pop(ticket, None)
        if seat is None:
            return ()
        load = self._answer(seat, ticket)
        seat.strikes = max(seat.strikes - 1, 0)
        for other in load.failed_at - {seat}:
            self._strike(other)
        return (Finished(load.task.id, value, seat.member, load.attempts),)

    def raised(self, ticket: int, error: Exception) -> Sequence[Outcome]:
        """What is over now that a method has raised; nothing for the ticket of a lost member."""
        seat = self._at.pop(ticket, None)
        if seat is None:
            return ()
        load = self._answer(seat, ticket)
        load.raises += 1
        load.failed_at |= {seat}
        if load.raises == _RAISES:
            return (Failed(load.task.id, error, seat.member, load.attempts),)
        self._again.append(load)
        return ()

    def lost(self, member: int, reason: str, *, is_blameless: bool = False) -> Sequence[Outcome]:
        """What is over now that a member is lost, started or not.

        is_blameless: no task can have caused it, as when its machine has gone.

        Raises:
            MemberLost: too many in a row, with no answer and no quarantine in between.
        """
        seat = self._seats[member]
        was_alone, loads = seat.is_alone, self._vacate(seat)
        if not was_alone:
            self._suspects.extend(loads)
            return self._count_loss(member, reason)
        (suspect,) = loads
        suspect.losses_alone += not is_blameless
        if suspect.losses_alone < _LOSSES_ALONE:
            # It stays first in line: else all suspects could be tried once before any verdict.
            self._suspects.appendleft(suspect)
            return self._count_loss(member, reason)
        self._losses_in_a_row = 0
        return (Failed(suspect.task.id, Quarantined(reason), member, suspect.attempts),)

    @property
    def _unfinished(self) -> int:
        return len(self._at) + len(self._again) + len(self._suspects)

    def _deal_suspect(self) -> Deal | None:
        if not self._suspects:
            return None
        for seat in self._seats:
            if seat.is_taken and not seat.loads:
                seat.is_alone = True
                return self._hand(seat, self._suspects.popleft())
        return None

    def _deal_others(self) -> Deal | None:
        reserved = self._reserved()
        rooms = [
            seat
            for seat in self._seats
            if seat.is_taken
            and not seat.is_alone
            and len(seat.loads) < self._depth
            and seat is not reserved
        ]
        return (self._deal_again(rooms) or self._deal_new(rooms)) if rooms else None

    def _reserved(self) -> "_Seat | None":
        """Who is handed nothing more until it is empty, so that suspects get their turn."""
        if not self._suspects or any(seat.is_alone for seat in self._seats):
            return None
        taken = [seat for seat in self._seats if seat.is_taken]
        return min(taken, key=lambda seat: len(seat.loads), default=None)

    def _deal_again(self, rooms: "list[_Seat]") -> Deal | None:
        for place, load in enumerate(self._again):
            others = [seat for seat in rooms if seat not in load.failed_at]
            if others or not self._is_anyone_else(load):
                del self._again[place]
                return self._hand(_freest(others or rooms), load)
        return None

    def _is_anyone_else(self, load: "_Load") -> bool:
        return any(seat.is_taken and seat not in load.failed_at for seat in self._seats)

    def _deal_new(self, rooms: "list[_Seat]") -> Deal | None:
        if self._is_exhausted or self._unfinished >= len(self._seats) * self._depth:
            return None
        task = next(self._source, None)
        if task is None:
            self._is_exhausted = True
            return None
        return self._hand(_freest(rooms), _Load(task))

    def _hand(self, seat: "_Seat", load: "_Load") -> Deal:
        ticket = next(self._tickets)
        load.attempts += 1
        seat.loads[ticket] = load
        seat.last_ticket = ticket
        self._at[ticket] = seat
        return Deal(seat.member, ticket, load.task)

    def _answer(self, seat: "_Seat", ticket: int) -> "_Load":
        self._losses_in_a_row = 0
        seat.is_alone = False
        return seat.loads.pop(ticket)

    def _strike(self, seat: "_Seat") -> None:
        seat.strikes += 1
        if seat.strikes == _STRIKES and seat.is_taken:
            was_alone, loads = seat.is_alone, self._vacate(seat)
            # What was in flight is ended by us: nobody's fault.
            (self._suspects if was_alone else self._again).extendleft(loads)

    def _vacate(self, seat: "_Seat") -> "list[_Load]":
        """Empty a seat for a new member, which has no part in the old one's strikes."""
        for ticket in seat.loads:
            del self._at[ticket]
        seat.is_taken = False
        self._seats[seat.member] = _Seat(seat.member)
        self._vacant.append(seat.member)
        loads = list(seat.loads.values())
        seat.loads.clear()
        return loads

    def _count_loss(self, member: int, reason: str) -> Sequence[Outcome]:
        self._losses_in_a_row += 1
        # Where each member dies with its tasks and then alone with one, a verdict comes earlier.
        if self._losses_in_a_row > 3 * len(self._seats) + 3:
            raise MemberLost(member, f"{reason} ({self._losses_in_a_row} losses in a row)")
        return ()


@dataclass(slots=True)
class _Load:
    """A task that has been pulled and has no outcome yet."""

    task: Task
    attempts: int = 0
    raises: int = 0
    losses_alone: int = 0
    failed_at: "frozenset[_Seat]" = frozenset()


@dataclass(slots=True, eq=False)
class _Seat:
    """One life of a member: whoever is started in its place takes a new seat."""

    member: int
    is_taken: bool = False
    is_alone: bool = False
    strikes: int = 0
    last_ticket: int = -1
    loads: dict[int, _Load] = field(default_factory=dict)


def _freest(seats: list[_Seat]) -> _Seat:
    return min(seats, key=lambda seat: (len(seat.loads), seat.last_ticket))
