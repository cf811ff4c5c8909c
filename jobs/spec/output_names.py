"""Names of a dataset's outputs, from a template or from their inputs."""

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath
from typing import Any

from render.errors import suggest
from render.pictures.output_format import FORMATS

_FIELD = re.compile(r"\{([^{}]*)\}")

_INPUT_FIELDS = ("dir", "stem", "ext", "key", "variant")

LABEL = "label"
"""The template field for the label of a variant."""


_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|]+")

_MAX_VALUE_LENGTH = 60  # characters of a value in a name

_MAX_PART_BYTES = 190
"""File systems allow 255 bytes. Suffixes and the names of temporary files need the rest."""


_HASH = 12  # hex digits

_SUFFIXES = tuple(output_format.suffix for output_format in FORMATS.values())


def check_template(
    template: str,
    sweep: Collection[str],
    *,
    has_labels: bool = False,
    has_single_input: bool = False,
) -> None:
    """Raise ValueError for an unknown field, or a template that gives two items the same name.

    Args:
        template: the template of the output names, without suffix.
        sweep: the names of the swept fields.
        has_labels: whether each variant has its own label.
        has_single_input: whether there is only one input.
    """
    fields = _FIELD.findall(template)
    labels = [LABEL] if has_labels else []
    known = [*_INPUT_FIELDS, *labels, *sweep]
    for field in fields:
        if field not in known:
            raise ValueError(f"output.name: {{{field}}}: {suggest(field, known)}")
    if re.search(r"[{}]", _FIELD.sub("", template)) or not template.strip("/ "):
        raise ValueError(
            f"output.name: {template!r} is not a valid template; write {{dir}}/{{stem}}"
        )
    if not has_single_input and not {"stem", "key"} & set(fields):
        raise ValueError("output.name: needs {stem} or {key}, to give each input its own name")
    missing = [field for field in sweep if field not in fields]
    if missing and not {"variant", *labels} & set(fields):
        raise ValueError(f"output.name: needs the swept {{{missing[0]}}}, or {{variant}}")


def default_template(settings: Collection[str], *, with_suffix: bool = False) -> str:
    """The default template: the path of the input, and the swept values.

    with_suffix: include the suffix of the input, for sky.png beside sky.jpg.
    """
    stem = "{stem}-{ext}" if with_suffix else "{stem}"
    return "{dir}/" + "-".join([stem, *(f"{{{name}}}" for name in settings)])


def output_name(template: str, key: str, variant: int, settings: Mapping[str, Any]) -> str:
    """The name of an output, without suffix, for the key of an input and a variant.

    Its parts are valid file names, never empty, `.` or `..`. No folder is named like a result.

    Args:
        template: a template that `check_template` accepts.
        key: the relative path of the input.
        variant: the index of the variant, from 0.
        settings: the swept values by field name, and the label.
    """
    path = PurePosixPath(key)
    folder = "" if str(path.parent) == "." else str(path.parent)
    input_fields = {
        "dir": folder,
        "stem": path.stem,
        "ext": path.suffix.removeprefix("."),
        "key": key,
        "variant": str(variant),
    }
    swept = {name: _value_text(value) for name, value in settings.items()}
    if LABEL in settings:
        # A label is not shortened: two labels may differ only at their ends.
        swept[LABEL] = _UNSAFE.sub("-", settings[LABEL])
    values = {**input_fields, **swept}
    filled = _FIELD.sub(lambda field: values.get(field[1], field[1]), template)
    # An input table may name a picture `/`, which leaves no parts.
    *folders, last = [_safe_part(part) for part in filled.split("/") if part] or ["_"]
    return "/".join([*map(_folder_name, folders), last])


def _value_text(value: Any) -> str:
    """A swept value as part of a file name."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | dict):
        text = re.sub(r"[\[\]{}\" ]", "", text)
    return _UNSAFE.sub("-", text)[:_MAX_VALUE_LENGTH].strip("-") or "none"


def _folder_name(part: str) -> str:
    """The name of a folder, changed if it looks like a result.

    The result of a.jpg is a.png, and the inputs may include a folder a.png.
    """
    return f"{part}_" if part.endswith(_SUFFIXES) else part


def _safe_part(part: str) -> str:
    """Make a part safe and short enough for a file name; a hash replaces a long end."""
    safe = "_" * len(part) if part.strip(".") == "" else part.replace("\0", "_")
    encoded = safe.encode("utf-8", "surrogatepass")
    if len(encoded) <= _MAX_PART_BYTES:
        return safe
    start = encoded[: _MAX_PART_BYTES - _HASH - 1].decode("utf-8", "ignore")
    return f"{start}-{hashlib.sha256(encoded).hexdigest()[:_HASH]}"
