"""`dreamfarm logs`: print the events and logs of a job."""

import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.cli.arguments import POLL_INTERVAL, STORE, AsJson, JobName, PollInterval, StoreFlag
from jobs.cli.format import echo, echo_json

if TYPE_CHECKING:
    from jobs.records.keys import JobKeys
    from jobs.services.job_handle import Job
    from jobs.store.store import Store

_HEAD = ("version", "time", "lease", "event")


def logs(
    job: JobName,
    store: StoreFlag = STORE,
    events: Annotated[bool, typer.Option("--events", help="Only events.")] = False,
    log: Annotated[bool, typer.Option("--log", help="Only logs of the coordinators.")] = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="Then print what is new, until the job ends.")
    ] = False,
    every: PollInterval = POLL_INTERVAL,
    as_json: AsJson = False,
) -> None:
    """Print the events of a job under all of its leases, in order, and then its logs.

    With --json, each line is an object: an event with its lease, or {"lease", "line"} for a log.
    """
    from jobs.records.job import find_job_id
    from jobs.records.keys import JobKeys
    from jobs.services.client import Store

    opened = Store.existing(store)
    keys = JobKeys(find_job_id(opened.store, job))
    printer = _Printer(opened.store, keys, events or not log, log or not events, as_json)
    if not printer.print_new():
        echo(
            f"{keys.job}: no `work` has taken this job yet, so it has no logs; "
            f"`dreamfarm show {keys.job}` shows its state",
            err=True,
        )
    if follow:
        try:
            _follow(opened.job(keys.job), printer, every)
        except KeyboardInterrupt:
            echo("dreamfarm: interrupted; the job goes on", err=True)
            raise typer.Exit(128 + signal.SIGINT) from None


_LAST_LOOKS = 5
"""How often to look for the last reports of a holder, which follow the manifest."""


def _follow(job: "Job", printer: "_Printer", every: float) -> None:
    """Print what is new until the job has ended, and its holder has released its lease."""
    from jobs.store.errors import StoreUnreachable

    def say(line: str) -> None:
        echo(line, err=True)

    for _ in job.watch(every, say):
        # The next look of the watch waits for the store, and says so.
        with suppress(StoreUnreachable):
            printer.print_new()
    for _ in range(_LAST_LOOKS):
        with suppress(StoreUnreachable):
            printer.print_new()
            if printer.is_complete():
                return
        time.sleep(every)


class _Printer:
    """Prints the reports of a job: those that it has not printed before."""

    def __init__(
        self, store: "Store", keys: "JobKeys", has_events: bool, has_logs: bool, as_json: bool
    ) -> None:
        self._store, self._keys, self._as_json = store, keys, as_json
        self._has_events, self._has_logs = has_events, has_logs
        self._events: Counter[int] = Counter()
        self._logs: defaultdict[int, list[str]] = defaultdict(list)

    def print_new(self) -> bool:
        """Print what is new. Returns whether anybody has held the job."""
        leases = _leases(self._store, self._keys)
        if self._has_events:
            for event in self._new_events(leases):
                if self._as_json:
                    echo_json(event)
                else:
                    echo(_line(event))
        if self._has_logs:
            for lease, text in self._new_lines(leases):
                if self._as_json:
                    echo_json({"version": 1, "lease": lease, "line": text})
                else:
                    echo(text.expandtabs())
        return bool(leases)

    def is_complete(self) -> bool:
        """Whether no holder will report more."""
        from jobs.records.lease import current_lease

        current = current_lease(self._store, self._keys)
        return current is None or not current.is_live

    def _new_events(self, leases: list[int]) -> "Iterator[dict[str, Any]]":
        from jobs.records.status import decode_events

        for lease in leases:
            events = decode_events(_content(self._store, self._keys.events(lease)))
            for event in events[self._events[lease] :]:
                yield {**event, "lease": lease}
            self._events[lease] = max(len(events), self._events[lease])

    def _new_lines(self, leases: list[int]) -> Iterator[tuple[int, str]]:
        for lease in leases:
            content = _content(self._store, self._keys.log(lease))
            lines = content.decode(errors="replace").splitlines()
            for text in _after(self._logs[lease], lines):
                yield lease, text
            self._logs[lease] = lines


def _after(before: list[str], now: list[str]) -> list[str]:
    """The lines that were added at the end; a long log also loses lines at its beginning."""
    for start in range(len(before) + 1):
        kept = before[start:]
        if now[: len(kept)] == kept:
            return now[len(kept) :]
    return now


def _leases(store: "Store", keys: "JobKeys") -> list[int]:
    numbers = (keys.lease_number(entry.key) for entry in store.list_objects(keys.leases))
    return sorted(number for number in numbers if number is not None)


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
