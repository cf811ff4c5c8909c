"""The coordinator of a large crew is never what the crew waits for."""

import time
from pathlib import Path

import pytest

from tests.bench.coordinator import Course, StubCrew


@pytest.mark.parametrize(("members", "most"), [(64, 0.020), (512, 0.150)])
def test_a_step_costs_the_coordinator_little(tmp_path: Path, members: int, most: float) -> None:
    """CPU seconds of its own code, the least of several steps: other programs cost it nothing."""
    course = Course(members, tiles=16, tile=256, steps=6, folder=tmp_path)
    found = course.run(StubCrew(course.handles()), time.process_time)
    assert len(found) == 5
    assert min(found) <= most


@pytest.mark.parametrize("members", [1, 8, 60])
def test_fragments_are_asked_of_neighbours_alone(tmp_path: Path, members: int) -> None:
    course = Course(members, tiles=4, tile=128, steps=2, folder=tmp_path)
    handles = course.handles()
    course.run(StubCrew(handles), time.process_time)
    for taker, handle in enumerate(handles):
        assert handle.taken == {giver for giver, own in enumerate(course.sends) if taker in own}
