"""`like`, `diff`, and `--like`."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from jobs.store.folder import FolderStore
from tests.support.rendered_poster import RenderedPoster
from tests.support.shell import Shell, check_error_line, json_output
from tests.support.small_poster import poster_document

OUTPUTS = (
    "outputs=[png, {format: tiff, depth: 16}, jpeg, deepzoom, deepzoom-zip, iiif, webp, avif, pdf]"
)


@pytest.fixture
def spec(picture: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec file in the working directory, beside its weights."""
    monkeypatch.chdir(tmp_path)
    # The cache that all tests share has the same files.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shutil.copy(weights, tmp_path / "mine.safetensors")
    path = tmp_path / "spec.yaml"
    document = poster_document(picture, weights, OUTPUTS, "dream.seed=5", "dream.steps=1")
    path.write_text(yaml.safe_dump(document))
    return path


def rendered(shell: Shell, *arguments: object) -> dict[str, Any]:
    """Render; return the entries of the outputs by format."""
    ended = shell("render", *arguments, "--in-process", "--json")
    assert ended.code == 0, ended.err
    outputs = json.loads(ended.out.splitlines()[-1])["outputs"]
    return {one["format"]: one for one in outputs}


def digests(outputs: dict[str, Any]) -> dict[str, str]:
    return {name: one["sha256"] for name, one in outputs.items()}


def test_each_output_gives_its_spec_back_which_renders_the_same_bytes(
    shell: Shell, spec: Path, picture: Path, tmp_path: Path
) -> None:
    old = rendered(shell, spec)
    folder = Path(old["png"]["path"]).parent
    shutil.copy(picture, tmp_path / "sky.png")
    said = {one["path"]: shell("like", one["path"]).out for one in old.values()}
    assert len(said) == len(OUTPUTS.split(",")) - 1
    (text,) = set(said.values())
    for other in (folder, folder / "manifest.json", folder.name, folder.name[:6]):
        assert shell("like", other).out == text

    (tmp_path / "again.yaml").write_text(text)
    assert digests(rendered(shell, "again.yaml", "--out", "again")) == digests(old)

    # Far from everything that knows where its files were.
    moved = Path("far") / "away.tif"
    moved.parent.mkdir()
    shutil.copy(folder / "sky.tif", moved)
    assert json_output(shell("like", moved, "--json")) == yaml.safe_load(text) | {
        "input": {"path": str(tmp_path / "sky.png")},
        "network": {"name": "squeezenet1_1", "weights": str(tmp_path / "mine.safetensors")},
    }
    assert digests(rendered(shell, "sky.png", "--like", moved, "--out", "like")) == digests(old)


def test_another_picture_is_rendered_like_an_output(
    shell: Shell, spec: Path, store: FolderStore
) -> None:
    old = rendered(shell, spec)
    Image.new("RGB", (40, 30), "teal").save("other.png")
    plan = json_output(
        shell("plan", "other.png", "--like", old["jpeg"]["path"], "--no-probe", "--json")
    )
    assert (plan["width"], plan["height"]) == (40, 30)
    assert plan["objectives"][0]["layer"] == "features.4"

    job = json_output(shell("submit", "other.png", "--like", old["png"]["path"], "--json"))["job"]
    assert job.startswith("other-")
    # A job of the store is as good.
    third = json_output(shell("submit", "spec.yaml", "--json"))["job"]
    again = shell("submit", "other.png", "--like", third, "--json")
    assert json_output(again) == {"job": job, "state": "queued", "new": False}


def test_a_job_in_a_store_gives_its_spec_with_files_from_the_store(
    shell: Shell, job: RenderedPoster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = shell("like", job.job)
    assert (ended.code, ended.err) == (0, "")
    (tmp_path / "again.yaml").write_text(ended.out)
    again = digests(rendered(shell, "again.yaml", "--out", "again"))
    assert again == {one["format"]: one["sha256"] for one in job.manifest["outputs"]}


def test_diff_says_what_differs(shell: Shell, spec: Path, picture: Path) -> None:
    old = rendered(shell, spec)["png"]["path"]
    same = shell("diff", old, spec)
    assert (same.code, same.out) == (0, f"{old} and {spec}: the same spec, files and version\n")
    assert json_output(shell("diff", old, Path(old).parent / "manifest.json", "--json")) == {
        "equal": True,
        "differences": [],
    }

    changed = yaml.safe_load(spec.read_text())
    changed["dream"]["seed"] = 6
    Path("changed.json").write_text(json.dumps(changed))
    found = shell("diff", old, "changed.json")
    assert found.code == 0
    assert found.out.splitlines()[-2].split() == ["dream.seed", "5", "6"]
    assert json_output(shell("diff", old, "changed.json", "--json"))["differences"] == [
        {"field": "dream.seed", "first": 5, "second": 6}
    ]


@pytest.mark.parametrize("command", ["like", "diff"])
def test_what_has_no_spec_is_one_line(
    shell: Shell, spec: Path, picture: Path, store: FolderStore, command: str
) -> None:
    Path("notes.json").write_text('{"identity": 3}')
    others = (spec,) if command == "diff" else ()
    for named, line in {
        str(picture): f"{picture}: has no spec in it; give an output of Dreamfarm",
        "notes.json": "notes.json: has no spec in it",
        "gone.png": "gone.png: no such file; check the path",
        "some-job": "no job some-job in ",
        "": "no job ",
    }.items():
        check_error_line(shell(command, named, *others), line)


def test_like_contradicts_other_sources_of_settings(
    shell: Shell, spec: Path, picture: Path
) -> None:
    check_error_line(shell("render", spec, "--like", spec), "like: for a picture or a folder")
    check_error_line(
        shell("render", picture, "--like", spec, "--look", "garden"), "look and like: both choose"
    )
