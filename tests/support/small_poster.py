"""The smallest complete poster: two octaves of several tiles, with a small network."""

import functools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jobs.planning.machine import Machine
from jobs.planning.octave import MIN_CHECKPOINT_SECONDS
from jobs.planning.poster import PosterPlan, make_plan
from jobs.poster.redo_runner import runner_of
from jobs.poster.runner import PosterRunner
from jobs.records.keys import JobKeys
from jobs.records.lease import claim_lease, current_lease
from jobs.runtime.backend import StartCrew, crew_in_process
from jobs.runtime.context import JobContext, retrying_store
from jobs.runtime.control import Control
from jobs.runtime.metrics.progress import Progress, WatchProgress
from jobs.runtime.reporter import Reporter
from jobs.runtime.runner import RunContext
from jobs.spec.document import apply_overrides, parse_poster_spec

NETWORK, LAYER = "squeezenet1_1", "features.4"
STRIDE, FIELD = 4, 23
HEIGHT, WIDTH = 68, 100
"""The size of the picture, in pixels."""

MACHINE = Machine(cores=2, gpus=0, memory=16 << 30)


def poster_document(picture: Path | None, weights: Path, *settings: str) -> dict[str, Any]:
    """A spec for the picture, or for the input in `settings`.

    settings: overrides, such as `dream.steps=3`.
    """
    small = {
        "name": "sky",
        "network": {"name": NETWORK, "weights": str(weights)},
        "objectives": [{"layer": LAYER}],
        "dream": {"octaves": 2, "steps": 2, "jitter": 6, "smooth": None},
        "tiles": 32,
    }
    source = {"input": str(picture)} if picture else {}
    return apply_overrides(small | source, settings)


def plan_poster(
    picture: Path | None, weights: Path, *settings: str, machine: Machine = MACHINE
) -> PosterPlan:
    """The plan of `poster_document`."""
    return make_plan(parse_poster_spec(poster_document(picture, weights, *settings)), machine)


class RecordingReporter(Reporter):
    """Records all progress, and calls a watch, which may raise."""

    def __init__(self, context: JobContext, watch: WatchProgress | None = None) -> None:
        super().__init__(context, generation=0)
        self.seen: list[Progress] = []
        self._watch = watch

    def set_progress(self, progress: Progress) -> None:
        super().set_progress(progress)
        self.seen.append(progress)
        if self._watch:
            self._watch(progress)


@dataclass(frozen=True)
class ClaimedPoster:
    """A claimed job in a folder, ready to run."""

    plan: PosterPlan
    context: JobContext
    runner: PosterRunner
    control: Control
    reporter: RecordingReporter

    def run(self) -> dict[str, Any]:
        """Render the rest; returns the manifest."""
        return self.runner.run()

    def path(self, output: dict[str, Any]) -> Path:
        """The file of an output of the manifest."""
        path = self.context.store.local_path(f"{self.context.keys.folder}{output['path']}")
        assert path is not None
        return path


def job_context(plan: PosterPlan, folder: Path, number: int) -> JobContext:
    """The context of the holder of lease `number`, with the store below a folder."""
    opener = functools.partial(retrying_store, str(folder / "store"))
    return JobContext(opener, plan.identity.job_id, number, folder / f"scratch-{number}")


def claim_poster(
    plan: PosterPlan,
    folder: Path,
    start: StartCrew = crew_in_process,
    watch: WatchProgress | None = None,
    checkpoint_seconds: float = MIN_CHECKPOINT_SECONDS,
    *,
    keeps_octaves: bool = True,
) -> ClaimedPoster:
    """Claim the job of a plan, in the store below a folder.

    watch: gets the progress; may raise. keeps_octaves: see `JobContext`.
    """
    store, keys = retrying_store(str(folder / "store")), JobKeys(plan.identity.job_id)
    before = current_lease(store, keys)
    lease = claim_lease(store, keys, before.number if before else 0, "me:1", 60)
    assert lease is not None
    context = replace(job_context(plan, folder, lease.number), keeps_octaves=keeps_octaves)
    control, reporter = Control(), RecordingReporter(context, watch)
    run_context = RunContext(context, lease, control, reporter, plan.spec.document())
    runner = runner_of(plan)(run_context, plan, start, checkpoint_seconds=checkpoint_seconds)
    return ClaimedPoster(plan, context, runner, control, reporter)
