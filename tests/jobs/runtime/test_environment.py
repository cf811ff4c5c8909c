"""The pinned plan: later machines must compute the same bytes as the first."""

import pytest

from jobs.records.keys import JobKeys
from jobs.runtime.environment import PinnedPlan, pin_plan
from jobs.text.errors import MachineMismatch
from tests.support.memory_store import MemoryStore

KEYS = JobKeys("sky-0123456789ab")
FIRST = PinnedPlan(plan={"batch": 1}, device="cpu AVX2", software={"torch": "2.8", "ray": None})


def test_the_first_plan_counts() -> None:
    store = MemoryStore()
    assert pin_plan(store, KEYS, FIRST, any_device=False) == FIRST
    other = FIRST.model_copy(update={"plan": {"batch": 8}})
    assert pin_plan(store, KEYS, other, any_device=False) == FIRST


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"device": "H200"}, "began on cpu AVX2, not H200; this machine"),
        ({"software": {"torch": "2.9"}}, "began on torch 2.8, not 2.9; this machine"),
        (
            {"device": "H200", "software": {"torch": "2.8", "ray": "2"}},
            "began on cpu AVX2, not H200; ray None, not 2; this machine",
        ),
    ],
)
def test_a_mismatch_names_each_difference(changes: dict[str, object], words: str) -> None:
    store = MemoryStore()
    pin_plan(store, KEYS, FIRST, any_device=False)
    mine = FIRST.model_copy(update=changes)

    with pytest.raises(MachineMismatch) as caught:
        pin_plan(store, KEYS, mine, any_device=False)
    assert words in str(caught.value)
    assert pin_plan(store, KEYS, mine, any_device=True) == FIRST


def test_a_plan_of_an_earlier_version_pins_fewer_packages() -> None:
    store = MemoryStore()
    pin_plan(store, KEYS, FIRST, any_device=False)
    mine = FIRST.model_copy(update={"software": {**FIRST.software, "pillow-heif": "1.1"}})
    assert pin_plan(store, KEYS, mine, any_device=False) == FIRST

    with pytest.raises(MachineMismatch, match=r"began on torch 2\.8, not 2\.9; this machine"):
        changed = {"software": {**mine.software, "torch": "2.9"}}
        pin_plan(store, KEYS, mine.model_copy(update=changed), any_device=False)
