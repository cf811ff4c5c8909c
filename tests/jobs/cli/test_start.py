"""What the command line loads: nothing heavy before it is used."""

import json
import subprocess
import sys
from pathlib import Path

from tests.jobs.cli.shell import Shell
from tests.jobs.small import document

HEAVY = {"torch", "torchvision", "ray", "pydantic", "numpy", "pyvips", "rich.progress"}

_TOLD = """
import json, sys
from jobs.cli import main
try:
    main()
finally:
    json.dump(sorted(sys.modules), sys.stderr)
"""


def loaded(project: Path, *arguments: object) -> set[str]:
    """The modules that a command has loaded when it ends."""
    ran = subprocess.run(
        [sys.executable, "-c", _TOLD, *map(str, arguments)],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(json.loads(ran.stderr))


def test_help_loads_nothing_heavy(project: Path) -> None:
    assert loaded(project, "--help") & HEAVY == set()
    # Typer checks numbers by pydantic.
    assert loaded(project, "render", "--help") & (HEAVY - {"pydantic"}) == set()


def test_a_plan_for_a_known_network_loads_no_torch(
    shell: Shell, project: Path, picture: Path, weights: Path, tmp_path: Path
) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(document(picture, weights)))
    assert shell("plan", spec, "--no-probe").code == 0

    assert loaded(project, "plan", spec, "--no-probe") & {"torch", "torchvision", "ray"} == set()
