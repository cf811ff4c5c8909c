"""Submitting: from a spec on somebody's disk to a job that any scheduler can render.

The order of writing makes it safe to die anywhere and to submit again: first what the job needs,
then the job, and last the marker by which schedulers find it.
"""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.records.job import look
from jobs.records.keys import JobKeys, active
from jobs.records.state import ENDED, Intent
from jobs.records.stored_spec import Blobs, StoredSpec, Terms, sent_as
from jobs.runtime.upload import Submitted, is_first, send_blob, unlimited
from jobs.spec.attachments import with_companions
from jobs.spec.poster import Spec
from jobs.store.store import Store
from render.networks.builtin import ships

if TYPE_CHECKING:
    from jobs.planning.poster import Plan


def submit(store: Store, spec: Spec) -> Submitted:
    """Put a job into a store, or find it there; of the same job the latest terms count.

    A job that has ended stays ended. Raises RenderError or RequestError, in one line, for what
    could not be rendered anywhere; nothing is written then.
    """
    from jobs.planning.poster import make_plan
    from jobs.planning.weights import sendable_weights

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
