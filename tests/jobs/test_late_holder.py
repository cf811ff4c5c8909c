"""A holder that sleeps through its lease, at whatever write, changes nothing when it wakes up."""

import json
import threading
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jobs.document import spec_of
from jobs.holding.crews import in_process
from jobs.lifecycle.job import look
from jobs.lifecycle.keys import JobKeys
from jobs.lifecycle.lease import claim, standing
from jobs.lifecycle.submit import submit
from jobs.poster.control import Control
from jobs.scheduler.coordinator import Coordinator
from jobs.scheduler.errand import Errand
from jobs.store.store import Store
from tests.jobs.lifecycle.memory_store import MemoryStore
from tests.jobs.small import document

TTL = 60.0


class SleepyStore(MemoryStore):
    """One holder's view of a store: it falls asleep before one of its writes."""

    def __init__(self, shared: MemoryStore, sleeps_before: int | None) -> None:
        super().__init__()
        self.objects, self.shared = shared.objects, shared
        self._left = sleeps_before
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
        self.writes.append(what)
        if self._left is not None and len(self.writes) == self._left + 1:
            self.is_asleep.set()
            assert self.may_wake.wait(60)


VIEWS: dict[int, Store] = {}
"""The holders' views by the number of their lease: a store cannot be pickled, nor need be here."""


@dataclass(frozen=True)
class View:
    """A holder's way to its view."""

    number: int

    def __call__(self) -> Store:
        return VIEWS[self.number]


def claimed(shared: MemoryStore, job: str, scratch: Path, sleeps_before: int | None) -> Coordinator:
    """The next holder, which has claimed its lease."""
    keys = JobKeys(job)
    before = standing(shared, keys)
    held = claim(shared, keys, before.number if before else 0, "here:1", TTL)
    assert held is not None
    errand = Errand(
        store="memory",
        job=job,
        number=held.number,
        token=held.token,
        holder=held.holder,
        ttl=TTL,
        ray=None,
        cores=1,
        gpus=0,
        memory=8 << 30,
        checkpoint_seconds=0,
        scratch=scratch / str(held.number),
    )
    VIEWS[held.number] = SleepyStore(shared, sleeps_before)
    return Coordinator(errand, Control(), View(held.number), lambda: nullcontext(in_process))


def submitted(shared: MemoryStore, picture: Path, weights: Path) -> str:
    settings = ("crew.workers=2", "size=70x50", "dream.octaves=2")
    return submit(shared, spec_of(document(picture, weights, *settings))).job


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
    picture: Path, weights: Path, tmp_path: Path
) -> None:
    calm = MemoryStore()
    job = submitted(calm, picture, weights)
    claimed(calm, job, tmp_path / "calm", None).run()
    view = VIEWS[1]
    assert isinstance(view, SleepyStore)
    writes = view.writes
    digests = [one["sha256"] for one in json.loads(calm.get(JobKeys(job).manifest))["outputs"]]
    kinds = {part for key in writes for part in key.split("/")}
    assert {"plan.json", "manifest.json", "commit.json", "previews", "outputs"} <= kinds
    assert any(key.startswith("delete") for key in writes)

    for number in range(len(writes)):
        shared = MemoryStore()
        submitted(shared, picture, weights)
        late = claimed(shared, job, tmp_path / f"late-{number}", number)
        sleeper = VIEWS[1]
        assert isinstance(sleeper, SleepyStore)
        thread = threading.Thread(target=late.run)
        thread.start()
        assert sleeper.is_asleep.wait(60), writes[number]

        shared.now += TTL + 1
        claimed(shared, job, tmp_path / f"next-{number}", None).run()
        before = seen(shared, job)
        assert before["state"] == "succeeded"
        assert [one["sha256"] for one in json.loads(before["manifest"])["outputs"]] == digests

        sleeper.may_wake.set()
        thread.join()
        assert seen(shared, job) == before, f"asleep before {writes[number]}"
        markers = [key for key in shared.objects if key.startswith("active/")]
        assert markers == [], f"asleep before {writes[number]}"


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """Views of another test are not this one's."""
    VIEWS.clear()
