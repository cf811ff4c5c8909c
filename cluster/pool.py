"""A pool: members that work on independent tasks."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

from cluster.dispatcher import Assignment, Dispatcher
from cluster.errors import ClusterError
from cluster.task import Outcome, Task


class Pool(ABC):
    """`size` members, numbered from 0. Each holds one object of a class that the caller chooses.

    A member runs up to `depth` tasks at once, in several threads, so methods must be thread-safe.
    Arguments and results are pickled; NumPy arrays arrive read-only.

    A task may start more than once. If a machine loses its network, another member may even start
    its task before the first attempt has ended. Methods must tolerate that.

    - If a task's method raises, the task is retried, on another member if there is one. After the
      third error the task is Failed. If a retry finishes elsewhere, the member that failed gets a
      strike. Each task that a member finishes takes one strike back; at three strikes the member
      is replaced.
    - A member is lost if its process dies or its method raises SystemExit. The pool replaces it,
      with the same arguments. Each of its tasks is then retried in isolation, on a member that
      runs nothing else meanwhile. A task that loses two members in isolation is Quarantined.
      So a task that kills its member fails no other task, and a kill from outside fails no task.
    """

    def __init__(self, size: int, depth: int) -> None:
        """Raises ValueError if `size` or `depth` is below 1."""
        if size < 1:
            raise ValueError(f"a pool needs at least one member, not {size}")
        if depth < 1:
            raise ValueError(f"a member runs at least one task at once, not {depth}")
        self.size = size
        self._dispatcher = Dispatcher(size, depth)
        self._final_error: ClusterError | None = None

    def run(self, tasks: Iterable[Task], tick: float) -> Iterator[Outcome | None]:
        """Run the tasks and yield each outcome as soon as it is known, in any order.

        A task is pulled when a member is free for it, so `tasks` may be endless. At most
        size * depth tasks have been pulled and have no outcome. The iterable runs in the caller's
        thread; while it blocks, nothing is yielded.

        Args:
            tasks: the tasks, each with a unique id.
            tick: seconds between two yields of None.

        Yields:
            One outcome for each task, and None every `tick` seconds.

        Raises:
            MemberLost: members are lost as fast as they start. The cluster is at fault.
            ClusterError: the cluster has ended; or the pool is closed; or another run of this
                pool is active or was abandoned. Such a pool can only be closed.
            Exception: an error of the iterable; of pickling an argument; or of the constructor
                of a member that starts late or again.
        """
        self._check_usable()
        # While a run is active, every use of the pool raises this error. A run that is abandoned
        # leaves it here. If `close` replaces it meanwhile, this run ends.
        active_run_error = self._final_error = ClusterError(
            "an earlier run of this pool did not finish: start another pool"
        )
        self._dispatcher.set_source(tasks)
        next_tick = time.monotonic() + tick
        while not self._dispatcher.is_done:
            assignment = self._dispatcher.next_assignment()
            if assignment is not None:
                self._submit(assignment)
            elif self._dispatcher.is_done:
                break
            yield from self._process_event(
                0 if assignment else max(next_tick - time.monotonic(), 0)
            )
            if time.monotonic() >= next_tick:
                yield None
                next_tick = time.monotonic() + tick
            if self._final_error is not active_run_error:
                self._check_usable()
        self._final_error = None

    def close(self) -> None:
        """End the members and their tasks. Closing again does nothing.

        If no task is running, call the `close` method of each object first, if it has one. That
        method must not raise.
        """
        if self._final_error is None:
            self._close_members()
        self._final_error = ClusterError("the pool is closed: start another")
        self._free()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check_usable(self) -> None:
        if self._final_error is not None:
            raise self._final_error

    def _start_members(self) -> None:
        """Start all members and wait until one is ready. Subclasses call this once."""
        try:
            for member in range(self.size):
                self._start_member(member)
            while not self._dispatcher.has_members:
                self._process_event(math.inf)
        except BaseException:
            self.close()
            raise

    def _process_event(self, timeout: float) -> Sequence[Outcome]:
        outcomes = self._wait_for_event(timeout)
        for member in self._dispatcher.members_to_start():
            self._start_member(member)
        return outcomes

    @abstractmethod
    def _start_member(self, member: int) -> None:
        """Begin to start a member, after ending what is left of its predecessor."""

    @abstractmethod
    def _submit(self, assignment: Assignment) -> None:
        """Start a task on its member."""

    @abstractmethod
    def _wait_for_event(self, timeout: float, /) -> Sequence[Outcome]:
        """Wait for one event, report it to the dispatcher and return what the dispatcher returns.

        Return nothing after `timeout` seconds, or earlier.
        """

    @abstractmethod
    def _close_members(self) -> None:
        """Call `close` on each member's object, and wait for all."""

    @abstractmethod
    def _free(self) -> None:
        """End all members at once, whatever they are doing. May be called again."""
