"""Who may import whom within a package: only downward, and never in a circle."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.structure.imports import (
    PACKAGES,
    Edges,
    Import,
    Tree,
    cycles,
    describe,
    file_edges,
    folder_edges,
    read_tree,
    top,
)

Floors = tuple[frozenset[str], ...]
"""Folders (or modules) from the bottom up. One imports only of itself and of lower floors; those
of one floor do not import each other."""


@dataclass(frozen=True)
class Layers:
    """Where the folders of a package stand.

    floors: every folder directly in the package, and every module where `has_modules`.
    has_modules: whether modules other than `__init__` may lie directly in the package.
    alone: folders that stand on no floor. Nobody imports them; each imports only of itself and of
        the packages given.
    """

    floors: Floors
    has_modules: bool = False
    alone: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def floor(self, part: str) -> int:
        return next(level for level, parts in enumerate(self.floors) if part in parts)

    @property
    def parts(self) -> set[str]:
        return set().union(*self.floors, self.alone)


FLOORS: Floors = (
    frozenset({"text"}),
    frozenset({"store", "spec"}),
    frozenset({"records"}),
    frozenset({"planning"}),
    frozenset({"runtime"}),
    frozenset({"poster", "dataset", "notify"}),
    frozenset({"services"}),
    frozenset({"web"}),
    frozenset({"cli"}),
)

FLOORS_RENDER: Floors = (
    frozenset({"errors", "input_file", "version"}),
    frozenset({"device"}),
    frozenset({"geometry", "determinism"}),
    frozenset({"pictures", "networks"}),
    frozenset({"dream"}),
    frozenset({"engine"}),
    frozenset({"fourier", "library"}),
    frozenset({"training"}),
)

LAYERS = {
    "jobs": Layers(FLOORS, alone={"demo": frozenset({"render"})}),
    "render": Layers(FLOORS_RENDER, has_modules=True),
}

FORBIDDEN = {"render": {"cluster", "jobs"}, "cluster": {"render", "jobs"}}


def part_of(module: str) -> str:
    """The folder or module directly in the package; empty for the package itself."""
    return module.split(".")[1] if "." in module else ""


def misplaced(tree: Tree, package: str, layers: Layers) -> list[str]:
    """What of a package has no place in its table, and what of the table is not there."""
    problems, parts = [], set()
    for module, path in tree.files.items():
        if top(module) != package or module == package:
            continue
        part = part_of(module)
        is_loose = path.count("/") == 1
        if is_loose and not layers.has_modules:
            problems.append(f"{path} lies directly in {package}/; move it into a folder")
        else:
            parts.add(part)
    problems += [
        f"{package}/{part} has no floor; give it one in the table of {__name__}"
        for part in sorted(parts - layers.parts)
    ]
    problems += [
        f"the table of {__name__} has {part}, but {package}/{part} is not there"
        for part in sorted(layers.parts - parts)
    ]
    return problems


def upward(tree: Tree, package: str, layers: Layers) -> list[str]:
    """The imports of a package that do not go down. Those of unknown folders are left out."""
    ours = [one for one in tree.imports if package in {top(one.importer), top(one.imported)}]
    return [f"{one}: {why}" for one in ours if (why := _wrong(one, package, layers))]


def _wrong(one: Import, package: str, layers: Layers) -> str:
    start, end = part_of(one.importer), part_of(one.imported)
    leaves, enters = top(one.importer) == package, top(one.imported) == package
    if leaves and enters and start == end and start:
        return ""
    if enters and end in layers.alone:
        return f"nobody imports {package}/{end}"
    if leaves and start in layers.alone:
        allowed = layers.alone[start]
        is_allowed = top(one.imported) in allowed
        return "" if is_allowed else f"{package}/{start} imports only of {', '.join(allowed)}"
    if not (leaves and enters) or not end:
        return ""
    if not start:
        # A package may export names that load on first use: it imports them for type checkers only.
        return "" if one.is_typing_only else f"{package}/__init__.py imports nothing of {package}"
    return _why_not_down(start, end, layers)


def _why_not_down(start: str, end: str, layers: Layers) -> str:
    if not {start, end} <= layers.parts:
        return ""
    here, there = layers.floor(start), layers.floor(end)
    if here == there:
        return f"{start} and {end} are on one floor"
    return f"{end} is above {start}" if here < there else ""


def strangers(tree: Tree, forbidden: Mapping[str, set[str]]) -> list[str]:
    """Imports of packages that a package must not know."""
    return [
        str(one)
        for one in tree.imports
        if top(one.imported) in forbidden.get(top(one.importer), set())
    ]


def circles(tree: Tree, edges_of: Callable[[Tree], Edges]) -> list[str]:
    edges = edges_of(tree)
    return [describe(edges, circle) for circle in cycles(edges)]


def fail_with(problems: Sequence[str]) -> None:
    if problems:
        pytest.fail(f"{len(problems)} findings\n" + "\n".join(problems), pytrace=False)


@pytest.fixture(scope="module")
def tree(project: Path) -> Tree:
    return read_tree(project)


@pytest.mark.parametrize("package", LAYERS)
def test_every_folder_has_a_floor(tree: Tree, package: str) -> None:
    fail_with(misplaced(tree, package, LAYERS[package]))


@pytest.mark.parametrize("package", LAYERS)
def test_imports_go_down(tree: Tree, package: str) -> None:
    fail_with(upward(tree, package, LAYERS[package]))


@pytest.mark.parametrize("package", LAYERS)
def test_a_floor_is_named_once(package: str) -> None:
    named = [part for floor in LAYERS[package].floors for part in floor]
    assert len(named) == len(set(named) - set(LAYERS[package].alone))


def test_render_and_cluster_are_strangers(tree: Tree) -> None:
    fail_with(strangers(tree, FORBIDDEN))


@pytest.mark.parametrize("package", PACKAGES)
def test_no_files_import_in_a_circle(tree: Tree, package: str) -> None:
    fail_with(circles(tree.of(package), file_edges))


@pytest.mark.parametrize("package", PACKAGES)
def test_no_folders_import_in_a_circle(tree: Tree, package: str) -> None:
    fail_with(circles(tree.of(package), folder_edges))


Written = Callable[[Mapping[str, str]], Tree]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Write sources by path, with an `__init__.py` in every folder, and read them as a tree."""

    def write(sources: Mapping[str, str]) -> Tree:
        for name, source in sources.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source, "utf-8")
            for folder in [*path.relative_to(tmp_path).parents][:-1]:
                (tmp_path / folder / "__init__.py").touch()
        return read_tree(tmp_path, sorted({name.partition("/")[0] for name in sources}))

    return write


def pairs(tree: Tree) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.importer, one.imported, one.names) for one in tree.imports]


def test_reader_sees_imports_wherever_they_stand(written: Written) -> None:
    source = (
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from a.low import Low\n"
        "def f():\n    import a.deep.er as er, os\n"
    )
    tree = written({"a/high.py": source, "a/low.py": "", "a/deep/er.py": ""})
    assert pairs(tree) == [("a.high", "a.low", ("Low",)), ("a.high", "a.deep.er", ())]
    assert str(tree.imports[0]) == "a/high.py:3 imports Low of a.low"


def test_reader_takes_a_submodule_for_what_is_imported(written: Written) -> None:
    tree = written({"a/high.py": "from a.low import one, two", "a/low/one.py": ""})
    assert pairs(tree) == [("a.high", "a.low", ("two",)), ("a.high", "a.low.one", ())]


def test_reader_follows_dots(written: Written) -> None:
    inner = {"a/low/one.py": "from . import two\nfrom ..top import Top", "a/low/two.py": ""}
    tree = written({**inner, "a/top.py": ""})
    assert pairs(tree) == [("a.low.one", "a.low.two", ()), ("a.low.one", "a.top", ("Top",))]


def test_reader_follows_dots_of_a_package(written: Written) -> None:
    tree = written({"a/low/__init__.py": "from .one import One", "a/low/one.py": ""})
    assert pairs(tree) == [("a.low", "a.low.one", ("One",))]


def test_cycles_are_the_shortest_of_each_tangle() -> None:
    edges = {"a": "b", "b": "cd", "c": "a", "d": "b", "x": "x", "y": "ax", "z": ""}
    assert cycles(edges) == [("b", "d"), ("x",)]
    assert not cycles({"a": "bc", "b": "c"})


def test_a_circle_of_files_is_described_in_words(written: Written) -> None:
    tree = written({"a/one.py": "from a.two import Two", "a/two.py": "def f():\n  import a.one"})
    assert circles(tree, file_edges) == [
        "2 import one another in a circle: a/one.py, a/two.py.\n"
        "  a/one.py needs a/two.py:\n"
        "    a/one.py:1 imports Two of a.two\n"
        "  a/two.py needs a/one.py:\n"
        "    a/two.py:2 imports a.one"
    ]


def test_folders_go_in_a_circle_where_files_do_not(written: Written) -> None:
    ends = {"a/x/one.py": "import a.y.two", "a/y/three.py": "import a.x.four"}
    tree = written({**ends, "a/y/two.py": "", "a/x/four.py": "import a.x.five", "a/x/five.py": ""})
    assert not circles(tree, file_edges)
    (circle,) = circles(tree, folder_edges)
    assert circle.startswith("2 import one another in a circle: a/x, a/y.")


SMALL = Layers((frozenset({"low"}), frozenset({"left", "right"})), alone={"demo": frozenset("b")})


def test_unknown_and_missing_folders_are_listed(written: Written) -> None:
    tree = written({"a/low/m.py": "", "a/left/m.py": "", "a/new/m.py": "", "a/loose.py": ""})
    assert misplaced(tree, "a", SMALL) == [
        "a/loose.py lies directly in a/; move it into a folder",
        f"a/new has no floor; give it one in the table of {__name__}",
        f"the table of {__name__} has demo, but a/demo is not there",
        f"the table of {__name__} has right, but a/right is not there",
    ]


@pytest.mark.parametrize(
    ("path", "source", "why"),
    [
        ("a/low/m.py", "import a.left.m", "left is above low"),
        ("a/right/m.py", "import a.left.m", "left and right are on one floor"),
        ("a/right/m.py", "import a.demo.m", "nobody imports a/demo"),
        ("b/m.py", "import a.demo.m", "nobody imports a/demo"),
        ("a/demo/m.py", "import a.low.m", "a/demo imports only of b"),
        ("a/__init__.py", "import a.low.m", "a/__init__.py imports nothing of a"),
        ("a/__init__.py", "if TYPE_CHECKING:\n    import a.low.m", None),
        ("a/left/m.py", "import a.low.m", None),
        ("a/left/n.py", "import a.left.m", None),
        ("a/low/m.py", "import a", None),
        ("a/demo/m.py", "import b.m\nimport a.demo.n", None),
    ],
)
def test_imports_that_do_not_go_down_are_listed(
    written: Written, path: str, source: str, why: str | None
) -> None:
    names = ("a/low/m.py", "a/left/m.py", "a/demo/m.py", "a/demo/n.py", "b/m.py")
    problems = upward(written({**dict.fromkeys(names, ""), path: source}), "a", SMALL)
    if why is None:
        assert not problems
    else:
        (only,) = problems
        assert set(why.split()) <= set(only.split()), only


def test_strangers_are_listed(written: Written) -> None:
    tree = written({"a/m.py": "def f():\n    from b import m", "b/m.py": "import a.m"})
    assert strangers(tree, {"a": {"b"}}) == ["a/m.py:2 imports b.m"]
