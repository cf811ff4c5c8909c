"""The registry of spec kinds, and parsing by the `kind` of a document."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jobs.spec.atlas import AtlasSpec
from jobs.spec.atlas_expansion import expand_atlas
from jobs.spec.base import SpecModel
from jobs.spec.dataset import DatasetSpec
from jobs.spec.document import Document, validate_as, with_stated_network
from jobs.spec.poster import PosterSpec
from jobs.text.errors import Fault, InvalidDocument

AnySpec = PosterSpec | DatasetSpec
"""The spec of a job, of any kind that a store contains."""


@dataclass(frozen=True)
class SpecKind:
    """One kind of spec.

    model: the class of the spec.
    has_items: whether the job consists of items, each with a row in a ledger. Such a job can grow,
        and each generation has its own manifest.
    expand: for a shorthand kind, converts its spec into a document of another kind.
    """

    model: type[SpecModel]
    has_items: bool = False
    expand: Callable[[Any], Document] | None = None

    def parse(self, document: Document) -> Any:
        """Parse a document of this kind. Raises RequestError, and RenderError from `expand`."""
        spec = validate_as(self.model, document)
        return spec if self.expand is None else parse_spec(self.expand(spec))


DEFAULT_KIND = "poster"

SPEC_KINDS = {
    "poster": SpecKind(PosterSpec),
    "dataset": SpecKind(DatasetSpec, has_items=True),
    "atlas": SpecKind(AtlasSpec, expand=expand_atlas),
}


def parse_spec(document: Document) -> AnySpec:
    """Parse a document of any kind. An atlas is expanded into a dataset.

    Raises RequestError, and RenderError if the network of an atlas lacks a layer or a class, or if
    it is named only by weights that cannot be read.
    """
    name = document.get("kind", DEFAULT_KIND)
    kind = SPEC_KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        *others, last = SPEC_KINDS
        fault = Fault(("kind",), f"must be {', '.join(others)} or {last}, not {name!r}")
        raise InvalidDocument([fault], document)
    spec: AnySpec = kind.parse(with_stated_network(document))
    return spec


def parse_stored_spec(document: Document) -> AnySpec:
    """Parse a document from a store. Raises RequestError.

    A store contains no shorthand kinds. Expanding one may read files of this machine, so a stored
    shorthand is parsed as the default kind.
    """
    spec: AnySpec = SPEC_KINDS[stored_kind(document)].parse(document)
    return spec


def stored_kind(document: Document) -> str:
    """The kind of a document from a store; the default kind for unknown and shorthand kinds."""
    name = document.get("kind", DEFAULT_KIND)
    is_known = isinstance(name, str) and name in SPEC_KINDS and SPEC_KINDS[name].expand is None
    return name if is_known else DEFAULT_KIND
