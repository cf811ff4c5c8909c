"""A dataset whose workers and schedulers are killed has the bytes of an undisturbed one."""

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from jobs.dataset.inputs.index import DatasetKeys
from jobs.records.job import load_job
from jobs.store.address import open_store
from jobs.store.folder import FolderStore
from jobs.store.store import Store
from tests.support.bad_pictures import MixedPictures, mixed_pictures
from tests.support.coordinators import claim_job
from tests.support.s3_servers import BUCKET, Server, s3_environment
from tests.support.seeded_networks import save_seeded_weights
from tests.support.small_dataset import (
    DatasetResult,
    dataset_document,
    read_finished_dataset,
    submit_small_dataset,
)
from tests.support.small_poster import LAYER, NETWORK
from tests.support.storm import describe_jobs
from tests.support.work_processes import Kind, Supervisor, names_below

POISONED = 25
Round = tuple[Kind, ...]
"""The processes that are killed together."""

FEW: tuple[Round, ...] = (("worker",), ("worker", "coordinator"), ("worker", "work"))
MANY: tuple[Round, ...] = (("worker", "coordinator"), ("ray", "work"), ("worker", "work"))

QUICK = ("dream={octaves: 1, steps: 1, jitter: 6}", "sheet=12")

_PROGRESS = 8
"""New results before the next round of kills."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seeded weights of the small network."""
    return save_seeded_weights(
        NETWORK, (LAYER,), tmp_path_factory.mktemp("weights") / "w.safetensors"
    )


@pytest.fixture
def bucket(ceph: Server) -> Iterator[Store]:
    """A store of its own on the real server."""
    with s3_environment(ceph):
        yield open_store(f"s3://{BUCKET}/{uuid.uuid4().hex}")


def upload(given: MixedPictures) -> str:
    """Upload the pictures to the same server; returns their prefix."""
    store = open_store(f"s3://{BUCKET}/{uuid.uuid4().hex}")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store.put, given.content, given.content.values()))
    return f"{store.address}/"


def undisturbed(given: MixedPictures, weights: Path, folder: Path) -> DatasetResult:
    """Render the pictures from a folder, with one worker in this process."""
    store = FolderStore(folder / "store")
    job = submit_small_dataset(store, given.write_to(folder / "in"), weights, *QUICK)
    claim_job(store, job, folder).run()
    return read_finished_dataset(store, job)


def run_command(command: str, *arguments: str) -> str:
    """The standard output of a command, which must succeed."""
    found = subprocess.run(
        [sys.executable, "-m", "jobs.cli", command, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


def render_with_kills(
    store: Store, job: str, supervisor: Supervisor, rounds: Sequence[Round], timeout: float
) -> None:
    """Render a dataset while its workers and schedulers are killed, round by round.

    timeout: seconds.
    """
    keys, left = DatasetKeys(job), list(rounds)
    leases = base = 0
    deadline = time.monotonic() + timeout
    while not supervisor.restart_ended():
        assert time.monotonic() < deadline, load_job(store, job)
        made, claims = len(names_below(store, keys.results)), len(names_below(store, keys.leases))
        if claims != leases:
            # By now, the results of the killed workers have arrived.
            leases, base = claims, made
        elif left and made >= base + _PROGRESS and supervisor.inject(left[0][0]):
            for kind in left.pop(0)[1:]:
                supervisor.inject(kind)
            base = made
        time.sleep(0.05)
    assert left == [], "the dataset was finished before everything was killed"


def check_survives(
    count: int,
    rounds: Sequence[Round],
    store: Store,
    environment: Mapping[str, str],
    weights: Path,
    folder: Path,
) -> None:
    """One run: check bytes, rows, failure classes, summary and exit code."""
    given = mixed_pictures(count, POISONED)
    expected = undisturbed(given, weights, folder / "undisturbed")
    spec = folder / "spec.yaml"
    pictures = upload(given)
    spec.write_text(
        yaml.safe_dump(dataset_document(pictures, weights, *QUICK, "crew={workers: 3}"))
    )
    job = run_command("submit", str(spec), "--store", store.address)
    watching = subprocess.Popen(
        [sys.executable, "-m", "jobs.cli", "watch", job, "--store", store.address],
        stderr=subprocess.DEVNULL,
    )
    log = folder / "log"
    supervisor = Supervisor(store.address, log, environment, count=1, allow=[pictures])
    try:
        render_with_kills(store, job, supervisor, rounds, timeout=400 + count / 2)
        code = watching.wait(60)
    finally:
        supervisor.end()
        watching.kill()
        watching.wait()

    text = describe_jobs(log, store)
    found = read_finished_dataset(store, job)
    holders = 1 + sum(bool({"coordinator", "work"} & set(one)) for one in rounds)
    assert len(names_below(store, DatasetKeys(job).leases)) >= holders, text
    assert found.files == expected.files, text
    assert found.reproducible_rows == expected.reproducible_rows, text
    assert found.failed.keys() == given.reasons.keys()
    for key, reason in given.reasons.items():
        assert found.failed[key].failure == "input"
        assert reason in str(found.failed[key].message)
    assert code == 0
    summary = json.loads(run_command("show", job, "--store", store.address, "--json"))
    assert summary["state"] == "succeeded"
    assert summary["items"] == {
        "items": count,
        "done": count - POISONED,
        "failed": {"infra": 0, "memory": 0, "input": POISONED, "bug": 0},
    }


# On a busy machine, each start of Ray and its workers takes most of a minute.
@pytest.mark.timeout(600)
def test_a_poisoned_dataset_survives_kills(
    bucket: Store, ceph: Server, weights: Path, tmp_path: Path
) -> None:
    check_survives(200, FEW, bucket, ceph.environment(), weights, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_thousand_items_survive_kills(
    bucket: Store, ceph: Server, weights: Path, tmp_path: Path
) -> None:
    check_survives(1000, MANY, bucket, ceph.environment(), weights, tmp_path)
