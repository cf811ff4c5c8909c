"""One of a job's own results on its way to somebody's disk."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from jobs.fetching.download import Piece, missing
from jobs.fetching.place import Output, Place
from jobs.lifecycle.keys import JobKeys
from jobs.lifecycle.results import Result
from jobs.store.errors import StoreRefused
from jobs.store.store import Store
from render.pictures.deepzoom import tiles_folder
from render.pictures.digest import digest


@dataclass(frozen=True)
class Copy:
    """A result, and the objects that it consists of."""

    result: Result
    pieces: tuple[Piece, ...]
    address: str

    @property
    def name(self) -> str:
        """Of its file, or of its .dzi."""
        return self.result.name

    @property
    def made(self) -> int:
        """Bytes of files beside the pieces."""
        return 0

    def finished(self, place: Place) -> Output:
        """Check what has been brought. Raises StoreRefused where it is damaged, and removes it."""
        path = place.working / self.name
        if f"sha256:{digest(path)}" != self.result.sha256:
            path.unlink()
            shutil.rmtree(tiles_folder(path), ignore_errors=True)
            raise StoreRefused(
                f"{self.result.path}: what came from {self.address} has not the checksum of the "
                "manifest; fetch it again, or, if that does not help, delete the job and submit it "
                "again"
            )
        return output_of(self.result)


def copy_of(store: Store, keys: JobKeys, result: Result) -> Copy:
    """The copy to be made of a result. Raises StoreRefused where it is gone."""
    key = result.key(keys)
    prefix = key.removesuffix(result.name)
    entries = [entry for entry in store.entries(key) if entry.key == key]
    if not entries:
        raise missing(store, key)
    if result.format == "deepzoom":
        entries += store.entries(f"{prefix}{tiles_folder(Path(result.name)).name}/")
    found = (Piece(one.key, one.size, one.key.removeprefix(prefix)) for one in entries)
    return Copy(result, tuple(found), store.address)


def output_of(result: Result) -> Output:
    """What a manifest beside it says of a result."""
    return {**result.document(), "path": result.name}
