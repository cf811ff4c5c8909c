"""`dreamfarm submit`: the id, what follows, and exactly what programs read."""

import json
from pathlib import Path

import pytest

from jobs.records.keys import JobKeys
from jobs.records.request import cancel
from jobs.store.folder import FolderStore
from tests.jobs.cli.farm import Rendered, spec_file
from tests.jobs.cli.shell import Shell
from tests.jobs.lifecycle.scene import claimed, fail
from tests.jobs.small import LAYER, NETWORK, planned


@pytest.fixture
def spec(tmp_path: Path, picture: Path, weights: Path) -> Path:
    return spec_file(tmp_path, picture, weights)


def test_the_id_is_printed_and_what_follows(
    shell: Shell, store: FolderStore, spec: Path, picture: Path, weights: Path
) -> None:
    ended = shell("submit", spec)
    job = planned(picture, weights).identity.job_id

    assert (ended.code, ended.out) == (0, f"{job}\n")
    assert ended.err == f"{job}: queued; `dreamfarm work` renders it\n"
    assert shell("submit", spec).err == (
        f"{job}: is in the store already, queued; `dreamfarm watch {job}` shows how far it is\n"
    )


def test_programs_get_three_words(shell: Shell, store: FolderStore, spec: Path) -> None:
    first, second = (json.loads(shell("submit", spec, "--json").out) for _ in range(2))

    assert first == {"job": first["job"], "state": "queued", "new": True}
    assert second == {"job": first["job"], "state": "queued", "new": False}


def test_a_picture_with_flags_is_a_job_too(
    shell: Shell, store: FolderStore, picture: Path, weights: Path
) -> None:
    flags = ("--network", NETWORK, "--weights", weights, "--layer", LAYER, "--size", "x2")
    ended = shell("submit", picture, *flags, "--workers", 3, "--set", "priority=70", "--json")
    job = json.loads(ended.out)["job"]
    told = json.loads(shell("show", job, "--json").out)

    assert told["priority"] == 70
    spec = json.loads(store.get(JobKeys(job).spec))["spec"]
    assert (spec["size"], spec["crew"]["workers"]) == ("x2", 3)


def test_a_job_that_has_ended_stays_ended_and_what_helps_is_said(
    shell: Shell, store: FolderStore, spec: Path
) -> None:
    job = json.loads(shell("submit", spec, "--json").out)["job"]
    fail(store, claimed(store, JobKeys(job)))
    assert f"failed; `dreamfarm retry {job}` runs it again" in shell("submit", spec).err

    assert shell("retry", job).code == 0
    cancel(store, job)
    assert f"cancelled; `dreamfarm retry {job}` runs it again" in shell("submit", spec).err


def test_what_is_rendered_can_be_fetched(
    shell: Shell, job: Rendered, tmp_path: Path, picture: Path, weights: Path
) -> None:
    outputs = "outputs=[png, {format: tiff, depth: 16}, deepzoom]"
    ended = shell("submit", spec_file(tmp_path, picture, weights, outputs), "--watch")

    assert (ended.code, ended.out) == (0, f"{job.job}\n")
    assert ended.err.splitlines() == [
        f"{job.job}: is in the store already, succeeded; `dreamfarm fetch {job.job}` brings its "
        "results",
        f"{job.job}: succeeded",
    ]


def test_a_watched_job_that_ends_badly_ends_the_command_so(
    shell: Shell, store: FolderStore, spec: Path
) -> None:
    job = json.loads(shell("submit", spec, "--json").out)["job"]
    cancel(store, job)
    ended = shell("submit", spec, "--watch")

    assert ended.code == 1
    assert ended.err.splitlines()[-1] == f"dreamfarm: {job}: cancelled"


def test_a_wrong_spec_is_refused_and_nothing_written(
    shell: Shell, store: FolderStore, tmp_path: Path, picture: Path, weights: Path
) -> None:
    ended = shell("submit", spec_file(tmp_path, picture, weights, "dream.steps=-1"))

    assert ended.code == 2
    assert ended.err == "dreamfarm: dream: steps must be from 0 to 100000; not -1\n"
    assert not list(store.entries(""))
