"""`dreamfarm list`: every job once, the newest first, whatever else is in the store."""

import json
import os
import time
from pathlib import Path

import pytest

from jobs.records.keys import JobKeys
from jobs.records.state import Intent
from jobs.store.folder import FolderStore
from tests.support.dreamed_dataset import DreamedDataset
from tests.support.job_states import claim_next_lease, fail_job, sample_status, write_job
from tests.support.rendered_poster import RenderedPoster
from tests.support.shell import Shell, check_error_line

OLD, NEW, BAD = "old-0123456789ab", "new-0123456789ab", "bad-0123456789ab"


def aged(store: FolderStore, key: str, seconds: float) -> None:
    """Change the age of an object."""
    then = time.time() - seconds
    os.utime(Path(store.address) / key, (then, then))


@pytest.fixture
def jobs(store: FolderStore) -> FolderStore:
    """An old failed job, and a new running one."""
    fail_job(store, claim_next_lease(store, write_job(store, OLD)))
    aged(store, JobKeys(OLD).spec, 7 * 3600)
    held = claim_next_lease(store, write_job(store, NEW))
    store.put(held.keys.status(1), sample_status().encode())
    return store


def test_the_newest_job_comes_first(shell: Shell, jobs: FolderStore) -> None:
    ended = shell("list")
    rows = [line.split() for line in ended.out.splitlines() if "-0123456789ab" in line]

    assert ended.code == 0
    assert rows == [
        [NEW, "running", "25%", "6", "s", "0", "s", "here:1"],
        [OLD, "failed", "25%", "7.0", "h", "no", "memory"],
    ]


def test_list_json_equals_show_json(shell: Shell, jobs: FolderStore) -> None:
    listed = json.loads(shell("list", "--json").out)
    shown = [json.loads(shell("show", job, "--json").out) for job in (NEW, OLD)]

    for one in (*listed, *shown):
        # These still change.
        del one["submitted"], one["age_seconds"]
    assert listed == shown


@pytest.mark.parametrize(
    ("states", "found"),
    [(["failed"], [OLD]), (["queued"], []), (["failed", "running"], [NEW, OLD])],
)
def test_states_filter_jobs(
    shell: Shell, jobs: FolderStore, states: list[str], found: list[str]
) -> None:
    ended = shell("list", "--json", *(f"--state={state}" for state in states))
    assert [one["job"] for one in json.loads(ended.out)] == found


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--name", "old"), [OLD]),
        (("--name", "[on]*"), [NEW, OLD]),
        (("--name", OLD), [OLD]),
        (("--name", "OLD*"), []),
        (("--since", "6h"), [NEW]),
        (("--since", "0.3d"), [NEW, OLD]),
        (("--since", "1w", "--name", "o*", "--state", "failed"), [OLD]),
        (("--since", "1w", "--name", "o*", "--state", "running"), []),
    ],
)
def test_names_and_times_filter_jobs(
    shell: Shell, jobs: FolderStore, options: tuple[str, ...], found: list[str]
) -> None:
    assert [one["job"] for one in json.loads(shell("list", "--json", *options).out)] == found


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("ann", [NEW]), ("ann@*", [NEW]), ("*@lab", [NEW]), ("a*", [NEW]), ("lab", []), ("A*", [])],
)
def test_submitters_filter_jobs(
    shell: Shell, jobs: FolderStore, pattern: str, found: list[str]
) -> None:
    # The old job is of a version that kept no submitter.
    spec = json.loads(jobs.get(JobKeys(NEW).spec)) | {"submitter": {"user": "ann", "host": "lab"}}
    jobs.put(JobKeys(NEW).spec, json.dumps(spec).encode())
    listed = json.loads(shell("list", "--json", "--submitter", pattern).out)
    assert [one["job"] for one in listed] == found
    assert {one["submitter"] for one in json.loads(shell("list", "--json").out)} == {
        "ann@lab",
        None,
    }
    assert shell("list", "--submitter", "eve").out == f"no jobs by eve in {jobs.address}\n"


def test_jobs_of_other_names_are_not_read(shell: Shell, jobs: FolderStore) -> None:
    jobs.put(JobKeys(BAD).spec, b"{}")
    assert shell("list", "--name", "old*").err == ""


def test_a_filter_that_nothing_passes_is_named(shell: Shell, jobs: FolderStore) -> None:
    ended = shell("list", "--state", "failed", "--name", "sea*", "--since", "2d")
    assert ended.out == f"no failed jobs named sea* of the last 2d in {jobs.address}\n"


@pytest.mark.parametrize("since", ["", "2", "d", "-1d", "2y", "1e9d", "nand", "1 d", "٣d"])
def test_a_time_without_number_or_unit_fails(shell: Shell, store: FolderStore, since: str) -> None:
    check_error_line(shell("list", "--since", since), f"--since {since}: write a number and a unit")


def test_a_poster_shows_look_size_duration_and_holder(
    shell: Shell, job: RenderedPoster, tmp_path: Path, picture: Path
) -> None:
    size = "6cm x auto @ 40dpi"
    spec = json.loads(shell("submit", picture, "--look", "garden", "--size", size, "--json").out)[
        "job"
    ]
    held = claim_next_lease(FolderStore(job.store), JobKeys(spec))
    status = sample_status().model_copy(update={"seconds": 130.0})
    FolderStore(job.store).put(held.keys.status(1), status.encode())
    listed = {one["job"]: one for one in json.loads(shell("list", "--json").out)}
    (output, *_) = job.manifest["outputs"]

    new, done = listed[spec], listed[job.job]
    assert (new["look"], new["size"], new["seconds"]) == ("garden", size, 130.0)
    assert done["look"] is None
    assert done["size"] == f"{output['width']} x {output['height']}"
    assert done["seconds"] == job.manifest["seconds"]["total"]
    (line,) = [line for line in shell("list").out.splitlines() if spec in line]
    for text in ("garden", size, "2 min", "here:1"):
        assert text in line
    shown = shell("show", spec).out
    for name, text in (("look", "garden"), ("size", size), ("duration", "2 min")):
        assert any(line.split() == [name, *text.split()] for line in shown.splitlines())


def test_a_narrow_terminal_drops_columns_in_order(
    shell: Shell, jobs: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rich.console.Console.is_terminal", True)

    def headings(columns: int) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        lines = shell("list").out.splitlines()
        assert max(map(len, lines)) <= columns
        (line,) = [line for line in lines if line.split()[:1] == ["job"]]
        return line.replace("time left", "left").split()

    whole = headings(180)
    assert whole == [
        *("job", "state", "done", "left", "age", "look", "size", "duration", "spent"),
        *("priority", "submitter", "holder", "reason"),
    ]
    order = (
        *("holder", "submitter", "size", "priority", "spent", "duration", "look", "left", "age"),
    )
    seen = {len(found): found for found in map(headings, range(180, 49, -1))}
    for count in range(1, len(order) + 1):
        dropped = set(order[:count])
        assert seen[len(whole) - count] == [one for one in whole if one not in dropped]
    assert set(headings(50)) >= {"job", "state", "done", "reason"}


def test_an_unknown_state_fails(shell: Shell, store: FolderStore) -> None:
    ended = shell("list", "--state", "qeued")
    assert ended.code == 2
    assert ended.err == "dreamfarm: --state qeued: no such state; nearest: queued\n"


def test_unreadable_jobs_are_one_line(shell: Shell, jobs: FolderStore) -> None:
    jobs.put(JobKeys(BAD).spec, b"{}")
    jobs.put(JobKeys("gone-0123456789ab").intent, Intent().encode())
    jobs.put("jobs/README", b"")
    ended = shell("list")

    assert ended.code == 0
    assert {NEW, OLD} <= set(ended.out.split())
    assert BAD not in ended.out
    bad, gone = ended.err.splitlines()
    assert bad.startswith(f"dreamfarm: jobs/{BAD}/spec.json: ")
    assert gone.startswith("dreamfarm: no job gone-0123456789ab in ")


@pytest.mark.parametrize("is_empty", [True, False])
def test_a_folder_in_place_of_a_marker_is_said(
    shell: Shell, store: FolderStore, is_empty: bool
) -> None:
    write_job(store, NEW)
    marker = Path(store.address) / "active" / NEW
    marker.mkdir(parents=True)
    if not is_empty:
        (marker / "mine.txt").touch()
    said = f"active/{NEW}: is a folder, so no `work` finds the job; move it away, and run"
    assert said in shell("list").out
    assert said in shell("show", NEW).out
    assert json.loads(shell("show", NEW, "--json").out)["state"] == "queued"

    marker.rename(marker.parent.parent / "mine")
    assert shell("resume", NEW).code == 0
    assert marker.is_file()
    assert "is a folder" not in shell("list").out


def test_an_empty_store_is_reported_and_stays_empty(
    shell: Shell, store: FolderStore, tmp_path: Path
) -> None:
    folder = Path(store.address)
    ended = shell("list")
    assert (ended.code, ended.out) == (0, f"no jobs in {store.address}\n")
    assert json.loads(shell("list", "--json").out) == []
    assert list(tmp_path.iterdir()) == [folder]
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    "command", ["list", "show JOB", "watch JOB", "logs JOB", "ledger JOB", "pause JOB", "fetch JOB"]
)
def test_a_store_that_is_not_there_is_refused_and_not_created(
    shell: Shell, tmp_path: Path, command: str
) -> None:
    ended = shell(*command.split(), "--store", tmp_path / "stroe")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"dreamfarm: {tmp_path / 'stroe'}: there is no such store; ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("address", ["s3:/x", "S3:bucket/prefix", "file:/tmp"])
def test_an_address_with_a_lost_slash_is_no_folder(shell: Shell, address: str) -> None:
    ended = shell("list", "--store", address)
    assert ended.code == 2
    assert f"{address}: not the address of a store; write s3://BUCKET/PREFIX" in ended.err


def test_the_option_overrides_the_environment(
    shell: Shell, jobs: FolderStore, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    assert shell("list", "--store", tmp_path / "other").out.startswith("no jobs in ")


def test_the_default_store_is_the_dreams_folder(
    shell: Shell, jobs: FolderStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DREAMFARM_STORE")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "store").rename(tmp_path / "dreams")
    assert NEW in shell("list").out


def test_failed_items_of_a_dataset_are_counted(shell: Shell, dreamed: DreamedDataset) -> None:
    assert ", 1 failed" in shell("list").out
