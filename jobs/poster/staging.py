"""What a job needs, brought from the store to the machine that renders it."""

from pathlib import Path
from typing import Any

from jobs.planning.identity import file_digest, identity
from jobs.records.keys import JobKeys
from jobs.records.record import bad_record
from jobs.records.stored_spec import StoredSpec, Terms
from jobs.runtime.staging import Beside, check_named, check_same, fetched, fetched_weights
from jobs.spec.attachments import with_companions
from jobs.spec.document import spec_of
from jobs.spec.poster import Spec
from jobs.store.store import Store
from jobs.text.errors import RequestError
from render.networks.weight_paths import weights_file


def spec_here(store: Store, stored: StoredSpec, terms: Terms | None, cache: Path) -> Spec:
    """The spec that was submitted, its files on this machine, on the latest terms.

    The files lie below `cache` by digest, and are fetched where they are not there. Without terms
    the submitted ones count. Raises OtherVersion where this code would make another job of it,
    StoreRefused for blobs that are gone or damaged, BadRecord, and RequestError where the cache
    cannot be written.
    """
    check_named(stored)
    beside = Beside(store, stored.job, cache)
    spec = _submitted(stored, with_companions(stored.spec, beside.brought))
    named, chosen = spec.input, spec.network
    if stored.blobs.input and named.path:
        path = fetched(store, stored.blobs.input, named.path.name, cache)
        named = named.model_copy(update={"path": path})
    weights = stored.blobs.weights
    if weights:
        path = fetched_weights(store, weights, Path(str(chosen.weights)).name, cache)
        chosen = chosen.model_copy(update={"weights": path})
    here = spec.model_copy(update={"input": named, "network": chosen})
    found = weights or file_digest(weights_file(chosen.name, None))
    digests = beside.digests
    found_out = identity(here, weights=found, picture=stored.blobs.input, companions=digests)
    check_same(stored, found_out)
    return here if terms is None else terms.applied(here)


def _submitted(stored: StoredSpec, document: dict[str, Any]) -> Spec:
    key = JobKeys(stored.job).spec
    try:
        spec = spec_of(document)
    except RequestError as error:
        raise bad_record(key, str(error)) from error
    for what, path, digest in (
        ("input", spec.input.path, stored.blobs.input),
        ("weights", spec.network.weights, stored.blobs.weights),
    ):
        if (path is None) != (digest is None):
            raise bad_record(key, f"{what}: a file without a digest, or a digest without a file")
    return spec
