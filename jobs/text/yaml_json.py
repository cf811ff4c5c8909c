"""Parsers of YAML and JSON that reject duplicate keys.

YAML follows the core schema of version 1.2. Version 1.1 would read `no` as false, 1e-2 as text and
12:30 as a number.
"""

import json
import os
import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Never, Self

import yaml

from jobs.text.errors import RequestError
from render.input_file import open_input_file, read_problem

MAX_DEPTH = 64
"""The most levels of lists and mappings in a document; a valid spec has fewer than ten.

Python's own limit would end functions that walk a document.
"""


_MAX_DIGITS = 100
"""The most digits of a whole number. Longer ones are text in YAML, and an error in JSON."""


_TOO_DEEP = f"nested too deeply; at most {MAX_DEPTH} levels are allowed"


_MAX_BYTES = 32 << 20
"""The most bytes of a spec file."""


_MAX_YAML = 1 << 18
"""The most characters of a YAML document. Its parser reads 200,000 a second; JSON's is fast."""


_LINE = "line "


@dataclass(frozen=True, order=True)
class Position:
    """A place in a text; lines and columns count from 1."""

    line: int
    column: int

    @classmethod
    def of(cls, mark: yaml.Mark) -> Self:
        """The place of a mark of PyYAML."""
        return cls(mark.line + 1, mark.column + 1)

    def __str__(self) -> str:
        return f"{_LINE}{self.line}, column {self.column}"


class _Loader(yaml.SafeLoader):
    """The core schema of YAML 1.2, without tags and aliases.

    A few lines of aliases can expand to gigabytes.
    """

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  PyYAML's own interface
    yaml_constructors = {
        f"tag:yaml.org,2002:{tag}": yaml.SafeLoader.yaml_constructors[f"tag:yaml.org,2002:{tag}"]
        for tag in ("null", "bool", "int", "float", "str", "seq", "map")
    } | {None: yaml.SafeLoader.yaml_constructors[None]}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(
                problem="aliases are not allowed", problem_mark=self.current_event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"duplicate key {key.value}", problem_mark=key.start_mark
                )
            seen.add(key.value)
            # Keys are strings: as YAML values, 1 and true would be the same key.
            key.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep)


for _tag, _pattern, _first in (
    ("null", r"~|null|", ("~", "n", "")),
    ("bool", r"true|false", ("t", "f")),
    ("int", rf"[-+]?(0|[1-9][0-9]{{0,{_MAX_DIGITS - 1}}})", tuple("-+0123456789")),
    (
        "float",
        r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?",
        tuple("-+.0123456789"),
    ),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"({_pattern})$"), _first)


class _Dumper(yaml.SafeDumper):
    """Writes what `_Loader` reads back: the same words need quotes."""

    yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers

    def ignore_aliases(self, _: Any) -> bool:
        return True


def format_yaml(document: Any) -> str:
    """Plain values as YAML, which `parse_yaml` reads back. All of it can be shown on a terminal."""
    text = _dump(document, allow_unicode=True)
    if all(line.isprintable() for line in text.split("\n")):
        return text
    return _dump(document, allow_unicode=False)


def _dump(document: Any, *, allow_unicode: bool) -> str:
    text: str = yaml.dump(
        document,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=allow_unicode,
        width=100,
        default_flow_style=None,
    )
    return text


def check_depth(document: Any) -> Any:
    """Return a document if it has at most MAX_DEPTH levels. Raises RequestError otherwise."""
    level = [document]
    for _ in range(MAX_DEPTH + 1):
        level = [inner for outer in level for inner in _entries(outer)]
        if not level:
            return document
    raise RequestError(_TOO_DEEP)


def _entries(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


def parse_yaml(text: str) -> Any:
    """Parse YAML into plain values. Raises RequestError with line and column."""
    if len(text) > _MAX_YAML:
        raise RequestError(
            f"has {len(text)} characters, and YAML may have {_MAX_YAML}; write it as a .json file"
        )
    try:
        return check_depth(yaml.load(text, _Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{Position.of(mark)}: " if mark else ""
        raise RequestError(f"{place}{error.problem}") from error
    except RecursionError as error:
        raise RequestError(_TOO_DEEP) from error
    except (ValueError, OverflowError) as error:
        # PyYAML lets escapes such as \UFFFFFFFF fail in `chr`.
        raise RequestError(f"not YAML: {error}") from error
    except yaml.YAMLError as error:
        raise RequestError(f"not YAML: {' '.join(str(error).split())}") from error


def compose_yaml(text: str) -> yaml.Node | None:
    """The nodes of a YAML document, with their marks; None if it is none, or is too long.

    JSON is YAML, if tabs are spaces.
    """
    if len(text) > _MAX_YAML:
        return None
    try:
        return yaml.compose(text.replace("\t", " "), _Loader)
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError):
        return None


def parse_json(text: str) -> Any:
    """Parse JSON into plain values. Raises RequestError with line and column."""
    try:
        return check_depth(
            json.loads(
                text,
                object_pairs_hook=_unique_mapping,
                parse_constant=_reject_constant,
                parse_int=_short_integer,
            )
        )
    except json.JSONDecodeError as error:
        place = Position(error.lineno, error.colno)
        raise RequestError(f"{place}: {error.msg}") from error
    except RecursionError as error:
        raise RequestError(_TOO_DEEP) from error
    except ValueError as error:
        raise RequestError(str(error)) from error


def read_mapping_file(path: Path, name: str | None = None) -> dict[str, Any]:
    """Read the mapping in a `.json` or YAML file. Raises RequestError with file and line.

    name: what messages call the file; by default its path.
    """
    shown = name or str(path)
    try:
        text = read_text(path)
        value = parse_json(text) if path.suffix.lower() == ".json" else parse_yaml(text)
    except OSError as error:
        raise RequestError(f"{shown}: {read_problem(error)}") from error
    except UnicodeDecodeError as error:
        raise RequestError(f"{shown}: not text; a spec is YAML or JSON in UTF-8") from error
    except RequestError as error:
        message = str(error)
        separator = ", " if message.startswith(_LINE) else ": "
        raise RequestError(f"{shown}{separator}{message}") from error
    if not isinstance(value, dict):
        raise RequestError(f"{shown}: not a mapping of keys such as `input: sky.jpg`")
    return value


def read_text(path: Path) -> str:
    """Read a file in UTF-8. Raises RequestError if it is too long for a spec, and OSError."""
    with open_input_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > _MAX_BYTES:
            raise RequestError(
                f"has {size} bytes, and a spec at most {_MAX_BYTES}; is it another file?"
            )
        return file.read().decode("utf-8-sig")


def _unique_mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key, value in pairs:
        if key in mapping:
            raise ValueError(f"duplicate key {key}")
        mapping[key] = value
    return mapping


def _short_integer(text: str) -> int:
    if len(text.lstrip("-")) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits is too large: {text[:10]}…")
    return int(text)


def _reject_constant(constant: str) -> Never:
    raise ValueError(f"{constant} is not a number")
