"""The JSON schema of spec files, by which editors complete and check them.

The models describe a spec with its shorthands written out; a file may have shorthands and a look.
"""

import inspect
import re
from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core.core_schema import ModelSchema

from jobs.spec.base import MAX_PATH
from jobs.spec.document import SHORTHANDS
from jobs.spec.kinds import DEFAULT_KIND, SPEC_KINDS
from jobs.spec.looks import describe_look, look_names
from jobs.spec.poster import Output
from jobs.spec.resize import Resize
from jobs.spec.size import Size
from jobs.text.errors import RequestError
from render.errors import suggest
from render.networks.builtin import BUILTIN_NETWORKS, NETWORKS_OF_2015, ONNX

Schema = dict[str, Any]

_ID = "urn:dreamfarm:spec"

_REFERENCE = "#/$defs/"

_WITHOUT_LOOK = frozenset({"atlas"})
"""Kinds whose objectives follow from something else, so that no look can give them."""

_KIND_HELP = (
    "The kind of job: `poster` (one large picture), `dataset` (many pictures) or `atlas` (what a "
    "network sees)."
)

_LOOK_HELP = "A named choice of network, objectives and settings; fields beside it win."

_ENTRY = re.compile(r"^([a-z_]+(?:, [a-z_]+)*): (.*(?:\n +.*)*)", re.MULTILINE)
"""What a docstring says of some fields."""


def spec_schema(kind: str | None = None) -> Schema:
    """The schema of spec files of one kind, or of any kind, which the field `kind` tells.

    Raises RequestError for an unknown kind.
    """
    if kind is not None and kind not in SPEC_KINDS:
        raise RequestError(f"kind {kind}: no such kind; {suggest(kind, SPEC_KINDS)}")
    names = {name: SPEC_KINDS[name].model.__name__ for name in SPEC_KINDS}
    definitions = _written_definitions([kind] if kind else list(SPEC_KINDS))
    head = {"$schema": GenerateJsonSchema.schema_dialect, "$id": f"{_ID}:{kind}" if kind else _ID}
    if kind is not None:
        return {**head, **definitions.pop(names[kind]), "$defs": definitions}
    choice: Schema = {"$ref": _REFERENCE + names[DEFAULT_KIND]}
    # Unlike `oneOf`, this gives the errors of the kind that is meant, and of no other.
    for name in (name for name in names if name != DEFAULT_KIND):
        asks = {"properties": {"kind": {"const": name}}, "required": ["kind"]}
        choice = {"if": asks, "then": {"$ref": _REFERENCE + names[name]}, "else": choice}
    kinds = {"enum": list(names), "default": DEFAULT_KIND, "description": _KIND_HELP}
    return {
        **head,
        "title": "Spec of a Dreamfarm job",
        "type": "object",
        "properties": {"kind": kinds},
        **choice,
        "$defs": definitions,
    }


def model_schema(kind: str) -> Schema:
    """The schema of the model of one kind, without shorthands: for forms.

    The outputs of a poster say which fields each format may have, as `fieldsOfFormats`.
    """
    schema = SPEC_KINDS[kind].model.model_json_schema(schema_generator=_Generator)
    if (output := schema["$defs"].get(Output.__name__)) is not None:
        output["fieldsOfFormats"] = Output.choices()
    return schema


class _Generator(GenerateJsonSchema):
    """Writes the defaults of sizes as specs do, and adds the help of inherited fields."""

    def encode_default(self, dft: Any) -> Any:
        return str(dft) if isinstance(dft, Size | Resize) else super().encode_default(dft)

    def model_schema(self, schema: ModelSchema) -> Schema:
        found = super().model_schema(schema)
        for base in schema["cls"].__mro__[1:]:
            _describe(found.get("properties", {}), _help_of_fields(_documentation(base)))
        return found


def _written_definitions(kinds: list[str]) -> dict[str, Schema]:
    """The definitions of all models of these kinds, as files may write them, with help."""
    models = {kind: SPEC_KINDS[kind].model for kind in kinds}
    _, generated = models_json_schema(
        [(model, "validation") for model in models.values()], schema_generator=_Generator
    )
    definitions: dict[str, Schema] = generated["$defs"]
    for node in definitions.values():
        help_of = _help_of_fields(node.get("description", ""))
        node["description"] = _sentence(node.get("description", "").partition("\n\n")[0])
        _describe(node.get("properties", {}), help_of)
    for kind, model in models.items():
        properties = definitions[model.__name__]["properties"]
        _describe(properties, _inherited_help(kind))
        if kind not in _WITHOUT_LOOK:
            properties["look"] = _look()
        _add_shorthands(properties, definitions)
    for node in definitions.values():
        _describe_by_contents(node.get("properties", {}), definitions)
    _write_network(definitions["NetworkChoice"])
    if "Output" in definitions:
        _write_output(definitions["Output"])
    return definitions


def _help_of_fields(text: str) -> dict[str, str]:
    """What a docstring says of fields, by their names."""
    return {
        name: _sentence(found[2])
        for found in _ENTRY.finditer(text)
        for name in found[1].split(", ")
    }


def _documentation(one: type) -> str:
    return inspect.cleandoc(one.__doc__ or "")


def _inherited_help(kind: str) -> dict[str, str]:
    """The help of fields that a kind shares with those before it, which describe them."""
    known = {"kind": _KIND_HELP}
    for name, spec_kind in SPEC_KINDS.items():
        known |= _help_of_fields(_documentation(spec_kind.model))
        if name == kind:
            break
    return known


def _describe(properties: Schema, help_of: Mapping[str, str]) -> None:
    for name, node in properties.items():
        if "description" not in node and name in help_of:
            node["description"] = help_of[name]


def _describe_by_contents(properties: Schema, definitions: dict[str, Schema]) -> None:
    """Give fields that are objects the help of their object, if they have none."""
    for node in properties.values():
        if "description" not in node and (target := _target(node, definitions)) is not None:
            node["description"] = target["description"]


def _target(node: Schema, definitions: dict[str, Schema]) -> Schema | None:
    """The object that a field may hold, or a list of it; None if there is none."""
    choices = (node, *node.get("anyOf", ()))
    for one in (*choices, *(choice["items"] for choice in choices if "items" in choice)):
        if "$ref" in one:
            return definitions[one["$ref"].removeprefix(_REFERENCE)]
    return None


def _sentence(text: str) -> str:
    """Text of a docstring for people who write YAML."""
    plain = re.sub(r"\bNone\b", "null", " ".join(text.split()))
    plain = re.sub(r" \(`(?:render|jobs)\.[\w.]+`\)", "", plain)
    return plain[:1].upper() + plain[1:]


def _look() -> Schema:
    names = look_names()
    return {
        "enum": names,
        "enumDescriptions": [describe_look(name) for name in names],
        "description": _LOOK_HELP,
    }


def _add_shorthands(properties: Schema, definitions: dict[str, Schema]) -> None:
    """Let fields hold the plain value of one of their own fields, such as `network: NAME`."""
    for name, field in SHORTHANDS.items():
        if (target := _target(properties.get(name, {}), definitions)) is not None:
            plain = _plain_choices(target["properties"][field])
            properties[name] = _either(properties[name], plain)
    if "outputs" in properties:
        items = properties["outputs"]["items"]
        target = _target(items, definitions) or {}
        properties["outputs"]["items"] = _either(
            items, _plain_choices(target["properties"]["format"])
        )


_ABOUT = ("title", "description", "default")


def _plain_choices(node: Schema) -> list[Schema]:
    """What a field may hold besides null, without its help."""
    plain = {key: value for key, value in node.items() if key not in _ABOUT}
    return [one for one in plain.get("anyOf", [plain]) if one.get("type") != "null"]


def _either(node: Schema, others: list[Schema]) -> Schema:
    """A field that may also hold other values."""
    about = {key: node[key] for key in _ABOUT if key in node}
    return {"anyOf": [*others, *_plain_choices(node)], **about}


def _write_network(node: Schema) -> None:
    """Let a network be named by a look or by its file alone, or be an ONNX file."""
    node.pop("required", None)
    node["properties"]["name"]["examples"] = [*BUILTIN_NETWORKS, *NETWORKS_OF_2015]
    node["properties"][ONNX] = {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_PATH,
        "description": "An ONNX file, in place of a name and weights.",
    }


def _write_output(node: Schema) -> None:
    """Let panels be without a format, which then has a default."""
    node.pop("required", None)
    node["anyOf"] = [{"required": ["format"]}, {"required": ["panels"]}]
