"""Reads the imports of the packages by their syntax, and finds circles among them."""

import ast
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("render", "cluster", "jobs")

_MOST_SHOWN = 8

Edges = Mapping[str, Mapping[str, Sequence["Import"]]]
"""The imports that lead from one node to another: edges[start][end]."""


@dataclass(frozen=True)
class Import:
    """One module imports names of another.

    path: the file of the importing module, relative to the root.
    names: what it takes from the imported module; empty where it takes the module itself.
    is_typing_only: whether it stands under `if TYPE_CHECKING`, so that it never runs.
    """

    importer: str
    imported: str
    path: str
    line: int
    names: tuple[str, ...] = ()
    is_typing_only: bool = False

    def __str__(self) -> str:
        names = f"{', '.join(self.names)} of " if self.names else ""
        return f"{self.path}:{self.line} imports {names}{self.imported}"


@dataclass(frozen=True)
class Tree:
    """The modules of some packages, by dotted name, and their imports of one another.

    files: the path of each module, relative to the root; a package stands for its `__init__.py`.
    """

    files: Mapping[str, str]
    imports: Sequence[Import]

    def folder(self, module: str) -> str:
        """The folder that holds a module's file; a file directly in a package is one by itself."""
        path = self.files[module]
        return path if path.count("/") == 1 else path.rpartition("/")[0]

    def of(self, package: str) -> "Tree":
        """One package alone."""
        files = {name: path for name, path in self.files.items() if top(name) == package}
        inner = [one for one in self.imports if {one.importer, one.imported} <= files.keys()]
        return Tree(files, inner)


def top(module: str) -> str:
    """The package that a module belongs to."""
    return module.partition(".")[0]


def python_files(root: Path, packages: Iterable[str] = PACKAGES) -> list[Path]:
    """The Python files of some packages, in order."""
    return [path for package in packages for path in sorted((root / package).rglob("*.py"))]


def module_name(path: Path) -> str:
    """The dotted name of a file, whose path is relative to the root."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read_tree(root: Path, packages: Sequence[str] = PACKAGES) -> Tree:
    """Read the modules of some packages, and what they import of these packages."""
    paths = [path.relative_to(root) for path in python_files(root, packages)]
    files = {module_name(path): path.as_posix() for path in paths}
    found = []
    for module, path in files.items():
        parsed = ast.parse((root / path).read_text("utf-8"))
        for_types = _typing_only(parsed)
        for node in ast.walk(parsed):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            for imported, names in _imported(node, module, files):
                if top(imported) in packages:
                    is_typing_only = node in for_types
                    found.append(Import(module, imported, path, node.lineno, names, is_typing_only))
    return Tree(files, sorted(found, key=lambda one: (one.path, one.line, one.imported)))


def _typing_only(tree: ast.Module) -> set[ast.AST]:
    """The nodes under `if TYPE_CHECKING`."""
    blocks = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    ]
    return {inner for block in blocks for line in block.body for inner in ast.walk(line)}


def _imported(
    node: ast.Import | ast.ImportFrom, module: str, files: Mapping[str, str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    if isinstance(node, ast.Import):
        yield from ((alias.name, ()) for alias in node.names)
        return
    source = _source(node, module, is_package=files[module].endswith("__init__.py"))
    names = [alias.name for alias in node.names]
    modules = [f"{source}.{name}" for name in names if f"{source}.{name}" in files]
    yield from ((one, ()) for one in modules)
    if rest := tuple(name for name in names if f"{source}.{name}" not in modules):
        yield source, rest


def _source(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    if not node.level:
        return str(node.module)
    parts = module.split(".")
    above = parts[: len(parts) - node.level + is_package]
    return ".".join([*above, *([node.module] if node.module else [])])


def file_edges(tree: Tree) -> Edges:
    """Which file imports which."""
    return _edges((tree.files[one.importer], tree.files[one.imported], one) for one in tree.imports)


def folder_edges(tree: Tree) -> Edges:
    """Which folder imports of which other; a folder holds the files directly in it."""
    pairs = ((tree.folder(one.importer), tree.folder(one.imported), one) for one in tree.imports)
    return _edges(pair for pair in pairs if pair[0] != pair[1])


def _edges(pairs: Iterable[tuple[str, str, Import]]) -> Edges:
    edges: dict[str, dict[str, list[Import]]] = defaultdict(lambda: defaultdict(list))
    for start, end, one in pairs:
        edges[start][end].append(one)
    return edges


def cycles(edges: Mapping[str, Collection[str]]) -> list[tuple[str, ...]]:
    """A shortest circle through each tangle of nodes, which all reach one another.

    Each begins with its least node, and does not repeat it at the end.
    """
    tangled = {node: circle for node in sorted(edges) if (circle := _way(edges, node, node))}
    reached = {node: _reached(edges, node) for node in tangled}
    found, seen = [], set[str]()
    for node in tangled:
        if node not in seen:
            tangle = [other for other in tangled if _meet(reached, node, other)]
            seen.update(tangle)
            found.append(min((tangled[other] for other in tangle), key=len))
    return found


def _meet(reached: Mapping[str, Collection[str]], one: str, other: str) -> bool:
    return other in reached[one] and one in reached[other]


def _reached(edges: Mapping[str, Collection[str]], start: str) -> set[str]:
    found, ahead = set[str](), [start]
    while ahead:
        fresh = set(edges.get(ahead.pop(), ())) - found
        found |= fresh
        ahead += fresh
    return found


def _way(edges: Mapping[str, Collection[str]], start: str, end: str) -> tuple[str, ...]:
    """The nodes of a shortest way, without its end; none where there is no way."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen = set[str]()
    for way in ways:
        for node in sorted(edges.get(way[-1], ())):
            if node == end:
                return way
            if node not in seen:
                seen.add(node)
                ways.append((*way, node))
    return ()


def describe(edges: Edges, circle: Sequence[str]) -> str:
    """Describe how a circle closes, and which imports are behind it."""
    if len(circle) == 1:
        lines = [f"{circle[0]} imports itself."]
    else:
        lines = [f"{len(circle)} import one another in a circle: {', '.join(circle)}."]
    for start, end in zip(circle, [*circle[1:], circle[0]], strict=True):
        behind = edges[start][end]
        lines.append(f"  {start} needs {end}:")
        lines += [f"    {one}" for one in behind[:_MOST_SHOWN]]
        if len(behind) > _MOST_SHOWN:
            lines.append(f"    and {len(behind) - _MOST_SHOWN} imports more")
    return "\n".join(lines)
