"""Says which published weights a file is, by its checksum.

torchvision's files have the first eight hex digits of their SHA-256 in their names. Caffe's model
zoo states SHA-1s (BVLC/caffe, `models/bvlc_googlenet/readme.md` and
`models/bvlc_reference_caffenet/readme.md`).
"""

import hashlib
import os
import re
from pathlib import Path
from typing import Any

from render.input_file import open_input_file
from render.networks.disk_cache import cached_on_disk
from render.networks.safetensors_header import is_safetensors

_PREFIX = re.compile(r"-([0-9a-f]{8,64})\.pth$")
"""The start of a file's SHA-256 in its name, as torch's downloads have it."""

_CAFFE = {
    "405fc5acd08a3bb12de8ee5e23a96bec22f08204": "bvlc_googlenet of Caffe's model zoo",
    "4c8d77deb20ea792f84eb5e6d0a11ca0a8660a46": "caffenet of Caffe's model zoo",
}
"""What people call a file, by its SHA-1."""

_CAFFE_SUFFIX = ".caffemodel"


def published_weights(path: Path, digest: str) -> str | None:
    """Return what a weights file is, such as `googlenet's IMAGENET1K_V1 of torchvision`.

    digest: `sha256:` and the hex digest of the file. None if the file is not a known one. Raises
    OSError if it cannot be read.
    """
    if is_safetensors(path):
        return None  # nobody publishes these files in this format
    found = _torchvision_names().get(digest.removeprefix("sha256:")[:8])
    if found is not None or path.suffix.lower() != _CAFFE_SUFFIX:
        return found
    with open_input_file(path) as file:
        # The zoo states no other checksum; it is not a matter of security here.
        return _CAFFE.get(hashlib.file_digest(file, "sha1").hexdigest())


def is_as_named(path: Path, digest: str) -> bool:
    """Whether a file has the checksum that its name states, if it states one."""
    stated = _PREFIX.search(path.name)
    return stated is None or digest.removeprefix("sha256:").startswith(stated[1])


def torch_downloads() -> list[Path]:
    """The files in torch's cache of downloads (`torch.hub`), without loading torch."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = Path(os.environ.get("TORCH_HOME") or cache / "torch")
    return sorted((home / "hub" / "checkpoints").glob("*.pth"))


def _torchvision_names() -> dict[str, str]:
    """The names of torchvision's weights, by the start of their SHA-256; cached on disk."""

    def compute() -> dict[str, Any]:
        from render.networks.torchvision_import import torchvision

        models = torchvision.models
        return {
            found[1][:8]: f"{name}'s {weights.name} of torchvision"
            for name in models.list_models(module=models)
            for weights in models.get_model_weights(name)
            if (found := _PREFIX.search(weights.url))
        }

    return dict(cached_on_disk("published", {}, compute))
