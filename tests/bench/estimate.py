"""What the model of scale foretells for 1 and 2 workers on this machine, and what they then take.

    python -m tests.bench.estimate [--size 1600x1200] [--steps 5] [--octaves 3] [--workers 1,2]

Each crew's speed is measured as `dreamfarm plan` measures it, right before the crew renders the
poster on a Ray of its own, from its start to the written file. Wanted: 0.80 to 1.20 of all.
"""

import argparse
import tempfile
from pathlib import Path

from jobs.planning.estimate.conditions import conditions_for
from jobs.planning.estimate.prediction import Prediction, predict
from jobs.planning.estimate.request import EstimateRequest, parse_request
from jobs.planning.machine import Machine, this_machine
from jobs.planning.poster import PosterPlan, make_plan
from jobs.runtime.backend import crew_on_own_ray
from jobs.spec.document import parse_poster_spec
from tests.support.small_poster import claim_poster

_PHASES = ("start", "decode", "dream", "encode")


def poster(size: str, steps: int, octaves: int, workers: int, machine: Machine) -> PosterPlan:
    """A dream of noise by the network that ships with us."""
    document = {
        "input": {"noise": {"seed": 0}},
        "size": size,
        "dream": {"octaves": octaves, "steps": steps},
        "crew": {"workers": workers},
    }
    return make_plan(parse_poster_spec(document), machine)


def measured(plan: PosterPlan) -> dict[str, float]:
    """The seconds of each phase of a render, and of all, as its manifest tells them."""
    with tempfile.TemporaryDirectory(prefix="bench-scale-") as folder:
        seconds: dict[str, float] = claim_poster(plan, Path(folder), crew_on_own_ray).run()[
            "seconds"
        ]
    return seconds


def show(told: Prediction, took: dict[str, float]) -> None:
    """A line for each phase."""
    times = {name: getattr(told, name) for name in _PHASES} | {"all": told.seconds}
    for name, seconds in times.items():
        truth = took["total" if name == "all" else name]
        ratio = f"{seconds / truth:.2f}" if truth else "-"
        print(f"| {told.workers} | {name} | {seconds:.1f} | {truth:.1f} | {ratio} |", flush=True)


def main() -> None:
    """Foretell, render, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="1600x1200")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--octaves", type=int, default=3)
    parser.add_argument("--workers", default="1,2")
    options = parser.parse_args()
    machine = this_machine()
    print("| workers | phase | foretold, s | measured, s | foretold / measured |")
    print("|---|---|---|---|---|", flush=True)
    for workers in parse_request(options.workers, None, None, None).workers:
        plan = poster(options.size, options.steps, options.octaves, workers, machine)
        conditions = conditions_for(plan, EstimateRequest(), machine.cores, probe=True)
        show(predict(plan, workers, conditions), measured(plan))


if __name__ == "__main__":
    main()
