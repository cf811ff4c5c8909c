"""What users may ask of a job. Each reads its state, and writes what is wanted.

Two users at once: the last writer wins. A request that died half-way is completed by the same
request again.
"""

from jobs.records.job import Job, look
from jobs.records.keys import JobKeys, active
from jobs.records.state import TRANSITIONS, Intent, Redo, Request, State, state_of
from jobs.store.store import Store
from jobs.text.errors import RequestError

_PAST = {"pause": "paused", "resume": "resumed", "cancel": "cancelled", "retry": "retried"}


def pause(store: Store, job: str) -> State:
    """Stop a job at its next step boundary, or before it starts.

    Each of these returns the state that follows at once, which is `running` until the holder
    obeys. What is so already is no error. Raises RequestError where the state does not allow it.
    """
    seen = _allowed(store, job, "pause")
    return _wish(store, seen, seen.intent.wanting("pause"))


def resume(store: Store, job: str) -> State:
    """Go on with a paused job, or take back what a running one was asked to stop for."""
    seen = _allowed(store, job, "resume")
    state = _wish(store, seen, seen.intent.wanting("run"))
    _mark(store, job, seen.intent.generation)
    return state


def cancel(store: Store, job: str) -> State:
    """End a job for good; only `retry` brings it back."""
    seen = _allowed(store, job, "cancel")
    return _wish(store, seen, seen.intent.wanting("cancel"))


def retry(store: Store, job: str, redo: Redo | None = None) -> State:
    """Run a failed or cancelled job once more, from its last commit.

    A dataset does what is missing, and tries its failed items again, those of `redo` or all; it may
    have succeeded with the others.
    """
    seen = _allowed(store, job, "retry")
    if redo and not seen.is_dataset:
        raise RequestError(f"{job}: is a poster, and has no items; retry it as a whole")
    # One that waits already may be a retry that died before it left its marker.
    waits = seen.state == "queued" and redo is None
    generation = seen.intent.generation if waits else seen.intent.generation + 1
    chosen = (redo or Redo()) if seen.is_dataset else None
    intent = seen.intent.wanting("run") if waits else Intent(generation=generation, redo=chosen)
    state = _wish(store, seen, intent)
    _mark(store, job, generation)
    return state


def _allowed(store: Store, job: str, request: Request) -> Job:
    seen = look(store, job)
    rows = [row for row in TRANSITIONS if row.by == request]
    if not seen.is_dataset:
        rows = [row for row in rows if row.only is None]
    before = list(dict.fromkeys(row.before for row in rows))
    if seen.state not in {*before, *(row.after for row in rows)}:
        states = " or ".join(filter(None, (", ".join(before[:-1]), before[-1])))
        raise RequestError(f"{job}: is {seen.state}; only {states} jobs can be {_PAST[request]}")
    return seen


def _wish(store: Store, seen: Job, intent: Intent) -> State:
    if intent != seen.intent:
        store.put(JobKeys(seen.id).intent, intent.encoded())
    has_manifest = seen.manifest is not None and intent.generation == seen.intent.generation
    return state_of(has_manifest, seen.standing, seen.status, intent)


def _mark(store: Store, job: str, generation: int) -> None:
    store.put(active(job, generation), b"")
