"""Commands on a bucket, and on one that cannot be reached."""

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.dataset.inputs.s3 import s3_client
from jobs.records.request import cancel
from jobs.store.address import open_store
from jobs.store.folder import FolderStore
from jobs.store.s3_client import make_client
from jobs.store.store import Store, store_time
from render.pictures.write import output_digest
from tests.support.faulty_proxy import faulty_proxy
from tests.support.job_states import JOB, write_job
from tests.support.rendered_poster import RenderedPoster, write_poster_spec
from tests.support.s3_servers import BUCKET, Server, free_ports, moto_server, s3_environment
from tests.support.shell import EVERY, Shell, in_background
from tests.support.small_poster import LAYER, NETWORK

TIMEOUT = 15.0
"""The most seconds until a command reports an unreachable store."""


READS = 4
"""The fewest objects that one report reads."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with moto_server() as server:
        server.create_bucket(BUCKET)
        yield server


@pytest.fixture
def bucket(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty store in a bucket, in DREAMFARM_STORE."""
    address = f"s3://{BUCKET}/{uuid.uuid4().hex}"
    monkeypatch.setenv("DREAMFARM_STORE", address)
    with s3_environment(server):
        yield open_store(address)


def test_from_submit_to_delete(
    shell: Shell, bucket: Store, tmp_path: Path, picture: Path, weights: Path
) -> None:
    spec = write_poster_spec(tmp_path, picture, weights)
    job = json.loads(shell("submit", spec, "--json").out)["job"]
    assert [one["job"] for one in json.loads(shell("list", "--json").out)] == [job]
    assert json.loads(shell("show", "sky", "--json").out)["state"] == "queued"
    assert shell("pause", "sky").out == f"{job}: paused\n"
    assert shell("cancel", "sky").out == f"{job}: cancelled\n"
    assert shell("watch", "sky").code == 1
    assert shell("delete", "sky", "--yes").code == 0
    assert all(entry.key.startswith("blobs/") for entry in bucket.list_objects(""))


@pytest.fixture
def own_client() -> Iterator[None]:
    """Inputs come from this module's server."""
    s3_client.cache_clear()
    yield
    s3_client.cache_clear()


def test_a_picture_in_a_bucket_is_the_job_of_its_file(
    shell: Shell, bucket: Store, own_client: None, picture: Path, weights: Path
) -> None:
    client = make_client()
    for path in (picture, weights):
        client.upload_file(str(path), BUCKET, f"things/{path.name}")
    flags = ("--size", "x1", "--network", NETWORK, "--layer", LAYER, "--json")
    here = json.loads(shell("submit", picture, "--weights", weights, *flags).out)
    there = [f"s3://{BUCKET}/things/{path.name}" for path in (picture, weights)]
    found = json.loads(shell("submit", there[0], "--weights", there[1], *flags).out)
    assert (found["job"], found["new"]) == (here["job"], False)
    ended = shell("submit", f"s3://{BUCKET}/things/gone.jpg", *flags)
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert f"s3://{BUCKET}/things/gone.jpg: no such object" in ended.err


def test_fetch_brings_results_and_other_formats(
    shell: Shell, bucket: Store, rendered_once: RenderedPoster, tmp_path: Path
) -> None:
    for entry in FolderStore(rendered_once.store).list_objects(""):
        bucket.upload(rendered_once.store / entry.key, entry.key)
    own = {one["format"]: one["sha256"] for one in rendered_once.manifest["outputs"]}

    ended = shell("fetch", "sky", "--out", tmp_path, "--json")
    assert ended.code == 0, ended.err
    for one in json.loads(ended.out)["outputs"]:
        assert one["sha256"] == own[one["format"]] == output_digest(Path(one["path"]))

    # Encoded from the bucket's canvas, and from the folder's, which is read in place.
    made = [
        json.loads(shell("fetch", "sky", "--out", folder, "--format", "jpeg", "--json", *at).out)
        for folder, at in ((tmp_path, ()), (tmp_path / "2", ("--store", rendered_once.store)))
    ]
    assert len({printed["outputs"][0]["sha256"] for printed in made}) == 1


def test_broken_uploads_are_shown_and_removed(shell: Shell, bucket: Store) -> None:
    key = f"{bucket.address.removeprefix(f's3://{BUCKET}/')}/blobs/sha256/half"
    make_client().create_multipart_upload(Bucket=BUCKET, Key=key)
    # moto dates every upload to 2010.
    printed = json.loads(shell("clean", "--yes", "--json").out)

    assert [one["where"] for one in printed["found"]] == ["blobs/sha256/half"]
    assert not list(bucket.unfinished_uploads(""))


def test_the_store_s_clock_leaves_nothing(bucket: Store) -> None:
    assert abs(store_time(bucket) - time.time()) < 5
    assert not list(bucket.list_objects(""))


def test_watching_survives_an_outage(shell: Shell, server: Server) -> None:
    address = f"s3://{BUCKET}/{uuid.uuid4().hex}"
    with s3_environment(server):
        direct = open_store(address)
        write_job(direct)
    with faulty_proxy(server.endpoint) as proxy:

        def break_down() -> None:
            while proxy.counts()["GET", "object"] < 2 * READS:
                time.sleep(0.05)
            proxy.out = True
            time.sleep(3)
            cancel(direct, JOB)

        def recover() -> None:
            proxy.out = False

        with s3_environment(server.behind(proxy.endpoint)), in_background(break_down, recover):
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
def test_an_unreachable_store_fails_at_once(shell: Shell, server: Server, command: str) -> None:
    nowhere = server.behind(f"http://127.0.0.1:{free_ports(1)}")
    with s3_environment(nowhere):
        began = time.monotonic()
        ended = shell(*command.split(), "--store", f"s3://{BUCKET}/x")
        assert time.monotonic() - began < TIMEOUT

    assert (ended.code, ended.out) == (3, "")
    assert len(ended.err.splitlines()) == 1
    assert ended.err.startswith(f"dreamfarm: s3://{BUCKET}/x at 127.0.0.1:")


def test_submit_fails_before_planning(
    shell: Shell, server: Server, tmp_path: Path, picture: Path, weights: Path
) -> None:
    nowhere = server.behind(f"http://127.0.0.1:{free_ports(1)}")
    with s3_environment(nowhere):
        ended = shell("submit", tmp_path / "no such spec.yaml", "--store", f"s3://{BUCKET}/x")
    assert ended.code == 3


def test_a_missing_bucket_is_reported(shell: Shell, server: Server) -> None:
    with s3_environment(server):
        ended = shell("list", "--store", "s3://nobody-has-this/x")
    assert ended.code == 3
    assert "no such bucket" in ended.err
