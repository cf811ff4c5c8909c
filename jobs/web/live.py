"""Streams of server-sent events: what changes goes to all browsers, encoded once.

A browser that reads slowly keeps nobody waiting: of each job only the newest state waits for it,
and if even that is too much, everything that waits is replaced by one snapshot.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterable

from pydantic import BaseModel

from jobs.web.models import IndexView, JobView

HEARTBEAT = 15.0
"""Seconds after which a quiet stream sends a comment, so that proxies keep it open."""

_MOST_WAITING = 1 << 20
"""Bytes that wait for one browser, at most."""


class Snapshot(BaseModel):
    """All open jobs."""

    jobs: tuple[JobView, ...]


class RemovedJob(BaseModel):
    """A job that is not in the store any more."""

    job: str


class StoreAnswer(BaseModel):
    """Whether the store answers. detail: the error, in one line."""

    answers: bool
    detail: str | None


def encode_event(name: str, data: BaseModel) -> bytes:
    """One event of a stream. JSON has no line breaks."""
    return f"event: {name}\ndata: {data.model_dump_json()}\n\n".encode()


class Subscription:
    """What one browser has not received yet. Only the thread of the event loop uses it.

    topic: a job whose details it wants, or None.
    """

    def __init__(self, topic: str | None) -> None:
        self.topic = topic
        self._waiting: dict[str, bytes] = {}
        self._bytes = 0
        self._fell_behind = False
        self._ready = asyncio.Event()

    def put(self, key: str, event: bytes) -> None:
        """Add an event; it replaces one with the same key that still waits."""
        self._bytes += len(event) - len(self._waiting.pop(key, b""))
        self._waiting[key] = event
        if self._bytes > _MOST_WAITING:
            self._waiting.clear()
            self._bytes, self._fell_behind = 0, True
        self._ready.set()

    async def take(self) -> tuple[bytes, bool]:
        """Wait for events, at most until a heartbeat is due.

        Returns them, and whether some were lost, so that a snapshot has to come first.
        """
        try:
            await asyncio.wait_for(self._ready.wait(), HEARTBEAT)
        except TimeoutError:
            return b": still here\n\n", False
        events, lost = b"".join(self._waiting.values()), self._fell_behind
        self._waiting.clear()
        self._bytes, self._fell_behind = 0, False
        self._ready.clear()
        return events, lost


class Hub:
    """All browsers that listen. Its methods `*_changed` and so on may be called from any thread."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._counter = 0
        self._store = StoreAnswer(answers=True, detail=None)
        self.somebody_listens = threading.Event()

    @property
    def topics(self) -> set[str]:
        """The jobs whose details somebody wants."""
        return {one.topic for one in tuple(self._subscriptions) if one.topic is not None}

    def job_changed(self, job: JobView) -> None:
        """Tell that a job is new, or has changed."""
        self._publish(f"job {job.job}", lambda: encode_event("job", job))

    def job_removed(self, job: str) -> None:
        """Tell that a job is not in the store any more."""
        self._publish(f"job {job}", lambda: encode_event("removed", RemovedJob(job=job)))

    def index_grew(self, index: IndexView) -> None:
        """Tell how many jobs are known."""
        self._publish("index", lambda: encode_event("index", index))

    def store_answered(self, problem: str | None) -> None:
        """Tell whether the store answers, if that has changed. problem: the error."""
        now = StoreAnswer(answers=problem is None, detail=problem)
        if now.answers != self._store.answers:
            self._publish("store", lambda: encode_event("store", now))
        self._store = now

    def tell_about(self, topic: str, events: Iterable[tuple[str, BaseModel]]) -> None:
        """Send details of a job to those who want them. None of them replaces another."""
        for name, data in events:
            self._counter += 1
            self._publish(f"{name} {self._counter}", lambda: encode_event(name, data), topic)  # noqa: B023 - called at once

    async def stream(
        self,
        topic: str | None,
        snapshot: Callable[[], Snapshot],
        backlog: Callable[[], Iterable[tuple[str, BaseModel]]],
    ) -> AsyncGenerator[bytes]:
        """The events for one browser, until it leaves.

        snapshot, backlog: read what a new browser gets first. They are called in a thread.
        """
        self._loop = asyncio.get_running_loop()
        subscription = Subscription(topic)
        self._subscriptions.add(subscription)
        self.somebody_listens.set()
        try:
            yield await self._beginning(snapshot, backlog)
            while True:
                events, lost = await subscription.take()
                if lost:
                    events = await self._beginning(snapshot, backlog)
                yield events
        finally:
            self._subscriptions.discard(subscription)
            if not self._subscriptions:
                self.somebody_listens.clear()

    async def _beginning(
        self,
        snapshot: Callable[[], Snapshot],
        backlog: Callable[[], Iterable[tuple[str, BaseModel]]],
    ) -> bytes:
        first = await asyncio.to_thread(snapshot)
        events = [encode_event("snapshot", first)]
        if not self._store.answers:
            events.append(encode_event("store", self._store))
        details = await asyncio.to_thread(lambda: list(backlog()))
        return b"".join([*events, *(encode_event(name, data) for name, data in details)])

    def _publish(self, key: str, encode: Callable[[], bytes], topic: str | None = None) -> None:
        loop = self._loop
        if loop is None or loop.is_closed() or not self.somebody_listens.is_set():
            return
        event = encode()

        def deliver() -> None:
            for one in self._subscriptions:
                if topic in (None, one.topic):
                    one.put(key, event)

        loop.call_soon_threadsafe(deliver)
