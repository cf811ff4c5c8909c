"""A crew and a pool in this process: members take turns in the caller's thread."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from cluster.actor import MemberActor, Serialized, cancelled_by
from cluster.crew import Arguments, Crew, ObjectRef
from cluster.dispatcher import Assignment
from cluster.errors import CallCancelled, MemberLost
from cluster.pool import Pool
from cluster.task import Outcome


class LocalCrew(Crew):
    """Behaves like RayCrew, without Ray. Its members share no memory either.

    `exchange` runs its methods immediately. A member is lost only if its method raises SystemExit.
    """

    def __init__(
        self, factory: Callable[..., object], arguments: Sequence[tuple[object, ...]]
    ) -> None:
        """Create one member, `factory(*arguments[i])`, for each tuple of arguments.

        Raises:
            Exception: an error of the factory.
        """
        super().__init__(len(arguments))
        self._actors = [MemberActor(member) for member in range(self.size)]
        self._lost: dict[int, MemberLost] = {}
        self._is_cancelled = threading.Event()
        for member, actor in enumerate(self._actors):
            self._run(member, actor.build, (factory, *arguments[member]))

    def _call(self, method: str, arguments: Arguments) -> dict[int, Any]:
        def result(member: int) -> Serialized | _Error:
            try:
                actor = self._actors[member]
                return Serialized(self._run(member, actor.run, (method, *arguments[member])))
            except Exception as error:  # noqa: BLE001 - raised after all members have run
                return _Error(error)

        self._is_cancelled.clear()
        with cancelled_by(self._is_cancelled.is_set):
            results = {member: result(member) for member in arguments}
        if self._is_cancelled.is_set():
            raise CallCancelled("the call was cancelled")
        return {member: result.load() for member, result in results.items()}

    def _exchange(
        self, sender: int, receivers: tuple[int, ...], method: str, arguments: tuple[object, ...]
    ) -> Sequence[ObjectRef]:
        actor = self._actors[sender]
        try:
            values = self._run(sender, actor.exchange, (receivers, method, *arguments))
            return [ObjectRef(Serialized(value)) for value in values]
        except Exception as error:  # noqa: BLE001 - raised by the call that uses a ref
            return [ObjectRef(_Error(error))] * len(receivers)

    def _run(self, member: int, function: Callable[..., Any], arguments: tuple[object, ...]) -> Any:
        if member in self._lost:
            raise self._lost[member]
        values = [
            argument.load() if isinstance(argument, Serialized | _Error) else _copy(argument)
            for argument in arguments
        ]
        try:
            return function(*values)
        except SystemExit as end:
            self._lost[member] = MemberLost(member, _exit_reason(end))
            raise self._lost[member] from end

    def _is_draining(self) -> bool:
        return False

    def _cancel_call(self) -> None:
        self._is_cancelled.set()

    def _close_members(self) -> None:
        for actor in self._actors:
            actor.close()

    def _free(self) -> None:
        self._actors.clear()


@dataclass(frozen=True)
class _Error:
    """Replaces the value of a method that failed; `load` raises the error."""

    error: Exception

    def load(self) -> Any:
        raise self.error


def _copy(value: object) -> Any:
    return Serialized(value).load()


def _exit_reason(end: SystemExit) -> str:
    return f"it ended with exit code {end.code}"


class LocalPool(Pool):
    """Behaves like RayPool, without Ray. Its members share no memory either.

    Tasks run one at a time, while the caller waits for the next outcome. A member is lost only if
    its method raises SystemExit.
    """

    def __init__(
        self, factory: Callable[..., object], arguments: Sequence[tuple[object, ...]], depth: int
    ) -> None:
        """Create one member, `factory(*arguments[i])`, for each tuple of arguments.

        Raises:
            MemberLost: the factory raises SystemExit every time.
            Exception: an error of the factory.
        """
        super().__init__(len(arguments), depth)
        self._factory = factory
        self._arguments = arguments
        self._actors: dict[int, MemberActor] = {}
        self._events: deque[Callable[[], Sequence[Outcome]]] = deque()
        self._start_members()

    def _start_member(self, member: int) -> None:
        actor = MemberActor(member)
        try:
            actor.build(*_copy((self._factory, *self._arguments[member])))
        except SystemExit as end:
            self._add_loss(member, end)
            return
        self._actors[member] = actor
        self._dispatcher.member_started(member)

    def _submit(self, assignment: Assignment) -> None:
        task = assignment.task
        method, *arguments = _copy((task.method, *task.arguments))
        try:
            value = _copy(self._actors[assignment.member].run(method, *arguments))
            event = partial(self._dispatcher.task_returned, assignment.ticket, value)
        except SystemExit as end:
            self._add_loss(assignment.member, end)
            return
        except Exception as error:  # noqa: BLE001 - the dispatcher decides what follows
            event = partial(self._dispatcher.task_raised, assignment.ticket, error)
        self._events.append(event)

    def _add_loss(self, member: int, end: SystemExit) -> None:
        self._events.append(partial(self._dispatcher.member_lost, member, _exit_reason(end)))

    def _wait_for_event(self, _timeout: float, /) -> Sequence[Outcome]:
        return self._events.popleft()() if self._events else ()

    def _close_members(self) -> None:
        for actor in self._actors.values():
            actor.close()

    def _free(self) -> None:
        self._actors.clear()
