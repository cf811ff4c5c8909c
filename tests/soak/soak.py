"""Runs jobs while faults hit them, and checks every result against an undisturbed one."""

import random
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from jobs.store.address import open_store
from tests.soak.farm import Farm, running_farm
from tests.soak.faults import FaultKind, deal, missing_kinds
from tests.soak.jobs import soak_documents, undisturbed_job, undisturbed_render
from tests.soak.report import KindTally, Report
from tests.soak.streams import StoreStream, Stream, render_stream, unknown_objects
from tests.support.s3_servers import Server, s3_environment

_TICK = 0.1
_MEMORY_SECONDS = 5.0
_LINE_SECONDS = 60.0
_RENDERED = {"atlas": ("--in-process",), "set": ("--in-process",)}
"""The specs that are also rendered without a store, with the options of `render`."""

_WITH_RAY: dict[str, tuple[str, ...]] = {"poster": ()}
"""The same for long soaks: a render with a Ray of its own takes longer to start."""


@dataclass(frozen=True)
class Settings:
    """faults: how many. gap: mean seconds between two. limit: seconds for a job.

    patience: seconds until a fault without a target is given up. longest: seconds in which new
    faults are made; None for no limit. with_ray: whether a Ray serves one of the local renders.
    faults_per_job: at most so many for each job that has ended, and for `ahead` jobs more.
    """

    seed: int
    faults: int
    gap: float = 1.0
    limit: float = 900.0
    patience: float = 120.0
    longest: float | None = None
    with_ray: bool = False
    faults_per_job: int = 6
    ahead: int = 4

    @property
    def rendered(self) -> dict[str, tuple[str, ...]]:
        """The specs that are rendered without a store, with the options of `render`."""
        return _RENDERED | (_WITH_RAY if self.with_ray else {})


Say = Callable[[str], None]


class Soak:
    """One run on one farm."""

    def __init__(self, settings: Settings, farm: Farm, streams: list[Stream], say: Say) -> None:
        self._settings, self._farm, self._streams, self._say = settings, farm, streams, say
        self._draw = random.Random(settings.seed)
        self._begun = time.monotonic()
        skipped = missing_kinds(farm)
        self.report = Report(settings.seed, findings=farm.findings, skipped=skipped)
        self._left = [
            (kind, self._begun) for kind in deal(settings.faults, self._draw, without=skipped)
        ]
        self._next_fault = self._begun
        self._next_memory = self._next_line = self._begun
        self._told = 0

    def run(self) -> Report:
        """Make all faults, and wait until all jobs have ended."""
        for why in self.report.skipped.values():
            self._say(why)
        while self._step():
            time.sleep(_TICK)
        for stream in self._streams:
            stream.finish()
        self._note()
        return self.report

    def _step(self) -> bool:
        """Do what is due. Returns whether anything is left to do."""
        now = time.monotonic()
        self._farm.restart()
        if self._left and now >= self._next_fault and self._may_go_on():
            self._inject()
            gap = self._settings.gap
            self._next_fault = time.monotonic() + self._draw.uniform(0.2 * gap, 1.8 * gap)
            if not self._left:
                self._farm.end_faults()
        longest = self._settings.longest
        if self._left and longest is not None and now - self._begun > longest:
            self._give_up_rest()
        done = [stream.step(goes_on=bool(self._left)) for stream in self._streams]
        self._look(now)
        return bool(self._left) or not all(done)

    def _may_go_on(self) -> bool:
        """Whether enough jobs have ended. On a slow machine they would only ever start again."""
        self._note()
        allowed = self.report.totals.ended + self._settings.ahead
        return self.report.faults < allowed * self._settings.faults_per_job

    def _inject(self) -> None:
        """Make the first fault of the deck that finds a target."""
        waiting: list[tuple[FaultKind, float]] = []
        while self._left:
            kind, since = self._left.pop(0)
            tally = self.report.kinds.setdefault(kind.name, KindTally())
            hit = kind.inject(self._farm, self._draw) if not _tried(waiting, kind) else None
            if hit is not None:
                tally.count += 1
                self._say(f"{time.monotonic() - self._begun:7.1f} s  {kind.name}: {hit}")
                # Only now does the patience of the others begin.
                break
            if time.monotonic() - since > self._settings.patience and not self._has_others(kind):
                tally.no_target += 1
            else:
                waiting.append((kind, since))
            if len(waiting) > 6:
                break
        self._left = waiting + self._left

    def _has_others(self, kind: FaultKind) -> bool:
        """Whether faults of other kinds are left, which may be made meanwhile."""
        return any(other.name != kind.name for other, _ in self._left)

    def _give_up_rest(self) -> None:
        for kind, _ in self._left:
            self.report.kinds.setdefault(kind.name, KindTally()).no_target += 1
        self._left = []
        self._farm.end_faults()

    def _look(self, now: float) -> None:
        """Say what was found; read memory, and say how it goes, when it is time."""
        for finding in self.report.findings[self._told :]:
            self._say(f"finding: {finding}")
            self._told += 1
        if now >= self._next_memory:
            self._next_memory = now + _MEMORY_SECONDS
            self.report.memory.read(
                (work.name, work.process.pid if work.process and work.is_running else None)
                for work in self._farm.works
            )
        if now >= self._next_line:
            self._next_line = now + _LINE_SECONDS
            self._note()
            self._say(self.report.line())

    def _note(self) -> None:
        self.report.seconds = time.monotonic() - self._begun
        self.report.streams = {stream.name: stream.tally for stream in self._streams}


def _tried(waiting: list[tuple[FaultKind, float]], kind: FaultKind) -> bool:
    return any(other.name == kind.name for other, _ in waiting)


def soak(settings: Settings, folder: Path, server: Server, say: Say) -> Report:
    """Run a soak on a server with a bucket. The folder keeps the logs.

    say: gets a line for each fault, and one a minute.
    """
    documents = soak_documents(folder)
    undisturbed = {
        name: undisturbed_job(name, document, folder) for name, document in documents.items()
    }
    with ExitStack() as held:
        prefix = uuid.uuid4().hex
        farm = held.enter_context(running_farm(folder, server, prefix, folder / "in"))
        held.enter_context(s3_environment(server))
        store = open_store(farm.address)
        streams: list[Stream] = [
            StoreStream(name, document, undisturbed[name], store, farm, settings.limit)
            for name, document in documents.items()
        ]
        for name, options in settings.rendered.items():
            document = {**documents[name], "name": f"{name}-0"}
            expected = undisturbed_render(name, document, folder, options)
            streams.append(render_stream(name, document, expected, farm, settings.limit, options))
        say("the undisturbed results are there")
        report = Soak(settings, farm, streams, say).run()
        left = list(unknown_objects(store))
        if left:
            report.findings.append(f"{len(left)} objects are left of deleted jobs: {left[:5]}")
        return report
