"""A spec to begin with: YAML that shows every field with its help and its value.

Lines that begin with `#` and a field are settings at their values. Without the `#` they change
nothing.
"""

import json
import re
import shlex
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from jobs.spec.document import Document, expand_shorthands, validate_as
from jobs.spec.kinds import SPEC_KINDS
from jobs.spec.looks import describe_look, load_look
from jobs.spec.schema import Schema, spec_schema
from render.errors import visible
from render.networks.builtin import BUILTIN_NETWORKS, PRETRAINED

_WIDTH = 96

_BEGINNINGS: dict[str, Document] = {
    "poster": {"kind": "poster", "input": "photo.jpg", "size": "600xauto"},
    "dataset": {"kind": "dataset", "inputs": "photos", "resize": 1024},
    "atlas": {"kind": "atlas", "network": "pareidolia", "of": {"classes": ["eye", "rose"]}},
}
"""What the user certainly wants to change, or has to say."""

_ABOUT = {
    "poster": "A poster: one large picture.",
    "dataset": "A dataset: many pictures, each dreamed in the same way.",
    "atlas": "An atlas: pictures of what a network sees.",
}

_NOT_BY_HAND = frozenset({"look", "redo"})
"""A look is chosen before the spec is written, and `dreamfarm redo` writes the other."""

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./ -]*[A-Za-z0-9]|[A-Za-z]")

_NOT_TEXT = frozenset({"true", "false", "null"})


def spec_template(kind: str, look: str | None, schema: str, name: str) -> str:
    """A commented spec file of a kind.

    Args:
        kind: One of `SPEC_KINDS`.
        look: The name of a look, or None.
        schema: The address of the schema for editors, relative to the file.
        name: The name of the file, for the commands in it.

    Raises:
        RequestError: There is no such kind or look.
    """
    root, file = spec_schema(kind), shlex.quote(visible(name))
    beginning = _beginning(kind, look, takes_look="look" in root["properties"])
    document = expand_shorthands(beginning)
    spec = validate_as(SPEC_KINDS[kind].model, document)
    # Of objectives, what the look says suffices.
    values = spec.model_dump(mode="json") | {
        field: document[field] for field in ("objectives",) if field in document
    }
    fields = root["properties"]
    others = [field for field in fields if field not in {*beginning, *_NOT_BY_HAND}]
    lines = [
        f"# yaml-language-server: $schema={schema}",
        f"# {_ABOUT[kind]}",
        f"# dreamfarm plan {file}: what it takes. dreamfarm render {file}: makes it here.",
        "# Settings behind a # have these values anyway. Remove the # to change them.",
    ]
    for field, value in beginning.items():
        lines += ["", *_help(fields[field], root, inside=True), *_setting(field, value)]
        if field == "look":
            lines[-1] += f"  # {describe_look(str(value))}"
    for field in others:
        value = values.get(field, fields[field].get("default"))
        lines += ["", *_commented(field, fields[field], value, root)]
    return "\n".join([*lines, ""])


def _beginning(kind: str, look: str | None, *, takes_look: bool) -> Document:
    """The fields that are set in a spec to begin with. takes_look: whether a look may be one."""
    beginning = dict(_BEGINNINGS[kind])
    if look is None:
        return beginning
    fragment = load_look(look)
    network = fragment["network"]["name"]
    weights = {} if network in BUILTIN_NETWORKS else {"weights": PRETRAINED}
    if not takes_look:
        # The subject of an atlas gives its objectives: it takes the layers and the dream of a look.
        layers = list(dict.fromkeys(one["layer"] for one in fragment["objectives"]))
        dream = {"dream": fragment["dream"]} if "dream" in fragment else {}
        chosen = {"network": {"name": network, **weights}, "of": {"layers": layers}}
        return {**beginning, **chosen, "basis": "pixels", **dream}
    return {**beginning, "look": look, **({"network": weights} if weights else {})}


def _commented(field: str, node: Schema, value: Any, root: Schema) -> Iterator[str]:
    """A field behind `#`, with its help; the fields of an object are below it, with theirs."""
    inner = _object(node, root)
    if inner is None or not isinstance(value, dict) or not value:
        yield from _help(node, root, inside=isinstance(value, list | None))
        yield from (f"#{line}" for line in _setting(field, value))
        return
    yield from _help(node, root, inside=False)
    yield f"#{field}:"
    for name, one in inner["properties"].items():
        if name in value or "default" in one:
            yield from (f"#  {line}" for line in _help(one, root, inside=False))
            lines = _setting(name, value.get(name, one.get("default")))
            yield from (f"#  {line}" for line in lines)


def _setting(field: str, value: Any) -> list[str]:
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return [f"{field}:", *(f"  - {_text(one)}" for one in value)]
    return [f"{field}: {_text(value)}"]


def _text(value: Any) -> str:
    """A value as YAML in one line."""
    if isinstance(value, Mapping):
        shown = {key: one for key, one in value.items() if one is not None}
        return f"{{{', '.join(f'{key}: {_text(one)}' for key, one in shown.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value not in _NOT_TEXT:
        return value
    return json.dumps(value)


def _help(node: Schema, root: Schema, *, inside: bool) -> Iterator[str]:
    """The help of a field as comments. inside: also that of the fields of the object it holds."""
    text = f"{node.get('description', '')}{_range(node)}"
    yield from _comment(text)
    inner = _object(node, root)
    for name, one in inner["properties"].items() if inside and inner is not None else ():
        yield from _comment(f"- {name}: {one.get('description', '')}{_range(one)}", "  ")


def _comment(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent=f"# {indent}")


def _object(node: Schema, root: Schema) -> Schema | None:
    """The object that a field may hold, or that the entries of its list may be."""
    for one in (node, *node.get("anyOf", ()), *_items(node)):
        if "$ref" in one:
            found: Schema = root["$defs"][one["$ref"].rpartition("/")[2]]
            return found
    return None


def _items(node: Schema) -> list[Schema]:
    lists = [one for one in (node, *node.get("anyOf", ())) if "items" in one]
    return [inner for one in lists for inner in (one["items"], *one["items"].get("anyOf", ()))]


def _range(node: Schema) -> str:
    """The values that a field may have, unless its help names them."""
    text, choices = node.get("description", ""), (node, *node.get("anyOf", ()))
    if any("$ref" in one for one in choices):
        return ""
    for one in choices:
        low, high = one.get("minimum"), one.get("maximum")
        if low is not None and high is not None and not re.search(r"\d", text):
            return f" From {low:,} to {high:,}."
        missing = [word for word in one.get("enum", ()) if f"`{word}`" not in text]
        if len(missing) > 1:
            return f" One of: {', '.join(map(str, one['enum']))}."
    return ""
