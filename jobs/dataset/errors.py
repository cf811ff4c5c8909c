"""What can be wrong with a dataset as a whole. Each message is one line.

RequestError
├── TooManyFailures    more items failed than its user allows
└── NothingDone        not a single item could be dreamed
"""

from typing import ClassVar

from jobs.errors import JobsError, RequestError


class TooManyFailures(RequestError):  # noqa: N818 - the news is in the name
    """More items failed than limits.max_failures."""

    exit_code: ClassVar[int] = JobsError.exit_code


class NothingDone(RequestError):  # noqa: N818 - the news is in the name
    """Every item failed."""

    exit_code: ClassVar[int] = JobsError.exit_code
