"""The manifest of a succeeded job: its file, and the outputs that it lists."""

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jobs.records.job import StoredJob
from jobs.records.keys import JobKeys
from jobs.records.record import invalid_record
from jobs.records.stored_spec import Digest
from jobs.text.validation import describe_errors

MANIFEST = "manifest.json"
"""The name of the manifest beside the outputs in a folder."""


def encode_manifest(content: dict[str, Any]) -> bytes:
    """The bytes of a manifest, the same in folders and in stores."""
    return f"{json.dumps(content, indent=2)}\n".encode()


def write_manifest(folder: Path, content: dict[str, Any]) -> Path:
    """Write the manifest into a folder, atomically; return its path. Raises OSError."""
    path = folder / MANIFEST
    partial = path.with_name(f".{MANIFEST}.partial")
    partial.write_bytes(encode_manifest(content))
    partial.replace(path)
    return path


_Count = Annotated[int, Field(ge=1)]


class JobOutput(BaseModel):
    """One output.

    path: relative to the job's folder in the store.
    bytes: the total size of its files.
    sha256: the digest, `sha256:HEX`.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    # `fetch` uses it as a local file name, so it must be safe.
    path: Annotated[str, Field(pattern=r"^outputs/[0-9]+/[A-Za-z0-9_][A-Za-z0-9._-]*$")]
    format: str
    width: _Count
    height: _Count
    depth: _Count
    dpi: float | None
    bytes: _Count
    sha256: Digest

    @property
    def name(self) -> str:
        """The name of its file; for a DeepZoom, of the .dzi file."""
        return self.path.rpartition("/")[2]

    def key(self, keys: JobKeys) -> str:
        """Its key in the store."""
        return f"{keys.folder}{self.path}"

    def document(self) -> dict[str, Any]:
        """The output as plain JSON values."""
        return self.model_dump(mode="json")


class _Manifest(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    outputs: tuple[JobOutput, ...] = ()


def job_outputs(job: StoredJob) -> tuple[JobOutput, ...]:
    """The outputs of a job; empty if it has not succeeded. Raises InvalidRecord."""
    if job.manifest is None:
        return ()
    try:
        # Via JSON: strict validation of JSON allows lists for tuples, but no other conversion.
        return _Manifest.model_validate_json(json.dumps(job.manifest)).outputs
    except ValidationError as error:
        problem = describe_errors(error, _Manifest, job.manifest)
        raise invalid_record(JobKeys(job.id).manifest, problem) from error
