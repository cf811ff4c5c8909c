"""What the processes of a program hold for themselves, sampled while it runs."""

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

_INTERVAL = 0.02  # seconds


@dataclass(frozen=True)
class Ended:
    """A finished program: its output, and the peak of RSS without shared memory by process."""

    returncode: int
    stdout: str
    stderr: str
    peaks: dict[str, int]


def run_watched(command: Sequence[str]) -> Ended:
    """Run a program to its end; watch it and all its descendants."""
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
    return Ended(program.returncode, stdout, stderr, peaks)


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
