"""The canvases that a chain of redos keeps, in a store that others may write."""

from typing import Any

import pytest

from jobs.records.keys import JobKeys
from jobs.runtime.octave_ends import Ancestor, OctaveEnds, PinnedOctaves, _JobEnds
from tests.support.memory_store import MemoryStore

REGION = {"first": 0, "regions": [(0, 0, 32, 32)]}


def test_a_long_chain_without_a_whole_picture_is_given_up_soon(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    octaves = PinnedOctaves.model_validate({"octaves": [(64, 64)], "tiles": [32], "redo": REGION})
    any_commit: Any = "a commit"
    looks: list[JobKeys] = []

    def look(_: OctaveEnds, keys: JobKeys, _steps: int) -> _JobEnds:
        looks.append(keys)
        assert len(looks) < 1000
        return _JobEnds(octaves, {0: any_commit})

    monkeypatch.setattr(OctaveEnds, "_kept", look)
    chain = tuple(Ancestor(f"sky-{number:012x}", 1) for number in range(20))
    assert OctaveEnds(store, chain).layers(0) is None
    # A picture lies in its own job, or in that of a redo of it. Each place is looked at once.
    assert len(looks) == len(set(looks)) == 20 * 21 / 2
