"""What commands show: a JSON document for programs, and tables and facts for people."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Table:
    """Rows under headings. Values are shown as `str` shows them."""

    heads: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True)
class Facts:
    """Names and what is said of each, one a line."""

    rows: Sequence[tuple[str, str]]

    def lines(self) -> Iterable[str]:
        """The lines, names in a column of their own."""
        for name, text in self.rows:
            yield f"  {name:<18} {text}"


@dataclass(frozen=True)
class PlanReport:
    """What a plan says. document: as JSON values. sections: the same for people."""

    document: dict[str, Any]
    sections: tuple[Table | Facts, ...]


@dataclass(frozen=True)
class ResultReport:
    """Results that lie in a folder now.

    manifest: of the job. document: what `--json` prints. lines: what standard output shows
    otherwise. note: a line for standard error.
    """

    manifest: dict[str, Any]
    document: dict[str, Any]
    lines: tuple[str, ...]
    note: str | None = None
