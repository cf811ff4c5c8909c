"""`dreamfarm fetch`: verified and complete results, and no needless downloads."""

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from jobs.records.state import State
from jobs.store.folder import FolderStore
from render.pictures.write import output_digest
from tests.support.job_states import JOB, job_in_state
from tests.support.rendered_poster import RenderedPoster
from tests.support.shell import CommandResult, Shell, hidden_files

FILES = {"sky.png", "sky.tif", "sky.dzi", "sky_files", "manifest.json"}


def fetched(ended: CommandResult) -> dict[str, str]:
    """The checksums of outputs by format: those printed, checked against the files."""
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    for output in document["outputs"]:
        assert output["sha256"] == output_digest(Path(output["path"]))
    return {output["format"]: output["sha256"] for output in document["outputs"]}


def rendered_digests(manifest: dict[str, Any]) -> dict[str, str]:
    return {output["format"]: output["sha256"] for output in manifest["outputs"]}


def test_every_result_is_fetched_with_a_manifest(
    shell: Shell, job: RenderedPoster, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "out"
    ended = shell("fetch", "sky", "--out", out, "--json")

    assert fetched(ended) == rendered_digests(job.manifest)
    assert {path.name for path in out.iterdir()} == FILES
    manifest = json.loads((out / "manifest.json").read_text())
    assert [one["path"] for one in manifest["outputs"]] == ["sky.png", "sky.tif", "sky.dzi"]
    assert json.loads(ended.out)["manifest"] == str(out / "manifest.json")
    assert manifest | {"outputs": job.manifest["outputs"]} == job.manifest


def test_paths_are_printed_below_the_job_folder(
    shell: Shell, job: RenderedPoster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("dreams") / job.job
    ended = shell("fetch", job.job)

    assert ended.out == f"{folder}/sky.png\n{folder}/sky.tif\n{folder}/sky.dzi\n"
    assert {path.name for path in folder.iterdir()} == FILES


def test_matching_files_are_not_fetched_again(
    shell: Shell, job: RenderedPoster, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    before = fetched(shell("fetch", "sky", "--out", out, "--json"))
    # A deleted object can be neither listed nor read.
    shutil.rmtree(job.store / job.keys.outputs(1))
    assert fetched(shell("fetch", "sky", "--out", out, "--json")) == before

    (out / "sky.png").write_bytes(b"edited")
    ended = shell("fetch", "sky", "--out", out, "--overwrite")
    assert ended.code == 3
    assert (out / "sky.png").read_bytes() == b"edited"


def test_a_damaged_object_is_one_line_and_writes_nothing(
    shell: Shell, job: RenderedPoster, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    path = job.store / job.keys.output(1, "sky.tif")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    ended = shell("fetch", "sky", "--out", out)

    assert ended.code == 3
    assert len(ended.err.splitlines()) == 1
    assert "outputs/000001/sky.tif" in ended.err
    assert "checksum" in ended.err
    assert [item.name for item in out.iterdir()] == [".fetching"]


def test_an_interrupted_fetch_resumes(shell: Shell, job: RenderedPoster, tmp_path: Path) -> None:
    out = tmp_path / "out"
    paths = {name: job.store / job.keys.output(1, name) for name in ("sky.png", "sky.tif")}
    whole = {name: path.read_bytes() for name, path in paths.items()}
    paths["sky.tif"].write_bytes(bytes(len(whole["sky.tif"])))
    assert shell("fetch", "sky", "--out", out).code == 3

    # Another file of the same size: a second download would show the difference.
    paths["sky.png"].write_bytes(bytes(len(whole["sky.png"])))
    paths["sky.tif"].write_bytes(whole["sky.tif"])
    ended = shell("fetch", "sky", "--out", out, "--json")
    assert fetched(ended) == rendered_digests(job.manifest)
    assert hidden_files(out) == []


@pytest.mark.parametrize("name", [".0_0.png.0123abcd.partial", "0_0.png.6eF5b2A1"])
def test_a_part_of_a_tile_that_a_killed_fetch_left_does_no_harm(
    shell: Shell, job: RenderedPoster, tmp_path: Path, name: str
) -> None:
    """Clients of stores write into such files first."""
    out = tmp_path / "out"
    path = job.store / job.keys.output(1, "sky.tif")
    whole = path.read_bytes()
    path.write_bytes(bytes(len(whole)))
    assert shell("fetch", "sky", "--out", out).code == 3
    path.write_bytes(whole)
    (tiles,) = out.rglob("sky_files")
    (tiles / "0" / name).write_bytes(b"half")
    ended = shell("fetch", "sky", "--out", out, "--json")
    assert fetched(ended) == rendered_digests(job.manifest)
    assert not list(out.rglob(name))


def test_files_of_another_render_are_not_used(
    shell: Shell, job: RenderedPoster, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    path = job.store / job.keys.output(1, "sky.tif")
    whole = path.read_bytes()
    path.write_bytes(bytes(len(whole)))
    assert shell("fetch", "sky", "--out", out).code == 3
    (kept,) = out.rglob("sky.png")
    kept.write_bytes(bytes(kept.stat().st_size))

    path.write_bytes(whole)
    again = job.manifest | {"started": "some time later"}
    (job.store / job.keys.manifest).write_text(json.dumps(again))
    assert fetched(shell("fetch", "sky", "--out", out, "--json")) == rendered_digests(again)
    assert hidden_files(out) == []


class Form(NamedTuple):
    name: str
    option: str
    depth: int


FORMS = [Form("png", "png", 8), Form("tiff", "tiff:16", 16), Form("deepzoom", "deepzoom", 8)]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_local_encoding_equals_the_job_output(
    shell: Shell, job: RenderedPoster, tmp_path: Path, form: Form
) -> None:
    rendered = job.delete_output(form.name)
    out = tmp_path / "out"
    ended = shell("fetch", "sky", "--out", out, "--format", form.option, "--json")

    assert fetched(ended) == {form.name: rendered["sha256"]}
    (entry,) = json.loads((out / "manifest.json").read_text())["outputs"]
    assert entry == rendered | {"path": rendered["path"].rpartition("/")[2]}
    assert hidden_files(out) == []


def test_only_the_requested_formats_are_fetched(
    shell: Shell, job: RenderedPoster, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    own = rendered_digests(job.manifest)
    options = ("--format", "tiff", "--format", "jpeg", "--json")
    found = fetched(shell("fetch", "sky", "--out", out, *options))

    assert found.keys() == {"tiff", "jpeg"}
    assert found["tiff"] == own["tiff"]
    assert {path.name for path in out.iterdir()} == {"sky.tif", "sky.jpg", "manifest.json"}


def test_the_manifest_lists_earlier_fetches(
    shell: Shell, job: RenderedPoster, tmp_path: Path
) -> None:
    out = tmp_path / "out"

    def known() -> dict[str, int]:
        outputs = json.loads((out / "manifest.json").read_text())["outputs"]
        return {one["path"]: one["depth"] for one in outputs}

    shell("fetch", "sky", "--out", out)
    shell("fetch", "sky", "--out", out, "--format", "jpeg")
    assert known() == {"sky.png": 8, "sky.tif": 16, "sky.dzi": 8, "sky.jpg": 8}
    shell("fetch", "sky", "--out", out, "--format", "tiff:8")
    assert known() == {"sky.png": 8, "sky.tif": 8, "sky.dzi": 8, "sky.jpg": 8}
    # All outputs of the job again, besides those that were encoded here.
    (out / "sky.dzi").unlink()
    shutil.rmtree(out / "sky_files")
    shell("fetch", "sky", "--out", out)
    assert known() == {"sky.png": 8, "sky.tif": 16, "sky.dzi": 8, "sky.jpg": 8}


def test_without_the_canvas_only_the_job_formats_are_available(
    shell: Shell, job: RenderedPoster, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    made = fetched(shell("fetch", "sky", "--out", out, "--format", "jpeg", "--json"))
    assert shell("clean", "--yes").code == 0
    ended = shell("fetch", "sky", "--out", out, "--format", "png:16")

    assert ended.code == 2
    assert ended.err == (
        f"dreamfarm: {job.job}: the canvas for other formats has been cleaned; fetch "
        "png, tiff, deepzoom, or submit it again with other outputs, which renders it again\n"
    )
    assert shell("fetch", "sky", "--out", out, "--format", "tiff").code == 0
    # Files that are already here need no canvas.
    again = shell("fetch", "sky", "--out", out, "--format", "jpeg", "--json")
    assert fetched(again) == made


def test_an_unfinished_canvas_is_not_encoded(
    shell: Shell, job: RenderedPoster, tmp_path: Path
) -> None:
    newest = max((job.store / job.keys.checkpoints).rglob("commit.json"))
    newest.unlink()
    ended = shell("fetch", "sky", "--out", tmp_path / "out", "--format", "jpeg")
    assert ended.code == 2
    assert "has been cleaned" in ended.err


@pytest.mark.parametrize("state", ["queued", "running", "paused", "failed", "cancelled"])
def test_only_succeeded_jobs_can_be_fetched(
    shell: Shell, store: FolderStore, tmp_path: Path, state: State
) -> None:
    job_in_state(store, state)
    ended = shell("fetch", JOB, "--out", tmp_path / "out")
    assert ended.code == 2
    assert ended.err.startswith(f"dreamfarm: {JOB}: is {state}; only succeeded jobs can be")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        (["tif"], "format tif: no such format; nearest: tiff"),
        (["jpeg:16"], "format jpeg:16: no such depth; write jpeg:8"),
        (["tiff:x"], "format tiff:x: no such depth; write tiff:8 or tiff:16"),
        (["png:8", "png:16"], "format: two of them would be sky.png; fetch one at a time"),
    ],
)
def test_bad_formats_fail(
    shell: Shell, job: RenderedPoster, tmp_path: Path, formats: list[str], message: str
) -> None:
    options = [word for name in formats for word in ("--format", name)]
    ended = shell("fetch", "sky", "--out", tmp_path / "out", *options)
    assert (ended.code, ended.err) == (2, f"dreamfarm: {message}\n")
    assert not (tmp_path / "out").exists()


def test_a_bad_format_fails_before_the_store_is_opened(shell: Shell) -> None:
    ended = shell("fetch", "sky", "--format", "tif", "--store", "ftp://host")
    assert ended.code == 2
    assert "format tif: no such format" in ended.err


def test_a_small_disk_fails_before_any_download(
    shell: Shell, job: RenderedPoster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need = sum(one["bytes"] for one in job.manifest["outputs"])
    full = shutil.disk_usage(tmp_path)._replace(free=need - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full)
    ended = shell("fetch", "sky", "--out", tmp_path / "out")

    assert ended.code == 2
    assert "the disk is too small: 0.1 MB are needed and 0.1 MB are free" in ended.err
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full._replace(free=need))
    assert shell("fetch", "sky", "--out", tmp_path / "out").code == 0


def test_a_folder_at_an_output_path_fails(
    shell: Shell, job: RenderedPoster, tmp_path: Path
) -> None:
    (tmp_path / "out" / "sky.png").mkdir(parents=True)
    ended = shell("fetch", "sky", "--out", tmp_path / "out")
    assert ended.code == 2
    assert "out/sky.png: is a folder" in ended.err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["sky.png"]


def test_a_file_at_the_output_folder_fails(
    shell: Shell, job: RenderedPoster, tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("mine")
    ended = shell("fetch", "sky", "--out", tmp_path / "out")
    assert ended.code == 2
    assert "choose another --out" in ended.err
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("path", ["../../outside.png", "/outside.png", "outputs/1/.hidden.png"])
def test_a_manifest_with_paths_outside_the_job_is_invalid(
    shell: Shell, job: RenderedPoster, tmp_path: Path, path: str
) -> None:
    manifest = job.manifest
    manifest["outputs"][0]["path"] = path
    (job.store / job.keys.manifest).write_text(json.dumps(manifest))
    ended = shell("fetch", "sky", "--out", tmp_path / "out")

    assert ended.code == 1
    assert "manifest.json: outputs.0.path" in ended.err
    assert not (tmp_path / "out").exists()
