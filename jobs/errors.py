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
