"""The outputs to fetch: files of the job, or other formats, encoded from its final canvas."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.planning.disk import disk_use
from jobs.planning.identity import file_digest
from jobs.planning.machine import available_cores
from jobs.planning.memory import MOST_THREADS
from jobs.poster.fetch.canvas import FinalCanvas
from jobs.poster.fetch.folder import FetchFolder, OutputEntry
from jobs.poster.fetch.print_outputs import RequestedPrint, parse_output
from jobs.records.keys import JobKeys
from jobs.records.manifest import JobOutput
from jobs.runtime.staging import RemoteFile, missing_object
from jobs.spec.encoding_fields import EncodingFields
from jobs.spec.panels import PRINT_FORMATS
from jobs.spec.poster import Output as OutputSpec
from jobs.store.errors import StoreRefused
from jobs.store.store import Store
from jobs.text.errors import RequestError
from render.errors import suggest
from render.pictures.deepzoom import has_tiles, output_files, tiles_folder
from render.pictures.ink import check_profile
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
        if has_tiles(path):
            self._remove_parts(folder)
        if output_digest(path) != self.result.sha256:
            path.unlink()
            # A PNG of the same name has no tiles.
            if has_tiles(path):
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
    if has_tiles(Path(result.name)):
        entries += store.list_objects(f"{prefix}{tiles_folder(Path(result.name)).name}/")
    files = (RemoteFile(one.key, one.size, one.key.removeprefix(prefix)) for one in entries)
    return OutputToDownload(result, tuple(files), store.address)


def manifest_entry(result: JobOutput) -> OutputEntry:
    """The entry of a result in a manifest in the same folder."""
    return {**result.document(), "path": result.name}


_DEFAULT_DEPTH = 8

_AS_USUAL = EncodingFields()


@dataclass(frozen=True)
class RequestedFormat:
    """A format that the user asks for.

    requested_depth: bits a sample. None takes the job's own file of this format, or 8 bits.
    how: it is encoded. Without any field, the job's own file of this format will do.
    """

    format: str
    requested_depth: int | None = None
    how: EncodingFields = _AS_USUAL

    @property
    def depth(self) -> int:
        """Bits a sample of a file to encode."""
        return _DEFAULT_DEPTH if self.requested_depth is None else self.requested_depth

    @property
    def settings(self) -> dict[str, Any]:
        """How it is encoded, as in a manifest. Raises RequestError for an unreadable profile."""
        return self.how.settings(file_digest)

    def is_in(self, entry: OutputEntry) -> bool:
        """Whether an entry of a folder's manifest has this format, depth and settings."""
        made = entry["format"], entry["depth"], entry.get("settings", {})
        return made == (self.format, self.depth, self.settings)

    def is_met_by(self, result: JobOutput) -> bool:
        """Whether a result of the job has this format and depth, and the settings if any."""
        has_depth = self.requested_depth in (None, result.depth)
        has_settings = self.settings in ({}, result.settings)
        return result.format == self.format and has_depth and has_settings


def parse_format(text: str) -> RequestedFormat | RequestedPrint:
    """Parse a value of `--format`: `tiff`, `tiff:16`, `{format: pdf, bleed: 3mm}`.

    Raises RequestError.
    """
    if text in PRINT_FORMATS:
        return RequestedPrint(OutputSpec.model_validate({"format": text}))
    if text.startswith("{"):
        output = parse_output(text)
        if output.profile_path is not None:
            check_profile(output.profile_path)
        if output.for_printer:
            return RequestedPrint(output)
        how = {key: getattr(output, key) for key in EncodingFields.model_fields}
        stated = output.depth if "depth" in output.model_fields_set else None
        return RequestedFormat(output.format, stated, EncodingFields(**how))
    name, colon, depth = text.partition(":")
    if name not in FORMATS:
        known = [*FORMATS, *PRINT_FORMATS]
        raise RequestError(f"format {text}: no such format; {suggest(name, known)}")
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
            {
                "format": self.requested.format,
                "depth": self.requested.depth,
                **dict(self.requested.how),
            }
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
        # Imported here because it loads encoders, and downloads do not need them.
        from jobs.planning.output_writing import output_details, output_writing

        path, size, requested = folder.working / self.name, self.canvas.size, self.requested
        threads = min(available_cores(), MOST_THREADS)
        writing = output_writing(requested.format, requested.how, self.canvas.labels, threads)
        digest = writing.write_whole(
            self.canvas.image(folder.working), path, requested.format, requested.depth
        )
        return {
            "path": self.name,
            "format": requested.format,
            "width": size[1],
            "height": size[0],
            "depth": requested.depth,
            "dpi": self.canvas.labels.dpi,
            "bytes": sum(one.stat().st_size for one in output_files(path)),
            "sha256": digest,
            **output_details(requested.how, writing, file_digest),
        }
