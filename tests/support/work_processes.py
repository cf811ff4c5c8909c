"""Runs `dreamfarm work` in processes of its own, and kills them on request."""

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
    """A poster of noise for one worker; it needs no files."""
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
    """Run a `work` process in each environment within this context."""
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
    """The keys below a folder, relative to it."""
    return [entry.key.removeprefix(folder) for entry in store.list_objects(folder)]


Kind = Literal["worker", "coordinator", "raylet", "ray", "work", "stop"]
"""The process to kill. `stop` stops the coordinator for longer than its lease, then resumes it."""


KINDS: tuple[Kind, ...] = ("worker", "coordinator", "raylet", "ray", "work", "stop")


LEASE, CHECKPOINT = 3.0, 2.0
"""The options of `work`, in seconds."""


class Supervisor:
    """Keeps `work` processes on one store running, as an operator's supervisor does."""

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
        self._orphans: list[psutil.Process] = []

    def restart_ended(self) -> bool:
        """Restart killed processes; returns whether all have ended for lack of work."""
        for index, work in enumerate(self._works):
            if work is None or work.poll() not in (None, 0):
                self._works[index] = self._start()
        return all(work is not None and work.poll() == 0 for work in self._works)

    def inject(self, kind: Kind) -> bool:
        """Make a fault; returns False if there is no such process at the moment."""
        found = self._victims(kind)
        for process in found:
            with _gone():
                process.send_signal(signal.SIGSTOP if kind == "stop" else signal.SIGKILL)
        if kind == "stop":
            # Longer than its lease, so that another scheduler may have taken over.
            threading.Timer(LEASE * 3, _wake, [found]).start()
        return bool(found)

    def end(self) -> None:
        """Kill everything."""
        running = [work for work in self._works if work is not None]
        for process in [*self._parts(), *self._orphans]:
            with _gone():
                process.kill()
        for work in running:
            work.kill()
            work.wait()

    def _start(self) -> subprocess.Popen[bytes]:
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
        # Its children notice and stop; `end` kills those that do not.
        self._orphans += self._parts()
        return [process for process in busy if process is not None][:1]

    def _parts(self) -> list[psutil.Process]:
        """All running descendants of the schedulers."""
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
    """Ignore processes that have ended in the meantime."""
    try:
        yield
    except psutil.NoSuchProcess:
        return


def _kinds(process: psutil.Process) -> set[str]:
    """The kinds of a process, by its command line."""
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
