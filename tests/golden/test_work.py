"""What `work` leaves in a store, tells Prometheus, and others read of it."""

from typing import Any

import pytest

from tests.golden import service
from tests.golden.recorded import recorded
from tests.golden.shell import Shell


@pytest.fixture(scope="module")
def worked(shell: Shell) -> dict[str, Any]:
    return service.worked(shell)


@pytest.mark.parametrize("what", ["keys", "records", "events", "metrics", "told"])
def test_rendered_jobs_show_what_they_always_did(worked: dict[str, Any], what: str) -> None:
    assert worked[what] == recorded("worked")[what]
