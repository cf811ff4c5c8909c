"""What a check has found, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class Finding:
    """check: of what. found: in a line. advice: what to do; None where all is well."""

    check: str
    verdict: Verdict
    found: str
    advice: str | None = None


def ok(check: str, found: str) -> Finding:
    """All is well."""
    return Finding(check, "ok", found)


def warning(check: str, found: str, advice: str) -> Finding:
    """It works, but not as well as it might."""
    return Finding(check, "warning", found, advice)


def failed(check: str, found: str, advice: str) -> Finding:
    """It does not work."""
    return Finding(check, "failed", found, advice)


def size(count: float) -> str:
    """Bytes, in GiB."""
    return f"{count / 2**30:.1f} GiB"
