"""Streams of events to many browsers, from one reader of the store."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx

from jobs.records.keys import ACTIVE
from jobs.records.request import cancel
from jobs.records.status import encode_events, make_event
from jobs.store.errors import ObjectNotFound
from jobs.web.farm import Farm
from jobs.web.guard import API
from jobs.web.job_index import JobIndex
from jobs.web.job_watch import JobWatch
from jobs.web.live import Hub, Snapshot, Subscription
from jobs.web.models import IndexView
from jobs.web.poller import Poller
from jobs.web.settings import ServeSettings
from tests.support.counting_store import CountingStore
from tests.support.job_states import sample_status
from tests.support.stored_jobs import (
    finish_job,
    job_name,
    run_job,
    write_finished_job,
    write_open_job,
)
from tests.support.web_server import WebServer, web_server

Event = tuple[str, dict[str, object]]


def parsed(content: bytes) -> list[Event]:
    """The events of a part of a stream."""
    found = []
    for block in content.decode().split("\n\n"):
        fields = dict(line.partition(": ")[::2] for line in block.splitlines())
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def within(seconds: float, act: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await asyncio.wait_for(act(), seconds)

    asyncio.run(run())


def test_many_browsers_cost_the_store_no_more_than_one(store: CountingStore) -> None:
    """The poller is called by hand; what it reads does not depend on who listens."""
    keys = write_open_job(store, job_name(1))
    run_job(store, keys)
    farm = Farm(store, ServeSettings(refresh_seconds=60.0))

    async def listen(streams: list[AsyncIterator[bytes]], name: str) -> None:
        for stream in streams:
            while not any(event == name for event, _ in parsed(await anext(stream))):
                pass

    async def run() -> None:
        costs = []
        streams: list[AsyncIterator[bytes]] = []
        for count in (1, 200):
            while len(streams) < count:
                streams.append(farm.hub.stream(None, farm.snapshot, list))
                assert parsed(await anext(streams[-1]))[0][0] == "snapshot"
            store.put(keys.status(1), sample_status(progress=count / 1000).encode())
            store.forget()
            farm.index.refresh()
            costs.append((store.listings.total(), store.reads.total()))
            await listen(streams, "job")
        assert costs[0] == costs[1] == (1, costs[0][1])

    within(30, run)


def test_a_browser_that_falls_behind_gets_a_snapshot_and_little_memory() -> None:
    async def run() -> None:
        slow = Subscription(None)
        for _ in range(100):
            slow.put("job 1", b"x" * 1000)
        events, lost = await slow.take()
        assert (len(events), lost) == (1000, False), "only the newest state of a job waits"
        for number in range(2000):
            slow.put(f"log {number}", b"x" * 1000)
        events, lost = await slow.take()
        assert lost
        assert len(events) < 1 << 20

    within(5, run)


def test_details_go_to_those_who_want_them() -> None:
    async def run() -> None:
        hub = Hub()
        streams = [hub.stream(topic, lambda: Snapshot(jobs=()), list) for topic in ("a", "b")]
        for stream in streams:
            await anext(stream)
        assert hub.topics == {"a", "b"}
        hub.tell_about("a", [("log", Snapshot(jobs=())), ("log", Snapshot(jobs=()))])
        hub.job_removed("x")
        first, second = [parsed(await anext(stream)) for stream in streams]
        assert [name for name, _ in first] == ["log", "log", "removed"]
        assert [name for name, _ in second] == ["removed"]
        for stream in streams:
            await stream.aclose()
        assert hub.topics == set()
        assert not hub.somebody_listens.is_set()

    within(5, run)


class Listener:
    """Reads a stream of a real server in a thread."""

    def __init__(self, server: WebServer, path: str) -> None:
        self.events: list[Event] = []
        self._client = httpx.Client(base_url=server.url, timeout=30, trust_env=False)
        self._path = path
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        content = b""
        try:
            with self._client.stream("GET", f"{API}{self._path}") as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                for chunk in answer.iter_raw():
                    *whole, content = (content + chunk).split(b"\n\n")
                    self.events += parsed(b"\n\n".join(whole))
        except httpx.TransportError:
            return  # the server has ended

    def wait_for(self, condition: Callable[[list[Event]], object]) -> None:
        deadline = time.monotonic() + 15
        while not condition(self.events):
            assert time.monotonic() < deadline, self.events
            time.sleep(0.02)


def states(events: list[Event], job: str) -> list[object]:
    return [data["state"] for name, data in events if name == "job" and data["job"] == job]


def test_a_browser_sees_a_job_from_its_beginning_to_its_end(store: CountingStore) -> None:
    keys = write_open_job(store, job_name(1))
    with web_server(store) as server:
        everything = Listener(server, "/events")
        details = Listener(server, f"/events?job={keys.job}")
        for one in (everything, details):
            one.wait_for(lambda events: events and events[0][0] == "snapshot")
        store.put(keys.events(1), encode_events([make_event("claimed")]))
        run_job(store, keys)
        details.wait_for(lambda events: "running" in states(events, keys.job))
        details.wait_for(lambda events: any(name == "events" for name, _ in events))
        store.put(keys.log(1), b"first\nsecond\n")
        details.wait_for(lambda events: any(name == "log" for name, _ in events))
        finish_job(store, keys)
        for one in (everything, details):
            one.wait_for(lambda events: "succeeded" in states(events, keys.job))
        assert not [name for name, _ in everything.events if name in ("events", "log")]
        logs = [data["lines"] for name, data in details.events if name == "log"]
        assert [line["line"] for lines in logs for line in lines] == ["first", "second"]  # type: ignore[attr-defined]


def test_a_browser_that_leaves_is_forgotten(store: CountingStore) -> None:
    with web_server(store) as server:
        with httpx.stream("GET", f"{server.url}{API}/events", trust_env=False) as answer:
            chunks = answer.iter_raw()
            next(chunks)
            assert server.farm.hub.somebody_listens.is_set()
        deadline = time.monotonic() + 10
        while server.farm.hub.somebody_listens.is_set():
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_watched_job_with_strange_records_stops_nobody(store: CountingStore) -> None:
    bad, good = write_open_job(store, job_name(1)), write_open_job(store, job_name(2))
    run_job(store, bad)
    store.put(f"{bad.checkpoints}000001/0001/commit.json", b"junk")
    with web_server(store) as server:
        server.farm.pictures.canvas = _fail  # type: ignore[method-assign]
        listener = Listener(server, f"/events?job={bad.job}")
        listener.wait_for(lambda events: events)
        run_job(store, good)
        listener.wait_for(lambda events: "running" in states(events, good.job))


def _fail(job: str) -> None:
    raise ObjectNotFound(job)


def test_a_server_that_stops_does_not_wait_for_its_first_scan(store: CountingStore) -> None:
    for number in range(400):
        write_finished_job(store, job_name(number))

    class Stopper(Hub):
        """Stops the poller after the first part of the scan."""

        def index_grew(self, index: IndexView) -> None:
            poller._stop.set()

    hub = Stopper()
    jobs = JobIndex(store, hub)
    poller = Poller(jobs, hub, lambda job: JobWatch(store, job, lambda _: None), 60.0)
    poller.start()
    assert poller._stop.wait(20)
    poller.stop()
    assert 0 < jobs.progress().known < 400
    assert not jobs.progress().complete


def test_nobody_listening_costs_nothing(store: CountingStore) -> None:
    write_open_job(store, job_name(1))
    with web_server(store, ServeSettings(refresh_seconds=0.02)) as server:
        assert server.json("/jobs")["matching"] == 1
        time.sleep(0.2)
        store.forget()
        time.sleep(0.3)
        assert not store.listings


def test_a_store_that_falls_silent_is_told_and_so_is_its_return(store: CountingStore) -> None:
    keys = write_open_job(store, job_name(1))
    with web_server(store) as server:
        listener = Listener(server, "/events")
        listener.wait_for(lambda events: events)
        store.is_down = True
        listener.wait_for(lambda events: events[-1] == ("store", events[-1][1]))
        assert listener.events[-1][1] == {"answers": False, "detail": "memory: does not answer"}
        store.is_down = False
        listener.wait_for(lambda events: ("store", {"answers": True, "detail": None}) in events)
        cancel(store, keys.job)
        store.delete([key for key in store.objects if key.startswith(ACTIVE)])
        listener.wait_for(lambda events: "cancelled" in states(events, keys.job))
