"""What can go wrong with a store. Each message is one line, and holds no secret.

StoreError                exit code 3
├── StoreUnreachable      no answer, or no sense in it: the same request may succeed later
└── StoreRefused          wrong credentials, no such bucket, no permission: it will not

Elsewhere                 a link leads out of a store that is a folder: exit code 2

Oversized                 an object is too large for what is read whole: exit code 1

Missing                   nothing lies at the key; what that means, only the asker knows
"""

from jobs.text.errors import JobsError, RequestError


class StoreError(JobsError):
    """The store, not the job, is at fault."""

    exit_code = 3


class StoreUnreachable(StoreError):  # noqa: N818 - the news is in the name
    """No answer in time, or a server's own failure; trying again later may help."""


class StoreRefused(StoreError):  # noqa: N818 - the news is in the name
    """The store answers, and will not serve us as things are."""


class Elsewhere(RequestError):  # noqa: N818 - the news is in the name
    """What lies at a key is a link that leads out of its store; nobody follows it."""


class Oversized(JobsError):  # noqa: N818 - the news is in the name
    """An object is larger than anything that is read whole; nobody has read it."""


class Missing(Exception):  # noqa: N818 - the news is in the name
    """Nothing lies at a key."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key
