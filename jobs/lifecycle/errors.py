"""What can go wrong with jobs in a store. Each message is one line.

JobsError
├── RequestError          exit code 2
│   └── NoSuchJob         no job has that id
├── BadRecord             an object in the store is not what belongs there
├── LeaseLost             another may run the job now: stop, and write nothing more
├── Unfit                 a machine of this kind would not go on with the same bytes
└── OtherVersion          this code would make other pixels than the job was submitted for
"""

from jobs.errors import JobsError, RequestError


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
