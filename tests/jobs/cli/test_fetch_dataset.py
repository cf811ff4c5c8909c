"""`dreamfarm fetch` of a dataset: each result in its place, checked, and what is there kept."""

from pathlib import Path

import numpy as np

from jobs.services.scheduler.coordinator import DONE
from jobs.store.folder import FolderStore
from tests.jobs.cli.album import BESIDE, COUNTS, RESULTS, Dreamed, check_one_line, files_in, told
from tests.jobs.cli.shell import Shell, leftovers
from tests.jobs.dataset.poison import picture
from tests.jobs.dataset.small import submitted
from tests.jobs.holders import claimed


def test_results_are_fetched_into_their_tree(
    shell: Shell, dreamed: Dreamed, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    said = told(shell("fetch", "set", "--out", out, "--json"))

    assert (said["job"], said["items"], said["folder"]) == (dreamed.job, COUNTS, str(out))
    assert files_in(out) == RESULTS | BESIDE
    for name in RESULTS:
        assert (out / name).read_bytes() == dreamed.result(name).read_bytes()
    assert leftovers(out) == []
    ended = shell("fetch", "set", "--out", out)
    assert ended.out == f"{out}\n"
    assert ended.err == f"{dreamed.job}: 3 of 4 done, 1 failed (1 input)\n"


def test_what_is_here_is_kept_and_what_is_not_whole_is_fetched_again(
    shell: Shell, dreamed: Dreamed, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    told(shell("fetch", "set", "--out", out, "--json"))
    whole = {name: dreamed.result(name).read_bytes() for name in RESULTS}
    # What is here already need not be there.
    dreamed.result("z.png").unlink()
    (out / "a/x.png").write_bytes(b"edited")
    (out / "a/mine.txt").write_text("mine")

    assert shell("fetch", "set", "--out", out).code == 0
    assert {name: (out / name).read_bytes() for name in RESULTS} == whole
    assert (out / "a/mine.txt").read_text() == "mine"

    (out / "z.png").unlink()
    ended = shell("fetch", "set", "--out", out)
    assert ended.code == 3
    assert "outputs/z.png" in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_damaged_result_is_refused_and_a_fetch_that_broke_off_goes_on(
    shell: Shell, dreamed: Dreamed, tmp_path: Path
) -> None:
    out, path = tmp_path / "out", dreamed.result("z.png")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    ended = shell("fetch", "set", "--out", out)

    assert ended.code == 3
    assert "outputs/z.png: what came from" in ended.err
    assert "has not the checksum of the ledger" in ended.err
    assert files_in(out) <= RESULTS - {"z.png"}
    assert leftovers(out) == []
    path.write_bytes(whole)
    assert shell("fetch", "set", "--out", out).code == 0
    assert files_in(out) == RESULTS | BESIDE


def test_what_has_not_succeeded_cannot_be_fetched(
    shell: Shell, store: FolderStore, album: Path, weights: Path, tmp_path: Path
) -> None:
    job = submitted(store, album, weights)
    ended = shell("fetch", job, "--out", tmp_path / "out")
    check_one_line(ended, f"{job}: is queued; only what has succeeded can be fetched")
    assert not (tmp_path / "out").exists()


def test_names_that_a_disk_hardly_takes_are_fetched_too(
    shell: Shell, store: FolderStore, weights: Path, tmp_path: Path
) -> None:
    inputs = tmp_path / "in"
    (inputs / "a-0.01.jpg").mkdir(parents=True)
    names = ("a.png", "a-0.01.jpg/b.jpg", "contact-sheet.jpg", f"{'x' * 250}.jpg")
    for number, name in enumerate(names):
        (inputs / name).write_bytes(picture(np.random.default_rng(number), "jpeg"))
    sweep = "sweep={dream.step_size: [0.01, 0.02]}"
    job = submitted(store, inputs, weights, sweep, "output=jpeg", "sheet=2")
    assert claimed(store, job, tmp_path / "work").run() == DONE

    out = tmp_path / "out"
    assert told(shell("fetch", job, "--out", out, "--json"))["items"]["done"] == 8
    assert len(files_in(out)) == 8 + len(BESIDE)
