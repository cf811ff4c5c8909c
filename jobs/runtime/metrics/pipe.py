"""The way of readings from a holder's process to the scheduler's: lines through a pipe.

Neither end ever waits: a scheduler that is slow or gone must not keep a crew from its work, nor a
silent holder the scheduler from its others. What finds no room is left out; sums make up for it.
"""

import os
from contextlib import suppress

from jobs.runtime.metrics.counters import Readings
from jobs.text.errors import BadRecord

_CHUNK = 1 << 16


class Mouth:
    """The holder's end, a file descriptor of this process."""

    def __init__(self, descriptor: int) -> None:
        # What this process starts would keep it open.
        os.set_inheritable(descriptor, False)
        os.set_blocking(descriptor, False)
        self._descriptor, self._rest = descriptor, b""

    def __call__(self, readings: Readings) -> None:
        """Send a line, if there is room, and somebody there."""
        line = self._rest or readings.encoded()
        with suppress(BlockingIOError, BrokenPipeError):
            self._rest = line[os.write(self._descriptor, line) :]


class Ear:
    """The scheduler's end; a pipe of its own for each holder."""

    def __init__(self) -> None:
        self._descriptor, self.mouth = os.pipe()
        os.set_blocking(self._descriptor, False)
        self._begun = b""

    def started(self) -> None:
        """The holder has its end now: this process needs it no more."""
        os.close(self.mouth)

    def newest(self) -> Readings | None:
        """The last whole line that has come since the last look; None where there is none."""
        came = self._begun
        while chunk := self._chunk():
            came += chunk
        *lines, self._begun = came.split(b"\n")
        for line in reversed(lines):
            try:
                return Readings.decoded(line, "readings")
            except BadRecord:
                # Another version's; the installation was changed under a running scheduler.
                continue
        return None

    def close(self) -> None:
        """Nobody is there any more."""
        os.close(self._descriptor)

    def _chunk(self) -> bytes:
        try:
            return os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return b""
