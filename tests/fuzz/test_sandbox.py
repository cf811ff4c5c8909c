"""The sandbox tells good inputs from exceptions, crashes, hangs and breaches of memory."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from tests.fuzz.sandbox import FINDING, Limits, Sandbox

TARGET = "tests.fuzz.test_sandbox:behave"


def behave(content: bytes) -> str:
    """Do what the content says."""
    match content.decode():
        case "raise":
            raise ValueError("a\nb")
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            os._exit(3)
        case "hang":
            while True:
                pass
        case "wait":
            time.sleep(2)
        case "allocate":
            bytearray(1 << 40)
        case "touch":
            return str(len(b"x" * (80 << 20)) // (80 << 20))
        case "print":
            os.write(1, b"noise\n")
    return "good"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(TARGET, Limits(seconds=1, resident_bytes=1 << 25)) as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        ("raise", "ValueError: a\nb"),
        ("crash", "killed by SIGSEGV"),
        ("exit", "ended with code 3"),
        ("hang", "no verdict after 1 s"),
        ("allocate", "MemoryError"),
        ("touch", "MiB of memory"),
    ],
)
def test_breaches_are_findings(sandbox: Sandbox, content: str, detail: str) -> None:
    verdict = sandbox.judge(content.encode())
    assert verdict.outcome == FINDING
    assert detail in verdict.detail
    assert sandbox.judge(b"anything").outcome == "good", "a fresh child goes on"


def test_a_child_without_a_processor_has_more_time(sandbox: Sandbox) -> None:
    assert sandbox.judge(b"wait").outcome == "good"


def test_what_the_product_prints_is_no_answer(sandbox: Sandbox) -> None:
    assert sandbox.judge(b"print").outcome == "good"
    assert sandbox.judge(b"").outcome == "good"
    assert not sandbox.unrepeated
