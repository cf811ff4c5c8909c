"""The scheduling of a pool: assigns tasks to members, and handles answers and losses.

The dispatcher uses no processes and no clock: it decides, and `Pool` acts.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

from cluster.errors import MemberLost, Quarantined
from cluster.task import Failed, Finished, Outcome, Task

_MAX_ERRORS = 3
"""How many errors of its method make a task Failed."""


_MAX_ISOLATED_LOSSES = 2
"""How many lost members in isolation make a task Quarantined.

A single loss could be a kill from outside.
"""


_MAX_STRIKES = 3
"""How many strikes make the pool replace a member.

A member gets a strike for each task that failed there and then finished elsewhere. Each task that
it finishes itself takes one strike back.
"""


class Assignment(NamedTuple):
    """An order to start `task` on `member`. Report the answer by `ticket`, which is unique."""

    member: int
    ticket: int
    task: Task


class Dispatcher:
    """Assigns tasks to the members of a pool, and tracks the state of both.

    At most size * depth tasks have been pulled and are unfinished, including those that wait for
    another attempt.
    """

    def __init__(self, size: int, depth: int) -> None:
        self._depth = depth
        self._members = [_MemberState(member) for member in range(size)]
        self._source: Iterator[Task] = iter(())
        self._is_exhausted = True
        self._running_on: dict[int, _MemberState] = {}
        self._suspects: deque[_TaskState] = deque()
        self._retries: deque[_TaskState] = deque()
        self._to_start: list[int] = []
        self._consecutive_losses = 0
        self._tickets = count()

    def set_source(self, tasks: Iterable[Task]) -> None:
        """Pull tasks from this iterable, each one when a member is free for it."""
        self._source = iter(tasks)
        self._is_exhausted = False

    @property
    def is_done(self) -> bool:
        """Whether the source is exhausted and every task has its outcome."""
        return self._is_exhausted and not self._unfinished

    @property
    def has_members(self) -> bool:
        """Whether at least one member is running."""
        return any(member.is_live for member in self._members)

    def members_to_start(self) -> Sequence[int]:
        """The members to start again. Each replacement is reported once."""
        members, self._to_start = self._to_start, []
        return members

    def member_started(self, member: int) -> None:
        """The member is ready for tasks."""
        self._members[member].is_live = True

    def next_assignment(self) -> Assignment | None:
        """The next task to start; None if there is no task or no free member."""
        return self._next_suspect() or self._next_other()

    def task_returned(self, ticket: int, value: Any) -> Sequence[Outcome]:
        """A method has returned. Return the outcomes that follow.

        A ticket of a lost member is ignored.
        """
        member = self._running_on.pop(ticket, None)
        if member is None:
            return ()
        entry = self._remove_answered(member, ticket)
        member.strikes = max(member.strikes - 1, 0)
        for other in entry.failed_on - {member}:
            self._strike(other)
        return (Finished(entry.task.id, value, member.number, entry.attempts),)

    def task_raised(self, ticket: int, error: Exception) -> Sequence[Outcome]:
        """A method has raised. Return the outcomes that follow.

        A ticket of a lost member is ignored.
        """
        member = self._running_on.pop(ticket, None)
        if member is None:
            return ()
        entry = self._remove_answered(member, ticket)
        entry.errors += 1
        entry.failed_on |= {member}
        if entry.errors == _MAX_ERRORS:
            return (Failed(entry.task.id, error, member.number, entry.attempts),)
        self._retries.append(entry)
        return ()

    def member_lost(
        self, member: int, reason: str, *, is_blameless: bool = False
    ) -> Sequence[Outcome]:
        """A member is lost, before or after it has started. Return the outcomes that follow.

        is_blameless: whether no task can have caused the loss, for example because the whole
            machine is gone.

        Raises:
            MemberLost: too many losses in a row, with no answer and no quarantine in between.
        """
        state = self._members[member]
        was_isolating, tasks = state.is_isolating, self._replace(state)
        if not was_isolating:
            self._suspects.extend(tasks)
            return self._count_loss(member, reason)
        (suspect,) = tasks
        suspect.isolated_losses += not is_blameless
        if suspect.isolated_losses < _MAX_ISOLATED_LOSSES:
            # It goes first again. Otherwise every suspect could cost a member before the first
            # one is quarantined.
            self._suspects.appendleft(suspect)
            return self._count_loss(member, reason)
        self._consecutive_losses = 0
        return (Failed(suspect.task.id, Quarantined(reason), member, suspect.attempts),)

    @property
    def _unfinished(self) -> int:
        return len(self._running_on) + len(self._retries) + len(self._suspects)

    def _next_suspect(self) -> Assignment | None:
        if not self._suspects:
            return None
        for member in self._members:
            if member.is_live and not member.tasks:
                member.is_isolating = True
                return self._assign(member, self._suspects.popleft())
        return None

    def _next_other(self) -> Assignment | None:
        reserved = self._reserved_for_suspects()
        free = [
            member
            for member in self._members
            if member.is_live
            and not member.is_isolating
            and len(member.tasks) < self._depth
            and member is not reserved
        ]
        return (self._next_retry(free) or self._next_new(free)) if free else None

    def _reserved_for_suspects(self) -> "_MemberState | None":
        """The member that gets no new task until it is idle, so that it can run a suspect."""
        if not self._suspects or any(member.is_isolating for member in self._members):
            return None
        live = [member for member in self._members if member.is_live]
        return min(live, key=lambda member: len(member.tasks), default=None)

    def _next_retry(self, free: "list[_MemberState]") -> Assignment | None:
        for index, entry in enumerate(self._retries):
            others = [member for member in free if member not in entry.failed_on]
            if others or not self._could_run_elsewhere(entry):
                del self._retries[index]
                return self._assign(_least_loaded(others or free), entry)
        return None

    def _could_run_elsewhere(self, entry: "_TaskState") -> bool:
        return any(member.is_live and member not in entry.failed_on for member in self._members)

    def _next_new(self, free: "list[_MemberState]") -> Assignment | None:
        if self._is_exhausted or self._unfinished >= len(self._members) * self._depth:
            return None
        task = next(self._source, None)
        if task is None:
            self._is_exhausted = True
            return None
        return self._assign(_least_loaded(free), _TaskState(task))

    def _assign(self, member: "_MemberState", entry: "_TaskState") -> Assignment:
        ticket = next(self._tickets)
        entry.attempts += 1
        member.tasks[ticket] = entry
        member.last_ticket = ticket
        self._running_on[ticket] = member
        return Assignment(member.number, ticket, entry.task)

    def _remove_answered(self, member: "_MemberState", ticket: int) -> "_TaskState":
        self._consecutive_losses = 0
        member.is_isolating = False
        return member.tasks.pop(ticket)

    def _strike(self, member: "_MemberState") -> None:
        member.strikes += 1
        if member.strikes == _MAX_STRIKES and member.is_live:
            was_isolating, tasks = member.is_isolating, self._replace(member)
            # The pool ends these tasks itself, so the loss does not count against them.
            (self._suspects if was_isolating else self._retries).extendleft(tasks)

    def _replace(self, member: "_MemberState") -> "list[_TaskState]":
        """Put a new member in the place of this one, without its strikes; return its tasks."""
        for ticket in member.tasks:
            del self._running_on[ticket]
        member.is_live = False
        self._members[member.number] = _MemberState(member.number)
        self._to_start.append(member.number)
        tasks = list(member.tasks.values())
        member.tasks.clear()
        return tasks

    def _count_loss(self, member: int, reason: str) -> Sequence[Outcome]:
        self._consecutive_losses += 1
        # If every member dies with its tasks, and then again with one in isolation, the first
        # quarantine comes before this limit.
        if self._consecutive_losses > 3 * len(self._members) + 3:
            raise MemberLost(member, f"{reason} ({self._consecutive_losses} losses in a row)")
        return ()


@dataclass(slots=True)
class _TaskState:
    """A task that has been pulled and has no outcome yet."""

    task: Task
    attempts: int = 0
    errors: int = 0
    isolated_losses: int = 0
    failed_on: "frozenset[_MemberState]" = frozenset()


@dataclass(slots=True, eq=False)
class _MemberState:
    """One incarnation of a member: its replacement gets a new state."""

    number: int
    is_live: bool = False
    is_isolating: bool = False
    strikes: int = 0
    last_ticket: int = -1
    tasks: dict[int, _TaskState] = field(default_factory=dict)


def _least_loaded(members: list[_MemberState]) -> _MemberState:
    return min(members, key=lambda member: (len(member.tasks), member.last_ticket))
