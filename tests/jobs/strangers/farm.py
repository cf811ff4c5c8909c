"""`work` on a store that strangers write into, and what they write."""

import functools
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from jobs.planning.identity import file_digest, identity
from jobs.records.job import Job, look
from jobs.records.keys import ACTIVE, JobKeys, active, blob
from jobs.records.lease import Held
from jobs.records.stored_spec import Blobs, StoredSpec, Terms
from jobs.runtime.backend import THIS_PROCESS
from jobs.runtime.context import patient_store
from jobs.runtime.control import Control
from jobs.runtime.metrics.exporter import Meters
from jobs.services.scheduler.capacity import Share, Whole
from jobs.services.scheduler.coordinator import Coordinator
from jobs.services.scheduler.coordinator_process import Child, Errand
from jobs.services.scheduler.scheduler import Scheduler, Settings
from jobs.spec.document import spec_of
from jobs.store.folder import FolderStore
from tests.jobs.small import document as poster

JOB = "sky-0123456789ab"


@dataclass
class Ended:
    """A coordinator's process that has left."""

    returncode: int
    pid: int = 1

    def poll(self) -> int:
        return self.returncode


class Farm:
    """`work` on a store in a folder: a scheduler's real looks, coordinators and their workers, all
    in this process."""

    def __init__(self, folder: Path) -> None:
        self.store = FolderStore(folder / "store")
        self.said: list[str] = []

    def put(self, stored: StoredSpec, *, terms: Terms | None = None) -> str:
        """A job as only a stranger writes it."""
        keys = JobKeys(stored.job)
        self.store.put(keys.spec, stored.encoded())
        if terms is not None:
            self.store.put(keys.terms, terms.encoded())
        self.store.put(active(stored.job, 0), b"")
        return stored.job

    def send(self, path: Path) -> str:
        """The digest of a file that lies in the store then."""
        digest = file_digest(path)
        self.store.put(blob(digest), path.read_bytes())
        return digest

    def work(self, *allow: str) -> None:
        """Look around until nothing is left to do, which is at once."""
        settings = Settings(until_idle=True, allow=allow, poll=0)
        meters = Meters(CollectorRegistry())
        scheduler = Scheduler(self.store, _two_cores, settings, self._hear, meters, _launch)
        for _ in range(3):
            scheduler.reap()
            if scheduler.look_around():
                return
        raise AssertionError(f"something comes back: {self.said}")

    def _hear(self, _event: str, line: str, _job: str | None = None, /) -> None:
        self.said.append(line)

    def refused(self, job: str) -> str:
        """The one line with which a job was refused, for good."""
        self.work()
        found = look(self.store, job)
        assert found.status is not None, self.said
        assert (found.state, found.status.failure) == ("failed", "input"), found.status
        line = found.status.reason or ""
        assert line and "\n" not in line
        assert list(self.store.entries(ACTIVE)) == []
        assert line in "".join(self.said)
        assert "input failure" in self.store.get(JobKeys(job).log(1)).decode()
        self.work()
        again = look(self.store, job).standing
        assert again is not None
        assert again.number == 1, "it was taken again"
        return line


def _two_cores(_: object) -> Whole:
    return Whole(Share(2), Share(2), 8 << 30)


def _launch(errand: Errand, held: Held, share: Share, job: Job) -> Child:
    opener = functools.partial(patient_store, errand.store)
    coordinator = Coordinator(errand, Control(), opener, lambda: nullcontext(THIS_PROCESS))
    process: Any = Ended(coordinator.run())
    return Child(process, held, share, errand.memory, job, errand.scratch)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def stranger(document: dict[str, Any], **blobs: str) -> StoredSpec:
    """A spec that says what it likes, which no identity fits."""
    return StoredSpec(
        job=JOB,
        spec=document,
        blobs=Blobs(input=blobs.get("input"), weights=blobs.get("weights")),
        identity={},
        nonce="n",
    )


def sent_along(farm: Farm, picture: Path, weights: Path) -> StoredSpec:
    """A spec in which all is as `submit` would have it, whatever its files are."""
    spec = spec_of(poster(picture, weights))
    pixels, tensors = farm.send(picture), farm.send(weights)
    found = identity(spec, weights=tensors, picture=pixels)
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
