"""Snapshots of a holder's counters, and the pipe that carries them to the scheduler's process.

Neither end of the pipe ever waits. A slow or dead scheduler must not stop a crew, and a silent
holder must not stop the scheduler. A snapshot is dropped if the pipe is full; the next one has the
full sums.
"""

import os
from contextlib import suppress
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from jobs.records.record import Amount, Count, Record
from jobs.records.spending import Spent
from jobs.records.status import FailureClass
from jobs.text.errors import InvalidRecord

Outcome = Literal["done"] | FailureClass
"""The outcome of a dataset's item: it is done, or it failed with an error of this class."""


class ResourceUse(BaseModel):
    """The resources that a holder uses: CPU cores, GPUs, and bytes of memory."""

    model_config = Record.model_config

    cores: Count
    gpus: Count
    memory: Count


class MetricsSnapshot(Record):
    """Sums since the holder started, which never fall, and its current resources.

    steps, megapixel_steps: done by this holder; repeated steps count again. phase_seconds: of all
    workers together, by phase. halo_bytes: sent from worker to worker. checkpoints: written.
    checkpoint_seconds: the time that the crew waited for them. retries: crews and pools replaced,
    by the class of the error. items: of a dataset, by outcome. workers: now. progress: of the job,
    from 0 to 1. gpu_memory: the peak of each worker, in bytes; 0 on a CPU; empty before it is
    known. use: the resources in use; None before they are known. spent: on this holder's workers.
    """

    steps: Count = 0
    megapixel_steps: Amount = 0.0
    phase_seconds: dict[str, Amount] = Field(default_factory=dict)
    halo_bytes: Count = 0
    checkpoints: Count = 0
    checkpoint_seconds: Amount = 0.0
    retries: dict[FailureClass, Count] = Field(default_factory=dict)
    items: dict[Outcome, Count] = Field(default_factory=dict)
    workers: Count = 0
    progress: Annotated[float, Field(ge=0, le=1)] = 0.0
    gpu_memory: tuple[Count, ...] = ()
    use: ResourceUse | None = None
    spent: Spent = Spent()


_CHUNK_BYTES = 1 << 16


class SnapshotWriter:
    """The holder's end of the pipe. descriptor: inherited from the scheduler."""

    def __init__(self, descriptor: int) -> None:
        # Child processes would keep the pipe open.
        os.set_inheritable(descriptor, False)
        os.set_blocking(descriptor, False)
        self._descriptor, self._rest = descriptor, b""

    def __call__(self, snapshot: MetricsSnapshot) -> None:
        """Send a snapshot, unless the pipe is full or closed."""
        line = self._rest or snapshot.encode()
        with suppress(BlockingIOError, BrokenPipeError):
            self._rest = line[os.write(self._descriptor, line) :]


class SnapshotReader:
    """The scheduler's end of the pipe to one holder. child_end: the descriptor to inherit."""

    def __init__(self) -> None:
        self._descriptor, self.child_end = os.pipe()
        os.set_blocking(self._descriptor, False)
        self._partial = b""

    def close_child_end(self) -> None:
        """Close the holder's end in this process, after the holder has inherited it."""
        os.close(self.child_end)

    def newest(self) -> MetricsSnapshot | None:
        """The last snapshot that arrived since the last call, or None."""
        received = self._partial
        while chunk := self._chunk():
            received += chunk
        *lines, self._partial = received.split(b"\n")
        for line in reversed(lines):
            try:
                return MetricsSnapshot.decode(line, "snapshot")
            except InvalidRecord:
                # The installation was updated under a running scheduler.
                continue
        return None

    def close(self) -> None:
        """Close the scheduler's end."""
        os.close(self._descriptor)

    def _chunk(self) -> bytes:
        try:
            return os.read(self._descriptor, _CHUNK_BYTES)
        except BlockingIOError:
            return b""
