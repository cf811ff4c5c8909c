"""`dreamfarm clean`: what it shows, removes and keeps."""

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from jobs.records.keys import JobKeys, active_marker
from jobs.records.request import cancel
from jobs.records.spending import DaySpending, Spent, day_folder
from jobs.records.state import Intent
from jobs.store.conditional_write import PROBE_PREFIX
from jobs.store.folder import FolderStore
from jobs.store.folder_files import PartialFiles
from jobs.store.key import PARTIAL
from tests.support.job_states import claim_next_lease, fail_job, job_in_state, write_job
from tests.support.rendered_poster import RenderedPoster
from tests.support.shell import Shell

BLOB = f"blobs/sha256/{'0' * 64}"
GONE = JobKeys("gone-0123456789ab")
FAILED = JobKeys("failed-0123456789ab")
QUEUED = JobKeys("queued-0123456789ab")


def keys_in(store: FolderStore) -> set[str]:
    return {entry.key for entry in store.list_objects("")}


def age(store: FolderStore, keys: Iterable[str], hours: float) -> None:
    then = time.time() - hours * 3600
    for key in keys:
        os.utime(Path(store.address) / key, (then, then))


def cleaned(shell: Shell, *options: str) -> dict[str, Any]:
    """The JSON that it prints."""
    ended = shell("clean", "--json", *options)
    assert ended.code == 0, ended.err
    printed: dict[str, Any] = json.loads(ended.out)
    assert printed["bytes"] == sum(one["bytes"] for one in printed["found"])
    return printed


@pytest.fixture
def store_with_garbage(job: RenderedPoster, store: FolderStore) -> FolderStore:
    """A rendered job, jobs in other states, and all kinds of garbage."""
    write_job(store, QUEUED.job)
    store.put(active_marker(QUEUED.job, 0), b"")
    fail_job(store, claim_next_lease(store, write_job(store, FAILED.job)))
    store.put(active_marker(FAILED.job, 0), b"")
    for keys in (job.keys, FAILED, QUEUED):
        store.put(keys.shard(2, 0, 0), b"tiles")
    store.put(FAILED.output(1, "half.png"), b"half")
    store.put(active_marker(GONE.job, 3), b"")
    store.put(GONE.status(1), b"late")
    store.put(GONE.intent, Intent(want="cancel").encode())
    store.put(BLOB, b"picture")
    store.put(f"{PROBE_PREFIX}1", b"probe")
    store.put(SPENT, DaySpending(spent=Spent(usd=1.0)).encode())
    return store


SPENT = f"{day_folder('2026-11-29')}a.json"

OLD = {FAILED.output(1, "half.png"), GONE.status(1), GONE.intent, BLOB, f"{PROBE_PREFIX}1", SPENT}
"""The garbage that is removed once it is old."""


def at_once(job: RenderedPoster, store: FolderStore) -> set[str]:
    """The garbage that is removed at any age."""
    return {
        *(entry.key for entry in store.list_objects(job.keys.checkpoints)),
        *(active_marker(name, n) for name, n in ((FAILED.job, 0), (GONE.job, 3), (job.job, 0))),
    }


def test_nothing_is_removed_without_yes(
    shell: Shell, job: RenderedPoster, store_with_garbage: FolderStore
) -> None:
    before = keys_in(store_with_garbage)
    printed = cleaned(shell, "--all", "--older-than", "0")

    assert printed["removed"] is False
    assert printed["bytes"] > 0
    assert keys_in(store_with_garbage) == before


def test_young_objects_in_use_stay(
    shell: Shell, job: RenderedPoster, store_with_garbage: FolderStore
) -> None:
    before, gone = keys_in(store_with_garbage), at_once(job, store_with_garbage)
    age(store_with_garbage, OLD, hours=23)
    printed = cleaned(shell, "--yes")

    assert printed["removed"] is True
    assert sum(one["objects"] for one in printed["found"]) == len(gone)
    assert keys_in(store_with_garbage) == before - gone
    age(store_with_garbage, OLD, hours=25)
    cleaned(shell, "--yes")
    assert keys_in(store_with_garbage) == before - gone - OLD
    assert cleaned(shell, "--yes")["found"] == []


def test_the_age_can_be_chosen(
    shell: Shell, job: RenderedPoster, store_with_garbage: FolderStore
) -> None:
    age(store_with_garbage, OLD, hours=2)
    cleaned(shell, "--yes", "--older-than", "1")
    assert not keys_in(store_with_garbage) & OLD


def test_checkpoints_for_a_retry_go_only_with_all(
    shell: Shell, job: RenderedPoster, store_with_garbage: FolderStore
) -> None:
    cancel(store_with_garbage, QUEUED.job)
    cleaned(shell, "--yes")
    assert {FAILED.shard(2, 0, 0), QUEUED.shard(2, 0, 0)} <= keys_in(store_with_garbage)
    cleaned(shell, "--yes", "--all")
    assert not {FAILED.shard(2, 0, 0), QUEUED.shard(2, 0, 0)} & keys_in(store_with_garbage)


def test_results_and_records_stay(
    shell: Shell, job: RenderedPoster, store_with_garbage: FolderStore, tmp_path: Path
) -> None:
    everything = keys_in(store_with_garbage)
    age(store_with_garbage, everything, hours=1000)
    cleaned(shell, "--yes", "--all", "--older-than", "0")

    kept = [key for key in everything if key.startswith((job.keys.folder, "jobs/failed"))]
    parts = ("spec", "plan", "intent", "priority", "leases", "status", "events", "logs", "previews")
    for key in kept:
        if key.split("/")[2].partition(".")[0] in parts or key.startswith(job.keys.outputs(1)):
            assert (Path(store_with_garbage.address) / key).is_file()
    assert shell("fetch", job.job, "--out", tmp_path / "out").code == 0
    assert shell("show", FAILED.job).code == 0


def test_outputs_outside_any_manifest_go(
    shell: Shell, job: RenderedPoster, store: FolderStore
) -> None:
    claim_next_lease(store, job.keys).release()
    stray = job.keys.output(2, "sky.png")
    store.put(stray, b"late")
    cleaned(shell, "--yes", "--older-than", "0")
    assert stray not in keys_in(store)
    assert job.keys.output(1, "sky.png") in keys_in(store)


def test_running_jobs_are_left_alone(shell: Shell, store: FolderStore) -> None:
    keys = write_job(store)
    claim_next_lease(store, keys).release()
    store.put(keys.output(1, "sky.png"), b"of the one before")
    store.put(keys.shard(1, 0, 0), b"tiles")
    claim_next_lease(store, keys)
    assert cleaned(shell, "--all", "--older-than", "0")["found"] == []


def test_broken_uploads_go(shell: Shell, store: FolderStore) -> None:
    with PartialFiles(Path(store.address) / PARTIAL).create(BLOB) as draft:
        draft.write(b"half")
        draft.flush()
        assert cleaned(shell, "--yes")["found"] == []
        then = time.time() - 25 * 3600
        os.utime(draft.name, (then, then))
        (found,) = cleaned(shell, "--yes")["found"]
        assert found == {
            "what": "unfinished upload",
            "where": BLOB,
            "objects": 1,
            "bytes": 0,
        }
        assert not Path(draft.name).exists()


def test_remains_with_results_stay(shell: Shell, store: FolderStore) -> None:
    keys = job_in_state(store, "succeeded")
    store.delete([keys.spec])
    before = keys_in(store)
    assert cleaned(shell, "--yes", "--older-than", "0")["found"] == []
    assert keys_in(store) == before


def test_without_json_there_is_a_table_and_a_total(
    shell: Shell, job: RenderedPoster, store: FolderStore
) -> None:
    size = sum(entry.size for entry in store.list_objects(job.keys.checkpoints))
    ended = shell("clean")
    row = next(line for line in ended.out.splitlines() if job.keys.checkpoints in line)

    # The input and its smaller octave, and the canvas and its commit after each checkpoint.
    assert row.split()[-2:] == ["8", str(size)]
    advice = "`dreamfarm clean --yes` removes it"
    assert ended.out.splitlines()[-1] == f"  {size / 1e3:.1f} kB; {advice}"
    assert shell("clean", "--yes").out.splitlines()[-1] == f"  {size / 1e3:.1f} kB removed"
    assert shell("clean").out == "nothing to clean\n"


def test_an_empty_store_stays_empty(shell: Shell, store: FolderStore, tmp_path: Path) -> None:
    folder = Path(store.address)
    assert shell("clean", "--yes").out == "nothing to clean\n"
    assert list(tmp_path.iterdir()) == [folder]
    assert not list(folder.iterdir())
