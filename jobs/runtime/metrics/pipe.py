"""Sends metrics snapshots from a holder's process to the scheduler's, as lines through a pipe.

Neither end ever waits. A slow or dead scheduler must not stop a crew, and a silent holder must not
stop the scheduler. A snapshot is dropped if the pipe is full; the next one has the full sums.
"""

import os
from contextlib import suppress

from jobs.runtime.metrics.counters import MetricsSnapshot
from jobs.text.errors import InvalidRecord

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
                # Of another version: the installation was changed under a running scheduler.
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
