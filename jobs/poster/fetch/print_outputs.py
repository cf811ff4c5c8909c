"""Outputs for the printer to fetch: PDFs, panels and contract proofs, each of one or more files."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jobs.planning.disk import print_file_bytes
from jobs.planning.identity import file_digest
from jobs.planning.machine import available_cores
from jobs.planning.memory import MOST_THREADS
from jobs.planning.output_writing import output_writing
from jobs.planning.print_files import print_files
from jobs.poster.fetch.canvas import FinalCanvas
from jobs.poster.fetch.folder import FetchFolder, OutputEntry
from jobs.records.job import StoredJob
from jobs.records.keys import JobKeys
from jobs.records.record import invalid_record
from jobs.runtime.staging import RemoteFile
from jobs.spec.poster import Output
from jobs.text.errors import RequestError
from jobs.text.validation import describe_errors
from jobs.text.yaml_json import parse_yaml
from render.pictures.print_files import PrintFile

_OUTPUT = "output"
"""The field of an entry in a folder's manifest that says how its file was made."""


_Side = Annotated[int, Field(ge=1, le=10**9)]
"""Anybody may write a manifest into a store, so its numbers are not trusted."""


class _Plan(BaseModel):
    model_config = ConfigDict(extra="ignore")

    size: tuple[_Side, _Side]


class _Identity(BaseModel):
    model_config = ConfigDict(extra="ignore")

    outputs: tuple[dict[str, Any], ...]


class _Made(BaseModel):
    """What a manifest says about the size of a poster and its outputs."""

    model_config = ConfigDict(extra="ignore")

    plan: _Plan
    identity: _Identity


@dataclass(frozen=True)
class RequestedPrint:
    """An output for the printer that the user asks for, as in a spec."""

    output: Output

    def files(self, job: StoredJob, name: str, dpi: float | None) -> tuple["RequestedFile", ...]:
        """Its files for a succeeded job. name, dpi: of the poster.

        Raises RequestError or OutputError if it does not fit the poster.
        """
        return tuple(
            RequestedFile(file, self.output, self.document())
            for file in print_files(self.output, name, _made(job).plan.size, dpi)
        )

    def is_made_by(self, job: StoredJob) -> bool:
        """Whether a succeeded job has this output."""
        return self.document() in _made(job).identity.outputs

    def document(self) -> dict[str, Any]:
        """The output as plain JSON values, with a digest in place of the path of a profile.

        Raises RequestError if the profile is unreadable.
        """
        document, profile = self.output.model_dump(mode="json"), self.output.profile_path
        return document if profile is None else document | {"profile": file_digest(profile)}


def _made(job: StoredJob) -> _Made:
    document = job.manifest or {}
    try:
        return _Made.model_validate(document)
    except ValidationError as error:
        problem = describe_errors(error, _Made, document)
        raise invalid_record(JobKeys(job.id).manifest, problem) from error


@dataclass(frozen=True)
class RequestedFile:
    """A file for the printer. settings: of its output, see `RequestedPrint.document`."""

    file: PrintFile
    output: Output
    settings: dict[str, Any]

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.file.name

    def is_in(self, entry: OutputEntry) -> bool:
        """Whether an entry of a folder's manifest was made with these settings."""
        return entry.get(_OUTPUT) == self.settings


@dataclass(frozen=True)
class PrintToEncode:
    """A file for the printer, before it is encoded from the final canvas."""

    requested: RequestedFile
    canvas: FinalCanvas

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.requested.name

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """The files to download first."""
        return self.canvas.files

    @property
    def extra_bytes(self) -> int:
        """The largest size of the encoded file, in bytes."""
        return print_file_bytes(self.requested.file, self.requested.output)

    def finish(self, folder: FetchFolder) -> OutputEntry:
        """Encode the file. Raises OutputError if it cannot be written."""
        path, file = folder.working / self.name, self.requested.file
        threads, output = min(available_cores(), MOST_THREADS), self.requested.output
        writing = output_writing(output.format, output, self.canvas.labels, threads, _go_on)
        digest = file.write(self.canvas.image(folder.working), path, writing)
        height, width = file.size
        return {
            "path": self.name,
            "format": file.format,
            "width": width,
            "height": height,
            "depth": file.depth,
            "dpi": self.canvas.labels.dpi,
            "bytes": path.stat().st_size,
            "sha256": digest,
            _OUTPUT: self.requested.settings,
        }


def _go_on() -> None:
    """Nothing stops a fetch but its process."""


def parse_output(text: str) -> Output:
    """Parse an output as a spec writes it, such as `{format: pdf, bleed: 3mm}`.

    Raises RequestError.
    """
    try:
        document = parse_yaml(text)
    except RequestError as error:
        raise RequestError(f"format: {error}") from error
    try:
        return Output.model_validate_json(json.dumps(document))
    except ValidationError as error:
        raise RequestError(f"format: {describe_errors(error, Output, document)}") from error


def panel_formats(panels: str | None, formats: Sequence[str]) -> list[str]:
    """The formats to fetch, each cut into panels.

    panels: the width of a panel, such as `130cm`, or a mapping as in a spec; None cuts nothing.
    formats: values of `--format`; without any, panels are PDFs. Raises RequestError.
    """
    if panels is None:
        return list(formats)
    if panels.strip().isdecimal():  # pixels in a spec, and hundreds of files for who meant cm
        raise RequestError(f"panels {panels}: needs a unit, such as {panels}cm or {panels}px")
    try:
        cut = parse_yaml(panels) if panels.lstrip().startswith("{") else {"width": panels}
    except RequestError as error:
        raise RequestError(f"panels: {error}") from error
    outputs = []
    for text in formats or ("pdf",):
        if text.startswith("{"):
            raise RequestError(f"format {text}: write its panels inside, and leave out --panels")
        name, _, depth = text.partition(":")
        bits = {"depth": int(depth)} if depth.isdecimal() else {}
        outputs.append(json.dumps({"format": name, **bits, "panels": cut}))
    return outputs
