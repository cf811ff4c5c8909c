"""All that the faults of a soak can hit: programs, cables, the disk and the clock."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.machine import FalseClock, SmallDisk, small_disk
from tests.soak.processes import Program
from tests.soak.proxy import Cable, cable_to
from tests.support.s3_servers import BUCKET, Server

LEASE, CHECKPOINT, POLL = 3.0, 0.5, 0.3
"""The options of `work`, in seconds."""

_STORE_TIMEOUT = 1.0
"""Seconds until a request to the store counts as lost: DREAMFARM_S3_TIMEOUT."""

_FULL_DISK_EXCUSES = 20.0
"""Seconds after a full disk in which a render may end with an error."""

_NO_STORE, _START_SECONDS = 3, 30.0
"""The exit code of a `work` whose store fails at its start, and how long a start may take."""


@dataclass
class Farm:
    """Two `work` processes on one store, and renders without a store.

    works: only the first is killed; the second lives through the soak, so its memory tells.
    cables: one for each of `works`. renders: as `RenderStream` adds them.
    """

    folder: Path
    address: str
    disk: SmallDisk
    clock: FalseClock
    works: list[Program]
    cables: list[Cable]
    renders: list[Program] = field(default_factory=list)
    disk_full: bool = False
    disk_freed: float = -1e9
    findings: list[str] = field(default_factory=list)
    paused: set[int] = field(default_factory=set)
    _undo: list[threading.Timer] = field(default_factory=list)

    @property
    def programs(self) -> list[Program]:
        """All programs."""
        return [*self.works, *self.renders]

    @property
    def may_fail_for_space(self) -> bool:
        """Whether the disk is full, or was so a moment ago."""
        return self.disk_full or time.monotonic() - self.disk_freed < _FULL_DISK_EXCUSES

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something after some seconds: the end of a fault that lasts."""
        timer = threading.Timer(seconds, action)
        timer.start()
        self._undo = [*filter(threading.Timer.is_alive, self._undo), timer]

    def end_faults(self) -> None:
        """Wait until all faults that last have ended."""
        for timer in self._undo:
            timer.join()
        for cable in self.cables:
            cable.forget()

    def restart(self) -> None:
        """Start the `work` processes that do not run, as an operator's supervisor does."""
        for work in self.works:
            if work.process is not None and work.process.poll() is not None and not work.killed:
                code = work.process.returncode
                if code == _NO_STORE and work.lived < _START_SECONDS:
                    continue
                self.findings.append(f"{work.name} ended by itself with {code}: {tail(work.log)}")
        for work in self.works:
            if not work.is_running:
                work.start()

    def render_environment(self) -> dict[str, str]:
        """The environment of a local render: the small disk and the false clock."""
        return {"TMPDIR": str(self.disk.path), **self.clock.environment()}

    def end(self) -> None:
        """Kill everything."""
        self.end_faults()
        for program in self.programs:
            program.end()


def tail(log: Path, lines: int = 6) -> str:
    """The last lines of a log."""
    return " | ".join(log.read_text(errors="replace").splitlines()[-lines:])


@contextmanager
def running_farm(folder: Path, server: Server, prefix: str, allow: Path) -> Iterator[Farm]:
    """A farm on a store below `prefix` of the server; its `work` processes do not run yet.

    allow: a folder that jobs may read.
    """
    address = f"s3://{BUCKET}/{prefix}"
    with ExitStack() as held:
        disk = held.enter_context(small_disk())
        clock = FalseClock(folder / "clock")
        cables = [
            held.enter_context(cable_to(server.endpoint, 2 * _STORE_TIMEOUT)) for _ in range(2)
        ]
        # Only the first `work` has the false clock, so that the two disagree about the time.
        clocks: tuple[dict[str, str], ...] = (clock.environment(), {})
        works = [
            Program(
                f"work {number}",
                _work_command(address, allow),
                {
                    **server.behind(cable.endpoint).environment(),
                    "DREAMFARM_S3_TIMEOUT": str(_STORE_TIMEOUT),
                    "TMPDIR": str(disk.path),
                    **of_clock,
                },
                folder / f"work-{number}.log",
            )
            for number, (cable, of_clock) in enumerate(zip(cables, clocks, strict=True))
        ]
        farm = Farm(folder, address, disk, clock, works, cables)
        try:
            yield farm
        finally:
            farm.end()


def _work_command(address: str, allow: Path) -> list[str]:
    numbers = {"--lease": LEASE, "--checkpoint": CHECKPOINT, "--poll": POLL}
    options = [text for name, value in numbers.items() for text in (name, str(value))]
    return ["work", "--store", address, "--allow", str(allow), *options]
