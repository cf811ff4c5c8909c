"""What a job gets of a machine."""

import pytest

from jobs.runtime.metrics.counters import Use
from jobs.services.scheduler.capacity import Share, kept, minus, share_for
from jobs.spec.base import Crew

GPUS = (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("crew", "whole", "free", "share"),
    [
        (Crew(), Share(8), Share(8), Share(8)),
        (Crew(), Share(8), Share(3), Share(3)),
        (Crew(), Share(8), Share(0), None),
        (Crew(workers=2), Share(8), Share(3), Share(2)),
        (Crew(workers=2, cpus_per_worker=2), Share(8), Share(3), None),
        (Crew(workers=9), Share(8), Share(8), Share(8)),
        (Crew(workers=9), Share(8), Share(7), None),
        (Crew(), Share(8, GPUS), Share(8, GPUS), Share(8, GPUS)),
        (Crew(), Share(8, GPUS), Share(4, (2, 3)), Share(4, (2, 3))),
        (Crew(), Share(8, GPUS), Share(4), None),
        (Crew(workers=1, gpus_per_worker=1), Share(8), Share(8), None),
        (Crew(workers=4), Share(0), Share(0), None),
        (Crew(workers=1), Share(8, GPUS), Share(4, (2, 3)), Share(1, (2,))),
        (Crew(workers=3), Share(8, GPUS), Share(8, (2, 3)), None),
        (Crew(workers=3, gpus_per_worker=0), Share(8, GPUS), Share(8), Share(3)),
        (Crew(workers=2, gpus_per_worker=2), Share(8, GPUS), Share(8, GPUS), Share(2, GPUS)),
    ],
)
def test_a_job_gets_what_it_asks_for_or_waits(
    crew: Crew, whole: Share, free: Share, share: Share | None
) -> None:
    assert share_for(crew, whole, free) == share


def test_what_is_used_is_not_free() -> None:
    used = [Share(2, (0,)), Share(1, (2, 3))]
    assert minus(Share(8, GPUS), used) == Share(5, (1,))
    assert minus(Share(2), [Share(3)]) == Share(0)


@pytest.mark.parametrize(
    ("use", "share"),
    [
        (Use(cores=2, gpus=1, memory=0), Share(2, (0,))),
        (Use(cores=2, gpus=0, memory=60), Share(5)),
        (Use(cores=1, gpus=0, memory=1), Share(1)),
        (Use(cores=9, gpus=9, memory=999), Share(8, GPUS)),
    ],
)
def test_a_job_keeps_what_it_uses_of_what_it_was_given(use: Use, share: Share) -> None:
    assert kept(Share(8, GPUS), 100, use) == share
