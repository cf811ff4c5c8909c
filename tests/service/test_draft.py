"""A draft on a real S3 server: one real `work` dreams it, and another finishes it."""

import hashlib
import time
import uuid
from pathlib import Path

import dreamfarm
from tests.support.s3_servers import BUCKET, Server, s3_environment
from tests.support.work_processes import work_processes

_SECONDS = 120.0
"""Within which a state is reached."""

_SPEC = {
    "input": {"noise": {"seed": 7}},
    "size": "300x200",
    "dream": {"octaves": 3, "steps": 2},
    "precision": "float32",
}


def wait_for(job: dreamfarm.Job, state: str) -> None:
    deadline = time.monotonic() + _SECONDS
    while job.state != state:
        assert time.monotonic() < deadline, f"{job.state}, not {state}"
        time.sleep(0.2)


def test_another_work_finishes_a_draft_with_the_bytes_of_an_undisturbed_render(
    ceph: Server, tmp_path: Path
) -> None:
    with s3_environment(ceph):
        address = f"s3://{BUCKET}/{uuid.uuid4().hex}"
        job = dreamfarm.Store(address).submit(_SPEC, until=2)
        with work_processes(address, [ceph.environment()], log=tmp_path / "first.log"):
            wait_for(job, "paused")
        (draft,) = job.fetch(tmp_path / "draft").lines
        assert Path(draft).name == f"{job.id}-octave-2.png"

        job.finish()
        with work_processes(address, [ceph.environment()], log=tmp_path / "second.log"):
            wait_for(job, "succeeded")
        (path,) = job.fetch(tmp_path / "whole").lines

    undisturbed = dreamfarm.render(_SPEC, tmp_path / "here", in_process=True)
    (wanted,) = undisturbed.document["outputs"]
    assert undisturbed.document["job"] == job.id
    assert f"sha256:{hashlib.sha256(Path(path).read_bytes()).hexdigest()}" == wanted["sha256"]
