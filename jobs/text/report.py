"""Reports of commands: a JSON document for programs; tables, properties and texts for people."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from render.errors import visible

_UNITS = ("bytes", "kB", "MB", "GB", "TB")

_WHITE_SPACE = re.compile(r"[ \t\n\v\f\r]+")


@dataclass(frozen=True)
class Table:
    """Rows under headings. Each value is displayed as its `str`."""

    headings: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True)
class Properties:
    """Names and their values as text, one pair per line."""

    rows: Sequence[tuple[str, str]]

    def lines(self) -> Iterable[str]:
        """The lines to print, with the names in the first column."""
        for name, value in self.rows:
            yield f"  {name:<18} {value}"


@dataclass(frozen=True)
class PlanReport:
    """A plan for display.

    document: the plan as plain JSON values.
    sections: the same for people, in order.
    """

    document: dict[str, Any]
    sections: tuple[Table | Properties, ...]


@dataclass(frozen=True)
class ResultReport:
    """Results in a local folder, for display.

    manifest: the manifest of the job.
    document: the JSON values that `--json` prints.
    lines: the lines for standard output without `--json`.
    note: a line for standard error, or None.
    """

    manifest: dict[str, Any]
    document: dict[str, Any]
    lines: tuple[str, ...]
    note: str | None = None


def one_line(text: str | None) -> str:
    """A visible text with a space for each run of white space; empty for None."""
    return visible(_WHITE_SPACE.sub(" ", text or "").strip())


def format_time(seconds: float) -> str:
    """A duration in seconds as text: `45 s`, `7 min`, `5.2 h`, `12 days`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86_400:.0f} days"


def format_size(count: int) -> str:
    """A number of bytes as text: `12 bytes`, `3.4 MB`."""
    power = min((len(str(count)) - 1) // 3, len(_UNITS) - 1)
    return f"{count / 1000**power:.{1 if power else 0}f} {_UNITS[power]}"


def format_item_counts(items: dict[str, Any]) -> str:
    """Item counts as text: `970 of 1000 done, 25 failed (20 input, 5 memory)`.

    items: the counts `items` and `done`, and `failed` by class of failure.
    """
    failed = {kind: count for kind, count in items["failed"].items() if count}
    text = f"{items['done']} of {items['items']} done"
    if not failed:
        return text
    kinds = ", ".join(f"{count} {kind}" for kind, count in failed.items())
    return f"{text}, {sum(failed.values())} failed ({kinds})"
