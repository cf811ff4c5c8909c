"""Submitting may be repeated, and interrupted at any time."""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jobs.poster.submit import submit_poster
from jobs.records.job import load_job
from jobs.records.keys import ACTIVE, JobKeys, active_marker, blob_key
from jobs.records.request import pause, retry
from jobs.records.state import Intent
from jobs.spec.document import parse_poster_spec
from jobs.spec.poster import PosterSpec
from jobs.store.store import ObjectInfo
from jobs.text.errors import RequestError
from render.errors import RenderError
from render.version import PIXEL_VERSION
from tests.support.job_states import claim_next_lease, fail_job
from tests.support.memory_store import Died, ForgetfulStore, MemoryStore, MortalStore
from tests.support.small_poster import plan_poster, poster_document


@pytest.fixture
def spec(picture: Path, weights: Path) -> PosterSpec:
    return parse_poster_spec(poster_document(picture, weights))


def job_id(picture: Path, weights: Path) -> str:
    return plan_poster(picture, weights).identity.job_id


def objects(job: str, *blobs: Path) -> set[str]:
    """The keys of a store after a submit."""
    keys = JobKeys(job)
    digests = (hashlib.sha256(path.read_bytes()).hexdigest() for path in blobs)
    return {keys.spec, keys.intent, keys.run_settings, active_marker(job, 0)} | {
        blob_key(f"sha256:{digest}") for digest in digests
    }


def test_a_submitted_job_is_complete_and_has_the_id_of_its_plan(
    store: MemoryStore, spec: PosterSpec, picture: Path, weights: Path
) -> None:
    done = submit_poster(store, spec)

    assert (done.state, done.new) == ("queued", True)
    assert done.job == job_id(picture, weights)
    assert set(store.objects) == objects(done.job, picture, weights)
    assert store.get(blob_key(f"sha256:{hashlib.sha256(picture.read_bytes()).hexdigest()}")) == (
        picture.read_bytes()
    )
    assert load_job(store, done.job).spec.identity["pixel_version"] == PIXEL_VERSION


def test_a_stored_spec_has_no_paths_of_the_submitters_disk(
    store: MemoryStore, spec: PosterSpec, picture: Path, weights: Path
) -> None:
    job = submit_poster(store, spec).job
    texts = [json.dumps(store.get(key).decode()) for key in store.objects if "jobs/" in key]

    assert not [
        text for text in texts if str(picture.parent) in text or str(weights.parent) in text
    ]
    stored = load_job(store, job).spec.submitted_document
    assert stored["input"]["path"] == picture.name
    assert stored["network"]["weights"] == weights.name


def test_noise_with_a_builtin_network_needs_no_files(store: MemoryStore) -> None:
    source = {"noise": {"seed": 3}}
    done = submit_poster(
        store, parse_poster_spec({"input": source, "size": "64x64", "dream": {"octaves": 1}})
    )

    assert set(store.objects) == objects(done.job)


def test_a_second_submit_finds_the_job(store: MemoryStore, spec: PosterSpec) -> None:
    first = submit_poster(store, spec)
    before = dict(store.objects)
    second = submit_poster(store, spec)

    assert (second.job, second.state, second.new) == (first.job, "queued", False)
    assert store.objects == before


def test_the_latest_run_settings_count_and_the_first_spec_stays(
    store: MemoryStore, picture: Path, weights: Path
) -> None:
    submit_poster(store, parse_poster_spec(poster_document(picture, weights)))
    changed = parse_poster_spec(
        poster_document(picture, weights, "priority=90", "crew.memory_per_worker=2GiB")
    )
    done = submit_poster(store, changed)
    job = load_job(store, done.job)

    assert not done.new
    assert job.spec.submitted_document["priority"] == 50
    assert job.run_settings is not None
    assert (job.run_settings.priority, job.run_settings.crew) == (90, changed.crew)


@pytest.mark.parametrize("kind", [MemoryStore, ForgetfulStore])
def test_one_of_several_simultaneous_submits_creates_the_job(
    kind: type[MemoryStore], spec: PosterSpec
) -> None:
    submit_poster(MemoryStore(), spec)  # fills the caches for the others
    for _ in range(5):
        store = kind()
        with ThreadPoolExecutor(4) as pool:
            done = list(pool.map(lambda _, store=store: submit_poster(store, spec), range(4)))

        assert len({one.job for one in done}) == 1
        assert [one.new for one in done].count(True) == 1


@pytest.mark.parametrize("writes", range(6))
def test_the_next_submit_completes_an_interrupted_one(
    spec: PosterSpec, picture: Path, weights: Path, writes: int
) -> None:
    store = MortalStore()
    store.writes_left = writes
    with pytest.raises(Died):
        submit_poster(store, spec)
    job = job_id(picture, weights)
    complete = objects(job, picture, weights)
    assert len(store.objects) == writes
    assert set(store.objects) < complete
    assert active_marker(job, 0) not in store.objects
    store.writes_left = None
    done = submit_poster(store, spec)

    assert set(store.objects) == complete
    assert (done.job, done.state) == (job, "queued")
    assert done.new == (JobKeys(job).spec not in list(store.objects)[:writes])


def test_a_job_that_has_ended_stays_ended(store: MemoryStore, spec: PosterSpec) -> None:
    job = submit_poster(store, spec).job
    store.delete([active_marker(job, 0)])
    fail_job(store, claim_next_lease(store, JobKeys(job)))

    assert submit_poster(store, spec).state == "failed"
    assert not list(store.list_objects(ACTIVE))
    retry(store, job)
    store.delete([active_marker(job, 1)])
    assert submit_poster(store, spec).state == "queued"
    assert [entry.key for entry in store.list_objects(ACTIVE)] == [active_marker(job, 1)]


def test_a_paused_job_stays_paused(store: MemoryStore, spec: PosterSpec) -> None:
    job = submit_poster(store, spec).job
    pause(store, job)

    assert submit_poster(store, spec).state == "paused"
    assert load_job(store, job).intent == Intent(want="pause")


def test_a_file_that_changes_during_the_submit_is_refused(
    picture: Path, weights: Path, tmp_path: Path
) -> None:
    changing = tmp_path / "mine.png"
    changing.write_bytes(picture.read_bytes())

    class ChangingStore(MemoryStore):
        """Changes the picture while the submit looks for its blob."""

        def list_objects(self, prefix: str) -> Iterator[ObjectInfo]:
            changing.write_bytes(picture.read_bytes() + b"more")
            return super().list_objects(prefix)

    store = ChangingStore()
    with pytest.raises(RequestError, match=r"mine.png: changed while it was submitted"):
        submit_poster(store, parse_poster_spec(poster_document(changing, weights)))
    assert not store.objects


def test_an_impossible_spec_is_refused_before_anything_is_written(
    store: MemoryStore, picture: Path, weights: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text.png"
    text.write_text("not a picture")
    for given in (
        poster_document(text, weights),
        poster_document(tmp_path / "gone.png", weights),
        poster_document(picture, tmp_path / "gone.safetensors"),
        poster_document(picture, weights, "objectives.0.layer=features.99"),
        poster_document(picture, weights, "size=9000x6000", "limits.max_pixels=1000000"),
        poster_document(picture, weights, "crew.memory_per_worker=1MiB"),
    ):
        with pytest.raises((RequestError, RenderError)):
            submit_poster(store, parse_poster_spec(given))
    assert not store.objects


@pytest.mark.parametrize(
    "settings",
    [
        ("crew.workers=500", "crew.memory_per_worker=64GiB"),
        ("crew.gpus_per_worker=8", "crew.workers=100"),
    ],
)
def test_a_crew_may_be_too_large_for_this_machine(
    store: MemoryStore, picture: Path, weights: Path, settings: tuple[str, ...]
) -> None:
    assert submit_poster(store, parse_poster_spec(poster_document(picture, weights, *settings))).new


def test_the_error_says_how_to_make_room_for_a_copy(
    store: MemoryStore, spec: PosterSpec, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(RequestError, match=r"/gone \(No such file.*; set TMPDIR"):
        submit_poster(store, spec)
    assert not store.objects


@pytest.mark.parametrize(("hours", "uploads"), [(1, 0), (13, 2)])
def test_a_blob_that_may_soon_be_cleaned_is_uploaded_again(
    store: MemoryStore, spec: PosterSpec, picture: Path, weights: Path, hours: float, uploads: int
) -> None:
    submit_poster(store, spec)
    store.now += hours * 3600
    submit_poster(store, spec)
    blobs = [written for key, (_, written) in store.objects.items() if key.startswith("blobs/")]
    assert len(blobs) == 2
    assert sum(written == store.now for written in blobs) == uploads
