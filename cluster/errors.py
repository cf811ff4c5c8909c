"""What can go wrong with machines.

ClusterError            any of these, and a member's error that could not be sent as itself
├── MemberLost          a member's process, machine or network is gone, and its state with it
├── MemberFailed        a member's method raised what cannot be sent
├── NoRoom              a crew cannot be started: more is asked than there is, or than is free
├── Unreachable         no cluster answers at the address
├── Interrupted         the crew was told to stop what it was doing
└── Quarantined         a pool's task loses its member each time (`cluster.task`)

Each is one line: what, where, what to do.
"""


class ClusterError(Exception):
    """The machines, not the work, are at fault."""


class MemberLost(ClusterError):  # noqa: N818 - the news is in the name
    """A member is gone. Its crew can only be closed; start another and load the last commit."""

    def __init__(self, member: int, reason: str) -> None:
        super().__init__(member, reason)
        self.member = member
        self.reason = reason

    def __str__(self) -> str:
        return f"member {self.member} of the crew is lost: {self.reason}"


class MemberFailed(ClusterError):  # noqa: N818 - the news is in the name
    """A member's own error, of a class that cannot be pickled; its words are in the message."""


class NoRoom(ClusterError):  # noqa: N818 - the news is in the name
    """A crew of this size and shape cannot be started here, or not in the time allowed."""


class Unreachable(ClusterError):  # noqa: N818 - the news is in the name
    """No cluster can be joined at the address."""


class Interrupted(ClusterError):  # noqa: N818 - the news is in the name
    """A call was ended by `interrupt`; the crew goes on."""
