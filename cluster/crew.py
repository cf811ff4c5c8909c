"""A crew: a gang of stateful members that work in step."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from types import TracebackType
from typing import Any, NewType, Self

from cluster.errors import ClusterError, MemberLost

Parcel = NewType("Parcel", object)
"""A value left at the member that made it: good for nothing but as an argument of its taker."""

Arguments = Mapping[int, tuple[object, ...]]
"""The positional arguments of a method, by member."""

Takers = Mapping[int, Collection[int]]
"""The members that get something of what a member makes, by the member that makes it."""


class Crew(ABC):
    """`size` members, numbered from 0, each holding one object of an opaque class.

    Arguments and values are pickled. A NumPy array arrives read-only, and as a copy of what it
    was when handed over; one that is not contiguous arrives as a private, writable copy.

    An exception of a member's method is raised here as itself, with a note that names the method
    and the member; one that cannot be pickled is raised as ClusterError. A method that raises
    SystemExit, or whose process dies, is a lost member.

    An object that has a method `close`, which raises nothing, has it called when the crew is
    closed, unless a member was lost: then the others may be in the midst of things.
    """

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError(f"a crew needs at least one member, not {size}")
        self.size = size
        self._end: ClusterError | None = None

    def call(self, method: str, arguments: Arguments) -> dict[int, Any]:
        """Run `method(*arguments[i])` at each member i of `arguments` at the same time; wait.

        Parcels among the arguments (not inside them) arrive as their values.

        Returns:
            What each member returned, by member.

        Raises:
            Interrupted: after the members have ended what they were doing.
            MemberLost: at once; the crew can then only be closed.
            Exception: a member's own, or that of a `deal` of this member's or of one that made
                a parcel, after the others have finished. The crew goes on.
        """
        self._check(arguments)
        try:
            return self._call(method, arguments)
        except MemberLost as lost:
            self._end = lost
            raise

    def deal(self, method: str, arguments: Arguments, takers: Takers) -> dict[int, list[Parcel]]:
        """Like `call`, but do not wait, and leave what is returned where it was made.

        The method returns a mapping: for each of the member's `takers`, who may be none, a value.
        What goes wrong is raised by every `call` that uses one of the parcels, and by all of that
        member from then on, since nobody knows what has become of its object.

        Returns:
            For each member of the crew, the parcels that it is to take, in the order of the givers.
        """
        self._check(arguments)
        self._check({taker for named in takers.values() for taker in named})
        parcels: dict[int, list[Parcel]] = {member: [] for member in range(self.size)}
        for giver, own in arguments.items():
            named = tuple(takers.get(giver, ()))
            for taker, parcel in zip(named, self._deal(giver, named, method, own), strict=True):
                parcels[taker].append(parcel)
        return parcels

    @property
    def is_leaving(self) -> bool:
        """Whether a member's machine has been given notice, and will soon be gone."""
        return self._is_leaving()

    def interrupt(self) -> None:
        """From another thread: end the `call` that is under way; without one, nothing happens.

        Methods that look (`cluster.actor`) end early, others run to their end; what was
        dealt is not touched.
        """
        self._interrupt()

    def close(self) -> None:
        """End the members and free what they hold. A closed crew can be closed again."""
        if not isinstance(self._end, MemberLost):
            self._part()
        self._end = ClusterError("the crew is closed: start another")
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

    def _check(self, members: Collection[int]) -> None:
        if self._end is not None:
            raise self._end
        strangers = [member for member in members if not 0 <= member < self.size]
        if strangers:
            raise ValueError(f"members {strangers} are not in a crew of {self.size}")

    @abstractmethod
    def _call(self, method: str, arguments: Arguments) -> dict[int, Any]: ...

    @abstractmethod
    def _deal(
        self, giver: int, takers: tuple[int, ...], method: str, arguments: tuple[object, ...]
    ) -> Sequence[Parcel]: ...

    @abstractmethod
    def _is_leaving(self) -> bool: ...

    @abstractmethod
    def _interrupt(self) -> None: ...

    @abstractmethod
    def _part(self) -> None: ...

    @abstractmethod
    def _release(self) -> None: ...
