"""Compares the estimated time of posters by 1 and 2 workers with the measured time.

    python -m tests.bench.estimate [--size 1600x1200] [--steps 5] [--octaves 3] [--workers 1,2]

The speed is measured as in `dreamfarm plan`, right before each crew renders the poster on its own
Ray. The time runs from the start of Ray to the written file. Wanted: a ratio of 0.80 to 1.20 for
the whole render.
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
    """A poster of noise by the built-in network."""
    document = {
        "input": {"noise": {"seed": 0}},
        "size": size,
        "dream": {"octaves": octaves, "steps": steps},
        "crew": {"workers": workers},
    }
    return make_plan(parse_poster_spec(document), machine)


def measure(plan: PosterPlan) -> dict[str, float]:
    """Render; returns the seconds of each phase and their total, from the manifest."""
    with tempfile.TemporaryDirectory(prefix="bench-scale-") as folder:
        seconds: dict[str, float] = claim_poster(plan, Path(folder), crew_on_own_ray).run()[
            "seconds"
        ]
    return seconds


def print_ratios(predicted: Prediction, measured: dict[str, float]) -> None:
    """Print a line for each phase."""
    times = {name: getattr(predicted, name) for name in _PHASES} | {"all": predicted.seconds}
    for name, seconds in times.items():
        truth = measured["total" if name == "all" else name]
        ratio = f"{seconds / truth:.2f}" if truth else "-"
        print(
            f"| {predicted.workers} | {name} | {seconds:.1f} | {truth:.1f} | {ratio} |", flush=True
        )


def main() -> None:
    """Estimate, render, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="1600x1200")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--octaves", type=int, default=3)
    parser.add_argument("--workers", default="1,2")
    options = parser.parse_args()
    machine = this_machine()
    print("| workers | phase | estimated, s | measured, s | estimated / measured |")
    print("|---|---|---|---|---|", flush=True)
    for workers in parse_request(options.workers, None, None, None).workers:
        plan = poster(options.size, options.steps, options.octaves, workers, machine)
        conditions = conditions_for(plan, EstimateRequest(), machine.cores, probe=True)
        print_ratios(predict(plan, workers, conditions), measure(plan))


if __name__ == "__main__":
    main()
