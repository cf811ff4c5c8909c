"""Specs: what a user requests, as frozen models.

kinds                       parse_spec: from a document of any kind to its spec
poster, dataset, atlas      the three kinds of specs; an atlas is expanded into a dataset
document                    from a spec file and command-line options to a document
base                        parts that several kinds share: network, tiles, crew, limits
size, resize, colour        parsers of field values
panels                      fields of an output for the printer: bleed, marks, panels
inputs, output_names        where a dataset reads, and how its outputs are named
encoding_fields             fields of an output about its encoding and its colours
attachments                 masks, guides and profiles in a document
looks                       named fragments of specs

Names load on first use, so that commands without a spec do not load pydantic.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.spec.atlas import AtlasSpec
    from jobs.spec.base import Crew, SpecModel
    from jobs.spec.dataset import DatasetSpec
    from jobs.spec.document import Document, apply_overrides, read_document
    from jobs.spec.kinds import SPEC_KINDS, AnySpec, SpecKind, parse_spec
    from jobs.spec.looks import describe_look, load_look, look_names
    from jobs.spec.poster import PosterSpec
    from jobs.spec.resize import Resize, parse_resize
    from jobs.spec.size import Size, parse_size

__all__ = [
    "SPEC_KINDS",
    "AnySpec",
    "AtlasSpec",
    "Crew",
    "DatasetSpec",
    "Document",
    "PosterSpec",
    "Resize",
    "Size",
    "SpecKind",
    "SpecModel",
    "apply_overrides",
    "describe_look",
    "load_look",
    "look_names",
    "parse_resize",
    "parse_size",
    "parse_spec",
    "read_document",
]

_MODULES = {
    "SPEC_KINDS": "kinds",
    "AnySpec": "kinds",
    "AtlasSpec": "atlas",
    "Crew": "base",
    "DatasetSpec": "dataset",
    "Document": "document",
    "PosterSpec": "poster",
    "Resize": "resize",
    "Size": "size",
    "SpecKind": "kinds",
    "SpecModel": "base",
    "apply_overrides": "document",
    "describe_look": "looks",
    "load_look": "looks",
    "look_names": "looks",
    "parse_resize": "resize",
    "parse_size": "size",
    "parse_spec": "kinds",
    "read_document": "document",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
