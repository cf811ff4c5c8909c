"""The geometry of windows, checked in whole numbers."""

from hypothesis import example, given
from hypothesis import strategies as st

from render.geometry.grid import Grid
from render.geometry.sampling_grid import SamplingGrid, jitter_shift

SAMPLING_GRIDS = st.builds(
    SamplingGrid, st.sampled_from([1, 2, 3, 8, 12, 16, 32]), st.integers(1, 300), st.integers(0, 70)
)
ENDLESS = st.builds(
    SamplingGrid,
    st.sampled_from([1, 2, 3, 8, 12]),
    st.integers(1, 300),
    st.integers(0, 70),
    st.integers(0, 20),
    st.sampled_from(["mirror", "wrap"]),
)
GRIDS = st.builds(Grid, st.integers(1, 900), st.integers(1, 900), st.integers(60, 300))


@given(SAMPLING_GRIDS, GRIDS, st.data())
@example(SamplingGrid(8, 91, 32), Grid(700, 700, 96), None)
def test_windows_hold_their_core_and_its_halo(
    sampling_grid: SamplingGrid, grid: Grid, data: st.DataObject | None
) -> None:
    places = st.integers(0, max(0, sampling_grid.span - 1))
    shift = data.draw(st.tuples(places, places)) if data else (0, 31)
    size = (grid.height, grid.width)
    canvas = sampling_grid.padded_canvas(shift, size)
    for tile in range(len(grid)):
        core = grid.core(tile)
        window = sampling_grid.window(core, grid.tile, shift, size)
        assert window.intersect(canvas) == window
        halo = core.grown(sampling_grid.field - 1).intersect(canvas)
        assert halo.intersect(window) == halo
        assert (window.top - canvas.top) % sampling_grid.stride == 0
        assert (window.left - canvas.left) % sampling_grid.stride == 0
        inside = window.intersect(grid.whole)
        assert inside.intersect(sampling_grid.window_union(core, grid.tile)) == inside
        if window.top > canvas.top and window.bottom < canvas.bottom:
            assert window.height == sampling_grid.window_side(grid.tile)


@given(ENDLESS, GRIDS, st.integers(0, 69))
def test_endless_windows_are_never_cut(sampling_grid: SamplingGrid, grid: Grid, at: int) -> None:
    size = (grid.height, grid.width)
    canvas = sampling_grid.padded_canvas((at, at), size)
    halo = grid.whole.grown(sampling_grid.halo)
    assert halo.intersect(canvas) == halo
    assert (canvas.top + at) % sampling_grid.stride == 0
    for tile in (0, len(grid) - 1):
        window = sampling_grid.window(grid.core(tile), grid.tile, (at, at), size)
        halo = grid.core(tile).grown(sampling_grid.halo)
        assert halo.intersect(window) == halo
        assert (window.left + at) % sampling_grid.stride == 0
        assert window.height == window.width == sampling_grid.window_side(grid.tile)
        assert window.area == sampling_grid.largest_window(grid.tile, size)


@given(SAMPLING_GRIDS)
def test_every_window_has_room_for_every_phase(sampling_grid: SamplingGrid) -> None:
    """The side of a window is (ceil((core + 2 halo) / S) + 1) S."""
    for core in (1, 64, 100):
        needed = core + 2 * (sampling_grid.field - 1)
        assert (
            sampling_grid.window_side(core)
            == (-(-needed // sampling_grid.stride) + 1) * sampling_grid.stride
        )


@given(SAMPLING_GRIDS, st.integers(1, 500))
def test_the_padding_leaves_room_for_jitter_and_field(
    sampling_grid: SamplingGrid, length: int
) -> None:
    assert sampling_grid.span % sampling_grid.stride == 0
    assert sampling_grid.jitter <= sampling_grid.span < sampling_grid.jitter + sampling_grid.stride
    assert sampling_grid.padded_side(length) >= length + sampling_grid.span
    assert sampling_grid.padded_side(length) >= sampling_grid.field


@given(st.integers(0, 2**63 - 1), st.integers(0, 20), st.integers(0, 50), st.integers(1, 64))
def test_shifts_lie_within_the_jitter(seed: int, octave: int, step: int, jitter: int) -> None:
    down, right = jitter_shift(seed, octave, step, jitter)
    assert 0 <= down < jitter
    assert 0 <= right < jitter


def test_without_jitter_there_is_no_shift_and_with_it_every_phase() -> None:
    assert jitter_shift(7, 1, 2, 0) == (0, 0)
    visited = {jitter_shift(0, octave, step, 4) for octave in range(10) for step in range(30)}
    assert visited == {(down, right) for down in range(4) for right in range(4)}
    assert {jitter_shift(seed, 0, 0, 1 << 20) for seed in range(50)} != {
        jitter_shift(0, 0, 0, 1 << 20)
    }
