"""The weights that a spec chooses: their file, checked against the network."""

from pathlib import Path

from jobs.identity import file_digest
from jobs.spec import NetworkChoice
from render.networks.whereabouts import weights_file
from render.survey import check_weights


def chosen_weights(network: NetworkChoice) -> tuple[Path, str]:
    """The file and its digest. RenderError or RequestError where it is missing or does not fit."""
    named = network.weights
    path = weights_file(network.name, None if named is None else str(named))
    digest = file_digest(path)
    check_weights(network.name, path, digest)
    return path, digest
