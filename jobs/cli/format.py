"""Times, bytes and jobs in a few words."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from jobs.records.report import Report

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def spoken_time(seconds: float) -> str:
    """`45 s`, `7 min`, `5.2 h`, `12 days`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86_400:.0f} days"


def spoken_size(count: int) -> str:
    """`12 bytes`, `3.4 MB`."""
    power = min((len(str(count)) - 1) // 3, len(_UNITS) - 1)
    return f"{count / 1000**power:.{1 if power else 0}f} {_UNITS[power]}"


def doing(report: Report) -> str:
    """What becomes of a job, in a line: `running, octave 3 of 9, step 2 of 10, 42%, ...`."""
    if report.state == "failed":
        return f"failed ({report.failure}): {one_line(report.reason)}"
    words: list[str] = [report.state]
    if report.state == "succeeded" and report.items is not None:
        words.append(told_items(report.items))
    if report.state == "running":
        words += [*_place(report), *_coming(report)]
    elif report.state in ("queued", "paused") and report.progress:
        words.append(f"{report.progress:.0%} done")
    text = ", ".join(words)
    return f"{text}: {one_line(report.reason)}" if report.reason else text


def told_items(items: dict[str, Any]) -> str:
    """`970 of 1000 done, 25 failed (20 input, 5 memory)`."""
    failed = {kind: count for kind, count in items["failed"].items() if count}
    text = f"{items['done']} of {items['items']} done"
    if not failed:
        return text
    kinds = ", ".join(f"{count} {kind}" for kind, count in failed.items())
    return f"{text}, {sum(failed.values())} failed ({kinds})"


def _place(report: Report) -> list[str]:
    if report.phase is None:
        return ["starting"]
    if report.items is not None:
        return [told_items(report.items), f"{report.progress:.0%}"]
    if not report.phase.startswith("octave"):
        return [report.phase]
    return [
        f"octave {report.octave} of {report.octaves}",
        f"step {report.step} of {report.steps}",
        f"{report.progress:.0%}",
    ]


def _coming(report: Report) -> list[str]:
    if report.want == "pause":
        return ["will pause at its next step"]
    if report.want == "cancel":
        return ["will stop soon"]
    return [] if report.eta_seconds is None else [f"about {spoken_time(report.eta_seconds)} left"]


def one_line(text: str | None) -> str:
    """A reason without line breaks; nothing for none."""
    return " ".join((text or "").split())


_WIDEST = 1000  # characters: nothing is cut, and terminals wrap what is longer than they are


def show_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their heads; numbers stand to the right."""
    listed = [list(row) for row in rows]
    table = Table(box=box.SIMPLE)
    for column, head in enumerate(heads):
        numbers = all(isinstance(row[column], int | float) for row in listed)
        table.add_column(head, justify="right" if numbers else "left", no_wrap=True)
    for row in listed:
        table.add_row(*(str(value) for value in row))
    Console(width=_WIDEST).print(table)


def consents(question: str) -> bool:
    """Ask on a terminal; elsewhere nobody can answer. Raises RequestError there."""
    from jobs.text.errors import RequestError

    if not sys.stdin.isatty():
        raise RequestError(f"{question} There is no terminal to answer on; add --yes")
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        return False
