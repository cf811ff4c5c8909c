"""The registry of kinds: the only place that knows which kinds of jobs there are.

A new kind is a folder with a `JobKind` and a line here, and its spec in `jobs.spec.kinds`.
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
    """The kind of job that a spec asks for."""
    return KINDS[spec.kind]
