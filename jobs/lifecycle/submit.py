"""Submitting: from a spec on somebody's disk to a job that any scheduler can render.

The order of writing makes it safe to die anywhere and to submit again: first what the job needs,
then the job, and last the marker by which schedulers find it.
"""

import secrets
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.companions import with_companions
from jobs.errors import RequestError
from jobs.identity import file_digest
from jobs.lifecycle.intent import Intent
from jobs.lifecycle.job import look
from jobs.lifecycle.keys import JobKeys, active, blob
from jobs.lifecycle.state import ENDED, State
from jobs.lifecycle.stored_spec import Blobs, StoredSpec, sent_as
from jobs.lifecycle.terms import Terms
from jobs.machine import Machine
from jobs.spec import Crew, Spec
from jobs.store.clock import store_now
from jobs.store.store import Store
from render.networks.whereabouts import ships
from render.precision import Precision

if TYPE_CHECKING:
    from jobs.plan import Plan


_FRESH = 12 * 3600.0
"""Seconds for which a blob that is there stays there, whoever cleans."""


@dataclass(frozen=True)
class Submitted:
    """The job, its state, and whether it was this submit that brought it into the store.

    items: of a dataset, how many this submit has added.
    """

    job: str
    state: State
    new: bool
    items: int | None = None


def submit(store: Store, spec: Spec) -> Submitted:
    """Put a job into a store, or find it there; of the same job the latest terms count.

    A job that has ended stays ended. Raises RenderError or RequestError, in one line, for what
    could not be rendered anywhere; nothing is written then.
    """
    from jobs.plan import make_plan
    from jobs.weights import sendable_weights

    plan = make_plan(spec, unlimited(spec.crew, spec.precision), sendable_weights)
    keys = JobKeys(plan.identity.job_id)
    stored = _stored(plan)
    for digest, path in (
        (stored.blobs.input, spec.input.path),
        (stored.blobs.weights, plan.weights),
    ):
        if digest is not None and path is not None:
            send_blob(store, path, digest)
    for path, digest in plan.digests.items():
        send_blob(store, path, digest)
    new = is_first(store, keys, stored)
    store.put_if_absent(keys.intent, Intent().encoded())
    store.put(keys.terms, Terms.of(spec).encoded())
    seen = look(store, keys.job)
    if seen.state not in ENDED:
        store.put(active(keys.job, seen.intent.generation), b"")
    return Submitted(keys.job, seen.state, new)


def unlimited(crew: Crew, precision: Precision) -> Machine:
    """A machine that has what any crew asks for, so that only the spec itself can be wrong.

    With one core, a crew of `auto` is one worker, whose need of memory is the least of all.
    """
    wants_gpu = precision == "bfloat16"
    each = int(wants_gpu) if crew.gpus_per_worker == "auto" else crew.gpus_per_worker
    workers = 1 if crew.workers == "auto" else crew.workers
    return Machine(cores=1, gpus=each * workers, memory=sys.maxsize, gpu_memory=sys.maxsize)


def _stored(plan: "Plan") -> StoredSpec:
    chosen = plan.spec.network
    is_ours = ships(chosen.name, chosen.weights)
    path = plan.spec.input.path
    document: dict[str, Any] = with_companions(
        plan.spec.document(), lambda path: sent_as(Path(path), plan.digests[Path(path)])
    )
    document["input"]["path"] = None if path is None else path.name
    document["network"]["weights"] = None if is_ours else plan.weights.name
    return StoredSpec(
        job=plan.identity.job_id,
        spec=document,
        blobs=Blobs(
            input=plan.source.digest,
            weights=None if is_ours else plan.weights_digest,
        ),
        identity=plan.identity.document,
        nonce=secrets.token_hex(16),
    )


def send_blob(store: Store, path: Path, digest: str) -> None:
    """Upload a file as the blob of its digest, unless that is there. Raises RequestError."""
    key = blob(digest)
    there = [entry.modified for entry in store.entries(key) if entry.key == key]
    # An old one to which no job refers may be cleaned away before this one does.
    if there and store_now(store) - there[0] < _FRESH:
        return
    # What is sent is a copy that nobody changes: a blob is never written twice, so one that is not
    # what its name says would stay.
    try:
        with tempfile.TemporaryDirectory(prefix="dreamfarm-") as folder:
            copy = shutil.copyfile(path, Path(folder) / "blob")
            if file_digest(copy) != digest:
                raise RequestError(f"{path}: changed while it was submitted; submit it again")
            store.give(copy, key)
    except OSError as why:
        raise RequestError(
            f"{path}: cannot be copied into {tempfile.gettempdir()} ({why.strerror}); "
            "set TMPDIR to a folder with room"
        ) from why


def is_first(store: Store, keys: JobKeys, stored: StoredSpec) -> bool:
    """Write the spec where there is none; whether it is this one that is there."""
    while not store.put_if_absent(keys.spec, stored.encoded()):
        found = StoredSpec.read_or_none(store, keys.spec)
        if found is not None:
            return found.nonce == stored.nonce
    return True
