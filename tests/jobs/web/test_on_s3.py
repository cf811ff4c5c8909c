"""The API on a bucket."""

import hashlib
from asyncio import AbstractEventLoop
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.records.keys import blob_key
from jobs.store.s3 import S3Store
from tests.support.s3_servers import BUCKET, Server, s3_environment
from tests.support.stored_jobs import finish_job, job_name, run_job, write_open_job
from tests.support.web_client import WebClient, web_client


@pytest.fixture
def bucket(moto: Server, request: pytest.FixtureRequest) -> Iterator[S3Store]:
    """A part of a bucket for one test."""
    with s3_environment(moto):
        yield S3Store(BUCKET, f"web-{request.node.name[:40].strip('_').replace('[', '')}")


@pytest.fixture
def client(bucket: S3Store, loop: AbstractEventLoop) -> WebClient:
    return web_client(bucket, loop)


def test_jobs_are_listed_changed_and_deleted(client: WebClient, bucket: S3Store) -> None:
    keys = write_open_job(bucket, job_name(1))
    run_job(bucket, write_open_job(bucket, job_name(2)))
    states = {one["job"]: one["state"] for one in client.json("/jobs")["jobs"]}
    assert states == {job_name(1): "queued", job_name(2): "running"}
    cancelled = client.send("POST", f"/jobs/{keys.job}/intent", {"request": "cancel"})
    assert cancelled.json()["state"] == "cancelled"
    client.farm.index.scan()
    assert client.json("/farm")["ended"]["cancelled"] == 1
    assert client.send("DELETE", f"/jobs/{keys.job}").status_code == 200
    assert list(bucket.list_objects(keys.folder)) == []
    assert client.get(f"/jobs/{keys.job}").status_code == 404


def test_results_are_read_in_ranges(client: WebClient, bucket: S3Store) -> None:
    keys, content = write_open_job(bucket, job_name(3)), bytes(range(256)) * 2000
    output = {
        "path": "outputs/000001/sea.png",
        "format": "png",
        "width": 1,
        "height": 1,
        "depth": 8,
        "dpi": None,
        "bytes": len(content),
        "sha256": f"sha256:{hashlib.sha256(content).hexdigest()}",
    }
    finish_job(bucket, keys, outputs=[output])
    bucket.put(f"{keys.folder}outputs/000001/sea.png", content)
    url = f"/jobs/{keys.job}/outputs/sea.png"
    assert client.get(url).content == content
    part = client.get(url, headers={"Range": "bytes=300000-300099"})
    assert (part.status_code, part.content) == (206, content[300_000:300_100])


def test_an_upload_lies_in_the_bucket(client: WebClient, bucket: S3Store, picture: Path) -> None:
    content = picture.read_bytes()
    answer = client.upload("/uploads?name=sky.png", content)
    assert answer.status_code == 201, answer.text
    digest = answer.json()["reference"].partition("/")[0]
    assert bucket.get(blob_key(digest)) == content
    assert list(bucket.unfinished_uploads("blobs/")) == []


def test_a_bucket_that_is_not_there_is_named(moto: Server, loop: AbstractEventLoop) -> None:
    with s3_environment(moto):
        answer = web_client(S3Store("no-such-bucket", ""), loop).get("/jobs")
    assert answer.status_code == 503
    assert "no-such-bucket" in answer.json()["detail"]
