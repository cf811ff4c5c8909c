"""A dataset through many hands: who follows goes on, does nothing again, and makes the same."""

import time
from pathlib import Path

import pytest

from jobs.dataset.index_builder import freeze
from jobs.dataset.inputs.listing import listing
from jobs.dataset.keys import DatasetKeys
from jobs.dataset.submit import Sender
from jobs.records.request import cancel, pause, resume, retry
from jobs.records.state import Redo
from jobs.runtime.upload import send_blob
from jobs.services.scheduler.coordinator import DONE
from jobs.spec.dataset import DatasetSpec
from jobs.spec.document import any_spec_of
from jobs.store.folder import FolderStore
from tests.jobs.dataset.poison import Inputs, inputs
from tests.jobs.dataset.small import Observed, Seen, document, finished, seen, submitted
from tests.jobs.holders import Holder, claimed
from tests.jobs.lifecycle.memory_store import MemoryStore

STOPPED = {"pause": "paused", "yield": "queued", "drain": "queued", "cancel": "cancelled"}


def asked(ask: str, store: MemoryStore, job: str, holder: Holder) -> None:
    """Wish for something, and wait until the holder knows."""
    if ask == "pause":
        pause(store, job)
    elif ask == "cancel":
        cancel(store, job)
    else:
        holder.control.ask("yield" if ask == "yield" else "drain")
    deadline = time.monotonic() + 30
    while not holder.control.wanted:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("ask", STOPPED)
def test_who_stops_in_the_midst_is_followed_and_nothing_is_done_twice(
    folder: Path, weights: Path, tmp_path: Path, calm: Seen, ask: str
) -> None:
    store = MemoryStore()
    job = submitted(store, folder, weights)
    first = Observed(store, at=4)
    holder = claimed(store, job, tmp_path, first)
    first.act = lambda: asked(ask, store, job, holder)
    holder.run()

    stopped = seen(store, job)
    assert stopped.job.state == STOPPED[ask]
    done = {str(row.output) for row in stopped.rows.values() if row.state == "done"}
    assert 0 < len(done) < len(calm.files)
    if ask == "cancel":
        retry(store, job)
    else:
        resume(store, job)
    second = Observed(store)
    assert claimed(store, job, tmp_path, second).run() == DONE

    assert sorted(second.results) == sorted(calm.files.keys() - done)
    found = finished(store, job)
    assert found.files == calm.files
    assert found.timeless == calm.timeless
    leases = {row.lease for row in found.rows.values() if str(row.output) in done}
    assert leases == {1}


def test_a_retry_does_what_failed_once_it_is_mended(
    mixed: Inputs, weights: Path, tmp_path: Path, calm: Seen
) -> None:
    folder = mixed.written(tmp_path / "in")
    store = FolderStore(tmp_path / "store")
    job = submitted(store, folder, weights)
    claimed(store, job, tmp_path).run()
    before = finished(store, job)
    assert before.failed.keys() == mixed.reasons.keys()

    whole = inputs(2, spoilt=0, seed=5)
    mended = sorted(before.failed)[:2]
    for key, content in zip(mended, whole.content.values(), strict=True):
        (folder / key).write_bytes(content)
    retry(store, job, Redo(failure="memory"))
    claimed(store, job, tmp_path).run()
    same = finished(store, job)
    assert same.job.manifest is not None
    assert same.job.manifest["generation"] == 1
    assert {row.generation for row in same.rows.values()} == {0}, "none failed for memory"
    assert same.rows == before.rows

    retry(store, job, Redo(failure="input"))
    claimed(store, job, tmp_path).run()
    after = finished(store, job)
    assert after.failed.keys() == before.failed.keys() - set(mended)
    assert after.items["done"] == before.items["done"] + len(mended)
    assert after.items["failed"]["input"] == len(mixed.reasons) - len(mended)
    assert before.files.items() <= after.files.items()
    again = {row.key for row in after.rows.values() if row.generation == 2}
    assert again == mixed.reasons.keys()


def test_what_has_come_since_is_all_that_is_done(weights: Path, tmp_path: Path) -> None:
    store = MemoryStore()
    folder = inputs(4, spoilt=1, seed=1).written(tmp_path / "in")
    job = submitted(store, folder, weights)
    claimed(store, job, tmp_path).run()
    before = finished(store, job)

    assert submitted(store, folder, weights) == job
    assert seen(store, job).job.state == "succeeded", "nothing has come"
    more = Inputs({f"new/{k}": v for k, v in inputs(3, 1, seed=2).content.items()}, {})
    more.written(folder)
    assert submitted(store, folder, weights) == job
    assert seen(store, job).job.state == "queued"
    second = Observed(store)
    assert claimed(store, job, tmp_path, second).run() == DONE

    after = finished(store, job)
    assert after.items["items"] == 7
    assert after.items["done"] == 5
    assert all(name.startswith("new/") for name in second.results)
    assert len(second.results) == 2
    assert before.files.items() <= after.files.items()
    assert before.rows.items() <= after.rows.items()
    assert store.get(DatasetKeys(job).manifest) != store.get(DatasetKeys(job).manifest_of(1))


@pytest.mark.parametrize("at", [1, 3])
def test_what_is_listed_while_a_holder_is_at_work_is_done_by_it(
    weights: Path, tmp_path: Path, at: int
) -> None:
    store = MemoryStore()
    folder = inputs(4, spoilt=1, seed=1).written(tmp_path / "in")
    job = submitted(store, folder, weights)
    spec = any_spec_of(document(folder, weights))
    assert isinstance(spec, DatasetSpec)

    def list_more() -> None:
        more = inputs(3, 1, seed=2).content
        Inputs({f"new/{key}": content for key, content in more.items()}, {}).written(folder)
        sender = Sender(store, lambda path, digest: send_blob(store, path, digest))
        assert freeze(store, DatasetKeys(job), spec, listing(spec.inputs), sender)

    view = Observed(store, at)
    view.act = list_more
    assert claimed(store, job, tmp_path, view).run() == DONE

    found = finished(store, job)
    assert found.items == {
        "items": 7,
        "done": 5,
        "failed": {"infra": 0, "memory": 0, "input": 2, "bug": 0},
    }
    assert {row.lease for row in found.rows.values()} == {1}
    assert sorted(view.results) == sorted(found.files)
