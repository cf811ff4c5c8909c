"""User requests: pause, resume, cancel and retry. Each reads the state and writes the intent.

Of two simultaneous requests, the last write wins. If a request is interrupted, the same request
completes it.
"""

from typing import get_args

from jobs.records.job import StoredJob, load_job
from jobs.records.keys import MAX_NUMBER, JobKeys, active_marker
from jobs.records.state import TRANSITIONS, Intent, Redo, State, UserRequest, state_of
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


def resume(store: Store, job: str) -> State:
    """Continue a paused job, or withdraw a request to stop a running one."""
    loaded = _load_allowed(store, job, "resume")
    until = None if loaded.intent.is_met_by(loaded.status) else loaded.intent.until
    return _run_until(store, loaded, until)


def finish(store: Store, job: str) -> State:
    """Continue a job beyond its draft, to the end."""
    return _run_until(store, _load_allowed(store, job, "resume"), None)


def limit(store: Store, job: StoredJob, until: int | None) -> State:
    """Pause a job after so many octaves; None: do not. Its marker must exist."""
    return _write_intent(store, job, job.intent.model_copy(update={"until": until}))


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
    return state_of(has_manifest, loaded.current_lease, loaded.status, intent)


def _write_marker(store: Store, job: str, generation: int) -> None:
    store.put(active_marker(job, generation), b"")
