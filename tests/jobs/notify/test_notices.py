"""What is said about which job, and when it is written down."""

from dataclasses import replace

import pytest

from jobs.notify.notice import Audience, Notice, Notices, event_of
from jobs.records.job import StoredJob, load_job
from jobs.records.keys import ACTIVE, active_marker, notice_marker, parse_notice_marker
from jobs.records.spending import ReachedLimit
from jobs.records.state import Intent, State
from jobs.records.stored_spec import RunSettings
from jobs.spec.base import Crew, Limits
from tests.support.job_states import (
    JOB,
    claim_next_lease,
    fail_job,
    job_in_state,
    sample_status,
    write_job,
)
from tests.support.memory_store import Died, MemoryStore, MortalStore

EVERYONE = Audience(hears_all=True)


def markers(store: MemoryStore) -> list[str]:
    return [entry.key.removeprefix(ACTIVE) for entry in store.list_objects(ACTIVE)]


def read_notice(store: MemoryStore) -> Notice:
    (key,) = (key for key in markers(store) if "=" in key)
    return Notice.read(store, ACTIVE + key)


def paused_by_limit(store: MemoryStore) -> StoredJob:
    """A job that its second holder paused because it may cost no more."""
    keys = write_job(store)
    claim_next_lease(store, keys).release()
    held = claim_next_lease(store, keys)
    reached = ReachedLimit(unit="usd", limit=40.0)
    status = sample_status().model_copy(update={"limit": reached, "reason": "limits.usd: 40"})
    store.put(keys.status(held.number), status.encode())
    settings = RunSettings(priority=50, crew=Crew(), limits=Limits(usd=40.0))
    store.put(keys.run_settings, settings.encode())
    held.release()
    return load_job(store, JOB)


@pytest.mark.parametrize(
    ("state", "event"),
    [
        ("succeeded", ("succeeded", 0)),
        ("failed", ("failed", 0)),
        ("queued", None),
        ("running", None),
        ("paused", None),
        ("cancelled", None),
    ],
)
def test_the_state_decides_what_is_said(
    store: MemoryStore, state: State, event: tuple[str, int] | None
) -> None:
    job_in_state(store, state)
    assert event_of(load_job(store, JOB)) == event


def test_a_limit_that_pauses_a_job_is_said_under_each_lease(store: MemoryStore) -> None:
    job = paused_by_limit(store)
    assert event_of(job) == ("paused", 2)
    Notices(store, EVERYONE).add(job)
    notice = read_notice(store)
    assert (notice.event, notice.summary["paused_by"]) == ("paused", "limit")
    assert notice.title == f"{JOB}: is paused by its limits"
    assert notice.text("s3://farm").startswith("limits.usd: 40\n")


def test_a_retry_that_fails_again_is_said_again(store: MemoryStore) -> None:
    keys = write_job(store)
    fail_job(store, claim_next_lease(store, keys))
    first = event_of(load_job(store, JOB))
    store.put(keys.intent, Intent(generation=1).encode())
    assert event_of(load_job(store, JOB)) is None
    fail_job(store, claim_next_lease(store, keys), generation=1)
    assert (first, event_of(load_job(store, JOB))) == (("failed", 0), ("failed", 1))


@pytest.mark.parametrize("audience", [Audience(), Audience(names=("phone",))])
def test_without_an_audience_only_the_marker_goes(store: MemoryStore, audience: Audience) -> None:
    job_in_state(store, "failed")
    store.put(active_marker(JOB, 0), b"")
    Notices(store, audience).end(load_job(store, JOB), 0)
    assert markers(store) == []


def test_the_last_submit_decides_who_is_told(store: MemoryStore) -> None:
    keys = job_in_state(store, "failed")
    settings = RunSettings(priority=50, crew=Crew(), limits=Limits(), notify=("phone",))
    store.put(keys.run_settings, settings.encode())
    Notices(store, Audience(names=("phone",))).add(load_job(store, JOB))
    assert read_notice(store).notify == ("phone",)


def test_a_marker_is_replaced_whenever_the_holder_dies() -> None:
    alive = MortalStore()
    job_in_state(alive, "failed")
    alive.put(active_marker(JOB, 0), b"")
    for writes in range(3):
        store = alive.copied()
        store.writes_left = writes
        try:
            Notices(store, EVERYONE).end(load_job(store, JOB), 0)
        except Died:
            assert f"{JOB}" in markers(store), "another `work` finds the job"
        store.writes_left = None
        Notices(store, EVERYONE).end(load_job(store, JOB), 0)
        assert markers(store) == [f"{JOB}=failed@0"]


def test_a_notice_is_written_once_by_each_process(store: MemoryStore) -> None:
    job = paused_by_limit(store)
    notices = Notices(store, EVERYONE)
    notices.add(job)
    store.delete([notice_marker(JOB, "paused", 2)])
    notices.add(job)
    assert markers(store) == []


def test_a_manifest_of_junk_does_not_hide_that_the_job_has_ended(store: MemoryStore) -> None:
    keys = write_job(store)
    store.put(keys.manifest, b'{"outputs": 3}')
    Notices(store, EVERYONE).add(load_job(store, JOB))
    notice = read_notice(store)
    assert notice.event == "succeeded"
    assert "outputs: must be a list" in notice.summary["reason"]


@pytest.mark.parametrize(
    "summary",
    [{}, {"reason": 3, "items": [], "seconds": "x", "previews": 1, "size": None}, {"items": {}}],
)
def test_junk_in_a_notice_gives_a_text(notice: Notice, summary: dict[str, object]) -> None:
    odd = notice.model_copy(update={"summary": summary})
    assert odd.preview is None
    assert odd.text("dreams").endswith(f"dreamfarm logs {notice.job} --store dreams")


def test_a_reason_is_one_line_of_text(notice: Notice) -> None:
    odd = notice.model_copy(update={"summary": {"reason": "a\nb\x1b[31m" + "x" * 5000}})
    first, _ = odd.text("dreams").splitlines()
    assert first.startswith("a b")
    assert len(first) == 600
    assert "\x1b" not in first


@pytest.mark.parametrize(
    ("key", "parsed"),
    [
        (f"active/{JOB}=failed@3", (JOB, "failed", 3)),
        (f"active/{JOB}", None),
        (f"active/{JOB}@3", None),
        (f"active/{JOB}=failed", None),
        (f"active/{JOB}=failed@1234567", None),
        ("active/sky=failed@3", None),
        (f"active/x/{JOB}=failed@3", None),
    ],
)
def test_keys_of_notices_are_told_from_others(
    key: str, parsed: tuple[str, str, int] | None
) -> None:
    assert parse_notice_marker(key) == parsed


def test_a_notice_can_be_read_however_large_the_job_is(store: MemoryStore) -> None:
    keys = job_in_state(store, "failed")
    for number in range(200):
        store.put(f"{keys.previews}{number:03}.jpg", b"")
    loaded = load_job(store, JOB)
    Notices(store, EVERYONE).add(loaded)
    previews = read_notice(store).summary["previews"]
    assert (len(previews), previews[-1]) == (100, f"{keys.previews}199.jpg")

    assert loaded.status is not None
    status = loaded.status.model_copy(update={"reason": "x" * (2 << 20)})
    spec = loaded.spec.model_copy(update={"nonce": "n" * (2 << 20)})
    store.delete([notice_marker(JOB, "failed", 0)])
    Notices(store, EVERYONE).add(replace(loaded, status=status, spec=spec))
    notice = read_notice(store)
    assert notice.summary["reason"] == "its records are too large for a message"
    assert notice.nonce == "n" * 64
