"""Runs commands of `dreamfarm` in processes of their own: this one loads no torch.

A stranger's picture or spec then meets the decoders in a process that may die.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from jobs.runtime.upload import SUBMITTER
from jobs.web.problems import Problem

_AT_ONCE = 2

_MOST_WAITING = 8

_SECONDS = 180.0
"""After so long a command is killed."""

_PREFIX = "dreamfarm: "

_WRONG_REQUEST, _NO_SERVICE = 2, 3
"""Exit codes of the command line."""


class Commands:
    """Runs a few commands at once, and refuses more than a few that wait."""

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._running = threading.Semaphore(_AT_ONCE)
        self._places = threading.Semaphore(_AT_ONCE + _MOST_WAITING)
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen[str]] = set()
        self._is_closed = False

    def close(self) -> None:
        """Kill all commands, and begin no more: whoever stops the server waits for none."""
        with self._lock:
            self._is_closed = True
            for process in self._processes:
                _kill(process)

    def run(self, *arguments: str, submitter: str | None = None) -> Any:
        """Run `dreamfarm ARGUMENTS --json`, and return the JSON value that it prints.

        submitter: of a job, if it is not this server's user. Raises Problem with the line of its
        error.
        """
        return self.run_module("jobs.cli", *arguments, "--json", submitter=submitter)

    def run_module(self, module: str, *arguments: str, submitter: str | None = None) -> Any:
        """Run a module, and return the JSON value that it prints last. Raises Problem."""
        command = [sys.executable, "-m", module, *arguments]
        with self._place():
            code, out, errors = self._communicate(command, submitter)
        if code:
            raise _problem(code, errors)
        try:
            return json.loads(out.splitlines()[-1])
        except (IndexError, ValueError):
            raise _problem(1, errors) from None

    def _communicate(self, command: Sequence[str], submitter: str | None) -> tuple[int, str, str]:
        """Run a command. Returns its exit code and what it wrote."""
        with self._lock:
            if self._is_closed:
                return _NO_SERVICE, "", f"{_PREFIX}the server is stopping; try again later"
            process = _start(command, submitter)
            self._processes.add(process)
        try:
            with process:
                return _wait_for(process, self._seconds)
        finally:
            with self._lock:
                self._processes.discard(process)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, "too much to plan at once; try again soon")
        try:
            with self._running:
                yield
        finally:
            self._places.release()


@dataclass(frozen=True)
class Catalogue:
    """Remembers what commands say about networks: it changes with the installation only."""

    commands: Commands
    _known: dict[tuple[str, ...], Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, *arguments: str) -> Any:
        """What a command prints as JSON. Raises Problem."""
        with self._lock:
            if arguments in self._known:
                return self._known[arguments]
        found = self.commands.run(*arguments)
        with self._lock:
            self._known[arguments] = found
        return found


def _start(command: Sequence[str], submitter: str | None) -> subprocess.Popen[str]:
    """Start a command in a process group of its own."""
    named = {} if submitter is None else {SUBMITTER: submitter}
    return subprocess.Popen(
        command,
        env={**os.environ, **named},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def _wait_for(process: subprocess.Popen[str], seconds: float) -> tuple[int, str, str]:
    try:
        out, errors = process.communicate(timeout=seconds)
    except BaseException as error:
        _kill(process)
        process.communicate()
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
        return 1, "", f"{_PREFIX}took longer than {seconds:g} s; try something smaller"
    return process.returncode, out, errors


def _kill(process: subprocess.Popen[str]) -> None:
    """Kill a process and its children, unless it has just ended."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _problem(code: int, errors: str) -> Problem:
    lines = [line for line in errors.splitlines() if line.startswith(_PREFIX)]
    detail = lines[-1].removeprefix(_PREFIX) if lines else "failed without a reason; try it again"
    status = {
        _WRONG_REQUEST: HTTPStatus.UNPROCESSABLE_ENTITY,
        _NO_SERVICE: HTTPStatus.SERVICE_UNAVAILABLE,
    }
    return Problem(status.get(code, HTTPStatus.INTERNAL_SERVER_ERROR), detail)
