"""Counts what the size of the source is judged by: `python -m tests.structure.figures`."""

import ast
import math
import statistics
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.structure.imports import PACKAGES, python_files

SHORT = 30
"""A module of so many lines or fewer hardly earns its file."""

MOST_PARAMETERS = 6
"""More of a constructor, without self, are too many."""

REGISTRIES = ("jobs/services/kinds.py", "jobs/spec/kinds.py")
"""The files that may ask for a job's kind."""

KINDS = {"DatasetSpec", "Spec", "PosterSpec", "AtlasSpec", "DatasetPlan", "PosterPlan"}
"""Who is an instance of one of these is of one kind of job."""

KIND_WORDS = {"poster", "dataset", "atlas"}
"""The kinds of jobs. A failure or a file also has a kind, which has other words."""

_UNCOUNTED = {"__init__.py", "__main__.py"}

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Place:
    """A piece of source. text: its name, or the expression itself."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.text}"


@dataclass(frozen=True)
class Sized:
    """A piece of source and how large it is: in lines, or in parameters."""

    place: Place
    size: int

    def __str__(self) -> str:
        return f"{self.size}: {self.place}"


@dataclass(frozen=True)
class Fields:
    """The fields of a dataclass or named tuple, those with and without defaults."""

    place: Place
    required: int
    optional: int

    @property
    def count(self) -> int:
        return self.required + self.optional

    def __str__(self) -> str:
        return f"{self.place}: {self.required} without defaults, {self.optional} with"


@dataclass(frozen=True)
class Figures:
    """What was counted.

    modules: by lines; files named `__init__.py` and `__main__.py` are not counted.
    functions: by lines, methods and inner functions among them, without decorators.
    constructors: each explicit `__init__`, by parameters without self.
    kinds: where a job's kind is tested outside the registries.
    """

    modules: tuple[Sized, ...]
    functions: tuple[Sized, ...]
    constructors: tuple[Sized, ...]
    fields: tuple[Fields, ...]
    kinds: tuple[Place, ...]

    @property
    def short(self) -> list[Sized]:
        return [one for one in self.modules if one.size <= SHORT]

    @property
    def median(self) -> float:
        return statistics.median([one.size for one in self.modules] or [0])

    @property
    def ninetieth(self) -> int:
        """The 90th percentile of the functions' lines: nine in ten are no longer."""
        sizes = sorted(one.size for one in self.functions) or [0]
        return sizes[math.ceil(0.9 * len(sizes)) - 1]

    @property
    def laden(self) -> list[Sized]:
        """The constructors with too many parameters."""
        return [one for one in self.constructors if one.size > MOST_PARAMETERS]


def read_figures(root: Path, packages: Iterable[str] = PACKAGES) -> Figures:
    """Count the source of some packages."""
    modules, functions, constructors, fields, kinds = [], [], [], [], []
    for file in python_files(root, packages):
        text, path = file.read_text("utf-8"), file.relative_to(root).as_posix()
        if file.name not in _UNCOUNTED:
            modules.append(Sized(Place(path, 1, file.stem), len(text.splitlines())))
        tree = ast.parse(text)
        for name, node in _definitions(tree):
            place = Place(path, node.lineno, name)
            if isinstance(node, ast.ClassDef):
                fields += [_fields(place, node)] if _has_fields(node) else []
                continue
            functions.append(Sized(place, (node.end_lineno or node.lineno) - node.lineno + 1))
            if node.name == "__init__":
                constructors.append(Sized(place, _parameters(node)))
        if path not in REGISTRIES:
            kinds += _kind_tests(tree, path)
    return Figures(
        tuple(modules), tuple(functions), tuple(constructors), tuple(fields), tuple(kinds)
    )


def _definitions(node: ast.AST, outer: str = "") -> Iterator[tuple[str, _Function | ast.ClassDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Function | ast.ClassDef):
            name = f"{outer}{child.name}"
            yield name, child
            yield from _definitions(child, f"{name}.")
        else:
            yield from _definitions(child, outer)


def _parameters(node: _Function) -> int:
    asked = node.args
    named = len(asked.posonlyargs) + len(asked.args) + len(asked.kwonlyargs) - 1
    return named + sum(one is not None for one in (asked.vararg, asked.kwarg))


def _last_name(node: ast.AST) -> str:
    """The last part of a dotted name, called or subscripted; empty for anything else."""
    while isinstance(node, ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _has_fields(node: ast.ClassDef) -> bool:
    return "dataclass" in map(_last_name, node.decorator_list) or "NamedTuple" in map(
        _last_name, node.bases
    )


def _fields(place: Place, node: ast.ClassDef) -> Fields:
    counts = {True: 0, False: 0}
    for one in node.body:
        if isinstance(one, ast.AnnAssign) and _is_parameter(one):
            counts[_has_default(one.value)] += 1
    return Fields(place, required=counts[False], optional=counts[True])


def _is_parameter(field: ast.AnnAssign) -> bool:
    if _last_name(field.annotation) in {"ClassVar", "KW_ONLY"}:
        return False
    hidden = [one.value for one in _keywords(field.value) if one.arg == "init"]
    return not any(isinstance(one, ast.Constant) and one.value is False for one in hidden)


def _has_default(value: ast.expr | None) -> bool:
    if value is None or not _is_field(value):
        return value is not None
    return any(one.arg in {"default", "default_factory"} for one in _keywords(value))


def _is_field(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Call) and _last_name(value) == "field"


def _keywords(value: ast.expr | None) -> list[ast.keyword]:
    return value.keywords if isinstance(value, ast.Call) and _is_field(value) else []


def _kind_tests(tree: ast.Module, path: str) -> list[Place]:
    """Where a job's kind is tested, each line once."""
    found: dict[int, Place] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.expr | ast.match_case) and _tests_kind(node):
            line = node.lineno if isinstance(node, ast.expr) else node.pattern.lineno
            text = ast.unparse(node if isinstance(node, ast.expr) else node.pattern)
            found.setdefault(line, Place(path, line, text))
    return [found[line] for line in sorted(found)]


def _tests_kind(node: ast.expr | ast.match_case) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, classes]):
            return any(_last_name(one) in KINDS for one in ast.walk(classes))
        case ast.Compare(left=left, comparators=others):
            sides = (left, *others)
            return any(map(_is_stored_kind, sides)) or (
                any(_last_name(side) == "kind" for side in sides) and _may_be_of_jobs(sides)
            )
        case ast.Attribute(attr="is_dataset") | ast.Name(id="is_dataset", ctx=ast.Load()):
            return True
        case ast.match_case(pattern=pattern):
            classes_of = [one.cls for one in ast.walk(pattern) if isinstance(one, ast.MatchClass)]
            return any(_last_name(one) in KINDS for one in classes_of)
        case _:
            return False


def _is_stored_kind(node: ast.expr) -> bool:
    """Whether an expression reads `x["kind"]` or `x.get("kind")`."""
    match node:
        case ast.Subscript(slice=ast.Constant(value="kind")):
            return True
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value="kind"), *_]):
            return True
        case _:
            return False


def _may_be_of_jobs(sides: Sequence[ast.expr]) -> bool:
    """Whether a comparison names a job's kind, or has `x.kind` beside what is no plain text."""
    words = {one.value for side in sides for one in ast.walk(side) if isinstance(one, ast.Constant)}
    names = {_last_name(side).lower() for side in sides}
    if (words | names) & KIND_WORDS:
        return True
    return not words and any(isinstance(one, ast.Attribute) and one.attr == "kind" for one in sides)


def report(title: str, figures: Figures) -> Iterator[str]:
    """The figures in lines of text."""
    yield f"{title}\n{'=' * len(title)}"
    yield f"modules: {len(figures.modules)}"
    yield f"median of their lines: {figures.median:g}"
    yield f"longest module: {_largest(figures.modules)}"
    short = sorted(figures.short, key=lambda one: one.size)
    yield from _listed(f"modules of {SHORT} lines or fewer", short)
    yield f"functions: {len(figures.functions)}"
    yield f"90th percentile of their lines: {figures.ninetieth}"
    yield f"longest function: {_largest(figures.functions)}"
    yield from _listed(f"constructors of more than {MOST_PARAMETERS} parameters", figures.laden)
    many = [one for one in figures.fields if one.count > MOST_PARAMETERS]
    yield from _listed(f"dataclasses and named tuples of more than {MOST_PARAMETERS} fields", many)
    yield from _listed("places outside the registries that test a job's kind", figures.kinds)
    yield ""


def _largest(sized: Sequence[Sized]) -> str:
    return str(max(sized, key=lambda one: one.size, default="none"))


def _listed(title: str, found: Sequence[object]) -> Iterator[str]:
    yield f"{title}: {len(found)}"
    yield from (f"    {one}" for one in found)


def main() -> None:
    root = Path(__file__).resolve().parents[2]
    for package in PACKAGES:
        sys.stdout.writelines(
            f"{line}\n" for line in report(package, read_figures(root, [package]))
        )
    sys.stdout.writelines(f"{line}\n" for line in report("all together", read_figures(root)))


if __name__ == "__main__":
    main()
