"""Where a network's weights are. Loads torch only to download."""

from pathlib import Path
from typing import Any
from urllib.error import URLError

from render.errors import WeightsError
from render.networks.builtin import PRETRAINED, shipped, ships

SAFE = ".safetensors"
"""What ends the names of files that hold tensors and nothing that could be run."""


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
