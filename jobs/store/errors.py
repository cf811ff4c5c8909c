"""The errors of stores; numbers are exit codes. No message contains a secret.

StoreError                3
├── StoreUnreachable      3   no answer, or an invalid one; the same request may succeed later
└── StoreRefused          3   wrong setup; or an object that the job needs is gone or damaged
ObjectError               1   what lies at one key is at fault, not the store
├── LinkOutsideStore      2   a link leads out of a folder store, or to a folder in it
├── NotAnObject           1   a folder, a pipe or something else in place of a file
└── ObjectTooLarge        1   an object is too large to read whole
ObjectNotFound            -   no object at a key; the caller decides what that means
"""

from jobs.text.errors import JobsError, RequestError


class StoreError(JobsError):
    """The store or the access to it is at fault, not the job."""

    exit_code = 3


class StoreUnreachable(StoreError):  # noqa: N818 - the name says what happened
    """The store did not answer in time, or failed; the same request may succeed later."""


class StoreRefused(StoreError):  # noqa: N818 - the name says what happened
    """Wrong credentials, bucket or setup; or an object that the job needs is gone or damaged.

    Such an object is a blob, for example. A folder that is not shared is a wrong setup.
    The same request will fail again until the user changes something.
    """


class ObjectError(JobsError):
    """What lies at one key is at fault; the store answers, and its other objects are fine."""


class LinkOutsideStore(ObjectError, RequestError):  # noqa: N818 - the name says what happened
    """A link in a folder store leads out of the folder, so the store does not follow it."""

    exit_code = RequestError.exit_code


class NotAnObject(ObjectError):  # noqa: N818 - the name says what happened
    """A folder, pipe, socket or broken link in place of a file, or a file in place of a folder."""


class ObjectTooLarge(ObjectError):  # noqa: N818 - the name says what happened
    """An object is too large to be read whole, so nothing of it has been read."""


class ObjectNotFound(Exception):  # noqa: N818 - the name says what happened
    """There is no object at a key."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key
