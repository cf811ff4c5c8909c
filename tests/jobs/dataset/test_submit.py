"""Submitting datasets: new, again, with new pictures, and after a death."""

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
from jobs.records.manifest import encode_manifest
from jobs.records.request import cancel, pause, retry
from jobs.records.state import Intent
from jobs.records.stored_spec import StoredSpec
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
    add_pictures(folder, "a.png", "b.png")
    return folder


def add_pictures(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_bytes(picture_bytes(np.random.default_rng(list(name.encode()))))


def spec(photos: Path, weights: Path, *settings: str) -> DatasetSpec:
    parsed = parse_spec(dataset_document(photos, weights, *settings))
    assert isinstance(parsed, DatasetSpec)
    return parsed


def markers(store: Store) -> list[str]:
    return [entry.key for entry in store.list_objects(ACTIVE)]


def succeed(store: Store, job: str) -> None:
    """Write the objects of a holder that has succeeded."""
    keys = DatasetKeys(job)
    held = claim_next_lease(store, keys)
    items = {"items": ItemIndex(store, keys).item_count, "done": 0, "failed": {}}
    generation = load_job(store, job).intent.generation
    store.put(keys.manifest_of(generation), encode_manifest({"version": 1, "items": items}))
    held.release()
    store.delete([active_marker(job, generation)])


def test_a_new_dataset_is_stored_with_all_its_files(
    store: MemoryStore, photos: Path, weights: Path
) -> None:
    result = submit_dataset(store, spec(photos, weights))
    keys = DatasetKeys(result.job)

    assert result == SubmitResult(result.job, "queued", new=True, items=2)
    assert result.job.startswith("set-")
    assert markers(store) == [active_marker(result.job, 0)]
    assert [item.found.key for item in ItemIndex(store, keys).all_items()] == ["a.png", "b.png"]
    stored = StoredSpec.read(store, keys.spec)
    assert str(weights.parent) not in store.get(keys.spec).decode()
    assert [sent and sent.name for sent in stored.weights] == [weights.name]
    # In a store that is not a folder, pictures and weights are uploaded.
    assert len(list(store.list_objects("blobs/"))) == 3


def test_a_second_submit_finds_the_job_and_updates_its_run_settings(
    store: MemoryStore, photos: Path, weights: Path
) -> None:
    first = submit_dataset(store, spec(photos, weights))
    add_pictures(photos, "c.png")
    again = spec(photos, weights, "priority=80", "crew.workers=2", "limits.max_failures=3")
    result = submit_dataset(store, again)

    # A waiting job does not list its inputs again.
    assert result == SubmitResult(first.job, "queued", new=False, items=0)
    assert ItemIndex(store, DatasetKeys(first.job)).item_count == 2
    run_settings = load_job(store, first.job).run_settings
    assert run_settings is not None
    assert (run_settings.priority, run_settings.crew.workers) == (80, 2)
    assert run_settings.apply_to(again).limits == again.limits


def test_a_succeeded_dataset_continues_with_new_pictures(
    store: MemoryStore, photos: Path, weights: Path
) -> None:
    job = submit_dataset(store, spec(photos, weights)).job
    succeed(store, job)
    same_again = submit_dataset(store, spec(photos, weights))
    assert same_again == SubmitResult(job, "succeeded", new=False, items=0)
    assert markers(store) == []

    add_pictures(photos, "0.png", "c.png")
    (photos / "a.png").unlink()
    result = submit_dataset(store, spec(photos, weights))

    assert result == SubmitResult(job, "queued", new=False, items=2)
    assert load_job(store, job).intent == Intent(generation=1)
    assert markers(store) == [active_marker(job, 1)]
    keys = [item.found.key for item in ItemIndex(store, DatasetKeys(job)).all_items()]
    assert keys == ["a.png", "b.png", "0.png", "c.png"]
    succeed(store, job)
    assert submit_dataset(store, spec(photos, weights)).state == "succeeded"


def test_a_retry_of_failed_items_does_not_list_again(
    store: MemoryStore, photos: Path, weights: Path
) -> None:
    job = submit_dataset(store, spec(photos, weights)).job
    succeed(store, job)
    retry(store, job)
    add_pictures(photos, "c.png")

    assert submit_dataset(store, spec(photos, weights)).items == 0
    succeed(store, job)
    assert submit_dataset(store, spec(photos, weights)).items == 1
    ledger = LedgerWriter(store, job, 3, load_job(store, job).intent)
    assert (ledger.index.item_count, load_job(store, job).intent.redo) == (3, None)


def test_nothing_is_listed_until_a_dataset_has_succeeded(
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
        result = submit_dataset(store, spec(photos, weights))
        assert result == SubmitResult(job, load_job(store, job).state, new=False, items=0)
        assert result.state == state
        assert ItemIndex(store, DatasetKeys(job)).item_count == 2


def test_a_submit_after_a_death_at_any_write_gives_the_same_job(
    photos: Path, weights: Path
) -> None:
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
        items = list(ItemIndex(store, DatasetKeys(job)).all_items())
        assert items == list(ItemIndex(whole, DatasetKeys(job)).all_items())


def test_the_next_submit_completes_the_listing_of_a_dead_one(photos: Path, weights: Path) -> None:
    for writes in range(6):
        store = MortalStore()
        job = submit_dataset(store, spec(photos, weights)).job
        succeed(store, job)
        add_pictures(photos, "new.png")
        store.writes_left = writes
        try:
            submit_dataset(store, spec(photos, weights))
        except Died:
            store.writes_left = None
            submit_dataset(store, spec(photos, weights))
        assert load_job(store, job).state == "queued", writes
        assert markers(store) == [active_marker(job, 1)]
        assert ItemIndex(store, DatasetKeys(job)).item_count == 3
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
def test_an_impossible_spec_is_refused_and_nothing_is_written(
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


def test_a_stored_spec_that_does_not_match_is_refused(
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
