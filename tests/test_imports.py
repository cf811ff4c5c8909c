"""Who may import whom: `render` and `cluster` are strangers, `jobs` introduces them."""

import ast
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FORBIDDEN = {
    "render": {"cluster", "jobs", "tests", "ray", "boto3", "typer", "pydantic", "rich", "yaml"},
    "cluster": {"render", "jobs", "tests", "torch", "typer", "pydantic", "numpy"},
    "jobs": {"tests", "ray"},
}


def imported(source: str) -> set[str]:
    """The top packages that a module imports anywhere, in functions too."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports say the whole name"
            found.add(str(node.module).partition(".")[0])
    return found


def modules(package: Path) -> Iterator[Path]:
    return package.rglob("*.py")


def test_imports_are_seen_wherever_they_stand() -> None:
    source = "import a.b\nfrom c.d import e\ndef f():\n    if x:\n        import g as h, i"
    assert imported(source) == {"a", "c", "g", "i"}


@pytest.mark.parametrize("package", sorted(FORBIDDEN))
def test_packages_keep_to_their_side(project: Path, package: str) -> None:
    paths = list(modules(project / package))
    assert len(paths) > 3
    for path in paths:
        strangers = imported(path.read_text()) & FORBIDDEN[package]
        assert not strangers, f"{path.relative_to(project)} imports {strangers}"


def loaded(statement: str, cache: Path) -> set[str]:
    """The top packages in memory after a statement, in a process of its own."""
    check = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", check],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import render",
        "import render.dream.config, render.dream.objective",
        "import render.geometry.sampling_grid, render.geometry.partition",
        "import render.engine.network_profile, render.engine.memory",
        "import render.device",
        "import jobs.spec.poster, jobs.text.yaml_json, jobs.planning.identity, jobs.spec.size",
        "import jobs.cli.app",
        "import jobs.services.scheduler.coordinator, jobs.poster.runner, jobs.runtime.backend",
        "import jobs.poster.local, jobs.dataset.local, jobs.dataset.runner, jobs.dataset.submit",
        "import cluster.crew, cluster.resources, cluster.errors",
    ],
)
def test_light_modules_load_neither_torch_nor_ray(tmp_path: Path, statement: str) -> None:
    heavy = {"torch", "torchvision", "ray", "pyvips"}
    assert not loaded(statement, tmp_path) & heavy


SURVEY = (
    "from render.engine.network_profile import profile_network\n"
    "from render.dream.objective import Mix, Objective\n"
    "found = profile_network('squeezenet1_0', Mix((Objective('features.3'),)), 'float32')\n"
    "assert (found.stride, found.field) == (4, 19)"
)


def test_what_was_found_out_about_a_network_needs_no_torch_the_next_time(tmp_path: Path) -> None:
    assert "torch" in loaded(SURVEY, tmp_path)
    assert "torch" not in loaded(SURVEY, tmp_path)


def test_records_load_nothing_that_only_rendering_needs(project: Path, tmp_path: Path) -> None:
    names = sorted(path.stem for path in (project / "jobs" / "records").glob("[a-z]*.py"))
    statement = "import " + ", ".join(f"jobs.records.{name}" for name in names)

    assert len(names) > 5
    assert not loaded(statement, tmp_path) & {"torch", "torchvision", "ray", "pyvips", "boto3"}


PUBLIC = ("jobs.records", "jobs.spec", "jobs.store")


@pytest.mark.parametrize("package", PUBLIC)
def test_a_package_has_every_name_that_it_declares(package: str) -> None:
    module = importlib.import_module(package)
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = module.no_such_name


def test_public_names_load_on_first_use(tmp_path: Path) -> None:
    statement = f"import {', '.join(PUBLIC)}"
    assert not loaded(statement, tmp_path) & {"pydantic", "boto3", "torch", "ray", "pyvips"}
