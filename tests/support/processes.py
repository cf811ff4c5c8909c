"""Watches processes: their end, their memory, their disk usage."""

import os
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil


def still_running(processes: Iterable[int], timeout: float = 20) -> set[int]:
    """The ids of the processes that still run after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while (running := set(filter(_runs, processes))) and time.monotonic() < deadline:
        time.sleep(0.05)
    return running


def _runs(process: int) -> bool:
    try:
        # A zombie has ended, too.
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


_INTERVAL = 0.02  # seconds


@dataclass(frozen=True)
class ProgramResult:
    """A finished program's output, and each process's peak RSS without shared memory, in bytes."""

    returncode: int
    stdout: str
    stderr: str
    peaks: dict[str, int]


def run_watched(command: Sequence[str]) -> ProgramResult:
    """Run a program to its end, and sample its memory and that of all its descendants."""
    peaks: dict[str, int] = {}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        root = psutil.Process(program.pid)
        while program.poll() is None:
            for process in _family(root):
                _sample(process, peaks)
            time.sleep(_INTERVAL)
        stdout, stderr = program.communicate()
    return ProgramResult(program.returncode, stdout, stderr, peaks)


def _family(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _sample(process: psutil.Process, peaks: dict[str, int]) -> None:
    try:
        memory = process.memory_info()
        name = f"{process.pid} {process.name()}"
    except psutil.NoSuchProcess:
        return
    peaks[name] = max(peaks.get(name, 0), memory.rss - memory.shared)


def disk_usage(folder: Path) -> int:
    """The bytes that a folder's files use on disk. Files may vanish while they are counted."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(place, name).stat().st_blocks * 512
            except FileNotFoundError:
                continue
    return total
