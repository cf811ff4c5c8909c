"""`dreamfarm doctor`: a line for each check, and an exit code."""

import json
from pathlib import Path

import pytest

from tests.support.shell import Shell


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    monkeypatch.delenv("DREAMFARM_STORE", raising=False)
    return Shell(monkeypatch, capsys)


def test_each_check_is_one_line(shell: Shell, tmp_path: Path) -> None:
    ended = shell("doctor", "--store", tmp_path)
    lines = ended.out.splitlines()
    assert len(lines) > 8
    assert {line.split()[0] for line in lines} <= {"ok", "warning", "failed"}
    assert "ok       store: conditional write: " in ended.out
    assert ended.code == any(line.startswith("failed") for line in lines)


def test_a_failed_check_sets_the_exit_code(shell: Shell) -> None:
    ended = shell("doctor", "--store", "/proc")
    assert ended.code == 1
    (line,) = [line for line in ended.out.splitlines() if line.startswith("failed")]
    assert line.startswith("failed   store: write: /proc: ")
    assert "; change what the message names" in line
    assert ended.err == ""


def test_with_json_each_check_is_an_object(shell: Shell) -> None:
    ended = shell("doctor", "--json")
    objects = [json.loads(line) for line in ended.out.splitlines()]
    assert all(one.keys() == {"version", "check", "verdict", "found", "advice"} for one in objects)
    # No store was given, so the check writes to none.
    assert not [one for one in objects if one["check"].startswith("store")]


def test_a_malformed_address_is_a_wrong_request(shell: Shell) -> None:
    ended = shell("doctor", "--store", "ftp://x")
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 1
