"""The command line as a shell sees it."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from jobs.cli import main

COMMAND = Path(sys.executable).with_name("dreamfarm")
"""As it is installed."""


@dataclass(frozen=True)
class Ended:
    """What a command left with."""

    code: int
    out: str
    err: str


class Shell:
    """Runs commands in this process, through the same entry point, with Python's own last word."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Ended:
        """Run `dreamfarm ARGUMENTS`."""
        self._monkeypatch.setattr(sys, "argv", ["dreamfarm", *map(str, arguments)])
        self._monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
        self._capsys.readouterr()
        code = _exit_code()
        written = self._capsys.readouterr()
        return Ended(code, written.out, written.err)


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


def leftovers(folder: Path) -> list[str]:
    """Working folders and half-written files below a folder."""
    return [
        name
        for _, folders, files in os.walk(folder)
        for name in (*folders, *files)
        if name.startswith(".")
    ]
