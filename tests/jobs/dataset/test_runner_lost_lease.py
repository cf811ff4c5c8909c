"""A holder that sleeps past its lease, before any write, changes nothing when it wakes up."""

import threading
from pathlib import Path

import pytest

from jobs.services.scheduler.coordinator import DONE
from tests.support.bad_pictures import mixed_pictures
from tests.support.coordinators import TTL, claim_job
from tests.support.memory_store import MemoryStore, SleepyStore, wait_until_asleep
from tests.support.small_dataset import PACKED, read_finished_dataset, submit_small_dataset


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two good pictures and a bad one."""
    return mixed_pictures(3, bad=1, seed=8).write_to(tmp_path_factory.mktemp("three"))


@pytest.mark.parametrize("pack", ["files", "webdataset"])
def test_a_late_holder_changes_nothing(
    three: Path, weights: Path, tmp_path: Path, pack: str
) -> None:
    settings = (PACKED,) if pack == "webdataset" else ()
    baseline = MemoryStore()
    job = submit_small_dataset(baseline, three, weights, *settings)
    view = SleepyStore(baseline, None)
    claim_job(baseline, job, tmp_path / "baseline", view).run()
    whole = read_finished_dataset(baseline, job)
    kinds = {part for write in view.writes for part in write.split("#")[0].split("/")}
    assert {"plan.json", "manifest.json", "ledger", "previews", "outputs"} <= kinds
    assert pack == "files" or any(write.startswith("delete") for write in view.writes)

    for number, write in enumerate(view.writes):
        shared = MemoryStore()
        submit_small_dataset(shared, three, weights, *settings)
        sleeper = SleepyStore(shared, write)
        late = claim_job(shared, job, tmp_path / f"late-{number}", sleeper)
        thread = threading.Thread(target=late.run, daemon=True)
        thread.start()
        if not wait_until_asleep(sleeper, thread):
            # The lease renewer may write the last report first.
            assert "/status/" in write or "/events/" in write or "/log" in write, write
            continue

        shared.now += TTL + 1
        assert claim_job(shared, job, tmp_path / f"next-{number}").run() == DONE, write
        before = read_finished_dataset(shared, job)
        assert before.published == whole.published, f"asleep before {write}"
        assert before.reproducible_rows == whole.reproducible_rows, f"asleep before {write}"

        sleeper.may_wake.set()
        thread.join()
        after = read_finished_dataset(shared, job)
        assert after.published == before.published, f"asleep before {write}"
        assert after.rows == before.rows, f"asleep before {write}"
        assert after.job.manifest == before.job.manifest, f"asleep before {write}"
