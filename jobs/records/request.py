"""User requests: pause, resume, cancel and retry. Each reads the state and writes the intent.

Of two simultaneous requests, the last write wins. If a request is interrupted, the same request
completes it.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import get_args

from jobs.records.job import StoredJob, load_job
from jobs.records.keys import MAX_NUMBER, JobKeys, active_marker
from jobs.records.spending import SpendingUnit, format_amount, limit_of
from jobs.records.state import TRANSITIONS, Intent, Redo, State, UserRequest, state_of
from jobs.records.stored_spec import RunSettings
from jobs.spec.base import MAX_SPENT
from jobs.spec.kinds import parse_stored_spec
from jobs.store.store import Store
from jobs.text.errors import RequestError

_PAST_TENSE = {"pause": "paused", "resume": "resumed", "cancel": "cancelled", "retry": "retried"}


def pause(store: Store, job: str) -> State:
    """Stop a job at its next step boundary, or before it starts.

    Like the other requests, it returns the state right after the request: `running` until the
    holder obeys. Repeating a request is not an error.

    Each request raises JobNotFound, InvalidRecord, and RequestError if the state forbids it.
    """
    loaded = _load_allowed(store, job, "pause")
    return _write_intent(store, loaded, loaded.intent.with_want("pause"))


Raise = Mapping[SpendingUnit, float]
"""By how much to raise limits: US dollars, or hours."""


def parse_raise(texts: Iterable[str]) -> Raise:
    """Parse `20`, `usd=20` and `hours=1`. A number alone is in US dollars. Raises RequestError."""
    by: dict[SpendingUnit, float] = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        units = {unit: unit for unit in get_args(SpendingUnit)}
        unit = units.get(name if "=" in text else "usd")
        try:
            amount = float(number)
        except ValueError:
            amount = math.nan
        if unit is None or not 0 < amount <= MAX_SPENT:
            raise RequestError(
                f"--raise {text}: write a number above 0, as 20 (US dollars), usd=20 or hours=1"
            )
        by[unit] = by.get(unit, 0.0) + amount
    return by


def resume(store: Store, job: str, raised: Raise | None = None) -> State:
    """Continue a paused job, or withdraw a request to stop a running one.

    raised: by how much to raise limits of the job first; a repeated request raises them again.

    Raises RequestError also if a limit is reached and not raised; then no limit is.
    """
    loaded = _load_allowed(store, job, "resume")
    if raised:
        _raise_limits(store, loaded, raised)
        loaded = load_job(store, job)
    _check_may_spend(loaded)
    until = None if loaded.intent.is_met_by(loaded.status) else loaded.intent.until
    return _run_until(store, loaded, until)


def finish(store: Store, job: str) -> State:
    """Continue a job beyond its draft, to the end."""
    loaded = _load_allowed(store, job, "resume")
    _check_may_spend(loaded)
    return _run_until(store, loaded, None)


def limit(store: Store, job: StoredJob, until: int | None) -> State:
    """Pause a job after so many octaves; None: do not. Its marker must exist."""
    return _write_intent(store, job, job.intent.model_copy(update={"until": until}))


def run_settings_of(job: StoredJob) -> RunSettings:
    """The latest run settings of a job; those of its spec if the submit died before writing any.

    Raises RequestError for an invalid spec.
    """
    if job.run_settings is not None:
        return job.run_settings
    return RunSettings.of(parse_stored_spec(job.spec.submitted_document))


def _raise_limits(store: Store, job: StoredJob, raised: Raise) -> None:
    """Write higher limits.

    Raises RequestError for one that the job does not have, and if another one stays reached.
    """
    settings = run_settings_of(job)
    higher: dict[str, float] = {}
    for unit, amount in raised.items():
        limit = limit_of(settings.limits, unit)
        if limit is None:
            raise RequestError(f"{job.id}: has no limits.{unit} to raise")
        if limit + amount > MAX_SPENT:
            raise RequestError(f"{job.id}: limits.{unit} can be at most {MAX_SPENT:g}")
        higher[unit] = limit + amount
    limits = settings.limits.model_copy(update=higher)
    settings = settings.model_copy(update={"limits": limits})
    # A refused request is sent again with more, so it must not have raised anything.
    _check_may_spend(replace(job, run_settings=settings))
    store.put(JobKeys(job.id).run_settings, settings.encode())


def _check_may_spend(job: StoredJob) -> None:
    """Raise RequestError if a limit is reached, because the job would pause again at once."""
    status = job.status
    if job.paused_by == "limit" and status is not None and status.limit is not None:
        unit = status.limit.unit
        raise RequestError(
            f"{job.id}: has reached limits.{unit}, {format_amount(unit, status.limit.limit)}; "
            f"`{raise_command(job.id, unit)}` raises it"
        )


def raise_command(job: str, unit: SpendingUnit) -> str:
    """The command that raises a limit of a job, with an amount as example."""
    return f"dreamfarm resume {job} --raise {unit}={20 if unit == 'usd' else 1}"


def _run_until(store: Store, loaded: StoredJob, until: int | None) -> State:
    intent = loaded.intent.model_copy(update={"want": "run", "until": until})
    state = _write_intent(store, loaded, intent)
    _write_marker(store, loaded.id, intent.generation)
    return state


def cancel(store: Store, job: str) -> State:
    """End a job; only `retry` can restart it."""
    loaded = _load_allowed(store, job, "cancel")
    return _write_intent(store, loaded, loaded.intent.with_want("cancel"))


def retry(store: Store, job: str, redo: Redo | None = None) -> State:
    """Run a failed or cancelled job again, from its last commit.

    A dataset runs the missing items and the failed items. It may be retried even after it has
    succeeded.

    redo: selects the failed items of a dataset; None means all of them.

    Raises RequestError if the state forbids it, or for `redo` of a job without items.
    """
    loaded = _load_allowed(store, job, "retry")
    if redo and not loaded.has_items:
        raise RequestError(f"{job}: is a {loaded.kind}, which has no items; retry the whole job")
    # A queued job may be the result of a retry that died before it wrote its marker.
    is_queued = loaded.state == "queued" and redo is None
    generation = loaded.intent.generation if is_queued else loaded.intent.generation + 1
    if generation > MAX_NUMBER:
        raise RequestError(f"{job}: was retried too often; submit it under another name")
    chosen = (redo or Redo()) if loaded.has_items else None
    intent = (
        loaded.intent.with_want("run")
        if is_queued
        else Intent(generation=generation, redo=chosen, until=loaded.intent.until)
    )
    state = _write_intent(store, loaded, intent)
    _write_marker(store, job, generation)
    return state


def useful_requests(job: StoredJob) -> tuple[UserRequest, ...]:
    """The requests that would change something about a job now, in the order of the table."""
    rows = (row for row in TRANSITIONS if row.before == job.state and row.actor == "user")
    actions = dict.fromkeys(row.action for row in rows if job.has_items or row.only_kind is None)
    wanted = {"pause": "pause", "cancel": "cancel", "resume": "run"}
    return tuple(
        action
        for action in get_args(UserRequest)
        if action in actions and (job.state != "running" or wanted[action] != job.intent.want)
    )


def _load_allowed(store: Store, job: str, request: UserRequest) -> StoredJob:
    loaded = load_job(store, job)
    rows = [row for row in TRANSITIONS if row.action == request]
    if not loaded.has_items:
        rows = [row for row in rows if row.only_kind is None]
    before = list(dict.fromkeys(row.before for row in rows))
    if loaded.state not in {*before, *(row.after for row in rows)}:
        states = " or ".join(filter(None, (", ".join(before[:-1]), before[-1])))
        raise RequestError(
            f"{job}: is {loaded.state}; only {states} jobs can be {_PAST_TENSE[request]}"
        )
    return loaded


def _write_intent(store: Store, loaded: StoredJob, intent: Intent) -> State:
    if intent != loaded.intent:
        store.put(JobKeys(loaded.id).intent, intent.encode())
    has_manifest = loaded.manifest is not None and intent.generation == loaded.intent.generation
    return state_of(has_manifest, loaded.current_lease, loaded.status, intent, loaded.limits)


def _write_marker(store: Store, job: str, generation: int) -> None:
    store.put(active_marker(job, generation), b"")
