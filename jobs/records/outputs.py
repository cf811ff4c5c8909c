"""The results of a job that has succeeded, as its manifest names them."""

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jobs.records.job import Job
from jobs.records.keys import JobKeys
from jobs.records.record import bad_record
from jobs.records.stored_spec import Digest
from jobs.text.validation import one_line

_Count = Annotated[int, Field(ge=1)]


class Result(BaseModel):
    """One output. path: from the job's folder. bytes: of all its files. sha256: `sha256:...`."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    # It becomes a file's name on somebody's disk.
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
        """Of its file, or of its .dzi."""
        return self.path.rpartition("/")[2]

    def key(self, keys: JobKeys) -> str:
        """Where it lies in the store."""
        return f"{keys.folder}{self.path}"

    def document(self) -> dict[str, Any]:
        """As plain JSON values."""
        return self.model_dump(mode="json")


class _Results(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    outputs: tuple[Result, ...] = ()


def results(job: Job) -> tuple[Result, ...]:
    """A job's results; none where it has not succeeded. Raises BadRecord."""
    if job.manifest is None:
        return ()
    try:
        # Through JSON, where strict means no silent conversions, but lists may become tuples.
        return _Results.model_validate_json(json.dumps(job.manifest)).outputs
    except ValidationError as error:
        complaint = one_line(error, _Results, job.manifest)
        raise bad_record(JobKeys(job.id).manifest, complaint) from error
