"""A pool in this process: the members take turns in the caller's thread."""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from cluster.dealer import Deal
from cluster.host import Host
from cluster.packed import Packed
from cluster.pool import Pool
from cluster.task import Outcome


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
