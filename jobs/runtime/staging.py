"""Downloads from the store: input files, which are checked by their digests, and results."""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.planning.identity import Identity
from jobs.records.keys import JobKeys, blob_key
from jobs.records.record import invalid_record
from jobs.records.stored_spec import StoredSpec, is_file_name, parse_attachment_reference
from jobs.spec.redo import nested_networks
from jobs.store.errors import ObjectNotFound, StoreRefused
from jobs.store.store import Store
from jobs.text.errors import MachineTooSmall, RequestError, VersionMismatch
from render.networks.architecture import is_onnx_path
from render.networks.builtin import ONNX
from render.networks.onnx_file import is_onnx
from render.networks.safetensors_header import is_safetensors
from render.networks.weight_paths import SAFETENSORS_SUFFIX


def cache_folder() -> Path:
    """The cache of blobs on this machine. It may be deleted while no job runs."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "dreamfarm" / "blobs"


@dataclass(frozen=True)
class AttachmentStager:
    """Downloads the masks and guides of a stored spec.

    job: the id. cache: the folder for downloaded files. digests: of the files that it has
    downloaded, by their local paths.
    """

    store: Store
    job: str
    cache: Path
    digests: dict[Path, str] = field(default_factory=dict)

    def stage(self, text: str) -> str:
        """Download the picture that a stored spec refers to; return its local path.

        Raises:
            InvalidRecord: the text does not refer to an uploaded picture.
            StoreRefused, RequestError: see `fetch_blob`.
        """
        reference = parse_attachment_reference(text)
        if reference is None:
            raise invalid_record(JobKeys(self.job).spec, f"{text}: is not an uploaded file")
        path = fetch_blob(self.store, *reference, self.cache)
        self.digests[path] = reference[0]
        return str(path)


def check_file_names(stored: StoredSpec) -> None:
    """Check that a stored spec has only file names, as `submit` writes them, and no paths.

    Raises InvalidRecord.
    """
    for place, name in _named_files(stored.submitted_document):
        if not is_file_name(name):
            raise invalid_record(
                JobKeys(stored.job).spec, f"{place}: {name!r} is not an uploaded file"
            )


def _named_files(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The fields of a document that name its input and its weights, with the names."""
    for section, key in (("input", "path"), ("network", "weights"), ("sweep", "network.weights")):
        fields = document.get(section)
        value = fields.get(key) if isinstance(fields, dict) else None
        for name in value if isinstance(value, list) else [value]:
            if isinstance(name, str):
                yield f"{section}.{key}", name
    if isinstance(short_form := document.get("input"), str):
        yield "input", short_form
    for older in nested_networks(document):
        for key in ("name", "weights"):
            if isinstance(name := older.get(key), str):
                yield f"redo.before.network.{key}", name
    network = document.get("network")
    for name in (network, *map((network if isinstance(network, dict) else {}).get, ("name", ONNX))):
        if isinstance(name, str) and (is_onnx_path(name) or "/" in name):
            yield "network", name


def fetch_weights(store: Store, digest: str, name: str, cache: Path) -> Path:
    """Download a weights file; return its local path. Only .safetensors and .onnx are loaded.

    Raises:
        RequestError: it is another kind of file, which could hold code.
        StoreRefused, RequestError: see `fetch_blob`.
    """
    refusal = RequestError(
        f"weights {name}: only {SAFETENSORS_SUFFIX} is loaded from a store; "
        "submit the job again, which converts them"
    )
    is_kind = is_onnx if is_onnx_path(name) else is_safetensors
    if is_kind is is_safetensors and Path(name).suffix != SAFETENSORS_SUFFIX:
        raise refusal
    path = fetch_blob(store, digest, name, cache)
    # Any file can have the name; other files would be opened as pickles.
    if not is_kind(path):
        if is_kind is is_onnx:
            raise RequestError(f"network {name}: is no ONNX file; submit the job again")
        raise refusal
    return path


def fetch_blob(store: Store, digest: str, name: str, cache: Path) -> Path:
    """Download the blob of a digest, unless the cache has it; return its local path.

    name: of the uploaded file. The local file has the same name, because its suffix is its format.

    Raises:
        StoreRefused: the blob is missing or damaged.
        MachineTooSmall: the cache cannot be read or written; another machine may have room.
        RequestError: the name is not a file name.
    """
    if not is_file_name(name):
        raise RequestError(f"{name!r}: is not the name of an uploaded file")
    key = blob_key(digest)
    path = cache / digest.replace(":", "/") / name
    try:
        if path.is_file() and _has_digest(path, digest):
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        # Other processes may fetch the same file into the same cache at the same time.
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=path.parent) as folder:
            partial = Path(folder) / name
            store.download(key, partial)
            if not _has_digest(partial, digest):
                raise StoreRefused(
                    f"{key} in {store.address}: is damaged; delete it, and submit the job again"
                )
            partial.replace(path)
    except ObjectNotFound as why:
        raise StoreRefused(f"{key}: is not in {store.address}; submit the job again") from why
    except OSError as why:
        raise MachineTooSmall(
            f"{path}: cannot be read or written ({why.strerror}); "
            "set XDG_CACHE_HOME to a folder with room"
        ) from why
    return path


def _has_digest(path: Path, digest: str) -> bool:
    """Whether a file has a digest. Unlike `file_digest`, raises OSError: it is the machine's."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}" == digest


def check_identity(stored: StoredSpec, found: Identity) -> None:
    """Check that the staged job is the one that was submitted.

    Raises:
        VersionMismatch: this version, the network or the weights differ.
        InvalidRecord: the spec is that of another job.
    """
    if found.job_id == stored.job:
        return
    before, now = stored.identity, found.document
    for key, word in (
        ("pixel_version", "pixel version"),
        ("network", "network"),
        ("weights", "weights"),
    ):
        if before.get(key) != now.get(key):
            raise VersionMismatch(
                f"{stored.job}: was submitted for {word} {before.get(key)}, and this is "
                f"{now.get(key)}; use the dreamfarm it was submitted with, or submit it again"
            )
    raise invalid_record(JobKeys(stored.job).spec, f"is the spec of {found.job_id}")


_DOWNLOAD_THREADS = 16
"""Small files that are downloaded at the same time."""


_LARGE_BYTES = 32 << 20
"""Bytes from which a store downloads the parts of an object in parallel. Such objects are fetched
one after the other in the caller's thread, so that Ctrl-C interrupts them."""


@dataclass(frozen=True)
class RemoteFile:
    """An object to download: its key, its size in bytes, and its path in the folder."""

    key: str
    size: int
    path: str

    def is_downloaded(self, folder: Path) -> bool:
        """Whether the folder has the file, at its full size."""
        path = folder / self.path
        return path.is_file() and path.stat().st_size == self.size


def download(store: Store, files: Iterable[RemoteFile], folder: Path) -> None:
    """Download files into a folder. Raises StoreRefused for a missing object, and StoreError."""
    all_files = list(files)
    for parent in sorted({(folder / file.path).parent for file in all_files}):
        parent.mkdir(parents=True, exist_ok=True)

    def fetch(file: RemoteFile) -> None:
        try:
            store.download(file.key, folder / file.path)
        except ObjectNotFound as gone:
            raise missing_object(store, file.key) from gone

    for file in (one for one in all_files if one.size >= _LARGE_BYTES):
        fetch(file)
    with ThreadPoolExecutor(_DOWNLOAD_THREADS) as pool:
        # An error ends the loop, and cancels the downloads that have not started.
        for _ in pool.map(fetch, (one for one in all_files if one.size < _LARGE_BYTES)):
            pass


def missing_object(store: Store, key: str) -> StoreRefused:
    """Return the error for an object that should be in the store."""
    return StoreRefused(f"{key}: is not in {store.address} any more; has the job been deleted?")
