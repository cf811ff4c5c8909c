"""A followed job on a terminal: one line that changes in its place."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from jobs.cli.format import doing
from jobs.records.report import Report


class Live:
    """A bar on standard error, and beside it what the job is doing."""

    def __init__(self) -> None:
        self._bar = Progress(
            TextColumn("{task.fields[job]}"),
            BarColumn(bar_width=20),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task("", total=1.0, job="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def show(self, seen: Report) -> None:
        """Show how the job stands now."""
        self._bar.update(
            self._task, job=seen.job, completed=seen.progress, description=escape(doing(seen))
        )

    def say(self, line: str) -> None:
        """Say something besides, above the bar."""
        self._bar.console.print(line, markup=False, highlight=False)
