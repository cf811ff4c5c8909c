"""A holder that sleeps until its lease has expired, at any write, changes nothing afterwards."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from jobs.records.job import load_job
from jobs.records.keys import JobKeys
from tests.support.coordinators import TTL, claim_job, submit_small_poster
from tests.support.memory_store import MemoryStore, SleepyStore, wait_until_asleep


def final_state(shared: MemoryStore, job: str) -> dict[str, Any]:
    """The objects that must not change after a job has succeeded."""
    keys = JobKeys(job)
    found = load_job(shared, job)
    assert found.manifest is not None
    outputs = [f"{keys.folder}{one['path']}" for one in found.manifest["outputs"]]
    newest = [one for one in shared.objects if one.startswith(keys.outputs(2))]
    return {
        "state": found.state,
        "manifest": shared.get(keys.manifest),
        "outputs": {key: shared.get(key) for key in {*outputs, *newest}},
    }


def test_a_holder_without_a_lease_changes_nothing(
    picture: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A checkpoint after each step.
    monkeypatch.setattr("jobs.runtime.checkpoints.WORK_PER_CHECKPOINT", 0)
    undisturbed = MemoryStore()
    job = submit_small_poster(undisturbed, picture, weights)
    view = SleepyStore(undisturbed, None)
    claim_job(undisturbed, job, tmp_path / "undisturbed", view).run()
    writes = view.writes
    digests = [
        one["sha256"] for one in json.loads(undisturbed.get(JobKeys(job).manifest))["outputs"]
    ]
    kinds = {part for write in writes for part in write.split("#")[0].split("/")}
    assert {"plan.json", "manifest.json", "commit.json", "previews", "outputs"} <= kinds
    assert any(write.startswith("delete") for write in writes)

    for number, write in enumerate(writes):
        shared = MemoryStore()
        submit_small_poster(shared, picture, weights)
        sleeper = SleepyStore(shared, write)
        late = claim_job(shared, job, tmp_path / f"late-{number}", sleeper)
        thread = threading.Thread(target=late.run, daemon=True)
        thread.start()
        if not wait_until_asleep(sleeper, thread):
            # The thread that renews the lease may have written the last report.
            assert "/status/" in write or "/events/" in write or "/log" in write, write
            continue

        shared.now += TTL + 1
        claim_job(shared, job, tmp_path / f"next-{number}").run()
        before = final_state(shared, job)
        assert before["state"] == "succeeded"
        assert [one["sha256"] for one in json.loads(before["manifest"])["outputs"]] == digests

        sleeper.may_wake.set()
        thread.join()
        assert final_state(shared, job) == before, f"asleep before {write}"
        markers = [key for key in shared.objects if key.startswith("active/")]
        assert markers == [], f"asleep before {write}"
