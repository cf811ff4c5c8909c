"""Notices while `work` is killed at random moments: each is sent once or twice."""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from jobs.records.job import load_job
from jobs.records.keys import ACTIVE, active_marker
from jobs.store.folder import FolderStore
from tests.support.job_states import write_job
from tests.support.notifying_work import FAILS
from tests.support.webhook_server import WebhookServer

_TIMEOUT = 240.0


class KilledWorks:
    """Two processes on one store. Each is killed again and again, and another takes its place."""

    def __init__(self, store: FolderStore, folder: Path, addresses: list[str], seed: int) -> None:
        self._store, self._addresses = store, addresses
        self._log, self._folder = folder / "log", folder
        self._draw = random.Random(seed)
        self._works: list[subprocess.Popen[bytes] | None] = [None, None]
        self._kill_at: list[float | None] = [None, None]
        self.kills = 0

    @property
    def log(self) -> str:
        return self._log.read_text()

    def run(self, most_kills: int) -> None:
        """Until all jobs have ended, and all notices are sent."""
        begun = time.monotonic()
        try:
            while list(self._store.list_objects(ACTIVE)):
                assert time.monotonic() - begun < _TIMEOUT, self.log
                for index in range(len(self._works)):
                    self._look_after(index, most_kills)
                time.sleep(0.02)
        finally:
            for work in self._works:
                if work is not None:
                    work.kill()
                    work.wait()

    def _look_after(self, index: int, most_kills: int) -> None:
        work, kill_at = self._works[index], self._kill_at[index]
        if work is None or work.poll() is not None:
            self._works[index], self._kill_at[index] = self._start(index), None
        elif kill_at is None:
            if self._ready(index).exists():
                self._kill_at[index] = time.monotonic() + self._draw.uniform(0, 1.5)
        elif time.monotonic() > kill_at and self.kills < most_kills:
            work.kill()
            work.wait()
            self.kills += 1

    def _ready(self, index: int) -> Path:
        return self._folder / f"ready-{index}"

    def _start(self, index: int) -> "subprocess.Popen[bytes]":
        self._ready(index).unlink(missing_ok=True)
        address = str(self._store.local_path("x")).removesuffix("/x")
        module = "tests.support.notifying_work"
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", module, address, self._ready(index), *self._addresses],
                stdout=log,
                stderr=log,
            )


def submit(store: FolderStore, count: int) -> list[str]:
    """Jobs of which every third fails."""
    jobs = [f"{FAILS if at % 3 == 0 else 'sky'}{at}-0123456789ab" for at in range(count)]
    for job in jobs:
        write_job(store, job)
        store.put(active_marker(job, 0), b"")
    return jobs


@pytest.mark.parametrize(
    ("count", "kills"), [(10, 3), pytest.param(100, 20, marks=pytest.mark.slow)]
)
def test_each_word_arrives_once_or_twice(
    tmp_path: Path, endpoint: WebhookServer, count: int, kills: int
) -> None:
    store = FolderStore(tmp_path / "store")
    jobs = submit(store, count)
    # Each message takes a while, so that kills hit it.
    endpoint.delay = 0.03
    works = KilledWorks(store, tmp_path, [endpoint.url, f"json://{endpoint.place}/people"], 7)
    works.run(kills)
    words: dict[str, list[tuple[str, str]]] = {"hook": [], "people": []}
    for taken in endpoint.taken:
        body = json.loads(taken.body)
        if "data" in body:
            words["hook"].append((body["data"]["job"], body["data"]["state"]))
        else:
            words["people"].append((body["title"].split(":")[0], body["title"].split(": ")[1]))
    expected = {job: "failed" if job.startswith(FAILS) else "succeeded" for job in jobs}
    assert {job: load_job(store, job).state for job in jobs} == expected
    for found in words.values():
        times = Counter(job for job, _ in found)
        assert times.keys() == expected.keys(), works.log
        assert max(times.values()) <= 2, works.log
    assert dict(words["hook"]) == expected
    assert works.kills >= kills / 2, "it was over before"
