"""The share of a machine that a job gets and keeps."""

import pytest

from jobs.runtime.metrics.snapshot import ResourceUse
from jobs.services.scheduler.capacity import ResourceShare, allocate, share_in_use, subtract
from jobs.spec.base import Crew

GPUS = (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("crew", "total", "free", "share"),
    [
        (Crew(), ResourceShare(8), ResourceShare(8), ResourceShare(8)),
        (Crew(), ResourceShare(8), ResourceShare(3), ResourceShare(3)),
        (Crew(), ResourceShare(8), ResourceShare(0), None),
        (Crew(workers=2), ResourceShare(8), ResourceShare(3), ResourceShare(2)),
        (Crew(workers=2, cpus_per_worker=2), ResourceShare(8), ResourceShare(3), None),
        (Crew(workers=9), ResourceShare(8), ResourceShare(8), ResourceShare(8)),
        (Crew(workers=9), ResourceShare(8), ResourceShare(7), None),
        (Crew(), ResourceShare(8, GPUS), ResourceShare(8, GPUS), ResourceShare(8, GPUS)),
        (Crew(), ResourceShare(8, GPUS), ResourceShare(4, (2, 3)), ResourceShare(4, (2, 3))),
        (Crew(), ResourceShare(8, GPUS), ResourceShare(4), None),
        (Crew(workers=1, gpus_per_worker=1), ResourceShare(8), ResourceShare(8), None),
        (Crew(workers=4), ResourceShare(0), ResourceShare(0), None),
        (Crew(workers=1), ResourceShare(8, GPUS), ResourceShare(4, (2, 3)), ResourceShare(1, (2,))),
        (Crew(workers=3), ResourceShare(8, GPUS), ResourceShare(8, (2, 3)), None),
        (
            Crew(workers=3, gpus_per_worker=0),
            ResourceShare(8, GPUS),
            ResourceShare(8),
            ResourceShare(3),
        ),
        (
            Crew(workers=2, gpus_per_worker=2),
            ResourceShare(8, GPUS),
            ResourceShare(8, GPUS),
            ResourceShare(2, GPUS),
        ),
    ],
)
def test_a_job_gets_its_share_or_waits(
    crew: Crew, total: ResourceShare, free: ResourceShare, share: ResourceShare | None
) -> None:
    assert allocate(crew, total, free) == share


def test_used_resources_are_subtracted() -> None:
    used = [ResourceShare(2, (0,)), ResourceShare(1, (2, 3))]
    assert subtract(ResourceShare(8, GPUS), used) == ResourceShare(5, (1,))
    assert subtract(ResourceShare(2), [ResourceShare(3)]) == ResourceShare(0)


@pytest.mark.parametrize(
    ("use", "share"),
    [
        (ResourceUse(cores=2, gpus=1, memory=0), ResourceShare(2, (0,))),
        (ResourceUse(cores=2, gpus=0, memory=60), ResourceShare(5)),
        (ResourceUse(cores=1, gpus=0, memory=1), ResourceShare(1)),
        (ResourceUse(cores=9, gpus=9, memory=999), ResourceShare(8, GPUS)),
    ],
)
def test_a_job_keeps_only_the_share_in_use(use: ResourceUse, share: ResourceShare) -> None:
    assert share_in_use(ResourceShare(8, GPUS), 100, use) == share
