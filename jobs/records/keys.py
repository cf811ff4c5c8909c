"""Where everything of a job lies in a store: the one place that spells keys."""

import re
from dataclasses import dataclass

ACTIVE = "active/"

JOBS = "jobs/"


DIGEST = r"sha256:[0-9a-f]{64}"
"""What a file's digest looks like."""


_JOB_ID = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,58}[a-z0-9])?-[0-9a-f]{12}")

_MARKER = re.compile(rf"{ACTIVE}(?P<job>[^@/]+)(?:@(?P<generation>[1-9][0-9]*))?")

_LEASE = re.compile(r"([0-9]+)\.json")


def is_job_id(text: str) -> bool:
    """Whether a text has the form of a job's id: a name and twelve hex digits."""
    return _JOB_ID.fullmatch(text) is not None


def is_digest(text: str) -> bool:
    """Whether a text has the form of a file's digest."""
    return re.fullmatch(DIGEST, text) is not None


def active(job: str, generation: int) -> str:
    """The marker that a job is to be worked on, of one generation of its intent.

    Generations have markers of their own, so that who deletes that of an ended one can never
    delete the one that `retry` has just written.
    """
    return f"{ACTIVE}{job}@{generation}" if generation else f"{ACTIVE}{job}"


def parse_active(key: str) -> tuple[str, int] | None:
    """The job and the generation of a marker; None for a key that is none."""
    found = _MARKER.fullmatch(key)
    if found is None or not is_job_id(found["job"]):
        return None
    return found["job"], int(found["generation"] or 0)


def blob(digest: str) -> str:
    """Where a submitter's file lies, by its digest `sha256:HEX`."""
    return f"blobs/{digest.replace(':', '/')}"


@dataclass(frozen=True)
class JobKeys:
    """The keys of one job. What is written under a lease carries that lease's number, `n`."""

    job: str

    @property
    def folder(self) -> str:
        """What all of them begin with."""
        return f"{JOBS}{self.job}/"

    @property
    def spec(self) -> str:
        """A StoredSpec, written once; its presence means that the job exists."""
        return f"{self.folder}spec.json"

    @property
    def plan(self) -> str:
        """What only a device can decide, written once by the first holder."""
        return f"{self.folder}plan.json"

    @property
    def intent(self) -> str:
        """An Intent, written by users."""
        return f"{self.folder}intent.json"

    @property
    def terms(self) -> str:
        """The Terms, written by every submit."""
        return f"{self.folder}priority.json"

    @property
    def manifest(self) -> str:
        """Written once, last; its presence means that the job has succeeded."""
        return f"{self.folder}manifest.json"

    def manifest_of(self, generation: int) -> str:
        """The manifest of a dataset, which is written once in each generation."""
        return f"{self.folder}manifest@{generation}.json" if generation else self.manifest

    def is_manifest(self, key: str) -> bool:
        """Whether one lies at a key, of any generation."""
        return re.fullmatch(r"manifest(@[0-9]+)?\.json", key.removeprefix(self.folder)) is not None

    @property
    def leases(self) -> str:
        """The prefix of all leases."""
        return f"{self.folder}leases/"

    def lease(self, n: int) -> str:
        """A Lease, created if absent, rewritten by its holder alone."""
        return f"{self.leases}{n:06}.json"

    def lease_number(self, key: str) -> int | None:
        """The number of the lease at a key; None where no lease belongs."""
        found = _LEASE.fullmatch(key.removeprefix(self.leases))
        return None if found is None else int(found[1])

    def status(self, n: int) -> str:
        """A Status: what that holder last knew."""
        return f"{self.folder}status/{n:06}.json"

    def events(self, n: int) -> str:
        """What happened under that lease, a JSON object a line."""
        return f"{self.folder}events/{n:06}.jsonl"

    def log(self, n: int) -> str:
        """What the coordinator said under that lease."""
        return f"{self.folder}logs/{n:06}/coordinator.log"

    @property
    def checkpoints(self) -> str:
        """The prefix of all checkpoints, and of the decoded input."""
        return f"{self.folder}checkpoints/"

    def commit(self, n: int, sequence: int) -> str:
        """What makes the set of shards of one checkpoint valid."""
        return f"{self.checkpoints}{n:06}/{sequence:04}/commit.json"

    def shard(self, n: int, sequence: int, member: int) -> str:
        """The tiles of one member of the crew in one checkpoint."""
        return f"{self.checkpoints}{n:06}/{sequence:04}/{member}.tiles"

    @property
    def input(self) -> str:
        """The input, decoded into tiles."""
        return f"{self.checkpoints}input.tiles"

    def mask(self, number: int) -> str:
        """A mask, decoded into tiles, by its place among the job's masks."""
        return f"{self.checkpoints}mask-{number}.tiles"

    @property
    def previews(self) -> str:
        """The prefix of all previews."""
        return f"{self.folder}previews/"

    def preview(self, octave: int) -> str:
        """A small picture of a finished octave, counted from 1."""
        return f"{self.previews}octave-{octave:02}.jpg"

    def outputs(self, n: int) -> str:
        """The prefix of the results made under one lease."""
        return f"{self.folder}outputs/{n:06}/"

    def output(self, n: int, name: str) -> str:
        """One result; `name` may have parts, as the tiles of a DeepZoom do."""
        return f"{self.outputs(n)}{name}"
