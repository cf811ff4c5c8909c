"""`dreamfarm submit`: the id, the next command, and the exact JSON."""

import getpass
import json
import socket
from pathlib import Path

import pytest

from jobs.records.keys import JobKeys
from jobs.records.request import cancel
from jobs.store.folder import FolderStore
from render.errors import visible
from tests.support.job_states import claim_next_lease, fail_job
from tests.support.rendered_poster import RenderedPoster, write_poster_spec
from tests.support.shell import Shell, check_error_line
from tests.support.small_poster import LAYER, NETWORK, plan_poster


@pytest.fixture
def spec(tmp_path: Path, picture: Path, weights: Path) -> Path:
    return write_poster_spec(tmp_path, picture, weights)


def test_submit_prints_the_id_and_the_next_command(
    shell: Shell, store: FolderStore, spec: Path, picture: Path, weights: Path
) -> None:
    ended = shell("submit", spec)
    job = plan_poster(picture, weights).identity.job_id

    assert (ended.code, ended.out) == (0, f"{job}\n")
    assert ended.err == f"{job}: queued; `dreamfarm work` renders it\n"
    assert shell("submit", spec).err == (
        f"{job}: is already in the store, queued; `dreamfarm watch {job}` shows its progress\n"
    )


def test_submit_json_has_three_fields(shell: Shell, store: FolderStore, spec: Path) -> None:
    first, second = (json.loads(shell("submit", spec, "--json").out) for _ in range(2))

    assert first == {"job": first["job"], "state": "queued", "new": True}
    assert second == {"job": first["job"], "state": "queued", "new": False}


def test_a_picture_with_flags_is_a_job(
    shell: Shell, store: FolderStore, picture: Path, weights: Path
) -> None:
    flags = ("--network", NETWORK, "--weights", weights, "--layer", LAYER, "--size", "x2")
    ended = shell("submit", picture, *flags, "--workers", 3, "--set", "priority=70", "--json")
    job = json.loads(ended.out)["job"]
    printed = json.loads(shell("show", job, "--json").out)

    assert printed["priority"] == 70
    spec = json.loads(store.get(JobKeys(job).spec))["spec"]
    assert (spec["size"], spec["crew"]["workers"]) == ("x2", 3)


def test_an_ended_job_stays_ended_with_advice(shell: Shell, store: FolderStore, spec: Path) -> None:
    job = json.loads(shell("submit", spec, "--json").out)["job"]
    fail_job(store, claim_next_lease(store, JobKeys(job)))
    assert f"failed; `dreamfarm retry {job}` runs it again" in shell("submit", spec).err

    assert shell("retry", job).code == 0
    cancel(store, job)
    assert f"cancelled; `dreamfarm retry {job}` runs it again" in shell("submit", spec).err


def test_a_rendered_job_can_be_fetched(
    shell: Shell, job: RenderedPoster, tmp_path: Path, picture: Path, weights: Path
) -> None:
    outputs = "outputs=[png, {format: tiff, depth: 16}, deepzoom]"
    ended = shell("submit", write_poster_spec(tmp_path, picture, weights, outputs), "--watch")

    assert (ended.code, ended.out) == (0, f"{job.job}\n")
    assert ended.err.splitlines() == [
        f"{job.job}: is already in the store, succeeded; `dreamfarm fetch {job.job}` downloads its "
        "results",
        f"{job.job}: succeeded",
    ]


def test_a_watched_job_that_fails_fails_the_command(
    shell: Shell, store: FolderStore, spec: Path
) -> None:
    job = json.loads(shell("submit", spec, "--json").out)["job"]
    cancel(store, job)
    ended = shell("submit", spec, "--watch")

    assert ended.code == 1
    assert ended.err.splitlines()[-1] == f"dreamfarm: {job}: cancelled"


def test_a_wrong_spec_writes_nothing(
    shell: Shell, store: FolderStore, tmp_path: Path, picture: Path, weights: Path
) -> None:
    spec = write_poster_spec(tmp_path, picture, weights, "dream.steps=-1")
    ended = shell("submit", spec)

    assert ended.code == 2
    said = "line 5, column 3: dream: steps must be from 0 to 100000; not -1"
    assert ended.err == f"dreamfarm: {spec}, {said}\n"
    assert not list(store.list_objects(""))


def test_a_store_is_created_but_not_the_folder_around_it(
    shell: Shell, picture: Path, tmp_path: Path
) -> None:
    ended = shell("submit", picture, "--create", "--store", tmp_path / "mnt" / "store")
    assert ended.code == 2
    assert ended.err == f"dreamfarm: {tmp_path / 'mnt'}: there is no such folder; create it first\n"
    assert not (tmp_path / "mnt").exists()


def test_a_store_that_is_not_there_is_made_only_where_that_is_asked_for(
    shell: Shell, spec: Path, tmp_path: Path
) -> None:
    missing = tmp_path / "stroe"
    ended = shell("submit", spec, "--store", missing)
    check_error_line(ended, f"{missing}: there is no such store; name another with --store or ")
    assert "or add --create to make this one" in ended.err
    assert not missing.exists()

    assert shell("submit", spec, "--store", missing, "--create").code == 0
    assert shell("submit", spec, "--store", missing).code == 0


def test_the_default_store_is_made_without_a_word(
    shell: Shell, spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DREAMFARM_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert shell("submit", spec).code == 0
    assert [path.name for path in (tmp_path / "dreams" / "active").iterdir()]


@pytest.mark.parametrize("command", ["submit sky.png", "work --until-idle"])
@pytest.mark.parametrize("address", ["s3:/x", "stroe"])
def test_a_slip_in_the_environment_makes_no_folder(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, address: str
) -> None:
    monkeypatch.setenv("DREAMFARM_STORE", address)
    monkeypatch.chdir(tmp_path)
    ended = shell(*command.split())
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "user"), [("ann", "ann"), (" ", None), ("a\x1b[2J", "a\x1b[2J")])
def test_the_submitter_is_kept(
    shell: Shell,
    store: FolderStore,
    spec: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    user: str | None,
) -> None:
    monkeypatch.setenv("DREAMFARM_SUBMITTER", name)
    job = json.loads(shell("submit", spec, "--json").out)["job"]
    whole = f"{user or getpass.getuser()}@{socket.gethostname()}"
    assert json.loads(shell("show", job, "--json").out)["submitter"] == whole
    assert f"submitter  {visible(whole)}\n" in shell("show", job).out
    # Who submits it again finds the same job.
    monkeypatch.setenv("DREAMFARM_SUBMITTER", "eve")
    assert json.loads(shell("submit", spec, "--json").out)["new"] is False
    assert json.loads(shell("show", job, "--json").out)["submitter"] == whole


def test_a_submitter_with_a_long_name_is_refused(
    shell: Shell, store: FolderStore, spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DREAMFARM_SUBMITTER", "a" * 201)
    check_error_line(shell("submit", spec), "DREAMFARM_SUBMITTER: must have at most 200")
    assert json.loads(shell("list", "--json").out) == []


def test_limits_are_settings_that_another_submit_changes(
    shell: Shell, store: FolderStore, spec: Path
) -> None:
    first = json.loads(shell("submit", spec, "--set", "limits.usd=40", "--json").out)
    again = json.loads(shell("submit", spec, "--set", "limits.hours=2", "--json").out)
    assert (first["job"], again["new"]) == (again["job"], False)
    assert json.loads(shell("show", first["job"], "--json").out)["limits"] == {"hours": 2.0}
    ended = shell("submit", spec, "--set", "limits.usd=-1")
    check_error_line(ended, "limits.usd: must be above 0.0, not -1")
