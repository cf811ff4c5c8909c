"""`render --until`, `--draft`, `submit --until`, and `finish`."""

import json
from pathlib import Path

import pytest
import yaml
from PIL import Image

from jobs.records.keys import JobKeys
from jobs.records.state import Intent
from jobs.store.folder import FolderStore
from tests.support.shell import Shell
from tests.support.small_poster import poster_document

SETTINGS = ("size=150xauto", "dream.octaves=3", "dream.octave_scale=1.5", "dream.steps=1")


@pytest.fixture
def spec(picture: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec file in the working directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(poster_document(picture, weights, *SETTINGS)))
    return path


def test_finish_goes_on_from_a_draft_with_the_same_bytes(
    shell: Shell, spec: Path, tmp_path: Path
) -> None:
    draft = shell("render", spec, "--draft", "100px", "--in-process")
    assert draft.code == 0, draft.err
    (path,) = draft.out.splitlines()
    job = Path(path).parent.name
    assert path == f"dreams/{job}/{job}-octave-2.png"
    assert draft.err.endswith(f"octave 2 of 3, 100 x 68; `dreamfarm finish {job}` goes on\n")
    with Image.open(path) as image:
        assert image.size == (100, 68)

    finished = shell("finish", job[:5], "--in-process", "--json")
    whole = shell("render", spec, "--in-process", "--json", "--out", tmp_path / "whole")
    (mine,), (wanted,) = (
        json.loads(one.out.splitlines()[-1])["outputs"] for one in (finished, whole)
    )
    assert mine["path"] == f"dreams/{job}/sky.png"
    assert mine["sha256"] == wanted["sha256"]


def test_a_draft_tells_programs_its_octaves(shell: Shell, spec: Path) -> None:
    told = json.loads(shell("render", spec, "--until", 1, "--in-process", "--json").out)
    assert (told["state"], told["octaves"]) == ("paused", 1)
    (output,) = told["outputs"]
    assert (output["width"], output["height"]) == (67, 45)
    assert Path(output["path"]).is_file()


def test_a_submitted_draft_is_finished_in_its_store(
    shell: Shell, spec: Path, store: FolderStore
) -> None:
    job = json.loads(shell("submit", spec, "--until", 2, "--json").out)["job"]
    assert Intent.read(store, JobKeys(job).intent).until == 2
    assert shell("finish", job).out == f"{job}: queued\n"
    assert Intent.read(store, JobKeys(job).intent).until is None


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--until", "1", "--draft", "99"), "--until and --draft: both limit the render"),
        (("--draft", "big"), "--draft big: 'big' is not a size; write "),
        (("--until", "0"), "--until 0: write a number of octaves, from 1 to 3"),
    ],
)
def test_a_wrong_limit_is_one_line(
    shell: Shell, spec: Path, options: tuple[str, ...], line: str
) -> None:
    ended = shell("render", spec, *options)
    assert ended.code == 2
    assert ended.err.startswith(f"dreamfarm: {line}")
    assert len(ended.err.splitlines()) == 1
    assert not Path("dreams").exists()


def test_a_dataset_has_no_draft(shell: Shell, picture: Path, store: FolderStore) -> None:
    for command in ("render", "submit"):
        ended = shell(command, picture.parent, "--until", 2)
        assert ended.code == 2
        assert "--until, --draft: only for a poster" in ended.err


def test_only_a_job_can_be_finished(shell: Shell, store: FolderStore) -> None:
    ended = shell("finish", "sky")
    assert ended.code == 2
    assert ended.err.startswith("dreamfarm: no job sky in ")
