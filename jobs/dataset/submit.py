"""Submitting a dataset: upload its spec, weights and pictures, and build its index."""

import functools
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

from jobs.dataset.index_builder import build_index
from jobs.dataset.inputs.index import DatasetKeys, read_listings
from jobs.dataset.inputs.item import BLOB_SCHEME, InputPlace, LeftOut, ListedImage
from jobs.dataset.inputs.listing import list_images
from jobs.dataset.outputs import without_results
from jobs.planning.dataset import DatasetPlan, Variant, make_dataset_plan
from jobs.planning.identity import file_digest
from jobs.planning.item_settings import apply_settings
from jobs.planning.weights import FindWeights, find_safetensors
from jobs.records.job import StoredJob, load_job
from jobs.records.keys import active_marker
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
from jobs.spec.dataset import DatasetSpec
from jobs.spec.inputs import is_in_bucket
from jobs.store.store import Store
from jobs.text.errors import RequestError
from render.networks.builtin import uses_builtin_weights

_UPLOADS_AT_ONCE = 16


UploadBlob = Callable[[Path, str], None]
"""Uploads a file as the blob of its digest. Raises RequestError."""


class Uploader:
    """Uploads listed images, batch by batch, to a store that is a bucket.

    It uploads nothing into a folder: machines that share the folder can share the pictures, too.
    """

    def __init__(self, store: Store, upload: UploadBlob) -> None:
        self._is_local = store.local_path("spec.json") is not None
        self._upload = upload
        # The pictures of a tar share one file, even in two batches; it is uploaded once.
        self._address = functools.lru_cache(maxsize=_UPLOADS_AT_ONCE)(self._upload_file)

    def __call__(self, images: list[ListedImage]) -> list[ListedImage]:
        """Upload the files of these images and return them with the new addresses.

        An unreadable image is not uploaded. It gets an error, for its row in the ledger.
        """
        if self._is_local:
            return images
        paths = dict.fromkeys(place.address for image in images for place in _local_places(image))
        with ThreadPoolExecutor(_UPLOADS_AT_ONCE) as threads:
            addresses = dict(zip(paths, threads.map(self._address, paths), strict=True))
        return [_with_addresses(image, addresses) for image in images]

    def _upload_file(self, address: str) -> str | RequestError:
        """Upload a file; returns its new address, or the error if it cannot be read.

        A failed upload is not the picture's fault, and raises RequestError.
        """
        path = Path(address)
        try:
            digest = file_digest(path)
        except RequestError as error:
            return error
        self._upload(path, digest)
        return f"{BLOB_SCHEME}{digest}"


def _local_places(image: ListedImage) -> list[InputPlace]:
    """The files and parts of files of an image that are on this disk and will be read."""
    if image.error:
        return []
    places = [image.place, *(extra.place for extra in image.extras)]
    return [place for place in places if not (place.is_noise or is_in_bucket(place.address))]


def _with_addresses(image: ListedImage, addresses: Mapping[str, str | RequestError]) -> ListedImage:
    def replaced(place: InputPlace) -> InputPlace:
        return place.model_copy(update={"address": addresses.get(place.address, place.address)})

    for place in _local_places(image):
        if isinstance(error := addresses[place.address], RequestError):
            return image.model_copy(update={"error": str(error), "extras": ()})
    if image.error:
        return image
    extras = tuple(
        extra.model_copy(update={"place": replaced(extra.place)}) for extra in image.extras
    )
    return image.model_copy(update={"place": replaced(image.place), "extras": extras})


def submit_dataset(
    store: Store, spec: DatasetSpec, choose: FindWeights = find_safetensors
) -> SubmitResult:
    """Submit a dataset to a store, or find it there. The latest run settings count.

    A dataset that has succeeded is listed again, and continues with the new images. choose: finds
    the weights; the default uploads only safetensors files.

    Raises RenderError or RequestError if no machine could render it, or if there are no pictures;
    nothing is then written.
    """
    plan = make_dataset_plan(spec, unlimited_machine(spec.crew), find=choose)
    keys = DatasetKeys(plan.identity.job_id)
    job = load_job(store, keys.job) if read_listings(store, keys) else None
    is_new, added, left_out = False, None, LeftOut()
    if job is None or job.state == "succeeded":
        images = without_results(
            list_images(spec.inputs, left_out), spec.inputs, keys.job, left_out
        )
        # Raise for missing inputs before anything is written.
        images = chain([next(images)], images)
        is_new = job is None and _upload_spec(store, keys, plan)
        uploader = Uploader(store, lambda path, digest: upload_blob(store, path, digest))
        added = build_index(store, keys, spec, images, uploader)
    store.put_if_absent(keys.intent, Intent().encode())
    store.put(keys.run_settings, RunSettings.of(spec).encode())
    job = load_job(store, keys.job)
    if job.state == "succeeded" and _has_grown(store, keys, job):
        job = _reopen(store, job)
    if job.state not in ENDED:
        store.put(active_marker(keys.job, job.intent.generation), b"")
    items = added.item_count if added else 0
    return SubmitResult(keys.job, job.state, is_new, items, left_out.note())


def _upload_spec(store: Store, keys: DatasetKeys, plan: DatasetPlan) -> bool:
    """Upload attachments and weights, then the spec. Returns whether the spec is new."""
    stored = _stored_spec(plan)
    for path, digest in plan.attachment_digests.items():
        upload_blob(store, path, digest)
    for variant, weights in zip(plan.variants, stored.weights, strict=True):
        if weights is not None:
            upload_blob(store, variant.weights, weights.digest)
    return create_spec(store, keys, stored)


def _stored_spec(plan: DatasetPlan) -> StoredSpec:
    """The spec with names and digests instead of local paths."""
    document: dict[str, Any] = map_attachments(
        plan.spec.document(),
        lambda path: attachment_reference(Path(path), plan.attachment_digests[Path(path)]),
    )
    network = plan.spec.network
    if not uses_builtin_weights(network.name, network.weights):
        document["network"]["weights"] = plan.variants[0].weights.name
    swept = document["sweep"].get("network.weights")
    if swept:
        document["sweep"]["network.weights"] = [str(path).rpartition("/")[2] for path in swept]
    return StoredSpec(
        job=plan.identity.job_id,
        spec=document,
        blobs=Blobs(input=None, weights=None),
        identity=plan.identity.document,
        nonce=secrets.token_hex(16),
        weights=tuple(_uploaded_weights(plan, variant) for variant in plan.variants),
        submitter=this_submitter(),
    )


def _uploaded_weights(plan: DatasetPlan, variant: Variant) -> UploadedFile | None:
    network = apply_settings(plan.spec, variant.settings).network
    if uses_builtin_weights(network.name, network.weights):
        return None
    return UploadedFile(name=variant.weights.name, digest=variant.weights_digest)


def _has_grown(store: Store, keys: DatasetKeys, job: StoredJob) -> bool:
    """Whether a dataset has more items now than when it succeeded.

    Another submit may have added them, and died after its listing.
    """
    items = (job.manifest or {}).get("items", {})
    return sum(one.item_count for one in read_listings(store, keys)) > int(items.get("items", 0))


def _reopen(store: Store, job: StoredJob) -> StoredJob:
    """Start the next generation of a dataset that has succeeded, for its new items."""
    intent = Intent(generation=job.intent.generation + 1)
    store.put(DatasetKeys(job.id).intent, intent.encode())
    return load_job(store, job.id)
