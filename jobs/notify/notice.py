"""Notices: what is still to be said about a job, as records beside the markers of active jobs."""

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel

from jobs.records.job import StoredJob
from jobs.records.job_summary import summarize
from jobs.records.keys import JobKeys, active_marker, notice_marker
from jobs.records.record import SMALL_RECORD, Number, Record
from jobs.spec.notify import NotifyField
from jobs.store.store import Store
from jobs.text.errors import InvalidRecord
from jobs.text.report import format_time, one_line

Event = Literal["succeeded", "failed", "paused"]
"""What is said about a job. `paused`: by one of its limits; its user knows of any other pause."""

_MAX_NONCE = 64
"""Characters of a nonce; ours have 32."""

_MOST_PREVIEWS = 100
"""The newest previews that a notice names; a poster has one for each octave."""

_MAX_REASON = 600
"""Characters of a reason in a message for people."""


class Audience(BaseModel):
    """Who gets notices, as far as those need to know who write them.

    hears_all: whether there are addresses without a name, which get all notices. names: of the
    addresses that only get the notices of jobs whose spec says so.
    """

    model_config = Record.model_config

    hears_all: bool = False
    names: tuple[str, ...] = ()

    def wants(self, names: Sequence[str]) -> bool:
        """Whether anybody gets the notices of a job. names: the field `notify` of its spec."""
        return self.hears_all or not set(names).isdisjoint(self.names)

    def unknown_names(self, names: Sequence[str]) -> str | None:
        """What to say about the names of a spec that no address has; None if each has one."""
        unknown = [name for name in names if name not in self.names]
        if not unknown:
            return None
        return (
            f"notify: no address here is called {' or '.join(unknown)}; start `dreamfarm work` "
            f"with --notify {unknown[0]}=ADDRESS"
        )


class Notice(Record):
    """What is to be said about a job, once to each address.

    number: of the generation in which it ended, or of the lease under which it paused.
    nonce: of the stored spec. A job that was deleted and submitted again has another one.
    time: in UTC, when this record was made.
    notify: the field of the spec.
    summary: as `show --json` prints it, right after the event.
    """

    max_bytes = SMALL_RECORD

    event: Event
    job: str
    number: Number
    nonce: str
    time: str
    notify: NotifyField = ()
    summary: dict[str, Any]

    @property
    def key(self) -> str:
        """The key of the record. It is deleted when every address has got the notice."""
        return notice_marker(self.job, self.event, self.number)

    @property
    def title(self) -> str:
        """The title of the message for people."""
        return f"{self.job}: {_HEADINGS[self.event]}"

    def text(self, store: str) -> str:
        """The message for people, in a few lines. store: the address of the store."""
        summary = self.summary
        facts = [summary.get("size"), _items(summary.get("items")), _time(summary.get("seconds"))]
        reason = one_line(str(summary.get("reason") or ""))[:_MAX_REASON]
        advice = f"dreamfarm {_ADVICE[self.event]} {self.job} --store {store}"
        return "\n".join(filter(None, (reason, ", ".join(filter(None, facts)), advice)))

    @property
    def preview(self) -> str | None:
        """The key of the newest preview, if there is one."""
        keys = self.summary.get("previews")
        last = keys[-1] if isinstance(keys, list | tuple) and keys else None
        # The record may come from a stranger, and no other object may be sent away.
        is_own = isinstance(last, str) and last.startswith(JobKeys(self.job).previews)
        return last if is_own else None


_HEADINGS: dict[Event, str] = {
    "succeeded": "is done",
    "failed": "has failed",
    "paused": "is paused by its limits",
}

_ADVICE: dict[Event, str] = {"succeeded": "fetch", "failed": "logs", "paused": "show"}


def _time(seconds: object) -> str | None:
    return f"in {format_time(seconds)}" if isinstance(seconds, int | float) else None


def _items(counts: object) -> str | None:
    if not isinstance(counts, dict):
        return None
    return f"{counts.get('done')} of {counts.get('items')} pictures"


def event_of(job: StoredJob) -> tuple[Event, int] | None:
    """What is to be said about a job in its present state, and the number of the notice."""
    match job.state:
        case "succeeded" | "failed":
            return job.state, job.intent.generation
        case "paused" if job.paused_by == "limit" and job.current_lease is not None:
            return "paused", job.current_lease.number
        case _:
            return None


class Notices:
    """Writes the notices of jobs into their store. audience: who gets them."""

    def __init__(self, store: Store, audience: Audience) -> None:
        self._store, self._audience = store, audience
        self._written: set[tuple[str, str]] = set()

    def end(self, job: StoredJob, generation: int) -> str | None:
        """Replace the marker of an ended job by its notice, if anybody gets that; returns its key.

        generation: of the marker. Whoever is interrupted has left the marker, so that the next
        `work` does the same again.
        """
        key = self.add(job)
        self._store.delete([active_marker(job.id, generation)])
        return key

    def add(self, job: StoredJob) -> str | None:
        """Write the notice of a job, if its state gives one and anybody gets it; returns its key.

        This process writes it once: a paused job is seen at each look at the store.
        """
        found = event_of(job)
        if found is None or not self._audience.wants(job.notify):
            return None
        event, number = found
        mark = (notice_marker(job.id, event, number), job.spec.nonce)
        if mark in self._written:
            return None
        notice = Notice(
            event=event,
            job=job.id,
            number=number,
            nonce=job.spec.nonce[:_MAX_NONCE],
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            notify=job.notify,
            summary=self._summary(job),
        )
        content = notice.encode()
        if len(content) > Notice.max_bytes:
            # Nobody could read it, so it would never be sent.
            short = _short_summary(job, "its records are too large for a message")
            content = notice.model_copy(update={"summary": short}).encode()
        self._store.put_if_absent(notice.key, content)
        self._written.add(mark)
        return notice.key

    def _summary(self, job: StoredJob) -> dict[str, Any]:
        entries = self._store.list_objects(JobKeys(job.id).previews)
        previews = deque((one.key for one in entries), maxlen=_MOST_PREVIEWS)
        try:
            return summarize(job, tuple(previews)).document()
        except InvalidRecord as error:
            return _short_summary(job, str(error))


def _short_summary(job: StoredJob, reason: str) -> dict[str, Any]:
    return {"version": 1, "job": job.id, "state": job.state, "reason": reason}
