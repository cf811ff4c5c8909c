"""The farm: who works on what, what waits, and what failed."""

from tests.support.counting_store import CountingStore
from tests.support.job_states import fail_job
from tests.support.stored_jobs import job_name, run_job, write_finished_job, write_open_job
from tests.support.web_client import WebClient


def test_an_empty_farm(server: WebClient) -> None:
    farm = server.json("/farm")
    assert farm["open"] == {"queued": 0, "running": 0, "paused": 0}
    assert (farm["holders"], farm["queue_age_seconds"]) == ([], None)
    assert farm["store"]["answers"]


def test_a_farm_at_work(server: WebClient, store: CountingStore) -> None:
    write_open_job(store, job_name(1))
    store.now += 500
    write_open_job(store, job_name(2))
    running = write_open_job(store, job_name(3))
    run_job(store, running, progress=0.5)
    fail_job(store, run_job(store, write_open_job(store, job_name(4))))
    write_finished_job(store, job_name(5))
    store.now += 7
    server.farm.index.scan()
    farm = server.json("/farm")
    assert farm["open"] == {"queued": 2, "running": 1, "paused": 0}
    assert farm["ended"] == {"cancelled": 0, "failed": 1, "succeeded": 1}
    assert farm["failures"] == {"infra": 0, "memory": 1, "input": 0, "bug": 0}
    assert 505 <= farm["queue_age_seconds"] <= 510
    (holder,) = farm["holders"]
    assert (holder["holder"], holder["job"], holder["progress"]) == ("here:1", running.job, 0.5)
    assert (holder["workers"], holder["lease_age_seconds"]) == (2, 7.0)
    assert farm["index"] == {"known": 5, "of": 5, "complete": True}


def test_a_farm_whose_store_is_silent(server: WebClient, store: CountingStore) -> None:
    write_open_job(store, job_name(1))
    server.json("/jobs")
    store.is_down = True
    farm = server.json("/farm")
    assert farm["store"]["detail"] == "memory: does not answer"
    assert farm["open"]["queued"] == 1, "what is known is still shown"
