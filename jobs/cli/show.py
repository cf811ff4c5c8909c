"""`dreamfarm show`: print the state, reason and outputs of a job."""

from typing import TYPE_CHECKING, Any

from jobs.cli.arguments import STORE, AsJson, JobName, StoreFlag
from jobs.cli.format import complete, echo, echo_json, format_state

if TYPE_CHECKING:
    from jobs.records.job_summary import JobSummary


def show(job: JobName, store: StoreFlag = STORE, as_json: AsJson = False) -> None:
    """Print the state of a job, its reason, and its outputs."""
    from jobs.records.job import find_job_id
    from jobs.records.job_summary import load_summary
    from jobs.store.address import open_existing_store

    opened = open_existing_store(store)
    summary = load_summary(opened, find_job_id(opened, job))
    if as_json:
        echo_json(summary.document())
        return
    facts = _facts(summary)
    width = max(len(name) for name, _ in facts)
    for name, text in facts:
        echo(f"{name:<{width}}  {text}")


def _facts(summary: "JobSummary") -> list[tuple[str, str]]:
    from jobs.text.report import format_time, one_line

    facts: list[tuple[str, str | None]] = [
        ("job", summary.job),
        ("state", format_state(summary)),
        ("work", _work(summary)),
        ("items", _items(summary)),
        ("workers", str(summary.workers) if summary.workers else None),
        ("look", summary.look),
        ("size", None if summary.size is None else one_line(summary.size)),
        ("duration", None if summary.seconds is None else format_time(summary.seconds)),
        ("spent", _spent(summary)),
        ("holder", f"{summary.holder}, lease {summary.lease}" if summary.holder else None),
        ("priority", None if summary.priority is None else str(summary.priority)),
        ("submitted", f"{summary.submitted}, {format_time(summary.age_seconds)} ago"),
        ("submitter", None if summary.submitter is None else one_line(summary.submitter)),
        *(("preview", key) for key in summary.previews[-1:]),
        *(("output", _output(output)) for output in summary.outputs),
        ("next", _next(summary)),
    ]
    return [(name, text) for name, text in facts if text is not None]


def _work(summary: "JobSummary") -> str | None:
    work = summary.megapixel_steps
    if work is None or not work.total:
        return None
    rate = f", {summary.rate:.2f} a second" if summary.rate else ""
    return f"{work.done:g} of {work.total:g} megapixel-steps{rate}"


def _spent(summary: "JobSummary") -> str | None:
    """The time of all workers, and what they have cost, if there is a price; and the limits."""
    from jobs.records.spending import format_amount
    from jobs.text.report import format_time

    spent, limits = summary.spent, summary.limits
    parts = []
    if spent is not None and spent.worker_seconds:
        seconds = f"{format_time(spent.worker_seconds)} of workers in {format_time(spent.seconds)}"
        parts = [*([format_amount("usd", spent.usd)] if spent.usd else []), seconds]
    if "usd" in limits:
        parts.append(f"limit {format_amount('usd', limits['usd'])}")
    if "hours" in limits:
        parts.append(f"limit {format_amount('hours', limits['hours'])}")
    return ", ".join(parts) or None


def _items(summary: "JobSummary") -> str | None:
    from jobs.text.report import format_item_counts

    if summary.items is None:
        return None
    rate = f", {summary.rate:.2f} a second" if summary.rate else ""
    return f"{format_item_counts(summary.items)}{rate}"


def _output(output: dict[str, Any]) -> str:
    from jobs.text.report import format_size

    size = f"{output['width']} x {output['height']}, {output['depth']} bits"
    return f"{output['key']}: {size}, {format_size(output['bytes'])}, {output['sha256']}"


def _next(summary: "JobSummary") -> str | None:
    if summary.paused_by == "limit":
        return None  # the reason says it, with the amount
    verbs = {"succeeded": "fetch", "failed": "retry", "cancelled": "retry", "paused": "resume"}
    verb = verbs.get(summary.state)
    return None if verb is None else complete(f"`dreamfarm {verb} {summary.job}`").strip("`")
