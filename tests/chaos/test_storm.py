"""A poster in a storm is the poster of a calm day."""

from pathlib import Path

import pytest

from jobs.planning.machine import this_machine
from jobs.planning.poster import make_plan
from jobs.spec.document import parse_poster_spec
from jobs.store.address import open_store
from tests.support.job_states import output_digests
from tests.support.small_poster import claim_poster
from tests.support.storm import (
    check_work_redone,
    describe_jobs,
    fault_kinds,
    render_in_storm,
    storm_job,
    unknown_objects,
)
from tests.support.work_processes import Supervisor

FAULTS = 3
POSTER = storm_job(seed=1, size="600x400", steps=6)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The checksums of the undisturbed poster."""
    plan = make_plan(parse_poster_spec(POSTER), this_machine())
    outputs = claim_poster(plan, tmp_path_factory.mktemp("calm")).run()["outputs"]
    return [one["sha256"] for one in outputs]


def survives(seed: int, folder: Path, calm: list[str]) -> None:
    """One run: the same bytes, little done again, and nothing left that nobody knows."""
    address, log = str(folder / "store"), folder / "log"
    store = open_store(address)
    supervisor = Supervisor(address, log, {})
    try:
        job, track = render_in_storm(store, POSTER, supervisor, fault_kinds(seed, FAULTS), seed)
    finally:
        supervisor.end()
    told = describe_jobs(log, store)
    assert output_digests(job) == calm, told
    check_work_redone(track, told)
    assert unknown_objects(store, job.id) == [], told


@pytest.mark.parametrize("seed", [0, 1])
def test_a_poster_survives_everything_once(seed: int, tmp_path: Path, calm: list[str]) -> None:
    """Two runs, in which each kind of fault happens once."""
    survives(seed, tmp_path, calm)


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(2, 22))
def test_a_poster_survives_everything(seed: int, tmp_path: Path, calm: list[str]) -> None:
    survives(seed, tmp_path, calm)
