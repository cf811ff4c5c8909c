"""Submitting: from a spec on somebody's disk to a job that any scheduler can render.

The order of writing makes it safe to die anywhere and to submit again: first what the job needs,
then the job, and last the marker by which schedulers find it.
"""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.records.job import load_job
from jobs.records.keys import JobKeys, active_marker
from jobs.records.state import ENDED, Intent
from jobs.records.stored_spec import Blobs, RunSettings, StoredSpec, attachment_reference
from jobs.runtime.upload import SubmitResult, create_spec, send_blob, unlimited_machine
from jobs.spec.attachments import map_attachments
from jobs.spec.poster import PosterSpec
from jobs.store.store import Store
from render.networks.builtin import uses_builtin_weights

if TYPE_CHECKING:
    from jobs.planning.poster import PosterPlan


def submit_poster(store: Store, spec: PosterSpec) -> SubmitResult:
    """Put a job into a store, or find it there; of the same job the latest terms count.

    A job that has ended stays ended. Raises RenderError or RequestError, in one line, for what
    could not be rendered anywhere; nothing is written then.
    """
    from jobs.planning.poster import make_plan
    from jobs.planning.weights import find_safetensors

    plan = make_plan(spec, unlimited_machine(spec.crew, spec.precision), find_safetensors)
    keys = JobKeys(plan.identity.job_id)
    stored = _stored(plan)
    for digest, path in (
        (stored.blobs.input, spec.input.path),
        (stored.blobs.weights, plan.weights),
    ):
        if digest is not None and path is not None:
            send_blob(store, path, digest)
    for path, digest in plan.attachment_digests.items():
        send_blob(store, path, digest)
    new = create_spec(store, keys, stored)
    store.put_if_absent(keys.intent, Intent().encode())
    store.put(keys.run_settings, RunSettings.of(spec).encode())
    seen = load_job(store, keys.job)
    if seen.state not in ENDED:
        store.put(active_marker(keys.job, seen.intent.generation), b"")
    return SubmitResult(keys.job, seen.state, new)


def _stored(plan: "PosterPlan") -> StoredSpec:
    chosen = plan.spec.network
    is_ours = uses_builtin_weights(chosen.name, chosen.weights)
    path = plan.spec.input.path
    document: dict[str, Any] = map_attachments(
        plan.spec.document(),
        lambda path: attachment_reference(Path(path), plan.attachment_digests[Path(path)]),
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
