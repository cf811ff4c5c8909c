"""A format that a job has not made itself, encoded on this machine from its finished canvas."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from jobs.planning.disk import disk_use
from jobs.poster.fetch.canvas import FinalCanvas
from jobs.poster.fetch.folder import Output, Place
from jobs.records.keys import JobKeys
from jobs.records.outputs import Result
from jobs.runtime.download import Piece, missing
from jobs.spec.poster import Output as Asked
from jobs.store.errors import StoreRefused
from jobs.store.store import Store
from jobs.text.errors import RequestError
from render.errors import suggestion
from render.pictures.deepzoom import digest, tiles_folder
from render.pictures.output_format import FORMATS, check_output


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


_USUAL_DEPTH = 8


@dataclass(frozen=True)
class Wanted:
    """asked: bits a sample; None: as the job has that format, and 8 where it has not."""

    format: str
    asked: int | None = None

    @property
    def depth(self) -> int:
        """Bits a sample of a file that is to be made."""
        return _USUAL_DEPTH if self.asked is None else self.asked

    def is_met_by(self, result: Result) -> bool:
        """Whether the job itself has made it."""
        return result.format == self.format and self.asked in (None, result.depth)


def parse_wanted(text: str) -> Wanted:
    """`tiff`, `tiff:16`. Raises RequestError."""
    name, colon, depth = text.partition(":")
    if name not in FORMATS:
        raise RequestError(f"--format {text}: no such format; {suggestion(name, FORMATS)}")
    if not colon:
        return Wanted(name)
    depths = FORMATS[name].depths
    if depth not in map(str, depths):
        allowed = " or ".join(f"{name}:{one}" for one in depths)
        raise RequestError(f"--format {text}: no such depth; write {allowed}")
    return Wanted(name, int(depth))


@dataclass(frozen=True)
class Encoding:
    """A file to be made, of that name, and what it is made of."""

    wanted: Wanted
    name: str
    canvas: FinalCanvas

    def __post_init__(self) -> None:
        """Raises OutputError for what the format cannot hold."""
        check_output(self.wanted.format, *self.canvas.size, self.wanted.depth)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The objects that must be here first."""
        return self.canvas.pieces

    @property
    def made(self) -> int:
        """Bytes of the file, at the most."""
        asked = Asked.model_validate({"format": self.wanted.format, "depth": self.wanted.depth})
        return disk_use((0, 0), 8, self.canvas.size, 0, 0, False, (asked,)).outputs

    def finished(self, place: Place) -> Output:
        """Encode it. Raises OutputError where the disk does not allow it."""
        # Torch takes seconds, which who only downloads need not wait for.
        from render.pictures.export import bands
        from render.pictures.write import write_picture

        path, size, depth = place.working / self.name, self.canvas.size, self.wanted.depth
        samples = bands(self.canvas.mosaic(place.working), depth)
        write_picture(path, self.wanted.format, size, depth, samples, self.canvas.labels)
        files = [path, *(one for one in tiles_folder(path).rglob("*") if one.is_file())]
        return {
            "path": self.name,
            "format": self.wanted.format,
            "width": size[1],
            "height": size[0],
            "depth": depth,
            "dpi": self.canvas.labels.dpi,
            "bytes": sum(one.stat().st_size for one in files),
            "sha256": f"sha256:{digest(path)}",
        }
