"""What became of a dataset's items: told by `show` and `ledger`, and tried again by `retry`."""

import json
from pathlib import Path

import numpy as np
import pytest

from jobs.dataset.keys import DatasetKeys
from jobs.services.scheduler.coordinator import DONE
from jobs.store.folder import FolderStore
from render.pictures.deepzoom import digest
from tests.jobs.cli.album import BAD, COUNTS, GOOD, RESULTS, Dreamed, told
from tests.jobs.cli.shell import Shell
from tests.jobs.dataset.poison import picture
from tests.jobs.dataset.small import submitted
from tests.jobs.holders import claimed


def test_a_job_s_items_are_shown(shell: Shell, dreamed: Dreamed) -> None:
    assert told(shell("show", dreamed.job, "--json"))["items"] == COUNTS
    words = shell("show", dreamed.job).out
    assert "succeeded, 3 of 4 done, 1 failed (1 input)" in words
    assert "items      3 of 4 done, 1 failed (1 input)\n" in words
    assert "megapixel-steps" not in words
    assert "preview    " in words
    assert f"dreamfarm fetch {dreamed.job}" in words


def test_the_ledger_is_a_line_an_item(shell: Shell, dreamed: Dreamed) -> None:
    lines = shell("ledger", dreamed.job).out.splitlines()
    rows = [json.loads(line) for line in shell("ledger", "set", "--json").out.splitlines()]

    assert lines[0] == "done    a/b/y.png -> a/b/y.png"
    assert lines[1].startswith(f"failed  {BAD}: input: ")
    assert "not a picture" in lines[1]
    assert [row["key"] for row in rows] == sorted([*GOOD, BAD])
    for row in rows:
        if row["state"] == "done":
            assert row["output_sha256"] == f"sha256:{digest(dreamed.result(row['output']))}"


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        (("--failed",), 1),
        (("--class", "input"), 1),
        (("--failed", "--class", "input"), 1),
        (("--class", "bug"), 0),
    ],
)
def test_the_ledger_tells_of_failures_alone(
    shell: Shell, dreamed: Dreamed, asked: tuple[str, ...], count: int
) -> None:
    ended = shell("ledger", dreamed.job, *asked, "--json")
    assert ended.code == 0
    rows = [json.loads(line) for line in ended.out.splitlines()]
    assert [(row["key"], row["failure"]) for row in rows] == [(BAD, "input")] * count


@pytest.mark.parametrize(
    ("asked", "failure"),
    [((), None), (("--only", "failed"), None), (("--class", "input"), "input")],
)
def test_what_failed_is_tried_again_and_nothing_else(
    shell: Shell,
    store: FolderStore,
    album: Path,
    weights: Path,
    tmp_path: Path,
    asked: tuple[str, ...],
    failure: str | None,
) -> None:
    job = submitted(store, album, weights)
    assert claimed(store, job, tmp_path / "work").run() == DONE
    before = {name: store.get(DatasetKeys(job).result(name)) for name in RESULTS}
    (album / BAD).write_bytes(picture(np.random.default_rng(0), "jpeg"))

    assert shell("retry", job, *asked).out == f"{job}: queued again\n"
    assert told(shell("show", job, "--json"))["state"] == "queued"
    assert claimed(store, job, tmp_path / "work").run() == DONE
    rows = [json.loads(line) for line in shell("ledger", job, "--json").out.splitlines()]
    assert [(row["state"], row["generation"]) for row in rows] == [
        ("done", 0),
        ("done", 1),
        ("done", 0),
        ("done", 0),
    ]
    assert {name: store.get(DatasetKeys(job).result(name)) for name in RESULTS} == before


def test_another_class_is_not_tried_again(shell: Shell, dreamed: Dreamed, tmp_path: Path) -> None:
    store = FolderStore(dreamed.store)
    assert shell("retry", dreamed.job, "--class", "memory").code == 0
    assert claimed(store, dreamed.job, tmp_path / "work").run() == DONE

    rows = [json.loads(line) for line in shell("ledger", "set", "--json").out.splitlines()]
    assert {row["generation"] for row in rows} == {0}
    assert told(shell("show", "set", "--json"))["items"] == COUNTS
