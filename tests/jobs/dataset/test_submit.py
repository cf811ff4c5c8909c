"""Submitting datasets: new, found again, grown, and never half there."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from jobs.dataset.inputs.index import DatasetKeys, ItemIndex
from jobs.dataset.ledger.writer import LedgerWriter
from jobs.dataset.staging import stage_plan
from jobs.dataset.submit import submit_dataset
from jobs.records.job import load_job
from jobs.records.keys import ACTIVE, active_marker
from jobs.records.request import cancel, pause, retry
from jobs.records.state import Intent
from jobs.records.stored_spec import StoredSpec
from jobs.runtime.manifest import encode_manifest
from jobs.runtime.upload import SubmitResult
from jobs.spec.dataset import DatasetSpec
from jobs.spec.kinds import parse_spec
from jobs.store.address import open_store
from jobs.store.errors import StoreRefused
from jobs.store.store import Store
from jobs.text.errors import InvalidRecord, RequestError, VersionMismatch
from render.errors import RenderError
from tests.support.bad_pictures import picture_bytes
from tests.support.job_states import claim_next_lease, fail_job
from tests.support.memory_store import Died, MemoryStore, MortalStore
from tests.support.s3_servers import BUCKET, Server, s3_environment
from tests.support.seeded_networks import save_seeded_weights
from tests.support.small_dataset import dataset_document
from tests.support.small_poster import LAYER, MACHINE, NETWORK


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of two pictures."""
    folder = tmp_path / "photos"
    folder.mkdir()
    add(folder, "a.png", "b.png")
    return folder


def add(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_bytes(picture_bytes(np.random.default_rng(list(name.encode()))))


def spec(photos: Path, weights: Path, *s3_environment: str) -> DatasetSpec:
    made = parse_spec(dataset_document(photos, weights, *s3_environment))
    assert isinstance(made, DatasetSpec)
    return made


def markers(store: Store) -> list[str]:
    return [entry.key for entry in store.list_objects(ACTIVE)]


def succeed(store: Store, job: str) -> None:
    """What a holder leaves that has done all that it knew of."""
    keys = DatasetKeys(job)
    held = claim_next_lease(store, keys)
    items = {"items": ItemIndex(store, keys).items, "done": 0, "failed": {}}
    generation = load_job(store, job).intent.generation
    store.put(keys.manifest_of(generation), encode_manifest({"version": 1, "items": items}))
    held.release()
    store.delete([active_marker(job, generation)])


def test_a_new_one_is_there_with_all_it_needs(
    store: MemoryStore, photos: Path, weights: Path
) -> None:
    told = submit_dataset(store, spec(photos, weights))
    keys = DatasetKeys(told.job)

    assert told == SubmitResult(told.job, "queued", new=True, items=2)
    assert told.job.startswith("set-")
    assert markers(store) == [active_marker(told.job, 0)]
    assert [item.found.key for item in ItemIndex(store, keys).all_items()] == ["a.png", "b.png"]
    stored = StoredSpec.read(store, keys.spec)
    assert str(weights.parent) not in store.get(keys.spec).decode()
    assert [sent and sent.name for sent in stored.weights] == [weights.name]
    # In another store than a folder pictures and weights lie beside the job.
    assert len(list(store.list_objects("blobs/"))) == 3


def test_the_same_again_finds_it_and_the_latest_terms_count(
    store: MemoryStore, photos: Path, weights: Path
) -> None:
    first = submit_dataset(store, spec(photos, weights))
    add(photos, "c.png")
    again = spec(photos, weights, "priority=80", "crew.workers=2", "limits.max_failures=3")
    told = submit_dataset(store, again)

    # It waits for what it was submitted with.
    assert told == SubmitResult(first.job, "queued", new=False, items=0)
    assert ItemIndex(store, DatasetKeys(first.job)).items == 2
    run_settings = load_job(store, first.job).run_settings
    assert run_settings is not None
    assert (run_settings.priority, run_settings.crew.workers) == (80, 2)
    assert run_settings.apply_to(again).limits == again.limits


def test_one_that_has_succeeded_goes_on_with_what_is_new(
    store: MemoryStore, photos: Path, weights: Path
) -> None:
    job = submit_dataset(store, spec(photos, weights)).job
    succeed(store, job)
    same_again = submit_dataset(store, spec(photos, weights))
    assert same_again == SubmitResult(job, "succeeded", new=False, items=0)
    assert markers(store) == []

    add(photos, "0.png", "c.png")
    (photos / "a.png").unlink()
    told = submit_dataset(store, spec(photos, weights))

    assert told == SubmitResult(job, "queued", new=False, items=2)
    assert load_job(store, job).intent == Intent(generation=1)
    assert markers(store) == [active_marker(job, 1)]
    keys = [item.found.key for item in ItemIndex(store, DatasetKeys(job)).all_items()]
    assert keys == ["a.png", "b.png", "0.png", "c.png"]
    succeed(store, job)
    assert submit_dataset(store, spec(photos, weights)).state == "succeeded"


def test_failed_items_are_no_growth(store: MemoryStore, photos: Path, weights: Path) -> None:
    job = submit_dataset(store, spec(photos, weights)).job
    succeed(store, job)
    retry(store, job)
    add(photos, "c.png")

    assert submit_dataset(store, spec(photos, weights)).items == 0
    succeed(store, job)
    assert submit_dataset(store, spec(photos, weights)).items == 1
    ledger = LedgerWriter(store, job, 3, load_job(store, job).intent)
    assert (ledger.index.items, load_job(store, job).intent.redo) == (3, None)


def test_while_it_runs_or_waits_nothing_is_listed(
    store: MemoryStore, photos: Path, weights: Path
) -> None:
    job = submit_dataset(store, spec(photos, weights)).job
    shutil.rmtree(photos)
    photos.mkdir()
    for state in ("running", "failed", "cancelled", "paused"):
        if state == "running":
            held = claim_next_lease(store, DatasetKeys(job))
        elif state == "failed":
            fail_job(store, held)
        elif state == "cancelled":
            retry(store, job)
            cancel(store, job)
        else:
            retry(store, job)
            pause(store, job)
        told = submit_dataset(store, spec(photos, weights))
        assert told == SubmitResult(job, load_job(store, job).state, new=False, items=0)
        assert told.state == state
        assert ItemIndex(store, DatasetKeys(job)).items == 2


def test_dying_anywhere_and_submitting_again_gives_the_same(photos: Path, weights: Path) -> None:
    whole = MemoryStore()
    job = submit_dataset(whole, spec(photos, weights)).job
    for writes in range(len(whole.objects) + 1):
        store = MortalStore()
        store.writes_left = writes
        try:
            submit_dataset(store, spec(photos, weights))
        except Died:
            assert markers(store) == []
        store.writes_left = None
        submit_dataset(store, spec(photos, weights))

        assert load_job(store, job).state == "queued"
        assert markers(store) == [active_marker(job, 0)]
        made = list(ItemIndex(store, DatasetKeys(job)).all_items())
        assert made == list(ItemIndex(whole, DatasetKeys(job)).all_items())


def test_growth_whose_submit_died_is_done_after_the_next(photos: Path, weights: Path) -> None:
    for writes in range(6):
        store = MortalStore()
        job = submit_dataset(store, spec(photos, weights)).job
        succeed(store, job)
        add(photos, "new.png")
        store.writes_left = writes
        try:
            submit_dataset(store, spec(photos, weights))
        except Died:
            store.writes_left = None
            submit_dataset(store, spec(photos, weights))
        assert load_job(store, job).state == "queued", writes
        assert markers(store) == [active_marker(job, 1)]
        assert ItemIndex(store, DatasetKeys(job)).items == 3
        (photos / "new.png").unlink()


@pytest.mark.parametrize(
    ("inputs", "line"),
    [
        ("nowhere", "no such file or folder"),
        ("empty", "no pictures there"),
        ("nowhere.csv", "nowhere.csv"),
        ("photos/*.tar", "photos/*.tar"),
    ],
)
def test_without_pictures_nothing_is_written(
    store: MemoryStore, photos: Path, weights: Path, inputs: str, line: str
) -> None:
    (photos.parent / "empty").mkdir()
    with pytest.raises(RequestError) as error:
        submit_dataset(store, spec(photos.parent / inputs, weights))
    assert line in str(error.value)
    assert "\n" not in str(error.value)
    assert not store.objects


@pytest.mark.parametrize(
    "setting", ["objectives.0.layer=feature.4", "sweep={dream.steps: [-1]}", "sweep={resize: [x]}"]
)
def test_what_could_be_dreamed_nowhere_is_refused_and_nothing_written(
    store: MemoryStore, photos: Path, weights: Path, setting: str
) -> None:
    with pytest.raises((RenderError, RequestError)):
        submit_dataset(store, spec(photos, weights, setting))
    assert not store.objects


@pytest.fixture
def bucket(moto: Server) -> Iterator[Store]:
    with s3_environment(moto):
        yield open_store(f"s3://{BUCKET}/{uuid.uuid4().hex}")


def test_another_machine_has_the_same_plan_with_swept_weights(
    bucket: Store, photos: Path, weights: Path, tmp_path: Path
) -> None:
    other = save_seeded_weights(NETWORK, (LAYER,), tmp_path / "other.safetensors", 1)
    swept = f"sweep={{network.weights: [{weights}, {other}], dream.steps: [1, 2]}}"
    job = submit_dataset(bucket, spec(photos, weights, swept)).job
    stored = StoredSpec.read(bucket, DatasetKeys(job).spec)
    run_settings = load_job(bucket, job).run_settings

    plan = stage_plan(bucket, stored, run_settings, MACHINE, tmp_path / "cache")
    assert plan.identity.job_id == job
    assert [one.weights.read_bytes() for one in plan.variants[::2]] == [
        weights.read_bytes(),
        other.read_bytes(),
    ]
    assert all(tmp_path / "cache" in one.weights.parents for one in plan.variants)
    places = [item.found.place.address for item in ItemIndex(bucket, DatasetKeys(job)).all_items()]
    assert all(place.startswith("blob:sha256:") for place in places)


def test_what_is_not_what_was_submitted_is_told(
    store: MemoryStore, photos: Path, weights: Path, tmp_path: Path
) -> None:
    job = submit_dataset(store, spec(photos, weights)).job
    stored = StoredSpec.read(store, DatasetKeys(job).spec)
    cache = tmp_path / "cache"
    (sent,) = stored.weights
    assert sent is not None

    older = stored.model_copy(
        update={
            "job": "set-000000000000",
            "identity": stored.identity | {"pixel_version": 0},
        }
    )
    with pytest.raises(VersionMismatch, match="pixel version 0"):
        stage_plan(store, older, None, MACHINE, cache)
    for bad in ({"kind": "dataset"}, {"kind": "poster", "input": "sky.jpg"}, {"kind": "atlas"}):
        with pytest.raises(InvalidRecord, match=r"spec\.json"):
            stage_plan(store, stored.model_copy(update={"spec": bad}), None, MACHINE, cache)
    shutil.rmtree(cache)
    store.delete([f"blobs/sha256/{sent.digest.removeprefix('sha256:')}"])
    with pytest.raises(StoreRefused, match="submit the job again"):
        stage_plan(store, stored, None, MACHINE, cache)
