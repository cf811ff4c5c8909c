"""Submitting a dataset: its spec, its weights, and the frozen listing of its pictures."""

import functools
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

from jobs.dataset.index import Listing, read_listings
from jobs.dataset.index_builder import build_index
from jobs.dataset.inputs.item import BLOB_SCHEME, ByteRange, ListedImage
from jobs.dataset.inputs.listing import list_images
from jobs.dataset.keys import DatasetKeys
from jobs.planning.dataset import DatasetPlan, Variant, make_dataset_plan
from jobs.planning.identity import file_digest
from jobs.planning.item_settings import apply_settings
from jobs.planning.weights import FindWeights, find_safetensors
from jobs.records.job import Job, load_job
from jobs.records.keys import active_marker
from jobs.records.state import ENDED, Intent
from jobs.records.stored_spec import (
    Blobs,
    RunSettings,
    StoredSpec,
    UploadedFile,
    attachment_reference,
)
from jobs.runtime.access import path_exists
from jobs.runtime.upload import SubmitResult, create_spec, send_blob, unlimited_machine
from jobs.spec.attachments import map_attachments
from jobs.spec.dataset import DatasetSpec
from jobs.spec.inputs import is_in_bucket
from jobs.store.store import Store
from jobs.text.errors import RequestError
from render.device import Precision
from render.networks.builtin import uses_builtin_weights

_AT_ONCE = 16


UploadBlob = Callable[[Path, str], None]
"""Makes a file of some digest a blob of the store. Raises RequestError."""


class Uploader:
    """Sends the files of a page of a listing to a bucket.

    Into a store that is a folder nothing is sent: who shares it shares this disk.
    """

    def __init__(self, store: Store, upload: UploadBlob) -> None:
        self._is_local = store.local_path("spec.json") is not None
        self._upload = upload
        # A tar holds many pictures, and goes once; also one that is on two pages.
        self._blob = functools.lru_cache(maxsize=_AT_ONCE)(self._sent)

    def __call__(self, page: list[ListedImage]) -> list[ListedImage]:
        """The same pictures, at the places where workers find them.

        One that cannot be read here is not sent, and says why: that is for the ledger.
        """
        if self._is_local:
            return page
        here = dict.fromkeys(place.address for found in page for place in _here(found))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            sent = dict(zip(here, pool.map(self._blob, here), strict=True))
        return [_moved(found, sent) for found in page]

    def _sent(self, address: str) -> str | RequestError:
        """The new address of a file, or why it cannot be read.

        That it cannot be sent is no fault of the picture: then RequestError is raised.
        """
        path = Path(address)
        # Who opens a pipe waits for ever.
        if path_exists(address) and not path.is_file():
            return RequestError(f"{address}: is no file; check the path")
        try:
            digest = file_digest(path)
        except RequestError as why:
            return why
        self._upload(path, digest)
        return f"{BLOB_SCHEME}{digest}"


def _here(found: ListedImage) -> list[ByteRange]:
    """The places of a picture that are on this disk, and are to be read."""
    places = [found.place, *(extra.place for extra in found.extras)]
    if found.complaint:
        return []
    return [place for place in places if not (place.is_noise or is_in_bucket(place.address))]


def _moved(found: ListedImage, sent: Mapping[str, str | RequestError]) -> ListedImage:
    def moved(place: ByteRange) -> ByteRange:
        return place.model_copy(update={"address": sent.get(place.address, place.address)})

    for place in _here(found):
        if isinstance(why := sent[place.address], RequestError):
            return found.model_copy(update={"complaint": str(why), "extras": ()})
    if found.complaint:
        return found
    extras = tuple(extra.model_copy(update={"place": moved(extra.place)}) for extra in found.extras)
    return found.model_copy(update={"place": moved(found.place), "extras": extras})


def submit_dataset(
    store: Store, spec: DatasetSpec, choose: FindWeights = find_safetensors
) -> SubmitResult:
    """Put a dataset into a store, or find it there; of the same job the latest terms count.

    choose: finds the weights; others are sent no pickles. One that has succeeded is listed again:
    what is new among its inputs is all that will be done. Raises RenderError or RequestError, in
    one line, where it could not be rendered anywhere, or where there are no pictures; nothing is
    written then.
    """
    plan = make_dataset_plan(spec, unlimited_machine(spec.crew, _widest(spec)), find=choose)
    keys = DatasetKeys(plan.identity.job_id)
    before = len(read_listings(store, keys))
    seen = load_job(store, keys.job) if before else None
    added: Listing | None = None
    if seen is None or seen.state == "succeeded":
        found = list_images(spec.inputs)
        # The first is looked for before anything is written.
        found = chain([next(found)], found)
    new = seen is None and _bring(store, keys, plan)
    if seen is None or seen.state == "succeeded":
        sender = Uploader(store, lambda path, digest: send_blob(store, path, digest))
        added = build_index(store, keys, spec, found, sender)
    store.put_if_absent(keys.intent, Intent().encode())
    store.put(keys.run_settings, RunSettings.of(spec).encode())
    now = load_job(store, keys.job)
    if now.state == "succeeded" and _has_grown(store, keys, now):
        now = _reopened(store, now)
    if now.state not in ENDED:
        store.put(active_marker(keys.job, now.intent.generation), b"")
    return SubmitResult(keys.job, now.state, new, added.items if added else 0)


def _widest(spec: DatasetSpec) -> Precision:
    """The precision that asks most of a machine: of those that are swept, the one for GPUs."""
    wanted = (spec.precision, *spec.sweep.get("precision", ()))
    return "bfloat16" if "bfloat16" in wanted else spec.precision


def _bring(store: Store, keys: DatasetKeys, plan: DatasetPlan) -> bool:
    """Write the spec and what it needs; whether that was not there."""
    stored = _stored(plan)
    for path, digest in plan.attachments.items():
        send_blob(store, path, digest)
    for variant, sent in zip(plan.variants, stored.weights, strict=True):
        if sent is not None:
            send_blob(store, variant.weights, sent.digest)
    return create_spec(store, keys, stored)


def _stored(plan: DatasetPlan) -> StoredSpec:
    document: dict[str, Any] = map_attachments(
        plan.spec.document(),
        lambda path: attachment_reference(Path(path), plan.attachments[Path(path)]),
    )
    network = plan.spec.network
    if not uses_builtin_weights(network.name, network.weights):
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


def _sent(plan: DatasetPlan, variant: Variant) -> UploadedFile | None:
    chosen = apply_settings(plan.spec, variant.settings).network
    if uses_builtin_weights(chosen.name, chosen.weights):
        return None
    return UploadedFile(name=variant.weights.name, digest=variant.weights_digest)


def _has_grown(store: Store, keys: DatasetKeys, job: Job) -> bool:
    """Whether more is listed than was there when a dataset succeeded.

    Not only by this submit: an earlier one may have died after its listing.
    """
    items = (job.manifest or {}).get("items", {})
    return sum(one.items for one in read_listings(store, keys)) > int(items.get("items", 0))


def _reopened(store: Store, job: Job) -> Job:
    """Have a dataset that has succeeded go on, with what was added."""
    intent = Intent(generation=job.intent.generation + 1)
    store.put(DatasetKeys(job.id).intent, intent.encode())
    return load_job(store, job.id)
