"""Reports of a holder on its job: a status, which it rewrites, and a list of events."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Field

from jobs.records.record import Record
from jobs.text.errors import RequestError
from render.errors import suggest

Failure = Literal["infra", "memory", "input", "bug"]
"""The class of a failure."""


_Count = Annotated[int, Field(ge=0)]


_Amount = Annotated[float, Field(ge=0)]


class Items(BaseModel):
    """The counts of a dataset's items: all, done, and failed by class."""

    model_config = Record.model_config

    items: _Count
    done: _Count
    failed: dict[Failure, _Count]


class Status(Record):
    """The progress of a job under one lease, and the reason if it failed or waits.

    generation: of the intent that the holder read.
    phase: the current activity, such as `octave 3`.
    octave, step: the current ones, counted from 1, of `octaves` and `steps`.
    done, total: work in megapixel-steps; for a dataset, in items.
    progress: from 0 to 1.
    rate: work done per second.
    items: the counts of a dataset's items so far.
    failure: set only if the job has failed; `reason` then says why.
    """

    generation: _Count
    phase: str
    octave: _Count
    octaves: _Count
    step: _Count
    steps: _Count
    done: _Amount
    total: _Amount
    progress: Annotated[float, Field(ge=0, le=1)]
    rate: _Amount | None = None
    eta_seconds: _Amount | None = None
    workers: _Count
    items: Items | None = None
    reason: str | None = None
    failure: Failure | None = None


Event = dict[str, Any]
"""One event under a lease, as `show`, `watch` and `logs` print it."""


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


def parse_failure(text: str | None) -> Failure | None:
    """The class of failures that a text names; None for None. Raises RequestError."""
    classes: tuple[Failure, ...] = get_args(Failure)
    for failure in classes:
        if text == failure:
            return failure
    if text is None:
        return None
    raise RequestError(f"{text}: no such failure class; {suggest(text, classes)}")
