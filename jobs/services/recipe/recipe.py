"""The recipe of an output: its spec, with digests in place of files, and what it was made with.

Each output embeds its recipe (`PosterPlan.label`); manifests and stored specs hold it, too.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.records.keys import is_digest
from jobs.records.stored_spec import parse_attachment_reference
from jobs.spec.attachments import attachment_paths
from jobs.spec.document import Document
from jobs.store.store import Store
from jobs.text.errors import RequestError
from jobs.text.yaml_json import check_depth
from render.version import PIXEL_VERSION

_FORMAT_VERSION = 1
"""That of all JSON objects of this version."""

_VERSION = "pixel_version"


@dataclass(frozen=True)
class Recipe:
    """How an output was made.

    source: what the recipe was read from, for messages.
    spec: the identity of the job (`jobs.planning.identity`) without the pixel version. Of an item
        of a dataset, the settings of that item.
    pixel_version: None if the source does not say it.
    plan: the settings that the plan adds, such as octaves; empty if unknown.
    facts: the job's name, the device and the software; empty if unknown.
    hints: where its files were: absolute paths, or names in `folder`.
    folder: that of the source, if it is a file.
    blobs: the store that has its files, and their names by digest.
    """

    source: str
    spec: Document
    pixel_version: int | None
    plan: Document = field(default_factory=dict)
    facts: Document = field(default_factory=dict)
    hints: tuple[Path, ...] = ()
    folder: Path | None = None
    blobs: tuple[Store, Mapping[str, str]] | None = None

    @property
    def note(self) -> str | None:
        """What its user should know: that this version makes other pixels; or None."""
        if self.pixel_version in (None, PIXEL_VERSION):
            return None
        return (
            f"{self.source}: was made by pixel version {self.pixel_version}, and this is "
            f"{PIXEL_VERSION}; the same spec gives similar pixels, but not the same"
        )


def recipe_of_identity(identity: object, source: str, **others: Any) -> Recipe:
    """The recipe with this identity document. others: further fields of the recipe.

    Raises RequestError if it is none, or if it is of a newer version.
    """
    if not isinstance(identity, dict):
        raise no_recipe(source)
    spec = {key: value for key, value in identity.items() if key != _VERSION}
    version = identity.get(_VERSION)
    if not ({"dream", "fourier"} & spec.keys() and _names_network(spec)):
        raise no_recipe(source)
    if not isinstance(version, int | None):
        raise no_recipe(source)
    if version is not None and version > PIXEL_VERSION:
        raise RequestError(
            f"{source}: was made by pixel version {version}, and this is {PIXEL_VERSION}; "
            "upgrade Dreamfarm"
        )
    if not all(map(is_digest, attachment_paths(spec))):
        raise no_recipe(source)
    return Recipe(source, spec, version, **others)


def recipe_of_label(text: str, source: str) -> Recipe:
    """The recipe in the identity that an output embeds. Raises like `recipe_of_identity`."""
    try:
        label = check_depth(json.loads(text))
    except (ValueError, RecursionError, RequestError):
        label = None
    if not isinstance(label, dict):
        raise no_recipe(source)
    plan = label.get("plan")
    return recipe_of_identity(
        label.get("spec"), source, plan=plan if isinstance(plan, dict) else {}
    )


def recipe_of_record(record: Mapping[str, Any], source: str) -> Recipe:
    """The recipe in a manifest or a stored spec. Raises like `recipe_of_identity`."""
    version = record.get("version")
    if isinstance(version, int) and version > _FORMAT_VERSION:
        raise RequestError(f"{source}: was written by a newer version; upgrade Dreamfarm")
    plan, spec = record.get("plan"), record.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    name = spec.get("name")
    facts = {key: record[key] for key in ("device", "software") if key in record}
    return recipe_of_identity(
        record.get("identity"),
        source,
        plan=plan if isinstance(plan, dict) else {},
        facts={"name": name, **facts} if isinstance(name, str) else facts,
        hints=file_names(spec),
    )


def no_recipe(source: str) -> RequestError:
    """The error for something without a recipe."""
    return RequestError(
        f"{source}: has no spec in it; give an output of Dreamfarm, a manifest.json, a spec or a "
        "job"
    )


def _names_network(spec: Document) -> bool:
    network = spec.get("network")
    name = network.get("name") if isinstance(network, dict) else network
    return isinstance(name, str)


def file_names(spec: Document) -> tuple[Path, ...]:
    """The paths and file names in a spec: of its input, its weights, its masks and guides."""
    named = [_entry(spec, "input", "path"), _entry(spec, "network", "weights")]
    found = []
    for text in (*named, *attachment_paths(spec)):
        if isinstance(text, str) and text.strip() and "\0" not in text:
            reference = parse_attachment_reference(text)
            found.append(Path(text if reference is None else reference[1]))
    return tuple(found)


def _entry(spec: Document, section: str, key: str) -> object:
    fields = spec.get(section)
    return fields.get(key) if isinstance(fields, dict) else None
