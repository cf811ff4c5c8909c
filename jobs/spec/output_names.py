"""How outputs are called: by a template, or like their inputs."""

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath
from typing import Any

from render.errors import suggestion
from render.pictures.output_format import FORMATS

_FIELD = re.compile(r"\{([^{}]*)\}")

_OWN = ("dir", "stem", "ext", "key", "variant")

LABEL = "label"
"""The field of a variant's label, where they have some."""


_UNFIT = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|]+")

_LONGEST = 60  # characters of a value in a name

_LONGEST_PART = 190
"""Bytes. Disks take 255, of which suffixes need some, and what is not whole yet."""


_HASH = 12  # hex digits

_SUFFIXES = tuple(one.suffix for one in FORMATS.values())


def check_template(
    template: str, sweep: Collection[str], *, has_labels: bool = False, is_alone: bool = False
) -> None:
    """ValueError for a field that there is not, or a template that tells items not apart.

    has_labels: whether each variant has a label of its own. is_alone: whether there is one input.
    """
    fields = _FIELD.findall(template)
    labels = [LABEL] if has_labels else []
    known = [*_OWN, *labels, *sweep]
    for field in fields:
        if field not in known:
            raise ValueError(f"output.name: {{{field}}}: {suggestion(field, known)}")
    if re.search(r"[{}]", _FIELD.sub("", template)) or not template.strip("/ "):
        raise ValueError(f"output.name: {template!r} is no template; write {{dir}}/{{stem}}")
    if not is_alone and not {"stem", "key"} & set(fields):
        raise ValueError("output.name: needs {stem} or {key}, which tell the inputs apart")
    missing = [field for field in sweep if field not in fields]
    if missing and not {"variant", *labels} & set(fields):
        raise ValueError(f"output.name: needs {{{missing[0]}}}, which is swept, or {{variant}}")


def usual_template(settings: Collection[str], *, with_suffix: bool = False) -> str:
    """The template where none is given: the input's path, and what is swept.

    with_suffix: for sky.png where sky.jpg lies beside it.
    """
    stem = "{stem}-{ext}" if with_suffix else "{stem}"
    return "{dir}/" + "-".join([stem, *(f"{{{name}}}" for name in settings)])


def output_name(template: str, key: str, variant: int, settings: Mapping[str, Any]) -> str:
    """The name for an input's key under one variant: parts between `/` that a disk takes.

    None of them is empty, `.` or `..`, and no folder is called like a result.
    """
    path = PurePosixPath(key)
    folder = "" if str(path.parent) == "." else str(path.parent)
    own = {
        "dir": folder,
        "stem": path.stem,
        "ext": path.suffix.removeprefix("."),
        "key": key,
        "variant": str(variant),
    }
    words = {name: _word(value) for name, value in settings.items()}
    if LABEL in settings:
        # It tells variants apart, and its end as much as its beginning.
        words[LABEL] = _UNFIT.sub("-", settings[LABEL])
    known = {**own, **words}
    filled = _FIELD.sub(lambda field: known.get(field[1], field[1]), template)
    # A manifest may call a picture `/`, of which nothing is left.
    *folders, last = [_part(part) for part in filled.split("/") if part] or ["_"]
    return "/".join([*map(_folder, folders), last])


def _word(value: Any) -> str:
    """A swept value in a file's name."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | dict):
        text = re.sub(r"[\[\]{}\" ]", "", text)
    return _UNFIT.sub("-", text)[:_LONGEST].strip("-") or "none"


def _folder(part: str) -> str:
    """A folder that is no result: beside a.jpg, whose result is a.png, may be a folder a.png."""
    return f"{part}_" if part.endswith(_SUFFIXES) else part


def _part(part: str) -> str:
    """A part that leads nowhere else, and that a disk takes."""
    fit = "_" * len(part) if part.strip(".") == "" else part.replace("\0", "_")
    whole = fit.encode("utf-8", "surrogatepass")
    if len(whole) <= _LONGEST_PART:
        return fit
    begins = whole[: _LONGEST_PART - _HASH - 1].decode("utf-8", "ignore")
    return f"{begins}-{hashlib.sha256(whole).hexdigest()[:_HASH]}"
