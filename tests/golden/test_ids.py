"""The same request is the same job, in every version."""

from tests.golden import ids
from tests.golden.recorded import recorded
from tests.golden.shell import Shell


def test_submit_and_plan_know_the_jobs_of_old_by_their_ids(shell: Shell) -> None:
    wanted = recorded("ids")
    assert ids.submitted(shell) == wanted
    planned = ids.planned(shell)
    assert planned == {name: wanted[name] for name in planned}
