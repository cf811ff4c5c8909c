"""A crew in this process: the members take turns in the caller's thread."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from cluster.actor import Host, Packed, answered_by
from cluster.crew import Arguments, Crew, Parcel
from cluster.dispatcher import Deal
from cluster.errors import Interrupted, MemberLost
from cluster.pool import Pool
from cluster.task import Outcome


class LocalCrew(Crew):
    """The twin of RayCrew that needs no Ray; its members share no memory either.

    A dealt method runs at once. A member is lost by SystemExit, and only so.
    """

    def __init__(
        self, kind: Callable[..., object], arguments: Sequence[tuple[object, ...]]
    ) -> None:
        """Make one member, `kind(*arguments[i])`, for each tuple of arguments.

        Raises:
            Exception: a constructor's own.
        """
        super().__init__(len(arguments))
        self._hosts = [Host(member) for member in range(self.size)]
        self._lost: dict[int, MemberLost] = {}
        self._is_interrupted = threading.Event()
        for member, host in enumerate(self._hosts):
            self._run(member, host.build, (kind, *arguments[member]))

    def _call(self, method: str, arguments: Arguments) -> dict[int, Any]:
        def outcome(member: int) -> Packed | _Failed:
            try:
                host = self._hosts[member]
                return Packed(self._run(member, host.run, (method, *arguments[member])))
            except Exception as error:  # noqa: BLE001 - raised when all have had their turn
                return _Failed(error)

        self._is_interrupted.clear()
        with answered_by(self._is_interrupted.is_set):
            outcomes = {member: outcome(member) for member in arguments}
        if self._is_interrupted.is_set():
            raise Interrupted("the crew was interrupted")
        return {member: outcome.value() for member, outcome in outcomes.items()}

    def _deal(
        self, giver: int, takers: tuple[int, ...], method: str, arguments: tuple[object, ...]
    ) -> Sequence[Parcel]:
        try:
            values = self._run(giver, self._hosts[giver].deal, (takers, method, *arguments))
            return [Parcel(Packed(value)) for value in values]
        except Exception as error:  # noqa: BLE001 - raised to whoever uses a parcel
            return [Parcel(_Failed(error))] * len(takers)

    def _run(self, member: int, function: Callable[..., Any], arguments: tuple[object, ...]) -> Any:
        if member in self._lost:
            raise self._lost[member]
        values = [
            argument.value() if isinstance(argument, Packed | _Failed) else _copy(argument)
            for argument in arguments
        ]
        try:
            return function(*values)
        except SystemExit as end:
            self._lost[member] = MemberLost(member, f"it ended with exit code {end.code}")
            raise self._lost[member] from end

    def _is_leaving(self) -> bool:
        return False

    def _interrupt(self) -> None:
        self._is_interrupted.set()

    def _part(self) -> None:
        for host in self._hosts:
            host.part()

    def _release(self) -> None:
        self._hosts.clear()


@dataclass(frozen=True)
class _Failed:
    """What stands in for a value that could not be made."""

    error: Exception

    def value(self) -> Any:
        raise self.error


def _copy(value: object) -> Any:
    return Packed(value).value()


class LocalPool(Pool):
    """The twin of RayPool that needs no Ray; its members share no memory either.

    One task runs at a time, when the next outcome is asked for. A member is lost by SystemExit,
    and only so.
    """

    def __init__(
        self, kind: Callable[..., object], arguments: Sequence[tuple[object, ...]], depth: int
    ) -> None:
        """Make one member, `kind(*arguments[i])`, for each tuple of arguments.

        Raises:
            MemberLost: they are lost in their constructor, again and again.
            Exception: a constructor's own.
        """
        super().__init__(len(arguments), depth)
        self._kind = kind
        self._arguments = arguments
        self._hosts: dict[int, Host] = {}
        self._news: deque[Callable[[], Sequence[Outcome]]] = deque()
        self._muster()

    def _start(self, member: int) -> None:
        host = Host(member)
        try:
            host.build(*Packed((self._kind, *self._arguments[member])).value())
        except SystemExit as end:
            self._lose(member, end)
            return
        self._hosts[member] = host
        self._dealer.welcome(member)

    def _hand(self, deal: Deal) -> None:
        method, *arguments = Packed((deal.task.method, *deal.task.arguments)).value()
        try:
            packed = Packed(self._hosts[deal.member].run(method, *arguments))
            news = partial(self._dealer.returned, deal.ticket, packed.value())
        except SystemExit as end:
            self._lose(deal.member, end)
            return
        except Exception as error:  # noqa: BLE001 - the dealer decides what follows
            news = partial(self._dealer.raised, deal.ticket, error)
        self._news.append(news)

    def _lose(self, member: int, end: SystemExit) -> None:
        reason = f"it ended with exit code {end.code}"
        self._news.append(partial(self._dealer.lost, member, reason))

    def _attend(self, _seconds: float, /) -> Sequence[Outcome]:
        return self._news.popleft()() if self._news else ()

    def _part(self) -> None:
        for host in self._hosts.values():
            host.part()

    def _release(self) -> None:
        self._hosts.clear()
