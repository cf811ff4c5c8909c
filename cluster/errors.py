"""The errors of this package. Each message is one line: what, where, what to do.

ClusterError                 base class of all errors below
├── MemberLost               a member's process or machine is gone, and its state with it
├── MemberFailed             a member's method raised an exception that cannot be pickled
├── InsufficientCapacity     the cluster is too small for the crew or pool, or too busy
├── ClusterUnreachable       no cluster answers at the address
├── SessionLost              a process of the private Ray has died; a new one may go on
├── CallCancelled            `Crew.cancel_call` ended the call
└── Quarantined              a pool's task lost its member each time it ran in isolation
"""


class ClusterError(Exception):
    """Base class of what a crew or pool raises by itself.

    Exceptions of a member's own methods are raised as they are, if they can be pickled.
    """


class MemberLost(ClusterError):  # noqa: N818 - the name says what happened
    """A member is gone. Close its crew, start another and restore it from a checkpoint."""

    def __init__(self, member: int, reason: str) -> None:
        super().__init__(member, reason)
        self.member = member
        self.reason = reason

    def __str__(self) -> str:
        return f"member {self.member} is lost: {self.reason}"


class MemberFailed(ClusterError):  # noqa: N818 - the name says what happened
    """A member's method raised an exception that cannot be pickled. The message quotes it."""


class InsufficientCapacity(ClusterError):  # noqa: N818 - the name says what happened
    """The cluster cannot start a crew or pool of this shape, or not within the time allowed."""


class ClusterUnreachable(ClusterError):  # noqa: N818 - the name says what happened
    """No cluster can be joined at the address."""


class SessionLost(ClusterError):  # noqa: N818 - the name says what happened
    """A process of this program's private Ray has died. All members are lost; start another Ray."""


class CallCancelled(ClusterError):  # noqa: N818 - the name says what happened
    """`Crew.cancel_call` ended a call. The crew stays usable."""


class Quarantined(ClusterError):  # noqa: N818 - the name says what happened
    """A task lost its member each time it ran in isolation, so it is not tried again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def is_for_memory(self) -> bool:
        """Whether the last member was killed because its machine ran out of memory."""
        return "OutOfMemory" in self.reason

    def __str__(self) -> str:
        return f"each worker that ran this task alone was lost: {self.reason}"
