"""Specs like that of an output: the same spec again, or its settings for another picture."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.planning.identity import UNHASHED_FIELDS
from jobs.records.keys import is_digest
from jobs.services.recipe.files import FileFinder
from jobs.services.recipe.recipe import Recipe, no_recipe
from jobs.spec.attachments import map_attachments
from jobs.spec.base import SpecModel
from jobs.spec.document import Document, validate_as
from jobs.spec.kinds import DEFAULT_KIND, SPEC_KINDS
from jobs.spec.redo import nested_networks
from jobs.text.errors import RequestError
from jobs.text.yaml_json import format_yaml

_INPUTS = ("input", "inputs")

_OF_A_JOB = UNHASHED_FIELDS | {"kind", "redo", *_INPUTS}
"""What another picture has of its own."""

_ABSENT = "/a file that is not here"
"""Stands for such a file while a document is validated."""


@dataclass(frozen=True)
class FoundSpec:
    """A spec document that renders an output again.

    document: without the fields that have their default, and without files that are not here.
    notes: for people: what is missing, and what differs from this version.
    """

    document: Document
    notes: tuple[str, ...]

    def yaml(self) -> str:
        """The document as the text of a spec file."""
        return format_yaml(self.document)


_ADVICE = "write its path, or --weights FILE"


def same_spec(recipe: Recipe) -> FoundSpec:
    """The spec of an output, with the paths that its files have on this machine.

    Raises RequestError if this version does not know one of its fields.
    """
    located = _Located(recipe)
    document = _short(recipe, located)
    missing = [f"{recipe.source}: {line}" for line in located.missing]
    notes = [*([] if recipe.note is None else [recipe.note]), *missing]
    return FoundSpec(document, tuple(notes))


def settings_like(recipe: Recipe, kind: str, *, with_weights: bool = True) -> Document:
    """The settings of an output for other inputs: all fields of its spec that a kind has, too.

    with_weights: whether its weights are wanted. Raises RequestError if a file is missing.
    """
    located = _Located(recipe, with_weights=with_weights, with_input=False)
    if located.missing:
        raise RequestError(f"{recipe.source}: {located.missing[0]}")
    if located.document.get("sweep"):
        raise RequestError(f"{recipe.source}: has a sweep, so many settings; name one of its items")
    _check(recipe, located)
    shared = _fields(located.kind) & _fields(kind)
    return {
        key: value
        for key, value in located.document.items()
        if key in shared and key not in _OF_A_JOB
    }


class _Located:
    """A recipe as a document of a spec, with paths in place of digests.

    document: files that are not here stand as `_ABSENT`. missing: a line for each of them.
    """

    def __init__(
        self, recipe: Recipe, *, with_weights: bool = True, with_input: bool = True
    ) -> None:
        self._finder, self._recipe = FileFinder(recipe), recipe
        self.missing: list[str] = []
        document = _as_poster(recipe) if "kind" not in recipe.spec else dict(recipe.spec)
        self.kind = str(document.setdefault("kind", DEFAULT_KIND))
        if self.kind not in SPEC_KINDS or not _has_form(document):
            raise no_recipe(recipe.source)
        document = map_attachments(document, lambda one: self._picture(one, "an attachment"))
        networks = [document["network"], *nested_networks(document)]
        networks[0]["weights"] = _only_weights(recipe, document)
        for network in networks:
            self._locate_weights(network, with_weights=with_weights)
        if not with_input:
            document = {key: value for key, value in document.items() if key not in _INPUTS}
        elif isinstance(document.get("input"), dict):
            document["input"] = self._input(document["input"])
        self.document: Document = document

    def _locate_weights(self, network: Document, *, with_weights: bool) -> None:
        """Replace the digest in a network by a path, or remove it if no path is needed."""
        name, digest = network["name"], network.pop("weights", None)
        if digest is None or not with_weights or self._finder.is_builtin(name, digest):
            return
        path = self._finder.weights(digest)
        network["weights"] = self._or_absent(path, "its weights file", digest, _ADVICE)

    def _input(self, given: Document) -> Document:
        if "picture" not in given:
            return given
        page = {key: value for key, value in given.items() if key != "picture"}
        return {"path": self._picture(given["picture"], "its picture"), **page}

    def _picture(self, digest: str, what: str) -> str:
        return self._or_absent(self._finder.picture(digest), what, digest, "write its path")

    def _or_absent(self, path: Path | None, what: str, digest: str, advice: str) -> str:
        if path is None:
            self.missing.append(f"{what} ({digest}) is not here; {advice}")
            return _ABSENT
        return str(path)


def _has_form(document: Document) -> bool:
    """Whether networks and digests are where they belong: anybody may have written an output."""
    networks = [document.get("network"), *nested_networks(document)]
    weights, given = document.get("weights", []), document.get("input")
    if not isinstance(weights, list):
        return False
    for network in networks:
        if not isinstance(network, dict) or not isinstance(network.get("name"), str):
            return False
    pictures = [given["picture"]] if isinstance(given, dict) and "picture" in given else []
    digests = [*weights, *(network.get("weights") for network in networks if network)]
    found = [*pictures, *(one for one in digests if one is not None)]
    return all(isinstance(one, str) and is_digest(one) for one in found)


def _only_weights(recipe: Recipe, document: Document) -> str | None:
    """The digest of the weights; a dataset states that of each variant."""
    digests = {document["network"].get("weights"), *document.pop("weights", ())} - {None}
    if len(digests) > 1:
        raise RequestError(f"{recipe.source}: was made with several weights files")
    return next(iter(digests), None)


def _short(recipe: Recipe, located: _Located) -> Document:
    """The document without what has its default or is not here."""
    spec = _check(recipe, located)
    short = _present(spec.model_dump(mode="json", exclude_defaults=True))
    default, name = short.pop("name", None), recipe.facts.get("name")
    return short if name in (None, default) else {"name": name, **short}


def _check(recipe: Recipe, located: _Located) -> SpecModel:
    """Validate a document. Raises RequestError, with the source."""
    model = SPEC_KINDS[located.kind].model
    placeholders = {key: {"path": _ABSENT} for key in _INPUTS if key in model.model_fields}
    try:
        return validate_as(model, {**placeholders, **located.document})
    except RequestError as error:
        raise RequestError(
            f"{recipe.source}: its spec is not one of this version ({error}); upgrade Dreamfarm"
        ) from error


def _present(value: Any) -> Any:
    """A copy without the places of files that are not here."""
    if isinstance(value, list):
        return [_present(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _present(entry) for key, entry in value.items() if entry != _ABSENT}
    return {key: entry for key, entry in kept.items() if entry != {} or value[key] == {}}


def _as_poster(recipe: Recipe) -> Document:
    """The settings of an item of a dataset as those of a poster."""
    settings = dict(recipe.spec)
    network, resize = settings.pop("network"), settings.pop("resize", "none")
    if "fourier" in settings:
        raise RequestError(
            f"{recipe.source}: was made from noise in the Fourier basis, which only an atlas or a "
            "dataset can; name that job"
        )
    size = {} if resize == "none" or str(resize).startswith("fit") else {"size": resize}
    return {**settings, **size, "network": {"name": network}}


def _fields(kind: str) -> frozenset[str]:
    return frozenset(SPEC_KINDS[kind].model.model_fields)
