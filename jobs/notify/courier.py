"""The courier of one address: a thread that sends the notices for it, one after another."""

import queue
import threading
import time
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from jobs.notify.address import Address
from jobs.notify.attempts import Attempt, AttemptLog, Outcome, Rules, next_step
from jobs.notify.message import Message
from jobs.notify.notice import Notice
from jobs.records.keys import JobKeys
from jobs.runtime.logs import Notify
from jobs.store.errors import StoreError
from jobs.store.store import Store
from jobs.text.errors import JobsError
from jobs.text.report import format_time

_QUEUE = 1000
"""The most notices that wait in memory for one address. The others wait in the store."""

_AFTER_OUTAGE, _AFTER_ERROR = 30.0, 3600.0
"""Seconds until a notice is looked at again after the store was away; after any other error."""

_LONGEST_REST = 60.0
"""Seconds until an address that failed is tried again with any notice, at most."""

_TICK = 0.2
"""Seconds between two checks whether to end."""


@dataclass(frozen=True)
class Desk:
    """What all couriers of a process share.

    holder: `host:pid`. rules: when and how often to send. report: tells the operator.
    over: is called with the key of a notice and the id of an address that needs no more attempts.
    """

    store: Store
    holder: str
    rules: Rules
    report: Notify
    over: Callable[[str, str], None]


class Courier:
    """Sends notices to one address, in a thread of its own, so that it delays nothing else.

    What it knows is in the store, except when to look at a notice again.
    """

    def __init__(self, address: Address, desk: Desk) -> None:
        self._address, self._desk = address, desk
        self._queue: queue.Queue[str] = queue.Queue(_QUEUE)
        self._taken: set[str] = set()
        self._due: dict[str, float] = {}
        self._rest, self._rest_until = 0.0, 0.0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        # A daemon: an endpoint that does not answer must not keep `work` from ending.
        name = f"courier of {address.id}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def offer(self, key: str) -> None:
        """Take a notice that is to be sent now, unless it waits for its next attempt."""
        now = time.monotonic()
        with self._lock:
            if key in self._taken or now < max(self._due.get(key, 0.0), self._rest_until):
                return
            try:
                self._queue.put_nowait(key)
            except queue.Full:
                return
            self._taken.add(key)
        if not self._thread.ident:
            self._thread.start()

    def forget_others(self, keys: Container[str]) -> None:
        """Forget when to look at notices that are not among these."""
        with self._lock:
            self._due = {key: due for key, due in self._due.items() if key in keys}

    @property
    def is_busy(self) -> bool:
        """Whether it has something to send now."""
        with self._lock:
            return bool(self._taken)

    def stop(self) -> None:
        """Begin no more attempts."""
        self._stopping.set()

    def join(self, seconds: float) -> None:
        """Wait for the attempt that it makes, for so long."""
        if self._thread.ident:
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                key = self._queue.get(timeout=_TICK)
            except queue.Empty:
                continue
            wait = self._handle_safely(key)
            if wait is None:
                self._desk.over(key, self._address.id)
            with self._lock:
                self._taken.discard(key)
                if wait is not None:
                    self._due[key] = time.monotonic() + wait

    def _handle_safely(self, key: str) -> float | None:
        """Handle a notice. Returns the seconds until the next look; None if nothing is left."""
        if (rest := self._rest_until - time.monotonic()) > 0:
            return rest
        try:
            return self._handle(key)
        except StoreError:
            return _AFTER_OUTAGE  # the scheduler reports it
        except JobsError as error:
            self._desk.report("notify", f"{error} (left alone)")
        except Exception as error:  # noqa: BLE001 - plugins of others, whose texts may hold secrets
            line = f"{self._address.id}: unexpected {type(error).__name__} while sending"
            self._desk.report("notify", line)
        return _AFTER_ERROR

    def _handle(self, key: str) -> float | None:
        """Look what is to be done about a notice, and do it."""
        desk = self._desk
        notice = Notice.read_or_none(desk.store, key)
        if notice is None or notice.key != key or not self._address.wants(notice):
            return None
        if not any(True for _ in desk.store.list_objects(JobKeys(notice.job).spec)):
            return None  # the job was deleted
        prefix = JobKeys(notice.job).notified(notice.event, notice.number, self._address.id)
        log = AttemptLog(desk.store, prefix, desk.holder, notice.nonce)
        attempts, age = log.read()
        step = next_step(log.of_now(attempts), age, desk.rules)
        if step.is_over or step.wait > 0 or self._stopping.is_set():
            return None if step.is_over else max(step.wait, _TICK)
        return self._send(Message(notice, desk.store), log, attempts)

    def _send(self, message: Message, log: AttemptLog, earlier: Sequence[Attempt]) -> float | None:
        """Make one attempt. Returns like `_handle_safely`."""
        rules, number = self._desk.rules, len(earlier) + 1
        attempt = log.begin(number)
        if attempt is None:
            return rules.dead_after
        outcome = self._address.service.send(message, rules.timeout)
        ended = log.end(number, attempt, outcome)
        step = next_step(log.of_now([*earlier, ended]), 0.0, rules)
        self._report(message.notice, outcome, None if step.is_over else step.wait)
        if outcome.result in ("sent", "rejected"):
            self._rest = 0.0
        else:
            # An address that is down gets one message now and then, however many wait for it.
            self._rest = min(_LONGEST_REST, max(_TICK, 2 * self._rest))
            self._rest_until = time.monotonic() + self._rest
        return None if step.is_over else step.wait

    def _report(self, notice: Notice, outcome: Outcome, wait: float | None) -> None:
        """Tell the operator what became of an attempt."""
        id_, shown = self._address.id, self._address.shown
        if outcome.result == "sent":
            line = f"{notice.job}: told {id_} that it {_WORDS[notice.event]}"
        else:
            then = "given up" if wait is None else f"trying again in {format_time(wait)}"
            line = f"{notice.job}: {id_} ({shown}) was not told: {outcome.detail}; {then}"
        self._desk.report("notify", line, notice.job)


_WORDS = {"succeeded": "is done", "failed": "has failed", "paused": "is paused by its limits"}
