"""The weights that a spec chooses: their file, checked against the network; and what they know."""

from dataclasses import replace
from pathlib import Path

from jobs.identity import file_digest
from jobs.spec import NetworkChoice
from render.networks.class_names import class_number
from render.networks.default_objective import default_objective
from render.networks.whereabouts import weights_file
from render.objective import Mix, Objective
from render.survey import check_weights


def chosen_weights(network: NetworkChoice) -> tuple[Path, str]:
    """The file and its digest. RenderError or RequestError where it is missing or does not fit."""
    named = network.weights
    path = weights_file(network.name, None if named is None else str(named))
    digest = file_digest(path)
    check_weights(network.name, path, digest)
    return path, digest


def chosen_mix(network: str, weights: Path, objectives: tuple[Objective, ...] | None) -> Mix:
    """The objectives asked for, or the network's default, with numbers for classes' names.

    LayerError where there is no such class.
    """

    def numbered(one: Objective) -> Objective:
        if one.classes is None:
            return one
        found = tuple(class_number(network, weights, named) for named in one.classes)
        return replace(one, classes=found)

    return Mix(objectives or (default_objective(network),)).each(numbered)
