"""Stages a submitted poster: its spec, with its files downloaded to this machine."""

from pathlib import Path
from typing import Any

from jobs.planning.identity import file_digest, poster_identity
from jobs.records.keys import JobKeys
from jobs.records.record import invalid_record
from jobs.records.stored_spec import RunSettings, StoredSpec
from jobs.runtime.staging import (
    AttachmentStager,
    check_file_names,
    check_identity,
    fetch_blob,
    fetch_weights,
)
from jobs.spec.attachments import map_attachments
from jobs.spec.document import parse_poster_spec
from jobs.spec.poster import PosterSpec
from jobs.store.store import Store
from jobs.text.errors import RequestError
from render.networks.weight_paths import resolve_weights


def stage_spec(
    store: Store, stored: StoredSpec, run_settings: RunSettings | None, cache: Path
) -> PosterSpec:
    """Return the submitted spec with local files and the latest run settings.

    run_settings: None for the submitted ones. cache: the folder for downloaded files.

    Raises:
        VersionMismatch: this version would make another job of the spec.
        StoreRefused: a blob is missing or damaged.
        InvalidRecord: the stored spec is not valid.
        RequestError: the cache cannot be written.
    """
    check_file_names(stored)
    stager = AttachmentStager(store, stored.job, cache)
    spec = _submitted(stored, map_attachments(stored.spec, stager.stage))
    named, chosen = spec.input, spec.network
    if stored.blobs.input and named.path:
        path = fetch_blob(store, stored.blobs.input, named.path.name, cache)
        named = named.model_copy(update={"path": path})
    weights = stored.blobs.weights
    if weights:
        path = fetch_weights(store, weights, Path(str(chosen.weights)).name, cache)
        chosen = chosen.model_copy(update={"weights": path})
    here = spec.model_copy(update={"input": named, "network": chosen})
    identity = poster_identity(
        here,
        weights=weights or file_digest(resolve_weights(chosen.name, None)),
        picture=stored.blobs.input,
        attachments=stager.digests,
    )
    check_identity(stored, identity)
    return here if run_settings is None else run_settings.apply_to(here)


def _submitted(stored: StoredSpec, document: dict[str, Any]) -> PosterSpec:
    key = JobKeys(stored.job).spec
    try:
        spec = parse_poster_spec(document)
    except RequestError as error:
        raise invalid_record(key, str(error)) from error
    for what, path, digest in (
        ("input", spec.input.path, stored.blobs.input),
        ("weights", spec.network.weights, stored.blobs.weights),
    ):
        if (path is None) != (digest is None):
            raise invalid_record(
                key, f"{what}: a file without a digest, or a digest without a file"
            )
    return spec
