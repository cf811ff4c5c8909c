"""The registry of job kinds.

A new kind needs a `JobKind` in a folder of its own, a line here, and a line in `jobs.spec.kinds`.
"""

from typing import Any

from jobs.dataset.kind import DatasetKind
from jobs.poster.kind import PosterKind
from jobs.runtime.kind import JobKind
from jobs.spec.kinds import AnySpec

KINDS: dict[str, JobKind[Any]] = {
    "poster": PosterKind(),
    "dataset": DatasetKind(),
}


def kind_of(spec: AnySpec) -> JobKind[Any]:
    """The kind of job that a spec describes."""
    return KINDS[spec.kind]
