"""Text into plain values: YAML or JSON, with nothing said twice and nothing guessed.

YAML is read as its version 1.2 has it, since 1.1 makes `no` false, 1e-2 a text and 12:30 a number.
"""

import json
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any, Never

import yaml

from jobs.text.errors import RequestError


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core schema, without aliases (a few lines can stand for gigabytes) and tags."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  PyYAML's own interface
    yaml_constructors = {
        f"tag:yaml.org,2002:{tag}": yaml.SafeLoader.yaml_constructors[f"tag:yaml.org,2002:{tag}"]
        for tag in ("null", "bool", "int", "float", "str", "seq", "map")
    } | {None: yaml.SafeLoader.yaml_constructors[None]}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(
                problem="aliases are not allowed", problem_mark=self.get_mark()
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"{key.value} is there twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
            # Keys are words: 1 and true, as numbers, would be the same key.
            key.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep)


for _tag, _pattern, _first in (
    ("null", r"~|null|", ("~", "n", "")),
    ("bool", r"true|false", ("t", "f")),
    ("int", r"[-+]?(0|[1-9][0-9]{0,99})", tuple("-+0123456789")),
    (
        "float",
        r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?",
        tuple("-+.0123456789"),
    ),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"({_pattern})$"), _first)


def read_value(text: str) -> Any:
    """The value that a text in YAML stands for. Raises RequestError, with the line."""
    try:
        return yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise RequestError(f"{line}{error.problem}") from error
    except RecursionError as error:
        raise RequestError("nested too deeply") from error
    except yaml.YAMLError as error:
        raise RequestError(f"not YAML: {' '.join(str(error).split())}") from error


def read_json(text: str) -> Any:
    """The value that a text in JSON stands for. Raises RequestError, with the line."""
    try:
        return json.loads(text, object_pairs_hook=_mapping, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise RequestError(f"line {error.lineno}: {error.msg}") from error
    except RecursionError as error:
        raise RequestError("nested too deeply") from error
    except ValueError as error:
        raise RequestError(str(error)) from error


def read_file(path: Path) -> dict[str, Any]:
    """The mapping in a `.json` or YAML file. Raises RequestError, with the file and the line."""
    try:
        text = path.read_text("utf-8-sig")
        value = read_json(text) if path.suffix.lower() == ".json" else read_value(text)
    except OSError as error:
        raise RequestError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RequestError(f"{path}: not text; a spec is YAML or JSON in UTF-8") from error
    except RequestError as error:
        raise RequestError(f"{path}: {error}") from error
    if not isinstance(value, dict):
        raise RequestError(f"{path}: not a mapping of keys such as `input: sky.jpg`")
    return value


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(key for key in keys if keys.count(key) > 1)} is there twice")
    return mapping


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is not a number")
