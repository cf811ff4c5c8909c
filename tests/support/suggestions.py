"""Finds what messages in the source suggest: commands, options and spec fields."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.structure.imports import python_files

_COMMAND = re.compile(r"`(dreamfarm [^`]+)`")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_OPTION_ALONE = re.compile(r"--[a-z-]+(/--[a-z-]+)?")
_FIELD = re.compile(
    r"(?<![\w./-])(?:crew|limits|tiles|dream|network|input|inputs|output|objectives)\.[a-z_]+\b"
)
_SETTING = re.compile(r"--set ([a-z][\w.]*)=")


@dataclass(frozen=True, order=True)
class Suggestion:
    """A command, an option or a field in a message. Values that the message fills in are `{}`."""

    path: str
    text: str


def messages(root: Path) -> Iterator[tuple[str, str]]:
    """The texts of the source that are no docstrings, each with the path of its file."""
    for file in python_files(root):
        path = file.relative_to(root).as_posix()
        if not path.startswith("render/training/"):
            yield from ((path, text) for text in _texts(ast.parse(file.read_text("utf-8"))))


def suggested_commands(root: Path) -> set[Suggestion]:
    """The commands in backticks."""
    return {
        Suggestion(path, command)
        for path, text in messages(root)
        for command in _COMMAND.findall(text)
    }


def suggested_options(root: Path) -> set[Suggestion]:
    """The options in texts that say more than the option, outside of commands in backticks."""
    return {
        Suggestion(path, option)
        for path, text in messages(root)
        if not _OPTION_ALONE.fullmatch(text)
        for option in _OPTION.findall(_COMMAND.sub("", text))
    }


def suggested_fields(root: Path) -> set[Suggestion]:
    """The dotted names of spec fields, and those that `--set` is said to take."""
    return {
        Suggestion(path, field)
        for path, text in messages(root)
        if " " in text
        for field in (*_FIELD.findall(text), *_SETTING.findall(text))
    }


def _texts(tree: ast.Module) -> Iterator[str]:
    hidden = {id(node) for node in _docstrings(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            hidden.update(id(part) for part in ast.walk(node) if part is not node)
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
            )


def _docstrings(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for line in body if isinstance(body, list) else ():
            if isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant):
                yield line.value
