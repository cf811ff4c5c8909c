"""The READMEs and the Makefile: what they name exists, commands are real, READMEs stay short."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from jobs.cli.app import app

PROJECT = Path(__file__).resolve().parent.parent

MAX_LINES = {"README.md": 200, "jobs/README.md": 400}

_PACKAGES = {"render", "cluster", "jobs", "infra", "tests"}

_SKIPPED = {".venv", ".git", ".pytest_cache", "dreams", "build"}
"""Folders that are not part of the project."""

_FENCE = re.compile(r"^```.*?\n(.*?)^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*(?:/|\.(?:py|md|jpg|sh|tf|json|yaml|yml))")
_TARGET = re.compile(r"\bmake ([a-z][a-z-]*)\b")
_STORE_KEY = re.compile(r"jobs/JOB/")


def _readmes() -> list[Path]:
    found = PROJECT.rglob("README.md")
    return sorted(path for path in found if not _SKIPPED & set(path.relative_to(PROJECT).parts))


READMES = _readmes()
NAMES = [path.relative_to(PROJECT).as_posix() for path in READMES]

for_each_readme = pytest.mark.parametrize("readme", READMES, ids=NAMES)


def _prose(readme: Path) -> str:
    """The text without its blocks of code."""
    return _FENCE.sub("", readme.read_text("utf-8"))


def _code(readme: Path) -> list[str]:
    """Blocks and spans of code."""
    return [*_FENCE.findall(readme.read_text("utf-8")), *_CODE.findall(_prose(readme))]


def _links(text: str) -> Iterator[str]:
    """The targets of links and pictures, except addresses in the web."""
    for found in _LINK.finditer(text):
        target = found[1] or found[2]
        if not re.match(r"[a-z]+:", target):
            yield target


def _anchors(readme: Path) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    headings = _HEADING.findall(_prose(readme))
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


def _named_files(readme: Path) -> Iterator[str]:
    for span in _CODE.findall(_prose(readme)):
        is_here = span.split("/")[0] in _PACKAGES or ("/" in span and span.endswith(".py"))
        if is_here and _PATH.fullmatch(span) and not _STORE_KEY.match(span):
            yield span


@cache
def _commands() -> dict[str, Any]:
    """All commands of `dreamfarm`, by name."""
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


def _calls(readme: Path) -> Iterator[list[str]]:
    """The words of each call of `dreamfarm`."""
    for code in _code(readme):
        for line in code.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True) if line.startswith("dreamfarm ") else []
            if len(words) > 1:
                yield words[1:]


def test_each_package_has_a_readme() -> None:
    assert {"README.md", *(f"{package}/README.md" for package in _PACKAGES)} <= set(NAMES)


@for_each_readme
def test_links_lead_to_files_and_headings(readme: Path) -> None:
    for target in _links(_prose(readme)):
        name, _, anchor = target.partition("#")
        path = (readme.parent / name).resolve() if name else readme
        assert path.exists(), f"{target}: no such file"
        assert not anchor or anchor in _anchors(path), f"{target}: no such heading"


@for_each_readme
def test_named_files_exist(readme: Path) -> None:
    missing = [
        path
        for path in _named_files(readme)
        if not (PROJECT / path).exists() and not (readme.parent / path).exists()
    ]
    assert not missing


@for_each_readme
def test_commands_and_their_options_exist(readme: Path) -> None:
    for command, *words in _calls(readme):
        if command.startswith("-"):
            continue
        assert command in _commands(), f"dreamfarm {command}: no such command"
        parameters = _commands()[command].params
        options = {"--help", "--debug", *(name for one in parameters for name in one.opts)}
        options |= {name for one in parameters for name in one.secondary_opts}
        for word in words:
            option = word.partition("=")[0]
            assert not option.startswith("--") or option in options, f"{command} {option}"


@for_each_readme
def test_make_targets_exist(readme: Path) -> None:
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    assert set(_TARGET.findall("\n".join(_code(readme)))) <= targets


@pytest.mark.parametrize("target", ["quick", "chaos", "netns"])
def test_make_runs_tests_that_exist(target: str) -> None:
    make = ["make", "--dry-run", "--directory", str(PROJECT), target]
    commands = subprocess.run(make, capture_output=True, text=True, check=True).stdout
    named = [word for word in commands.split() if word.startswith("tests/")]
    assert named
    assert [path for path in named if not (PROJECT / path).exists()] == []


@pytest.mark.parametrize("name", sorted(MAX_LINES))
def test_readmes_are_short(name: str) -> None:
    assert len((PROJECT / name).read_text("utf-8").splitlines()) <= MAX_LINES[name]


def test_a_picture_is_at_the_top() -> None:
    head = (PROJECT / "README.md").read_text("utf-8").splitlines()[:10]
    (picture,) = _links("\n".join(head))
    assert (PROJECT / picture).stat().st_size <= 400_000
