"""Assigns the free resources of a machine or cluster to queued jobs."""

from dataclasses import dataclass

from jobs.records.job import StoredJob
from jobs.records.stored_spec import RunSettings
from jobs.runtime.reporter import WRITING
from jobs.services.scheduler.capacity import ResourceShare, TotalCapacity, allocate, subtract
from jobs.spec.base import Crew, Limits
from jobs.spec.kinds import parse_stored_spec
from jobs.spec.poster import PosterSpec
from jobs.text.errors import RequestError


@dataclass(frozen=True)
class Assignment:
    """The resources of one job.

    share: what no other job may use. planned: what the job's crew may ask for, if it needs one.
    memory: bytes.
    """

    share: ResourceShare
    planned: ResourceShare
    memory: int


class Allocator:
    """Assigns one capacity to jobs, one job after another."""

    def __init__(self, capacity: TotalCapacity) -> None:
        self._capacity, self._free = capacity, capacity.free

    def can_fit(self, job: StoredJob) -> bool:
        """Whether the whole capacity suffices for a job."""
        return self._largest_share(job) is not None

    def assign(self, job: StoredJob) -> Assignment | None:
        """The resources for a job; None if it has to wait. `reserve` makes them unavailable."""
        crew = run_settings_of(job).crew
        only_writes = has_only_files_left(job)
        largest = self._largest_share(job)
        total = self._capacity.total
        share = allocate(WRITER_CREW if only_writes else crew, total, self._free)
        if share is None or largest is None:
            return None
        # A job with only files left starts no crew, but its plan must not change.
        planned = largest if only_writes else share
        memory = self._capacity.memory * planned.cores // total.cores
        return Assignment(share, planned, max(memory, requested_memory(crew)))

    def reserve(self, assignment: Assignment) -> None:
        """Make the resources of a started job unavailable to the next jobs."""
        self._free = subtract(self._free, [assignment.share])

    def _largest_share(self, job: StoredJob) -> ResourceShare | None:
        """The share that a job would get of an idle machine or cluster."""
        total = self._capacity.total
        return allocate(run_settings_of(job).crew, total, total)


_DEFAULT = RunSettings(
    priority=PosterSpec.model_fields["priority"].default, crew=Crew(), limits=Limits()
)


WRITER_CREW = Crew(workers=1, gpus_per_worker=0)
"""The resources for writing a poster's files after its last octave is committed."""


def has_only_files_left(job: StoredJob) -> bool:
    """Whether the last holder left nothing to do but to write files."""
    return job.status is not None and job.status.phase == WRITING


def run_settings_of(job: StoredJob) -> RunSettings:
    """The latest run settings of a job; those of its spec if the submit died before writing any.

    Returns the defaults for an invalid spec, so that a coordinator starts and reports the error.
    """
    if job.run_settings is not None:
        return job.run_settings
    try:
        return RunSettings.of(parse_stored_spec(job.spec.submitted_document))
    except RequestError:
        return _DEFAULT


def priority_of(job: StoredJob) -> int:
    """The priority of a job. Of two queued jobs, the one with the higher number starts first."""
    return run_settings_of(job).priority


def requested_memory(crew: Crew) -> int:
    """The bytes that a crew asks for explicitly; 0 if workers or memory are `auto`."""
    if crew.memory_per_worker == "auto" or crew.workers == "auto":
        return 0
    return int(crew.memory_per_worker) * crew.workers
