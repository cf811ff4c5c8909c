"""A dataset's holder that sleeps through its lease, at whatever write, changes nothing."""

import threading
from pathlib import Path

import pytest

from jobs.services.scheduler.coordinator import DONE
from tests.jobs.dataset.poison import inputs
from tests.jobs.dataset.small import PACKED, finished, submitted
from tests.jobs.holders import TTL, claimed
from tests.jobs.lifecycle.memory_store import MemoryStore
from tests.jobs.test_late_holder import SleepyStore, falls_asleep


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures and a poison."""
    return inputs(3, spoilt=1, seed=8).written(tmp_path_factory.mktemp("three"))


@pytest.mark.parametrize("pack", ["files", "webdataset"])
def test_a_holder_that_wakes_up_late_changes_nothing(
    three: Path, weights: Path, tmp_path: Path, pack: str
) -> None:
    settings = (PACKED,) if pack == "webdataset" else ()
    calm = MemoryStore()
    job = submitted(calm, three, weights, *settings)
    view = SleepyStore(calm, None)
    claimed(calm, job, tmp_path / "calm", view).run()
    whole = finished(calm, job)
    kinds = {part for write in view.writes for part in write.split("#")[0].split("/")}
    assert {"plan.json", "manifest.json", "ledger", "previews", "outputs"} <= kinds
    assert pack == "files" or any(write.startswith("delete") for write in view.writes)

    for number, write in enumerate(view.writes):
        shared = MemoryStore()
        submitted(shared, three, weights, *settings)
        sleeper = SleepyStore(shared, write)
        late = claimed(shared, job, tmp_path / f"late-{number}", sleeper)
        thread = threading.Thread(target=late.run, daemon=True)
        thread.start()
        if not falls_asleep(sleeper, thread):
            # The last report is the keeper's, where it was as quick.
            assert "/status/" in write or "/events/" in write or "/log" in write, write
            continue

        shared.now += TTL + 1
        assert claimed(shared, job, tmp_path / f"next-{number}").run() == DONE, write
        before = finished(shared, job)
        assert before.files == whole.files, f"asleep before {write}"
        assert before.timeless == whole.timeless, f"asleep before {write}"

        sleeper.may_wake.set()
        thread.join()
        after = finished(shared, job)
        assert after.files == before.files, f"asleep before {write}"
        assert after.rows == before.rows, f"asleep before {write}"
        assert after.job.manifest == before.job.manifest, f"asleep before {write}"
