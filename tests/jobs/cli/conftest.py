"""A shell for every test of the command line."""

import pytest

from tests.jobs.cli.shell import Shell


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Runs commands in this process."""
    return Shell(monkeypatch, capsys)
