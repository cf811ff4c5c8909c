"""Paths of inputs that are no regular files, empty, addresses, or not UTF-8."""

import os
from pathlib import Path

import pytest

from jobs.store.folder import FolderStore
from tests.support.shell import Shell, check_refused
from tests.support.small_poster import LAYER, NETWORK

IS_PIPE = ": is a pipe, not a file; save it to a file first, and give the path of that file"

NAMES = ("p.png", "p.yaml", "p.csv", "p.tar", "p.pth", "p.safetensors", "p")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a named pipe for each ending."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    for name in NAMES:
        os.mkfifo(name)
    return place


@pytest.mark.parametrize("command", ["render", "plan", "submit"])
@pytest.mark.parametrize(
    ("arguments", "pipe"),
    [
        (("p.png",), "p.png"),
        (("p",), "p"),
        (("p.yaml",), "p.yaml"),
        (("PICTURE", "--weights", "p.pth"), "p.pth"),
        (("PICTURE", "--weights", "p.safetensors"), "p.safetensors"),
        (("PICTURE", "--set", "dream.strength=p.png"), "p.png"),
        (("PICTURE", "--set", "objectives=[{layer: features.4, guide: p.png}]"), "p.png"),
        (("PICTURE", "--set", "objectives=[{layer: features.4, mask: p}]"), "p"),
    ],
)
def test_a_pipe_is_refused_at_once(
    shell: Shell,
    picture: Path,
    weights: Path,
    tmp_path: Path,
    command: str,
    arguments: tuple[str, ...],
    pipe: str,
) -> None:
    options = [str(picture) if one == "PICTURE" else one for one in arguments]
    if not pipe.endswith(".yaml"):
        options += ["--network", NETWORK]
        options += [] if "--weights" in options else ["--weights", str(weights)]
    out = tmp_path / "out"
    where = () if command == "submit" else ("--out", out)
    check_refused(shell(command, *options, *where), out, f"{pipe}{IS_PIPE}")


@pytest.mark.parametrize("pipe", ["p.png", "p.csv", "p.tar", "p"])
@pytest.mark.parametrize("command", ["render", "submit"])
def test_a_pipe_is_no_dataset(
    shell: Shell, weights: Path, tmp_path: Path, command: str, pipe: str
) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        f"kind: dataset\ninputs: here/{pipe}\nnetwork: {{name: {NETWORK}, weights: {weights}}}\n"
        f"objectives: [{{layer: {LAYER}}}]"
    )
    where = ("--in-process", "--out", tmp_path / "out") if command == "render" else ()
    check_refused(shell(command, spec, *where), tmp_path / "out", f"{pipe}{IS_PIPE}")


def test_a_pipe_of_a_shell_is_refused(shell: Shell, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    ended = shell("render", f"/dev/fd/{reader}", "--out", tmp_path / "out")
    check_refused(ended, tmp_path / "out", f"/dev/fd/{reader}{IS_PIPE}")
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("command", ["render", "plan", "submit"])
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "an empty path: must be the path of a spec, a picture or a folder"),
        ("https://me:secret@example.org/sky.jpg", "https:// is not supported; download the file"),
        ("s3://bucket/spec.yaml", "s3:// is not for a spec; download the file"),
        (os.fsdecode(b"caf\xe9.png"), "caf\\udce9.png: the name is not UTF-8; rename it"),
    ],
)
def test_what_is_no_path(shell: Shell, tmp_path: Path, command: str, path: str, words: str) -> None:
    where = () if command == "submit" else ("--out", tmp_path / "out")
    ended = shell(command, path, *where)
    check_refused(ended, tmp_path / "out", words)
    assert "secret" not in ended.err


def test_an_empty_folder_for_results_is_not_the_working_directory(
    shell: Shell, picture: Path, tmp_path: Path
) -> None:
    ended = shell("render", picture, "--out", "")
    check_refused(ended, tmp_path / "out", "--out", "must be the path of a folder, not empty")


def test_size_is_not_for_pictures_in_a_bucket(shell: Shell, tmp_path: Path) -> None:
    ended = shell("render", "s3://photos/2026/", "--size", "x2", "--out", tmp_path / "out")
    check_refused(ended, tmp_path / "out", "--size: for a picture", "--set resize=1024")
