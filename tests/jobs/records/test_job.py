"""Loading a job, and finding it by its id or a prefix."""

from typing import get_args

import pytest

from jobs.records.job import find_job_id, list_job_ids, load_job
from jobs.records.keys import JobKeys
from jobs.records.lease import claim_lease
from jobs.records.state import Intent, State
from jobs.records.stored_spec import StoredSpec
from jobs.text.errors import InvalidRecord, JobNotFound, RequestError
from tests.support.job_states import (
    JOB,
    TTL,
    claim_next_lease,
    job_in_state,
    sample_status,
    write_job,
)
from tests.support.memory_store import MemoryStore

OTHER = "skyline-ba9876543210"


@pytest.mark.parametrize("state", get_args(State))
def test_load_job_in_every_state(store: MemoryStore, state: State) -> None:
    job_in_state(store, state)
    store.now += 5
    job = load_job(store, JOB)

    assert (job.id, job.state, job.age) == (JOB, state, 5)
    assert (job.manifest is None) == (state != "succeeded")


def test_interrupted_submit_has_default_settings(store: MemoryStore) -> None:
    write_job(store)
    job = load_job(store, JOB)

    assert job.intent == Intent()
    assert (job.run_settings, job.current_lease, job.status, job.manifest) == (
        None,
        None,
        None,
        None,
    )


def test_only_the_status_of_the_current_lease_is_loaded(store: MemoryStore) -> None:
    keys = write_job(store)
    claim_next_lease(store, keys).release()
    store.put(keys.status(1), sample_status(progress=0.5).encode())
    assert load_job(store, JOB).status == sample_status(progress=0.5)
    claim_next_lease(store, keys)

    assert load_job(store, JOB).status is None


def test_claim_after_load_never_repeats_an_ended_job() -> None:
    class Overtaken(MemoryStore):
        """The only holder finishes and releases its lease while `load_job` reads the lease."""

        def get_with_age(self, key: str) -> tuple[bytes, float]:
            found = super().get_with_age(key)
            manifest = JobKeys(JOB).manifest
            # Releasing reads the lease again.
            if key == JobKeys(JOB).lease(1) and self.put_if_absent(manifest, b"{}"):
                held.release()
            return found

    store = Overtaken()
    held = claim_next_lease(store, write_job(store))
    assert load_job(store, JOB).state == "succeeded"


def test_progress_and_eta(store: MemoryStore) -> None:
    keys = write_job(store)
    assert (load_job(store, JOB).progress, load_job(store, JOB).eta_seconds) == (0, None)
    held = claim_next_lease(store, keys)
    assert (load_job(store, JOB).progress, load_job(store, JOB).eta_seconds) == (0, None)
    store.put(keys.status(1), sample_status().encode())
    assert (load_job(store, JOB).progress, load_job(store, JOB).eta_seconds) == (0.25, 6)
    held.release()
    assert (load_job(store, JOB).progress, load_job(store, JOB).eta_seconds) == (0.25, None)
    store.put(keys.manifest, b"{}")
    assert (load_job(store, JOB).progress, load_job(store, JOB).eta_seconds) == (1, None)


def test_list_job_ids_skips_other_keys(store: MemoryStore) -> None:
    for job in (OTHER, JOB):
        write_job(store, job)
        store.put(JobKeys(job).manifest, b"{}")
    store.put("jobs/notes/x", b"")
    store.put("jobs/readme", b"")

    assert list(list_job_ids(store)) == [JOB, OTHER]


@pytest.mark.parametrize("text", [JOB, "sky-", "sky-01", "sky-0123456789a"])
def test_unique_prefix_finds_the_job(store: MemoryStore, text: str) -> None:
    write_job(store)
    write_job(store, OTHER)

    assert find_job_id(store, text) == JOB


def test_complete_id_wins_over_longer_ids(store: MemoryStore) -> None:
    write_job(store)
    write_job(store, f"{JOB}-ffffffffffff")

    assert find_job_id(store, JOB) == JOB


def test_ambiguous_prefix_lists_the_jobs(store: MemoryStore) -> None:
    write_job(store)
    write_job(store, OTHER)
    with pytest.raises(RequestError, match=f"^sky: 2 jobs start with this: {JOB}, {OTHER}; "):
        find_job_id(store, "sky")
    for number in range(6):
        write_job(store, f"sky-{number:012}")
    with pytest.raises(RequestError, match=r"8 jobs start with this: .* and 3 more; give more"):
        find_job_id(store, "sky")


@pytest.mark.parametrize("text", ["sly", "sky-0123456798ab", "SKY-0123456789ab", "sky0123456789ab"])
def test_similar_id_is_suggested(store: MemoryStore, text: str) -> None:
    write_job(store)
    write_job(store, "portrait-ba9876543210")

    for act in (find_job_id, load_job):
        with pytest.raises(JobNotFound) as error:
            act(store, text)
        assert str(error.value) == (
            f"no job {text} in memory; did you mean {JOB}? `dreamfarm list` shows all"
        )


@pytest.mark.parametrize("text", ["", "..", "../etc/passwd", "portrait-000000000000", "a\nb"])
def test_unknown_job_is_a_one_line_error(store: MemoryStore, text: str) -> None:
    write_job(store)
    for act in (find_job_id, load_job):
        with pytest.raises(JobNotFound, match=r"^no job .* in memory; `dreamfarm list` shows all$"):
            act(store, text)


def test_folder_without_spec_is_not_a_job(store: MemoryStore) -> None:
    store.put(JobKeys(JOB).intent, Intent().encode())
    with pytest.raises(JobNotFound, match=f"^no job {JOB} in memory; `dreamfarm list`"):
        load_job(store, JOB)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"version": 2}', b"\xff\x00"])
def test_invalid_spec_is_reported_and_hides_no_other_job(
    store: MemoryStore, content: bytes
) -> None:
    store.put(JobKeys(JOB).spec, content)
    write_job(store, OTHER)

    with pytest.raises(InvalidRecord, match=rf"^jobs/{JOB}/spec.json: .*another program"):
        load_job(store, JOB)
    assert list(list_job_ids(store)) == [JOB, OTHER]
    assert load_job(store, OTHER).state == "queued"


def test_spec_of_another_job_is_an_error(store: MemoryStore) -> None:
    write_job(store, OTHER)
    spec = StoredSpec.read(store, JobKeys(OTHER).spec)
    store.put(JobKeys(JOB).spec, spec.encode())

    with pytest.raises(InvalidRecord, match=f"is the spec of another job, {OTHER}"):
        load_job(store, JOB)


def test_lease_is_read_before_everything_else(store: MemoryStore) -> None:
    keys = write_job(store)
    seen = load_job(store, JOB)
    claim_next_lease(store, keys).release()

    assert seen.current_lease is None
    assert claim_lease(store, keys, 0, "late", TTL) is None
