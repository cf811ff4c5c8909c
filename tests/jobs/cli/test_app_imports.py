"""The modules that the command line loads: nothing heavy before it is needed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.rendered_poster import RenderedPoster
from tests.support.shell import Shell
from tests.support.small_poster import poster_document

HEAVY = {"torch", "torchvision", "ray", "pydantic", "numpy", "pyvips", "rich.progress"}


_PROGRAM = """
import json, sys
from jobs.cli import main
try:
    main()
finally:
    json.dump(sorted(sys.modules), sys.stderr)
"""


def loaded(project: Path, *arguments: object) -> set[str]:
    """The modules that are loaded when a command ends."""
    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *map(str, arguments)],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(json.loads(ran.stderr.splitlines()[-1]))


def test_help_loads_nothing_heavy(project: Path) -> None:
    assert loaded(project, "--help") & HEAVY == set()
    # Typer needs pydantic to check numbers.
    assert loaded(project, "render", "--help") & (HEAVY - {"pydantic"}) == set()


def test_a_plan_for_a_known_network_loads_no_torch(
    shell: Shell, project: Path, picture: Path, weights: Path, tmp_path: Path
) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(poster_document(picture, weights)))
    assert shell("plan", spec, "--no-probe").code == 0

    assert loaded(project, "plan", spec, "--no-probe") & {"torch", "torchvision", "ray"} == set()


def test_a_render_by_one_worker_loads_neither_ray_nor_the_compiler(
    shell: Shell, project: Path, picture: Path, weights: Path, tmp_path: Path
) -> None:
    """Each of them takes longer to load than all the rest."""
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(poster_document(picture, weights)))
    assert shell("plan", spec, "--no-probe").code == 0  # so that the network is known
    arguments = ("render", spec, "--workers", "1", "--out", tmp_path / "out")
    modules = loaded(project, *arguments)
    assert {"torch", "torchvision"} <= modules
    assert modules & {"ray", "torch._dynamo", "torch._inductor"} == set()


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
def test_read_only_commands_load_no_render_libraries(
    project: Path, job: RenderedPoster, tmp_path: Path, command: str
) -> None:
    words: list[object] = [*command.split()]
    if words[-1] == "--out":
        words.append(tmp_path / "out")
    heavy = RENDERING | BUCKETS | (set() if words[0] == "fetch" else {"numpy"})
    assert loaded(project, *words) & heavy == set()
