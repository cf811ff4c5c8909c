"""`work` on a store with untrusted jobs, and such jobs."""

import functools
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from jobs.planning.identity import file_digest, poster_identity
from jobs.records.job import StoredJob, load_job
from jobs.records.keys import ACTIVE, JobKeys, active_marker, blob_key
from jobs.records.lease import HeldLease
from jobs.records.stored_spec import Blobs, RunSettings, StoredSpec
from jobs.runtime.backend import THIS_PROCESS
from jobs.runtime.context import retrying_store
from jobs.runtime.control import Control
from jobs.runtime.metrics.exporter import MetricsExporter
from jobs.services.scheduler.capacity import ResourceShare, TotalCapacity
from jobs.services.scheduler.coordinator import Coordinator
from jobs.services.scheduler.coordinator_process import CoordinatorConfig, CoordinatorProcess
from jobs.services.scheduler.scheduler import Scheduler
from jobs.services.scheduler.settings import SchedulerSettings
from jobs.spec.document import parse_poster_spec
from jobs.store.folder import FolderStore
from tests.support.small_poster import poster_document as poster

JOB = "sky-0123456789ab"


@dataclass
class FinishedProcess:
    """A coordinator's process that has ended."""

    returncode: int
    pid: int = 1

    def poll(self) -> int:
        return self.returncode


class UntrustedStore:
    """`work` on a store in a folder: a real scheduler, coordinators and workers in this process."""

    def __init__(self, folder: Path) -> None:
        self.store = FolderStore(folder / "store")
        self.messages: list[str] = []

    def put(self, stored: StoredSpec, *, run_settings: RunSettings | None = None) -> str:
        """Write a job without `submit`; returns its id."""
        keys = JobKeys(stored.job)
        self.store.put(keys.spec, stored.encode())
        if run_settings is not None:
            self.store.put(keys.run_settings, run_settings.encode())
        self.store.put(active_marker(stored.job, 0), b"")
        return stored.job

    def upload(self, path: Path) -> str:
        """Upload a file as a blob; returns its digest."""
        digest = file_digest(path)
        self.store.put(blob_key(digest), path.read_bytes())
        return digest

    def work(self, *allow: str) -> None:
        """Run the scheduler until it is idle, which takes at most three scans."""
        settings = SchedulerSettings(until_idle=True, allow=allow, poll=0)
        exporter = MetricsExporter(CollectorRegistry())
        scheduler = Scheduler(self.store, _two_cores, settings, self._notify, exporter, _start)
        for _ in range(3):
            scheduler.reap()
            if scheduler.scan():
                return
        raise AssertionError(f"the scheduler is not idle: {self.messages}")

    def _notify(self, _event: str, line: str, _job: str | None = None, /) -> None:
        self.messages.append(line)

    def refused(self, job: str) -> str:
        """Run the job; check that it fails for good, and return the line that says why."""
        self.work()
        found = load_job(self.store, job)
        assert found.status is not None, self.messages
        assert (found.state, found.status.failure) == ("failed", "input"), found.status
        line = found.status.reason or ""
        assert line and "\n" not in line
        assert list(self.store.list_objects(ACTIVE)) == []
        assert line in "".join(self.messages)
        assert "input failure" in self.store.get(JobKeys(job).log(1)).decode()
        self.work()
        again = load_job(self.store, job).current_lease
        assert again is not None
        assert again.number == 1, "the job was claimed again"
        return line


def _two_cores(_: object) -> TotalCapacity:
    return TotalCapacity(ResourceShare(2), ResourceShare(2), 8 << 30)


def _start(
    config: CoordinatorConfig, held: HeldLease, share: ResourceShare, job: StoredJob
) -> CoordinatorProcess:
    opener = functools.partial(retrying_store, config.store)
    coordinator = Coordinator(config, Control(), opener, lambda: nullcontext(THIS_PROCESS))
    process: Any = FinishedProcess(coordinator.run())
    return CoordinatorProcess(process, config, held, share, job)


def write_file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def untrusted_spec(document: dict[str, Any], **blobs: str) -> StoredSpec:
    """A spec with any content, whose job id is not that of its identity."""
    return StoredSpec(
        job=JOB,
        spec=document,
        blobs=Blobs(input=blobs.get("input"), weights=blobs.get("weights")),
        identity={},
        nonce="n",
    )


def submitted_spec(untrusted: UntrustedStore, picture: Path, weights: Path) -> StoredSpec:
    """The spec that `submit` would write for these files, whatever they hold."""
    spec = parse_poster_spec(poster(picture, weights))
    pixels, tensors = untrusted.upload(picture), untrusted.upload(weights)
    found = poster_identity(spec, weights=tensors, picture=pixels)
    stored = spec.document()
    stored["input"]["path"] = picture.name
    stored["network"]["weights"] = weights.name
    return StoredSpec(
        job=found.job_id,
        spec=stored,
        blobs=Blobs(input=pixels, weights=tensors),
        identity=found.document,
        nonce="n",
    )
