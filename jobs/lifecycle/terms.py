"""On which terms a job is worked on: what decides no pixel, and may change by a later submit."""

from typing import Annotated, Self, TypeVar

from pydantic import Field

from jobs.dataset.spec import DatasetLimits, DatasetSpec
from jobs.lifecycle.record import Record
from jobs.spec import Crew, Limits, Spec

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
