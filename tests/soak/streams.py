"""The jobs of a soak, one after another: each is submitted, waited for, and checked."""

import shutil
import time
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from jobs.records.job import load_job
from jobs.records.keys import ACTIVE, JobKeys
from jobs.records.spending import SPENDING
from jobs.services.kinds import kind_of
from jobs.spec.kinds import parse_spec
from jobs.store.store import INTERNAL_PREFIX, Store
from tests.soak.farm import Farm, tail
from tests.soak.processes import Program
from tests.soak.results import Result, read_folder, read_job

_LATE_SECONDS = 45.0
"""For so long an ended job is kept, in case a late writer changes it. Then it is checked again."""

_RESTART_SECONDS = 0.5


@dataclass
class Tally:
    """The jobs of one stream. restarts: claims, or starts of the command, beyond the first."""

    ended: int = 0
    different: int = 0
    stuck: int = 0
    restarts: int = 0


@dataclass
class StoreStream:
    """Jobs of one spec in a store; each has another name, and therefore another id.

    expected: the result of an undisturbed run. limit: seconds for a job, then it is stuck.
    """

    name: str
    document: dict[str, Any]
    expected: Result
    store: Store
    farm: Farm
    limit: float
    tally: Tally = field(default_factory=Tally)
    number: int = 0
    job: str | None = None
    submitted: float = 0.0
    ended: deque[tuple[float, str]] = field(default_factory=deque)

    def step(self, *, goes_on: bool) -> bool:
        """Look at the job, and submit the next. Returns whether all is done."""
        self._drop_old(_LATE_SECONDS)
        if self.job is None:
            if not goes_on:
                return True
            self._submit()
        elif self._has_ended(self.job):
            self._end(self.job)
        elif time.monotonic() - self.submitted > self.limit:
            self.tally.stuck += 1
            self._report(self.job, f"is stuck: {load_job(self.store, self.job).status}")
            self.job = None
        return False

    def _has_ended(self, job: str) -> bool:
        """Whether a job has ended, and its holder, or the next `work`, has removed its marker."""
        if load_job(self.store, job).state not in ("succeeded", "failed"):
            return False
        return not any(True for _ in self.store.list_objects(f"{ACTIVE}{job}"))

    def finish(self) -> None:
        """Check all ended jobs again, and delete them."""
        self._drop_old(0)

    def _submit(self) -> None:
        self.number += 1
        spec = parse_spec({**self.document, "name": f"{self.name}-{self.number}"})
        self.job = kind_of(spec).submit(self.store, spec).job
        self.submitted = time.monotonic()

    def _end(self, job: str) -> None:
        self.tally.ended += 1
        self._check(job, "")
        leases = list(self.store.list_objects(JobKeys(job).leases))
        self.tally.restarts += len(leases) - 1
        self.ended.append((time.monotonic(), job))
        self.job = None

    def _check(self, job: str, when: str) -> None:
        try:
            found = read_job(self.store, job)
        except AssertionError as error:
            self.tally.different += 1
            failed = traceback.extract_tb(error.__traceback__)[-1].line
            self._report(job, f"{when}{failed}: {error}")
            return
        if found != self.expected:
            self.tally.different += 1
            self._report(job, f"{when}{found.difference(self.expected)}")

    def _drop_old(self, seconds: float) -> None:
        """Check and delete the jobs that ended some seconds ago."""
        while self.ended and time.monotonic() - self.ended[0][0] >= seconds:
            job = self.ended.popleft()[1]
            self._check(job, "some time after its end ")
            self.store.delete([entry.key for entry in self.store.list_objects(_folder(job))])

    def _report(self, job: str, what: str) -> None:
        """Note a finding, and keep the records of its job."""
        self.farm.findings.append(f"{job}: {what}")
        kept = self.farm.folder / f"{job}.txt"
        kept.write_text(what + "\n" + "\n".join(_records(self.store, job)))


def _folder(job: str) -> str:
    return str(JobKeys(job).folder)


_TEXT = (".json", ".jsonl", ".log")


def _records(store: Store, job: str) -> Iterator[str]:
    """The names of a job's objects, and the content of those that are text."""
    for entry in store.list_objects(_folder(job)):
        yield f"== {entry.key} {entry.size}"
        if entry.key.endswith(_TEXT):
            yield store.get(entry.key).decode(errors="replace")


@dataclass
class RenderStream:
    """Renders of one spec without a store, by the command `render`, into a folder.

    limit: as for `StoreStream`.
    """

    name: str
    document: dict[str, Any]
    expected: Result
    farm: Farm
    program: Program
    out: Path
    limit: float
    tally: Tally = field(default_factory=Tally)
    begun: float | None = None
    started: float = 0.0

    def step(self, *, goes_on: bool) -> bool:
        """Look at the command, and start it again. Returns whether all is done."""
        if self.begun is None:
            if not goes_on:
                return True
            shutil.rmtree(self.out, ignore_errors=True)
            self.begun = time.monotonic()
            self._start()
        elif time.monotonic() - self.begun > self.limit:
            self.tally.stuck += 1
            self.farm.findings.append(f"{self.name} is stuck: {tail(self.program.log)}")
            self.program.kill(with_tree=True)
            self.begun = None
        elif self.program.process is not None and not self.program.is_running:
            self._look_at_end(self.program.process.returncode)
        return False

    def finish(self) -> None:
        """Nothing is left to do."""

    def _start(self) -> None:
        self.started = time.monotonic()
        self.program.start()

    def _look_at_end(self, code: int) -> None:
        if code == 0:
            self.tally.ended += 1
            found = read_folder(self.out)
            if found != self.expected:
                self.tally.different += 1
                self.farm.findings.append(f"{self.name}: {found.difference(self.expected)}")
            self.begun = None
            return
        if not self.program.killed and not self.farm.may_fail_for_space:
            self.program.killed = True  # said once
            self.farm.findings.append(
                f"{self.name} ended by itself with {code}: {tail(self.program.log)}"
            )
        if time.monotonic() - self.started >= _RESTART_SECONDS:
            self.tally.restarts += 1
            self._start()


Stream = StoreStream | RenderStream


def render_stream(
    name: str,
    document: dict[str, Any],
    expected: Result,
    farm: Farm,
    limit: float,
    options: Sequence[str],
) -> RenderStream:
    """A stream of renders on the small disk; the farm's faults can hit its command.

    options: of the command.
    """
    spec = farm.folder / f"{name}.yaml"
    spec.write_text(yaml.safe_dump(document))
    out = farm.disk.path / name
    label = f"{name} render"
    program = Program(
        label,
        render_command(spec, out, options),
        farm.render_environment(),
        farm.folder / f"{name}.log",
    )
    farm.renders.append(program)
    return RenderStream(label, document, expected, farm, program, out, limit)


def render_command(spec: Path, out: Path, options: Sequence[str]) -> list[str]:
    """The arguments of `dreamfarm` for a render."""
    return ["render", str(spec), "--out", str(out), *options]


def unknown_objects(store: Store) -> Iterator[str]:
    """The keys of a store after all jobs were deleted, without uploaded files and what was spent.

    A killed process leaves the probes of the store's clock; `clean` removes those.
    """
    for entry in store.list_objects(""):
        if not entry.key.startswith(("blobs/", SPENDING, INTERNAL_PREFIX)):
            yield entry.key
