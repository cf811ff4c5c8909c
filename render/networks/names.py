"""The names of all known networks, without loading torch: for whatever must answer at once."""

import re
from importlib.util import find_spec
from pathlib import Path

from render.networks.builtin import BUILTIN_NETWORKS, NETWORKS_OF_2015

_REGISTERED = re.compile(
    r"^@register_model\((?:name=\"(\w+)\")?\)\n(?:@.*\n)*def (\w+)", re.MULTILINE
)
"""How torchvision's source registers the builder of a network."""


def names_without_torch() -> list[str]:
    """The names that `network_names` gives, read from torchvision's source, which imports torch.

    Without torchvision, only those of other networks.
    """
    found = find_spec("torchvision")
    folders = [] if found is None else found.submodule_search_locations or []
    names = {
        match[1] or match[2]
        for folder in folders
        for path in Path(folder, "models").glob("*.py")
        for match in _REGISTERED.finditer(path.read_text("utf-8"))
    }
    return [*BUILTIN_NETWORKS, *NETWORKS_OF_2015, *sorted(names)]
