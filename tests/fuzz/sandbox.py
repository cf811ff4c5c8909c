"""Judges inputs one after another in a child process with limits of memory and time.

A target is a function `(content: bytes) -> str` of an importable module. It hands the content to
the product as a request would, and returns one word for what came out, such as `decoded` or
`refused`. Whatever it raises is a finding; so are a crash, a hang and a breach of memory:

    with Sandbox("tests.fuzz.pictures:judge") as sandbox:
        verdict = sandbox.judge(content)

The child handles many inputs, because its imports take a second. It is killed and started again
after a breach, and after some thousand inputs. A breach counts only if a fresh child breaches
again, because a busy machine is slow. One sandbox belongs to one thread.
"""

import contextlib
import importlib
import json
import os
import resource
import select
import signal
import struct
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

FINDING = "finding"
"""The outcome of an input that the product neither accepted nor refused."""

_PROJECT = Path(__file__).resolve().parent.parent.parent

_START_SECONDS = 120
_PATIENCE = 6
"""How many times longer a child may take that hardly got a processor: a busy machine is slow."""
_INPUTS_OF_A_CHILD = 5_000


@dataclass(frozen=True)
class Limits:
    """Limits of one input.

    seconds: until its verdict. address_bytes: of new address space, which ends in a MemoryError or
    in an error of a library. resident_bytes: of memory in use above that at the start.
    """

    seconds: float = 5.0
    address_bytes: int = 2**30
    resident_bytes: int = 2**28


@dataclass(frozen=True)
class Verdict:
    """What came out. detail: for a finding, the traceback or the breach."""

    outcome: str
    detail: str = ""


class Sandbox:
    """A child process that judges inputs with one target, `module:function`."""

    def __init__(self, target: str, limits: Limits | None = None) -> None:
        self.unrepeated = 0
        """Breaches that a fresh child did not repeat."""
        self._target = target
        self._limits = limits or Limits()
        self._child: subprocess.Popen[bytes] | None = None
        self._count = 0
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._folder = tempfile.TemporaryDirectory(prefix="fuzz-")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child, and remove its temporary files."""
        self._stop()
        self._errors.close()
        self._folder.cleanup()

    def judge(self, content: bytes) -> Verdict:
        """Judge one input. Never raises for what the product does with it."""
        if self._count >= _INPUTS_OF_A_CHILD:
            self._stop()
        verdict = self._attempt(content)
        if verdict.outcome != FINDING:
            return verdict
        self._stop()
        again = self._attempt(content)
        if again.outcome == FINDING:
            self._stop()
            return again
        self.unrepeated += 1
        return again

    def _attempt(self, content: bytes) -> Verdict:
        child = self._child or self._start()
        self._count += 1
        assert child.stdin is not None and child.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it died: its answer says how
            child.stdin.write(struct.pack("<Q", len(content)) + content)
            child.stdin.flush()
        seconds, spent = self._limits.seconds, _processor_seconds(child.pid)
        answer = _answer(child.stdout, seconds)
        if answer is None and _processor_seconds(child.pid) - spent < seconds / 2:
            answer = _answer(child.stdout, seconds * _PATIENCE)
        if answer is None:
            return Verdict(FINDING, f"no verdict after {self._limits.seconds:g} s")
        if not answer:
            return Verdict(FINDING, f"{_death(child)}\n{self._last_errors()}")
        found = json.loads(answer)
        return Verdict(found["outcome"], found["detail"])

    def _start(self) -> subprocess.Popen[bytes]:
        limits = self._limits
        arguments = [self._target, str(limits.address_bytes), str(limits.resident_bytes)]
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.sandbox", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=_PROJECT,
            # Each thread of a library would reserve address space for its own arena.
            env={
                **os.environ,
                "MALLOC_ARENA_MAX": "2",
                "VIPS_CONCURRENCY": "1",
                "TMPDIR": self._folder.name,
            },
        )
        assert child.stdout is not None
        self._child, self._count = child, 0
        if not _answer(child.stdout, _START_SECONDS):
            raise RuntimeError(f"{self._target} did not start: {self._last_errors()}")
        return child

    def _stop(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()

    def _last_errors(self) -> str:
        end = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, end - 2000))
        return self._errors.read().decode(errors="replace")


def _answer(pipe: IO[bytes], seconds: float) -> bytes | None:
    """Read a line: empty if the child died, None if none came in time."""
    ready, _, _ = select.select([pipe], [], [], seconds)
    return pipe.readline() if ready else None


def _processor_seconds(pid: int) -> float:
    """The time that a child has computed; 0 if it is gone."""
    with contextlib.suppress(OSError, IndexError):
        numbers = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _death(child: subprocess.Popen[bytes]) -> str:
    code = child.wait()
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


def _serve(target: Callable[[bytes], str], resident_bytes: int) -> None:
    """Answer inputs from standard input with lines of JSON on what was standard output."""
    # Whatever a library prints must not look like an answer.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    answers.write(b"started\n")
    while len(head := sys.stdin.buffer.read(8)) == 8:
        content = sys.stdin.buffer.read(*struct.unpack("<Q", head))
        answers.write(json.dumps(_judge(target, content, resident_bytes)).encode() + b"\n")


def _judge(target: Callable[[bytes], str], content: bytes, resident_bytes: int) -> dict[str, str]:
    before = _reset_peak()
    try:
        outcome = target(content)
    except BaseException:  # noqa: BLE001 - that is what is looked for
        return {"outcome": FINDING, "detail": traceback.format_exc()}
    grown = _memory("VmHWM") - before
    if grown > resident_bytes:
        return {"outcome": FINDING, "detail": f"took {grown >> 20} MiB of memory ({outcome})"}
    return {"outcome": outcome, "detail": ""}


def _reset_peak() -> int:
    """Begin to measure the peak of memory in use anew; returns the memory in use, in bytes."""
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    return _memory("VmRSS")


def _memory(name: str) -> int:
    """A line of this process's status, in bytes."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.partition(f"{name}:")[2].split(maxsplit=1)[0]) * 1024


def _main(target: str, address_bytes: str, resident_bytes: str) -> None:
    module, _, name = target.partition(":")
    function = getattr(importlib.import_module(module), name)
    function(b"")  # loads what is loaded on first use, before memory is limited
    limit = _memory("VmSize") + int(address_bytes)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _serve(function, int(resident_bytes))


if __name__ == "__main__":
    _main(*sys.argv[1:])
