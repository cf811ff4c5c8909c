"""A crew: stateful members that work in lockstep."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from types import TracebackType
from typing import Any, NewType, Self

from cluster.errors import ClusterError, MemberLost

ObjectRef = NewType("ObjectRef", object)
"""A value that stays with its sender. Its only use is as an argument for its receiver."""

Arguments = Mapping[int, tuple[object, ...]]
"""The positional arguments of a method, by member."""

Receivers = Mapping[int, Collection[int]]
"""The members that receive a part of a result, by the member that sends it."""


class Crew(ABC):
    """`size` members, numbered from 0. Each holds one object of a class that the caller chooses.

    Arguments and results are pickled. A NumPy array arrives read-only, as a copy made when it was
    passed. An array that is not contiguous arrives as a private, writable copy.

    If a member's method raises, the caller gets that exception, with a note that names the method
    and the member. An exception that cannot be pickled becomes MemberFailed. A member is lost if
    its process dies or its method raises SystemExit.

    Closing the crew calls the `close` method of each object that has one; `close` must not raise.
    After a loss it is not called, because other members may be in the middle of a method.
    """

    def __init__(self, size: int) -> None:
        """Raises ValueError if `size` is below 1."""
        if size < 1:
            raise ValueError(f"a crew needs at least one member, not {size}")
        self.size = size
        self._final_error: ClusterError | None = None

    def call(self, method: str, arguments: Arguments) -> dict[int, Any]:
        """Call `method(*arguments[i])` on each member i of `arguments`, and wait for all.

        An ObjectRef that is an argument arrives as its value; one inside an argument does not.

        Returns:
            The results, by member.

        Raises:
            CallCancelled: `cancel_call` was called. All methods have ended by then.
            MemberLost: immediately. The crew can only be closed after that.
            Exception: a member's own error, after all other methods have ended. It may stem from
                an earlier `exchange` on this member, or on the sender of an argument. The crew
                stays usable.
        """
        self._check_usable(arguments)
        try:
            return self._call(method, arguments)
        except MemberLost as lost:
            self._final_error = lost
            raise

    def exchange(
        self, method: str, arguments: Arguments, receivers: Receivers
    ) -> dict[int, list[ObjectRef]]:
        """Let members send values to each other. Do not wait; the values stay with their senders.

        The method must return a dict with one value for each of the member's receivers. If it
        fails, every later `call` that uses one of its refs raises the error. So does every later
        method of that member, because its object may be half changed.

        Args:
            method: the name of the method.
            arguments: its positional arguments, by sender.
            receivers: the members that receive a value, by sender; a sender may have none.

        Returns:
            For each member of the crew, the refs that it receives, in the order of the senders.
        """
        self._check_usable(arguments)
        self._check_usable({receiver for targets in receivers.values() for receiver in targets})
        refs: dict[int, list[ObjectRef]] = {member: [] for member in range(self.size)}
        for sender, sender_arguments in arguments.items():
            targets = tuple(receivers.get(sender, ()))
            sent = self._exchange(sender, targets, method, sender_arguments)
            for receiver, ref in zip(targets, sent, strict=True):
                refs[receiver].append(ref)
        return refs

    @property
    def is_draining(self) -> bool:
        """Whether the machine of a member will shut down soon."""
        return self._is_draining()

    def cancel_call(self) -> None:
        """End the `call` that is running, from another thread. Do nothing if none is running.

        Methods that check `cluster.actor.is_cancelled` end early; other methods run to their end.
        Methods that `exchange` calls are not cancelled.
        """
        self._cancel_call()

    def close(self) -> None:
        """End the members and free their resources. Closing again does nothing."""
        if not isinstance(self._final_error, MemberLost):
            self._close_members()
        self._final_error = ClusterError("the crew is closed: start another")
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

    def _check_usable(self, members: Collection[int]) -> None:
        if self._final_error is not None:
            raise self._final_error
        unknown = [member for member in members if not 0 <= member < self.size]
        if unknown:
            raise ValueError(f"members {unknown} are not in a crew of {self.size}")

    @abstractmethod
    def _call(self, method: str, arguments: Arguments) -> dict[int, Any]:
        """Implement `call` for members that exist, in a usable crew."""

    @abstractmethod
    def _exchange(
        self, sender: int, receivers: tuple[int, ...], method: str, arguments: tuple[object, ...]
    ) -> Sequence[ObjectRef]:
        """Start the method of one sender; return one ref for each receiver, in order."""

    @abstractmethod
    def _is_draining(self) -> bool: ...

    @abstractmethod
    def _cancel_call(self) -> None: ...

    @abstractmethod
    def _close_members(self) -> None:
        """Call `close` on each member's object, and wait for all."""

    @abstractmethod
    def _free(self) -> None:
        """End all members at once, whatever they are doing. May be called again."""
