"""Assigns the free resources of a machine or cluster to queued jobs."""

from dataclasses import dataclass

from jobs.records.job import StoredJob
from jobs.services.scheduler.capacity import ResourceShare, TotalCapacity, allocate, subtract
from jobs.services.scheduler.requirements import (
    WRITER_CREW,
    has_only_files_left,
    requested_memory,
    run_settings_of,
)


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
