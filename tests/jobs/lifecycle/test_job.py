"""A job seen at one time, and found by what people type."""

from typing import get_args

import pytest

from jobs.records.job import eta_seconds, find, jobs, look, progress
from jobs.records.keys import JobKeys
from jobs.records.lease import claim
from jobs.records.state import Intent, State
from jobs.records.stored_spec import StoredSpec
from jobs.text.errors import BadRecord, NoSuchJob, RequestError
from tests.jobs.lifecycle.memory_store import MemoryStore
from tests.jobs.lifecycle.scene import JOB, TTL, brought_to, claimed, lay, status

OTHER = "skyline-ba9876543210"


@pytest.mark.parametrize("state", get_args(State))
def test_a_job_is_in_the_state_that_it_was_brought_to(store: MemoryStore, state: State) -> None:
    brought_to(store, state)
    store.now += 5
    job = look(store, JOB)

    assert (job.id, job.state, job.age) == (JOB, state, 5)
    assert (job.manifest is None) == (state != "succeeded")


def test_of_a_submit_that_died_the_rest_is_taken_as_usual(store: MemoryStore) -> None:
    lay(store)
    job = look(store, JOB)

    assert job.intent == Intent()
    assert (job.terms, job.standing, job.status, job.manifest) == (None, None, None, None)


def test_only_the_last_holder_s_status_is_seen(store: MemoryStore) -> None:
    keys = lay(store)
    claimed(store, keys).release()
    store.put(keys.status(1), status(progress=0.5).encoded())
    assert look(store, JOB).status == status(progress=0.5)
    claimed(store, keys)

    assert look(store, JOB).status is None


def test_who_claims_what_it_saw_never_repeats_a_job_that_ended_meanwhile() -> None:
    class Overtaken(MemoryStore):
        """Its only holder finishes, and lets go, while somebody looks at the job."""

        def aged(self, key: str) -> tuple[bytes, float]:
            found = super().aged(key)
            if key == JobKeys(JOB).lease(1):
                self.put(JobKeys(JOB).manifest, b"{}")
                held.release()
            return found

    store = Overtaken()
    held = claimed(store, lay(store))
    assert look(store, JOB).state == "succeeded"


def test_progress_and_what_is_left(store: MemoryStore) -> None:
    keys = lay(store)
    assert (progress(look(store, JOB)), eta_seconds(look(store, JOB))) == (0, None)
    held = claimed(store, keys)
    assert (progress(look(store, JOB)), eta_seconds(look(store, JOB))) == (0, None)
    store.put(keys.status(1), status().encoded())
    assert (progress(look(store, JOB)), eta_seconds(look(store, JOB))) == (0.25, 6)
    held.release()
    assert (progress(look(store, JOB)), eta_seconds(look(store, JOB))) == (0.25, None)
    store.put(keys.manifest, b"{}")
    assert (progress(look(store, JOB)), eta_seconds(look(store, JOB))) == (1, None)


def test_all_jobs_and_nothing_else(store: MemoryStore) -> None:
    for job in (OTHER, JOB):
        lay(store, job)
        store.put(JobKeys(job).manifest, b"{}")
    store.put("jobs/notes/x", b"")
    store.put("jobs/readme", b"")

    assert list(jobs(store)) == [JOB, OTHER]


@pytest.mark.parametrize("text", [JOB, "sky-", "sky-01", "sky-0123456789a"])
def test_the_beginning_of_one_job_means_it(store: MemoryStore, text: str) -> None:
    lay(store)
    lay(store, OTHER)

    assert find(store, text) == JOB


def test_a_whole_id_means_its_job_though_another_begins_so(store: MemoryStore) -> None:
    lay(store)
    lay(store, f"{JOB}-ffffffffffff")

    assert find(store, JOB) == JOB


def test_the_beginning_of_several_names_them(store: MemoryStore) -> None:
    lay(store)
    lay(store, OTHER)
    with pytest.raises(RequestError, match=f"^sky: 2 jobs begin so: {JOB}, {OTHER}; write more"):
        find(store, "sky")
    for number in range(6):
        lay(store, f"sky-{number:012}")
    with pytest.raises(RequestError, match=r"8 jobs begin so: .* and 3 more; write more"):
        find(store, "sky")


@pytest.mark.parametrize("text", ["sly", "sky-0123456798ab", "SKY-0123456789ab", "sky0123456789ab"])
def test_a_mistyped_job_is_suggested(store: MemoryStore, text: str) -> None:
    lay(store)
    lay(store, "portrait-ba9876543210")

    for act in (find, look):
        with pytest.raises(NoSuchJob) as error:
            act(store, text)
        assert str(error.value) == (
            f"no job {text} in memory; did you mean {JOB}? `dreamfarm list` shows all"
        )


@pytest.mark.parametrize("text", ["", "..", "../etc/passwd", "portrait-000000000000", "a\nb"])
def test_an_unknown_job_is_one_line(store: MemoryStore, text: str) -> None:
    lay(store)
    for act in (find, look):
        with pytest.raises(NoSuchJob, match=r"^no job .* in memory; `dreamfarm list` shows all$"):
            act(store, text)


def test_a_folder_without_spec_is_no_job_and_not_its_own_suggestion(store: MemoryStore) -> None:
    store.put(JobKeys(JOB).intent, Intent().encoded())
    with pytest.raises(NoSuchJob, match=f"^no job {JOB} in memory; `dreamfarm list`"):
        look(store, JOB)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"version": 2}', b"\xff\x00"])
def test_a_spec_that_is_none_is_told_and_hides_no_other_job(
    store: MemoryStore, content: bytes
) -> None:
    store.put(JobKeys(JOB).spec, content)
    lay(store, OTHER)

    with pytest.raises(BadRecord, match=rf"^jobs/{JOB}/spec.json: .*something else"):
        look(store, JOB)
    assert list(jobs(store)) == [JOB, OTHER]
    assert look(store, OTHER).state == "queued"


def test_a_spec_of_another_job_is_told(store: MemoryStore) -> None:
    lay(store, OTHER)
    spec = StoredSpec.read(store, JobKeys(OTHER).spec)
    store.put(JobKeys(JOB).spec, spec.encoded())

    with pytest.raises(BadRecord, match=f"is the spec of {OTHER}"):
        look(store, JOB)


def test_looking_is_in_time_for_a_claim(store: MemoryStore) -> None:
    keys = lay(store)
    seen = look(store, JOB)
    claimed(store, keys).release()

    assert seen.standing is None
    assert claim(store, keys, 0, "late", TTL) is None
