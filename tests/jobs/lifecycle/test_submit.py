"""Submitting: once is enough, twice does no harm, and dying half-way is no end."""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jobs.poster.submit import submit
from jobs.records.job import look
from jobs.records.keys import ACTIVE, JobKeys, active, blob
from jobs.records.request import pause, retry
from jobs.records.state import Intent
from jobs.spec.document import spec_of
from jobs.spec.poster import Spec
from jobs.store.store import Entry
from jobs.text.errors import RequestError
from render.errors import RenderError
from render.version import PIXEL_VERSION
from tests.jobs.lifecycle.memory_store import Died, ForgetfulStore, MemoryStore, MortalStore
from tests.jobs.lifecycle.scene import claimed, fail
from tests.jobs.small import document, planned


@pytest.fixture
def spec(picture: Path, weights: Path) -> Spec:
    return spec_of(document(picture, weights))


def job_id(picture: Path, weights: Path) -> str:
    return planned(picture, weights).identity.job_id


def objects(job: str, *blobs: Path) -> set[str]:
    """What lies in the store after a submit."""
    keys = JobKeys(job)
    digests = (hashlib.sha256(path.read_bytes()).hexdigest() for path in blobs)
    return {keys.spec, keys.intent, keys.terms, active(job, 0)} | {
        blob(f"sha256:{digest}") for digest in digests
    }


def test_a_submitted_job_is_whole_and_has_the_id_of_its_plan(
    store: MemoryStore, spec: Spec, picture: Path, weights: Path
) -> None:
    done = submit(store, spec)

    assert (done.state, done.new) == ("queued", True)
    assert done.job == job_id(picture, weights)
    assert set(store.objects) == objects(done.job, picture, weights)
    assert store.get(blob(f"sha256:{hashlib.sha256(picture.read_bytes()).hexdigest()}")) == (
        picture.read_bytes()
    )
    assert look(store, done.job).spec.identity["pixel_version"] == PIXEL_VERSION


def test_nothing_of_the_submitter_s_disk_is_in_it(
    store: MemoryStore, spec: Spec, picture: Path, weights: Path
) -> None:
    job = submit(store, spec).job
    texts = [json.dumps(store.get(key).decode()) for key in store.objects if "jobs/" in key]

    assert not [
        text for text in texts if str(picture.parent) in text or str(weights.parent) in text
    ]
    stored = look(store, job).spec.spec
    assert stored["input"]["path"] == picture.name
    assert stored["network"]["weights"] == weights.name


def test_noise_on_our_own_network_needs_no_files(store: MemoryStore) -> None:
    source = {"noise": {"seed": 3}}
    done = submit(store, spec_of({"input": source, "size": "64x64", "dream": {"octaves": 1}}))

    assert set(store.objects) == objects(done.job)


def test_submitting_again_finds_the_job(store: MemoryStore, spec: Spec) -> None:
    first = submit(store, spec)
    before = dict(store.objects)
    second = submit(store, spec)

    assert (second.job, second.state, second.new) == (first.job, "queued", False)
    assert store.objects == before


def test_the_latest_terms_count_and_the_first_spec_stays(
    store: MemoryStore, picture: Path, weights: Path
) -> None:
    submit(store, spec_of(document(picture, weights)))
    changed = spec_of(document(picture, weights, "priority=90", "crew.memory_per_worker=2GiB"))
    done = submit(store, changed)
    job = look(store, done.job)

    assert not done.new
    assert job.spec.spec["priority"] == 50
    assert job.terms is not None
    assert (job.terms.priority, job.terms.crew) == (90, changed.crew)


@pytest.mark.parametrize("kind", [MemoryStore, ForgetfulStore])
def test_of_submits_at_once_one_brings_the_job(kind: type[MemoryStore], spec: Spec) -> None:
    submit(MemoryStore(), spec)  # finds out what later ones remember
    for _ in range(5):
        store = kind()
        with ThreadPoolExecutor(4) as pool:
            done = list(pool.map(lambda _, store=store: submit(store, spec), range(4)))

        assert len({one.job for one in done}) == 1
        assert [one.new for one in done].count(True) == 1


@pytest.mark.parametrize("writes", range(6))
def test_a_submit_that_died_is_completed_by_the_next(
    spec: Spec, picture: Path, weights: Path, writes: int
) -> None:
    store = MortalStore()
    store.writes_left = writes
    with pytest.raises(Died):
        submit(store, spec)
    job = job_id(picture, weights)
    whole = objects(job, picture, weights)
    assert len(store.objects) == writes
    assert set(store.objects) < whole
    assert active(job, 0) not in store.objects
    store.writes_left = None
    done = submit(store, spec)

    assert set(store.objects) == whole
    assert (done.job, done.state) == (job, "queued")
    assert done.new == (JobKeys(job).spec not in list(store.objects)[:writes])


def test_a_job_that_has_ended_stays_ended(store: MemoryStore, spec: Spec) -> None:
    job = submit(store, spec).job
    store.delete([active(job, 0)])
    fail(store, claimed(store, JobKeys(job)))

    assert submit(store, spec).state == "failed"
    assert not list(store.entries(ACTIVE))
    retry(store, job)
    store.delete([active(job, 1)])
    assert submit(store, spec).state == "queued"
    assert [entry.key for entry in store.entries(ACTIVE)] == [active(job, 1)]


def test_a_paused_job_stays_paused(store: MemoryStore, spec: Spec) -> None:
    job = submit(store, spec).job
    pause(store, job)

    assert submit(store, spec).state == "paused"
    assert look(store, job).intent == Intent(want="pause")


def test_a_file_that_changes_meanwhile_is_refused(
    picture: Path, weights: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.png"
    mine.write_bytes(picture.read_bytes())

    class Busy(MemoryStore):
        """Somebody draws on while the submitter asks whether the picture is there already."""

        def entries(self, prefix: str) -> Iterator[Entry]:
            mine.write_bytes(picture.read_bytes() + b"more")
            return super().entries(prefix)

    store = Busy()
    with pytest.raises(RequestError, match=r"mine.png: changed while it was submitted"):
        submit(store, spec_of(document(mine, weights)))
    assert not store.objects


def test_what_no_machine_could_render_is_refused_before_anything_is_written(
    store: MemoryStore, picture: Path, weights: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text.png"
    text.write_text("no picture")
    for given in (
        document(text, weights),
        document(tmp_path / "gone.png", weights),
        document(picture, tmp_path / "gone.safetensors"),
        document(picture, weights, "objectives.0.layer=features.99"),
        document(picture, weights, "size=9000x6000", "limits.max_pixels=1000000"),
        document(picture, weights, "crew.memory_per_worker=1MiB"),
        document(picture, weights, "precision=bfloat16", "crew.gpus_per_worker=0"),
    ):
        with pytest.raises((RequestError, RenderError)):
            submit(store, spec_of(given))
    assert not store.objects


@pytest.mark.parametrize(
    "settings",
    [
        ("crew.workers=500", "crew.memory_per_worker=64GiB"),
        ("crew.gpus_per_worker=8", "crew.workers=100"),
        ("precision=bfloat16",),
    ],
)
def test_a_crew_that_this_machine_could_never_have_may_be_asked_for(
    store: MemoryStore, picture: Path, weights: Path, settings: tuple[str, ...]
) -> None:
    assert submit(store, spec_of(document(picture, weights, *settings))).new


def test_without_room_for_a_copy_the_remedy_is_named(
    store: MemoryStore, spec: Spec, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(RequestError, match=r"/gone \(No such file.*; set TMPDIR"):
        submit(store, spec)
    assert not store.objects


@pytest.mark.parametrize(("hours", "sent"), [(1, 0), (13, 2)])
def test_a_blob_that_may_soon_be_cleaned_away_is_sent_again(
    store: MemoryStore, spec: Spec, picture: Path, weights: Path, hours: float, sent: int
) -> None:
    submit(store, spec)
    store.now += hours * 3600
    submit(store, spec)
    blobs = [written for key, (_, written) in store.objects.items() if key.startswith("blobs/")]
    assert len(blobs) == 2
    assert sum(written == store.now for written in blobs) == sent
