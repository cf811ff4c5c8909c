"""The errors that users see. Each message is one line: what is wrong, where, what to do.

The number is the exit code of the command line.

JobsError                     1
├── RequestError              2   the request cannot be met; change it, or the machine
│   ├── MachineTooSmall       2   this machine lacks memory, disk, CPUs or GPUs
│   ├── InvalidDocument       2   fields of a spec are wrong
│   ├── JobNotFound           2   the store has no such job
│   ├── LinkOutsideStore      2   also an ObjectError: a link leads out of a folder store
│   ├── TooManyFailures       1   more items failed than limits.max_failures
│   └── AllItemsFailed        1   every item of a dataset failed
├── InvalidRecord             1   an object in the store has the wrong content
├── ObjectError               1   what lies at one key is at fault (jobs.store.errors)
│   ├── NotAnObject           1   a folder, a pipe or something else in place of a file
│   └── ObjectTooLarge        1   an object is too large to read whole
├── LeaseLost                 1   another holder may run the job; stop writing
├── VersionMismatch           1   the job needs another version of the code or weights
├── MachineMismatch           1   the job needs another kind of machine
│   └── PriceUnknown          1   a budget in US dollars, and a machine without a price
├── ProbeFailed               1   this machine's speed could not be measured (jobs.planning)
└── StoreError                3   the store or the access to it is at fault (jobs.store.errors)
    ├── StoreUnreachable      3   the same request may succeed later
    └── StoreRefused          3   the same request will fail again
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from render.errors import message_line


class JobsError(Exception):
    """An error with a message of one line: what is wrong, where, and what to do about it.

    exit_code: what the command line returns for it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str) -> None:
        super().__init__(message_line(message))


class RequestError(JobsError):
    """The request cannot be met, and the same request will fail again here.

    It is raised before any work, except by TooManyFailures and AllItemsFailed, which end a job.
    """

    exit_code = 2


class MachineTooSmall(RequestError):  # noqa: N818 - the name says what happened
    """This machine lacks memory, disk, CPUs or GPUs for the job; a larger one may run it."""


FieldPath = tuple[int | str, ...]
"""The keys and list indices that lead to a field."""


@dataclass(frozen=True)
class Fault:
    """What is wrong in a document.

    field: where. problem: what. names_field: whether the problem says already where.
    """

    field: FieldPath
    problem: str
    names_field: bool = False

    def __str__(self) -> str:
        where = "" if self.names_field else ".".join(map(shortened_key, self.field))
        return f"{where}: {self.problem}" if where else self.problem


_MAX_FAULTS = 4
"""The most faults in a message. A file that is not a spec would give pages of them."""

_KEY_LENGTH = 60
"""The most characters of a key in a message."""


def shortened_key(key: int | str) -> str:
    """A key for a message, with at most 60 characters and an ellipsis."""
    text = str(key)
    return text if len(text) <= _KEY_LENGTH else f"{text[:_KEY_LENGTH]}…"


def join_faults(faults: Sequence[object]) -> str:
    """The first few faults in one line, joined by `; `."""
    left = len(faults) - _MAX_FAULTS
    more = [f"and {left} more errors"] if left > 0 else []
    return "; ".join([*map(str, faults[:_MAX_FAULTS]), *more])


class InvalidDocument(RequestError):  # noqa: N818 - the name says what happened
    """Fields of a document are wrong.

    faults: all of them. document: its values as they were checked, with shorthands written out.
    """

    def __init__(self, faults: Sequence[Fault], document: object) -> None:
        super().__init__(join_faults(faults))
        self.faults, self.document = tuple(faults), document

    def __reduce__(self) -> tuple[type[RequestError], tuple[str]]:
        # To another process goes the message alone: a document may be large.
        return RequestError, (str(self),)


class JobNotFound(RequestError):  # noqa: N818 - the name says what happened
    """No job in the store has that id."""


class InvalidRecord(JobsError):  # noqa: N818 - the name says what happened
    """An object in the store does not contain what belongs at its key."""


class LeaseLost(JobsError):  # noqa: N818 - the name says what happened
    """This lease is no longer the current one; its holder must stop and write nothing more."""


class VersionMismatch(JobsError):  # noqa: N818 - the name says what happened
    """The job was submitted for another version of the code or of the shipped weights."""


class MachineMismatch(JobsError):  # noqa: N818 - the name says what happened
    """The job was started on another kind of machine, and waits for one of that kind."""


class PriceUnknown(MachineMismatch):
    """There is a budget in US dollars, and this machine has no price."""


class TooManyFailures(RequestError):  # noqa: N818 - the name says what happened
    """More items failed than limits.max_failures allows."""

    exit_code: ClassVar[int] = JobsError.exit_code


class AllItemsFailed(RequestError):  # noqa: N818 - the name says what happened
    """Every item of a dataset failed."""

    exit_code: ClassVar[int] = JobsError.exit_code
