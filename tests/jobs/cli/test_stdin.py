"""`-`: pictures, specs, masks and weights on standard input."""

import io
import json
import sys
from pathlib import Path

import pytest
import yaml

from jobs.cli.stdin import names_standard_input
from jobs.store.folder import FolderStore
from tests.support.rendered_poster import write_poster_spec
from tests.support.shell import Shell, check_error_line, json_output
from tests.support.small_poster import LAYER, NETWORK, poster_document


class Pipe:
    """Gives standard input of commands in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def __call__(self, content: bytes) -> None:
        stream = io.TextIOWrapper(io.BytesIO(content))
        self._monkeypatch.setattr(sys, "stdin", stream)


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Pipe:
    return Pipe(monkeypatch)


def job_of(shell: Shell, *words: object) -> str:
    """The job that a plan is for."""
    return str(json_output(shell("plan", *words, "--no-probe", "--json"))["job"])


def options(weights: object) -> tuple[object, ...]:
    return ("--network", NETWORK, "--weights", weights, "--layer", LAYER, "--set", "name=sky")


def test_a_piped_picture_is_the_job_of_its_file(
    shell: Shell, pipe: Pipe, picture: Path, weights: Path
) -> None:
    known = job_of(shell, picture, *options(weights))
    pipe(picture.read_bytes())
    assert job_of(shell, "-", *options(weights)) == known


def test_piped_weights_are_those_of_their_file(
    shell: Shell, pipe: Pipe, picture: Path, weights: Path
) -> None:
    known = job_of(shell, picture, *options(weights))
    pipe(weights.read_bytes())
    assert job_of(shell, picture, *options("-")) == known


def test_a_piped_mask_is_that_of_its_file(
    shell: Shell, pipe: Pipe, picture: Path, weights: Path, mask: Path, tmp_path: Path
) -> None:
    spec = write_poster_spec(tmp_path, picture, weights)
    known = job_of(shell, spec, "--set", f"objectives.0.mask={mask}")
    pipe(mask.read_bytes())
    assert job_of(shell, spec, "--set", "objectives.0.mask=-") == known
    document = poster_document(picture, weights, "objectives.0.mask=-")
    spec.write_text(yaml.safe_dump(document))
    pipe(mask.read_bytes())
    assert job_of(shell, spec) == known


@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump])
def test_a_piped_spec_names_files_of_the_working_folder(
    shell: Shell,
    pipe: Pipe,
    picture: Path,
    weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    write: object,
) -> None:
    assert callable(write)
    document = poster_document(picture, weights)
    monkeypatch.chdir(picture.parent)
    pipe(str(write({**document, "input": picture.name})).encode())
    assert job_of(shell, "-") == job_of(
        shell, picture, *options(weights), *(f"--set={key}" for key in SMALL)
    )


SMALL = ("dream.octaves=2", "dream.steps=2", "dream.jitter=6", "dream.smooth=null", "tiles=32")


def test_a_piped_spec_has_lines_in_its_errors(shell: Shell, pipe: Pipe) -> None:
    pipe(b"input: sky.jpg\nprio: 3\n")
    check_error_line(shell("plan", "-"), "standard input, line 2, column 1: prio: no such key")


def test_a_piped_picture_is_submitted(
    shell: Shell, pipe: Pipe, store: FolderStore, picture: Path, weights: Path
) -> None:
    pipe(picture.read_bytes())
    job = json_output(shell("submit", "-", *options(weights), "--json"))["job"]
    assert job == job_of(shell, picture, *options(weights))
    assert job.startswith("sky-")
    blobs = [entry.size for entry in store.list_objects("blobs/sha256/")]
    assert picture.stat().st_size in blobs


def test_a_piped_picture_is_rendered(
    shell: Shell, pipe: Pipe, picture: Path, weights: Path, tmp_path: Path
) -> None:
    small = (*options(weights), *(f"--set={key}" for key in SMALL), "--in-process", "--json")
    pipe(picture.read_bytes())
    piped = json_output(shell("render", "-", *small, "--out", tmp_path / "piped"))
    given = json_output(shell("render", picture, *small, "--out", tmp_path / "given"))
    assert piped["job"] == given["job"]
    assert piped["outputs"][0]["sha256"] == given["outputs"][0]["sha256"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "-: standard input is empty"),
        (b"GIF89a\0\xff\xff", "standard input: a GIF is not a picture that can be read"),
        (b"\xfe\xfe\xfe\xfe", "standard input: not a picture that can be read"),
        (b"hello", "standard input: not a mapping of keys such as `input: sky.jpg`"),
    ],
)
def test_what_is_neither_is_refused(shell: Shell, pipe: Pipe, content: bytes, said: str) -> None:
    pipe(content)
    check_error_line(shell("plan", "-"), said)


def test_a_piped_start_of_an_atlas_is_for_this_machine_only(
    shell: Shell, pipe: Pipe, store: FolderStore, picture: Path, tmp_path: Path
) -> None:
    spec = tmp_path / "atlas.yaml"
    spec.write_text('{kind: atlas, of: {classes: [1]}, network: lenet5, start: "-"}')
    pipe(picture.read_bytes())
    assert shell("plan", spec).code == 0
    pipe(picture.read_bytes())
    ended = shell("submit", spec)
    check_error_line(ended, "-: the pictures of a dataset stay where they are, and standard input")
    assert not list(store.list_objects(""))


def test_standard_input_is_read_once(shell: Shell, pipe: Pipe, picture: Path) -> None:
    pipe(picture.read_bytes())
    ended = shell("plan", "-", "--weights", "-")
    check_error_line(ended, "-: standard input is read once; give the other file by its path")


def test_a_terminal_is_no_picture(
    shell: Shell, pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe(b"")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    check_error_line(shell("plan", "-"), "-: nothing is piped into this command")


def test_too_much_is_refused(
    shell: Shell, pipe: Pipe, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.cli.stdin.MOST_BYTES", 1000)
    pipe(picture.read_bytes())
    assert picture.stat().st_size > 1000
    check_error_line(shell("plan", "-"), "-: standard input has more than")


def test_a_command_knows_whether_it_names_standard_input() -> None:
    assert names_standard_input("-", None, None)
    assert names_standard_input("a.jpg", "-", None)
    assert names_standard_input("a.jpg", None, ["size=3", "objectives.0.mask=-"])
    assert not names_standard_input("a-.jpg", "b", ["name=a-b"])
