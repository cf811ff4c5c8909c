"""The events and the logs of a job, under all of its leases."""

from collections.abc import Iterator
from typing import Any

from jobs.records.keys import JobKeys
from jobs.records.record import read_bytes
from jobs.records.status import decode_events
from jobs.store.errors import ObjectNotFound
from jobs.store.store import Store
from jobs.text.errors import InvalidRecord
from jobs.web.models import LogLine
from render.errors import visible

MOST_LINES = 1000
"""Events, and lines of logs, that an answer has at most: the last ones."""

_MOST_LEASES = 50
"""Leases whose reports are read: the last ones."""


def lease_numbers(last: int) -> range:
    """The numbers of the leases whose reports are read. last: the highest number; 0: none."""
    return range(max(1, last - _MOST_LEASES + 1), last + 1)


def read_events(store: Store, job: str, lease: int) -> list[dict[str, Any]]:
    """The events under one lease, oldest first; each with its lease."""
    content = _content(store, JobKeys(job).events(lease))
    return [{**event, "lease": lease} for event in decode_events(content)]


def read_log(store: Store, job: str, lease: int) -> list[LogLine]:
    """The lines of the log under one lease. Control characters are shown."""
    text = _content(store, JobKeys(job).log(lease)).decode(errors="replace")
    return [LogLine(lease=lease, line=visible(line.expandtabs())) for line in text.splitlines()]


def all_events(store: Store, job: str, last_lease: int) -> Iterator[dict[str, Any]]:
    """The events under all leases, in order."""
    for lease in lease_numbers(last_lease):
        yield from read_events(store, job, lease)


def all_lines(store: Store, job: str, last_lease: int) -> Iterator[LogLine]:
    """The lines of the logs under all leases, in order."""
    for lease in lease_numbers(last_lease):
        yield from read_log(store, job, lease)


def _content(store: Store, key: str) -> bytes:
    """The bytes at a key; nothing where there is no object, or one that nobody can read."""
    try:
        return read_bytes(store, key)
    except (ObjectNotFound, InvalidRecord):
        return b""
