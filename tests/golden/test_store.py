"""What requests write into a store is what other versions read there."""

from tests.golden import store
from tests.golden.recorded import recorded
from tests.golden.shell import Shell


def test_submitted_jobs_have_the_known_keys_and_records(shell: Shell) -> None:
    assert store.submitted(shell) == recorded("submitted")


def test_requests_change_intents_and_markers_as_ever(shell: Shell) -> None:
    assert store.asked(shell) == recorded("asked")
