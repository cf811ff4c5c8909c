"""The variations of a spec: combinations of values of its fields, or looks at three strengths."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from jobs.spec.document import (
    Document,
    expand_shorthands,
    set_field,
    with_stated_network,
)
from jobs.spec.kinds import DEFAULT_KIND, SPEC_KINDS
from jobs.spec.looks import load_look, look_names
from jobs.text.errors import RequestError
from jobs.text.yaml_json import parse_yaml
from render.dream.config import Dream
from render.networks.builtin import BUILTIN_NETWORKS, PRETRAINED
from render.networks.published_weights import torch_downloads

MOST_VARIATIONS = 100
"""The most on one sheet: more would be too small to compare."""

_STRENGTHS = {"faint": 0.5, "": 1.0, "strong": 2.0}
"""Factors of the step size, by their captions."""

_SEEDS = (0, 1, 2)

_LOOK, _STEP_SIZE, _SEED = "look", "dream.step_size", "dream.seed"

_RANGE = re.compile(r"(-?\d{1,18})\.\.(-?\d{1,18})", re.ASCII)


@dataclass(frozen=True)
class Variation:
    """One variation. caption: what it varies, in a few words. document: its spec."""

    caption: str
    document: Document


def parse_vary(text: str) -> tuple[str, tuple[Any, ...]]:
    """The field and the values of a `--vary`: `dream.seed=1..8`, `look=eyes,garden`.

    Values are YAML, in a list (`outputs=[[png],[tiff]]`) or with commas between them. Raises
    RequestError.
    """
    field, equals, values = text.partition("=")
    field, values = field.strip(), values.strip()
    if not equals or not all(field.split(".")):
        raise RequestError(f"--vary {text:.100}: write FIELD=VALUES, such as dream.seed=1..8")
    if found := _RANGE.fullmatch(values):
        first, last = int(found[1]), int(found[2])
        if last < first:
            raise RequestError(f"--vary {text}: the range is empty; write {last}..{first}")
        _check_count(last - first + 1)
        return field, tuple(range(first, last + 1))
    try:
        parsed = _parse_values(values)
    except RequestError as error:
        raise RequestError(f"--vary {text:.100}: {error}") from error
    if not parsed:
        raise RequestError(f"--vary {text}: has no values; write some, such as {field}=1,2")
    return field, parsed


def variations_of(document: Document, varied: Mapping[str, Sequence[Any]]) -> list[Variation]:
    """The variations of a document: all combinations of the values. The last field changes fastest.

    Without fields: all looks that can be rendered here, each at three strengths. A network that the
    document names limits the looks. If it has objectives, or if there is no look: three seeds at
    three strengths.

    Raises RequestError for an unknown field or look, for too many combinations, and for a document
    of many pictures.
    """
    kind = SPEC_KINDS.get(str(document.get("kind", DEFAULT_KIND)))
    if kind is not None and (kind.has_items or kind.expand is not None):
        raise RequestError("variations: are of one picture; for many, a dataset has `sweep`")
    document = expand_shorthands(document)
    if not varied:
        return list(_usual(document))
    if _LOOK in varied and "objectives" in document:
        raise RequestError(
            "--vary look: the spec has objectives of its own, which win over those of a look; "
            "leave them out"
        )
    _check_count(math.prod(map(len, varied.values())))
    names = _short_names(varied)
    return [
        Variation(
            ", ".join(_caption(names[field], value) for field, value in values.items()),
            _with_values(document, values),
        )
        for values in (dict(zip(varied, one, strict=True)) for one in product(*varied.values()))
    ]


def _usual(document: Document) -> Iterator[Variation]:
    looks = [] if "objectives" in document else list(_with_looks(document))
    if not looks:
        seeds = {f"seed {seed}": set_field(document, _SEED, seed) for seed in _SEEDS}
        looks = list(seeds.items())
    for (name, spec), (strength, factor) in product(looks, _STRENGTHS.items()):
        yield Variation(f"{name}, {strength}" if strength else name, _stronger(spec, factor))


def _with_looks(document: Document) -> Iterator[tuple[str, Document]]:
    """The document with each look whose weights are here, or are those that it names."""
    network = document.get("network") or {}
    stated = with_stated_network(document).get("network") or {}
    for look in look_names():
        needed = str(load_look(look)["network"]["name"])
        if stated.get("name") == needed:
            yield look, expand_shorthands({**document, _LOOK: look})
        elif "name" not in network and (needed in BUILTIN_NETWORKS or _is_downloaded(needed)):
            others = {key: value for key, value in document.items() if key != "network"}
            yield look, _with_look(others, look)


def _with_look(document: Document, look: Any) -> Document:
    """The document with a look, and with torch's download of its weights if that is here."""
    changed = expand_shorthands({**document, _LOOK: look})
    network = changed["network"]
    if "weights" not in network and _is_downloaded(str(network["name"])):
        changed["network"] = {**network, "weights": PRETRAINED}
    return changed


def _is_downloaded(network: str) -> bool:
    """Whether torch's cache has weights of a network, by their name."""
    return any(path.name.startswith(f"{network}-") for path in torch_downloads())


def _with_values(document: Document, values: Mapping[str, Any]) -> Document:
    """The document with these values of fields, by their dotted names."""
    changed = _with_look(document, values[_LOOK]) if _LOOK in values else document
    for field, value in values.items():
        if field != _LOOK:
            try:
                changed = set_field(changed, field, value)
            except RequestError as error:
                raise RequestError(f"--vary {field}: {error}") from error
    return changed


def _stronger(document: Document, factor: float) -> Document:
    dream = document.get("dream")
    stated = dream.get("step_size") if isinstance(dream, dict) else None
    size = stated if isinstance(stated, int | float) else Dream().step_size
    return set_field(document, _STEP_SIZE, size * factor)


def _parse_values(text: str) -> tuple[Any, ...]:
    if text.startswith("["):
        found = parse_yaml(text)
        return tuple(found) if isinstance(found, list) else (found,)
    # YAML would read the colour `#rrggbb` as a comment.
    parts = [part.strip() for part in text.split(",")]
    return tuple(part if part.startswith("#") else parse_yaml(part) for part in parts if part)


def _check_count(count: int) -> None:
    if count > MOST_VARIATIONS:
        raise RequestError(
            f"--vary: {count} variations, and a sheet has at most {MOST_VARIATIONS}; vary less"
        )


def _short_names(varied: Mapping[str, object]) -> dict[str, str]:
    """The last parts of the names of fields, where they differ."""
    last = [field.rpartition(".")[2] for field in varied]
    return {
        field: short if last.count(short) == 1 and not short.isdecimal() else field
        for field, short in zip(varied, last, strict=True)
    }


def _caption(name: str, value: Any) -> str:
    return str(value) if name == _LOOK else f"{name} {value}"
