"""The halos of a step are what the geometry of fragments says, pair by pair."""

from hypothesis import given
from hypothesis import strategies as st

from jobs.scale.traffic import traffic
from render.grid import Grid
from render.lattice import Lattice
from render.partition import Block, fragment, partition

SIDES = st.integers(1, 900)


def sent(grid: Grid, reach: int, taker: Block, blocks: tuple[Block, ...]) -> list[int]:
    """Bytes of each fragment that one member takes."""
    pairs = (fragment(grid, reach, giver, taker) for giver in blocks if giver != taker)
    return [found.area * 3 * 4 for found in pairs if found.area]


@given(SIDES, SIDES, st.integers(16, 200), st.integers(1, 12), st.sampled_from([11, 91, 400]))
def test_traffic_is_the_sum_of_all_fragments(
    height: int, width: int, tile: int, workers: int, field: int
) -> None:
    grid, lattice = Grid(height, width, tile), Lattice(4, field, jitter=6)
    blocks = partition(grid, workers)
    by_taker = [sent(grid, lattice.reach(tile), taker, blocks) for taker in blocks]
    found = traffic(grid, lattice, blocks, 4)

    assert found.total == sum(map(sum, by_taker))
    assert found.most == max(map(sum, by_taker))
    assert found.fragments in {len(one) for one in by_taker if sum(one) == found.most}


def test_who_works_alone_moves_nothing() -> None:
    grid, lattice = Grid(900, 700, 128), Lattice(8, 91, jitter=32)
    found = traffic(grid, lattice, partition(grid, 1), 4)
    assert (found.total, found.most, found.fragments) == (0, 0, 0)


def test_float64_is_twice_float32() -> None:
    grid, lattice = Grid(900, 700, 128), Lattice(8, 91, jitter=32)
    single, double = (traffic(grid, lattice, partition(grid, 3), size) for size in (4, 8))
    assert double.total == 2 * single.total > 0
