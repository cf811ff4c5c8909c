"""The combinations of a sweep: each once, in a defined order."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from jobs.planning.item_settings import sweep_variants

NAMES = st.sampled_from(["dream.steps", "dream.step_size", "objectives.0.layer", "resize"])
SWEEPS = st.dictionaries(NAMES, st.lists(st.integers(), min_size=1, max_size=4, unique=True))


@given(SWEEPS)
def test_every_combination_appears_once(sweep: dict[str, list[int]]) -> None:
    found = sweep_variants(sweep)

    assert [tuple(one.values()) for one in found] == list(product(*sweep.values()))
    assert all(list(one) == list(sweep) for one in found)
    assert len({tuple(one.items()) for one in found}) == len(found)


def test_without_a_sweep_there_is_one_empty_variant() -> None:
    assert sweep_variants({}) == ({},)


def test_the_last_field_changes_fastest() -> None:
    found = sweep_variants({"objectives.0.layer": ["a", "b"], "dream.step_size": [0.1, 0.2, 0.3]})

    assert found[1] == {"objectives.0.layer": "a", "dream.step_size": 0.2}
    assert found[3] == {"objectives.0.layer": "b", "dream.step_size": 0.1}
    assert len(found) == 6
