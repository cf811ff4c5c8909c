"""The kinds of specs: which model a document's `kind` chooses, and what a kind stands for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jobs.spec.atlas import AtlasSpec
from jobs.spec.atlas_expansion import expand_atlas
from jobs.spec.base import SpecModel
from jobs.spec.dataset import DatasetSpec
from jobs.spec.document import Document, validate_as
from jobs.spec.poster import PosterSpec
from jobs.text.errors import RequestError

AnySpec = PosterSpec | DatasetSpec
"""The spec of a job, of any kind that a store holds."""


@dataclass(frozen=True)
class SpecKind:
    """One kind of spec.

    has_items: the job consists of items, each with a row in a ledger; it can grow, and each
    generation has its own manifest. expand: for a shorthand kind, the document that it stands for.
    """

    model: type[SpecModel]
    has_items: bool = False
    expand: Callable[[Any], Document] | None = None

    def parse(self, document: Document) -> Any:
        """The spec of a document of this kind. Raises RequestError, and RenderError."""
        found = validate_as(self.model, document)
        return found if self.expand is None else parse_spec(self.expand(found))


DEFAULT_KIND = "poster"

SPEC_KINDS = {
    "poster": SpecKind(PosterSpec),
    "dataset": SpecKind(DatasetSpec, has_items=True),
    "atlas": SpecKind(AtlasSpec, expand=expand_atlas),
}


def parse_spec(document: Document) -> AnySpec:
    """The spec of a document of any kind. An atlas becomes the dataset that it stands for.

    Raises RequestError, and RenderError where an atlas asks for what a network does not have.
    """
    name = document.get("kind", DEFAULT_KIND)
    kind = SPEC_KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        *others, last = SPEC_KINDS
        raise RequestError(f"kind: must be {', '.join(others)} or {last}, not {name!r}")
    found: AnySpec = kind.parse(document)
    return found


def parse_stored_spec(document: Document) -> AnySpec:
    """The spec of a document from a store, which holds no shorthand kinds. Raises RequestError.

    A shorthand may read files of this machine, so a stored one counts as the default kind.
    """
    found: AnySpec = SPEC_KINDS[stored_kind(document)].parse(document)
    return found


def stored_kind(document: Document) -> str:
    """The kind of a document from a store. What is unknown there counts as the default kind."""
    name = document.get("kind", DEFAULT_KIND)
    is_known = isinstance(name, str) and name in SPEC_KINDS and SPEC_KINDS[name].expand is None
    return name if is_known else DEFAULT_KIND
