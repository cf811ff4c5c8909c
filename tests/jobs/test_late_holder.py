"""A holder that sleeps through its lease, at whatever write, changes nothing when it wakes up."""

import json
import threading
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from jobs.records.job import look
from jobs.records.keys import JobKeys
from tests.jobs.holders import TTL, claimed, submitted
from tests.jobs.lifecycle.memory_store import MemoryStore


class SleepyStore(MemoryStore):
    """One holder's view of a store: it falls asleep before one of its writes, `what#which`."""

    def __init__(self, shared: MemoryStore, sleeps_before: str | None) -> None:
        super().__init__()
        self.objects, self.shared = shared.objects, shared
        self._sleeps_before = sleeps_before
        self._count: Counter[str] = Counter()
        self.writes: list[str] = []
        self.is_asleep, self.may_wake = threading.Event(), threading.Event()

    def put(self, key: str, content: bytes) -> None:
        self._before(key)
        self.shared.put(key, content)

    def put_if_absent(self, key: str, content: bytes) -> bool:
        self._before(key)
        return self.shared.put_if_absent(key, content)

    def delete(self, keys: Iterable[str]) -> None:
        listed = list(keys)
        if listed:
            self._before(f"delete {listed[0]}")
            self.shared.delete(listed)

    def _before(self, what: str) -> None:
        # How often the keeper writes is a matter of time; its renewals have tests of their own.
        if threading.current_thread().name == "keeper":
            return
        self._count[what] += 1
        self.writes.append(f"{what}#{self._count[what]}")
        if self.writes[-1] == self._sleeps_before:
            self.is_asleep.set()
            self.may_wake.wait()


def falls_asleep(sleeper: SleepyStore, thread: threading.Thread) -> bool:
    """Whether it does, before its holder ends."""
    while thread.is_alive():
        if sleeper.is_asleep.wait(0.1):
            return True
    return sleeper.is_asleep.is_set()


def seen(shared: MemoryStore, job: str) -> dict[str, Any]:
    """What must not change once a job has succeeded."""
    keys = JobKeys(job)
    found = look(shared, job)
    assert found.manifest is not None
    outputs = [f"{keys.folder}{one['path']}" for one in found.manifest["outputs"]]
    newest = [one for one in shared.objects if one.startswith(keys.outputs(2))]
    return {
        "state": found.state,
        "manifest": shared.get(keys.manifest),
        "outputs": {key: shared.get(key) for key in {*outputs, *newest}},
    }


def test_a_holder_that_wakes_up_late_changes_nothing(
    picture: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A checkpoint after each step, whatever the last one cost.
    monkeypatch.setattr("jobs.runtime.checkpoints.WORTH", 0)
    calm = MemoryStore()
    job = submitted(calm, picture, weights)
    view = SleepyStore(calm, None)
    claimed(calm, job, tmp_path / "calm", view).run()
    writes = view.writes
    digests = [one["sha256"] for one in json.loads(calm.get(JobKeys(job).manifest))["outputs"]]
    kinds = {part for write in writes for part in write.split("#")[0].split("/")}
    assert {"plan.json", "manifest.json", "commit.json", "previews", "outputs"} <= kinds
    assert any(write.startswith("delete") for write in writes)

    for number, write in enumerate(writes):
        shared = MemoryStore()
        submitted(shared, picture, weights)
        sleeper = SleepyStore(shared, write)
        late = claimed(shared, job, tmp_path / f"late-{number}", sleeper)
        thread = threading.Thread(target=late.run, daemon=True)
        thread.start()
        if not falls_asleep(sleeper, thread):
            # The last report is the keeper's, where it was as quick.
            assert "/status/" in write or "/events/" in write or "/log" in write, write
            continue

        shared.now += TTL + 1
        claimed(shared, job, tmp_path / f"next-{number}").run()
        before = seen(shared, job)
        assert before["state"] == "succeeded"
        assert [one["sha256"] for one in json.loads(before["manifest"])["outputs"]] == digests

        sleeper.may_wake.set()
        thread.join()
        assert seen(shared, job) == before, f"asleep before {write}"
        markers = [key for key in shared.objects if key.startswith("active/")]
        assert markers == [], f"asleep before {write}"
