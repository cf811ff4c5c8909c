"""Several processes submit, several clusters render, and each job is rendered exactly once."""

import json
import os
import random
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.records.job import load_job
from jobs.records.keys import ACTIVE, JobKeys
from jobs.store.address import open_store
from jobs.store.store import Store
from tests.support.ray_clusters import ENVIRONMENT, ray_clusters
from tests.support.s3_servers import BUCKET, Server, s3_environment
from tests.support.work_processes import names_below, noise_job, work_processes

JOBS, SUBMITTERS, CLUSTERS = 8, 6, 3


@pytest.fixture
def bucket(ceph: Server) -> Iterator[Store]:
    """A store of its own on the real server."""
    with s3_environment(ceph):
        yield open_store(f"s3://{BUCKET}/{uuid.uuid4().hex}")


def submit_all(store: Store, environment: dict[str, str]) -> Counter[str]:
    """Submit each job from three of six processes at once; returns how often each was new."""
    draw = random.Random(0)
    parts: list[list[str]] = [[] for _ in range(SUBMITTERS)]
    for seed in range(JOBS):
        for at in (seed, seed + 1, seed + 3):
            parts[at % SUBMITTERS].append(json.dumps(noise_job(seed)))
    processes = []
    for share in parts:
        draw.shuffle(share)
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "tests.support.submitting_process", store.address, *share],
                stdout=subprocess.PIPE,
                env={**os.environ, **environment},
            )
        )
    found: Counter[str] = Counter()
    for process in processes:
        out, _ = process.communicate(timeout=120)
        for job, new in json.loads(out):
            found[job] += new
    return found


def test_every_job_is_rendered_exactly_once(bucket: Store, ceph: Server, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with ray_clusters(CLUSTERS, cpus=2) as addresses:
        new = submit_all(bucket, ceph.environment())
        assert len(new) == JOBS
        assert set(new.values()) == {1}

        environments = [
            {**ceph.environment(), **ENVIRONMENT, "ADDRESS": address} for address in addresses
        ]
        with work_processes(bucket.address, environments, "--until-idle", log=log) as processes:
            codes = [process.wait(timeout=280) for process in processes]

    text = log.read_text()
    assert codes == [0] * CLUSTERS, text
    for name in new:
        job, keys = load_job(bucket, name), JobKeys(name)
        assert job.state == "succeeded", text
        assert job.manifest is not None
        assert names_below(bucket, keys.leases) == ["000001.json"], text
        (output,) = job.manifest["outputs"]
        assert bucket.get(f"{keys.folder}{output['path']}")[:4] == b"\x89PNG"
    assert list(bucket.list_objects(ACTIVE)) == []
