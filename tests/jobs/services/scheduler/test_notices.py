"""A word when a job is done, as the scheduler and its coordinators give it."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.notify.address import Address, read_addresses
from jobs.notify.attempts import Outcome
from jobs.notify.message import Message
from jobs.notify.notice import Audience
from jobs.records.job import load_job
from jobs.records.keys import ACTIVE
from jobs.services.clean.deletion import delete_job
from jobs.services.clean.garbage import find_garbage
from jobs.services.scheduler.coordinator import DONE
from tests.support.coordinators import claim_job, submit_small_poster
from tests.support.job_states import job_in_state, lease_events
from tests.support.memory_store import MemoryStore
from tests.support.scheduler_harness import SchedulerHarness
from tests.support.webhook_server import WebhookServer, webhook_server


@pytest.fixture
def endpoint() -> Iterator[WebhookServer]:
    with webhook_server() as server:
        yield server


class Silent:
    """A service that takes nothing."""

    def send(self, message: Message, timeout: float) -> Outcome:
        return Outcome("refused", "answered 503")


SILENT = Address("https+1", None, "https://example.org/...", Silent())


def markers(store: MemoryStore) -> list[str]:
    return [entry.key.removeprefix(ACTIVE) for entry in store.list_objects(ACTIVE)]


def scan_until_idle(harness: SchedulerHarness) -> None:
    deadline = time.monotonic() + 20
    while not harness.scan():
        assert time.monotonic() < deadline, harness.messages
        time.sleep(0.02)


def test_a_job_that_ended_is_told_although_its_work_died(endpoint: WebhookServer) -> None:
    died = SchedulerHarness()
    job = died.submit("a")
    died.scan()
    died.end(job)  # and the `work` dies with its coordinator
    harness = SchedulerHarness(store=died.store, addresses=read_addresses([endpoint.url], {}))
    scan_until_idle(harness)
    (taken,) = endpoint.taken
    assert json.loads(taken.body)["type"] == "job.succeeded"
    assert markers(harness.store) == []
    assert f"{job}: told http+1 that it is done" in harness.messages


def test_a_work_that_ends_by_itself_sends_first(endpoint: WebhookServer) -> None:
    endpoint.delay = 0.3
    harness = SchedulerHarness(addresses=read_addresses([endpoint.url], {}))
    job_in_state(harness.store, "failed")
    harness.store.put(f"{ACTIVE}sky-0123456789ab", b"")
    assert not harness.scan(), "the job has ended, but nobody was told"
    scan_until_idle(harness)
    assert len(endpoint.taken) == 1
    assert markers(harness.store) == []


def test_a_work_that_ends_says_what_is_left() -> None:
    harness = SchedulerHarness(addresses=(SILENT,))
    job_in_state(harness.store, "failed")
    harness.store.put(f"{ACTIVE}sky-0123456789ab", b"")
    scan_until_idle(harness)
    harness.scheduler.stop()
    harness.scheduler.run()
    assert markers(harness.store) == ["sky-0123456789ab=failed@0"]
    assert harness.messages[-1].startswith("notices that are not sent yet: 1; the next `work`")


def test_an_idle_scan_is_one_listing_also_while_a_notice_waits() -> None:
    harness = SchedulerHarness(addresses=(SILENT,))
    job_in_state(harness.store, "failed")
    harness.store.put(f"{ACTIVE}sky-0123456789ab", b"")
    scan_until_idle(harness)
    while len(harness.messages) < 1:
        harness.scan()
        time.sleep(0.02)
    scan_until_idle(harness)
    harness.store.requests.clear()
    for _ in range(5):
        harness.scan()
    assert harness.store.requests == {"list": 5}


def test_without_addresses_nothing_is_written() -> None:
    harness = SchedulerHarness()
    job_in_state(harness.store, "failed")
    harness.store.put(f"{ACTIVE}sky-0123456789ab", b"")
    harness.scan()
    assert markers(harness.store) == []


def test_a_notice_without_a_work_that_sends_costs_the_others_nothing() -> None:
    harness = SchedulerHarness()
    job_in_state(harness.store, "failed")
    harness.store.put(f"{ACTIVE}sky-0123456789ab=failed@0", b"")
    harness.store.requests.clear()
    assert harness.scan()
    assert harness.store.requests == {"list": 1}


def test_unknown_names_are_said_when_the_job_starts() -> None:
    known = Address("mail", "mail", "mailto://...", Silent())
    harness = SchedulerHarness(addresses=(known,))
    job = harness.submit("a")
    stored = load_job(harness.store, job).run_settings
    assert stored is not None
    changed = stored.model_copy(update={"notify": ("mail", "phone")})
    harness.store.put(f"jobs/{job}/priority.json", changed.encode())
    harness.scan()
    assert harness.started == [job]
    told = f"{job}: notify: no address here is called phone; start `dreamfarm work` with"
    assert any(line.startswith(told) for line in harness.messages)
    assert harness.configs[job].audience == Audience(names=("mail",))


def test_a_job_says_which_of_its_names_are_unknown_and_goes_on(
    picture: Path, weights: Path, tmp_path: Path
) -> None:
    store = MemoryStore()
    job = submit_small_poster(store, picture, weights, "notify=[phone]", "dream.octaves=1")
    assert claim_job(store, job, tmp_path / "scratch").run() == DONE
    (event,) = (one for one in lease_events(store, job, 1) if one["event"] == "notify")
    assert event["reason"].startswith("notify: no address here is called phone; start")
    assert load_job(store, job).state == "succeeded"


def test_a_deleted_job_is_not_talked_about() -> None:
    store = MemoryStore()
    keys = job_in_state(store, "failed")
    store.put(f"{ACTIVE}{keys.job}=failed@0", b"")
    store.put(f"{ACTIVE}{keys.job}", b"")
    delete_job(store, keys.job)
    assert markers(store) == []


def test_clean_removes_notices_of_deleted_jobs_only() -> None:
    store = MemoryStore()
    job_in_state(store, "failed")
    for job in ("sky-0123456789ab", "sea-0123456789ab"):
        store.put(f"{ACTIVE}{job}=failed@0", b"")
    store.now += 10
    garbage = find_garbage(store, 0, include_resumable=False)
    assert [one.prefix for one in garbage if one.prefix.startswith(ACTIVE)] == [
        f"{ACTIVE}sea-0123456789ab=failed@0"
    ]
