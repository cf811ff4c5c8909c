"""The lifecycle of jobs: a job that keeps losing its workers without progress is let go."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster.errors import MemberLost
from jobs.runtime.context import JobContext
from jobs.runtime.control import Control, Stopped
from jobs.runtime.failures import RetryDecision
from jobs.runtime.reporter import Reporter
from jobs.runtime.runner import JobRunner, RunContext
from tests.support.job_states import claim_next_lease, write_job
from tests.support.memory_store import MemoryStore

LOST = MemberLost(0, "its machine is gone")

REGROUP = Stopped("regroup")


class ScriptedRunner(JobRunner):
    """A job whose attempts end as written: with how much work done, and with which error.

    attempts: how many have begun. After the last one of the script the job succeeds.
    """

    group_name = "crew"

    def __init__(self, run_context: RunContext, script: list[tuple[float, Exception]]) -> None:
        super().__init__(run_context)
        self._script, self._done, self.attempts = script, 0.0, 0

    def _take_over(self) -> None:
        pass

    def _attempt(self) -> tuple[str, dict[str, Any]]:
        self.attempts += 1
        if self.attempts > len(self._script):
            return self._run_context.job_context.keys.manifest, {"version": 1}
        self._done, error = self._script[self.attempts - 1]
        raise error

    def _work_done(self) -> float:
        return self._done

    def _is_frugal(self) -> bool:
        return False

    def _prepare_retry(self, decision: RetryDecision) -> None:
        assert decision == "again"


Script = Callable[..., ScriptedRunner]


@pytest.fixture
def script(store: MemoryStore, tmp_path: Path) -> Script:
    """Returns the runner of a job with these attempts."""
    keys = write_job(store)
    lease = claim_next_lease(store, keys)
    context = JobContext(lambda: store, keys.job, lease.number, tmp_path)

    def make(*attempts: tuple[float, Exception]) -> ScriptedRunner:
        run_context = RunContext(context, lease, Control(), Reporter(context, 0), {})
        return ScriptedRunner(run_context, list(attempts))

    return make


def test_any_number_of_losses_with_progress_between_them_is_survived(script: Script) -> None:
    runner = script(*((float(done), LOST) for done in range(1, 9)))
    assert runner.run() == {"version": 1}
    assert runner.attempts == 9


@pytest.mark.parametrize(
    ("losses", "attempts"),
    [
        ([0, 0, 0], 3),
        ([8, 8, 8], 3),
        # After a loss the work resumes from a checkpoint at 7, and never comes further than 8.
        ([8, 7, 7.5, 7, 7.5], 3),
        ([5, 4, 6, 5, 5.5], 5),
    ],
)
def test_the_third_loss_without_progress_beyond_the_furthest_one_ends_the_run(
    script: Script, losses: list[float], attempts: int
) -> None:
    runner = script(*((done, LOST) for done in losses))
    with pytest.raises(MemberLost):
        runner.run()
    assert runner.attempts == attempts


def test_a_change_of_the_crew_is_no_progress(script: Script) -> None:
    runner = script((8, LOST), (8, REGROUP), (7, LOST), (8, REGROUP), (7.5, LOST))
    with pytest.raises(MemberLost):
        runner.run()
    assert runner.attempts == 5
