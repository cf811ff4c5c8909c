"""The users' commands load what they use: nothing that renders, and boto3 for buckets alone."""

from pathlib import Path

import pytest

from tests.jobs.cli.farm import Rendered
from tests.jobs.cli.test_start import loaded

RENDERING = {"torch", "torchvision", "ray", "pyvips"}
BUCKETS = {"boto3", "botocore", "s3transfer"}


def test_help_of_a_command_loads_typer_and_little_else(project: Path) -> None:
    heavy = RENDERING | BUCKETS | {"numpy", "rich.progress", "jobs.spec.poster", "jobs.store.store"}
    assert loaded(project, "fetch", "--help") & heavy == set()
    assert loaded(project, "clean", "--help") & heavy == set()


@pytest.mark.parametrize(
    "command",
    ["list", "show sky --json", "logs sky", "watch sky --json", "clean", "fetch sky --out"],
)
def test_looking_loads_nothing_that_renders(
    project: Path, job: Rendered, tmp_path: Path, command: str
) -> None:
    words: list[object] = [*command.split()]
    if words[-1] == "--out":
        words.append(tmp_path / "out")
    assert loaded(project, *words) & (RENDERING | BUCKETS) == set()
