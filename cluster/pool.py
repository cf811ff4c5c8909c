"""A pool: members that each work on tasks of their own, independent of one another."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

from cluster.dispatcher import Deal, Dealer
from cluster.errors import ClusterError
from cluster.task import Failed, Finished, Outcome, Quarantined, Task

__all__ = ["Failed", "Finished", "Pool", "Quarantined", "Task"]


class Pool(ABC):
    """`size` members, numbered from 0, each holding one object of an opaque class.

    A member has up to `depth` tasks at once, and may run them in as many THREADS: methods must
    bear with each other. Arguments and values are pickled; NumPy arrays arrive read-only.

    A task may be begun more than once, and by another member before the first has ended, where
    that one is cut off: methods must bear that too.

    - A method that raises is tried again, elsewhere where there is another member; the third
      error is its outcome. Where the task then passes elsewhere, that is a strike against the
      member at which it failed; whatever a member finishes takes one of its strikes back, and
      at three it is replaced.
    - A member that is lost (SystemExit, or its process dies) is replaced, by one made of the same
      arguments. Each task that it had is then tried alone: at a member that has nothing else and
      is handed nothing else until it answers. One that loses two members while alone is
      Quarantined. So neighbours of a deadly task pass, and those hit by kills from outside.
    """

    def __init__(self, size: int, depth: int) -> None:
        if size < 1:
            raise ValueError(f"a pool needs at least one member, not {size}")
        if depth < 1:
            raise ValueError(f"a member has room for at least one task, not {depth}")
        self.size = size
        self._dealer = Dealer(size, depth)
        self._end: ClusterError | None = None

    def run(self, tasks: Iterable[Task], tick: float) -> Iterator[Outcome | None]:
        """Run the tasks; yield what becomes of each as it becomes known, in no order.

        A task is pulled when a member has room for it, so `tasks` may be endless; no more than
        size * depth are pulled and without an outcome. It is advanced in the caller's thread, and
        while it thinks nothing else is yielded.

        Yields:
            One outcome a task, and None whenever `tick` seconds have passed.

        Raises:
            MemberLost: members are lost as fast as they start; the cluster is at fault.
            ClusterError: the machines are gone, or the pool is closed, or another run of it is
                under way or was not carried through: such a pool can only be closed.
            Exception: the constructor's own, of a member that starts later or anew; or what an
                argument that cannot be pickled raises; or the iterator's own.
        """
        self._check()
        self._end = ClusterError("a run of this pool has not come to its end: start another pool")
        under_way = self._end
        self._dealer.feed(tasks)
        alarm = time.monotonic() + tick
        while not self._dealer.is_done:
            deal = self._dealer.deal()
            if deal is not None:
                self._hand(deal)
            elif self._dealer.is_done:
                break
            yield from self._learn(0 if deal else max(alarm - time.monotonic(), 0))
            if time.monotonic() >= alarm:
                yield None
                alarm = time.monotonic() + tick
            if self._end is not under_way:
                self._check()
        self._end = None

    def close(self) -> None:
        """End the members and what they are doing. A closed pool can be closed again.

        An object that has a method `close`, which raises nothing, has it called first, where
        nothing is being done.
        """
        if self._end is None:
            self._part()
        self._end = ClusterError("the pool is closed: start another")
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check(self) -> None:
        if self._end is not None:
            raise self._end

    def _muster(self) -> None:
        """Start all members and wait for the first."""
        try:
            for member in range(self.size):
                self._start(member)
            while not self._dealer.has_members:
                self._learn(math.inf)
        except BaseException:
            self.close()
            raise

    def _learn(self, seconds: float) -> Sequence[Outcome]:
        outcomes = self._attend(seconds)
        for member in self._dealer.vacated():
            self._start(member)
        return outcomes

    @abstractmethod
    def _start(self, member: int) -> None:
        """Begin to make a member, in place of what is left of it."""

    @abstractmethod
    def _hand(self, deal: Deal) -> None:
        """Begin a task."""

    @abstractmethod
    def _attend(self, seconds: float, /) -> Sequence[Outcome]:
        """Wait at most so long for one piece of news, tell the dealer, return what it says."""

    @abstractmethod
    def _part(self) -> None: ...

    @abstractmethod
    def _release(self) -> None: ...
