"""Submits a poster: uploads its files and its spec, so that any scheduler can render it.

A submit may be interrupted at any time and repeated. So it writes the files first, then the spec,
and last the marker by which schedulers find the job.
"""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.records import request
from jobs.records.job import load_job
from jobs.records.keys import JobKeys, active_marker
from jobs.records.redos import mark_redo
from jobs.records.state import ENDED, Intent
from jobs.records.stored_spec import (
    Blobs,
    RunSettings,
    StoredSpec,
    UploadedFile,
    attachment_reference,
)
from jobs.runtime.upload import (
    SubmitResult,
    create_spec,
    this_submitter,
    unlimited_machine,
    upload_blob,
)
from jobs.spec.attachments import map_attachments
from jobs.spec.poster import PosterSpec
from jobs.spec.redo import generations, nested_networks
from jobs.store.store import Store
from render.networks.builtin import uses_builtin_weights

if TYPE_CHECKING:
    from jobs.planning.draft import DraftLimit
    from jobs.planning.poster import PosterPlan


def submit_poster(
    store: Store, spec: PosterSpec, limit: "DraftLimit | None" = None
) -> SubmitResult:
    """Put a poster into a store, or find it there. The latest run settings and limit count.

    A job that has ended stays ended. limit: pause after a draft.

    Raises:
        RenderError, RequestError: no machine could render it, or no octave meets the limit; nothing
            is written then. The message has one line.
        StoreError: the store does not answer.
    """
    from jobs.planning.poster import make_plan
    from jobs.planning.weights import find_safetensors

    return submit_plan(
        store, make_plan(spec, unlimited_machine(spec.crew), find_safetensors), limit
    )


def submit_plan(
    store: Store, plan: "PosterPlan", limit: "DraftLimit | None" = None
) -> SubmitResult:
    """Put the job of a plan into a store; see `submit_poster`. Its weights are safetensors."""
    from jobs.planning.draft import draft_octaves

    spec = plan.spec
    until = draft_octaves(plan, limit)
    keys = JobKeys(plan.identity.job_id)
    stored = _stored_spec(plan)
    for digest, path in (
        (stored.blobs.input, spec.input.path),
        (stored.blobs.weights, plan.weights),
    ):
        if digest is not None and path is not None:
            upload_blob(store, path, digest)
    for file, older in zip(stored.weights, plan.older_plans, strict=True):
        if file is not None:
            upload_blob(store, older.weights, file.digest)
    for path, digest in plan.attachment_digests.items():
        upload_blob(store, path, digest)
    is_new = create_spec(store, keys, stored)
    store.put_if_absent(keys.intent, Intent(until=until).encode())
    store.put(keys.run_settings, RunSettings.of(spec).encode())
    job = load_job(store, keys.job)
    state = job.state
    if state not in ENDED:
        mark_redo(store, keys.job, [one.parent for one in generations(spec.redo)])
        store.put(active_marker(job.id, job.intent.generation), b"")
        state = request.limit(store, job, until)
    return SubmitResult(job.id, state, is_new)


def _stored_spec(plan: "PosterPlan") -> StoredSpec:
    """The spec to store: digests and file names replace the paths of this machine."""
    network, path = plan.spec.network, plan.spec.input.path
    is_builtin = uses_builtin_weights(network.name, network.weights)
    document: dict[str, Any] = map_attachments(
        plan.spec.document(),
        lambda path: attachment_reference(Path(path), plan.attachment_digests[Path(path)]),
    )
    document["input"]["path"] = None if path is None else path.name
    document["network"]["weights"] = None if is_builtin else plan.weights.name
    weights = tuple(map(_uploaded_weights, plan.older_plans))
    for older, file in zip(nested_networks(document), weights, strict=True):
        older["weights"] = None if file is None else file.name
    return StoredSpec(
        job=plan.identity.job_id,
        spec=document,
        blobs=Blobs(
            input=plan.source.digest,
            weights=None if is_builtin else plan.weights_digest,
        ),
        identity=plan.identity.document,
        nonce=secrets.token_hex(16),
        weights=weights,
        submitter=this_submitter(),
    )


def _uploaded_weights(plan: "PosterPlan") -> UploadedFile | None:
    """The weights of an older picture; None for those that ship with the project."""
    network = plan.spec.network
    if uses_builtin_weights(network.name, network.weights):
        return None
    return UploadedFile(name=plan.weights.name, digest=plan.weights_digest)
