"""A spec as it lies in a store: whole, and with no word of the submitter's disk but its inputs."""

import re
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, Field

from jobs.records.keys import DIGEST
from jobs.records.record import Record
from jobs.spec.base import Crew, Limits
from jobs.spec.dataset import DatasetLimits, DatasetSpec
from jobs.spec.poster import Spec

Digest = Annotated[str, Field(pattern=rf"^{DIGEST}$")]


_SENT = re.compile(rf"(?P<digest>{DIGEST})/(?P<name>[^/\0]+)")


def sent_as(path: Path, digest: str) -> str:
    """What a stored spec says in place of the path of a mask or a guide."""
    return f"{digest}/{path.name}"


def parse_sent(text: str) -> tuple[str, str] | None:
    """The digest and the name of what was `sent_as` a text; None where that is something else."""
    found = _SENT.fullmatch(text)
    if found is None or not is_bare(found["name"]):
        return None
    return found["digest"], found["name"]


def is_bare(name: str) -> bool:
    """Whether a text is the name of a file, and leads nowhere else."""
    return name not in {"", ".", ".."} and not {"/", "\0"} & set(name)


class Blobs(BaseModel):
    """The files that a job needs, by digest.

    input: None for noise and colours. weights: None where they ship with the project.
    """

    model_config = Record.model_config

    input: Digest | None
    weights: Digest | None


class Sent(BaseModel):
    """A file that was sent along: its name, whose suffix says what it is, and its digest."""

    model_config = Record.model_config

    name: str
    digest: Digest


class StoredSpec(Record):
    """What was submitted, written once.

    spec: the document, its paths reduced to bare file names, but for the inputs of a dataset; masks
        and guides are said by digest and name.
    identity: Identity.document, of which the job's id is the hash.
    nonce: random; by it a submitter knows whether it was the first.
    weights: of each variant of a dataset; None for those that ship with the project.
    """

    job: str
    spec: dict[str, Any]
    blobs: Blobs
    identity: dict[str, Any]
    nonce: str
    weights: tuple[Sent | None, ...] = ()


_Spec = TypeVar("_Spec", Spec, DatasetSpec)


class Terms(Record):
    """What the latest submitter asked for. Of two waiting jobs the higher priority goes first.

    They lie apart from the spec, which is written once, so that advice such as "raise
    crew.memory_per_worker" can be followed by submitting the same job again.
    """

    priority: Annotated[int, Field(ge=0, le=100)]
    crew: Crew
    limits: Limits | DatasetLimits

    @classmethod
    def of(cls, spec: Spec | DatasetSpec) -> Self:
        """Those that a spec asks for."""
        return cls(priority=spec.priority, crew=spec.crew, limits=spec.limits)

    def applied(self, spec: _Spec) -> _Spec:
        """The same job on these terms."""
        return spec.model_copy(
            update={"priority": self.priority, "crew": self.crew, "limits": self.limits}
        )
