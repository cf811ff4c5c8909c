"""The keys of the objects of a job in a store.

A dataset has more: `DatasetKeys` (jobs/dataset/inputs/index.py) and `LedgerKeys`
(jobs/dataset/ledger/reader.py). No other module builds keys of jobs.
"""

import re
from dataclasses import dataclass

ACTIVE = "active/"
"""The prefix of the markers of jobs to run."""

JOBS = "jobs/"
"""The prefix of the folders of all jobs."""


MAX_NUMBER = 999_999
"""The highest number of a lease, and of a generation of an intent: six digits in a key."""


DIGEST_PATTERN = r"sha256:[0-9a-f]{64}"
"""A regular expression for the digest of a file."""


_JOB_ID = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,58}[a-z0-9])?-[0-9a-f]{12}")

_MARKER = re.compile(rf"{ACTIVE}(?P<job>[^@/]+)(?:@(?P<generation>[1-9][0-9]{{0,5}}))?")

_NOTICE = re.compile(rf"{ACTIVE}(?P<job>[^@=/]+)=(?P<event>[a-z]+)@(?P<number>[0-9]{{1,6}})")

_LEASE = re.compile(r"([0-9]{6})\.json")
"""The name of a lease, or of a status, below its folder."""


def is_job_id(text: str) -> bool:
    """Whether a text has the form of a job id: a name and twelve hex digits."""
    return _JOB_ID.fullmatch(text) is not None


def is_digest(text: str) -> bool:
    """Whether a text has the form of a digest, `sha256:HEX`."""
    return re.fullmatch(DIGEST_PATTERN, text) is not None


def active_marker(job: str, generation: int) -> str:
    """The key of the marker that tells schedulers to run a job, in one generation of its intent.

    Each generation has its own marker. So a process that deletes the marker of an ended generation
    cannot delete the marker that `retry` has just written.
    """
    return f"{ACTIVE}{job}@{generation}" if generation else f"{ACTIVE}{job}"


def parse_active_marker(key: str) -> tuple[str, int] | None:
    """The job and the generation of a marker; None for any other key."""
    match = _MARKER.fullmatch(key)
    if match is None or not is_job_id(match["job"]):
        return None
    return match["job"], int(match["generation"] or 0)


def notice_marker(job: str, event: str, number: int) -> str:
    """The key of a notice that is still to be sent; see `jobs.notify`.

    It lies beside the active markers, so that one listing finds both. number: of the generation in
    which the job ended, or of the lease under which it paused.
    """
    return f"{ACTIVE}{job}={event}@{number}"


def parse_notice_marker(key: str) -> tuple[str, str, int] | None:
    """The job, the event and the number of a notice; None for any other key."""
    match = _NOTICE.fullmatch(key)
    if match is None or not is_job_id(match["job"]):
        return None
    return match["job"], match["event"], int(match["number"])


def blob_key(digest: str) -> str:
    """The key of a submitted file by its digest `sha256:HEX`."""
    return f"blobs/{digest.replace(':', '/')}"


@dataclass(frozen=True)
class JobKeys:
    """The keys of one job. `n` is the number of the lease under which an object is written.

    Keys without it have one writer, or get the same bytes from each holder, or are written only if
    absent; see `jobs.records.lease`. There are three exceptions, where the last write counts: users
    write `intent` and `run_settings`, and holders redraw the contact sheet of a dataset.

    older: 0 for the job's own picture; for a redo that renders its older pictures again, 1 for the
    newest of them, and so on. Only the pinned plan and the checkpoints of these are apart.
    """

    job: str
    older: int = 0

    @property
    def folder(self) -> str:
        """The prefix of all keys of the job."""
        return f"{JOBS}{self.job}/"

    @property
    def spec(self) -> str:
        """The StoredSpec, written once; the job exists if this object does."""
        return f"{self.folder}spec.json"

    @property
    def plan(self) -> str:
        """The PinnedPlan: what depends on the device; written once by the first holder."""
        return f"{self.checkpoints if self.older else self.folder}plan.json"

    @property
    def intent(self) -> str:
        """The Intent, written by users."""
        return f"{self.folder}intent.json"

    @property
    def run_settings(self) -> str:
        """The RunSettings, written by every submit.

        The key is older than the other settings: at first there was only the priority.
        """
        return f"{self.folder}priority.json"

    @property
    def manifest(self) -> str:
        """The manifest, written once at the end; the job has succeeded if this object exists."""
        return f"{self.folder}manifest.json"

    def manifest_of(self, generation: int) -> str:
        """The manifest of a dataset, written once in each generation."""
        return f"{self.folder}manifest@{generation}.json" if generation else self.manifest

    def is_manifest(self, key: str) -> bool:
        """Whether a key is that of a manifest, of any generation."""
        return (
            re.fullmatch(r"manifest(@[0-9]{1,6})?\.json", key.removeprefix(self.folder)) is not None
        )

    @property
    def leases(self) -> str:
        """The prefix of all leases."""
        return f"{self.folder}leases/"

    def lease(self, n: int) -> str:
        """A Lease, created if absent, and rewritten only by its holder."""
        return f"{self.leases}{n:06}.json"

    def lease_number(self, key: str) -> int | None:
        """The number of the lease at a key; None for any other key."""
        match = _LEASE.fullmatch(key.removeprefix(self.leases))
        return None if match is None else int(match[1])

    @property
    def statuses(self) -> str:
        """The prefix of the statuses of all leases."""
        return f"{self.folder}status/"

    def status(self, n: int) -> str:
        """The last Status that the holder of a lease wrote."""
        return f"{self.statuses}{n:06}.json"

    def status_number(self, key: str) -> int | None:
        """The number of the lease of the status at a key; None for any other key."""
        match = _LEASE.fullmatch(key.removeprefix(self.statuses))
        return None if match is None else int(match[1])

    def events(self, n: int) -> str:
        """The events under a lease, as JSON Lines."""
        return f"{self.folder}events/{n:06}.jsonl"

    def log(self, n: int) -> str:
        """The log of the coordinator under a lease."""
        return f"{self.folder}logs/{n:06}/coordinator.log"

    @property
    def checkpoints(self) -> str:
        """The prefix of all checkpoints, the decoded input and the masks."""
        return f"{self.folder}checkpoints/{f'older-{self.older}/' if self.older else ''}"

    def commit(self, n: int, sequence: int) -> str:
        """The commit record of a checkpoint, which makes its shards valid."""
        return f"{self.checkpoints}{n:06}/{sequence:04}/commit.json"

    def shard(self, n: int, sequence: int, member: int) -> str:
        """The tiles of one crew member in a checkpoint."""
        return f"{self.checkpoints}{n:06}/{sequence:04}/{member}.tiles"

    @property
    def input(self) -> str:
        """The input picture, decoded into tiles."""
        return f"{self.checkpoints}input.tiles"

    def input_base(self, octave: int) -> str:
        """The input at the size of an octave that is smaller than it, in tiles."""
        return f"{self.checkpoints}input-{octave}.tiles"

    def mask(self, number: int) -> str:
        """A mask, decoded into tiles, by its index among the job's masks."""
        return f"{self.checkpoints}mask-{number}.tiles"

    def notified(self, event: str, number: int, address: str) -> str:
        """The prefix of the attempts to send a notice to one of the operator's addresses."""
        return f"{self.folder}notified/{event}@{number}/{address}/"

    @property
    def redos(self) -> str:
        """The prefix of the marks that redos of this job leave, so that it stays while they run."""
        return f"{self.folder}redos/"

    def redo(self, job: str) -> str:
        """The mark of one redo, an empty object; written by its submit."""
        return f"{self.redos}{job}"

    @property
    def previews(self) -> str:
        """The prefix of all previews."""
        return f"{self.folder}previews/"

    def preview(self, octave: int) -> str:
        """The preview of a finished octave, counted from 1."""
        return f"{self.previews}octave-{octave:02}.jpg"

    @property
    def all_outputs(self) -> str:
        """The prefix of the outputs of all leases."""
        return f"{self.folder}outputs/"

    def outputs(self, n: int) -> str:
        """The prefix of the outputs of one lease."""
        return f"{self.all_outputs}{n:06}/"

    def output(self, n: int, name: str) -> str:
        """An output; `name` may contain `/`, as for the tiles of a DeepZoom."""
        return f"{self.outputs(n)}{name}"
