"""Judges many cases of one target in a sandbox, and keeps one case of each finding."""

import argparse
import hashlib
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from render.errors import visible
from tests.fuzz.sandbox import FINDING, Limits, Sandbox

FOUND = Path(__file__).parent / "found"

_LIMITS = Limits(seconds=30)


MakeCase = Callable[[int, int], bytes]
"""Makes the case of a number, for a seed."""

MAX_MESSAGE = 2_000
"""The most characters of a message."""


@dataclass
class Tally:
    """What came out. findings: one case of each, with what is wrong, by where it went wrong."""

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    unrepeated: int = 0

    def __str__(self) -> str:
        words = ", ".join(f"{count} {word}" for word, count in sorted(self.outcomes.items()))
        kinds = f"{len(self.findings)} kinds of findings, {self.unrepeated} unrepeated"
        return f"{self.outcomes.total()} cases: {words}; {kinds}"


def fuzz(
    target: str,
    make: MakeCase,
    numbers: range,
    seed: int,
    report: Callable[[str, bytes, str], None] = lambda *_: None,
    limits: Limits = _LIMITS,
) -> Tally:
    """Judge the cases of these numbers.

    Args:
        target: `module:function`, as for a Sandbox.
        make: makes a case.
        numbers: of the cases.
        seed: of the cases.
        report: told of each kind of finding at once: its place, a case, and what is wrong.
        limits: of a case.
    """
    tally = Tally()
    with Sandbox(target, limits) as sandbox:
        for number in numbers:
            content = make(number, seed)
            verdict = sandbox.judge(content)
            tally.outcomes[verdict.outcome] += 1
            place = _place(verdict.detail) if verdict.outcome == FINDING else None
            if place is not None and place not in tally.findings:
                tally.findings[place] = content, verdict.detail
                report(place, content, verdict.detail)
        tally.unrepeated = sandbox.unrepeated
    return tally


def _place(detail: str) -> str:
    """The last line of the product's code in a traceback, and the kind of error."""
    lines = re.findall(r'File ".*/((?:jobs|render)/[^"]*)", line (\d+)', detail)
    last = detail.strip().splitlines()[-1].partition(":")[0]
    return f"{':'.join(lines[-1])} {last}" if lines else last[:100]


_SECONDS = 5.0
"""The most processor time of a case. Time by the clock depends on what else the machine does."""


@contextmanager
def in_time() -> Iterator[None]:
    """Raise AssertionError if the block takes too much processor time."""
    start = time.process_time()
    yield
    assert time.process_time() - start < _SECONDS, "too much processor time"


def check_message(text: str) -> None:
    """Raise AssertionError unless a text is a short line without control characters."""
    assert text.strip(), "an empty message"
    assert len(text) <= MAX_MESSAGE, f"a message of {len(text)} characters: {text[:200]}"
    assert visible(text) == text, f"a message with control characters: {text!r}"


def main(
    name: str, target: str, make: MakeCase, count: int, arguments: Sequence[str] | None = None
) -> int:
    """Run a campaign from the command line; returns 1 if something was found.

    Args:
        name: the word for the cases.
        target: `module:function`.
        make: makes a case.
        count: how many cases by default.
        arguments: of the command line.
    """
    parser = argparse.ArgumentParser(prog=f"python -m tests.fuzz.{name}")
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--save", type=Path, default=FOUND)
    options = parser.parse_args(arguments)

    def report(place: str, content: bytes, detail: str) -> None:
        options.save.mkdir(parents=True, exist_ok=True)
        path = options.save / f"{hashlib.sha256(content).hexdigest()[:8]}.{name}"
        path.write_bytes(content)
        path.with_suffix(f"{path.suffix}.txt").write_text(detail, "utf-8")
        sys.stdout.write(f"  {path}: {place}\n")
        sys.stdout.flush()

    numbers = range(options.start, options.start + options.count)
    tally = fuzz(target, make, numbers, options.seed, report)
    sys.stdout.write(f"{name}: {tally}\n")
    return 1 if tally.findings else 0
