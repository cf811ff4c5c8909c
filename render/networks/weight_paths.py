"""Finds or downloads the weights file of a network. Loads torch only to download."""

from pathlib import Path
from typing import Any
from urllib.error import URLError

from render.errors import WeightsError
from render.input_file import check_regular_file, read_problem
from render.networks.builtin import (
    NETWORKS_OF_2015,
    ONNX,
    ONNX_SUFFIX,
    PRETRAINED,
    builtin_weights,
    uses_builtin_weights,
)

SAFETENSORS_SUFFIX = ".safetensors"
"""Suffix of the files that are uploaded: they hold tensors only, and no code."""


def downloaded_weights(network: str) -> Path | None:
    """Return torchvision's weights file if it is in torch's cache already, else None."""
    if network in NETWORKS_OF_2015:
        return None
    path = _torch_cache_path(_torchvision_weights(network).url)
    return path if path.is_file() else None


def resolve_weights(network: str, weights: str | None) -> Path:
    """Return the weights file that a setting means: its path, torchvision's or the built-in.

    `pretrained` downloads torchvision's file into torch's cache if it is not there.
    Raises WeightsError if the file does not exist, the download fails, or the network needs a
    setting and has none. Raises NetworkError if torchvision does not know the network.
    """
    if uses_builtin_weights(network, weights):
        return builtin_weights(network)
    if network == ONNX and (weights is None or not weights.lower().endswith(ONNX_SUFFIX)):
        raise WeightsError(
            f"network {weights or ONNX}: is not the path of an {ONNX_SUFFIX} file; write "
            f"network: {{onnx: FILE{ONNX_SUFFIX}}}, or --network FILE{ONNX_SUFFIX}"
        )
    if weights in (None, PRETRAINED):
        _check_name(network)
        if network in NETWORKS_OF_2015:
            raise WeightsError(
                f"network {network}: no weights come with it; give weights: a .caffemodel, .pb, "
                ".pth or .safetensors file"
            )
    if weights is None:
        raise WeightsError(
            f"network {network}: no weights named; give weights: "
            f"a .safetensors or .pth file, or `{PRETRAINED}` to download torchvision's"
        )
    if weights == PRETRAINED:
        return _download(network)
    path = Path(weights)
    try:
        check_regular_file(path)
    except FileNotFoundError as error:
        raise WeightsError(f"weights {path}: no such file; check the path") from error
    except OSError as error:
        raise WeightsError(f"weights {path}: {read_problem(error)}") from error
    return path


def _check_name(network: str) -> None:
    from render.networks.catalogue import check_network_name

    check_network_name(network)


def _torchvision_weights(network: str) -> Any:
    from render.networks.torchvision_import import torchvision

    return torchvision.models.get_model_weights(network).DEFAULT


def _torch_cache_path(url: str) -> Path:
    import torch

    return Path(torch.hub.get_dir()) / "checkpoints" / Path(url).name


def _download(network: str) -> Path:
    import torch

    url = _torchvision_weights(network).url
    path = _torch_cache_path(url)
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            prefix = path.stem.rpartition("-")[2]  # the start of its SHA-256
            torch.hub.download_url_to_file(url, str(path), prefix, progress=False)
        except (URLError, OSError, RuntimeError) as error:
            raise WeightsError(
                f"weights of {network}: torchvision's file could not be downloaded ({error}); "
                "name a local .safetensors or .pth file as weights"
            ) from error
    return path
