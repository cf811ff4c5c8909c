"""Text for the terminal: times, sizes, states, tables and questions."""

import json
import sys
from collections.abc import Iterable, Sequence

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from jobs.records.job_summary import JobSummary
from jobs.text import report
from jobs.text.report import format_item_counts, format_time


def format_state(job: JobSummary) -> str:
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


def _progress_words(job: JobSummary) -> list[str]:
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


def _pending_words(job: JobSummary) -> list[str]:
    if job.want == "pause":
        return ["will pause at its next step"]
    if job.want == "cancel":
        return ["will stop soon"]
    return [] if job.eta_seconds is None else [f"about {format_time(job.eta_seconds)} left"]


def one_line(text: str | None) -> str:
    """A text without line breaks; empty for None."""
    return " ".join((text or "").split())


_TABLE_WIDTH = 1000
"""Characters. Wide enough that rich shortens no value; the terminal wraps long lines."""


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their headings, with numbers aligned to the right."""
    lists = [list(row) for row in rows]
    table = Table(box=box.SIMPLE)
    for column, heading in enumerate(headings):
        is_number = all(isinstance(row[column], int | float) for row in lists)
        table.add_column(heading, justify="right" if is_number else "left", no_wrap=True)
    for row in lists:
        table.add_row(*(str(value) for value in row))
    Console(width=_TABLE_WIDTH).print(table)


def print_sections(sections: Iterable[report.Table | report.Properties]) -> None:
    """Print the tables and properties of a report, in order."""
    for section in sections:
        if isinstance(section, report.Table):
            print_table(section.headings, section.rows)
        else:
            for line in section.lines():
                typer.echo(line)


def print_results(results: report.ResultReport, *, as_json: bool) -> None:
    """Print the paths of results: lines for people, or one JSON object."""
    if as_json:
        typer.echo(json.dumps(results.document))
        return
    for line in results.lines:
        typer.echo(line)
    if results.note is not None:
        typer.echo(results.note, err=True)


def confirm(question: str) -> bool:
    """Ask a yes-or-no question on the terminal. Raises RequestError without a terminal."""
    from jobs.text.errors import RequestError

    if not sys.stdin.isatty():
        raise RequestError(f"{question} There is no terminal to answer on; add --yes")
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        return False
