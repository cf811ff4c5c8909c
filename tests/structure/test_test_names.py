"""Each process of `make test` collects the same tests: no name depends on the moment."""

import ast
from pathlib import Path

import pytest

_CHANGING = {"time", "time_ns", "monotonic", "now", "today", "getpid", "uuid4", "mkdtemp", "random"}
"""Functions that give another value in each process."""


def calls_in_parameters(source: str) -> list[str]:
    """The changing functions that `parametrize` decorators call."""
    return [
        call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        for decorator in node.decorator_list
        if "parametrize" in ast.unparse(decorator)
        for call in ast.walk(decorator)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute | ast.Name)
        and (call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id) in _CHANGING
    ]


def test_no_name_of_a_test_depends_on_the_moment(project: Path) -> None:
    found = {
        str(path.relative_to(project)): calls
        for path in sorted((project / "tests").rglob("test_*.py"))
        if (calls := calls_in_parameters(path.read_text("utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("parameter", "calls"),
    [("int(time.time())", ["time"]), ("uuid4().hex", ["uuid4"]), ("str(1)", [])],
)
def test_the_check_finds_them(parameter: str, calls: list[str]) -> None:
    text = f"@pytest.mark.parametrize('one', [{parameter}])\ndef test_it(one): pass\n"
    assert calls_in_parameters(text) == calls
