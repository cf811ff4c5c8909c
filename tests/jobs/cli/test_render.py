"""`dreamfarm render`: the same bytes from any crew, and clean endings."""

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from jobs.planning.machine import Machine
from jobs.planning.poster import make_plan
from jobs.poster.local import render_here
from jobs.poster.runner import PosterRunner
from jobs.runtime.backend import crew_in_process
from jobs.runtime.publish import Target
from jobs.spec.document import parse_poster_spec, read_document
from render.pictures.write import output_digest
from tests.support.processes import still_running
from tests.support.shell import COMMAND, CommandResult, Shell, hidden_files
from tests.support.small_poster import LAYER, NETWORK, poster_document

OUTPUTS = "outputs=[png, {format: tiff, depth: 16}, jpeg, deepzoom]"
GIVEN = ("size=300x204", "dream.octaves=2", "tiles=96", OUTPUTS)
# Automatic tiles are at most 2048 pixels wide, so this poster has two.
AUTO = ("size=2100x40", "fit=stretch", "dream.octaves=2", "tiles=auto", OUTPUTS)
SPECS = {"given": GIVEN, "auto": AUTO}


def written(folder: Path, content: dict[str, Any]) -> Path:
    """A spec file."""
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture(scope="module")
def specs(
    tmp_path_factory: pytest.TempPathFactory, picture: Path, weights: Path
) -> dict[str, Path]:
    """Two spec files."""
    return {
        tiles: written(tmp_path_factory.mktemp(tiles), poster_document(picture, weights, *settings))
        for tiles, settings in SPECS.items()
    }


def checked_digests(ended: CommandResult) -> dict[str, str]:
    """The checksums of outputs by format: those of `--json`, checked against the files."""
    assert ended.code == 0, ended.err
    printed = json.loads(ended.out.splitlines()[-1])
    assert printed["state"] == "succeeded"
    digests = {output["format"]: output["sha256"] for output in printed["outputs"]}
    for output in printed["outputs"]:
        assert output["sha256"] == output_digest(Path(output["path"]))
    return digests


def run(*arguments: object) -> CommandResult:
    """Run the installed command in another process."""
    ran = subprocess.run(
        [COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
    )
    return CommandResult(ran.returncode, ran.stdout, ran.stderr)


@pytest.fixture(scope="module")
def in_process(
    specs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, str]]:
    """The checksums from one worker without Ray."""

    def digests(spec: Path) -> dict[str, str]:
        plan = make_plan(
            parse_poster_spec(read_document(spec)), Machine(cores=1, gpus=0, memory=16 << 30)
        )
        folder = tmp_path_factory.mktemp("alone")
        manifest = render_here(plan, Target(folder), lambda progress: None, crew_in_process)
        return {output["format"]: output["sha256"] for output in manifest["outputs"]}

    return {tiles: digests(spec) for tiles, spec in specs.items()}


def test_four_outputs_are_four_files(in_process: dict[str, dict[str, str]]) -> None:
    for digests in in_process.values():
        assert set(digests) == {"png", "tiff", "jpeg", "deepzoom"}
        assert len(set(digests.values())) == 4


@pytest.mark.parametrize(
    ("tiles", "workers"),
    [
        ("given", 3),
        ("auto", 2),
        # Ray takes ten seconds to start; `make slow` runs the others.
        pytest.param("given", 2, marks=pytest.mark.slow),
        pytest.param("auto", 3, marks=pytest.mark.slow),
        # One worker needs no Ray.
        ("given", 1),
        ("auto", 1),
    ],
)
def test_any_crew_gives_the_same_bytes(
    specs: dict[str, Path],
    in_process: dict[str, dict[str, str]],
    tmp_path: Path,
    tiles: str,
    workers: int,
) -> None:
    ended = run("render", specs[tiles], "--workers", workers, "--json", "--out", tmp_path)

    assert checked_digests(ended) == in_process[tiles]
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["workers"] == workers


@pytest.mark.parametrize(("tiles", "workers"), [("given", 2), ("given", 3), ("auto", 3)])
def test_any_in_process_crew_gives_the_same_bytes(
    shell: Shell,
    specs: dict[str, Path],
    in_process: dict[str, dict[str, str]],
    tmp_path: Path,
    tiles: str,
    workers: int,
) -> None:
    arguments = (specs[tiles], "--in-process", "--workers", workers, "--json", "--out", tmp_path)
    assert checked_digests(shell("render", *arguments)) == in_process[tiles]


def test_the_automatic_tiles_are_shared(shell: Shell, specs: dict[str, Path]) -> None:
    plan = json.loads(shell("plan", specs["auto"], "--no-probe", "--json").out)
    assert plan["octaves"][-1]["columns"] == 2


def test_results_are_printed_below_the_job_folder(
    shell: Shell,
    monkeypatch: pytest.MonkeyPatch,
    picture: Path,
    weights: Path,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = (
        picture,
        "--network",
        NETWORK,
        "--weights",
        weights,
        "--layer",
        LAYER,
        "--in-process",
    )
    ended = shell("render", *arguments, "--set", "dream.steps=1")
    (folder,) = (tmp_path / "dreams").iterdir()

    assert ended.code == 0
    assert ended.out == f"dreams/{folder.name}/sky.png\n"
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "sky.png"]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["job"] == folder.name
    png = (folder / "sky.png").read_bytes()
    assert manifest["outputs"][0]["sha256"] == f"sha256:{hashlib.sha256(png).hexdigest()}"


def test_rendering_again_gives_the_same_files(
    shell: Shell, picture: Path, weights: Path, tmp_path: Path
) -> None:
    spec = written(tmp_path, poster_document(picture, weights, "outputs=[png, deepzoom]"))
    arguments = ("render", spec, "--in-process", "--json", "--out", tmp_path / "out")

    assert checked_digests(shell(*arguments)) == checked_digests(shell(*arguments))
    assert hidden_files(tmp_path) == []


def test_a_folder_at_an_output_path_fails_before_rendering(
    shell: Shell, picture: Path, weights: Path, tmp_path: Path
) -> None:
    spec = written(tmp_path, poster_document(picture, weights))
    (tmp_path / "out" / "sky.png" / "not a picture").mkdir(parents=True)

    ended = shell("render", spec, "--in-process", "--out", tmp_path / "out")
    assert ended.code == 2
    assert ended.err == (
        f"dreamfarm: {tmp_path}/out/sky.png: is a folder; remove it, or choose another --out\n"
    )
    assert hidden_files(tmp_path) == []
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["sky.png"]


def test_an_unexpected_error_has_a_traceback_only_with_debug(
    shell: Shell,
    picture: Path,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_: PosterRunner) -> dict[str, Any]:
        raise IsADirectoryError

    monkeypatch.setattr(PosterRunner, "run", fail)
    spec = written(tmp_path, poster_document(picture, weights))
    arguments = ("render", spec, "--in-process", "--out", tmp_path / "out")

    plain, traced = shell(*arguments), shell(*arguments, "--debug")
    assert (plain.code, traced.code) == (1, 1)
    assert plain.err.splitlines()[-1].startswith("dreamfarm: unexpected IsADirectoryError")
    assert "run it again with --debug" in plain.err
    assert "Traceback" not in plain.err
    assert "Traceback (most recent call last):" in traced.err
    assert "unexpected IsADirectoryError" in traced.err.splitlines()[-1]
    assert hidden_files(tmp_path) == []


@contextmanager
def rendering(spec: Path, out: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A long render that has started to dream."""
    with subprocess.Popen(
        [COMMAND, "render", spec, "--out", out, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            deadline = time.monotonic() + 60
            while not list(out.glob(".rendering/*/store/jobs/*/checkpoints/input.tiles")):
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("options", [("--in-process",), ("--workers", "2")])
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_render_leaves_nothing(
    picture: Path,
    weights: Path,
    tmp_path: Path,
    options: tuple[str, ...],
    ending: signal.Signals,
) -> None:
    spec = written(
        tmp_path, poster_document(picture, weights, "dream.steps=100000", "dream.octaves=1")
    )
    out = tmp_path / "new" / "out"
    with rendering(spec, out, *options) as process:
        children = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
        # Ctrl-C goes to all processes of a terminal.
        (os.killpg if ending == signal.SIGINT else os.kill)(process.pid, ending)
        output_text, error_text = process.communicate(timeout=30)

    assert error_text.startswith("dreamfarm: interrupted; no file is half-written")
    assert len(error_text.splitlines()) == 1
    assert output_text == ""
    assert process.returncode == 128 + ending
    assert still_running(children) == set()
    assert [path.name for path in tmp_path.iterdir()] == ["spec.yaml"]


@pytest.mark.slow
def test_a_truncated_picture_leaves_no_ray_crew(
    picture: Path, weights: Path, tmp_path: Path
) -> None:
    cut, out = tmp_path / "cut.png", tmp_path / "out"
    whole = picture.read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    arguments = (cut, "--network", NETWORK, "--weights", weights, "--layer", LAYER, "--workers", 1)
    ended = run("render", *arguments, "--out", out)

    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1
    assert f"dreamfarm: {cut}: truncated or damaged" in ended.err
    assert not out.exists()
