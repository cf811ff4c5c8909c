"""Runs commands as a shell does."""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jobs.cli import main

COMMAND = Path(sys.executable).with_name("dreamfarm")
"""The installed command."""


@dataclass(frozen=True)
class CommandResult:
    """The exit code and output of a command."""

    code: int
    out: str
    err: str


class Shell:
    """Runs commands in this process, by the same entry point and exception hook."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: object) -> CommandResult:
        """Run `dreamfarm ARGUMENTS`."""
        self._monkeypatch.setattr(sys, "argv", ["dreamfarm", *map(str, arguments)])
        self._monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
        self._capsys.readouterr()
        code = _exit_code()
        written = self._capsys.readouterr()
        return CommandResult(code, written.out, written.err)


def _exit_code() -> int:
    try:
        main()
    except SystemExit as end:
        return _status(end)
    except Exception as error:  # noqa: BLE001 - as the interpreter itself would
        try:
            sys.excepthook(type(error), error, error.__traceback__)
        except SystemExit as end:
            return _status(end)
    return 1


def _status(end: SystemExit) -> int:
    return end.code if isinstance(end.code, int) else int(end.code is not None)


def hidden_files(folder: Path) -> list[str]:
    """The working folders and half-written files below a folder."""
    return [
        name
        for _, folders, files in os.walk(folder)
        for name in (*folders, *files)
        if name.startswith(".")
    ]


def visible_files(folder: Path) -> set[str]:
    """The files of a folder that are not hidden."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path) for path in found if not path.parts[0].startswith(".")}


def json_output(ended: CommandResult) -> Any:
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def check_error_line(ended: CommandResult, said: str) -> None:
    """Check that a command failed with one line that starts with this text."""
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"dreamfarm: {said}")
    assert len(ended.err.splitlines()) == 1


def check_refused(ended: CommandResult, out: Path, *said: str) -> None:
    """Check that a command failed in one line with these texts, and left no files."""
    assert ended.code == 2, ended.err
    assert ended.out == ""
    assert len(ended.err.splitlines()) == 1, ended.err
    assert ended.err.startswith("dreamfarm: ")
    assert [words for words in said if words not in ended.err] == [], ended.err
    assert not out.exists()
    assert hidden_files(out.parent) == []


EVERY = ("--every", "0.1")


PAUSE = 0.35


@contextmanager
def in_background(*actions: Callable[[], object]) -> Iterator[None]:
    """Run actions in another thread, with pauses, so that a watcher sees each."""

    def run() -> None:
        for action in actions:
            time.sleep(PAUSE)
            action()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join()
