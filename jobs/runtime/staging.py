"""What a job needs, brought from the store to the machine that renders it."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.planning.identity import Identity, file_digest
from jobs.records.keys import JobKeys, blob
from jobs.records.record import bad_record
from jobs.records.stored_spec import StoredSpec, is_bare, parse_sent
from jobs.store.errors import Missing, StoreRefused
from jobs.store.store import Store
from jobs.text.errors import OtherVersion, RequestError
from render.networks.weight_paths import SAFE


def cache_folder() -> Path:
    """Where blobs are kept on this machine; may be deleted whenever nothing runs."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "dreamfarm" / "blobs"


@dataclass(frozen=True)
class Beside:
    """The masks and guides of a stored spec on their way to this machine.

    digests: of those that have been brought, by the path that they have here.
    """

    store: Store
    job: str
    cache: Path
    digests: dict[Path, str] = field(default_factory=dict)

    def brought(self, text: str) -> str:
        """The path here of what a stored spec names. Raises as `fetched`, and BadRecord."""
        sent = parse_sent(text)
        if sent is None:
            raise bad_record(JobKeys(self.job).spec, f"{text}: is no picture that was sent along")
        path = fetched(self.store, *sent, self.cache)
        self.digests[path] = sent[0]
        return str(path)


def check_named(stored: StoredSpec) -> None:
    """See that a stored spec names its files and leads nowhere: `submit` leaves their bare names.

    Raises BadRecord.
    """
    for what, name in _named(stored.spec):
        if not is_bare(name):
            raise bad_record(
                JobKeys(stored.job).spec, f"{what}: {name!r} is no file that was sent along"
            )


def _named(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a document names its input and its weights, by field; `inputs` go another way."""
    for part, key in (("input", "path"), ("network", "weights"), ("sweep", "network.weights")):
        there = document.get(part)
        named = there.get(key) if isinstance(there, dict) else None
        for name in named if isinstance(named, list) else [named]:
            if isinstance(name, str):
                yield f"{part}.{key}", name
    if isinstance(short := document.get("input"), str):
        yield "input", short


def fetched_weights(store: Store, digest: str, name: str, cache: Path) -> Path:
    """The weights file of a digest, which is no pickle. Raises as `fetched`."""
    if Path(name).suffix != SAFE:
        raise RequestError(
            f"weights {name}: are no {SAFE} file, and from a store no other is opened; "
            "submit the job again, which converts them"
        )
    return fetched(store, digest, name, cache)


def fetched(store: Store, digest: str, name: str, cache: Path) -> Path:
    """The file of a digest, under the name it had: weights are told apart by their suffix.

    Raises StoreRefused where the blob is gone or damaged, RequestError for a full cache and for
    what is no name.
    """
    if not is_bare(name):
        raise RequestError(f"{name!r}: is no name of a file that was sent along")
    key = blob(digest)
    path = cache / digest.replace(":", "/") / name
    try:
        if path.is_file() and file_digest(path) == digest:
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        # Others may fetch the same file into the same cache at the same time.
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=path.parent) as folder:
            partial = Path(folder) / name
            store.download(key, partial)
            if file_digest(partial) != digest:
                raise StoreRefused(
                    f"{key} in {store.address}: is damaged; delete it, and submit the job again"
                )
            partial.replace(path)
    except Missing as why:
        raise StoreRefused(f"{key}: is not in {store.address}; submit the job again") from why
    except OSError as why:
        raise RequestError(
            f"{path}: cannot be written ({why.strerror}); set XDG_CACHE_HOME to a folder with room"
        ) from why
    return path


def check_same(stored: StoredSpec, found: Identity) -> None:
    """Raises OtherVersion or BadRecord where what was found is another job than was submitted."""
    if found.job_id == stored.job:
        return
    before, now = stored.identity, found.document
    for what, word in (
        ("pixel_version", "pixel version"),
        ("network", "network"),
        ("weights", "weights"),
    ):
        if before.get(what) != now.get(what):
            raise OtherVersion(
                f"{stored.job}: was submitted for {word} {before.get(what)}, and this is "
                f"{now.get(what)}; use the dreamfarm it was submitted with, or submit it again"
            )
    raise bad_record(JobKeys(stored.job).spec, f"is the spec of {found.job_id}")
