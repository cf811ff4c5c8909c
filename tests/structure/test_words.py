"""Old words stay out of the source: each has one plain successor.

A word is met whole, or as a part of a name: `muster` in `_muster`, `MusterRoll` and `muster.py`.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.structure.imports import python_files


class Where(Enum):
    """Where a word is old. In other places it is ordinary English.

    ANYWHERE: comments and texts too. NAMES: every name in code, and those of files and folders.
    TITLES: names of classes, files and folders alone.
    """

    ANYWHERE = "anywhere"
    NAMES = "names"
    TITLES = "titles"


@dataclass(frozen=True)
class Old:
    """An old word.

    pattern: a regular expression for the whole word, in lower case.
    new: the words in its place, or why it went.
    allowed: globs of files that may say it, where a star also stands for folders.
    """

    pattern: str
    new: str
    where: Where = Where.NAMES
    allowed: tuple[str, ...] = ()


_PAINTERS = "render/training/*"
"""What paints pictures to train on speaks of colours, roofs and hands in plain English."""

OLD_WORDS = (
    Old("musters?", "crew size", Where.ANYWHERE),
    Old("berths?", "slot of a worker on a machine", Where.ANYWHERE),
    Old("keepers?", "lease renewal", Where.ANYWHERE),
    Old("tenures?", "lease", Where.ANYWHERE),
    Old("rolls?", "listing of the jobs"),
    Old("climb(s|ed|ing)?", "step or ascent"),
    Old("lattices?", "shifted grid", Where.ANYWHERE),
    Old("pull(s|ed)?", "gradient"),
    Old("slopes?", "gradient", allowed=(_PAINTERS,)),
    Old("tone[ds]?", "colour of the gradient", allowed=(_PAINTERS,)),
    Old("heaps?", "freed memory"),
    Old("intakes?", "reading of a picture into tiles", Where.ANYWHERE),
    Old("outtakes?", "writing of tiles as a picture", Where.ANYWHERE),
    Old("mosaics?", "tile file", Where.ANYWHERE),
    Old("studies", "batch of one size"),
    Old("tally|tallies", "memory estimate, or counts", Where.ANYWHERE),
    Old("whereabouts", "weights location", Where.ANYWHERE),
    Old("claims", "header check"),
    Old("memos?", "cache", Where.ANYWHERE),
    Old("census(es)?", "cluster resources", Where.ANYWHERE),
    Old("parcels?", "message", Where.ANYWHERE),
    Old("dealers?", "task assignment", Where.ANYWHERE),
    Old("scribes?", "checkpoint writer", Where.ANYWHERE),
    Old("machinery", "software versions, or environment", Where.ANYWHERE),
    Old("errands?", "process of a job", Where.ANYWHERE),
    Old("patience", "retry policy"),
    Old("patient", "retrying store"),
    Old("reach", "allowed sources; in render, how far a window goes", allowed=("render/*",)),
    Old("companions?", "masks and guides"),
    Old("complaints?", "error message"),
    Old("terms", "requirements of a job", allowed=("render/dream/objective.py", "render/dream/*")),
    Old("materials?", "files of a job"),
    Old("meters?", "metrics"),
    Old("leavings", "unneeded objects", Where.ANYWHERE),
    Old("wastes?", "unneeded objects"),
    Old("outlooks?", "scaling prediction", Where.ANYWHERE),
    Old("workplaces?", "local run", Where.ANYWHERE),
    Old("consents?", "confirmation"),
    Old("manners?", "settings of a variant", allowed=(_PAINTERS,)),
    Old("treatments?", "plan of an item", Where.ANYWHERE),
    Old("books?", "ledger of a dataset"),
    Old("chores?", "task", Where.ANYWHERE),
    Old("dreamers?", "batch runner", Where.ANYWHERE),
    Old("sittings?", "item of a batch", Where.ANYWHERE),
    Old("bindings?", "packing of a shard"),
    Old("freezings?", "fixing of the inputs"),
    Old("sendings?", "upload"),
    Old("rooms?", "free resources, or free bytes", allowed=(_PAINTERS,)),
    Old("deal(s|t|ing)?", "assignment"),
    Old("pace[rs]?", "rate", allowed=(_PAINTERS,)),
    Old("shares", "row ranges of the workers", allowed=(_PAINTERS,)),
    Old(
        "keep|kept", "say what holds what; `dream.keep` is public", Where.TITLES, ("render/dream*",)
    ),
)

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
"""A part of a name: `HTTPServer_name` has three."""


def words_of(text: str) -> set[str]:
    """The words in a text or a name, in lower case."""
    return {word.lower() for word in _WORD.findall(text)}


Found = Iterator[tuple[int, str]]
"""Lines, and words in them."""


def in_text(source: str) -> Found:
    for number, line in enumerate(source.splitlines(), 1):
        yield from ((number, word) for word in words_of(line))


def in_names(tree: ast.Module) -> Found:
    """The words in names; those in a quoted annotation are names too."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        for name, value in ast.iter_fields(node):
            if isinstance(value, str) and not isinstance(node, ast.Constant):
                yield from ((line, word) for word in words_of(value))
            if name in {"annotation", "returns"} and isinstance(value, ast.AST):
                yield from _quoted(value)


def _quoted(annotation: ast.AST) -> Found:
    for node in ast.walk(annotation):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from ((node.lineno, word) for word in words_of(node.value))


def in_titles(tree: ast.Module) -> Found:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from ((node.lineno, word) for word in words_of(node.name))


@dataclass(frozen=True)
class Source:
    """The words of a file by where they stand, each with its lines; 0 stands for the path."""

    path: str
    words: dict[Where, dict[str, set[int]]]

    def places(self, old: Old) -> list[str]:
        """Where an old word stands."""
        if any(fnmatchcase(self.path, glob) for glob in old.allowed):
            return []
        here = self.words[old.where]
        matching = [word for word in here if re.fullmatch(old.pattern, word)]
        found = sorted((line, word) for word in matching for line in here[word])
        return [
            f"{self.path}:{line} {word}" if line else f"{self.path} {word}" for line, word in found
        ]


def read_source(root: Path, path: Path) -> Source:
    place = path.relative_to(root).as_posix()
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    titles = [*((0, word) for word in words_of(place.removesuffix(".py"))), *in_titles(tree)]
    names = [*titles, *in_names(tree)]
    found = {Where.TITLES: titles, Where.NAMES: names, Where.ANYWHERE: [*names, *in_text(text)]}
    return Source(place, {where: _by_word(words) for where, words in found.items()})


def _by_word(found: Iterable[tuple[int, str]]) -> dict[str, set[int]]:
    lines: dict[str, set[int]] = defaultdict(set)
    for line, word in found:
        lines[word].add(line)
    return lines


@pytest.fixture(scope="module")
def sources(project: Path) -> list[Source]:
    return [read_source(project, path) for path in python_files(project)]


@pytest.mark.parametrize("old", OLD_WORDS, ids=lambda old: old.pattern)
def test_an_old_word_is_gone(sources: list[Source], old: Old) -> None:
    places = [place for source in sources for place in source.places(old)]
    if places:
        lines = "\n".join(places)
        pytest.fail(f"{len(places)} times {old.pattern}; now: {old.new}\n{lines}", pytrace=False)


def test_a_word_is_old_once() -> None:
    patterns = [old.pattern for old in OLD_WORDS]
    assert len(patterns) == len(set(patterns))


def test_names_are_read_by_their_parts() -> None:
    assert words_of("_muster MusterRoll a.HTTPBerth2 LOW_TIDE") == {
        *("muster", "roll", "a", "http", "berth", "low", "tide")
    }


@pytest.mark.parametrize(
    ("where", "lines"),
    [(Where.TITLES, [2]), (Where.NAMES, [2, 3, 4]), (Where.ANYWHERE, [1, 2, 3, 4, 5])],
)
def test_a_word_is_seen_where_it_is_old(tmp_path: Path, where: Where, lines: list[int]) -> None:
    path = tmp_path / "one.py"
    path.write_text(
        "# The muster.\n"
        "class Muster:\n"
        "    def call_muster(self) -> None: ...\n"
        "    def other(self, one: 'list[Muster]') -> None: ...\n"
        "    text = 'Musters; mustard'\n"
    )
    places = read_source(tmp_path, path).places(Old("musters?", "", where))
    assert [int(place.partition(":")[2].split()[0]) for place in places] == lines


def test_a_word_is_seen_in_a_path_unless_allowed_there(tmp_path: Path) -> None:
    path = tmp_path / "berth" / "deep" / "muster_roll.py"
    path.parent.mkdir(parents=True)
    path.touch()
    source = read_source(tmp_path, path)
    assert source.places(Old("muster", "")) == ["berth/deep/muster_roll.py muster"]
    assert source.places(Old("berth", "")) == ["berth/deep/muster_roll.py berth"]
    assert not source.places(Old("muster", "", allowed=("berth/*",)))
