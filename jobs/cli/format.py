"""Text for the terminal: times, sizes, states, tables and questions."""

import json
import re
import shlex
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

import typer

from jobs.text import report
from jobs.text.report import format_item_counts, format_time, one_line
from render.errors import visible

if TYPE_CHECKING:
    from rich.table import Table

    from jobs.records.job_summary import JobSummary


T = TypeVar("T")


STORE_COMMANDS = (
    *("submit", "work", "list", "show", "watch", "logs", "ledger", "pause", "resume", "cancel"),
    *("finish", "redo", "retry", "fetch", "like", "diff", "variations", "delete", "clean"),
    "serve",
)
"""The commands that have `--store`."""


_SUGGESTED = re.compile(rf"`dreamfarm\s(?:{'|'.join(STORE_COMMANDS)})(?=[\s`])[^`]*(?=`)")


class _Suggestions:
    """Completes the commands that messages suggest. option: begins with a space, or is empty."""

    option = ""


def set_suggested_store(address: str | None) -> None:
    """Let suggested commands name a store; None if they find it without the option."""
    _Suggestions.option = "" if address is None else f" --store {shlex.quote(address)}"


def complete(line: str) -> str:
    """Add the store to each command in backticks that needs it and names none.

    Messages are made without it, because a record may be read under another address than it was
    written under. Only this process knows the address that its user gave.
    """

    def add_store(found: re.Match[str]) -> str:
        command = found.group()
        return command if " --store " in command else f"{command}{_Suggestions.option}"

    return _SUGGESTED.sub(add_store, line) if _Suggestions.option else line


def echo(line: str, *, err: bool = False) -> None:
    """Print one line, to standard error if `err`; control characters are shown, as in `visible`.

    Suggested commands are completed, as in `complete`.
    """
    typer.echo(visible(complete(line)), err=err)


def echo_json(document: object) -> None:
    """Print a JSON value in one line of ASCII."""
    # JSON escapes all other control characters.
    typer.echo(json.dumps(document).replace("\x7f", "\\u007f"))


def format_state(job: "JobSummary") -> str:
    """The state of a job in a line: `running, octave 3 of 9, step 2 of 10, 42%, ...`."""
    if job.state == "failed":
        return f"failed ({job.failure}): {one_line(job.reason)}"
    words: list[str] = [job.state]
    if job.state == "succeeded" and job.items is not None:
        words.append(format_item_counts(job.items))
    if job.state == "running":
        words += [*_progress_words(job), *_pending_words(job)]
    elif job.state in ("queued", "paused") and job.progress:
        words.append(f"{job.progress:.0%} done")
    text = ", ".join(words)
    return f"{text}: {one_line(job.reason)}" if job.reason else text


def _progress_words(job: "JobSummary") -> list[str]:
    if job.phase is None:
        return ["starting"]
    if job.items is not None:
        return [format_item_counts(job.items), f"{job.progress:.0%}"]
    if not job.phase.startswith("octave"):
        return [job.phase]
    return [
        f"octave {job.octave} of {job.octaves}",
        f"step {job.step} of {job.steps}",
        f"{job.progress:.0%}",
    ]


def _pending_words(job: "JobSummary") -> list[str]:
    if job.want == "pause":
        return ["will pause at its next step"]
    if job.want == "cancel":
        return ["will stop soon"]
    return [] if job.eta_seconds is None else [f"about {format_time(job.eta_seconds)} left"]


_LEAST_FOLDED = 10
"""Characters. If less is left for the last column, it is not folded: the terminal wraps lines."""


_COLUMN_PADDING, _EDGE = 3, 1
"""Spaces beside the text of each column, and at the left of the table."""


_LEAST_WITHOUT_DISPENSABLE = 30
"""Characters. If less is left for a longer last column, dispensable columns are left out."""


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], *, dispensable: Sequence[str] = ()
) -> None:
    """Print rows under their headings, with numbers aligned to the right.

    Values are plain text, and none is shortened. On a terminal the last column is folded, so that
    lines fit its width. Elsewhere each row is one line.

    dispensable: headings of columns that a narrow terminal goes without, the first ones first.
    """
    # rich takes a while to load, and only tables and bars need it.
    from rich.cells import cell_len
    from rich.console import Console

    values = [list(row) for row in rows]
    texts = [[visible(complete(str(value))) for value in row] for row in values]
    widths = [max(map(cell_len, column)) for column in zip(headings, *texts, strict=True)]
    width = sum(widths) + _COLUMN_PADDING * len(widths) + _EDGE
    console = Console()
    left = console.width - (width - widths[-1])
    if console.is_terminal and dispensable and left < min(widths[-1], _LEAST_WITHOUT_DISPENSABLE):
        column = headings.index(dispensable[0])
        print_table(
            _without(headings, column),
            [_without(row, column) for row in values],
            dispensable=dispensable[1:],
        )
        return
    if console.is_terminal and _LEAST_FOLDED <= left < widths[-1]:
        widths[-1], width = left, console.width
    console.width = width
    numbers = [
        all(isinstance(row[column], int | float) for row in values)
        for column in range(len(headings))
    ]
    console.print(_make_table(headings, texts, widths, numbers))


def _without(items: Sequence[T], index: int) -> list[T]:
    return [*items[:index], *items[index + 1 :]]


def _make_table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: Sequence[int],
    numbers: Sequence[bool],
) -> "Table":
    """A table with columns of some widths. numbers: whether a column is aligned to the right."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE, header_style="")
    for heading, width, is_number in zip(headings, widths, numbers, strict=True):
        table.add_column(
            heading, justify="right" if is_number else "left", width=width, overflow="fold"
        )
    for row in rows:
        # rich would read markup and emoji codes in a str.
        table.add_row(*map(Text, row))
    return table


def print_sections(sections: Iterable[report.Table | report.Properties]) -> None:
    """Print the tables and properties of a report, in order."""
    for section in sections:
        if isinstance(section, report.Table):
            print_table(section.headings, section.rows)
        else:
            for line in section.lines():
                echo(line)


def print_results(results: report.ResultReport, *, as_json: bool) -> None:
    """Print the paths of results: lines for people, or one JSON object."""
    if as_json:
        echo_json(results.document)
        return
    for line in results.lines:
        echo(line)
    if results.note is not None:
        echo(results.note, err=True)


def confirm(question: str) -> bool:
    """Ask a yes-or-no question on the terminal. Raises RequestError without a terminal."""
    from jobs.text.errors import RequestError

    if not sys.stdin.isatty():
        raise RequestError(f"{question} There is no terminal to answer on; add --yes")
    try:
        return typer.confirm(visible(question), err=True)
    except typer.Abort:
        return False
