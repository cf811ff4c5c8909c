"""Datasets from the command line: planned, rendered here, submitted."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from jobs.services.scheduler.coordinator import DONE
from jobs.store.folder import FolderStore
from render.pictures.write import output_digest
from tests.support.coordinators import claim_job
from tests.support.dreamed_dataset import (
    BAD_INPUT,
    COUNTS,
    GOOD_INPUTS,
    JOB_FILES,
    RESULTS,
    DreamedDataset,
    write_dataset_spec,
    write_photos,
)
from tests.support.shell import Shell, check_error_line, json_output, visible_files
from tests.support.small_poster import LAYER, NETWORK


def test_results_have_the_tree_of_the_inputs(
    shell: Shell, photos: Path, weights: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    flags = ("--network", NETWORK, "--weights", weights, "--layer", LAYER, "--in-process")
    small = ("--set", "dream={octaves: 2, steps: 1, jitter: 6}", "--set", "tiles=128")
    ended = shell("render", photos, *flags, *small, "--out", out)

    assert (ended.code, ended.out) == (0, f"{out}\n")
    assert ended.err.splitlines()[-1].endswith(": 3 of 4 done, 1 failed (1 input)")
    assert visible_files(out) == RESULTS | JOB_FILES
    for key in GOOD_INPUTS:
        made = (out / key).with_suffix(".png")
        with Image.open(photos / key) as before, Image.open(made) as after:
            assert after.size == before.size
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["kind"], manifest["items"]) == ("dataset", COUNTS)
    ledger = pq.read_table(out / "ledger.parquet").to_pylist()
    assert [row["key"] for row in ledger] == sorted([*GOOD_INPUTS, BAD_INPUT])
    assert [row["failure"] for row in ledger] == [None, "input", None, None]
    for row in ledger:
        if row["state"] == "done":
            assert row["output_sha256"] == output_digest(out / row["output"])


@pytest.mark.parametrize("name", ["", "dreams", "a/b/c/dreams", "a/../dreams"])
def test_results_cannot_go_into_the_input_folder(
    shell: Shell, photos: Path, weights: Path, name: str
) -> None:
    before = {path: path.stat().st_mtime_ns for path in photos.rglob("*")}
    out = photos / name
    flags = ("--network", NETWORK, "--weights", weights, "--layer", LAYER, "--in-process")
    ended = shell("render", photos, *flags, "--out", out)

    check_error_line(ended, f"{out}: lies in {photos}, among the inputs")
    assert {path: path.stat().st_mtime_ns for path in photos.rglob("*")} == before


def test_rerunning_renders_only_new_inputs(
    shell: Shell, photos: Path, weights: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = (
        "render",
        write_dataset_spec(tmp_path, photos, weights),
        "--in-process",
        "--out",
        out,
        "--json",
    )
    first = json_output(shell(*arguments))
    assert first == {
        "job": first["job"],
        "state": "succeeded",
        "items": COUNTS,
        "seconds": first["seconds"],
        "manifest": str(out / "manifest.json"),
        "folder": str(out),
    }
    written = {name: (out / name).stat().st_mtime_ns for name in RESULTS}
    assert json_output(shell(*arguments)) == first

    write_photos(photos, "a/new.png", "b.jpg")
    grown = json_output(shell(*arguments))
    assert grown["job"] == first["job"]
    assert (grown["items"]["items"], grown["items"]["done"]) == (6, 5)
    assert visible_files(out) == RESULTS | JOB_FILES | {"a/new.png", "b.png"}
    assert {name: (out / name).stat().st_mtime_ns for name in RESULTS} == written
    assert pq.read_table(out / "ledger.parquet").num_rows == 6


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (("limits.max_failures=0",), "1 items failed, and limits.max_failures is 0"),
        (("inputs=photos/a/*.jpg", "resize=100000x100000"), "none of 2 items could be dreamed"),
    ],
)
def test_too_many_failures_fail_the_job(
    shell: Shell,
    photos: Path,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: tuple[str, ...],
    line: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    given = [word for one in settings for word in ("--set", one)]
    out = tmp_path / "out"
    spec = write_dataset_spec(tmp_path, photos, weights)
    ended = shell("render", spec, *given, "--in-process", "--out", out)

    assert ended.code == 1
    assert line in ended.err.splitlines()[-1]
    assert not (out / "manifest.json").exists()


def test_failures_within_the_limit_succeed(
    shell: Shell, photos: Path, weights: Path, tmp_path: Path
) -> None:
    spec = write_dataset_spec(tmp_path, photos, weights, "limits.max_failures=1")
    assert json_output(shell("render", spec, "--in-process", "--out", tmp_path / "out", "--json"))


def test_a_plan_counts_its_items(shell: Shell, photos: Path, weights: Path, tmp_path: Path) -> None:
    sweep = "sweep={dream.step_size: [0.01, 0.02, 0.03]}"
    settings = (sweep, "resize=fit 40x30", "precision=float64")
    spec = write_dataset_spec(tmp_path, photos, weights, *settings)
    plan = json_output(shell("plan", spec, "--json"))

    assert (
        plan.items()
        >= {
            "version": 1,
            "pictures": 4,
            "unreadable": 0,
            "variants": 3,
            "items": 12,
            "resize": "fit 40x30",
            "network": NETWORK,
            "precision": "float64",
            "workers": 1,
        }.items()
    )
    words = shell("plan", spec).out
    assert plan["job"] in words
    assert f"{NETWORK}: {LAYER}, {plan['precision']}" in words
    assert [line.split() for line in words.splitlines() if "items" in line] == [["items", "12"]]
    assert not (tmp_path / "dreams").exists()


def test_a_plan_counts_unreadable_inputs(
    shell: Shell, photos: Path, weights: Path, tmp_path: Path
) -> None:
    table = tmp_path / "all.csv"
    table.write_text("picture\nphotos/z.png\n\nhttps://example.org/a.jpg\n")
    spec = write_dataset_spec(tmp_path, table, weights)

    assert json_output(shell("plan", spec, "--json"))["unreadable"] == 1
    assert ", 1 of them unreadable" in shell("plan", spec).out


def test_submit_json_has_the_number_of_new_items(
    shell: Shell, store: FolderStore, photos: Path, weights: Path, tmp_path: Path
) -> None:
    spec = write_dataset_spec(tmp_path, photos, weights)
    first, second = (json_output(shell("submit", spec, "--json")) for _ in range(2))

    job = first["job"]
    assert first == {"job": job, "state": "queued", "new": True, "items": 4}
    assert second == {"job": job, "state": "queued", "new": False, "items": 0}


def test_submit_prints_the_number_of_new_items(
    shell: Shell, dreamed: DreamedDataset, weights: Path, tmp_path: Path
) -> None:
    photos = write_photos(tmp_path / "photos")
    spec = write_dataset_spec(tmp_path, photos, weights)
    ended = shell("submit", spec)
    job = ended.out.strip()
    left_out = f"{job}: left out 1 file not named like a picture: 1 .txt\n"
    assert ended.err == f"{job}: queued, 4 items; `dreamfarm work` renders it\n{left_out}"

    store = FolderStore(dreamed.store)
    assert claim_job(store, job, tmp_path / "work").run() == DONE
    assert "is already in the store, succeeded; `dreamfarm fetch" in shell("submit", spec).err
    write_photos(photos, "new.png")
    queued = f"{job}: queued, 1 items; `dreamfarm work` renders it\n"
    assert shell("submit", spec).err.removesuffix(left_out) == queued


def test_results_among_the_inputs_are_not_dreamed_again(
    shell: Shell, photos: Path, weights: Path, tmp_path: Path
) -> None:
    (photos / "one.jpg").write_bytes((photos / "a" / "x.jpg").read_bytes())
    settings = ("output={format: jpeg, name: '{stem}-dream'}", "sheet=4")
    spec = write_dataset_spec(tmp_path, photos, weights, f"inputs={photos}/*.jpg", *settings)
    arguments = ("render", spec, "--in-process", "--out", photos)
    assert shell(*arguments).code == 0
    made = visible_files(photos)
    assert {"one-dream.jpg", "contact-sheet.jpg"} <= made

    ended = shell(*arguments)
    assert (ended.code, visible_files(photos)) == (0, made)
    assert "left out results of an earlier run: 2" in shell("plan", spec).out
    other = write_dataset_spec(
        tmp_path, photos, weights, f"inputs={photos}/*.jpg", *settings, "dream.seed=5"
    )
    planned = json_output(shell("plan", other, "--json"))
    assert planned["pictures"] == 2  # those of another job are pictures, but its sheet is not


def test_a_photo_of_another_aspect_is_squashed_only_on_request(
    shell: Shell, photos: Path, weights: Path, tmp_path: Path
) -> None:
    out, settings = tmp_path / "out", (f"inputs={photos}/z.png", "resize=64x16")
    spec = write_dataset_spec(tmp_path, photos, weights, *settings)
    ended = shell("render", spec, "--in-process", "--out", out)
    assert ended.code == 1
    assert "resize 64x16 would squash" in ended.err
    assert "write resize: fit 64x16, or write fit: crop, pad or stretch" in ended.err
    spec = write_dataset_spec(tmp_path, photos, weights, *settings, "fit=stretch")
    assert shell("render", spec, "--in-process", "--out", out).code == 0
    with Image.open(out / "z.png") as made:
        assert made.size == (64, 16)
