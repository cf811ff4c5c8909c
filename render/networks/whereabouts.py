"""Where a network's weights are. Loads torch only to download."""

from pathlib import Path
from urllib.error import URLError

from render.errors import WeightsError

PRETRAINED = "pretrained"
PAREIDOLIA = "pareidolia"


def ships(network: str, weights: str | Path | None) -> bool:
    """Whether a network's weights are those that come with the project."""
    return network == PAREIDOLIA and weights in (None, PRETRAINED)


def weights_file(network: str, weights: str | None) -> Path:
    """The file a network's weights are in: a path as given, torchvision's download, or our own.

    `pretrained` downloads into torch's cache unless the file is there. WeightsError where there is
    no network to download by, no such file, or nothing was named for a network that needs it.
    """
    if ships(network, weights):
        return Path(__file__).with_name("pareidolia.safetensors")
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


def _downloaded(network: str) -> Path:
    import torch
    import torchvision

    best = torchvision.models.get_model_weights(network).DEFAULT
    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(best.url).name
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            prefix = path.stem.rpartition("-")[2]  # of the file's SHA-256, by torchvision's custom
            torch.hub.download_url_to_file(best.url, str(path), prefix, progress=False)
        except (URLError, OSError, RuntimeError) as why:
            raise WeightsError(
                f"weights of {network}: torchvision's file could not be downloaded ({why}); "
                "name a local .safetensors or .pth file as weights"
            ) from why
    return path
