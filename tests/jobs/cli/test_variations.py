"""`variations`, and `finish` of a sheet."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from jobs.planning.poster import PosterPlan
from jobs.poster.local_draft import draft_here
from jobs.records.keys import JobKeys
from jobs.records.state import Intent
from jobs.runtime.control import Stopped
from jobs.services.variations import drafts
from jobs.store.folder import FolderStore
from tests.support.rendered_poster import release_lease
from tests.support.shell import Shell, check_error_line, json_output
from tests.support.small_poster import claim_poster, plan_poster, poster_document

SETTINGS = ("size=150xauto", "dream.octaves=3", "dream.octave_scale=1.5", "dream.steps=1")

SEEDS = ("--vary", "dream.seed=1..2", "--draft", "100px")


@pytest.fixture
def spec(picture: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec file in the working directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(poster_document(picture, weights, *SETTINGS)))
    return path


INTERRUPTED = "the next draft is interrupted"


@pytest.fixture
def drafted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The jobs that were drafted, in order. A test may append INTERRUPTED."""
    made: list[str] = []

    def record(plan: PosterPlan, *others: Any) -> tuple[Path, int]:
        if made[-1:] == [INTERRUPTED]:
            raise KeyboardInterrupt
        made.append(plan.identity.job_id)
        return draft_here(plan, *others)

    monkeypatch.setattr(drafts, "draft_here", record)
    return made


def test_finish_renders_a_number_with_the_bytes_of_an_undisturbed_render(
    shell: Shell, spec: Path, tmp_path: Path
) -> None:
    ended = shell("variations", spec, *SEEDS, "--out", "sheet", "--json")
    made = json_output(ended)
    assert made["sheet"] == "sheet/sheet.jpg"
    assert [(one["number"], one["caption"]) for one in made["variations"]] == [
        (1, "seed 1"),
        (2, "seed 2"),
    ]
    assert json.loads(Path("sheet/sheet.json").read_text())["variations"] == made["variations"]
    for one in made["variations"]:
        with Image.open(Path("sheet") / one["job"] / one["picture"]) as image:
            assert image.size == (100, 68)
    with Image.open(made["sheet"]) as image:
        assert image.width > 2 * 320

    job = made["variations"][1]["job"]
    told = json_output(shell("like", Path("sheet", job), "--json"))
    assert (told["dream"]["seed"], told["size"]) == (2, "150 x auto")
    finished = json_output(shell("finish", "sheet", 2, "--json", "--in-process"))
    assert finished["outputs"][0]["path"] == f"sheet/{job}/sky.png"
    whole = shell(
        *("render", spec, "--set", "dream.seed=2", "--in-process", "--json", "--out", "whole")
    )
    assert finished["outputs"][0]["sha256"] == json_output(whole)["outputs"][0]["sha256"]
    assert not (tmp_path / "sheet" / job / ".rendering").exists()

    assert shell("finish", "sheet", 1, "--in-process", "--keep").code == 0
    first = made["variations"][0]["job"]
    assert [path.name for path in Path("sheet", first, ".rendering").iterdir()] == [first]


def test_the_same_command_makes_only_what_is_missing(
    shell: Shell, spec: Path, drafted: list[str]
) -> None:
    drafted.append(INTERRUPTED)
    assert shell("variations", spec, *SEEDS).code == 130
    drafted.clear()
    first = shell("variations", spec, *SEEDS)
    (sheet,) = first.out.splitlines()
    assert len(drafted) == 2
    assert first.err.splitlines()[-1].startswith(f"`dreamfarm finish {Path(sheet).parent} 1` ")
    again = shell("variations", spec, *SEEDS)
    assert (again.out, len(drafted)) == (first.out, 2)

    (Path(sheet).parent / drafted[1] / f"{drafted[1]}-octave-2.png").unlink()
    assert shell("variations", spec, *SEEDS).out == first.out
    assert drafted[2:] == [drafted[1]]
    # Another sheet is in another folder.
    other = shell("variations", spec, *SEEDS[:1], "dream.seed=1", *SEEDS[2:])
    assert other.code == 0
    assert other.out != first.out


def test_a_draft_that_is_the_whole_is_rendered_whole(shell: Shell, spec: Path) -> None:
    arguments = ("variations", spec, "--vary", "dream.seed=1,2", "--set", "outputs=[deepzoom]")
    made = json_output(shell(*arguments, "--draft", "600px", "--out", "sheet", "--json"))
    job = made["variations"][0]["job"]
    assert made["variations"][0]["picture"] == "sky.dzi"
    assert Path("sheet", job, "manifest.json").is_file()
    with Image.open(made["sheet"]) as image:
        assert np.asarray(image).max() > 200
    before = Path("sheet", job, "manifest.json").stat().st_mtime_ns
    assert shell(*arguments, "--draft", "600px", "--out", "sheet").code == 0
    assert Path("sheet", job, "manifest.json").stat().st_mtime_ns == before


def test_bad_requests_are_one_line_and_make_nothing(shell: Shell, spec: Path) -> None:
    for options, line in (
        (("--vary", "dream.sed=1,2"), "variation 1 (sed 1): dream.sed: no such key; nearest: seed"),
        (
            ("--vary", "dream.steps=-1,2"),
            "variation 1 (steps -1): dream: steps must be from 0 to 100000",
        ),
        (("--vary", "dream.seed=9..1"), "--vary dream.seed=9..1: the range is empty"),
        (("--vary", "dream.seed=1..101"), "--vary: 101 variations, and a sheet has at most 100"),
        (("--vary", "dream.seed=1", "--vary", "dream.seed=2"), "--vary dream.seed: is there twice"),
        (("--vary", "dream.seed=1,2", "--draft", "big"), "variation 1 (seed 1): --draft big: "),
    ):
        check_error_line(shell("variations", spec, *options), line)
    check_error_line(shell("variations", spec.parent, "--vary", "dream.seed=1"), "variations: are ")
    assert not Path("dreams").exists()


def test_a_folder_has_one_sheet(shell: Shell, spec: Path) -> None:
    made = shell("variations", spec, *SEEDS[:1], "dream.seed=1", *SEEDS[2:], "--out", "sheet")
    assert made.code == 0
    check_error_line(
        shell("variations", spec, *SEEDS, "--out", "sheet"),
        "sheet: has a sheet of other variations; choose another --out",
    )
    for arguments, line in (
        (("sheet",), "sheet/sheet.json: write a number from 1 to 1 after the sheet"),
        (("sheet/sheet.jpg", 2), "sheet/sheet.json: 2: no such variation; write a number"),
        (("sheet", 1, "--out", "x"), "--out: a sheet has a folder for each of its variations"),
        (("gone", 1), "gone: is no sheet of variations; give the folder that `variations` printed"),
    ):
        check_error_line(shell("finish", *arguments), line)
    record = Path("sheet/sheet.json")
    document = json.loads(record.read_text())
    document["variations"][0]["job"] = "../.."
    record.write_text(json.dumps(document))
    check_error_line(shell("finish", "sheet", 1), "sheet/sheet.json: is no sheet of variations")


def test_variations_in_a_store_are_jobs_that_pause(
    shell: Shell, spec: Path, store: FolderStore, picture: Path, weights: Path, tmp_path: Path
) -> None:
    address = str(tmp_path / "store")
    arguments = ("variations", spec, "--vary", "dream.seed=1,2", "--draft", "100px")
    first = shell(*arguments, "--store", address, "--out", "sheet")
    assert first.code == 0, first.err
    assert f"2 drafts wait for `dreamfarm work --store {address}`" in first.err
    jobs = [one["job"] for one in json.loads(Path("sheet/sheet.json").read_text())["variations"]]
    assert [Intent.read(store, JobKeys(job).intent).until for job in jobs] == [2, 2]

    holder = claim_poster(plan_poster(picture, weights, *SETTINGS, "dream.seed=2"), tmp_path)
    with pytest.raises(Stopped, match="draft"):
        holder.run()
    holder.reporter.write(store)
    release_lease(store, holder.context.keys)
    made = json_output(shell(*arguments, "--store", address, "--out", "sheet", "--json"))
    assert [one["picture"] for one in made["variations"]] == [None, f"{jobs[1]}-octave-2.png"]
    assert Path("sheet", jobs[1], f"{jobs[1]}-octave-2.png").is_file()

    # Another run leaves the job of the user's choice alone.
    assert shell("finish", "sheet", 2).out == f"{jobs[1]}: queued\n"
    assert shell(*arguments, "--store", address, "--out", "sheet").code == 0
    assert Intent.read(store, JobKeys(jobs[1]).intent).until is None


def test_another_store_gets_the_jobs_too(shell: Shell, spec: Path, tmp_path: Path) -> None:
    arguments = ("variations", spec, "--vary", "dream.seed=1", "--draft", "100px", "--out", "sheet")
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        made = json_output(shell(*arguments, "--store", tmp_path / name, "--json"))
        job = made["variations"][0]["job"]
        assert Intent.read(FolderStore(tmp_path / name), JobKeys(job).intent).until == 2
    # The same store by another name has them already.
    FolderStore(tmp_path / "other").put(JobKeys(job).intent, Intent().encode())
    assert shell(*arguments, "--store", "other").code == 0
    assert Intent.read(FolderStore(tmp_path / "other"), JobKeys(job).intent).until is None


def test_a_sheet_replaces_no_file_of_others(
    shell: Shell, spec: Path, tmp_path: Path, drafted: list[str]
) -> None:
    picture = tmp_path / "sheet.jpg"
    picture.write_bytes(b"somebody's")
    check_error_line(
        shell("variations", spec, *SEEDS, "--out", "."),
        "sheet.jpg: exists already and is no sheet; choose another --out",
    )
    (tmp_path / "sheet.json").write_text('{"mine": 1}')
    check_error_line(
        shell("variations", spec, *SEEDS, "--out", "."), "sheet.json: is no sheet of variations"
    )
    assert picture.read_bytes() == b"somebody's"
    assert (tmp_path / "sheet.json").read_text() == '{"mine": 1}'
    assert drafted == []


@pytest.mark.parametrize("content", ["{}", '{"outputs": []}', '{"job": "%s", "outputs": 7}', "["])
def test_junk_in_place_of_a_manifest_is_no_draft(
    shell: Shell, spec: Path, store: FolderStore, tmp_path: Path, content: str
) -> None:
    arguments = ("variations", spec, "--vary", "dream.seed=1", "--draft", "600px", "--out", "sheet")
    made = json_output(shell(*arguments, "--store", tmp_path / "store", "--json"))
    job = made["variations"][0]["job"]
    manifest = Path("sheet", job, "manifest.json")
    manifest.parent.mkdir()
    manifest.write_text(content.replace("%s", job))
    ended = shell(*arguments)
    if "%s" in content:
        assert ended.code == 0
    else:
        check_error_line(ended, f"{manifest}: ")
        assert manifest.read_text() == content
