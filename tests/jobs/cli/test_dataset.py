"""Datasets from the command line: planned, dreamed here, submitted."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from jobs.services.scheduler.coordinator import DONE
from jobs.store.folder import FolderStore
from render.pictures.deepzoom import digest
from tests.jobs.cli.album import (
    BAD,
    BESIDE,
    COUNTS,
    GOOD,
    RESULTS,
    Dreamed,
    check_one_line,
    files_in,
    photos,
    spec_file,
    told,
)
from tests.jobs.cli.shell import Shell
from tests.jobs.holders import claimed
from tests.jobs.small import LAYER, NETWORK


def test_a_folder_is_dreamed_into_a_tree_like_it(
    shell: Shell, album: Path, weights: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    flags = ("--network", NETWORK, "--weights", weights, "--layer", LAYER, "--in-process")
    small = ("--set", "dream={octaves: 2, steps: 1, jitter: 6}", "--set", "tiles=128")
    ended = shell("render", album, *flags, *small, "--out", out)

    assert (ended.code, ended.out) == (0, f"{out}\n")
    assert ended.err.splitlines()[-1].endswith(": 3 of 4 done, 1 failed (1 input)")
    assert files_in(out) == RESULTS | BESIDE
    for key in GOOD:
        made = (out / key).with_suffix(".png")
        with Image.open(album / key) as before, Image.open(made) as after:
            assert after.size == before.size
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["kind"], manifest["items"]) == ("dataset", COUNTS)
    ledger = pq.read_table(out / "ledger.parquet").to_pylist()
    assert [row["key"] for row in ledger] == sorted([*GOOD, BAD])
    assert [row["failure"] for row in ledger] == [None, "input", None, None]
    for row in ledger:
        if row["state"] == "done":
            assert row["output_sha256"] == f"sha256:{digest(out / row['output'])}"


@pytest.mark.parametrize("name", ["", "dreams", "a/b/c/dreams", "a/../dreams"])
def test_results_do_not_come_to_lie_among_the_inputs(
    shell: Shell, album: Path, weights: Path, name: str
) -> None:
    before = {path: path.stat().st_mtime_ns for path in album.rglob("*")}
    out = album / name
    flags = ("--network", NETWORK, "--weights", weights, "--layer", LAYER, "--in-process")
    ended = shell("render", album, *flags, "--out", out)

    check_one_line(ended, f"{out}: lies in {album}, among the inputs")
    assert {path: path.stat().st_mtime_ns for path in album.rglob("*")} == before


def test_again_does_nothing_and_growth_only_what_is_new(
    shell: Shell, album: Path, weights: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    asked = ("render", spec_file(tmp_path, album, weights), "--in-process", "--out", out, "--json")
    first = told(shell(*asked))
    assert first == {
        "job": first["job"],
        "state": "succeeded",
        "items": COUNTS,
        "seconds": first["seconds"],
        "manifest": str(out / "manifest.json"),
        "folder": str(out),
    }
    written = {name: (out / name).stat().st_mtime_ns for name in RESULTS}
    assert told(shell(*asked)) == first

    photos(album, "a/new.png", "b.jpg")
    grown = told(shell(*asked))
    assert grown["job"] == first["job"]
    assert (grown["items"]["items"], grown["items"]["done"]) == (6, 5)
    assert files_in(out) == RESULTS | BESIDE | {"a/new.png", "b.png"}
    assert {name: (out / name).stat().st_mtime_ns for name in RESULTS} == written
    assert pq.read_table(out / "ledger.parquet").num_rows == 6


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (("limits.max_failures=0",), "1 items failed, and limits.max_failures is 0"),
        (("inputs=photos/a/*.jpg", "resize=100000x100000"), "none of 2 items could be dreamed"),
    ],
)
def test_too_many_failures_are_a_failed_job(
    shell: Shell,
    album: Path,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: tuple[str, ...],
    line: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    given = [word for one in settings for word in ("--set", one)]
    out = tmp_path / "out"
    spec = spec_file(tmp_path, album, weights)
    ended = shell("render", spec, *given, "--in-process", "--out", out)

    assert ended.code == 1
    assert line in ended.err.splitlines()[-1]
    assert not (out / "manifest.json").exists()


def test_failures_within_the_limit_are_none(
    shell: Shell, album: Path, weights: Path, tmp_path: Path
) -> None:
    spec = spec_file(tmp_path, album, weights, "limits.max_failures=1")
    assert told(shell("render", spec, "--in-process", "--out", tmp_path / "out", "--json"))


def test_a_plan_counts_what_there_is_to_do(
    shell: Shell, album: Path, weights: Path, tmp_path: Path
) -> None:
    sweep = "sweep={dream.step_size: [0.01, 0.02, 0.03]}"
    spec = spec_file(tmp_path, album, weights, sweep, "resize=fit 40x30")
    plan = told(shell("plan", spec, "--json"))

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
            "workers": 1,
        }.items()
    )
    words = shell("plan", spec).out
    assert plan["job"] in words
    assert f"{NETWORK}: {LAYER}, {plan['precision']}" in words
    assert [line.split() for line in words.splitlines() if "items" in line] == [["items", "12"]]
    assert not (tmp_path / "dreams").exists()


def test_a_plan_says_what_cannot_be_read(
    shell: Shell, album: Path, weights: Path, tmp_path: Path
) -> None:
    table = tmp_path / "all.csv"
    table.write_text("picture\nphotos/z.png\n\nhttps://example.org/a.jpg\n")
    spec = spec_file(tmp_path, table, weights)

    assert told(shell("plan", spec, "--json"))["unreadable"] == 1
    assert ", 1 of them unreadable" in shell("plan", spec).out


def test_a_submit_tells_programs_how_many_it_has_added(
    shell: Shell, store: FolderStore, album: Path, weights: Path, tmp_path: Path
) -> None:
    spec = spec_file(tmp_path, album, weights)
    first, second = (told(shell("submit", spec, "--json")) for _ in range(2))

    job = first["job"]
    assert first == {"job": job, "state": "queued", "new": True, "items": 4}
    assert second == {"job": job, "state": "queued", "new": False, "items": 0}


def test_a_submit_says_so_to_people_and_growth_too(
    shell: Shell, dreamed: Dreamed, weights: Path, tmp_path: Path
) -> None:
    album = photos(tmp_path / "photos")
    spec = spec_file(tmp_path, album, weights)
    ended = shell("submit", spec)
    job = ended.out.strip()
    assert ended.err == f"{job}: queued, 4 items; `dreamfarm work` renders it\n"

    store = FolderStore(dreamed.store)
    assert claimed(store, job, tmp_path / "work").run() == DONE
    assert "in the store already, succeeded; `dreamfarm fetch" in shell("submit", spec).err
    photos(album, "new.png")
    assert shell("submit", spec).err == f"{job}: queued, 1 items; `dreamfarm work` renders it\n"
