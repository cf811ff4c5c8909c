"""The processes under test: `work` processes, their trees, and what kind each process is."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_GONE_SECONDS = 20.0
"""For a killed process to vanish on a busy machine."""


@dataclass
class Program:
    """A command that is started again whenever it was killed.

    name: for reports. command: arguments of `dreamfarm`. log: its standard error goes there.
    killed: whether a fault killed the running process. starts: how often it was started.
    orphans: processes that a killed one left.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None
    killed: bool = False
    starts: int = 0
    started: float = 0.0
    orphans: list[psutil.Process] = field(default_factory=list)

    def start(self) -> None:
        """Start it. The processes that its killed predecessor left go on until they notice."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jobs.cli", *self.command],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        self.killed, self.starts, self.started = False, self.starts + 1, time.monotonic()

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self.process is not None and self.process.poll() is None

    @property
    def lived(self) -> float:
        """Seconds since its start."""
        return time.monotonic() - self.started

    def tree(self) -> list[psutil.Process]:
        """Its descendants, without itself."""
        if self.process is None or not self.is_running:
            return []
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def kill(self, *, with_tree: bool = False) -> bool:
        """Kill it, as a fault. Returns False if it does not run."""
        if self.process is None or not self.is_running:
            return False
        tree = self.tree()
        self.killed = True
        if with_tree:
            return kill_all([psutil.Process(self.process.pid), *tree])
        self.orphans = [*filter(psutil.Process.is_running, self.orphans), *tree]
        return kill_all([psutil.Process(self.process.pid)])

    def end(self) -> None:
        """Kill it and all that it started."""
        self.kill(with_tree=True)
        kill_all(self.orphans)
        if self.process is not None:
            self.process.wait()


def kind_of(process: psutil.Process) -> str | None:
    """The kind of a process: coordinator, raylet, gcs, worker; None for any other."""
    try:
        line = process.cmdline()
    except psutil.Error:
        return None
    name = Path(line[0]).name if line else ""
    if "jobs.services.scheduler.coordinator" in line:
        return "coordinator"
    if name.startswith("ray::") and "IDLE" not in name:
        return "worker"
    return {"raylet": "raylet", "gcs_server": "gcs"}.get(name)


def age_of(process: psutil.Process) -> float:
    """Seconds since a process was started."""
    try:
        return time.time() - process.create_time()
    except psutil.Error:
        return 0.0


def kill_all(processes: Sequence[psutil.Process]) -> bool:
    """Kill processes and wait for their end. Returns whether one of them lived."""
    killed = [process for process in processes if _signal(process, signal.SIGKILL)]
    deadline = time.monotonic() + _GONE_SECONDS
    while any(map(_lives, killed)):
        assert time.monotonic() < deadline, f"{killed}: a killed process lives on"
        time.sleep(0.01)
    return bool(killed)


def pause(processes: Sequence[psutil.Process]) -> bool:
    """Stop processes. Returns whether one of them lived and has stopped."""
    stopped = [process for process in processes if _signal(process, signal.SIGSTOP)]
    deadline = time.monotonic() + _GONE_SECONDS
    while any(_state(process) not in (None, psutil.STATUS_STOPPED) for process in stopped):
        assert time.monotonic() < deadline, f"{stopped}: does not stop"
        time.sleep(0.01)
    return any(_state(process) == psutil.STATUS_STOPPED for process in stopped)


def resume(processes: Sequence[psutil.Process]) -> None:
    """Let stopped processes go on."""
    for process in processes:
        _signal(process, signal.SIGCONT)


def _signal(process: psutil.Process, number: signal.Signals) -> bool:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return False
    return True


def _state(process: psutil.Process) -> str | None:
    """The state of a process; None if it has ended."""
    try:
        state = process.status()
    except psutil.NoSuchProcess:
        return None
    return None if state in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD) else str(state)


def _lives(process: psutil.Process) -> bool:
    return _state(process) is not None
