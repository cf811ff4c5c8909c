"""The manifest of a succeeded job: its file, and the outputs that it lists."""

import json
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jobs.records.job import StoredJob
from jobs.records.keys import JobKeys
from jobs.records.record import Amount, invalid_record
from jobs.records.spending import Spent
from jobs.records.status import ItemCounts
from jobs.records.stored_spec import Digest
from jobs.text.validation import describe_errors

MANIFEST = "manifest.json"
"""The name of the manifest beside the outputs in a folder."""


def encode_manifest(content: dict[str, Any]) -> bytes:
    """The bytes of a manifest, the same in folders and in stores."""
    return f"{json.dumps(content, indent=2)}\n".encode()


_PositiveCount = Annotated[int, Field(ge=1, le=10**15)]

_Dpi = Annotated[float, Field(gt=0, le=1e9)]

_Parsed = TypeVar("_Parsed", bound=BaseModel)


class JobOutput(BaseModel):
    """One output.

    path: relative to the job's folder in the store.
    bytes: the total size of its files.
    sha256: the digest, `sha256:HEX`.
    settings: how it is encoded; see `EncodingFields`. out_of_gamut: of a soft proof, the share of
        the pixels that the press cannot print.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    # `fetch` uses it as a local file name, so it must be safe.
    path: Annotated[str, Field(pattern=r"^outputs/[0-9]+/[A-Za-z0-9_][A-Za-z0-9._-]*$")]
    format: str
    width: _PositiveCount
    height: _PositiveCount
    depth: _PositiveCount
    dpi: _Dpi | None
    bytes: _PositiveCount
    sha256: Digest
    settings: Annotated[dict[str, Any], Field(exclude_if=lambda settings: not settings)] = {}
    out_of_gamut: Annotated[
        Annotated[float, Field(ge=0, le=1)] | None, Field(exclude_if=lambda share: share is None)
    ] = None

    @property
    def name(self) -> str:
        """The name of its file; of tiles, that of the file beside their folder."""
        return self.path.rpartition("/")[2]

    def key(self, keys: JobKeys) -> str:
        """Its key in the store."""
        return f"{keys.folder}{self.path}"

    def document(self) -> dict[str, Any]:
        """The output as plain JSON values."""
        return self.model_dump(mode="json")


class _Seconds(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    total: Amount | None = None


class _Manifest(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    outputs: tuple[JobOutput, ...] = ()
    seconds: _Seconds = _Seconds()
    spent: Spent | None = None


class _DatasetManifest(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    items: ItemCounts | None = None


def job_outputs(job: StoredJob) -> tuple[JobOutput, ...]:
    """The outputs of a job; empty if it has not succeeded. Raises InvalidRecord."""
    if job.manifest is None:
        return ()
    return _parse(job, _Manifest).outputs


def total_seconds(job: StoredJob) -> float | None:
    """How long the last holder worked on a succeeded job; None if unknown. Raises InvalidRecord."""
    return None if job.manifest is None else _parse(job, _Manifest).seconds.total


def spent_on(job: StoredJob) -> Spent | None:
    """What the workers of a succeeded job have cost; None if unknown. Raises InvalidRecord."""
    return None if job.manifest is None else _parse(job, _Manifest).spent


def item_counts(job: StoredJob) -> ItemCounts | None:
    """The item counts of a succeeded dataset; None if there are none. Raises InvalidRecord."""
    return None if job.manifest is None else _parse(job, _DatasetManifest).items


def _parse(job: StoredJob, model: type[_Parsed]) -> _Parsed:
    """The fields of a job's manifest that a model has. Raises InvalidRecord."""
    try:
        # Via JSON: strict validation of JSON allows lists for tuples, but no other conversion.
        return model.model_validate_json(json.dumps(job.manifest))
    except ValidationError as error:
        problem = describe_errors(error, model, job.manifest)
        raise invalid_record(JobKeys(job.id).manifest, problem) from error
