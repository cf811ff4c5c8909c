"""Stages a submitted poster: downloads its files, and returns its spec with their local paths."""

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
from jobs.spec.redo import nested_networks
from jobs.store.store import Store
from jobs.text.errors import RequestError
from render.networks.weight_paths import resolve_weights


def stage_spec(
    store: Store, stored: StoredSpec, run_settings: RunSettings | None, cache: Path
) -> PosterSpec:
    """Return the submitted spec with local files and the latest run settings.

    Args:
        stored: the spec as it was submitted.
        run_settings: of the latest submit; None keeps those of the first.
        cache: the folder for downloaded files.

    Raises:
        VersionMismatch: this version makes another job from the spec.
        StoreRefused: a blob is missing or damaged.
        InvalidRecord: the stored spec is not valid.
        MachineTooSmall: the cache cannot be written.
    """
    check_file_names(stored)
    stager = AttachmentStager(store, stored.job, cache)
    document = map_attachments(stored.submitted_document, stager.stage)
    older = _stage_older_weights(store, stored, document, cache)
    spec = _parse(stored, document)
    source, network = spec.input, spec.network
    if stored.blobs.input and source.path:
        path = fetch_blob(store, stored.blobs.input, source.path.name, cache)
        source = source.model_copy(update={"path": path})
    weights = stored.blobs.weights
    if weights:
        path = fetch_weights(store, weights, Path(str(network.weights)).name, cache)
        network = network.model_copy(update={"weights": path})
    staged = spec.model_copy(update={"input": source, "network": network})
    identity = poster_identity(
        staged,
        weights=weights or file_digest(resolve_weights(network.name, None)),
        picture=stored.blobs.input,
        attachment_digests=stager.digests,
        older_weights=older,
    )
    check_identity(stored, identity)
    return staged if run_settings is None else run_settings.apply_to(staged)


def _stage_older_weights(
    store: Store, stored: StoredSpec, document: dict[str, Any], cache: Path
) -> list[str]:
    """Put local paths of the older pictures' weights into a document. Returns their digests.

    Raises InvalidRecord, and like `fetch_weights`.
    """
    networks, digests = nested_networks(document), []
    if len(networks) != len(stored.weights):
        raise invalid_record(JobKeys(stored.job).spec, "does not name the weights of each redo")
    for network, file in zip(networks, stored.weights, strict=True):
        network["weights"] = None
        if file is None:
            digests.append(file_digest(resolve_weights(str(network.get("name")), None)))
        else:
            network["weights"] = str(fetch_weights(store, file.digest, file.name, cache))
            digests.append(file.digest)
    return digests


def _parse(stored: StoredSpec, document: dict[str, Any]) -> PosterSpec:
    """Parse a stored document. Files and digests must come in pairs. Raises InvalidRecord."""
    key = JobKeys(stored.job).spec
    try:
        spec = parse_poster_spec(document)
    except RequestError as error:
        raise invalid_record(key, str(error)) from error
    for field, path, digest in (
        ("input", spec.input.path, stored.blobs.input),
        ("weights", spec.network.weights, stored.blobs.weights),
    ):
        if (path is None) != (digest is None):
            raise invalid_record(
                key, f"{field}: a file without a digest, or a digest without a file"
            )
    return spec
