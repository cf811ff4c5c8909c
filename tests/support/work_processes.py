"""Small jobs, and the processes that submit and render them."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal

import psutil

from jobs.store.store import Store


def noise_job(seed: int, size: str = "300x200", **more: Any) -> dict[str, Any]:
    """A job of one worker that needs no file, with the network that ships with us."""
    return {
        "name": f"noise-{seed}",
        "input": {"noise": {"seed": seed}},
        "size": size,
        "dream": {"octaves": 2, "steps": 2},
        "tiles": 256,
        "crew": {"workers": 1},
        **more,
    }


@contextmanager
def work_processes(
    store: str, environments: Sequence[Mapping[str, str]], *options: str, log: Path
) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """A `work` process for each environment; they end with the context."""
    arguments = ["work", "--store", store, "--poll", "0.5", *options]
    with ExitStack() as held, log.open("wb") as output:
        processes = []
        for environment in environments:
            address = environment.get("ADDRESS")
            joined = ["--address", address] if address else []
            process = subprocess.Popen(
                [sys.executable, "-m", "jobs.cli", *arguments, *joined],
                stdout=output,
                stderr=output,
                env={**os.environ, **environment},
                start_new_session=True,
            )
            held.callback(process.wait)
            held.callback(process.kill)
            processes.append(process)
        yield processes


def names_below(store: Store, folder: str) -> list[str]:
    """The names of what lies below a folder, such as a job's leases."""
    return [entry.key.removeprefix(folder) for entry in store.list_objects(folder)]


Kind = Literal["worker", "coordinator", "raylet", "ray", "work", "stop"]
"""What is killed; `stop` stops the coordinator for longer than its lease, then lets it go on."""


KINDS: tuple[Kind, ...] = ("worker", "coordinator", "raylet", "ray", "work", "stop")


LEASE, CHECKPOINT = 3.0, 2.0
"""Seconds, as `work` is told."""


class Supervisor:
    """Schedulers on one store, as an operator's supervisor keeps them running."""

    def __init__(
        self,
        store: str,
        log: Path,
        environment: Mapping[str, str],
        count: int = 2,
        allow: Sequence[str] = (),
    ) -> None:
        self._store, self._log = store, log
        self._environment = {**os.environ, **environment}
        self._works: list[subprocess.Popen[bytes] | None] = [None] * count
        self._allow = [f"--allow={place}" for place in allow]
        self._old: list[psutil.Process] = []

    def restart_ended(self) -> bool:
        """Start again what was killed; returns whether all have left, having nothing to do."""
        for at, work in enumerate(self._works):
            if work is None or work.poll() not in (None, 0):
                self._works[at] = self._started()
        return all(work is not None and work.poll() == 0 for work in self._works)

    def inject(self, kind: Kind) -> bool:
        """Bring a fault about; False where there is nothing to hit at the moment."""
        found = self._victims(kind)
        for process in found:
            with _gone():
                process.send_signal(signal.SIGSTOP if kind == "stop" else signal.SIGKILL)
        if kind == "stop":
            # Past its lease, and for so long that another may have taken over.
            threading.Timer(LEASE * 3, _wake, [found]).start()
        return bool(found)

    def end(self) -> None:
        """Leave nothing running."""
        running = [work for work in self._works if work is not None]
        for process in [*self._parts(), *self._old]:
            with _gone():
                process.kill()
        for work in running:
            work.kill()
            work.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        arguments = ["work", "--store", self._store, "--until-idle", "--poll", "0.3"]
        arguments += ["--lease", str(LEASE), "--checkpoint", str(CHECKPOINT), *self._allow]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "jobs.cli", *arguments],
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,
            )

    def _victims(self, kind: Kind) -> list[psutil.Process]:
        chosen = [process for process in self._parts() if kind in _kinds(process)]
        if kind != "work":
            return chosen[:1] if kind == "worker" else chosen
        busy = [process.parent() for process in self._parts() if "stop" in _kinds(process)]
        # Its children notice, and leave; should one not, it ends with the test.
        self._old += self._parts()
        return [process for process in busy if process is not None][:1]

    def _parts(self) -> list[psutil.Process]:
        """Everything that the schedulers have started and that still runs below them."""
        found = []
        for work in self._works:
            if work is not None and work.poll() is None:
                with _gone():
                    found += psutil.Process(work.pid).children(recursive=True)
        return found


def _wake(stopped: list[psutil.Process]) -> None:
    for process in stopped:
        with _gone():
            process.send_signal(signal.SIGCONT)


@contextmanager
def _gone() -> Iterator[None]:
    """What has ended in the meantime is no matter."""
    try:
        yield
    except psutil.NoSuchProcess:
        return


def _kinds(process: psutil.Process) -> set[str]:
    """What a process is, by its command line."""
    with _gone():
        line = process.cmdline()
        name = Path(line[0]).name if line else ""
        if "jobs.services.scheduler.coordinator" in line:
            return {"coordinator", "stop"}
        if name == "raylet":
            return {"raylet", "ray"}
        if name == "gcs_server":
            return {"ray"}
        if name.startswith("ray::"):
            return {"worker", "ray"}
    return set()
