"""The files that a spec from the page names: uploads, and nothing else of this machine.

A spec names an upload by its reference `sha256:HEX/NAME`. It becomes a local path before the spec
is read as on the command line. Every other path is refused, unless the operator allows its folder.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.records.stored_spec import parse_attachment_reference
from jobs.runtime.access import AccessPolicy
from jobs.runtime.staging import cache_folder, fetch_blob
from jobs.spec.document import Document
from jobs.store.store import Store
from jobs.text.errors import RequestError
from jobs.text.yaml_json import check_depth
from render.networks.builtin import ONNX, PRETRAINED
from render.pictures.encoding import BUILTIN_PROFILE

_FILES = frozenset({"input", "start", "path", "guide", "mask", "strength", "profile"})
"""Fields that hold the path of a picture or a profile, or a mapping with such a field."""

_WEIGHTS = "weights"

_NETWORKS = frozenset({"network", "name"})
"""Fields that hold the name of a network, which must not be the path of a file."""

_INPUTS = "inputs"


@dataclass(frozen=True)
class SpecFiles:
    """Replaces the references of one spec by local paths.

    allowed: folders and `s3://` prefixes that a spec may name besides uploads. names: the reference
    of each local path so far, for messages.
    """

    store: Store
    allowed: tuple[str, ...]
    names: dict[str, str] = field(default_factory=dict)

    def localize(self, document: Mapping[str, Any]) -> Document:
        """A copy of a spec with local paths. Raises RequestError and StoreError."""
        check_depth(dict(document))
        return {key: self._field(key, value, key) for key, value in document.items()}

    def shown(self, message: str) -> str:
        """A message with the names of uploads in place of local paths."""
        for path, name in self.names.items():
            message = message.replace(path, name)
        return message

    def _field(self, key: str, value: Any, place: str) -> Any:
        """The value of a field, in which the paths are replaced. place: its dotted name."""
        if isinstance(value, Mapping):
            return {name: self._field(name, one, f"{place}.{name}") for name, one in value.items()}
        if isinstance(value, list):
            return [self._field(key, one, place) for one in value]
        if not isinstance(value, str):
            return value
        return self._text(key.rpartition(".")[2], value, place)

    def _text(self, name: str, value: str, place: str) -> str:
        is_inputs = place.partition(".")[0] == _INPUTS
        if name == _INPUTS or (is_inputs and name == "path"):
            return self._file(value, lambda address: self._allowed(address, place))
        if name in _FILES and (name, value) != ("profile", BUILTIN_PROFILE):
            return self._file(value, _refuse(place))
        if name == ONNX or (name == _WEIGHTS and value != PRETRAINED):
            return self._file(value, _refuse(place))
        # A sweep has networks, and so has a redo.
        is_of_network = name in _NETWORKS and "network" in place.split(".")
        if is_of_network and ({"/", "\\", "."} & set(value)):
            return self._file(value, _refuse(place))
        return value

    def _allowed(self, address: str, place: str) -> str:
        try:
            return AccessPolicy(self.allowed).resolve(address)
        except RequestError:
            raise RequestError(
                f"{place}: {address:.100}: this server may not read that; start "
                "the server with --allow FOLDER or --allow s3://BUCKET/PREFIX"
            ) from None

    def _file(self, value: str, other: Callable[[str], str]) -> str:
        reference = parse_attachment_reference(value)
        if reference is None:
            return other(value)
        digest, name = reference
        path = str(fetch_blob(self.store, digest, name, cache_folder()))
        self.names[path] = Path(name).name
        return path


def _refuse(place: str) -> Callable[[str], str]:
    def refuse(value: str) -> str:
        raise RequestError(f"{place}: {value:.100}: is not an uploaded file; upload it first")

    return refuse
