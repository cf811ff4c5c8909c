"""Submitting a dataset: its spec, its weights, and the frozen listing of its pictures."""

import secrets
from itertools import chain
from pathlib import Path
from typing import Any

from jobs.companions import with_companions
from jobs.dataset.freezing import freeze
from jobs.dataset.keys import DatasetKeys
from jobs.dataset.listing import Listing, listings
from jobs.dataset.manner import settled
from jobs.dataset.plan import DatasetPlan, Variant, make_dataset_plan
from jobs.dataset.sending import Sender
from jobs.dataset.sources.listing import listing
from jobs.dataset.spec import DatasetSpec
from jobs.lifecycle.intent import Intent
from jobs.lifecycle.job import Job, look
from jobs.lifecycle.keys import active
from jobs.lifecycle.state import ENDED
from jobs.lifecycle.stored_spec import Blobs, Sent, StoredSpec, sent_as
from jobs.lifecycle.submit import Submitted, is_first, send_blob, unlimited
from jobs.lifecycle.terms import Terms
from jobs.store.store import Store
from jobs.weights import Choose, sendable_weights
from render.networks.whereabouts import ships
from render.precision import Precision


def submit_dataset(store: Store, spec: DatasetSpec, choose: Choose = sendable_weights) -> Submitted:
    """Put a dataset into a store, or find it there; of the same job the latest terms count.

    choose: finds the weights; others are sent no pickles. One that has succeeded is listed again:
    what is new among its inputs is all that will be done. Raises RenderError or RequestError, in
    one line, where it could not be rendered anywhere, or where there are no pictures; nothing is
    written then.
    """
    plan = make_dataset_plan(spec, unlimited(spec.crew, _widest(spec)), choose=choose)
    keys = DatasetKeys(plan.identity.job_id)
    before = len(listings(store, keys))
    seen = look(store, keys.job) if before else None
    added: Listing | None = None
    if seen is None or seen.state == "succeeded":
        found = listing(spec.inputs)
        # The first is looked for before anything is written.
        found = chain([next(found)], found)
    new = seen is None and _bring(store, keys, plan)
    if seen is None or seen.state == "succeeded":
        sender = Sender(store, lambda path, digest: send_blob(store, path, digest))
        added = freeze(store, keys, spec, found, sender)
    store.put_if_absent(keys.intent, Intent().encoded())
    store.put(keys.terms, Terms.of(spec).encoded())
    now = look(store, keys.job)
    if now.state == "succeeded" and _has_grown(store, keys, now):
        now = _reopened(store, now)
    if now.state not in ENDED:
        store.put(active(keys.job, now.intent.generation), b"")
    return Submitted(keys.job, now.state, new, added.items if added else 0)


def _widest(spec: DatasetSpec) -> Precision:
    """The precision that asks most of a machine: of those that are swept, the one for GPUs."""
    wanted = (spec.precision, *spec.sweep.get("precision", ()))
    return "bfloat16" if "bfloat16" in wanted else spec.precision


def _bring(store: Store, keys: DatasetKeys, plan: DatasetPlan) -> bool:
    """Write the spec and what it needs; whether that was not there."""
    stored = _stored(plan)
    for path, digest in plan.companions.items():
        send_blob(store, path, digest)
    for variant, sent in zip(plan.variants, stored.weights, strict=True):
        if sent is not None:
            send_blob(store, variant.weights, sent.digest)
    return is_first(store, keys, stored)


def _stored(plan: DatasetPlan) -> StoredSpec:
    document: dict[str, Any] = with_companions(
        plan.spec.document(), lambda path: sent_as(Path(path), plan.companions[Path(path)])
    )
    network = plan.spec.network
    if not ships(network.name, network.weights):
        document["network"]["weights"] = plan.variants[0].weights.name
    swept = document["sweep"].get("network.weights")
    if swept:
        document["sweep"]["network.weights"] = [str(one).rpartition("/")[2] for one in swept]
    return StoredSpec(
        job=plan.identity.job_id,
        spec=document,
        blobs=Blobs(input=None, weights=None),
        identity=plan.identity.document,
        nonce=secrets.token_hex(16),
        weights=tuple(_sent(plan, one) for one in plan.variants),
    )


def _sent(plan: DatasetPlan, variant: Variant) -> Sent | None:
    chosen = settled(plan.spec, variant.settings).network
    if ships(chosen.name, chosen.weights):
        return None
    return Sent(name=variant.weights.name, digest=variant.weights_digest)


def _has_grown(store: Store, keys: DatasetKeys, job: Job) -> bool:
    """Whether more is listed than was there when a dataset succeeded.

    Not only by this submit: an earlier one may have died after its listing.
    """
    items = (job.manifest or {}).get("items", {})
    return sum(one.items for one in listings(store, keys)) > int(items.get("items", 0))


def _reopened(store: Store, job: Job) -> Job:
    """Have a dataset that has succeeded go on, with what was added."""
    intent = Intent(generation=job.intent.generation + 1)
    store.put(DatasetKeys(job.id).intent, intent.encoded())
    return look(store, job.id)
