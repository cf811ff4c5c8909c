"""The results of a dataset's items, in `show` and `ledger`, and their `retry`."""

import json
from pathlib import Path

import numpy as np
import pytest

from jobs.dataset.inputs.index import DatasetKeys
from jobs.services.scheduler.coordinator import DONE
from jobs.store.folder import FolderStore
from render.pictures.write import output_digest
from tests.support.bad_pictures import picture_bytes
from tests.support.coordinators import claim_job
from tests.support.dreamed_dataset import BAD_INPUT, COUNTS, GOOD_INPUTS, RESULTS, DreamedDataset
from tests.support.shell import Shell, json_output
from tests.support.small_dataset import submit_small_dataset


def test_show_prints_item_counts(shell: Shell, dreamed: DreamedDataset) -> None:
    assert json_output(shell("show", dreamed.job, "--json"))["items"] == COUNTS
    words = shell("show", dreamed.job).out
    assert "succeeded, 3 of 4 done, 1 failed (1 input)" in words
    assert "items      3 of 4 done, 1 failed (1 input)\n" in words
    assert "megapixel-steps" not in words
    assert "preview    " in words
    assert f"dreamfarm fetch {dreamed.job}" in words


def test_the_ledger_has_one_line_per_item(shell: Shell, dreamed: DreamedDataset) -> None:
    lines = shell("ledger", dreamed.job).out.splitlines()
    rows = [json.loads(line) for line in shell("ledger", "set", "--json").out.splitlines()]

    assert lines[0] == "done    a/b/y.png -> a/b/y.png"
    assert lines[1].startswith(f"failed  {BAD_INPUT}: input: ")
    assert "not a picture" in lines[1]
    assert [row["key"] for row in rows] == sorted([*GOOD_INPUTS, BAD_INPUT])
    for row in rows:
        if row["state"] == "done":
            assert row["output_sha256"] == output_digest(dreamed.result(row["output"]))


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (("--failed",), 1),
        (("--class", "input"), 1),
        (("--failed", "--class", "input"), 1),
        (("--class", "bug"), 0),
    ],
)
def test_the_ledger_can_show_only_failures(
    shell: Shell, dreamed: DreamedDataset, options: tuple[str, ...], count: int
) -> None:
    ended = shell("ledger", dreamed.job, *options, "--json")
    assert ended.code == 0
    rows = [json.loads(line) for line in ended.out.splitlines()]
    assert [(row["key"], row["failure"]) for row in rows] == [(BAD_INPUT, "input")] * count


@pytest.mark.parametrize(
    ("options", "failure"),
    [((), None), (("--only", "failed"), None), (("--class", "input"), "input")],
)
def test_retry_runs_only_failed_items(
    shell: Shell,
    store: FolderStore,
    photos: Path,
    weights: Path,
    tmp_path: Path,
    options: tuple[str, ...],
    failure: str | None,
) -> None:
    job = submit_small_dataset(store, photos, weights)
    assert claim_job(store, job, tmp_path / "work").run() == DONE
    before = {name: store.get(DatasetKeys(job).result(name)) for name in RESULTS}
    (photos / BAD_INPUT).write_bytes(picture_bytes(np.random.default_rng(0), "jpeg"))

    assert shell("retry", job, *options).out == f"{job}: queued again\n"
    assert json_output(shell("show", job, "--json"))["state"] == "queued"
    assert claim_job(store, job, tmp_path / "work").run() == DONE
    rows = [json.loads(line) for line in shell("ledger", job, "--json").out.splitlines()]
    assert [(row["state"], row["generation"]) for row in rows] == [
        ("done", 0),
        ("done", 1),
        ("done", 0),
        ("done", 0),
    ]
    assert {name: store.get(DatasetKeys(job).result(name)) for name in RESULTS} == before


def test_retry_skips_other_failure_classes(
    shell: Shell, dreamed: DreamedDataset, tmp_path: Path
) -> None:
    store = FolderStore(dreamed.store)
    assert shell("retry", dreamed.job, "--class", "memory").code == 0
    assert claim_job(store, dreamed.job, tmp_path / "work").run() == DONE

    rows = [json.loads(line) for line in shell("ledger", "set", "--json").out.splitlines()]
    assert {row["generation"] for row in rows} == {0}
    assert json_output(shell("show", "set", "--json"))["items"] == COUNTS
