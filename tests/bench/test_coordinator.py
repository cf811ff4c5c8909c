"""The coordinator takes little time for each step of a large crew."""

import time
from pathlib import Path

import pytest

from tests.bench.coordinator import OneOctave, StubCrew


@pytest.mark.parametrize(("members", "limit"), [(64, 0.020), (512, 0.150)])
def test_a_step_takes_little_cpu_time(tmp_path: Path, members: int, limit: float) -> None:
    """The least CPU time of several steps; other programs do not add to it."""
    octave = OneOctave(members, tiles=16, tile=256, steps=6, folder=tmp_path)
    found = octave.run(StubCrew(octave.stub_actors()), time.process_time)
    assert len(found) == 5
    assert min(found) <= limit


@pytest.mark.parametrize("members", [1, 8, 60])
def test_halos_come_only_from_neighbours(tmp_path: Path, members: int) -> None:
    octave = OneOctave(members, tiles=4, tile=128, steps=2, folder=tmp_path)
    actors = octave.stub_actors()
    octave.run(StubCrew(actors), time.process_time)
    for receiver, actor in enumerate(actors):
        assert actor.senders == {
            sender for sender, own in enumerate(octave.sends) if receiver in own
        }
