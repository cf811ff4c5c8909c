"""A job in each of its states, laid into a store by those who would bring it there."""

from jobs.records.keys import JobKeys
from jobs.records.lease import Held, claim, standing
from jobs.records.state import Failure, Intent, State, Status
from jobs.records.stored_spec import Blobs, StoredSpec
from jobs.store.store import Store

JOB = "sky-0123456789ab"
TTL = 60.0


def lay(store: Store, job: str = JOB) -> JobKeys:
    """The least that makes a job: its spec."""
    keys = JobKeys(job)
    spec = StoredSpec(
        job=job, spec={}, blobs=Blobs(input=None, weights=None), identity={}, nonce="n"
    )
    store.put(keys.spec, spec.encoded())
    return keys


def claimed(store: Store, keys: JobKeys) -> Held:
    """The next lease."""
    before = standing(store, keys)
    held = claim(store, keys, before.number if before else 0, "here:1", TTL)
    assert held is not None
    return held


def status(generation: int = 0, failure: Failure | None = None, progress: float = 0.25) -> Status:
    """Of a job under way, or of one that has failed."""
    return Status(
        generation=generation,
        phase="octave 1",
        octave=1,
        octaves=2,
        step=3,
        steps=10,
        done=1.0,
        total=4.0,
        progress=progress,
        rate=0.5,
        eta_seconds=6.0,
        workers=2,
        reason="no memory" if failure else None,
        failure=failure,
    )


def fail(store: Store, held: Held, generation: int = 0) -> None:
    """What a holder does whose job has failed for good."""
    store.put(held.keys.status(held.number), status(generation, "memory").encoded())
    held.release()


def brought_to(store: Store, state: State) -> JobKeys:
    """A job in a state."""
    keys = lay(store)
    match state:
        case "running":
            claimed(store, keys)
        case "succeeded":
            store.put(keys.manifest, b'{"version": 1}')
        case "failed":
            fail(store, claimed(store, keys))
        case "paused":
            store.put(keys.intent, Intent(want="pause").encoded())
        case "cancelled":
            store.put(keys.intent, Intent(want="cancel").encoded())
    return keys
