"""`dreamfarm show`: all there is to say of one job."""

import json
from typing import TYPE_CHECKING, Any

import typer

from jobs.cli.arguments import STORE, AsJson, JobName, StoreFlag

if TYPE_CHECKING:
    from jobs.records.report import Report


def show(job: JobName, store: StoreFlag = STORE, as_json: AsJson = False) -> None:
    """Say how a job stands, why, and what it has made."""
    from jobs.records.job import find
    from jobs.records.report import report
    from jobs.store.address import open_store

    opened = open_store(store)
    found = report(opened, find(opened, job))
    if as_json:
        typer.echo(json.dumps(found.document()))
        return
    facts = _facts(found)
    width = max(len(name) for name, _ in facts)
    for name, text in facts:
        typer.echo(f"{name:<{width}}  {text}")


def _facts(one: "Report") -> list[tuple[str, str]]:
    from jobs.cli.format import doing, spoken_time

    facts: list[tuple[str, str | None]] = [
        ("job", one.job),
        ("state", doing(one)),
        ("work", _work(one)),
        ("items", _items(one)),
        ("workers", str(one.workers) if one.workers else None),
        ("holder", f"{one.holder}, lease {one.lease}" if one.holder else None),
        ("priority", None if one.priority is None else str(one.priority)),
        ("submitted", f"{one.submitted}, {spoken_time(one.age_seconds)} ago"),
        *(("preview", key) for key in one.previews[-1:]),
        *(("output", _output(output)) for output in one.outputs),
        ("next", _next(one)),
    ]
    return [(name, text) for name, text in facts if text is not None]


def _work(one: "Report") -> str | None:
    work = one.megapixel_steps
    if work is None or not work.total:
        return None
    rate = f", {one.rate:.2f} a second" if one.rate else ""
    return f"{work.done:g} of {work.total:g} megapixel-steps{rate}"


def _items(one: "Report") -> str | None:
    from jobs.cli.format import told_items

    if one.items is None:
        return None
    rate = f", {one.rate:.2f} a second" if one.rate else ""
    return f"{told_items(one.items)}{rate}"


def _output(output: dict[str, Any]) -> str:
    from jobs.cli.format import spoken_size

    size = f"{output['width']} x {output['height']}, {output['depth']} bits"
    return f"{output['key']}: {size}, {spoken_size(output['bytes'])}, {output['sha256']}"


def _next(one: "Report") -> str | None:
    verbs = {"succeeded": "fetch", "failed": "retry", "cancelled": "retry", "paused": "resume"}
    verb = verbs.get(one.state)
    return None if verb is None else f"dreamfarm {verb} {one.job}"
