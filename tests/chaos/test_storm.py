"""A poster rendered during faults has the bytes of an undisturbed one."""

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
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The checksums of the undisturbed poster."""
    plan = make_plan(parse_poster_spec(POSTER), this_machine())
    outputs = claim_poster(plan, tmp_path_factory.mktemp("undisturbed")).run()["outputs"]
    return [one["sha256"] for one in outputs]


def check_survives(seed: int, folder: Path, expected: list[str]) -> None:
    """One run: check the bytes, the work redone, and that no unknown objects remain."""
    address, log = str(folder / "store"), folder / "log"
    store = open_store(address)
    supervisor = Supervisor(address, log, {})
    try:
        job, track = render_in_storm(store, POSTER, supervisor, fault_kinds(seed, FAULTS), seed)
    finally:
        supervisor.end()
    text = describe_jobs(log, store)
    assert output_digests(job) == expected, text
    check_work_redone(track, text)
    assert unknown_objects(store, job.id) == [], text


@pytest.mark.parametrize("seed", [0, 1])
def test_a_poster_survives_each_fault_once(seed: int, tmp_path: Path, expected: list[str]) -> None:
    """Two runs that together have each kind of fault once."""
    check_survives(seed, tmp_path, expected)


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(2, 22))
def test_a_poster_survives_faults(seed: int, tmp_path: Path, expected: list[str]) -> None:
    check_survives(seed, tmp_path, expected)
