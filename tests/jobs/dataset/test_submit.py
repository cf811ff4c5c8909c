"""Submitting datasets: new, found again, grown, and never half there."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from jobs.dataset.index import Inventory
from jobs.dataset.keys import DatasetKeys
from jobs.dataset.ledger_writer import Books
from jobs.dataset.staging import plan_here
from jobs.dataset.submit import submit_dataset
from jobs.records.job import look
from jobs.records.keys import ACTIVE, active
from jobs.records.request import cancel, pause, retry
from jobs.records.state import Intent
from jobs.records.stored_spec import StoredSpec
from jobs.runtime.manifest import encoded
from jobs.runtime.upload import Submitted
from jobs.spec.dataset import DatasetSpec
from jobs.spec.document import any_spec_of
from jobs.store.address import open_store
from jobs.store.errors import StoreRefused
from jobs.store.store import Store
from jobs.text.errors import BadRecord, OtherVersion, RequestError
from render.errors import RenderError
from tests.faults.servers import Server
from tests.jobs.dataset.poison import picture
from tests.jobs.dataset.small import document
from tests.jobs.lifecycle.memory_store import Died, MemoryStore, MortalStore
from tests.jobs.lifecycle.scene import claimed, fail
from tests.jobs.small import LAYER, MACHINE, NETWORK
from tests.jobs.store.s3 import BUCKET, settings
from tests.render.engine import save_seeded


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
        (folder / name).write_bytes(picture(np.random.default_rng(list(name.encode()))))


def spec(photos: Path, weights: Path, *settings: str) -> DatasetSpec:
    made = any_spec_of(document(photos, weights, *settings))
    assert isinstance(made, DatasetSpec)
    return made


def markers(store: Store) -> list[str]:
    return [entry.key for entry in store.entries(ACTIVE)]


def succeed(store: Store, job: str) -> None:
    """What a holder leaves that has done all that it knew of."""
    keys = DatasetKeys(job)
    held = claimed(store, keys)
    items = {"items": Inventory(store, keys).items, "done": 0, "failed": {}}
    generation = look(store, job).intent.generation
    store.put(keys.manifest_of(generation), encoded({"version": 1, "items": items}))
    held.release()
    store.delete([active(job, generation)])


def test_a_new_one_is_there_with_all_it_needs(
    store: MemoryStore, photos: Path, weights: Path
) -> None:
    told = submit_dataset(store, spec(photos, weights))
    keys = DatasetKeys(told.job)

    assert told == Submitted(told.job, "queued", new=True, items=2)
    assert told.job.startswith("set-")
    assert markers(store) == [active(told.job, 0)]
    assert [item.found.key for item in Inventory(store, keys).all()] == ["a.png", "b.png"]
    stored = StoredSpec.read(store, keys.spec)
    assert str(weights.parent) not in store.get(keys.spec).decode()
    assert [sent and sent.name for sent in stored.weights] == [weights.name]
    # In another store than a folder pictures and weights lie beside the job.
    assert len(list(store.entries("blobs/"))) == 3


def test_the_same_again_finds_it_and_the_latest_terms_count(
    store: MemoryStore, photos: Path, weights: Path
) -> None:
    first = submit_dataset(store, spec(photos, weights))
    add(photos, "c.png")
    again = spec(photos, weights, "priority=80", "crew.workers=2", "limits.max_failures=3")
    told = submit_dataset(store, again)

    # It waits for what it was submitted with.
    assert told == Submitted(first.job, "queued", new=False, items=0)
    assert Inventory(store, DatasetKeys(first.job)).items == 2
    terms = look(store, first.job).terms
    assert terms is not None
    assert (terms.priority, terms.crew.workers) == (80, 2)
    assert terms.applied(again).limits == again.limits


def test_one_that_has_succeeded_goes_on_with_what_is_new(
    store: MemoryStore, photos: Path, weights: Path
) -> None:
    job = submit_dataset(store, spec(photos, weights)).job
    succeed(store, job)
    same_again = submit_dataset(store, spec(photos, weights))
    assert same_again == Submitted(job, "succeeded", new=False, items=0)
    assert markers(store) == []

    add(photos, "0.png", "c.png")
    (photos / "a.png").unlink()
    told = submit_dataset(store, spec(photos, weights))

    assert told == Submitted(job, "queued", new=False, items=2)
    assert look(store, job).intent == Intent(generation=1)
    assert markers(store) == [active(job, 1)]
    keys = [item.found.key for item in Inventory(store, DatasetKeys(job)).all()]
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
    books = Books(store, job, 3, look(store, job).intent)
    assert (books.inventory.items, look(store, job).intent.redo) == (3, None)


def test_while_it_runs_or_waits_nothing_is_listed(
    store: MemoryStore, photos: Path, weights: Path
) -> None:
    job = submit_dataset(store, spec(photos, weights)).job
    shutil.rmtree(photos)
    photos.mkdir()
    for state in ("running", "failed", "cancelled", "paused"):
        if state == "running":
            held = claimed(store, DatasetKeys(job))
        elif state == "failed":
            fail(store, held)
        elif state == "cancelled":
            retry(store, job)
            cancel(store, job)
        else:
            retry(store, job)
            pause(store, job)
        told = submit_dataset(store, spec(photos, weights))
        assert told == Submitted(job, look(store, job).state, new=False, items=0)
        assert told.state == state
        assert Inventory(store, DatasetKeys(job)).items == 2


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

        assert look(store, job).state == "queued"
        assert markers(store) == [active(job, 0)]
        made = list(Inventory(store, DatasetKeys(job)).all())
        assert made == list(Inventory(whole, DatasetKeys(job)).all())


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
        assert look(store, job).state == "queued", writes
        assert markers(store) == [active(job, 1)]
        assert Inventory(store, DatasetKeys(job)).items == 3
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
    with settings(moto):
        yield open_store(f"s3://{BUCKET}/{uuid.uuid4().hex}")


def test_another_machine_has_the_same_plan_with_swept_weights(
    bucket: Store, photos: Path, weights: Path, tmp_path: Path
) -> None:
    other = save_seeded(NETWORK, (LAYER,), tmp_path / "other.safetensors", 1)
    swept = f"sweep={{network.weights: [{weights}, {other}], dream.steps: [1, 2]}}"
    job = submit_dataset(bucket, spec(photos, weights, swept)).job
    stored = StoredSpec.read(bucket, DatasetKeys(job).spec)
    terms = look(bucket, job).terms

    plan = plan_here(bucket, stored, terms, MACHINE, tmp_path / "cache")
    assert plan.identity.job_id == job
    assert [one.weights.read_bytes() for one in plan.variants[::2]] == [
        weights.read_bytes(),
        other.read_bytes(),
    ]
    assert all(tmp_path / "cache" in one.weights.parents for one in plan.variants)
    places = [item.found.place.address for item in Inventory(bucket, DatasetKeys(job)).all()]
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
    with pytest.raises(OtherVersion, match="pixel version 0"):
        plan_here(store, older, None, MACHINE, cache)
    for bad in ({"kind": "dataset"}, {"kind": "poster", "input": "sky.jpg"}, {"kind": "atlas"}):
        with pytest.raises(BadRecord, match=r"spec\.json"):
            plan_here(store, stored.model_copy(update={"spec": bad}), None, MACHINE, cache)
    shutil.rmtree(cache)
    store.delete([f"blobs/sha256/{sent.digest.removeprefix('sha256:')}"])
    with pytest.raises(StoreRefused, match="submit the job again"):
        plan_here(store, stored, None, MACHINE, cache)
