"""The outputs to fetch: files of the job, or other formats, encoded from its final canvas."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from jobs.planning.disk import disk_use
from jobs.planning.machine import available_cores
from jobs.planning.memory import MOST_THREADS
from jobs.poster.fetch.canvas import FinalCanvas
from jobs.poster.fetch.folder import FetchFolder, OutputEntry
from jobs.records.keys import JobKeys
from jobs.records.manifest import JobOutput
from jobs.runtime.staging import RemoteFile, missing_object
from jobs.spec.poster import Output as OutputSpec
from jobs.store.errors import StoreRefused
from jobs.store.store import Store
from jobs.text.errors import RequestError
from render.errors import suggest
from render.pictures.deepzoom import tiles_folder
from render.pictures.output_format import FORMATS, check_output
from render.pictures.write import output_digest


@dataclass(frozen=True)
class OutputToDownload:
    """An output that the job has made, before its files are downloaded."""

    result: JobOutput
    files: tuple[RemoteFile, ...]
    address: str

    @property
    def name(self) -> str:
        """The name of its file, or of its .dzi."""
        return self.result.name

    @property
    def extra_bytes(self) -> int:
        """Bytes needed on disk besides the downloads."""
        return 0

    def finish(self, folder: FetchFolder) -> OutputEntry:
        """Check the downloaded files. If they are damaged, remove them and raise StoreRefused."""
        path = folder.working / self.name
        is_deepzoom = self.result.format == "deepzoom"
        if is_deepzoom:
            self._remove_parts(folder)
        if output_digest(path) != self.result.sha256:
            path.unlink()
            # A PNG of the same name has no tiles.
            if is_deepzoom:
                shutil.rmtree(tiles_folder(path), ignore_errors=True)
            raise StoreRefused(
                f"{self.result.path}: checksum mismatch between {self.address} and the manifest; "
                "fetch it again, or, if that does not help, delete the job and submit it again"
            )
        return manifest_entry(self.result)

    def _remove_parts(self, folder: FetchFolder) -> None:
        """Remove the parts of files that a killed fetch has left among the tiles."""
        downloaded = {folder.working / one.path for one in self.files}
        for found in tiles_folder(folder.working / self.name).rglob("*"):
            if found.is_file() and found not in downloaded:
                found.unlink()


def output_to_download(store: Store, keys: JobKeys, result: JobOutput) -> OutputToDownload:
    """Find the objects of a result. Raises StoreRefused if it is missing."""
    key = result.key(keys)
    prefix = key.removesuffix(result.name)
    entries = [entry for entry in store.list_objects(key) if entry.key == key]
    if not entries:
        raise missing_object(store, key)
    if result.format == "deepzoom":
        entries += store.list_objects(f"{prefix}{tiles_folder(Path(result.name)).name}/")
    files = (RemoteFile(one.key, one.size, one.key.removeprefix(prefix)) for one in entries)
    return OutputToDownload(result, tuple(files), store.address)


def manifest_entry(result: JobOutput) -> OutputEntry:
    """The entry of a result in a manifest in the same folder."""
    return {**result.document(), "path": result.name}


_DEFAULT_DEPTH = 8


@dataclass(frozen=True)
class RequestedFormat:
    """A format that the user asks for.

    requested_depth: bits a sample. None takes the job's own file of this format, or 8 bits.
    """

    format: str
    requested_depth: int | None = None

    @property
    def depth(self) -> int:
        """Bits a sample of a file to encode."""
        return _DEFAULT_DEPTH if self.requested_depth is None else self.requested_depth

    def is_met_by(self, result: JobOutput) -> bool:
        """Whether a result of the job has this format and depth."""
        return result.format == self.format and self.requested_depth in (None, result.depth)


def parse_format(text: str) -> RequestedFormat:
    """Parse a value of `--format`, such as `tiff` or `tiff:16`. Raises RequestError."""
    name, colon, depth = text.partition(":")
    if name not in FORMATS:
        raise RequestError(f"format {text}: no such format; {suggest(name, FORMATS)}")
    if not colon:
        return RequestedFormat(name)
    depths = FORMATS[name].depths
    if depth not in map(str, depths):
        allowed = " or ".join(f"{name}:{one}" for one in depths)
        raise RequestError(f"format {text}: no such depth; write {allowed}")
    return RequestedFormat(name, int(depth))


@dataclass(frozen=True)
class OutputToEncode:
    """An output that the job has not made, before it is encoded from the final canvas."""

    requested: RequestedFormat
    name: str
    canvas: FinalCanvas

    def __post_init__(self) -> None:
        """Raises OutputError if the format cannot hold the canvas."""
        check_output(self.requested.format, *self.canvas.size, self.requested.depth)

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """The files to download first."""
        return self.canvas.files

    @property
    def extra_bytes(self) -> int:
        """The largest size of the encoded file, in bytes."""
        spec = OutputSpec.model_validate(
            {"format": self.requested.format, "depth": self.requested.depth}
        )
        # Only the outputs count here: there is no input and no work in progress.
        use = disk_use(
            source=(0, 0),
            source_depth=8,
            size=self.canvas.size,
            value_bytes=0,
            stored=0,
            spills=False,
            outputs=(spec,),
        )
        return use.outputs

    def finish(self, folder: FetchFolder) -> OutputEntry:
        """Encode the file. Raises OutputError if it cannot be written."""
        # Imported here because torch loads for seconds, and downloads do not need it.
        from render.pictures.export import export_bands
        from render.pictures.write import write_picture

        path, size, depth = folder.working / self.name, self.canvas.size, self.requested.depth
        threads = min(available_cores(), MOST_THREADS)
        samples = export_bands(self.canvas.image(folder.working), depth, threads)
        digest = write_picture(
            path, self.requested.format, size, depth, samples, self.canvas.labels, threads
        )
        files = [path, *(one for one in tiles_folder(path).rglob("*") if one.is_file())]
        return {
            "path": self.name,
            "format": self.requested.format,
            "width": size[1],
            "height": size[0],
            "depth": depth,
            "dpi": self.canvas.labels.dpi,
            "bytes": sum(one.stat().st_size for one in files),
            "sha256": digest,
        }
