"""What can go wrong between a user's words and a finished job. Each message is one line.

JobsError                 what, where, what to do
└── RequestError          the request was wrong: exit code 2, nothing was done
    └── TooSmall          it is right, but this machine cannot do it; another may
"""

from typing import ClassVar


class JobsError(Exception):
    """One line for people: what is wrong, where, and what to do about it.

    exit_code: what the command line returns for it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str) -> None:
        # What a user typed may hold line breaks, and messages quote it.
        super().__init__(" ".join(message.splitlines()))


class RequestError(JobsError):
    """The request was wrong; nothing was done."""

    exit_code = 2


class TooSmall(RequestError):  # noqa: N818 - the news is in the name
    """This machine has too little of something; a larger one may take the same job."""


class NoSuchJob(RequestError):  # noqa: N818 - the news is in the name
    """No job in the store has that id."""


class BadRecord(JobsError):  # noqa: N818 - the news is in the name
    """An object in the store is not what belongs at its key."""


class LeaseLost(JobsError):  # noqa: N818 - the news is in the name
    """This holder's lease does not count any more: it must stop, and write nothing more."""


class OtherVersion(JobsError):  # noqa: N818 - the news is in the name
    """The job was submitted for other code, or other shipped weights, than these."""


class Unfit(JobsError):  # noqa: N818 - the news is in the name
    """The job was begun on another kind of machine; the job waits for one."""


class TooManyFailures(RequestError):  # noqa: N818 - the news is in the name
    """More items failed than limits.max_failures."""

    exit_code: ClassVar[int] = JobsError.exit_code


class NothingDone(RequestError):  # noqa: N818 - the news is in the name
    """Every item failed."""

    exit_code: ClassVar[int] = JobsError.exit_code
