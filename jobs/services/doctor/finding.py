"""The result of a check, and advice."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    check: its name. found: what it found, in one line. advice: what to do; None if all is well.
    """

    check: str
    verdict: Verdict
    found: str
    advice: str | None = None


def ok(check: str, found: str) -> Finding:
    """All is well."""
    return Finding(check, "ok", found)


def warning(check: str, found: str, advice: str) -> Finding:
    """It works, but not as well as it could."""
    return Finding(check, "warning", found, advice)


def failed(check: str, found: str, advice: str) -> Finding:
    """It does not work."""
    return Finding(check, "failed", found, advice)


def format_gib(count: float) -> str:
    """A number of bytes as GiB, with one decimal."""
    return f"{count / 2**30:.1f} GiB"
