"""The stored spec of a job, with local paths replaced by names and digests.

Only the inputs of a dataset keep their address.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, Field

from jobs.records.keys import DIGEST_PATTERN
from jobs.records.record import SMALL_RECORD, Record
from jobs.spec.base import Crew, Limits
from jobs.spec.dataset import DatasetLimits, DatasetSpec
from jobs.spec.notify import NotifyField
from jobs.spec.poster import PosterSpec

Digest = Annotated[str, Field(pattern=rf"^{DIGEST_PATTERN}$")]


_REFERENCE = re.compile(rf"(?P<digest>{DIGEST_PATTERN})/(?P<name>[^/\0]+)")


def attachment_reference(path: Path, digest: str) -> str:
    """The reference that replaces the path of a mask or a guide: `sha256:HEX/NAME`."""
    return f"{digest}/{path.name}"


def parse_attachment_reference(text: str) -> tuple[str, str] | None:
    """The digest and the file name in a reference; None for any other text."""
    match = _REFERENCE.fullmatch(text)
    if match is None or not is_file_name(match["name"]):
        return None
    return match["digest"], match["name"]


def is_file_name(name: str) -> bool:
    """Whether a text is a plain file name, without a path to another folder."""
    return name not in {"", ".", ".."} and not {"/", "\0"} & set(name)


class Blobs(BaseModel):
    """The digests of the files that a job needs.

    input: None for noise and colours.
    weights: None for weights that ship with the project.
    """

    model_config = Record.model_config

    input: Digest | None
    weights: Digest | None


class UploadedFile(BaseModel):
    """A file that was uploaded with a job. name: its suffix gives the format."""

    model_config = Record.model_config

    name: str
    digest: Digest


MAX_SUBMITTER = 200
"""The most characters of the name of a submitter, and of a host."""


_Name = Annotated[str, Field(min_length=1, max_length=MAX_SUBMITTER)]


class Submitter(BaseModel):
    """Who submitted a job first, and on which machine. Both are what the submitter said."""

    model_config = Record.model_config

    user: _Name
    host: _Name

    def __str__(self) -> str:
        return f"{self.user}@{self.host}"


_MAX_SPEC = 16 << 20
"""The most bytes of a stored spec; a sweep of 10,000 objectives takes about 3 MiB."""


class StoredSpec(Record):
    """The spec as submitted; written once.

    job: the id of the job.
    spec: the document. Paths are replaced by file names, and masks and guides by references of
        digest and name. The inputs of a dataset keep their address.
    identity: Identity.document; the job id contains its hash.
    nonce: random; a submitter recognises its own write by it.
    weights: the weights of each variant of a dataset, or of each older picture of a redo, the
        newest first; None for weights that ship with the project.
    submitter: None in records of versions that did not keep it.
    """

    max_bytes = _MAX_SPEC

    job: str
    spec: dict[str, Any]
    blobs: Blobs
    identity: dict[str, Any]
    nonce: str
    weights: tuple[UploadedFile | None, ...] = ()
    submitter: Submitter | None = None

    @property
    def submitted_document(self) -> dict[str, Any]:
        """The field `spec`, the spec as JSON values."""
        return self.spec


_Spec = TypeVar("_Spec", PosterSpec, DatasetSpec)


class RunSettings(Record):
    """The settings that another submit of the same job may change.

    They are stored separately, because the stored spec never changes. So users can follow advice
    such as "raise crew.memory_per_worker" by submitting the same job again.

    priority: from 0 to 100; the waiting job with the higher priority runs first.
    notify: whom to tell when the job ends, by names of `work --notify`.
    """

    max_bytes = SMALL_RECORD

    priority: Annotated[int, Field(ge=0, le=100)]
    crew: Crew
    limits: Limits | DatasetLimits
    notify: NotifyField = ()

    @classmethod
    def of(cls, spec: PosterSpec | DatasetSpec) -> Self:
        """The settings in a spec."""
        return cls(priority=spec.priority, crew=spec.crew, limits=spec.limits, notify=spec.notify)

    def apply_to(self, spec: _Spec) -> _Spec:
        """A copy of the spec with these settings."""
        return spec.model_copy(
            update={"priority": self.priority, "crew": self.crew, "limits": self.limits}
        )
