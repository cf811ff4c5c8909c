"""The smallest poster that has everything: several octaves of several tiles, on a small network."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.planning.machine import Machine
from jobs.planning.octave import LEAST_SECONDS
from jobs.planning.poster import Plan, make_plan
from jobs.poster.runner import Holding
from jobs.records.keys import JobKeys
from jobs.records.lease import claim, standing
from jobs.runtime.backend import Start, in_process
from jobs.runtime.context import Site, patient_store
from jobs.runtime.control import Control
from jobs.runtime.metrics.progress import Progress, Watch
from jobs.runtime.reporter import Reporter
from jobs.spec.document import override, spec_of

NETWORK, LAYER = "squeezenet1_1", "features.4"
STRIDE, FIELD = 4, 23
HEIGHT, WIDTH = 68, 100
"""Of the picture."""

MACHINE = Machine(cores=2, gpus=0, memory=16 << 30)


def document(picture: Path | None, weights: Path, *settings: str) -> dict[str, Any]:
    """A spec for the picture, or for whatever input the settings name."""
    small = {
        "name": "sky",
        "network": {"name": NETWORK, "weights": str(weights)},
        "objectives": [{"layer": LAYER}],
        "dream": {"octaves": 2, "steps": 2, "jitter": 6, "smooth": None},
        "tiles": 32,
    }
    named = {"input": str(picture)} if picture else {}
    return override(small | named, settings)


def planned(
    picture: Path | None, weights: Path, *settings: str, machine: Machine = MACHINE
) -> Plan:
    """The plan for `document`."""
    return make_plan(spec_of(document(picture, weights, *settings)), machine)


class Watched(Reporter):
    """Remembers what it was told, and asks a watch, which may raise."""

    def __init__(self, site: Site, watch: Watch | None = None) -> None:
        super().__init__(site, generation=0)
        self.seen: list[Progress] = []
        self._watch = watch

    def watch(self, progress: Progress) -> None:
        super().watch(progress)
        self.seen.append(progress)
        if self._watch:
            self._watch(progress)


@dataclass(frozen=True)
class Held:
    """A job in a folder, claimed by the next holder."""

    plan: Plan
    site: Site
    holding: Holding
    control: Control
    reporter: Watched

    def run(self) -> dict[str, Any]:
        """Render what is left; returns the manifest."""
        return self.holding.run()

    def path(self, output: dict[str, Any]) -> Path:
        """The file of one of the manifest's outputs."""
        path = self.site.store.local(f"{self.site.keys.folder}{output['path']}")
        assert path is not None
        return path


def site_of(plan: Plan, folder: Path, number: int) -> Site:
    """The place of the holder of a lease, in the store that the folder is."""
    opener = functools.partial(patient_store, str(folder / "store"))
    return Site(opener, plan.identity.job_id, number, folder / f"scratch-{number}")


def held(
    plan: Plan,
    folder: Path,
    start: Start = in_process,
    watch: Watch | None = None,
    checkpoint_seconds: float = LEAST_SECONDS,
) -> Held:
    """Claim a plan's job in the store that the folder is."""
    store, keys = patient_store(str(folder / "store")), JobKeys(plan.identity.job_id)
    before = standing(store, keys)
    lease = claim(store, keys, before.number if before else 0, "me:1", 60)
    assert lease is not None
    site = site_of(plan, folder, lease.number)
    control, reporter = Control(), Watched(site, watch)
    holding = Holding(
        plan, plan.spec.document(), site, lease, start, control, reporter, checkpoint_seconds
    )
    return Held(plan, site, holding, control, reporter)
