"""Reports of a holder on its job: a status, which it rewrites, and a list of events."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Field

from jobs.records.record import SMALL_RECORD, Amount, Count, Number, Record
from jobs.records.spending import ReachedLimit, Spent
from jobs.text.errors import RequestError
from render.errors import suggest

FailureClass = Literal["infra", "memory", "input", "bug"]
"""Why something failed: the cluster or the store, too little memory, bad input, or a defect."""


class ItemCounts(BaseModel):
    """The counts of a dataset's items.

    items: all items. done: those with a result, without the failed ones. failed: by class.
    """

    model_config = Record.model_config

    items: Count
    done: Count
    failed: dict[FailureClass, Count]


class Status(Record):
    """The progress of a job under one lease, and the reason if it failed or waits.

    generation: of the intent that the holder read.
    phase: the current activity in words: `starting`, `reading the input`, `octave 3`,
        `writing files` or `dreaming items`.
    octave: the current one of `octaves`, counted from 1; 0 before the first, and in a dataset.
    step: how many of the octave's `steps` are done; 0 at first.
    done, total: work in megapixel-steps; for a dataset, in items, and `done` includes failed ones.
    progress: from 0 to 1.
    rate: work done per second.
    items: the counts of a dataset's items so far.
    seconds: from the start of this holder's work to its last progress.
    failure: set only if the job has failed; `reason` then says why.
    drafted: how many octaves the draft has at which this holder stopped; 0 without one.
    spent: by all holders up to this one; None in records of versions that did not count it.
    limit: the one of the job's limits that made this holder stop; None for other reasons.
    """

    max_bytes = SMALL_RECORD

    generation: Number
    phase: str
    octave: Count
    octaves: Count
    step: Count
    steps: Count
    done: Amount
    total: Amount
    progress: Annotated[float, Field(ge=0, le=1)]
    rate: Amount | None = None
    eta_seconds: Amount | None = None
    workers: Count
    items: ItemCounts | None = None
    seconds: Amount | None = None
    reason: str | None = None
    failure: FailureClass | None = None
    drafted: Count = 0
    spent: Spent | None = None
    limit: ReachedLimit | None = None


Event = dict[str, Any]
"""One event under a lease. `logs` prints it."""


def make_event(kind: str, **facts: str | float | None) -> Event:
    """Make an event with the current time of this machine in UTC."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return {"version": 1, "time": now, "event": kind, **facts}


def encode_events(events: list[Event]) -> bytes:
    """Encode events as JSON Lines."""
    return "".join(f"{json.dumps(event)}\n" for event in events).encode()


def decode_events(content: bytes) -> list[Event]:
    """Decode JSON Lines of events; invalid lines are skipped."""
    events = []
    for line in content.decode(errors="replace").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and isinstance(event.get("event"), str):
            events.append(event)
    return events


def parse_failure(text: str | None) -> FailureClass | None:
    """The class of failures that a text names; None for None. Raises RequestError."""
    classes: tuple[FailureClass, ...] = get_args(FailureClass)
    for failure in classes:
        if text == failure:
            return failure
    if text is None:
        return None
    raise RequestError(f"{text}: no such failure class; {suggest(text, classes)}")
