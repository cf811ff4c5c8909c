"""`dreamfarm logs`: print the events and logs of a job."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.cli.arguments import STORE, AsJson, JobName, StoreFlag
from jobs.cli.format import echo, echo_json

if TYPE_CHECKING:
    from jobs.records.keys import JobKeys
    from jobs.store.store import Store

_HEAD = ("version", "time", "lease", "event")


def logs(
    job: JobName,
    store: StoreFlag = STORE,
    events: Annotated[bool, typer.Option("--events", help="Only events.")] = False,
    log: Annotated[bool, typer.Option("--log", help="Only logs of the coordinators.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the events of a job under all of its leases, in order, and then its logs.

    With --json, each line is an object: an event with its lease, or {"lease", "line"} for a log.
    """
    from jobs.records.job import find_job_id
    from jobs.records.keys import JobKeys
    from jobs.store.address import open_existing_store

    opened = open_existing_store(store)
    keys = JobKeys(find_job_id(opened, job))
    leases = _leases(opened, keys)
    if not leases:
        echo(
            f"{keys.job}: no `work` has taken this job yet, so it has no logs; "
            f"`dreamfarm show {keys.job}` shows its state",
            err=True,
        )
    if events or not log:
        for event in _events(opened, keys, leases):
            if as_json:
                echo_json(event)
            else:
                echo(_line(event))
    if log or not events:
        for lease, text in _logs(opened, keys, leases):
            if as_json:
                echo_json({"version": 1, "lease": lease, "line": text})
            else:
                echo(text.expandtabs())


def _leases(store: "Store", keys: "JobKeys") -> list[int]:
    numbers = (keys.lease_number(entry.key) for entry in store.list_objects(keys.leases))
    return sorted(number for number in numbers if number is not None)


def _events(store: "Store", keys: "JobKeys", leases: list[int]) -> Iterator[dict[str, Any]]:
    from jobs.records.status import decode_events

    for lease in leases:
        for event in decode_events(_content(store, keys.events(lease))):
            yield {**event, "lease": lease}


def _logs(store: "Store", keys: "JobKeys", leases: list[int]) -> Iterator[tuple[int, str]]:
    for lease in leases:
        for text in _content(store, keys.log(lease)).decode(errors="replace").splitlines():
            yield lease, text


def _content(store: "Store", key: str) -> bytes:
    from jobs.store.errors import ObjectNotFound

    try:
        return store.get(key)
    except ObjectNotFound:
        return b""


def _line(event: dict[str, Any]) -> str:
    facts = [f"{name}: {value}" for name, value in event.items() if name not in _HEAD]
    line = f"{event.get('time')}  lease {event['lease']}  {event['event']}"
    return f"{line}  ({', '.join(facts)})" if facts else line
