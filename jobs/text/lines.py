"""The lines of a file in the errors of the document that was read from it."""

import re
from pathlib import Path
from typing import Any

import yaml

from jobs.text.errors import Fault, FieldPath, InvalidDocument, RequestError, join_faults
from jobs.text.yaml_json import Position, compose_yaml, read_text

_FIRST_WORD = re.compile(r"[A-Za-z_]\w*")


def with_lines(error: InvalidDocument, path: Path, name: str, given: object) -> RequestError:
    """The error with the file, the line and the column of each fault that the file has.

    A text of one line gets none: they say nothing there.

    Args:
        error: The error of a document that was made from the file.
        path: The file.
        name: What messages call the file.
        given: The document as the file has it. What is another value now, the file did not say.
    """
    try:
        text = read_text(path)
    except (OSError, RequestError, UnicodeDecodeError):
        return error
    root = compose_yaml(text)
    if root is None or "\n" not in text.strip():
        return error
    placed: list[tuple[Position, Fault]] = []
    others: list[str] = []
    for fault in error.faults:
        is_of_file = _value(given, fault.field) == _value(error.document, fault.field)
        place = _position(root, fault) if is_of_file else None
        if place is None:
            others.append(str(fault))
        else:
            placed.append((place, fault))
    lines = [f"{place}: {fault}" for place, fault in sorted(placed, key=lambda one: one[0])]
    if lines:
        lines[0] = f"{name}, {lines[0]}"
    return RequestError(join_faults([*lines, *others]))


def _value(document: Any, field: FieldPath) -> Any:
    """The value of a field, or None."""
    for part in field:
        if isinstance(document, dict):
            document = document.get(part)
        elif isinstance(document, list) and isinstance(part, int) and part < len(document):
            document = document[part]
        else:
            return None
    return document


def _position(root: yaml.Node, fault: Fault) -> Position | None:
    """Where the file has the field of a fault, or what is around it."""
    node, mark = root, None
    for part in fault.field:
        entry = _entry(node, part)
        if entry is None:
            break
        mark, node = entry
    # What concerns several fields begins with the one to change.
    first = _FIRST_WORD.match(fault.problem)
    if first and (entry := _entry(node, first.group())) is not None:
        mark, _ = entry
    return None if mark is None else Position.of(mark)


def _entry(node: yaml.Node, part: int | str) -> tuple[yaml.Mark, yaml.Node] | None:
    """The place of an entry of a mapping or a list, and its value."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == str(part):
                return key.start_mark, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark, node.value[part]
    return None
