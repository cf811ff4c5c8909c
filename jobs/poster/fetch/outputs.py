"""A format that a job has not made itself, encoded on this machine from its finished canvas."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from jobs.planning.disk import disk_use
from jobs.poster.fetch.canvas import FinalCanvas
from jobs.poster.fetch.folder import FetchFolder, Output
from jobs.records.keys import JobKeys
from jobs.records.outputs import JobOutput
from jobs.runtime.staging import RemoteFile, missing_object
from jobs.spec.poster import Output as Asked
from jobs.store.errors import StoreRefused
from jobs.store.store import Store
from jobs.text.errors import RequestError
from render.errors import suggest
from render.pictures.deepzoom import digest, tiles_folder
from render.pictures.output_format import FORMATS, check_output


@dataclass(frozen=True)
class DownloadedOutput:
    """A result, and the objects that it consists of."""

    result: JobOutput
    files: tuple[RemoteFile, ...]
    address: str

    @property
    def name(self) -> str:
        """Of its file, or of its .dzi."""
        return self.result.name

    @property
    def extra_bytes(self) -> int:
        """Bytes of files beside the pieces."""
        return 0

    def finish(self, place: FetchFolder) -> Output:
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
        return manifest_entry(self.result)


def downloaded_output(store: Store, keys: JobKeys, result: JobOutput) -> DownloadedOutput:
    """The copy to be made of a result. Raises StoreRefused where it is gone."""
    key = result.key(keys)
    prefix = key.removesuffix(result.name)
    entries = [entry for entry in store.list_objects(key) if entry.key == key]
    if not entries:
        raise missing_object(store, key)
    if result.format == "deepzoom":
        entries += store.list_objects(f"{prefix}{tiles_folder(Path(result.name)).name}/")
    found = (RemoteFile(one.key, one.size, one.key.removeprefix(prefix)) for one in entries)
    return DownloadedOutput(result, tuple(found), store.address)


def manifest_entry(result: JobOutput) -> Output:
    """What a manifest beside it says of a result."""
    return {**result.document(), "path": result.name}


_DEFAULT_DEPTH = 8


@dataclass(frozen=True)
class RequestedFormat:
    """asked: bits a sample; None: as the job has that format, and 8 where it has not."""

    format: str
    requested_depth: int | None = None

    @property
    def depth(self) -> int:
        """Bits a sample of a file that is to be made."""
        return _DEFAULT_DEPTH if self.requested_depth is None else self.requested_depth

    def is_met_by(self, result: JobOutput) -> bool:
        """Whether the job itself has made it."""
        return result.format == self.format and self.requested_depth in (None, result.depth)


def parse_format(text: str) -> RequestedFormat:
    """`tiff`, `tiff:16`. Raises RequestError."""
    name, colon, depth = text.partition(":")
    if name not in FORMATS:
        raise RequestError(f"--format {text}: no such format; {suggest(name, FORMATS)}")
    if not colon:
        return RequestedFormat(name)
    depths = FORMATS[name].depths
    if depth not in map(str, depths):
        allowed = " or ".join(f"{name}:{one}" for one in depths)
        raise RequestError(f"--format {text}: no such depth; write {allowed}")
    return RequestedFormat(name, int(depth))


@dataclass(frozen=True)
class EncodedOutput:
    """A file to be made, of that name, and what it is made of."""

    requested: RequestedFormat
    name: str
    canvas: FinalCanvas

    def __post_init__(self) -> None:
        """Raises OutputError for what the format cannot hold."""
        check_output(self.requested.format, *self.canvas.size, self.requested.depth)

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """The objects that must be here first."""
        return self.canvas.files

    @property
    def extra_bytes(self) -> int:
        """Bytes of the file, at the most."""
        asked = Asked.model_validate(
            {"format": self.requested.format, "depth": self.requested.depth}
        )
        return disk_use((0, 0), 8, self.canvas.size, 0, 0, False, (asked,)).outputs

    def finish(self, place: FetchFolder) -> Output:
        """Encode it. Raises OutputError where the disk does not allow it."""
        # Torch takes seconds, which who only downloads need not wait for.
        from render.pictures.export import export_bands
        from render.pictures.write import write_picture

        path, size, depth = place.working / self.name, self.canvas.size, self.requested.depth
        samples = export_bands(self.canvas.image(place.working), depth)
        write_picture(path, self.requested.format, size, depth, samples, self.canvas.labels)
        files = [path, *(one for one in tiles_folder(path).rglob("*") if one.is_file())]
        return {
            "path": self.name,
            "format": self.requested.format,
            "width": size[1],
            "height": size[0],
            "depth": depth,
            "dpi": self.canvas.labels.dpi,
            "bytes": sum(one.stat().st_size for one in files),
            "sha256": f"sha256:{digest(path)}",
        }
