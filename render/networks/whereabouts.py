"""Where a network's weights are. Loads torch only to download."""

from pathlib import Path
from typing import Any
from urllib.error import URLError

from render.errors import WeightsError

PRETRAINED = "pretrained"
SAFE = ".safetensors"
"""What ends the names of files that hold tensors and nothing that could be run."""

PAREIDOLIA = "pareidolia"
LENET5 = "lenet5"

OWN = (PAREIDOLIA, LENET5)
"""Our own networks: the weights of each lie beside this module, under its name."""


def ships(network: str, weights: str | Path | None) -> bool:
    """Whether a network's weights are those that come with the project."""
    return network in OWN and weights in (None, PRETRAINED)


def shipped(network: str) -> Path:
    """The weights file of one of our own networks."""
    return Path(__file__).with_name(f"{network}.safetensors")


def downloaded(network: str) -> Path | None:
    """Torchvision's weights of a network, where they are in torch's cache already."""
    path = _cached(_best(network).url)
    return path if path.is_file() else None


def weights_file(network: str, weights: str | None) -> Path:
    """The file a network's weights are in: a path as given, torchvision's download, or our own.

    `pretrained` downloads into torch's cache unless the file is there. WeightsError where there is
    no network to download by, no such file, or nothing was named for a network that needs it;
    NetworkError where torchvision has no weights of a network of that name.
    """
    if ships(network, weights):
        return shipped(network)
    if weights in (None, PRETRAINED):
        _check_name(network)
    if weights is None:
        raise WeightsError(
            f"network {network}: no weights named; give weights: "
            f"a .safetensors or .pth file, or `{PRETRAINED}` to download torchvision's"
        )
    if weights == PRETRAINED:
        return _downloaded(network)
    path = Path(weights)
    if not path.is_file():
        raise WeightsError(f"weights {path}: no such file; check the path")
    return path


def _check_name(network: str) -> None:
    from render.networks.catalogue import check_name

    check_name(network)


def _best(network: str) -> Any:
    import torchvision

    return torchvision.models.get_model_weights(network).DEFAULT


def _cached(url: str) -> Path:
    import torch

    return Path(torch.hub.get_dir()) / "checkpoints" / Path(url).name


def _downloaded(network: str) -> Path:
    import torch

    url = _best(network).url
    path = _cached(url)
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            prefix = path.stem.rpartition("-")[2]  # of the file's SHA-256, by torchvision's custom
            torch.hub.download_url_to_file(url, str(path), prefix, progress=False)
        except (URLError, OSError, RuntimeError) as why:
            raise WeightsError(
                f"weights of {network}: torchvision's file could not be downloaded ({why}); "
                "name a local .safetensors or .pth file as weights"
            ) from why
    return path
