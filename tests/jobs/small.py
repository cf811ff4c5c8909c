"""The smallest poster that has everything: several octaves of several tiles, on a small network."""

from pathlib import Path
from typing import Any

from jobs.document import override, spec_of
from jobs.machine import Machine
from jobs.plan import Plan, make_plan

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
        "dream": {"octaves": 2, "steps": 2, "jitter": 6},
        "tiles": 32,
    }
    named = {"input": str(picture)} if picture else {}
    return override(small | named, settings)


def planned(
    picture: Path | None, weights: Path, *settings: str, machine: Machine = MACHINE
) -> Plan:
    """The plan for `document`."""
    return make_plan(spec_of(document(picture, weights, *settings)), machine)
