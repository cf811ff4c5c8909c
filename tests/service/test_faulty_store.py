"""Jobs on a store with network faults and outages."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.planning.machine import this_machine
from jobs.planning.poster import make_plan
from jobs.poster.submit import submit_poster
from jobs.records.job import StoredJob, load_job
from jobs.records.keys import JobKeys
from jobs.spec.document import parse_poster_spec
from jobs.store.address import open_store
from jobs.store.store import Store
from tests.support.faulty_proxy import Proxy, faulty_proxy
from tests.support.s3_servers import BUCKET, Server, s3_environment
from tests.support.small_poster import claim_poster
from tests.support.work_processes import names_below, noise_job, work_processes

TIMEOUT = 1.0
JOB = noise_job(7, "420x280", dream={"octaves": 3, "steps": 4}, tiles=128)


@pytest.fixture(scope="module")
def proxy(moto: Server) -> Iterator[Proxy]:
    with faulty_proxy(moto.endpoint, seed=3, stall=2 * TIMEOUT) as faulty:
        yield faulty


@pytest.fixture
def bucket(moto: Server) -> Iterator[Store]:
    """A new store, without the faults."""
    with s3_environment(moto):
        yield open_store(f"s3://{BUCKET}/{uuid.uuid4().hex}")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The checksums of the job, rendered without faults."""
    return digests(claim_poster(poster_plan(), tmp_path_factory.mktemp("undisturbed")).run())


def poster_plan() -> Any:
    return make_plan(parse_poster_spec(JOB), this_machine())


def digests(manifest: dict[str, Any] | None) -> list[str]:
    assert manifest is not None
    return [one["sha256"] for one in manifest["outputs"]]


def environment_behind(proxy: Proxy, moto: Server) -> dict[str, str]:
    """The environment of a process that uses the store through the proxy."""
    return {**moto.behind(proxy.endpoint).environment(), "DREAMFARM_S3_TIMEOUT": str(TIMEOUT)}


def wait_for_progress(store: Store, job: str) -> StoredJob:
    """Wait until some of a job is done."""
    deadline = time.monotonic() + 60
    while True:
        found = load_job(store, job)
        if found.status and found.status.done:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def test_a_job_survives_failures_of_a_tenth_of_all_requests(
    bucket: Store, moto: Server, proxy: Proxy, tmp_path: Path, expected: list[str]
) -> None:
    proxy.reset(3)
    proxy.rate = 0.1
    job, log = submit_poster(bucket, parse_poster_spec(JOB)).job, tmp_path / "log"
    environments = [environment_behind(proxy, moto)] * 2
    with work_processes(bucket.address, environments, "--until-idle", log=log) as processes:
        codes = [process.wait(timeout=200) for process in processes]

    text = log.read_text()
    assert codes == [0, 0], text
    found = load_job(bucket, job)
    assert found.state == "succeeded", text
    assert digests(found.manifest) == expected
    assert names_below(bucket, JobKeys(job).leases) == ["000001.json"], text
    assert text.count("started (lease 1)") == 1


@pytest.mark.parametrize(
    "seconds", [25, pytest.param(120, marks=[pytest.mark.slow, pytest.mark.timeout(400)])]
)
def test_a_job_survives_an_outage_longer_than_its_lease(
    bucket: Store, moto: Server, proxy: Proxy, tmp_path: Path, expected: list[str], seconds: float
) -> None:
    proxy.reset(0)
    job, log = submit_poster(bucket, parse_poster_spec(JOB)).job, tmp_path / "log"
    options = ("--until-idle", "--lease", "20")
    with work_processes(
        bucket.address, [environment_behind(proxy, moto)] * 2, *options, log=log
    ) as processes:
        wait_for_progress(bucket, job)
        with proxy.outage():
            time.sleep(seconds)
            assert all(process.poll() is None for process in processes)
        codes = [process.wait(timeout=200) for process in processes]

    text = log.read_text()
    assert codes == [0, 0], text
    found = load_job(bucket, job)
    assert digests(found.manifest) == expected
    assert names_below(bucket, JobKeys(job).leases) == ["000001.json"], text
    assert text.count("trying again") == len(processes)
