"""`dreamfarm fetch` of a dataset: verified results in their folders; complete files stay."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from jobs.services.scheduler.coordinator import DONE
from jobs.store.folder import FolderStore
from tests.support.bad_pictures import picture_bytes
from tests.support.coordinators import claim_job
from tests.support.dreamed_dataset import COUNTS, JOB_FILES, RESULTS, DreamedDataset
from tests.support.shell import Shell, check_error_line, hidden_files, json_output, visible_files
from tests.support.small_dataset import submit_small_dataset


def test_results_keep_their_tree(shell: Shell, dreamed: DreamedDataset, tmp_path: Path) -> None:
    out = tmp_path / "out"
    printed = json_output(shell("fetch", "set", "--out", out, "--json"))

    assert (printed["job"], printed["items"], printed["folder"]) == (dreamed.job, COUNTS, str(out))
    assert visible_files(out) == RESULTS | JOB_FILES
    for name in RESULTS:
        assert (out / name).read_bytes() == dreamed.result(name).read_bytes()
    assert hidden_files(out) == []
    ended = shell("fetch", "set", "--out", out)
    assert ended.out == f"{out}\n"
    assert ended.err == f"{dreamed.job}: 3 of 4 done, 1 failed (1 input)\n"


def test_a_folder_needs_no_hard_links(
    shell: Shell, dreamed: DreamedDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    out = tmp_path / "out"
    for _ in range(2):
        assert shell("fetch", "set", "--out", out).code == 0
        assert visible_files(out) == RESULTS | JOB_FILES
        assert hidden_files(out) == []


def test_complete_files_stay_and_others_are_fetched_again(
    shell: Shell, dreamed: DreamedDataset, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    json_output(shell("fetch", "set", "--out", out, "--json"))
    whole = {name: dreamed.result(name).read_bytes() for name in RESULTS}
    # Complete files here are not needed in the store.
    dreamed.result("z.png").unlink()
    (out / "a/x.png").unlink()
    (out / "a/mine.txt").write_text("mine")

    assert shell("fetch", "set", "--out", out).code == 0
    assert {name: (out / name).read_bytes() for name in RESULTS} == whole
    assert (out / "a/mine.txt").read_text() == "mine"

    (out / "z.png").unlink()
    ended = shell("fetch", "set", "--out", out)
    assert ended.code == 3
    assert "outputs/z.png" in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_damaged_result_fails_and_the_fetch_resumes(
    shell: Shell, dreamed: DreamedDataset, tmp_path: Path
) -> None:
    out, path = tmp_path / "out", dreamed.result("z.png")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    ended = shell("fetch", "set", "--out", out)

    assert ended.code == 3
    assert "outputs/z.png: checksum mismatch between" in ended.err
    assert visible_files(out) <= RESULTS - {"z.png"}
    assert hidden_files(out) == []
    path.write_bytes(whole)
    assert shell("fetch", "set", "--out", out).code == 0
    assert visible_files(out) == RESULTS | JOB_FILES


def test_unfinished_datasets_cannot_be_fetched(
    shell: Shell, store: FolderStore, photos: Path, weights: Path, tmp_path: Path
) -> None:
    job = submit_small_dataset(store, photos, weights)
    ended = shell("fetch", job, "--out", tmp_path / "out")
    check_error_line(ended, f"{job}: is queued; only succeeded jobs can be fetched")
    assert not (tmp_path / "out").exists()


def test_very_long_names_are_fetched(
    shell: Shell, store: FolderStore, weights: Path, tmp_path: Path
) -> None:
    inputs = tmp_path / "in"
    (inputs / "a-0.01.jpg").mkdir(parents=True)
    names = ("a.png", "a-0.01.jpg/b.jpg", "contact-sheet.jpg", f"{'x' * 250}.jpg")
    for number, name in enumerate(names):
        (inputs / name).write_bytes(picture_bytes(np.random.default_rng(number), "jpeg"))
    sweep = "sweep={dream.step_size: [0.01, 0.02]}"
    job = submit_small_dataset(store, inputs, weights, sweep, "output=jpeg", "sheet=2")
    assert claim_job(store, job, tmp_path / "work").run() == DONE

    out = tmp_path / "out"
    assert json_output(shell("fetch", job, "--out", out, "--json"))["items"]["done"] == 8
    assert len(visible_files(out)) == 8 + len(JOB_FILES)
