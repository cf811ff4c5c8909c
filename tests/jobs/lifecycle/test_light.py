"""Lifecycle is light: whoever lists jobs loads neither torch nor ray."""

from pathlib import Path

from tests.test_imports import loaded


def test_no_module_loads_what_only_rendering_needs(project: Path, tmp_path: Path) -> None:
    names = sorted(path.stem for path in (project / "jobs" / "lifecycle").glob("[a-z]*.py"))
    statement = "import " + ", ".join(f"jobs.lifecycle.{name}" for name in names)

    assert len(names) > 10
    assert not loaded(statement, tmp_path) & {"torch", "torchvision", "ray", "pyvips", "boto3"}
