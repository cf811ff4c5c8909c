"""Endpoints, and notices of jobs in a store."""

from collections.abc import Iterator

import pytest

from jobs.notify.notice import Audience, Notice, Notices, event_of
from jobs.records.job import load_job
from jobs.records.keys import notice_marker
from jobs.store.store import Store
from tests.support.job_states import claim_next_lease, fail_job, write_job
from tests.support.memory_store import MemoryStore
from tests.support.webhook_server import WebhookServer, webhook_server


@pytest.fixture
def endpoint() -> Iterator[WebhookServer]:
    """A server that takes messages."""
    with webhook_server() as server:
        yield server


@pytest.fixture
def store() -> MemoryStore:
    """An empty store in memory."""
    return MemoryStore()


def write_notice(store: Store, job: str, audience: Audience | None = None) -> Notice:
    """The notice of a job that has failed."""
    fail_job(store, claim_next_lease(store, write_job(store, job)))
    loaded = load_job(store, job)
    Notices(store, audience or Audience(hears_all=True)).add(loaded)
    found = event_of(loaded)
    assert found is not None
    return Notice.read(store, notice_marker(job, *found))


@pytest.fixture
def notice(store: MemoryStore) -> Notice:
    """A notice that a job has failed."""
    return write_notice(store, "sky-0123456789ab")
