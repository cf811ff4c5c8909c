"""The same commands on a bucket, and on one that cannot be reached."""

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.records.request import cancel
from jobs.store.address import open_store
from jobs.store.folder import FolderStore
from jobs.store.s3_client import make_client
from jobs.store.store import Store, store_now
from render.pictures.deepzoom import digest
from tests.faults.proxy import faulty_proxy
from tests.faults.servers import Server, free_ports, moto_server
from tests.jobs.cli.farm import Rendered, spec_file
from tests.jobs.cli.shell import Shell
from tests.jobs.cli.test_watch import EVERY, meanwhile
from tests.jobs.lifecycle.scene import JOB, lay
from tests.jobs.store.s3 import BUCKET, settings

PATIENCE = 15.0
"""Seconds after which a command at the latest says that a store cannot be reached."""


READS = 4
"""Objects that one look reads, at the least."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with moto_server() as server:
        server.create_bucket(BUCKET)
        yield server


@pytest.fixture
def bucket(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty store in a bucket, which the commands find by their environment."""
    address = f"s3://{BUCKET}/{uuid.uuid4().hex}"
    monkeypatch.setenv("DREAMFARM_STORE", address)
    with settings(server):
        yield open_store(address)


def test_from_submit_to_delete(
    shell: Shell, bucket: Store, tmp_path: Path, picture: Path, weights: Path
) -> None:
    spec = spec_file(tmp_path, picture, weights)
    job = json.loads(shell("submit", spec, "--json").out)["job"]
    assert [one["job"] for one in json.loads(shell("list", "--json").out)] == [job]
    assert json.loads(shell("show", "sky", "--json").out)["state"] == "queued"
    assert shell("pause", "sky").out == f"{job}: paused\n"
    assert shell("cancel", "sky").out == f"{job}: cancelled\n"
    assert shell("watch", "sky").code == 1
    assert shell("delete", "sky", "--yes").code == 0
    assert all(entry.key.startswith("blobs/") for entry in bucket.entries(""))


def test_results_and_other_formats_are_fetched(
    shell: Shell, bucket: Store, rendered_once: Rendered, tmp_path: Path
) -> None:
    for entry in FolderStore(rendered_once.store).entries(""):
        bucket.upload(rendered_once.store / entry.key, entry.key)
    own = {one["format"]: one["sha256"] for one in rendered_once.manifest["outputs"]}

    ended = shell("fetch", "sky", "--out", tmp_path, "--json")
    assert ended.code == 0, ended.err
    for one in json.loads(ended.out)["outputs"]:
        assert one["sha256"] == own[one["format"]] == f"sha256:{digest(Path(one['path']))}"

    # Made from the bucket's canvas and from the folder's, which is read in its place.
    made = [
        json.loads(shell("fetch", "sky", "--out", folder, "--format", "jpeg", "--json", *at).out)
        for folder, at in ((tmp_path, ()), (tmp_path / "2", ("--store", rendered_once.store)))
    ]
    assert len({told["outputs"][0]["sha256"] for told in made}) == 1


def test_uploads_that_broke_off_are_shown_and_go(shell: Shell, bucket: Store) -> None:
    key = f"{bucket.address.removeprefix(f's3://{BUCKET}/')}/blobs/sha256/half"
    make_client().create_multipart_upload(Bucket=BUCKET, Key=key)
    # For moto every upload was begun in 2010.
    told = json.loads(shell("clean", "--yes", "--json").out)

    assert [one["where"] for one in told["found"]] == ["blobs/sha256/half"]
    assert not list(bucket.unfinished(""))


def test_the_store_s_clock_leaves_nothing(bucket: Store) -> None:
    assert abs(store_now(bucket) - time.time()) < 5
    assert not list(bucket.entries(""))


def test_watching_survives_an_outage(shell: Shell, server: Server) -> None:
    address = f"s3://{BUCKET}/{uuid.uuid4().hex}"
    with settings(server):
        direct = open_store(address)
        lay(direct)
    with faulty_proxy(server.endpoint) as proxy:

        def break_down() -> None:
            while proxy.counts()["GET", "object"] < 2 * READS:
                time.sleep(0.05)
            proxy.out = True
            time.sleep(3)
            cancel(direct, JOB)

        def recover() -> None:
            proxy.out = False

        with settings(server.behind(proxy.endpoint)), meanwhile(break_down, recover):
            ended = shell("watch", JOB, "--store", address, *EVERY)

    assert ended.code == 1
    queued, gone, back, last = ended.err.splitlines()
    assert queued == f"{JOB}: queued"
    assert gone.endswith("; trying again")
    assert back == f"{address}: answers again"
    assert last == f"dreamfarm: {JOB}: cancelled"


@pytest.mark.parametrize(
    "command",
    ["list", "show sky", "watch sky", "logs sky", "pause sky", "fetch sky", "delete sky --yes"],
)
def test_a_store_that_cannot_be_reached_is_said_at_once(
    shell: Shell, server: Server, command: str
) -> None:
    nowhere = server.behind(f"http://127.0.0.1:{free_ports(1)}")
    with settings(nowhere):
        began = time.monotonic()
        ended = shell(*command.split(), "--store", f"s3://{BUCKET}/x")
        assert time.monotonic() - began < PATIENCE

    assert (ended.code, ended.out) == (3, "")
    assert len(ended.err.splitlines()) == 1
    assert ended.err.startswith(f"dreamfarm: s3://{BUCKET}/x at 127.0.0.1:")


def test_a_submit_says_so_before_it_plans(
    shell: Shell, server: Server, tmp_path: Path, picture: Path, weights: Path
) -> None:
    nowhere = server.behind(f"http://127.0.0.1:{free_ports(1)}")
    with settings(nowhere):
        ended = shell("submit", tmp_path / "no such spec.yaml", "--store", f"s3://{BUCKET}/x")
    assert ended.code == 3


def test_a_bucket_that_is_not_there_is_said(shell: Shell, server: Server) -> None:
    with settings(server):
        ended = shell("list", "--store", "s3://nobody-has-this/x")
    assert ended.code == 3
    assert "no such bucket" in ended.err
