"""A dataset of which everything is killed on the way is the dataset of a calm day."""

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

from jobs.dataset.keys import DatasetKeys
from jobs.records.job import look
from jobs.store.address import open_store
from jobs.store.folder import FolderStore
from jobs.store.store import Store
from tests.chaos.farm import Farm, Kind
from tests.chaos.storm import described
from tests.faults.servers import Server
from tests.jobs.dataset.poison import Inputs, inputs
from tests.jobs.dataset.small import Seen, document, finished, submitted
from tests.jobs.holders import claimed
from tests.jobs.small import LAYER, NETWORK
from tests.jobs.store.s3 import BUCKET, settings
from tests.render.engine import save_seeded
from tests.service.jobs import numbers

POISONED = 25
Round = tuple[Kind, ...]
"""What is killed together."""

FEW: tuple[Round, ...] = (("worker",), ("worker", "coordinator"), ("worker", "work"))
MANY: tuple[Round, ...] = (("worker", "coordinator"), ("ray", "work"), ("worker", "work"))

QUICK = ("dream={octaves: 1, steps: 1, jitter: 6}", "sheet=12")

_PROGRESS = 8
"""Results that there are more of than before when everything is killed again."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seeded weights of the small network."""
    return save_seeded(NETWORK, (LAYER,), tmp_path_factory.mktemp("weights") / "w.safetensors")


@pytest.fixture
def bucket(ceph: Server) -> Iterator[Store]:
    """A store of its own on the real server."""
    with settings(ceph):
        yield open_store(f"s3://{BUCKET}/{uuid.uuid4().hex}")


def uploaded(given: Inputs) -> str:
    """The prefix of the same server under which the pictures lie."""
    place = open_store(f"s3://{BUCKET}/{uuid.uuid4().hex}")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(place.put, given.content, given.content.values()))
    return f"{place.address}/"


def undisturbed(given: Inputs, weights: Path, folder: Path) -> Seen:
    """The same pictures from a folder into a folder, by one worker in this process."""
    store = FolderStore(folder / "store")
    job = submitted(store, given.written(folder / "in"), weights, *QUICK)
    claimed(store, job, folder).run()
    return finished(store, job)


def told(command: str, *arguments: str) -> str:
    """What a command says on standard output; it must succeed."""
    found = subprocess.run(
        [sys.executable, "-m", "jobs.cli", command, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


def weathered(store: Store, job: str, farm: Farm, rounds: Sequence[Round], longest: float) -> None:
    """See a dataset through, with its workers and schedulers killed on the way, round by round.

    longest: seconds; nobody waits for ever.
    """
    keys, left = DatasetKeys(job), list(rounds)
    leases = base = 0
    deadline = time.monotonic() + longest
    while not farm.tend():
        assert time.monotonic() < deadline, look(store, job)
        made, claims = len(numbers(store, keys.results)), len(numbers(store, keys.leases))
        if claims != leases:
            # What the dead had under way has arrived by now.
            leases, base = claims, made
        elif left and made >= base + _PROGRESS and farm.strike(left[0][0]):
            for kind in left.pop(0)[1:]:
                farm.strike(kind)
            base = made
        time.sleep(0.05)
    assert left == [], "the dataset was finished before everything was killed"


def survives(
    count: int,
    rounds: Sequence[Round],
    store: Store,
    environment: Mapping[str, str],
    weights: Path,
    folder: Path,
) -> None:
    """One run: the same bytes, each row once, the right classes, summary and exit code."""
    given = inputs(count, POISONED)
    calm = undisturbed(given, weights, folder / "calm")
    spec = folder / "spec.yaml"
    pictures = uploaded(given)
    spec.write_text(yaml.safe_dump(document(pictures, weights, *QUICK, "crew={workers: 3}")))
    job = told("submit", str(spec), "--store", store.address)
    watching = subprocess.Popen(
        [sys.executable, "-m", "jobs.cli", "watch", job, "--store", store.address],
        stderr=subprocess.DEVNULL,
    )
    log = folder / "log"
    farm = Farm(store.address, log, environment, works=1, allow=[pictures])
    try:
        weathered(store, job, farm, rounds, longest=400 + count / 2)
        code = watching.wait(60)
    finally:
        farm.end()
        watching.kill()
        watching.wait()

    words = described(log, store)
    found = finished(store, job)
    holders = 1 + sum(bool({"coordinator", "work"} & set(one)) for one in rounds)
    assert len(numbers(store, DatasetKeys(job).leases)) >= holders, words
    assert found.files == calm.files, words
    assert found.timeless == calm.timeless, words
    assert found.failed.keys() == given.reasons.keys()
    for key, reason in given.reasons.items():
        assert found.failed[key].failure == "input"
        assert reason in str(found.failed[key].message)
    assert code == 0
    summary = json.loads(told("show", job, "--store", store.address, "--json"))
    assert summary["state"] == "succeeded"
    assert summary["items"] == {
        "items": count,
        "done": count - POISONED,
        "failed": {"infra": 0, "memory": 0, "input": POISONED, "bug": 0},
    }


# Where others use the machine too, each start of a Ray and its workers takes most of a minute.
@pytest.mark.timeout(600)
def test_a_poisoned_dataset_survives_its_workers_and_schedulers(
    bucket: Store, ceph: Server, weights: Path, tmp_path: Path
) -> None:
    survives(200, FEW, bucket, ceph.environment(), weights, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_thousand_survive_them_three_times(
    bucket: Store, ceph: Server, weights: Path, tmp_path: Path
) -> None:
    survives(1000, MANY, bucket, ceph.environment(), weights, tmp_path)
