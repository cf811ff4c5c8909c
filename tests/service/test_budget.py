"""A budget of a day and a limit of a job, with a real `work`: money stops it between two steps."""

import subprocess
import sys
from pathlib import Path

import pytest

import dreamfarm
from jobs.records.spending import SPENDING
from jobs.store.folder import FolderStore

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_SPEC = {
    "input": {"noise": {"seed": 7}},
    "size": "300x200",
    "dream": {"octaves": 2, "steps": 4},
    "precision": "float32",
}


def work(store: Path, *options: str) -> str:
    """Run `work` until it has nothing to do; returns what it says."""
    command = [sys.executable, "-m", "jobs.cli", "work", "--store", str(store), "--until-idle"]
    ended = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
    return ended.stderr


def test_money_stops_a_job_between_two_steps(tmp_path: Path) -> None:
    store = tmp_path / "store"
    farm = dreamfarm.Store(store, create=True)
    job = farm.submit(_SPEC)

    # A crew takes seconds to start, so it costs more than a cent before its first step.
    said = work(store, "--price", "1000", "--budget", "usd-per-day=0.01", "--poll", "0.2")
    assert "the budget of this day, USD 0.01, is spent" in said
    held = job.summary()
    assert (held.state, held.paused_by) == ("queued", None)
    assert held.reason is not None
    assert "goes on after midnight UTC" in held.reason
    assert held.spent is not None
    assert (held.spent.usd or 0) > 0.01

    # The next day, with a limit of the job that it has passed already.
    records = FolderStore(store)
    records.delete([entry.key for entry in records.list_objects(SPENDING)])
    assert farm.submit(_SPEC, limits={"usd": 0.01}).id == job.id
    assert "--raise usd=20" in work(store, "--price", "1000")
    assert job.summary().paused_by == "limit"
    job.resume(usd=1000)
    work(store, "--price", "1000", "--budget", "usd-per-day=9999")
    whole = job.summary()
    assert (whole.state, whole.limits) == ("succeeded", {"usd": 1000.01})
    assert whole.spent is not None
    assert (whole.spent.usd or 0) > (held.spent.usd or 0)

    here = dreamfarm.render(_SPEC, tmp_path / "here", in_process=True)
    (wanted,) = here.document["outputs"]
    assert whole.outputs[0]["sha256"] == wanted["sha256"]
