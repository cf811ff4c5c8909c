"""`dreamfarm show`: print the state, reason and outputs of a job."""

import json
from typing import TYPE_CHECKING, Any

import typer

from jobs.cli.arguments import STORE, AsJson, JobName, StoreFlag

if TYPE_CHECKING:
    from jobs.records.report import Report


def show(job: JobName, store: StoreFlag = STORE, as_json: AsJson = False) -> None:
    """Print the state of a job, its reason, and its outputs."""
    from jobs.records.job import find_job_id
    from jobs.records.report import load_report
    from jobs.store.address import open_store

    opened = open_store(store)
    report = load_report(opened, find_job_id(opened, job))
    if as_json:
        typer.echo(json.dumps(report.document()))
        return
    facts = _facts(report)
    width = max(len(name) for name, _ in facts)
    for name, text in facts:
        typer.echo(f"{name:<{width}}  {text}")


def _facts(report: "Report") -> list[tuple[str, str]]:
    from jobs.cli.format import format_state
    from jobs.text.report import format_time

    facts: list[tuple[str, str | None]] = [
        ("job", report.job),
        ("state", format_state(report)),
        ("work", _work(report)),
        ("items", _items(report)),
        ("workers", str(report.workers) if report.workers else None),
        ("holder", f"{report.holder}, lease {report.lease}" if report.holder else None),
        ("priority", None if report.priority is None else str(report.priority)),
        ("submitted", f"{report.submitted}, {format_time(report.age_seconds)} ago"),
        *(("preview", key) for key in report.previews[-1:]),
        *(("output", _output(output)) for output in report.outputs),
        ("next", _next(report)),
    ]
    return [(name, text) for name, text in facts if text is not None]


def _work(report: "Report") -> str | None:
    work = report.megapixel_steps
    if work is None or not work.total:
        return None
    rate = f", {report.rate:.2f} a second" if report.rate else ""
    return f"{work.done:g} of {work.total:g} megapixel-steps{rate}"


def _items(report: "Report") -> str | None:
    from jobs.text.report import format_item_counts

    if report.items is None:
        return None
    rate = f", {report.rate:.2f} a second" if report.rate else ""
    return f"{format_item_counts(report.items)}{rate}"


def _output(output: dict[str, Any]) -> str:
    from jobs.text.report import format_size

    size = f"{output['width']} x {output['height']}, {output['depth']} bits"
    return f"{output['key']}: {size}, {format_size(output['bytes'])}, {output['sha256']}"


def _next(report: "Report") -> str | None:
    verbs = {"succeeded": "fetch", "failed": "retry", "cancelled": "retry", "paused": "resume"}
    verb = verbs.get(report.state)
    return None if verb is None else f"dreamfarm {verb} {report.job}"
